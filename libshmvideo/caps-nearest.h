/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One value out of a field
 *
 * Owns which of the values that a field takes is nearest to the one that is
 * wished. One rule: numbers of 0 or less are of no use as sizes and rates, and
 * are taken only where nothing else is. Pure.
 */

#ifndef SHMV_CAPS_NEAREST_H
#define SHMV_CAPS_NEAREST_H

#include "caps-set.h"

/* The fixed value that is wished if the field takes it; else, of numbers, the
 * nearest that it takes (of two as near the first, in a range the smaller);
 * else, and if nothing is wished (NULL), the first, of a range the least. */
struct shmv_caps_value
shmv_caps_field_nearest(const struct shmv_caps *caps,
                        const struct shmv_caps_field *field,
                        const struct shmv_caps_value *wished);

/* Whether an int or a fraction is more than 0. */
bool shmv_caps_value_is_useful(const struct shmv_caps_value *value);

#endif
