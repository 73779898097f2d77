/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Each structure of one set is met with each of the other, in that order, and
 * what comes out is kept unless it is part of what has been kept before. A
 * structure is built at the end of the result's arrays; to drop it again, the
 * arrays are cut to where they were.
 *
 * The result's strings are copies of both sets' strings as they lie in memory,
 * so that a string of theirs is found again at the same distance.
 */

#include "os.h"

#include "caps-meet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caps-range.h"

struct meet {
  struct shmv_caps *out;
  const struct shmv_caps *a, *b;
  struct shmv_caps_work work;
  int r;    /* -ENOMEM */
  bool cut; /* something was left out */
};

/* Where the result has that string of a or b. */
static const char *
own(const struct meet *m, const char *string)
{
  uintptr_t at = (uintptr_t)string, a = (uintptr_t)m->a->strings;
  if (at - a < m->a->n_strings)
    return m->out->strings + (at - a);
  return m->out->strings + m->a->n_strings +
         (at - (uintptr_t)m->b->strings);
}

/* Do so many steps more; false: that is too much. */
static bool
take(struct meet *m, uint32_t steps)
{
  if (!shmv_caps_work_take(&m->work, steps))
    m->cut = true;
  return !m->cut;
}

/* Append a value to the result; false: no memory, or there are too many. */
static bool
add_value(struct meet *m, const struct shmv_caps_value *value)
{
  if (m->out->n_values.used == SHMV_CAPS_MAX_VALUES) {
    m->cut = true;
    return false;
  }
  struct shmv_caps_value *added = shmv_caps_add_value(m->out);
  if (added == NULL) {
    m->r = -ENOMEM;
    return false;
  }
  *added = *value;
  if (value->type == SHMV_CAPS_STRING)
    added->as.string = own(m, value->as.string);
  return true;
}

/* Append a field to the last structure, of the values from first on. */
static bool
add_field(struct meet *m, const char *name, bool list, uint32_t first)
{
  struct shmv_caps *out = m->out;
  struct shmv_caps_structure *structure =
      &out->structures[out->n_structures.used - 1];
  if (structure->fields.count == SHMV_CAPS_MAX_FIELDS) {
    m->cut = true;
    return false;
  }
  struct shmv_caps_field *added = shmv_caps_add_field(out);
  if (added == NULL) {
    m->r = -ENOMEM;
    return false;
  }
  added->name = own(m, name);
  added->list = list;
  added->values.first = first;
  added->values.count = out->n_values.used - first;
  structure->fields.count++;
  return true;
}

static bool
copy_field(struct meet *m, const struct shmv_caps *of,
           const struct shmv_caps_field *field)
{
  uint32_t first = m->out->n_values.used;
  for (uint32_t i = 0; i < field->values.count; i++)
    if (!add_value(m, &of->values[field->values.first + i]))
      return false;
  return add_field(m, field->name, field->list, first);
}

/* What a list and a single value or range have in common. As in GStreamer, the
 * second value found is left out if it is the same as the first. */
static bool
meet_list(struct meet *m, const struct shmv_caps_value *items, uint32_t n,
          const struct shmv_caps_value *other)
{
  const uint32_t first = m->out->n_values.used;
  struct shmv_caps_value common;
  if (!take(m, n))
    return false;
  for (uint32_t i = 0; i < n; i++) {
    if (!shmv_caps_value_meet(&common, &items[i], other))
      continue;
    if (m->out->n_values.used == first + 1 &&
        shmv_caps_value_is_same(&common, &m->out->values[first]))
      continue;
    if (!add_value(m, &common))
      return false;
  }
  return m->out->n_values.used > first;
}

/* What two lists have in common. As in GStreamer, each item of one is met with
 * the first of the other's that it can be met with, and each only once; a list
 * that begins with a range has nothing in common with one that does not. */
static bool
meet_lists(struct meet *m, const struct shmv_caps_value *a, uint32_t n_a,
           const struct shmv_caps_value *b, uint32_t n_b)
{
  const uint32_t first = m->out->n_values.used;
  uint8_t met[SHMV_CAPS_MAX_VALUES / 8];
  struct shmv_caps_value common;
  if (a->range != b->range)
    return false;
  if (n_b > SHMV_CAPS_MAX_VALUES)
    n_b = SHMV_CAPS_MAX_VALUES;
  memset(met, 0, n_b / 8 + (n_b % 8 != 0));
  for (uint32_t i = 0; i < n_a; i++) {
    uint32_t j = 0;
    while (j < n_b && ((met[j / 8] >> (j % 8) & 1) != 0 ||
                       !shmv_caps_value_meet(&common, &a[i], &b[j])))
      j++;
    if (!take(m, j))
      return false;
    if (j == n_b)
      continue;
    met[j / 8] |= (uint8_t)(1 << (j % 8));
    if (!add_value(m, &common))
      return false;
  }
  return m->out->n_values.used > first;
}

static bool
meet_fields(struct meet *m, const struct shmv_caps_field *of_a,
            const struct shmv_caps_field *of_b)
{
  const uint32_t first = m->out->n_values.used;
  const struct shmv_caps_value *a = &m->a->values[of_a->values.first];
  const struct shmv_caps_value *b = &m->b->values[of_b->values.first];
  const uint32_t n_a = of_a->values.count, n_b = of_b->values.count;
  bool found = of_a->list && of_b->list ? meet_lists(m, a, n_a, b, n_b)
               : of_b->list             ? meet_list(m, b, n_b, a)
                                        : meet_list(m, a, n_a, b);
  return found && add_field(m, of_a->name, m->out->n_values.used > first + 1,
                            first);
}

/* The fields of both, met where both have one. */
static bool
meet_all_fields(struct meet *m, const struct shmv_caps_structure *of_a,
                const struct shmv_caps_structure *of_b)
{
  if (!take(m, of_a->fields.count * of_b->fields.count))
    return false;
  for (uint32_t i = 0; i < of_a->fields.count; i++) {
    const struct shmv_caps_field *field = &m->a->fields[of_a->fields.first + i];
    const struct shmv_caps_field *other =
        shmv_caps_get_field(m->b, of_b, field->name);
    if (!(other != NULL ? meet_fields(m, field, other)
                        : copy_field(m, m->a, field)))
      return false;
  }
  for (uint32_t i = 0; i < of_b->fields.count; i++) {
    const struct shmv_caps_field *field = &m->b->fields[of_b->fields.first + i];
    if (shmv_caps_get_field(m->a, of_a, field->name) == NULL &&
        !copy_field(m, m->b, field))
      return false;
  }
  return true;
}

/* Append a structure of that media type and features, without fields. */
static bool
add_structure(struct meet *m, const struct shmv_caps *of,
              const struct shmv_caps_structure *like)
{
  struct shmv_caps *out = m->out;
  if (out->n_structures.used == SHMV_CAPS_MAX_STRUCTURES) {
    m->cut = true;
    return false;
  }
  struct shmv_caps_structure *added = shmv_caps_add_structure(out);
  if (added == NULL) {
    m->r = -ENOMEM;
    return false;
  }
  added->media = own(m, like->media);
  added->any_features = like->any_features;
  added->features.first = out->n_features.used;
  added->fields.first = out->n_fields.used;
  for (uint32_t i = 0; i < like->features.count; i++) {
    const char **feature = shmv_caps_add_feature(out);
    if (feature == NULL) {
      m->r = -ENOMEM;
      return false;
    }
    *feature = own(m, of->features[like->features.first + i]);
    added->features.count++;
  }
  return true;
}

/* Whether the last structure is part of one before it. */
static bool
is_known(struct meet *m)
{
  const struct shmv_caps *out = m->out;
  const uint32_t last = out->n_structures.used - 1;
  for (uint32_t i = last; i-- > 0;)
    if (shmv_caps_structure_is_subset(out, &out->structures[last], out,
                                      &out->structures[i], &m->work))
      return true;
  return !take(m, 0);
}

/* Where the result's arrays end. */
struct end {
  uint32_t structures, fields, values, features;
};

static struct end
get_end(const struct meet *m)
{
  const struct shmv_caps *out = m->out;
  return (struct end){out->n_structures.used, out->n_fields.used,
                      out->n_values.used, out->n_features.used};
}

/* Drop what was added behind that end. */
static void
cut_to(struct meet *m, const struct end *end)
{
  m->out->n_structures.used = end->structures;
  m->out->n_fields.used = end->fields;
  m->out->n_values.used = end->values;
  m->out->n_features.used = end->features;
}

static void
meet_structures(struct meet *m, const struct shmv_caps_structure *of_a,
                const struct shmv_caps_structure *of_b)
{
  const struct end end = get_end(m);
  if (!take(m, 1 + of_a->features.count) ||
      strcmp(of_a->media, of_b->media) != 0 ||
      !shmv_caps_features_match(m->a, of_a, m->b, of_b))
    return;
  bool kept = of_a->any_features ? add_structure(m, m->b, of_b)
                                 : add_structure(m, m->a, of_a);
  if (!kept || !meet_all_fields(m, of_a, of_b) || is_known(m))
    cut_to(m, &end);
}

/* All of one set, into the empty result. */
static void
copy_all(struct meet *m, const struct shmv_caps *of)
{
  m->out->any = of->any;
  for (uint32_t i = 0; i < of->n_structures.used; i++) {
    const struct shmv_caps_structure *structure = &of->structures[i];
    const struct end end = get_end(m);
    bool kept = add_structure(m, of, structure);
    for (uint32_t j = 0; kept && j < structure->fields.count; j++)
      kept = copy_field(m, of, &of->fields[structure->fields.first + j]);
    if (!kept) {
      cut_to(m, &end);
      return;
    }
  }
}

int
shmv_caps_intersect(struct shmv_caps *out, const struct shmv_caps *a,
                    const struct shmv_caps *b)
{
  struct meet m = {.out = out, .a = a, .b = b, .work = {SHMV_CAPS_WORK}};
  *out = (struct shmv_caps){0};
  out->strings = reallocarray(NULL, a->n_strings + b->n_strings + 1, 1);
  if (out->strings == NULL)
    return -ENOMEM;
  out->n_strings = a->n_strings + b->n_strings;
  if (a->n_strings > 0)
    memcpy(out->strings, a->strings, a->n_strings);
  if (b->n_strings > 0)
    memcpy(out->strings + a->n_strings, b->strings, b->n_strings);
  if (a->any || b->any)
    copy_all(&m, a->any ? b : a);
  else
    for (uint32_t i = 0; i < a->n_structures.used; i++)
      for (uint32_t j = 0; j < b->n_structures.used; j++)
        if (m.r == 0 && !m.cut)
          meet_structures(&m, &a->structures[i], &b->structures[j]);
  if (m.r < 0)
    shmv_caps_clear(out);
  return m.r < 0 ? m.r : m.cut;
}
