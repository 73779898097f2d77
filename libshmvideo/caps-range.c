/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A single int or fraction is a range from itself to itself, so that one
 * calculation serves values and ranges. It is done in 64 bits: GStreamer's, in
 * 32, goes wrong for steps near the limits and for steps below zero.
 */

#include "os.h"

#include "caps-range.h"

#include <string.h>

#include "caps-value.h"

/* The nearest multiple of step that is not less, or not more, than n. */
static int64_t
round_up(int64_t n, int64_t step)
{
  int64_t rest = n % step;
  return rest > 0 ? n - rest + step : n - rest;
}

static int64_t
round_down(int64_t n, int64_t step)
{
  int64_t rest = n % step;
  return rest < 0 ? n - rest - step : n - rest;
}

/* Multiples of both steps are multiples of the least common one. */
static bool
meet_ints(struct shmv_caps_value *out, const struct shmv_caps_value *a,
          const struct shmv_caps_value *b)
{
  int64_t divisor = a->as.i.step, other = b->as.i.step;
  while (other != 0) {
    int64_t rest = divisor % other;
    divisor = other;
    other = rest;
  }
  int64_t step = a->as.i.step / divisor * b->as.i.step;
  if (step > INT32_MAX) /* so GStreamer has it, though 0 may be left */
    return false;
  int64_t min = a->as.i.min > b->as.i.min ? a->as.i.min : b->as.i.min;
  int64_t max = a->as.i.max < b->as.i.max ? a->as.i.max : b->as.i.max;
  min = round_up(min, step);
  max = round_down(max, step);
  if (min > max)
    return false;
  *out = (struct shmv_caps_value){.type = SHMV_CAPS_INT, .range = min < max};
  out->as.i.min = (int32_t)min;
  out->as.i.max = (int32_t)max;
  out->as.i.step = min < max ? (int32_t)step : 1;
  return true;
}

static bool
meet_fractions(struct shmv_caps_value *out, const struct shmv_caps_value *a,
               const struct shmv_caps_value *b)
{
  struct shmv_caps_fraction min = a->as.f.min, max = a->as.f.max;
  if (shmv_caps_fraction_compare(min, b->as.f.min) < 0)
    min = b->as.f.min;
  if (shmv_caps_fraction_compare(max, b->as.f.max) > 0)
    max = b->as.f.max;
  int order = shmv_caps_fraction_compare(min, max);
  if (order > 0)
    return false;
  *out = (struct shmv_caps_value){.type = SHMV_CAPS_FRACTION,
                                  .range = order < 0};
  out->as.f.min = min;
  out->as.f.max = max;
  return true;
}

bool
shmv_caps_value_meet(struct shmv_caps_value *out,
                     const struct shmv_caps_value *a,
                     const struct shmv_caps_value *b)
{
  if (a->type != b->type)
    return false;
  if (a->type == SHMV_CAPS_INT)
    return meet_ints(out, a, b);
  if (a->type == SHMV_CAPS_FRACTION)
    return meet_fractions(out, a, b);
  if (!shmv_caps_value_accepts(a, b))
    return false;
  *out = *a;
  if (a->type == SHMV_CAPS_FLAGSET) {
    out->as.flagset.flags |= b->as.flagset.flags;
    out->as.flagset.mask |= b->as.flagset.mask;
  }
  return true;
}

bool
shmv_caps_value_is_same(const struct shmv_caps_value *a,
                        const struct shmv_caps_value *b)
{
  if (a->type != b->type || a->range != b->range)
    return false;
  if (a->type == SHMV_CAPS_INT)
    return a->as.i.min == b->as.i.min && a->as.i.max == b->as.i.max &&
           a->as.i.step == b->as.i.step;
  if (a->type == SHMV_CAPS_FRACTION)
    return shmv_caps_fraction_compare(a->as.f.min, b->as.f.min) == 0 &&
           shmv_caps_fraction_compare(a->as.f.max, b->as.f.max) == 0;
  if (a->type == SHMV_CAPS_FLAGSET)
    return a->as.flagset.flags == b->as.flagset.flags &&
           a->as.flagset.mask == b->as.flagset.mask;
  return shmv_caps_value_accepts(a, b);
}

bool
shmv_caps_value_is_within(const struct shmv_caps_value *part,
                          const struct shmv_caps_value *whole)
{
  if (part->type != whole->type || !whole->range)
    return shmv_caps_value_is_same(part, whole);
  if (whole->type == SHMV_CAPS_FRACTION)
    return shmv_caps_fraction_compare(whole->as.f.min, part->as.f.min) <= 0 &&
           shmv_caps_fraction_compare(part->as.f.max, whole->as.f.max) <= 0;
  if (part->as.i.min < whole->as.i.min || part->as.i.max > whole->as.i.max)
    return false;
  /* A single value has the step 1: what counts is that it is a multiple. */
  int32_t step = part->range ? part->as.i.step : part->as.i.min;
  return step % whole->as.i.step == 0;
}
