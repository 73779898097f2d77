/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One format as a text, and back. Fields that the struct has no place for are
 * ignored; a field that it has, with a value of another type or out of range,
 * is an error, for a picture shown wrongly is worse than none.
 */

#include "os.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "caps-color.h"
#include "caps-set.h"
#include "error.h"
#include "format.h"

static const char *const interlace_modes[] = {
    "progressive", "interleaved", "mixed", "fields", "alternate"};
static const char *const field_orders[] = {"unknown", "top-field-first",
                                           "bottom-field-first"};

#define N(array) (sizeof(array) / sizeof(array)[0])

/* Reading fields: the first failure stays in r, what comes after is moot. */
struct source {
  const struct shmv_caps *caps;
  struct shmvideo_error *error;
  int r;
};

static void
fail(struct source *in, const char *name, const char *problem)
{
  if (in->r == 0)
    in->r = shmv_error_set(in->error, -EINVAL, 0, NULL,
                           "video/x-raw caps: %s %s", name, problem);
}

/* The field's value if it is there and of that type, else NULL. */
static const struct shmv_caps_value *
get(struct source *in, const char *name, enum shmv_caps_type type)
{
  const struct shmv_caps_field *field =
      shmv_caps_get_field(in->caps, &in->caps->structures[0], name);
  if (field == NULL)
    return NULL;
  const struct shmv_caps_value *value = &in->caps->values[field->values.first];
  if (value->type == type)
    return value;
  fail(in, name, type == SHMV_CAPS_INT        ? "is not an int"
                 : type == SHMV_CAPS_FRACTION ? "is not a fraction"
                 : type == SHMV_CAPS_BOOLEAN  ? "is not a boolean"
                                              : "is not a string");
  return NULL;
}

/* An int of at least 1; missing: the default, or a failure if that is 0. */
static uint32_t
get_count(struct source *in, const char *name, uint32_t missing)
{
  const struct shmv_caps_value *value = get(in, name, SHMV_CAPS_INT);
  if (value == NULL && missing == 0)
    fail(in, name, "is missing");
  if (value != NULL && value->as.i.min < 1)
    fail(in, name, "is less than 1");
  return value == NULL || in->r < 0 ? missing : (uint32_t)value->as.i.min;
}

static void
get_fraction(struct source *in, const char *name, int32_t least, uint32_t *n,
             uint32_t *d)
{
  const struct shmv_caps_value *value = get(in, name, SHMV_CAPS_FRACTION);
  if (value == NULL)
    return;
  if (value->as.f.min.n < least) {
    fail(in, name, least > 0 ? "is not positive" : "is negative");
    return;
  }
  *n = (uint32_t)value->as.f.min.n;
  *d = (uint32_t)value->as.f.min.d;
}

static const char *
get_string(struct source *in, const char *name)
{
  const struct shmv_caps_value *value = get(in, name, SHMV_CAPS_STRING);
  return value != NULL ? value->as.string : NULL;
}

/* How the word is listed, or n_words. */
static uint32_t
find_word(const char *word, const char *const *words, uint32_t n_words)
{
  uint32_t i = 0;
  while (i < n_words && strcmp(words[i], word) != 0)
    i++;
  return i;
}

static void
get_interlacing(struct source *in, struct shmvideo_format *format)
{
  const struct shmv_caps_structure *structure = &in->caps->structures[0];
  const char *mode = get_string(in, "interlace-mode");
  const char *order = get_string(in, "field-order");
  format->interlace_mode =
      mode == NULL ? SHMVIDEO_PROGRESSIVE
                   : find_word(mode, interlace_modes, N(interlace_modes));
  if (format->interlace_mode == N(interlace_modes))
    fail(in, "interlace-mode", "is unknown");
  if (format->interlace_mode == SHMVIDEO_ALTERNATE &&
      !shmv_caps_has_feature(in->caps, structure, "format:Interlaced"))
    fail(in, "interlace-mode=alternate",
         "needs the feature format:Interlaced");
  if (order != NULL && format->interlace_mode != SHMVIDEO_PROGRESSIVE)
    format->field_order = find_word(order, field_orders, N(field_orders));
  if (format->field_order == N(field_orders)) /* as GStreamer has it */
    format->field_order = 0;
}

static void
get_alpha(struct source *in, struct shmvideo_format *format)
{
  const struct shmv_caps_value *premultiplied =
      get(in, "premultiplied-alpha", SHMV_CAPS_BOOLEAN);
  if (!shmv_pixel_format_has_alpha(format->pixel_format))
    format->alpha_mode = SHMVIDEO_ALPHA_NONE;
  else if (premultiplied != NULL && premultiplied->as.boolean)
    format->alpha_mode = SHMVIDEO_ALPHA_PREMULTIPLIED;
  else
    format->alpha_mode = SHMVIDEO_ALPHA_STRAIGHT;
}

/* Whether these are caps of frames that lie in memory as rows of samples. */
static int
check_medium(const struct shmv_caps *caps, struct shmvideo_error *error)
{
  if (!shmv_caps_is_fixed(caps))
    return shmv_error_set(error, -EINVAL, 0, NULL,
                          "these caps are a set of formats, not one format");
  const struct shmv_caps_structure *structure = &caps->structures[0];
  if (strcmp(structure->media, "video/x-raw") != 0)
    return shmv_error_set(error, -EMEDIUMTYPE, 0,
                          "Convert or decode to video/x-raw first.",
                          "%.200s is not raw video", structure->media);
  for (uint32_t i = 0; i < structure->features.count; i++) {
    const char *feature = caps->features[structure->features.first + i];
    if (strcmp(feature, "memory:SystemMemory") != 0 &&
        strcmp(feature, "format:Interlaced") != 0)
      return shmv_error_set(error, -EMEDIUMTYPE, 0,
                            "Bring the frames into system memory first.",
                            "frames with the feature %.200s are not supported",
                            feature);
  }
  return 0;
}

static int
get_pixel_format(struct source *in, struct shmvideo_format *format)
{
  const char *name = get_string(in, "format");
  if (name == NULL) {
    fail(in, "format", "is missing");
    return in->r;
  }
  format->pixel_format = shmvideo_pixel_format_from_name(name);
  if (format->pixel_format != SHMVIDEO_FORMAT_UNKNOWN)
    return 0;
  /* What was in quotes may be anything: only a word goes into a sentence. */
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_-0123456789"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return shmv_error_set(in->error, -EMEDIUMTYPE, 0, NULL,
                        "video/x-raw caps: the format \"%.*s\" is unknown",
                        (int)length, name);
}

static int
get_format(struct source *in, struct shmvideo_format *format)
{
  int r = check_medium(in->caps, in->error);
  if (r == 0)
    r = get_pixel_format(in, format);
  if (r < 0)
    return r;
  format->width = get_count(in, "width", 0);
  format->height = get_count(in, "height", 0);
  format->views = get_count(in, "views", 1);
  format->fps_d = format->max_fps_d = format->par_n = format->par_d = 1;
  get_fraction(in, "framerate", 0, &format->fps_n, &format->fps_d);
  get_fraction(in, "max-framerate", 0, &format->max_fps_n, &format->max_fps_d);
  get_fraction(in, "pixel-aspect-ratio", 1, &format->par_n, &format->par_d);
  get_interlacing(in, format);
  get_alpha(in, format);
  shmv_color_from_text(format, get_string(in, "colorimetry"));
  const char *site = get_string(in, "chroma-site");
  format->chroma_site = site != NULL ? shmv_chroma_site_from_text(site) : 0;
  if (in->r < 0)
    return in->r;
  r = shmv_format_default_layout(format);
  if (r < 0)
    return shmv_error_set(in->error, r, 0, NULL,
                          "video/x-raw caps: frames of %u x %u pixels are too "
                          "large", format->width, format->height);
  return 0;
}

int
shmvideo_format_from_caps(struct shmvideo_format *format, const char *caps,
                          struct shmvideo_error *error)
{
  struct shmv_caps parsed;
  struct shmvideo_format found;
  int r = shmv_caps_parse(&parsed, caps, error);
  if (r < 0)
    return r;
  memset(&found, 0, sizeof found); /* formats are compared with memcmp */
  struct source in = {&parsed, error, 0};
  r = get_format(&in, &found);
  shmv_caps_clear(&parsed);
  if (r == 0)
    memcpy(format, &found, sizeof found);
  return r;
}

/* Where the text goes; length counts on when it is full. */
struct sink {
  char *text;
  size_t size, length;
};

static void __attribute__((format(printf, 2, 3)))
put(struct sink *out, const char *format, ...)
{
  size_t room = out->length < out->size ? out->size - out->length : 0;
  va_list args;
  va_start(args, format);
  int n = vsnprintf(room > 0 ? out->text + out->length : NULL, room, format,
                    args);
  va_end(args);
  out->length += n > 0 ? (size_t)n : 0;
}

static void
put_fraction(struct sink *out, const char *name, uint32_t n, uint32_t d)
{
  uint32_t a = n, b = d;
  while (b != 0) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  put(out, ", %s=(fraction)%u/%u", name, n / a, d / a);
}

static void
put_colors(struct sink *out, const struct shmvideo_format *format)
{
  char color[SHMV_COLOR_TEXT_MAX];
  const char *site = shmv_chroma_site_to_text(format->chroma_site);
  if (site != NULL)
    put(out, ", chroma-site=(string)%s", site);
  shmv_color_to_text(format, color);
  if (color[0] != '\0')
    put(out, ", colorimetry=(string)%s", color);
}

/* Rate and interlace-mode are always there: to be a subset of what a sink
 * takes, caps need every field that the sink's have. */
static void
put_format(struct sink *out, const struct shmvideo_format *format)
{
  bool alternate = format->interlace_mode == SHMVIDEO_ALTERNATE;
  put(out, "video/x-raw%s, format=(string)%s, width=(int)%u, height=(int)%u",
      alternate ? "(format:Interlaced)" : "",
      shmvideo_pixel_format_name(format->pixel_format), format->width,
      format->height);
  put_fraction(out, "framerate", format->fps_n,
               format->fps_d != 0 ? format->fps_d : 1);
  if (format->max_fps_n != 0)
    put_fraction(out, "max-framerate", format->max_fps_n, format->max_fps_d);
  put(out, ", interlace-mode=(string)%s",
      interlace_modes[format->interlace_mode]);
  if (format->interlace_mode != SHMVIDEO_PROGRESSIVE &&
      format->field_order != 0)
    put(out, ", field-order=(string)%s", field_orders[format->field_order]);
  if (format->par_n != 0)
    put_fraction(out, "pixel-aspect-ratio", format->par_n, format->par_d);
  put_colors(out, format);
  if (format->views > 1)
    put(out, ", views=(int)%u", format->views);
  if (format->alpha_mode == SHMVIDEO_ALPHA_PREMULTIPLIED)
    put(out, ", premultiplied-alpha=(boolean)true");
}

/* Whether GStreamer's ints can hold the fraction; 0 over 0 is none said. */
static bool
is_fraction(uint32_t n, uint32_t d)
{
  return n <= INT32_MAX && d <= INT32_MAX && (n == 0 || d != 0);
}

static bool
is_expressible(const struct shmvideo_format *format)
{
  return shmvideo_pixel_format_name(format->pixel_format) != NULL &&
         format->width >= 1 && format->width <= INT32_MAX &&
         format->height >= 1 && format->height <= INT32_MAX &&
         format->views <= INT32_MAX &&
         is_fraction(format->fps_n, format->fps_d) &&
         is_fraction(format->max_fps_n, format->max_fps_d) &&
         is_fraction(format->par_n, format->par_d) &&
         format->interlace_mode < N(interlace_modes) &&
         format->field_order < N(field_orders) && format->color_range <= 2 &&
         format->alpha_mode <= SHMVIDEO_ALPHA_PREMULTIPLIED;
}

int
shmvideo_format_to_caps(const struct shmvideo_format *format, char *text,
                        size_t text_size)
{
  struct sink out = {text, text != NULL ? text_size : 0, 0};
  if (!is_expressible(format))
    return -EINVAL;
  put_format(&out, format);
  return out.length < out.size ? (int)out.length : -ENOSPC;
}
