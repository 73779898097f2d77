/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: buffers with strides, memories and crops of their own. What readers
 * see is what was sent.
 */

#include <gst/app/app.h>

#include "watcher.h"

/* A picture without any repetition that a wrong stride could hide behind. */
static void
fill(GstBuffer *buffer, guint32 seed)
{
  GstMapInfo map;
  g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8)((seed = seed * 1664525 + 1013904223) >> 24);
  gst_buffer_unmap(buffer, &map);
}

/* Push one buffer, and return what a reader sees of it. */
static char *
send_and_look(const char *caps, GstBuffer *buffer)
{
  GstElement *pipeline = shmvtest_launch(
      "appsrc name=src format=time caps=%s ! shmvideosink name=sink sync=false "
      "socket-path=%s",
      caps, shmvtest_path("share"));
  GstElement *src = gst_bin_get_by_name(GST_BIN(pipeline), "src");
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer(GST_APP_SRC(src), buffer);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  char *sum = watcher_checksum(frame);
  shmvideo_frame_release(frame);
  gst_app_src_end_of_stream(GST_APP_SRC(src));
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "copied"), ==, 1);
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 1);
  shmvideo_reader_free(reader);
  gst_object_unref(src);
  shmvtest_stop(pipeline);
  return sum;
}

static void
every_format_with_padded_strides(void)
{
  for (guint f = GST_VIDEO_FORMAT_I420; f <= GST_VIDEO_FORMAT_RGBA64_BE; f++) {
    GstVideoInfo info;
    GstVideoAlignment align;
    const char *name = gst_video_format_to_string((GstVideoFormat)f);
    gst_video_info_set_format(&info, (GstVideoFormat)f, 37, 19);
    gst_video_alignment_reset(&align);
    align.padding_right = 16;
    align.padding_bottom = 4;
    if (!gst_video_info_align(&info, &align))
      continue; /* three 10-bit formats that GStreamer cannot align */
    char *caps = g_strdup_printf(
        "video/x-raw,format=%s,width=37,height=19,framerate=30/1", name);
    GstCaps *parsed = gst_caps_from_string(caps);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    fill(buffer, f);
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                   (GstVideoFormat)f, 37, 19, info.finfo->n_planes,
                                   info.offset, info.stride);
    char *sent = watcher_buffer_checksum(buffer, parsed);
    char *seen = send_and_look(caps, buffer);
    g_assert_cmpstr(seen, ==, sent);
    g_free(seen);
    g_free(sent);
    gst_caps_unref(parsed);
    g_free(caps);
  }
}

/* Two memories, the cut in the middle of a row. */
static void
several_memories(void)
{
  const char *caps = "video/x-raw,format=I420,width=64,height=48,framerate=30/1";
  GstCaps *parsed = gst_caps_from_string(caps);
  GstBuffer *whole = gst_buffer_new_allocate(NULL, 4608, NULL);
  fill(whole, 7);
  GstBuffer *buffer = gst_buffer_copy_region(
      whole, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP, 0, 1001);
  gst_buffer_append(buffer,
                    gst_buffer_copy_region(
                        whole, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP,
                        1001, 3607));
  g_assert_cmpuint(gst_buffer_n_memory(buffer), ==, 2);
  char *sent = watcher_buffer_checksum(whole, parsed);
  char *seen = send_and_look(caps, buffer);
  g_assert_cmpstr(seen, ==, sent);
  g_free(seen);
  g_free(sent);
  gst_buffer_unref(whole);
  gst_caps_unref(parsed);
}

static void
a_crop_is_applied(void)
{
  static const char *const formats[] = {"I420", "NV12", "UYVY", "RGB", "GRAY8"};
  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    GstVideoInfo big;
    char *full = g_strdup_printf(
        "video/x-raw,format=%s,width=64,height=48,framerate=30/1", formats[i]);
    char *cropped = g_strdup_printf(
        "video/x-raw,format=%s,width=32,height=16,framerate=30/1", formats[i]);
    GstCaps *parsed = gst_caps_from_string(full);
    gst_video_info_from_caps(&big, parsed);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, big.size, NULL);
    fill(buffer, i);
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&big), 64, 48,
        GST_VIDEO_INFO_N_PLANES(&big), big.offset, big.stride);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
    crop->x = 10;
    crop->y = 6;
    crop->width = 32;
    crop->height = 16;

    /* videocrop is the second opinion. */
    GstElement *pipeline = shmvtest_launch(
        "appsrc name=src format=time caps=%s ! videocrop left=10 top=6 right=22 "
        "bottom=26 ! appsink name=out sync=false",
        full);
    GstElement *src = gst_bin_get_by_name(GST_BIN(pipeline), "src");
    GstElement *out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    GstBuffer *plain = gst_buffer_copy_deep(buffer);
    gst_buffer_remove_meta(plain,
                           (GstMeta *)gst_buffer_get_video_crop_meta(plain));
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    gst_app_src_push_buffer(GST_APP_SRC(src), plain);
    GstSample *sample = gst_app_sink_pull_sample(GST_APP_SINK(out));
    char *wanted = watcher_buffer_checksum(gst_sample_get_buffer(sample),
                                           gst_sample_get_caps(sample));
    gst_sample_unref(sample);
    gst_object_unref(src);
    gst_object_unref(out);
    shmvtest_stop(pipeline);

    char *seen = send_and_look(cropped, buffer);
    g_assert_cmpstr(seen, ==, wanted);
    g_free(seen);
    g_free(wanted);
    gst_caps_unref(parsed);
    g_free(cropped);
    g_free(full);
  }
}

/* Not a frame: a warning, once, and the next one is shown. */
static void
a_short_buffer_is_dropped(void)
{
  GstElement *pipeline = shmvtest_launch(
      "appsrc name=src format=time caps=video/x-raw,format=GRAY8,width=64,"
      "height=64,framerate=30/1 ! shmvideosink name=sink sync=false "
      "socket-path=%s",
      shmvtest_path("share"));
  GstElement *src = gst_bin_get_by_name(GST_BIN(pipeline), "src");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  static const gsize sizes[] = {100, 100, 4096};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, sizes[i], NULL);
    fill(buffer, i);
    gst_app_src_push_buffer(GST_APP_SRC(src), buffer);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(src));
  GstMessage *message = shmvtest_message(
      pipeline, GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
  g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_WARNING);
  gst_message_unref(message);
  message = shmvtest_message(pipeline, GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
  g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
  gst_message_unref(message);
  g_assert_cmpuint(watcher_count(pipeline, "dropped"), ==, 2);
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 1);
  gst_object_unref(src);
  shmvtest_stop(pipeline);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/sink/layout/every-format-with-padded-strides",
               every_format_with_padded_strides);
  shmvtest_add("/sink/layout/several-memories", several_memories);
  shmvtest_add("/sink/layout/a-crop-is-applied", a_crop_is_applied);
  shmvtest_add("/sink/layout/a-short-buffer-is-dropped",
               a_short_buffer_is_dropped);
  return shmvtest_run();
}
