/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideobuffer.h"

#include "gstshmvideocaps.h"
#include "gstshmvideocopy.h"

static GstStaticCaps capture_caps =
GST_STATIC_CAPS ("timestamp/x-monotonic-capture");

gboolean
gst_shm_video_buffer_layout_is_default (const struct shmvideo_frame *frame,
    const GstVideoInfo * info)
{
  guint i;

  for (i = 0; i < frame->n_planes; i++)
    if (frame->stride[i] != (guint32) GST_VIDEO_INFO_PLANE_STRIDE (info, i)
        || frame->plane_offset[i] != GST_VIDEO_INFO_PLANE_OFFSET (info, i))
      return FALSE;
  return frame->size >= GST_VIDEO_INFO_SIZE (info);
}

/* The library has checked that the planes lie within the frame, by the format it
 * was told; here that this is the format the caps speak of. */
static gboolean
frame_matches (const struct shmvideo_frame *frame, const GstVideoInfo * info)
{
  guint i;

  if (frame->n_planes != GST_VIDEO_INFO_N_PLANES (info)
      || frame->format->pixel_format != (guint32) GST_VIDEO_INFO_FORMAT (info)
      || frame->format->width != (guint32) GST_VIDEO_INFO_WIDTH (info)
      || frame->format->height != (guint32) GST_VIDEO_INFO_HEIGHT (info))
    return FALSE;
  for (i = 0; i < frame->n_planes; i++)
    if (frame->stride[i] > G_MAXINT || frame->plane_offset[i] >= frame->size)
      return FALSE;
  return TRUE;
}

static void
release_frame (gpointer frame)
{
  shmvideo_frame_release (frame);
}

GstBuffer *
gst_shm_video_buffer_wrap (const struct shmvideo_frame *frame,
    const GstVideoInfo * info)
{
  GstBuffer *buffer;
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0, };
  gint stride[GST_VIDEO_MAX_PLANES] = { 0, };
  gsize size = (gsize) frame->size;
  guint i;

  if (!frame_matches (frame, info)) {
    shmvideo_frame_release (frame);
    return NULL;
  }
  for (i = 0; i < frame->n_planes; i++) {
    offset[i] = (gsize) frame->plane_offset[i];
    stride[i] = (gint) frame->stride[i];
  }
  /* slots are rounded up to pages: readers of whole buffers want the picture */
  if (gst_shm_video_buffer_layout_is_default (frame, info))
    size = GST_VIDEO_INFO_SIZE (info);

  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer,
      gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) frame->data,
          (gsize) frame->size, 0, size, (gpointer) frame, release_frame));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), (guint) GST_VIDEO_INFO_WIDTH (info),
      (guint) GST_VIDEO_INFO_FIELD_HEIGHT (info), frame->n_planes, offset,
      stride);
  return buffer;
}

GstFlowReturn
gst_shm_video_buffer_copy (GstBuffer * wrapped, const GstVideoInfo * info,
    GstBufferPool * pool, GstBuffer ** out_copy)
{
  GstVideoFrame from, to;
  GstFlowReturn ret;
  gboolean ok = FALSE;

  if (pool == NULL) {
    *out_copy = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
    ret = *out_copy != NULL ? GST_FLOW_OK : GST_FLOW_ERROR;
  } else {
    ret = gst_buffer_pool_acquire_buffer (pool, out_copy, NULL);
  }
  if (ret != GST_FLOW_OK)
    return ret;
  if (gst_video_frame_map (&from, info, wrapped, GST_MAP_READ)) {
    if (gst_video_frame_map (&to, info, *out_copy, GST_MAP_WRITE)) {
      ok = gst_shm_video_copy_frame (&to, &from);
      gst_video_frame_unmap (&to);
    }
    gst_video_frame_unmap (&from);
  }
  if (!ok)
    gst_clear_buffer (out_copy);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* Whether the crop rectangle lies within the picture. */
static gboolean
crop_is_sane (const struct shmvideo_frame *frame)
{
  return frame->crop_width > 0 && frame->crop_height > 0
      && frame->crop_x < frame->format->width
      && frame->crop_y < frame->format->height
      && frame->crop_width <= frame->format->width - frame->crop_x
      && frame->crop_height <= frame->format->height - frame->crop_y;
}

void
gst_shm_video_buffer_describe (GstBuffer * buffer,
    const struct shmvideo_frame *frame)
{
  gst_shm_video_flags_to_buffer (frame->flags, buffer);
  GST_BUFFER_OFFSET (buffer) = frame->offset;
  GST_BUFFER_OFFSET_END (buffer) = frame->offset_end;
  /* sums of times must not overflow, whatever the writer says */
  GST_BUFFER_DURATION (buffer) = frame->duration < G_MAXINT64 / 4
      ? frame->duration : GST_CLOCK_TIME_NONE;
  if (crop_is_sane (frame)) {
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

    crop->x = frame->crop_x;
    crop->y = frame->crop_y;
    crop->width = frame->crop_width;
    crop->height = frame->crop_height;
  }
  if (frame->capture_time != SHMVIDEO_TIME_NONE) {
    GstCaps *caps = gst_static_caps_get (&capture_caps);

    gst_buffer_add_reference_timestamp_meta (buffer, caps, frame->capture_time,
        GST_CLOCK_TIME_NONE);
    gst_caps_unref (caps);
  }
}
