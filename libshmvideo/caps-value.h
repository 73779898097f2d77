/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps values
 *
 * Owns how one word of caps text becomes a value, and when a value of a set
 * takes a fixed one. One rule: a word that releases of GStreamer read in
 * different ways, or read wrongly, is refused with a reason, not guessed. Pure.
 */

#ifndef SHMV_CAPS_VALUE_H
#define SHMV_CAPS_VALUE_H

#include "caps-word.h"

/* The type a name such as "int" means. */
enum shmv_caps_type shmv_caps_type_from_name(const char *name);

/* Read a bare word. 0, -EINVAL with the reason in *why, -ENOMEM. The value
 * points to word if it is a string. */
int shmv_caps_value_from_word(struct shmv_caps_value *value,
                              enum shmv_caps_type type, const char *word,
                              const char **why);

/* Read what stood between quotes, still escaped; it is unescaped in place. */
int shmv_caps_value_from_quoted(struct shmv_caps_value *value,
                                enum shmv_caps_type type, char *inside,
                                const char **why);

/* Make a range of two values, and of a step unless it is NULL. */
int shmv_caps_value_make_range(struct shmv_caps_value *value,
                               const struct shmv_caps_value *min,
                               const struct shmv_caps_value *max,
                               const struct shmv_caps_value *step,
                               const char **why);

/* Whether it is one value only. */
bool shmv_caps_value_is_fixed(const struct shmv_caps_value *value);

/* Whether a value or range takes a fixed value. */
bool shmv_caps_value_accepts(const struct shmv_caps_value *value,
                             const struct shmv_caps_value *fixed);

/* Less than, equal to or greater than 0, as a is to b. */
int shmv_caps_fraction_compare(struct shmv_caps_fraction a,
                               struct shmv_caps_fraction b);

#endif
