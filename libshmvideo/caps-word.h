/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps words
 *
 * Owns the spelling of numbers, fractions, flag sets, truths. One rule: three
 * answers, since a word may be of a type and still not be relied on (too large,
 * or read otherwise by another release of GStreamer). Pure.
 */

#ifndef SHMV_CAPS_WORD_H
#define SHMV_CAPS_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum shmv_caps_type {
  SHMV_CAPS_GUESS = 0, /* no type was written: the word decides */
  SHMV_CAPS_INT, SHMV_CAPS_UINT, SHMV_CAPS_DOUBLE, SHMV_CAPS_FRACTION,
  SHMV_CAPS_BOOLEAN, SHMV_CAPS_STRING, SHMV_CAPS_BITMASK, SHMV_CAPS_FLAGSET,
  SHMV_CAPS_NO_TYPE /* a type name outside the subset */
};

struct shmv_caps_fraction {
  int32_t n, d; /* in lowest terms, d > 0 */
};

/* One value, or a range of them: ints from min to max in steps (both ends are
 * multiples of the step), or fractions from min to max. */
struct shmv_caps_value {
  enum shmv_caps_type type;
  bool range;
  union {
    struct { int32_t min, max, step; } i; /* not a range: min == max */
    struct { struct shmv_caps_fraction min, max; } f; /* likewise */
    struct { uint32_t flags, mask; } flagset; /* flags within the mask */
    uint32_t uint;
    uint64_t bitmask;
    double number;
    bool boolean;
    const char *string; /* kept by whoever keeps the value */
  } as;
};

enum shmv_caps_reading {
  SHMV_CAPS_NOT_ONE, /* the word is nothing of this type */
  SHMV_CAPS_IS_ONE,
  SHMV_CAPS_UNUSABLE /* it is, and must be refused */
};

/* Read a word as one type. typed: the type was written before it, which allows
 * more spellings. With UNUSABLE, *error may become -ENOMEM. */
enum shmv_caps_reading shmv_caps_word_read(struct shmv_caps_value *value,
                                           enum shmv_caps_type type,
                                           const char *word, bool typed,
                                           int *error);

#endif
