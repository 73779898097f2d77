/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideopublish.h"

#include <errno.h>

#include "gstshmvideocopy.h"

/* Tell where the planes lie; FALSE if the meta speaks of another kind of frame
 * than the caps. Whether the planes fit the slot is for the library to check. */
static gboolean
fill_layout (const GstVideoInfo * info, const GstVideoMeta * meta,
    struct shmvideo_frame_info *frame)
{
  if (meta->format != GST_VIDEO_INFO_FORMAT (info)
      || meta->width != (guint) GST_VIDEO_INFO_WIDTH (info)
      || meta->height != (guint) GST_VIDEO_INFO_HEIGHT (info)
      || meta->n_planes != GST_VIDEO_INFO_N_PLANES (info))
    return FALSE;
  for (guint i = 0; i < meta->n_planes; i++) {
    if (meta->stride[i] <= 0)
      return FALSE;
    frame->stride[i] = (guint32) meta->stride[i];
    frame->plane_offset[i] = meta->offset[i];
  }
  frame->n_planes = meta->n_planes;
  return TRUE;
}

static void
fill_default_layout (const GstVideoInfo * info,
    struct shmvideo_frame_info *frame)
{
  frame->n_planes = GST_VIDEO_INFO_N_PLANES (info);
  for (guint i = 0; i < frame->n_planes; i++) {
    frame->stride[i] = (guint32) GST_VIDEO_INFO_PLANE_STRIDE (info, i);
    frame->plane_offset[i] = GST_VIDEO_INFO_PLANE_OFFSET (info, i);
  }
}

/* 0 if the buffer was shown where it is, otherwise it has to be copied. */
static int
publish_in_place (GstShmVideoShare * share, const GstVideoInfo * info,
    GstBuffer * buffer, const struct shmvideo_frame_info *frame)
{
  struct shmvideo_frame_info placed = *frame;
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1
      || gst_buffer_get_video_crop_meta (buffer))
    return -EXDEV;
  memory = gst_buffer_peek_memory (buffer, 0);
  if (!gst_shm_video_memory_is_whole (memory, share)
      || memory->size < GST_VIDEO_INFO_SIZE (info))
    return -EXDEV;
  if (meta == NULL)
    fill_default_layout (info, &placed);
  else if (!fill_layout (info, meta, &placed))
    return -EXDEV;
  return gst_shm_video_memory_publish (memory, &placed);
}

/* Narrow a mapped frame to the crop. Chroma is shared between pixels, so the
 * corner moves up and left to the next whole chroma sample. */
static gboolean
crop_source (GstVideoFrame * src, guint x, guint y)
{
  const GstVideoFormatInfo *finfo = src->info.finfo;
  guint x_step = 1, y_step = 1;

  for (guint c = 0; c < finfo->n_components; c++) {
    x_step = MAX (x_step, 1u << finfo->w_sub[c]);
    y_step = MAX (y_step, 1u << finfo->h_sub[c]);
    if (finfo->pixel_stride[c] <= 0)
      return FALSE;
  }
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (finfo))
    return FALSE;
  x -= x % x_step;
  y -= y % y_step;

  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (src); p++) {
    gint comp[GST_VIDEO_MAX_COMPONENTS];

    gst_video_format_info_component (finfo, p, comp);
    if (comp[0] < 0 || (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo) && p == 1))
      continue;
    src->data[p] = (guint8 *) src->data[p]
        + (gsize) (y >> finfo->h_sub[comp[0]])
        * (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (src, p)
        + (gsize) (x >> finfo->w_sub[comp[0]])
        * (gsize) finfo->pixel_stride[comp[0]];
  }
  return TRUE;
}

/* Map the buffer so that the top left of the mapped frame is what the caps mean.
 * A crop of the size that the caps say is applied; any other one is passed on. */
static gboolean
map_source (GstVideoFrame * src, const GstVideoInfo * info, GstBuffer * buffer,
    struct shmvideo_frame_info *frame)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  guint width = (guint) GST_VIDEO_INFO_WIDTH (info);
  guint height = (guint) GST_VIDEO_INFO_HEIGHT (info);
  guint has_width, has_height;
  gboolean ok;

  /* what is too small is not for GStreamer to find out: it calls that an error
   * in the program */
  if (meta == NULL ? gst_buffer_get_size (buffer) < GST_VIDEO_INFO_SIZE (info)
      : meta->width < width || meta->height < height)
    return FALSE;
  if (!gst_video_frame_map (src, info, buffer, GST_MAP_READ))
    return FALSE;
  has_width = (guint) GST_VIDEO_FRAME_WIDTH (src);
  has_height = (guint) GST_VIDEO_FRAME_HEIGHT (src);
  ok = GST_VIDEO_FRAME_FORMAT (src) == GST_VIDEO_INFO_FORMAT (info)
      && has_width >= width && has_height >= height;

  if (ok && crop && (crop->x > has_width || crop->y > has_height
          || crop->width > has_width - crop->x
          || crop->height > has_height - crop->y))
    ok = FALSE;
  else if (ok && crop && crop->width == width && crop->height == height)
    ok = crop_source (src, crop->x, crop->y);
  else if (ok && crop && has_width == width && has_height == height) {
    frame->crop_x = crop->x;
    frame->crop_y = crop->y;
    frame->crop_width = crop->width;
    frame->crop_height = crop->height;
  }
  if (ok) {
    src->info.width = GST_VIDEO_INFO_WIDTH (info);
    src->info.height = GST_VIDEO_INFO_HEIGHT (info);
  } else {
    gst_video_frame_unmap (src);
  }
  return ok;
}

/* A slot seen as a frame: nothing is mapped, so nothing is to be unmapped. */
static gboolean
copy_into_slot (const GstVideoInfo * info, const GstVideoFrame * src,
    struct shmvideo_slot *slot)
{
  GstVideoFrame dest = {.info = *info };

  if (slot->size < GST_VIDEO_INFO_SIZE (info))
    return FALSE;
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++)
    dest.data[p] = slot->data + GST_VIDEO_INFO_PLANE_OFFSET (info, p);
  return gst_shm_video_copy_frame (&dest, src);
}

static int
publish_copy (GstShmVideoShare * share, const GstVideoInfo * info,
    const GstVideoInfo * slots, GstBuffer * buffer,
    struct shmvideo_frame_info *frame, int cancel_fd)
{
  struct shmvideo_writer *writer = gst_shm_video_share_writer (share);
  struct shmvideo_slot *slot = NULL;
  GstVideoFrame src;
  int code;

  if (!map_source (&src, info, buffer, frame))
    return -EBADMSG;
  /* It waits only when the writer was made with backpressure; and it has slots
   * in reserve for when upstream holds all that it may. */
  code = shmvideo_writer_acquire_wait (writer, TRUE, cancel_fd, &slot);
  if (code == 1) {
    code = copy_into_slot (slots, &src, slot)
        ? shmvideo_writer_publish (writer, slot, frame) : -EBADMSG;
    if (code < 0)
      shmvideo_slot_release (slot);
    else
      code = GST_SHM_VIDEO_COPIED;
  } else if (code == 0) {
    code = GST_SHM_VIDEO_NO_SLOT;
  }
  gst_video_frame_unmap (&src);
  return code;
}

int
gst_shm_video_publish (GstShmVideoShare * share, const GstVideoInfo * info,
    const GstVideoInfo * slots, GstBuffer * buffer,
    struct shmvideo_frame_info *frame, int cancel_fd)
{
  if (publish_in_place (share, info, buffer, frame) == 0)
    return GST_SHM_VIDEO_IN_PLACE;
  return publish_copy (share, info, slots, buffer, frame, cancel_fd);
}
