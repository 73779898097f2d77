/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Why a set does not accept a format, in words for a person: the fields that stand
 * in the way, of the structure that misses by least.
 */

#include "os.h"

#include "caps.h"

#include <stdio.h>
#include <string.h>

#include "caps-print.h"
#include "caps-set.h"

/* Longest that one value is quoted, in bytes. */
#define QUOTE 160

/* Values as text; what is too long is cut, with dots. */
static void
quote(const struct shmv_caps *caps, const struct shmv_caps_field *field,
      char *text)
{
  if (shmv_caps_print_values(caps, field, text, QUOTE) < 0)
    strcpy(text + QUOTE - 4, "...");
}

/* The obstacles of one structure; how many there are. */
static unsigned
list_obstacles(const struct shmv_caps *set,
               const struct shmv_caps_structure *structure,
               const struct shmv_caps *fixed, char *text, size_t text_size)
{
  unsigned n = 0;
  size_t used = 0;
  text[0] = 0;
  for (uint32_t i = 0; i < fixed->n_fields.used; i++) {
    const struct shmv_caps_field *theirs = &fixed->fields[i];
    const struct shmv_caps_field *ours =
        shmv_caps_get_field(set, structure, theirs->name);
    char is[QUOTE], takes[QUOTE];
    if (ours == NULL ||
        shmv_caps_field_accepts(set, ours,
                                &fixed->values[theirs->values.first]))
      continue;
    quote(fixed, theirs, is);
    quote(set, ours, takes);
    if (used < text_size)
      used += (size_t)snprintf(text + used, text_size - used,
                               "%s%s is %s, not %s", n > 0 ? "; " : "",
                               theirs->name, is, takes);
    n++;
  }
  return n;
}

void
shmv_caps_explain(const char *set_text, const char *fixed_text, char *text,
                  size_t text_size)
{
  struct shmv_caps set, fixed;
  char other[1024];
  unsigned fewest = 0;
  text[0] = 0;
  if (shmv_caps_parse(&set, set_text, NULL) < 0)
    return;
  if (shmv_caps_parse(&fixed, fixed_text, NULL) == 0) {
    for (uint32_t i = 0; i < set.n_structures.used; i++) {
      unsigned n = list_obstacles(&set, &set.structures[i], &fixed, other,
                                  sizeof other);
      if (n > 0 && (fewest == 0 || n < fewest)) {
        fewest = n;
        snprintf(text, text_size, "%s", other);
      }
    }
    shmv_caps_clear(&fixed);
  }
  shmv_caps_clear(&set);
}
