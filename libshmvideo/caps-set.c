/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Arrays double as they grow, so that parsing stays linear. Pointers into them
 * are good only until the next element is added.
 */

#include "os.h"

#include "caps-set.h"

#include <stdlib.h>
#include <string.h>

void
shmv_caps_clear(struct shmv_caps *caps)
{
  free(caps->structures);
  free(caps->fields);
  free(caps->values);
  free(caps->features);
  free(caps->strings);
  *caps = (struct shmv_caps){0};
}

/* Make room for one more; the array, moved perhaps, or NULL. */
static void *
reserve(void *array, struct shmv_caps_size *size, size_t element)
{
  if (size->used < size->allocated)
    return array;
  uint32_t allocated = size->allocated == 0 ? 8 : 2 * size->allocated;
  void *moved = allocated > size->allocated
                    ? reallocarray(array, allocated, element)
                    : NULL;
  if (moved != NULL)
    size->allocated = allocated;
  return moved;
}

#define ADD(caps, array)                                            \
  do {                                                              \
    void *moved = reserve((caps)->array, &(caps)->n_##array,        \
                          sizeof (caps)->array[0]);                 \
    if (moved == NULL)                                              \
      return NULL;                                                  \
    (caps)->array = moved;                                          \
    memset(&(caps)->array[(caps)->n_##array.used], 0,               \
           sizeof (caps)->array[0]);                                \
    return &(caps)->array[(caps)->n_##array.used++];                \
  } while (0)

struct shmv_caps_structure *
shmv_caps_add_structure(struct shmv_caps *caps)
{
  ADD(caps, structures);
}

struct shmv_caps_field *
shmv_caps_add_field(struct shmv_caps *caps)
{
  ADD(caps, fields);
}

struct shmv_caps_value *
shmv_caps_add_value(struct shmv_caps *caps)
{
  ADD(caps, values);
}

const char **
shmv_caps_add_feature(struct shmv_caps *caps)
{
  ADD(caps, features);
}

const struct shmv_caps_field *
shmv_caps_get_field(const struct shmv_caps *caps,
                    const struct shmv_caps_structure *structure,
                    const char *name)
{
  const struct shmv_caps_span *span = &structure->fields;
  for (uint32_t i = 0; i < span->count; i++)
    if (strcmp(caps->fields[span->first + i].name, name) == 0)
      return &caps->fields[span->first + i];
  return NULL;
}

bool
shmv_caps_field_accepts(const struct shmv_caps *caps,
                        const struct shmv_caps_field *field,
                        const struct shmv_caps_value *fixed)
{
  for (uint32_t i = 0; i < field->values.count; i++)
    if (shmv_caps_value_accepts(&caps->values[field->values.first + i], fixed))
      return true;
  return false;
}

bool
shmv_caps_has_feature(const struct shmv_caps *caps,
                      const struct shmv_caps_structure *structure,
                      const char *feature)
{
  const struct shmv_caps_span *span = &structure->features;
  for (uint32_t i = 0; i < span->count; i++)
    if (strcmp(caps->features[span->first + i], feature) == 0)
      return true;
  return false;
}

bool
shmv_caps_is_fixed(const struct shmv_caps *caps)
{
  if (caps->any || caps->n_structures.used != 1 ||
      caps->structures[0].any_features)
    return false;
  for (uint32_t i = 0; i < caps->n_fields.used; i++)
    if (caps->fields[i].list ||
        !shmv_caps_value_is_fixed(&caps->values[caps->fields[i].values.first]))
      return false;
  return true;
}
