/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideocaps.h"

#include <string.h>

/* Whether fixed caps are ones that the pad templates allow: what follows may
 * then trust GstVideoInfo. */
static gboolean
parse_info (const GstCaps * caps, GstVideoInfo * info)
{
  static GstStaticCaps template = GST_STATIC_CAPS (GST_SHM_VIDEO_CAPS_TEMPLATE);
  GstCaps *allowed;
  gboolean ok;

  if (!gst_caps_is_fixed (caps) || gst_caps_get_size (caps) != 1)
    return FALSE;
  allowed = gst_static_caps_get (&template);
  ok = gst_caps_is_subset (caps, allowed)
      && gst_video_info_from_caps (info, caps);
  gst_caps_unref (allowed);
  return ok && GST_VIDEO_INFO_N_PLANES (info) >= 1
      && GST_VIDEO_INFO_N_PLANES (info) <= SHMVIDEO_MAX_PLANES
      && GST_VIDEO_INFO_SIZE (info) > 0;
}

static gboolean
fill_layout (const GstVideoInfo * info, struct shmvideo_format *format)
{
  format->n_planes = GST_VIDEO_INFO_N_PLANES (info);
  format->size = GST_VIDEO_INFO_SIZE (info);
  for (guint i = 0; i < format->n_planes; i++) {
    /* Strides are ints in GStreamer: an overflow there shows as a negative. */
    if (GST_VIDEO_INFO_PLANE_STRIDE (info, i) <= 0)
      return FALSE;
    format->stride[i] = (guint32) GST_VIDEO_INFO_PLANE_STRIDE (info, i);
    format->offset[i] = GST_VIDEO_INFO_PLANE_OFFSET (info, i);
  }
  return TRUE;
}

/* GstVideoInfo folds max-framerate into fps when the rate varies, so both come
 * from the caps themselves. */
static void
fill_rate (const GstCaps * caps, struct shmvideo_format *format)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gint n, d;

  format->fps_n = format->max_fps_n = 0;
  format->fps_d = format->max_fps_d = 1;
  if (gst_structure_get_fraction (s, "framerate", &n, &d) && n > 0 && d > 0) {
    format->fps_n = (guint32) n;
    format->fps_d = (guint32) d;
  }
  if (gst_structure_get_fraction (s, "max-framerate", &n, &d)
      && n > 0 && d > 0) {
    format->max_fps_n = (guint32) n;
    format->max_fps_d = (guint32) d;
  }
}

static guint32
alpha_mode (const GstVideoInfo * info)
{
  if (!GST_VIDEO_INFO_HAS_ALPHA (info))
    return SHMVIDEO_ALPHA_NONE;
  if (GST_VIDEO_INFO_FLAG_IS_SET (info, GST_VIDEO_FLAG_PREMULTIPLIED_ALPHA))
    return SHMVIDEO_ALPHA_PREMULTIPLIED;
  return SHMVIDEO_ALPHA_STRAIGHT;
}

void
gst_shm_video_align (GstVideoInfo * info, guint align)
{
  GstVideoInfo aligned = *info;
  GstVideoAlignment alignment;

  gst_video_alignment_reset (&alignment);
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    alignment.stride_align[i] = align - 1;
  if (align > 1 && !GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo)
      && gst_video_info_align (&aligned, &alignment))
    *info = aligned;
}

gboolean
gst_shm_video_caps_to_format (const GstCaps * caps, guint align,
    struct shmvideo_format *format, GstVideoInfo * slots)
{
  GstVideoInfo info;
  const GstVideoColorimetry *color = &info.colorimetry;

  if (!parse_info (caps, &info))
    return FALSE;
  memset (format, 0, sizeof *format);
  format->pixel_format = GST_VIDEO_INFO_FORMAT (&info);
  format->width = (guint32) GST_VIDEO_INFO_WIDTH (&info);
  format->height = (guint32) GST_VIDEO_INFO_HEIGHT (&info);
  format->par_n = (guint32) GST_VIDEO_INFO_PAR_N (&info);
  format->par_d = (guint32) GST_VIDEO_INFO_PAR_D (&info);
  format->interlace_mode = GST_VIDEO_INFO_INTERLACE_MODE (&info);
  format->field_order = GST_VIDEO_INFO_FIELD_ORDER (&info);
  format->color_range = color->range;
  format->color_matrix = gst_video_color_matrix_to_iso (color->matrix);
  format->color_transfer = gst_video_transfer_function_to_iso (color->transfer);
  format->color_primaries = gst_video_color_primaries_to_iso (color->primaries);
  format->chroma_site = GST_VIDEO_INFO_CHROMA_SITE (&info);
  format->alpha_mode = alpha_mode (&info);
  format->views = (guint32) MAX (1, GST_VIDEO_INFO_VIEWS (&info));
  fill_rate (caps, format);
  gst_shm_video_align (&info, align);
  if (slots)
    *slots = info;
  return fill_layout (&info, format);
}

/* Lists, ranges and arrays are never part of fixed video caps, and their parser
 * recurses once per bracket: a long text of brackets would use up the stack. */
static gboolean
text_is_harmless (const gchar * text)
{
  gsize size = strnlen (text, GST_SHM_VIDEO_CAPS_TEXT_MAX + 1);

  return size <= GST_SHM_VIDEO_CAPS_TEXT_MAX
      && g_utf8_validate (text, (gssize) size, NULL)
      && strpbrk (text, "{}[]<>") == NULL;
}

GstCaps *
gst_shm_video_caps_from_text (const gchar * text, GstVideoInfo * info)
{
  GstVideoInfo parsed;
  GstCaps *caps;

  if (text == NULL || !text_is_harmless (text))
    return NULL;
  caps = gst_caps_from_string (text);
  if (caps == NULL)
    return NULL;
  if (!parse_info (caps, &parsed)) {
    gst_caps_unref (caps);
    return NULL;
  }
  if (info)
    *info = parsed;
  return caps;
}

static const struct
{
  guint32 ours;
  guint32 gst;
} flag_pairs[] = {
  {SHMVIDEO_FLAG_DISCONT, GST_BUFFER_FLAG_DISCONT},
  {SHMVIDEO_FLAG_GAP, GST_BUFFER_FLAG_GAP},
  {SHMVIDEO_FLAG_CORRUPTED, GST_BUFFER_FLAG_CORRUPTED},
  {SHMVIDEO_FLAG_DROPPABLE, GST_BUFFER_FLAG_DROPPABLE},
  {SHMVIDEO_FLAG_MARKER, GST_BUFFER_FLAG_MARKER},
  {SHMVIDEO_FLAG_RESYNC, GST_BUFFER_FLAG_RESYNC},
  {SHMVIDEO_FLAG_NON_DROPPABLE, GST_BUFFER_FLAG_NON_DROPPABLE},
  {SHMVIDEO_FLAG_DELTA_UNIT, GST_BUFFER_FLAG_DELTA_UNIT},
  {SHMVIDEO_FLAG_INTERLACED, GST_VIDEO_BUFFER_FLAG_INTERLACED},
  {SHMVIDEO_FLAG_TFF, GST_VIDEO_BUFFER_FLAG_TFF},
  {SHMVIDEO_FLAG_RFF, GST_VIDEO_BUFFER_FLAG_RFF},
  {SHMVIDEO_FLAG_ONEFIELD, GST_VIDEO_BUFFER_FLAG_ONEFIELD},
  {SHMVIDEO_FLAG_MULTIPLE_VIEW, GST_VIDEO_BUFFER_FLAG_MULTIPLE_VIEW},
  {SHMVIDEO_FLAG_FIRST_IN_BUNDLE, GST_VIDEO_BUFFER_FLAG_FIRST_IN_BUNDLE},
};

guint32
gst_shm_video_flags_from_buffer (GstBuffer * buffer)
{
  guint32 flags = 0;

  for (guint i = 0; i < G_N_ELEMENTS (flag_pairs); i++)
    if (GST_BUFFER_FLAG_IS_SET (buffer, flag_pairs[i].gst))
      flags |= flag_pairs[i].ours;
  return flags;
}

void
gst_shm_video_flags_to_buffer (guint32 flags, GstBuffer * buffer)
{
  for (guint i = 0; i < G_N_ELEMENTS (flag_pairs); i++)
    if (flags & flag_pairs[i].ours)
      GST_BUFFER_FLAG_SET (buffer, flag_pairs[i].gst);
}
