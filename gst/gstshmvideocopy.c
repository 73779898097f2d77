/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideocopy.h"

#include <string.h>

/* Bytes of a row and rows of a plane that are picture: those of its widest
 * component. FALSE if rows cannot be told (tiles, palettes, bits across bytes). */
static gboolean
plane_extent (const GstVideoInfo * info, guint plane, gsize * row_bytes,
    guint * rows)
{
  const GstVideoFormatInfo *finfo = info->finfo;

  *row_bytes = 0;
  *rows = 0;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (finfo)
      || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    return FALSE;
  for (guint c = 0; c < finfo->n_components; c++) {
    gsize bytes;

    if (finfo->plane[c] != plane)
      continue;
    if (finfo->pixel_stride[c] <= 0)
      return FALSE;
    bytes = (gsize) GST_VIDEO_INFO_COMP_WIDTH (info, c)
        * (gsize) finfo->pixel_stride[c];
    *row_bytes = MAX (*row_bytes, bytes);
    *rows = MAX (*rows, (guint) GST_VIDEO_INFO_COMP_HEIGHT (info, c));
  }
  return *row_bytes > 0;
}

static gboolean
copy_plane (GstVideoFrame * dest, const GstVideoFrame * src, guint plane)
{
  gint dest_stride = GST_VIDEO_FRAME_PLANE_STRIDE (dest, plane);
  gint src_stride = GST_VIDEO_FRAME_PLANE_STRIDE (src, plane);
  guint8 *to = GST_VIDEO_FRAME_PLANE_DATA (dest, plane);
  const guint8 *from = GST_VIDEO_FRAME_PLANE_DATA (src, plane);
  gsize row_bytes;
  guint rows;

  if (!plane_extent (&dest->info, plane, &row_bytes, &rows))
    return gst_video_frame_copy_plane (dest, src, plane);
  if (dest_stride == src_stride && dest_stride > 0) {
    /* In one go, up to the picture's last byte. */
    memcpy (to, from, (gsize) dest_stride * (rows - 1) + row_bytes);
    return TRUE;
  }
  for (guint row = 0; row < rows; row++) {
    memcpy (to, from, row_bytes);
    to += dest_stride;
    from += src_stride;
  }
  return TRUE;
}

gboolean
gst_shm_video_copy_frame (GstVideoFrame * dest, const GstVideoFrame * src)
{
  g_return_val_if_fail (GST_VIDEO_FRAME_FORMAT (dest)
      == GST_VIDEO_FRAME_FORMAT (src), FALSE);
  g_return_val_if_fail (GST_VIDEO_FRAME_WIDTH (dest)
      <= GST_VIDEO_FRAME_WIDTH (src), FALSE);
  g_return_val_if_fail (GST_VIDEO_FRAME_HEIGHT (dest)
      <= GST_VIDEO_FRAME_HEIGHT (src), FALSE);

  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (dest); p++)
    if (!copy_plane (dest, src, p))
      return FALSE;
  return TRUE;
}
