/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Distances are measured in doubles: ints are exact in them, and rates that
 * differ by less than they can tell are the same rate to a human.
 */

#include "os.h"

#include "caps-nearest.h"

/* The least that a value or range takes. */
static struct shmv_caps_value
get_least(const struct shmv_caps_value *value)
{
  struct shmv_caps_value least = *value;
  least.range = false;
  if (value->type == SHMV_CAPS_INT) {
    least.as.i.max = value->as.i.min;
    least.as.i.step = 1;
  } else if (value->type == SHMV_CAPS_FRACTION) {
    least.as.f.max = value->as.f.min;
  } else if (value->type == SHMV_CAPS_FLAGSET) {
    least.as.flagset.mask = UINT32_MAX;
  }
  return least;
}

static struct shmv_caps_value
get_nearest_int(const struct shmv_caps_value *range, int32_t wished)
{
  int64_t min = range->as.i.min, max = range->as.i.max, step = range->as.i.step;
  int64_t n = wished < min ? min : wished > max ? max : wished;
  int64_t below = min + (n - min) / step * step, above = below + step;
  bool up = above <= max &&
            (above - n < n - below || (below <= 0 && wished > 0));
  struct shmv_caps_value nearest = get_least(range);
  nearest.as.i.min = nearest.as.i.max = (int32_t)(up ? above : below);
  return nearest;
}

static struct shmv_caps_value
get_nearest_fraction(const struct shmv_caps_value *range,
                     struct shmv_caps_fraction wished)
{
  struct shmv_caps_value nearest = get_least(range);
  if (shmv_caps_fraction_compare(wished, range->as.f.max) > 0)
    wished = range->as.f.max;
  if (shmv_caps_fraction_compare(wished, range->as.f.min) > 0)
    nearest.as.f.min = nearest.as.f.max = wished;
  return nearest;
}

static double
get_number(const struct shmv_caps_value *value)
{
  return value->type == SHMV_CAPS_INT
             ? value->as.i.min
             : (double)value->as.f.min.n / value->as.f.min.d;
}

bool
shmv_caps_value_is_useful(const struct shmv_caps_value *value)
{
  return get_number(value) > 0;
}

/* Whether a number is nearer to the goal than another. */
static bool
is_nearer(double number, double other, double goal)
{
  double far = number > goal ? number - goal : goal - number;
  double other_far = other > goal ? other - goal : goal - other;
  bool useful = number > 0 || goal <= 0, other_useful = other > 0 || goal <= 0;
  return useful == other_useful ? far < other_far : useful;
}

/* The number of a field that is nearest to what is wished, of the same type. */
static struct shmv_caps_value
get_nearest(const struct shmv_caps *caps, const struct shmv_caps_field *field,
            const struct shmv_caps_value *wished)
{
  struct shmv_caps_value best = {0};
  for (uint32_t i = 0; i < field->values.count; i++) {
    const struct shmv_caps_value *value =
        &caps->values[field->values.first + i];
    struct shmv_caps_value one =
        value->type == SHMV_CAPS_INT
            ? get_nearest_int(value, wished->as.i.min)
            : get_nearest_fraction(value, wished->as.f.min);
    if (i == 0 || is_nearer(get_number(&one), get_number(&best),
                            get_number(wished)))
      best = one;
  }
  return best;
}

struct shmv_caps_value
shmv_caps_field_nearest(const struct shmv_caps *caps,
                        const struct shmv_caps_field *field,
                        const struct shmv_caps_value *wished)
{
  const struct shmv_caps_value *first = &caps->values[field->values.first];
  if (wished != NULL && shmv_caps_field_accepts(caps, field, wished))
    return *wished;
  if (wished != NULL && wished->type == first->type &&
      (wished->type == SHMV_CAPS_INT || wished->type == SHMV_CAPS_FRACTION))
    return get_nearest(caps, field, wished);
  return get_least(first);
}
