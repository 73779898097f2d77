/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Receiving by the library alone. See receiver.h. */

#include "receiver.h"
#include "shmvtest.h"

struct receiver {
  struct shmvideo_reader *reader;
};

static struct receiver *
create(const char *path, gboolean knows_meta)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct receiver *receiver = g_new0(struct receiver, 1);
  struct shmvideo_error error = {0};

  config.path = path;
  config.policy = SHMVIDEO_LOSSLESS;
  if (shmvideo_reader_new(&config, &error, &receiver->reader) != 0)
    g_error("no reader: %s", error.message);
  return receiver;
}

static void
destroy(struct receiver *receiver)
{
  shmvideo_reader_free(receiver->reader);
  g_free(receiver);
}

static void
play(struct receiver *receiver)
{
}

/* The next positive outcome, or the error. */
static int
next(struct receiver *receiver, const struct shmvideo_frame **out_frame)
{
  for (;;) {
    int code = shmvideo_reader_acquire(receiver->reader, out_frame);

    if (code != SHMVIDEO_AGAIN)
      return code;
    code = shmvideo_reader_wait(receiver->reader,
                                (guint64)shmvtest_deadline() * 1000000, -1);
    if (code == 0)
      g_error("nothing came within the deadline");
    if (code < 0)
      return code;
  }
}

static GstCaps *
caps(struct receiver *receiver)
{
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_format format;
  char text[16384];

  g_assert_cmpint(next(receiver, &frame), ==, SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(shmvideo_reader_get_format(receiver->reader, &format, text,
                                             sizeof text),
                  ==, 0);
  return gst_caps_from_string(text);
}

static void
receive(struct receiver *receiver, struct received *out)
{
  const struct shmvideo_frame *frame = NULL;
  int code;

  do
    code = next(receiver, &frame);
  while (code == SHMVIDEO_NEW_FORMAT);
  if (code != SHMVIDEO_FRAME)
    g_error("instead of a frame: %d, %s", code, shmvideo_strerror(code));
  out->owner = (gpointer)frame;
  out->caps = gst_caps_from_string(frame->caps);
  g_assert_nonnull(out->caps);
  g_assert_true(gst_video_info_from_caps(&out->info, out->caps));
  g_assert_cmpuint(frame->n_planes, ==, GST_VIDEO_INFO_N_PLANES(&out->info));
  for (guint p = 0; p < frame->n_planes; p++) {
    out->planes[p] = frame->data + frame->plane_offset[p];
    out->strides[p] = (gint)frame->stride[p];
  }
  out->format = *frame->format;
  out->pts = frame->pts;
  out->duration = frame->duration;
  out->offset = frame->offset;
  out->offset_end = frame->offset_end;
  out->flags = job_flags_to_gst(frame->flags);
  out->crop_x = frame->crop_x;
  out->crop_y = frame->crop_y;
  out->crop_width = frame->crop_width;
  out->crop_height = frame->crop_height;
}

static void
clear(struct received *received)
{
  gst_caps_unref(received->caps);
  shmvideo_frame_release(received->owner);
}

static char *
failure(struct receiver *receiver)
{
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_error error = {0};
  int code;

  while ((code = next(receiver, &frame)) > 0)
    shmvideo_frame_release(frame);
  g_assert_cmpint(shmvideo_reader_get_error(receiver->reader, &error), ==, 0);
  g_assert_cmpint(error.code, ==, code);
  return g_strdup(error.message);
}

static void
stats(struct receiver *receiver, struct receiver_stats *out)
{
  struct shmvideo_reader_status status;

  shmvideo_reader_get_status(receiver->reader, &status);
  out->received = status.received;
  out->copied = status.copied;
  out->copied_for_layout = 0;
}

const struct receiver_way receiver_library = {
    create, destroy, play, caps, receive, clear, failure, stats};
