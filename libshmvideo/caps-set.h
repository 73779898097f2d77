/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sets of formats
 *
 * Owns the parsed form of a caps text, and the parser. One rule: parts are
 * named by their index in flat arrays, in the order of the text, so that sets
 * grow by appending and are freed by freeing the arrays.
 *
 *     structures --first, count--> fields --first, count--> values
 *
 * Invariant: strings lie in the set's own memory and live as long as the set.
 */

#ifndef SHMV_CAPS_SET_H
#define SHMV_CAPS_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caps-value.h"
#include "shmvideo.h"

/* What is compared each with each is bounded; the text's length bounds all. */
#define SHMV_CAPS_MAX_FIELDS 64   /* in one structure */
#define SHMV_CAPS_MAX_FEATURES 16 /* of one structure */

/* A part of one of the arrays. */
struct shmv_caps_span {
  uint32_t first, count;
};

/* name=value or name={ value, ... } */
struct shmv_caps_field {
  const char *name;
  bool list; /* braces were written: not fixed, even around a single value */
  struct shmv_caps_span values;
};

/* One media type with its features and fields. */
struct shmv_caps_structure {
  const char *media;
  bool any_features;              /* "(ANY)" */
  struct shmv_caps_span features; /* empty: frames in system memory */
  struct shmv_caps_span fields;
};

/* An array that grows: how much of it is used, and how much there is. */
struct shmv_caps_size {
  uint32_t used, allocated;
};

struct shmv_caps {
  bool any; /* takes everything, and has no structures */
  struct shmv_caps_structure *structures;
  struct shmv_caps_field *fields;
  struct shmv_caps_value *values;
  const char **features;
  struct shmv_caps_size n_structures, n_fields, n_values, n_features;
  char *strings;
  size_t n_strings; /* bytes of strings in use */
};

/* Parse a text into *caps, which is then to be cleared. 0, -EINVAL, -E2BIG,
 * -ENOMEM; after a failure there is nothing to clear. */
int shmv_caps_parse(struct shmv_caps *caps, const char *text,
                    struct shmvideo_error *error);

/* Free what a set owns. Clearing a cleared set is allowed. */
void shmv_caps_clear(struct shmv_caps *caps);

/* Append a zeroed element. NULL: no memory. */
struct shmv_caps_structure *shmv_caps_add_structure(struct shmv_caps *caps);
struct shmv_caps_field *shmv_caps_add_field(struct shmv_caps *caps);
struct shmv_caps_value *shmv_caps_add_value(struct shmv_caps *caps);
const char **shmv_caps_add_feature(struct shmv_caps *caps);

/* The field of that name in one structure, or NULL. */
const struct shmv_caps_field *
shmv_caps_get_field(const struct shmv_caps *caps,
                    const struct shmv_caps_structure *structure,
                    const char *name);

/* Whether one of the field's values or ranges takes a fixed value. */
bool shmv_caps_field_accepts(const struct shmv_caps *caps,
                             const struct shmv_caps_field *field,
                             const struct shmv_caps_value *fixed);

/* Whether the structure has that feature; "(ANY)" has none. */
bool shmv_caps_has_feature(const struct shmv_caps *caps,
                           const struct shmv_caps_structure *structure,
                           const char *feature);

/* Whether the set is one single format: one structure, no lists, no ranges. */
bool shmv_caps_is_fixed(const struct shmv_caps *caps);

#endif
