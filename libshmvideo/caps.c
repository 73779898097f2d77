/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A set accepts a format if one of its structures does: same media type, same
 * features, and no field that both have stands against it.
 */

#include "os.h"

#include "caps.h"

#include <errno.h>
#include <string.h>

#include "caps-set.h"
#include "error.h"

/* Compared as sets; the parser sees to it that none is there twice. */
static bool
features_match(const struct shmv_caps *set,
               const struct shmv_caps_structure *structure,
               const struct shmv_caps *fixed)
{
  const struct shmv_caps_structure *other = &fixed->structures[0];
  if (structure->any_features)
    return true;
  if (structure->features.count != other->features.count)
    return false;
  for (uint32_t i = 0; i < other->features.count; i++)
    if (!shmv_caps_has_feature(set, structure,
                               fixed->features[other->features.first + i]))
      return false;
  return true;
}

static bool
field_accepts(const struct shmv_caps *set, const struct shmv_caps_field *field,
              const struct shmv_caps_value *value)
{
  for (uint32_t i = 0; i < field->values.count; i++)
    if (shmv_caps_value_accepts(&set->values[field->values.first + i], value))
      return true;
  return false;
}

static bool
structure_accepts(const struct shmv_caps *set,
                  const struct shmv_caps_structure *structure,
                  const struct shmv_caps *fixed)
{
  if (strcmp(structure->media, fixed->structures[0].media) != 0 ||
      !features_match(set, structure, fixed))
    return false;
  for (uint32_t i = 0; i < fixed->n_fields.used; i++) {
    const struct shmv_caps_field *theirs = &fixed->fields[i];
    const struct shmv_caps_field *ours =
        shmv_caps_get_field(set, structure, theirs->name);
    if (ours != NULL &&
        !field_accepts(set, ours, &fixed->values[theirs->values.first]))
      return false;
  }
  return true;
}

static bool
set_accepts(const struct shmv_caps *set, const struct shmv_caps *fixed)
{
  for (uint32_t i = 0; i < set->n_structures.used; i++)
    if (structure_accepts(set, &set->structures[i], fixed))
      return true;
  return set->any;
}

int
shmv_caps_check(const char *text, struct shmvideo_error *error)
{
  struct shmv_caps caps;
  int r = shmv_caps_parse(&caps, text, error);
  if (r == 0)
    shmv_caps_clear(&caps);
  return r;
}

int
shmv_caps_accept(const char *set, const char *fixed,
                 struct shmvideo_error *error)
{
  struct shmv_caps parsed_set, parsed_fixed;
  int r = shmv_caps_parse(&parsed_set, set, error);
  if (r < 0)
    return r;
  r = shmv_caps_parse(&parsed_fixed, fixed, error);
  if (r == 0) {
    if (shmv_caps_is_fixed(&parsed_fixed))
      r = set_accepts(&parsed_set, &parsed_fixed);
    else
      r = shmv_error_set(error, -EINVAL, 0, NULL,
                         "these caps are a set of formats, not one format");
    shmv_caps_clear(&parsed_fixed);
  }
  shmv_caps_clear(&parsed_set);
  return r;
}
