/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "watcher.h"

struct shmvideo_reader *
watcher_new(const char *path, enum shmvideo_policy policy)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  struct shmvideo_reader *reader = NULL;
  config.path = path;
  config.policy = policy;
  config.depth = policy == SHMVIDEO_LATEST ? 1 : 0;
  int code = shmvideo_reader_new(&config, &error, &reader);
  if (code < 0)
    g_error("no reader: %s", error.message);
  return reader;
}

int
watcher_next(struct shmvideo_reader *reader,
             const struct shmvideo_frame **out_frame)
{
  for (;;) {
    int code = shmvideo_reader_acquire(reader, out_frame);
    if (code > 0)
      return code;
    if (code == SHMVIDEO_AGAIN)
      code = shmvideo_reader_wait(
          reader, (guint64)shmvtest_deadline() * 1000000, -1);
    if (code == 0)
      g_error("nothing came within the deadline");
    if (code < 0)
      g_error("the reader failed: %s", shmvideo_strerror(code));
  }
}

const struct shmvideo_frame *
watcher_frame(struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame = NULL;
  while (watcher_next(reader, &frame) != SHMVIDEO_FRAME)
    ;
  return frame;
}

bool
watcher_idle(struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame = NULL;
  shmvideo_reader_dispatch(reader);
  int code = shmvideo_reader_acquire(reader, &frame);
  shmvideo_frame_release(frame);
  return code == SHMVIDEO_AGAIN;
}

/* Unpacked, so that only what can be seen counts, in every format. */
static char *
checksum(const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  const GstVideoFormatInfo *unpacked =
      gst_video_format_get_info(finfo->unpack_format);
  gint width = GST_VIDEO_FRAME_WIDTH(frame);
  gsize row_bytes = (gsize)width * (gsize)unpacked->pixel_stride[0];
  guint8 *row = g_malloc0(row_bytes + 64);
  GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); y++) {
    finfo->unpack_func(finfo, GST_VIDEO_PACK_FLAG_NONE, row, frame->data,
                       frame->info.stride, 0, y, width);
    g_checksum_update(sum, row, (gssize)row_bytes);
  }
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  g_free(row);
  return text;
}

char *
watcher_checksum(const struct shmvideo_frame *frame)
{
  GstVideoFrame view = {0};
  GstCaps *caps = gst_caps_from_string(frame->caps);
  g_assert_nonnull(caps);
  g_assert_true(gst_video_info_from_caps(&view.info, caps));
  gst_caps_unref(caps);
  for (guint i = 0; i < frame->n_planes; i++) {
    view.data[i] = (gpointer)(frame->data + frame->plane_offset[i]);
    view.info.stride[i] = (gint)frame->stride[i];
  }
  return checksum(&view);
}

char *
watcher_buffer_checksum(GstBuffer *buffer, const GstCaps *caps)
{
  GstVideoFrame view;
  GstVideoInfo info;
  g_assert_true(gst_video_info_from_caps(&info, caps));
  g_assert_true(gst_video_frame_map(&view, &info, buffer, GST_MAP_READ));
  char *text = checksum(&view);
  gst_video_frame_unmap(&view);
  return text;
}

guint64
watcher_count(GstElement *pipeline, const char *counter)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstStructure *stats = NULL;
  guint64 count = 0;
  g_object_get(sink, "transport-stats", &stats, NULL);
  if (!gst_structure_get_uint64(stats, counter, &count))
    g_error("there is no counter %s", counter);
  gst_structure_free(stats);
  gst_object_unref(sink);
  return count;
}

void
watcher_wait_clients(GstElement *pipeline, guint n_clients)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gulong watch = gst_element_add_property_notify_watch(sink, "num-clients",
                                                       FALSE);
  guint n = 0;
  for (;;) {
    g_object_get(sink, "num-clients", &n, NULL);
    if (n == n_clients)
      break;
    gst_message_unref(
        shmvtest_message(pipeline, GST_MESSAGE_PROPERTY_NOTIFY));
  }
  gst_element_remove_property_notify_watch(sink, watch);
  gst_object_unref(sink);
}
