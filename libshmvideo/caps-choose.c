/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A choice is built as a set of one structure, field by field in the order of
 * canonical text, and written. Whether it can be shared is not judged here: the
 * text is read as a format, like any other.
 *
 * What is chosen borrows its strings from the set, from the present format and
 * from the constants here.
 */

#include "os.h"

#include "caps-choose.h"

#include <errno.h>
#include <string.h>

#include "caps-nearest.h"
#include "caps-print.h"
#include "caps.h"

#define INTERLACED "format:Interlaced"
#define N(array) (sizeof(array) / sizeof(array)[0])

struct choice {
  const struct shmv_caps *set;
  const struct shmv_caps_structure *structure; /* of the set: the candidate */
  const struct shmv_caps *near;                /* fixed, or EMPTY */
  struct shmv_caps chosen;
  bool same_pixels, same_rate, same_mode; /* as in near */
  int r;
};

/* ---- Values -------------------------------------------------------------- */

static const struct shmv_caps_field *
get_field(const struct choice *c, const char *name)
{
  return shmv_caps_get_field(c->set, c->structure, name);
}

/* The present format's value, or NULL. */
static const struct shmv_caps_value *
get_near(const struct choice *c, const char *name, enum shmv_caps_type type)
{
  if (c->near->n_structures.used == 0)
    return NULL;
  const struct shmv_caps_field *field =
      shmv_caps_get_field(c->near, &c->near->structures[0], name);
  if (field == NULL)
    return NULL;
  const struct shmv_caps_value *value = &c->near->values[field->values.first];
  return type == SHMV_CAPS_GUESS || value->type == type ? value : NULL;
}

static const char *
get_near_string(const struct choice *c, const char *name)
{
  const struct shmv_caps_value *value = get_near(c, name, SHMV_CAPS_STRING);
  return value != NULL ? value->as.string : NULL;
}

static struct shmv_caps_value
string_value(const char *string)
{
  return (struct shmv_caps_value){.type = SHMV_CAPS_STRING,
                                  .as.string = string};
}

static bool
accepts_string(const struct choice *c, const struct shmv_caps_field *field,
               const char *string)
{
  struct shmv_caps_value value = string_value(string);
  return string != NULL && shmv_caps_field_accepts(c->set, field, &value);
}

/* ---- Fields -------------------------------------------------------------- */

/* Append a field to what is chosen. */
static void
put(struct choice *c, const char *name, const struct shmv_caps_value *value)
{
  struct shmv_caps_value *added_value = shmv_caps_add_value(&c->chosen);
  struct shmv_caps_field *added =
      added_value != NULL ? shmv_caps_add_field(&c->chosen) : NULL;
  if (added == NULL) {
    c->r = -ENOMEM;
    return;
  }
  *added_value = *value;
  added->name = name;
  added->values.first = c->chosen.n_values.used - 1;
  added->values.count = 1;
  c->chosen.structures[0].fields.count++;
}

static void
put_string(struct choice *c, const char *name, const char *string)
{
  struct shmv_caps_value value = string_value(string);
  put(c, name, &value);
}

/* The present pixel format, one that everybody reads, or the first one known;
 * NULL: there is none. */
static const char *
choose_pixels(const struct choice *c)
{
  static const char *const common[] = {"I420", "NV12", "RGBA",
                                       "BGRA", "YUY2", "UYVY"};
  const struct shmv_caps_field *field = get_field(c, "format");
  const char *present = get_near_string(c, "format");
  if (field == NULL)
    return present != NULL ? present : common[0];
  if (accepts_string(c, field, present))
    return present;
  for (size_t i = 0; i < N(common); i++)
    if (accepts_string(c, field, common[i]))
      return common[i];
  for (uint32_t i = 0; i < field->values.count; i++) {
    const struct shmv_caps_value *value =
        &c->set->values[field->values.first + i];
    if (value->type == SHMV_CAPS_STRING &&
        shmvideo_pixel_format_from_name(value->as.string) !=
            SHMVIDEO_FORMAT_UNKNOWN)
      return value->as.string;
  }
  return NULL;
}

static bool
is_interlaced(const struct shmv_caps *caps)
{
  return caps->n_structures.used > 0 &&
         shmv_caps_has_feature(caps, &caps->structures[0], INTERLACED);
}

/* The present mode, or the usual one. */
static const char *
get_near_mode(const struct choice *c)
{
  const char *mode = get_near_string(c, "interlace-mode");
  return mode != NULL ? mode : "progressive";
}

/* Whether such frames can be chosen. Alternating fields go with the feature. */
static bool
is_possible_mode(const struct choice *c, const char *mode)
{
  static const char *const modes[] = {"progressive", "interleaved", "mixed",
                                      "fields", "alternate"};
  size_t n = N(modes) - !is_interlaced(&c->chosen), i = 0;
  while (i < n && strcmp(modes[i], mode) != 0)
    i++;
  return i < n;
}

/* The present mode if it can be kept, or a usual one, or the first possible;
 * NULL: there is none. */
static const char *
choose_mode(const struct choice *c)
{
  const struct shmv_caps_field *field = get_field(c, "interlace-mode");
  const char *wished = get_near_mode(c);
  if (is_interlaced(&c->chosen) != is_interlaced(c->near))
    wished = is_interlaced(&c->chosen)     ? "alternate"
             : is_possible_mode(c, wished) ? wished
                                           : "progressive";
  if (field == NULL || accepts_string(c, field, wished))
    return wished;
  for (uint32_t i = 0; i < field->values.count; i++) {
    const struct shmv_caps_value *value =
        &c->set->values[field->values.first + i];
    if (value->type == SHMV_CAPS_STRING &&
        is_possible_mode(c, value->as.string))
      return value->as.string;
  }
  return NULL;
}

/* A field that every choice has: near the present value, or a usual one. */
static void
put_usual(struct choice *c, const char *name,
          const struct shmv_caps_value *usual)
{
  const struct shmv_caps_field *field = get_field(c, name);
  const struct shmv_caps_value *present = get_near(c, name, usual->type);
  struct shmv_caps_value value = present != NULL ? *present : *usual;
  if (field != NULL) {
    /* An unknown rate can be kept, but is nothing to be near to. */
    if (!shmv_caps_field_accepts(c->set, field, &value) &&
        !shmv_caps_value_is_useful(&value))
      value = *usual;
    value = shmv_caps_field_nearest(c->set, field, &value);
  }
  put(c, name, &value);
}

/* A field that not every format has: of the set if that has it, or else of the
 * present format if it is to be kept. Where it is missing it means implied
 * (NULL: nothing that has a name). */
static void
put_optional(struct choice *c, const char *name, bool keep,
             const struct shmv_caps_value *implied)
{
  const struct shmv_caps_field *field = get_field(c, name);
  const struct shmv_caps_value *present =
      keep ? get_near(c, name, SHMV_CAPS_GUESS) : NULL;
  struct shmv_caps_value value;
  if (field != NULL)
    value = shmv_caps_field_nearest(c->set, field,
                                    present != NULL ? present : implied);
  else if (present != NULL)
    value = *present;
  else
    return;
  put(c, name, &value);
}

/* Whether the field that was put last is as in the present format. */
static bool
is_kept(const struct choice *c, const char *name)
{
  if (c->r < 0)
    return false;
  const struct shmv_caps_value *value =
      &c->chosen.values[c->chosen.n_values.used - 1];
  const struct shmv_caps_value *present = get_near(c, name, value->type);
  return present != NULL && shmv_caps_value_accepts(value, present);
}

/* ---- Structures ---------------------------------------------------------- */

/* Fields in the order of canonical text. */
static const char *const known[] = {
    "format", "width", "height", "framerate", "max-framerate",
    "interlace-mode", "field-order", "pixel-aspect-ratio", "chroma-site",
    "colorimetry", "views", "premultiplied-alpha"};

static bool
is_known(const char *name)
{
  size_t i = 0;
  while (i < N(known) && strcmp(known[i], name) != 0)
    i++;
  return i < N(known);
}

static void
put_fields(struct choice *c, const char *pixels, const char *mode)
{
  static const struct shmv_caps_value
      width = {.type = SHMV_CAPS_INT, .as.i = {1280, 1280, 1}},
      height = {.type = SHMV_CAPS_INT, .as.i = {720, 720, 1}},
      rate = {.type = SHMV_CAPS_FRACTION, .as.f = {{30, 1}, {30, 1}}},
      square = {.type = SHMV_CAPS_FRACTION, .as.f = {{1, 1}, {1, 1}}},
      no_rate = {.type = SHMV_CAPS_FRACTION, .as.f = {{0, 1}, {0, 1}}},
      one_view = {.type = SHMV_CAPS_INT, .as.i = {1, 1, 1}},
      straight = {.type = SHMV_CAPS_BOOLEAN};
  put_string(c, "format", pixels);
  c->same_pixels = is_kept(c, "format");
  put_usual(c, "width", &width);
  put_usual(c, "height", &height);
  put_usual(c, "framerate", &rate);
  c->same_rate = is_kept(c, "framerate");
  put_optional(c, "max-framerate", c->same_rate, &no_rate);
  put_string(c, "interlace-mode", mode);
  c->same_mode = is_kept(c, "interlace-mode");
  put_optional(c, "field-order", c->same_mode, NULL);
  put_usual(c, "pixel-aspect-ratio", &square);
  put_optional(c, "chroma-site", c->same_pixels, NULL);
  put_optional(c, "colorimetry", c->same_pixels, NULL);
  put_optional(c, "views", true, &one_view);
  put_optional(c, "premultiplied-alpha", c->same_pixels, &straight);
  for (uint32_t i = 0; i < c->structure->fields.count; i++) {
    const char *name = c->set->fields[c->structure->fields.first + i].name;
    if (!is_known(name))
      put_optional(c, name, true, NULL);
  }
}

static void
put_feature(struct choice *c, const char *feature)
{
  const char **added = shmv_caps_add_feature(&c->chosen);
  if (added == NULL) {
    c->r = -ENOMEM;
    return;
  }
  *added = feature;
  c->chosen.structures[0].features.count++;
}

/* Begin anew with the candidate's features. Where it takes any, the feature of
 * a present format in fields is kept if its mode can be. */
static void
put_features(struct choice *c)
{
  const struct shmv_caps_span *features = &c->structure->features;
  const struct shmv_caps_field *mode = get_field(c, "interlace-mode");
  struct shmv_caps *chosen = &c->chosen;
  chosen->n_structures.used = chosen->n_features.used = 0;
  chosen->n_fields.used = chosen->n_values.used = 0;
  struct shmv_caps_structure *structure = shmv_caps_add_structure(chosen);
  if (structure == NULL) {
    c->r = -ENOMEM;
    return;
  }
  structure->media = "video/x-raw";
  for (uint32_t i = 0; i < features->count; i++)
    put_feature(c, c->set->features[features->first + i]);
  if (c->structure->any_features && is_interlaced(c->near) &&
      (mode == NULL || accepts_string(c, mode, get_near_mode(c))))
    put_feature(c, INTERLACED);
}

/* A format of the candidate as text. Its length, 0 if it has none that can be
 * shared, or a failure. */
static int
try_structure(struct choice *c, char *text, size_t text_size)
{
  struct shmvideo_format format;
  if (strcmp(c->structure->media, "video/x-raw") != 0)
    return 0;
  put_features(c);
  if (c->r < 0)
    return c->r;
  const char *pixels = choose_pixels(c), *mode = choose_mode(c);
  if (mode == NULL && c->structure->any_features) {
    put_feature(c, INTERLACED); /* then there may be one */
    mode = choose_mode(c);
  }
  if (pixels == NULL || mode == NULL)
    return 0;
  put_fields(c, pixels, mode);
  if (c->r < 0)
    return c->r;
  int length = shmv_caps_print(&c->chosen, text, text_size);
  if (length < 0)
    return text_size > SHMV_CAPS_MAX ? 0 : length; /* too long for anybody */
  int r = shmvideo_format_from_caps(&format, text, NULL);
  return r == 0 ? length : r == -ENOMEM ? r : 0;
}

static int
choose(const struct shmv_caps *set, const struct shmv_caps *near, char *text,
       size_t text_size)
{
  static const struct shmv_caps_structure anything = {.media = "video/x-raw",
                                                      .any_features = true};
  struct choice c = {.set = set, .near = near, .structure = &anything};
  int r = set->any ? try_structure(&c, text, text_size) : 0;
  for (uint32_t i = 0; r == 0 && i < set->n_structures.used; i++) {
    c.structure = &set->structures[i];
    r = try_structure(&c, text, text_size);
  }
  shmv_caps_clear(&c.chosen);
  return r;
}

int
shmv_caps_choose(const struct shmv_caps *set, const char *near, char *text,
                 size_t text_size)
{
  struct shmv_caps parsed;
  int r = shmv_caps_parse(&parsed, near != NULL ? near : "EMPTY", NULL);
  if (r == 0) {
    r = near == NULL || shmv_caps_is_fixed(&parsed)
            ? choose(set, &parsed, text, text_size)
            : -EINVAL;
    shmv_caps_clear(&parsed);
  }
  if (r <= 0 && text_size > 0)
    text[0] = '\0';
  return r;
}
