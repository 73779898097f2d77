/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What we read of a caps text as GstCaps, and comparing it with GStreamer's own
 * value by value.
 */

#ifndef CAPS_GST_H
#define CAPS_GST_H

#include <gst/gst.h>

#include "caps-set.h"

static void
init_int_range(GValue *out, const struct shmv_caps_value *value)
{
  g_value_init(out, GST_TYPE_INT_RANGE);
  gst_value_set_int_range_step(out, value->as.i.min, value->as.i.max,
                               value->as.i.step);
}

static void
init_value(GValue *out, const struct shmv_caps_value *value)
{
  switch (value->type) {
  case SHMV_CAPS_INT:
    if (value->range) {
      init_int_range(out, value);
      return;
    }
    g_value_init(out, G_TYPE_INT);
    g_value_set_int(out, value->as.i.min);
    return;
  case SHMV_CAPS_FRACTION:
    g_value_init(out, value->range ? GST_TYPE_FRACTION_RANGE
                                   : GST_TYPE_FRACTION);
    if (value->range)
      gst_value_set_fraction_range_full(out, value->as.f.min.n,
                                        value->as.f.min.d, value->as.f.max.n,
                                        value->as.f.max.d);
    else
      gst_value_set_fraction(out, value->as.f.min.n, value->as.f.min.d);
    return;
  case SHMV_CAPS_UINT:
    g_value_init(out, G_TYPE_UINT);
    g_value_set_uint(out, value->as.uint);
    return;
  case SHMV_CAPS_DOUBLE:
    g_value_init(out, G_TYPE_DOUBLE);
    g_value_set_double(out, value->as.number);
    return;
  case SHMV_CAPS_BOOLEAN:
    g_value_init(out, G_TYPE_BOOLEAN);
    g_value_set_boolean(out, value->as.boolean);
    return;
  case SHMV_CAPS_STRING:
    g_value_init(out, G_TYPE_STRING);
    g_value_set_string(out, value->as.string);
    return;
  case SHMV_CAPS_BITMASK:
    g_value_init(out, GST_TYPE_BITMASK);
    gst_value_set_bitmask(out, value->as.bitmask);
    return;
  case SHMV_CAPS_FLAGSET:
    g_value_init(out, GST_TYPE_FLAG_SET);
    gst_value_set_flagset(out, value->as.flagset.flags,
                          value->as.flagset.mask);
    return;
  default:
    g_assert_not_reached();
  }
}

static GstStructure *
to_gst_structure(const struct shmv_caps *caps,
                 const struct shmv_caps_structure *structure)
{
  GstStructure *out = gst_structure_new_empty(structure->media);
  for (guint i = 0; i < structure->fields.count; i++) {
    const struct shmv_caps_field *field =
        &caps->fields[structure->fields.first + i];
    GValue value = G_VALUE_INIT;
    if (!field->list) {
      g_assert_cmpuint(field->values.count, ==, 1);
      init_value(&value, &caps->values[field->values.first]);
    } else {
      g_value_init(&value, GST_TYPE_LIST);
      for (guint j = 0; j < field->values.count; j++) {
        GValue item = G_VALUE_INIT;
        init_value(&item, &caps->values[field->values.first + j]);
        gst_value_list_append_and_take_value(&value, &item);
      }
    }
    gst_structure_take_value(out, field->name, &value);
  }
  return out;
}

static inline GstCaps *
to_gst(const struct shmv_caps *caps)
{
  if (caps->any)
    return gst_caps_new_any();
  GstCaps *out = gst_caps_new_empty();
  for (guint i = 0; i < caps->n_structures.used; i++) {
    const struct shmv_caps_structure *structure = &caps->structures[i];
    GstCapsFeatures *features = structure->any_features
                                    ? gst_caps_features_new_any()
                                    : gst_caps_features_new_empty();
    for (guint j = 0; j < structure->features.count; j++)
      gst_caps_features_add(features,
                            caps->features[structure->features.first + j]);
    gst_caps_append_structure_full(out, to_gst_structure(caps, structure),
                                   features);
  }
  return out;
}

/* Lists item by item and in order: to GstCaps their order does not count. */
static gboolean
same_value(const GValue *a, const GValue *b)
{
  if (G_VALUE_TYPE(a) != G_VALUE_TYPE(b))
    return FALSE;
  if (!GST_VALUE_HOLDS_LIST(a))
    return gst_value_compare(a, b) == GST_VALUE_EQUAL;
  guint n = gst_value_list_get_size(a);
  gboolean same = n == gst_value_list_get_size(b);
  for (guint i = 0; same && i < n; i++)
    same = same_value(gst_value_list_get_value(a, i),
                      gst_value_list_get_value(b, i));
  return same;
}

static gboolean
same_structure(const GstStructure *a, const GstStructure *b)
{
  int n = gst_structure_n_fields(a);
  gboolean same = n == gst_structure_n_fields(b) &&
                  gst_structure_has_name(b, gst_structure_get_name(a));
  for (int i = 0; same && i < n; i++) {
    const char *name = gst_structure_nth_field_name(a, (guint)i);
    const GValue *other = gst_structure_get_value(b, name);
    same = other != NULL &&
           same_value(gst_structure_get_value(a, name), other);
  }
  return same;
}

static inline gboolean
same_caps(const GstCaps *a, const GstCaps *b)
{
  guint n = gst_caps_get_size(a);
  gboolean same = gst_caps_is_any(a) == gst_caps_is_any(b) &&
                  n == gst_caps_get_size(b);
  for (guint i = 0; same && i < n; i++) {
    GstCapsFeatures *mine = gst_caps_get_features(a, i);
    GstCapsFeatures *other = gst_caps_get_features(b, i);
    same = gst_caps_features_is_equal(mine, other) &&
           gst_caps_features_is_any(mine) == gst_caps_features_is_any(other) &&
           same_structure(gst_caps_get_structure(a, i),
                          gst_caps_get_structure(b, i));
  }
  return same;
}

/* GStreamer's caps of a text that we read, after seeing that they are ours. */
static inline GstCaps *
read_alike(const char *text)
{
  struct shmvideo_error error;
  struct shmv_caps parsed;
  if (shmv_caps_parse(&parsed, text, &error) != 0)
    g_error("refused \"%s\": %s", text, error.message);
  GstCaps *ours = to_gst(&parsed), *theirs = gst_caps_from_string(text);
  if (theirs == NULL)
    g_error("GStreamer does not read \"%s\"", text);
  if (!same_caps(ours, theirs))
    g_error("\"%s\": we read \"%s\", GStreamer \"%s\"", text,
            gst_caps_to_string(ours), gst_caps_to_string(theirs));
  g_assert_cmpint(shmv_caps_is_fixed(&parsed), ==,
                  gst_caps_is_fixed(theirs) && !gst_caps_is_any(theirs));
  gst_caps_unref(ours);
  shmv_caps_clear(&parsed);
  return theirs;
}

#endif
