/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Lists are compared as GStreamer compares them: cautiously, item by item, so
 * that { 1 } is no part of { [ 1, 5 ] }, and one list is part of another only
 * if it is not the longer one. Ranges are compared exactly.
 */

#include "os.h"

#include "caps-meet.h"

#include <string.h>

#include "caps-range.h"

bool
shmv_caps_work_take(struct shmv_caps_work *work, uint64_t n)
{
  bool enough = n < work->left;
  work->left = enough ? work->left - (uint32_t)n : 0;
  return enough;
}

bool
shmv_caps_features_match(const struct shmv_caps *a,
                         const struct shmv_caps_structure *of_a,
                         const struct shmv_caps *b,
                         const struct shmv_caps_structure *of_b)
{
  if (of_a->any_features || of_b->any_features)
    return true;
  if (of_a->features.count != of_b->features.count)
    return false;
  for (uint32_t i = 0; i < of_b->features.count; i++)
    if (!shmv_caps_has_feature(a, of_a, b->features[of_b->features.first + i]))
      return false;
  return true;
}

/* Whether the ints of a list are as many as those of the range, and lie in it:
 * GStreamer takes the list for another way to write the range. */
static bool
lists_range(const struct shmv_caps_value *items, uint32_t n,
            const struct shmv_caps_value *range)
{
  if (!range->range || range->type != SHMV_CAPS_INT)
    return false;
  int64_t count = ((int64_t)range->as.i.max - range->as.i.min) /
                      range->as.i.step + 1;
  if (count != n)
    return false;
  for (uint32_t i = 0; i < n; i++)
    if (items[i].range || !shmv_caps_value_is_within(&items[i], range))
      return false;
  return true;
}

/* Two single flag sets: what part says must be what whole says, as far as both
 * care. So GStreamer defines it. */
static bool
is_part_of_flagset(const struct shmv_caps_value *part,
                   const struct shmv_caps_value *whole)
{
  return part->as.flagset.flags ==
         (whole->as.flagset.flags & part->as.flagset.mask);
}

static bool
is_among(const struct shmv_caps_value *item,
         const struct shmv_caps_value *items, uint32_t n,
         struct shmv_caps_work *work)
{
  uint32_t i = 0;
  while (i < n && !shmv_caps_value_is_same(item, &items[i]))
    i++;
  return shmv_caps_work_take(work, i) && i < n;
}

static bool
field_is_subset(const struct shmv_caps *subset,
                const struct shmv_caps_field *part,
                const struct shmv_caps *superset,
                const struct shmv_caps_field *whole,
                struct shmv_caps_work *work)
{
  const struct shmv_caps_value *p = &subset->values[part->values.first];
  const struct shmv_caps_value *w = &superset->values[whole->values.first];
  uint32_t n_p = part->values.count, n_w = whole->values.count;
  if (!shmv_caps_work_take(work, n_p))
    return false;
  if (!part->list && whole->list && lists_range(w, n_w, p))
    return true;
  if (part->list && whole->list && n_p > n_w)
    return false;
  if (!part->list && !whole->list && p->type == SHMV_CAPS_FLAGSET &&
      w->type == SHMV_CAPS_FLAGSET)
    return is_part_of_flagset(p, w);
  for (uint32_t i = 0; i < n_p; i++)
    if (whole->list ? !is_among(&p[i], w, n_w, work)
                    : !shmv_caps_value_is_within(&p[i], w))
      return false;
  return true;
}

bool
shmv_caps_structure_is_subset(const struct shmv_caps *subset,
                              const struct shmv_caps_structure *part,
                              const struct shmv_caps *superset,
                              const struct shmv_caps_structure *whole,
                              struct shmv_caps_work *work)
{
  if (!shmv_caps_work_take(work, 1 + part->features.count) ||
      strcmp(part->media, whole->media) != 0 ||
      (part->any_features && !whole->any_features) ||
      !shmv_caps_features_match(subset, part, superset, whole))
    return false;
  for (uint32_t i = 0; i < whole->fields.count; i++) {
    const struct shmv_caps_field *theirs =
        &superset->fields[whole->fields.first + i];
    const struct shmv_caps_field *ours =
        shmv_caps_get_field(subset, part, theirs->name);
    if (!shmv_caps_work_take(work, part->fields.count) || ours == NULL ||
        !field_is_subset(subset, ours, superset, theirs, work))
      return false;
  }
  return true;
}

bool
shmv_caps_is_subset(const struct shmv_caps *subset,
                    const struct shmv_caps *superset)
{
  struct shmv_caps_work work = {SHMV_CAPS_WORK};
  if (subset->any || superset->any)
    return superset->any;
  for (uint32_t i = 0; i < subset->n_structures.used; i++) {
    bool found = false;
    for (uint32_t j = 0; !found && j < superset->n_structures.used; j++)
      found = shmv_caps_structure_is_subset(subset, &subset->structures[i],
                                            superset, &superset->structures[j],
                                            &work);
    if (!found)
      return false;
  }
  return true;
}

static bool
fields_meet(const struct shmv_caps *a, const struct shmv_caps_field *of_a,
            const struct shmv_caps *b, const struct shmv_caps_field *of_b,
            struct shmv_caps_work *work)
{
  const struct shmv_caps_value *v = &a->values[of_a->values.first];
  const struct shmv_caps_value *w = &b->values[of_b->values.first];
  struct shmv_caps_value common;
  /* As GStreamer has it: lists of values and lists of ranges never meet. */
  if (of_a->list && of_b->list && v->range != w->range)
    return false;
  for (uint32_t i = 0; i < of_a->values.count; i++)
    for (uint32_t j = 0; j < of_b->values.count; j++) {
      if (!shmv_caps_work_take(work, 1))
        return false;
      if (shmv_caps_value_meet(&common, &v[i], &w[j]))
        return true;
    }
  return false;
}

static bool
structures_meet(const struct shmv_caps *a,
                const struct shmv_caps_structure *of_a,
                const struct shmv_caps *b,
                const struct shmv_caps_structure *of_b,
                struct shmv_caps_work *work)
{
  if (!shmv_caps_work_take(work, 1 + of_a->features.count) ||
      strcmp(of_a->media, of_b->media) != 0 ||
      !shmv_caps_features_match(a, of_a, b, of_b))
    return false;
  for (uint32_t i = 0; i < of_a->fields.count; i++) {
    const struct shmv_caps_field *ours = &a->fields[of_a->fields.first + i];
    const struct shmv_caps_field *theirs =
        shmv_caps_get_field(b, of_b, ours->name);
    if (!shmv_caps_work_take(work, of_b->fields.count) ||
        (theirs != NULL && !fields_meet(a, ours, b, theirs, work)))
      return false;
  }
  return true;
}

bool
shmv_caps_can_intersect(const struct shmv_caps *a, const struct shmv_caps *b)
{
  struct shmv_caps_work work = {SHMV_CAPS_WORK};
  for (uint32_t i = 0; i < a->n_structures.used; i++)
    for (uint32_t j = 0; j < b->n_structures.used; j++)
      if (structures_meet(a, &a->structures[i], b, &b->structures[j], &work))
        return true;
  return (a->any && (b->any || b->n_structures.used > 0)) ||
         (b->any && a->n_structures.used > 0);
}
