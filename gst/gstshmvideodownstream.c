/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideodownstream.h"

#include "gstshmvideocaps.h"

GstCaps *
gst_shm_video_downstream_get_caps (GstPad * pad)
{
  GstCaps *template = gst_pad_get_pad_template_caps (pad);
  GstCaps *peer = gst_pad_peer_query_caps (pad, template);
  GstCaps *caps = gst_caps_intersect_full (peer, template,
      GST_CAPS_INTERSECT_FIRST);

  gst_caps_unref (peer);
  gst_caps_unref (template);
  return caps;
}

gchar *
gst_shm_video_downstream_get_accepts (GstPad * pad)
{
  GstCaps *template = gst_pad_get_pad_template_caps (pad);
  GstCaps *caps = gst_shm_video_downstream_get_caps (pad);
  gchar *text = NULL;

  if (!gst_caps_is_subset (template, caps))
    text = gst_caps_to_string (caps);
  if (text != NULL && strlen (text) > GST_SHM_VIDEO_CAPS_TEXT_MAX) {
    GST_INFO_OBJECT (pad, "what downstream takes is too long a text to be sent");
    g_clear_pointer (&text, g_free);
  }
  gst_caps_unref (caps);
  gst_caps_unref (template);
  return text;
}

/* The fields in which a set does not hold what fixed caps say, as "width is
 * (int)98, downstream takes (int)66"; NULL if there is none. */
static gchar *
list_obstacles (const GstStructure * fixed, const GstStructure * set)
{
  GString *text = NULL;
  gint i;

  for (i = 0; i < gst_structure_n_fields (fixed); i++) {
    const gchar *name = gst_structure_nth_field_name (fixed, (guint) i);
    const GValue *is = gst_structure_get_value (fixed, name);
    const GValue *taken = gst_structure_get_value (set, name);

    if (taken != NULL && !gst_value_intersect (NULL, is, taken)) {
      gchar *is_text = gst_value_serialize (is);
      gchar *taken_text = gst_value_serialize (taken);

      if (text == NULL)
        text = g_string_new (NULL);
      else
        g_string_append (text, "; ");
      g_string_append_printf (text, "%s is %s, downstream takes %.300s", name,
          is_text, taken_text);
      g_free (is_text);
      g_free (taken_text);
    }
  }
  return text != NULL ? g_string_free (text, FALSE) : NULL;
}

gchar *
gst_shm_video_downstream_explain (GstPad * pad, const GstCaps * caps)
{
  GstCaps *taken = gst_shm_video_downstream_get_caps (pad);
  gchar *shortest = NULL;
  guint i;

  /* of several ways to be accepted, the one that misses by least */
  for (i = 0; i < gst_caps_get_size (taken); i++) {
    gchar *text = list_obstacles (gst_caps_get_structure (caps, 0),
        gst_caps_get_structure (taken, i));

    if (text != NULL && (shortest == NULL || strlen (text) < strlen (shortest))) {
      g_free (shortest);
      shortest = text;
    } else {
      g_free (text);
    }
  }
  gst_caps_unref (taken);
  return shortest != NULL ? shortest : g_strdup ("downstream refuses it");
}
