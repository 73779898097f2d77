/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: how often a frame is copied, and that what readers see is what
 * was sent, whatever buffer it came in and whoever still has that buffer.
 */

#include <gst/app/app.h>
#include <gst/check/gstharness.h>
#include <string.h>

#include "watcher.h"

/* ---- counting --------------------------------------------------------------- */

/* Run a line to its end and check the counters. */
static void
check_counts(const char *line, guint64 zero_copy, guint64 copied)
{
  GstElement *pipeline = shmvtest_launch(
      "%s ! shmvideosink name=sink sync=false socket-path=%s", line,
      shmvtest_path("share"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, zero_copy + copied);
  g_assert_cmpuint(watcher_count(pipeline, "copied"), ==, copied);
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), ==, zero_copy);
  g_assert_cmpuint(watcher_count(pipeline, "dropped"), ==, 0);
  shmvtest_stop(pipeline);
}

static void
upstream_draws_into_slots(void)
{
  check_counts("videotestsrc num-buffers=60", 60, 0);
  check_counts("videotestsrc num-buffers=60 ! queue max-size-buffers=8", 60, 0);
  check_counts("videotestsrc num-buffers=60 ! video/x-raw,format=RGBA,width=319,"
               "height=241 ! videoconvert ! video/x-raw,format=I420",
               60, 0);
  check_counts("videotestsrc num-buffers=60 ! videoscale ! "
               "video/x-raw,width=640,height=480",
               60, 0);
}

static void
own_memory_is_copied_once(void)
{
  check_counts("videotestsrc num-buffers=60 ! tee ! queue", 0, 60);
  check_counts("videotestsrc num-buffers=60 ! identity drop-allocation=true", 0,
               60);
}

/* imagefreeze asks for a pool before it says the format, so its only picture is
 * in its own memory; videorate hands each buffer in three times (the last one
 * once), and the first time it is shown where it is. */
static void
repeats_are_copied_once(void)
{
  check_counts("videotestsrc num-buffers=1 ! imagefreeze num-buffers=30", 0, 30);
  check_counts("videotestsrc num-buffers=20 ! video/x-raw,framerate=10/1 ! "
               "videorate ! video/x-raw,framerate=30/1",
               20, 37);
}

/* The queue holds more frames than may be lent, and upstream takes a slot as soon
 * as one is given back: the sink still finds one to copy into. */
static void
a_deep_queue_loses_nothing(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=300 ! queue max-size-buffers=200 "
      "max-size-bytes=0 max-size-time=0 min-threshold-buffers=100 ! "
      "shmvideosink name=sink sync=false max-lent=4 socket-path=%s",
      shmvtest_path("share"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 300);
  g_assert_cmpuint(watcher_count(pipeline, "dropped"), ==, 0);
  g_assert_cmpuint(watcher_count(pipeline, "copied"), >, 0);
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), >, 0);
  shmvtest_stop(pipeline);
}

/* ---- holders ---------------------------------------------------------------- */

struct holder {
  GMutex lock;
  GCond cond;
  GstBuffer *buffer; /* the first that came */
  GstMapInfo map;    /* of its memory, for writing */
  bool map_before;   /* map it as it comes: before it is shown */
  guint n;
};

static GstPadProbeReturn
hold_first(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  (void)pad;
  struct holder *holder = user;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  g_mutex_lock(&holder->lock);
  if (holder->n++ == 0) {
    holder->buffer = gst_buffer_ref(buffer);
    if (holder->map_before)
      g_assert_true(gst_memory_map(gst_buffer_peek_memory(buffer, 0),
                                   &holder->map, GST_MAP_READWRITE));
  }
  g_mutex_unlock(&holder->lock);
  return GST_PAD_PROBE_OK;
}

static GstElement *
launch_held(struct holder *holder)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=1 pattern=ball ! video/x-raw,width=64,height=64 "
      "! shmvideosink name=sink sync=false socket-path=%s",
      shmvtest_path("share"));
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, hold_first, holder, NULL);
  gst_object_unref(pad);
  gst_object_unref(sink);
  return pipeline;
}

/* Whoever kept a reference and writes, writes into a copy of his own. */
static void
a_holder_cannot_change_what_was_shown(void)
{
  struct holder holder = {.n = 0};
  GstElement *pipeline = launch_held(&holder);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  char *before = watcher_checksum(frame);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), ==, 1);

  GstMapInfo map;
  GstMemory *memory = gst_buffer_get_memory(holder.buffer, 0);
  g_assert_false(gst_memory_map(memory, &map, GST_MAP_WRITE));
  gst_memory_unref(memory);
  holder.buffer = gst_buffer_make_writable(holder.buffer);
  g_assert_true(gst_buffer_map(holder.buffer, &map, GST_MAP_READWRITE));
  memset(map.data, 0xa5, map.size);
  gst_buffer_unmap(holder.buffer, &map);

  char *after = watcher_checksum(frame);
  g_assert_cmpstr(after, ==, before);
  g_free(after);
  g_free(before);
  gst_buffer_unref(holder.buffer);
  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  shmvtest_stop(pipeline);
}

/* Whoever is still writing when the frame is shown has it copied. */
static void
a_writing_holder_forces_a_copy(void)
{
  struct holder holder = {.map_before = true};
  GstElement *pipeline = launch_held(&holder);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  char *before = watcher_checksum(frame);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "copied"), ==, 1);

  memset(holder.map.data, 0xa5, holder.map.size);
  char *after = watcher_checksum(frame);
  g_assert_cmpstr(after, ==, before);
  g_free(after);
  g_free(before);
  gst_memory_unmap(holder.map.memory, &holder.map);
  gst_buffer_unref(holder.buffer);
  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  shmvtest_stop(pipeline);
}

/* A pool, and what came out of it, may outlive the sink's run. */
static void
a_pool_outlives_its_share(void)
{
  GstElement *sink = gst_element_factory_make("shmvideosink", NULL);
  g_object_set(sink, "socket-path", shmvtest_path("share"), NULL);
  GstHarness *harness = gst_harness_new_with_element(sink, "sink", NULL);
  gst_harness_set_src_caps_str(
      harness, "video/x-raw,format=GRAY8,width=64,height=64,framerate=0/1");

  GstCaps *caps = gst_pad_get_current_caps(harness->srcpad);
  GstQuery *query = gst_query_new_allocation(caps, TRUE);
  GstBufferPool *pool = NULL;
  GstBuffer *buffers[2];
  g_assert_true(gst_pad_peer_query(harness->srcpad, query));
  gst_query_parse_nth_allocation_pool(query, 0, &pool, NULL, NULL, NULL);
  g_assert_nonnull(pool);
  g_assert_true(gst_buffer_pool_set_active(pool, TRUE));
  g_assert_cmpint(gst_buffer_pool_acquire_buffer(pool, &buffers[0], NULL), ==,
                  GST_FLOW_OK);
  gst_harness_teardown(harness);
  gst_object_unref(sink);
  g_assert_cmpint(gst_buffer_pool_acquire_buffer(pool, &buffers[1], NULL), ==,
                  GST_FLOW_OK);
  g_assert_cmpstr(gst_buffer_peek_memory(buffers[0], 0)->allocator->mem_type, ==,
                  "ShmVideoSlot");
  g_assert_cmpstr(gst_buffer_peek_memory(buffers[1], 0)->allocator->mem_type, ==,
                  GST_ALLOCATOR_SYSMEM);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint(gst_buffer_memset(buffers[i], 0, 0x11, 4096), ==, 4096);
    gst_buffer_unref(buffers[i]);
  }
  gst_buffer_pool_set_active(pool, FALSE);
  g_assert_cmpint(gst_buffer_pool_acquire_buffer(pool, &buffers[0], NULL), ==,
                  GST_FLOW_FLUSHING);
  gst_object_unref(pool);
  gst_query_unref(query);
  gst_caps_unref(caps);
}

/* ---- layouts ---------------------------------------------------------------- */

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
  shmvtest_add("/sink/copies/upstream-draws-into-slots",
               upstream_draws_into_slots);
  shmvtest_add("/sink/copies/own-memory-is-copied-once",
               own_memory_is_copied_once);
  shmvtest_add("/sink/copies/repeats-are-copied-once", repeats_are_copied_once);
  shmvtest_add("/sink/copies/a-deep-queue-loses-nothing",
               a_deep_queue_loses_nothing);
  shmvtest_add("/sink/holders/cannot-change-what-was-shown",
               a_holder_cannot_change_what_was_shown);
  shmvtest_add("/sink/holders/writing-forces-a-copy",
               a_writing_holder_forces_a_copy);
  shmvtest_add("/sink/pool-outlives-its-share", a_pool_outlives_its_share);
  shmvtest_add("/sink/layout/every-format-with-padded-strides",
               every_format_with_padded_strides);
  shmvtest_add("/sink/layout/several-memories", several_memories);
  shmvtest_add("/sink/layout/a-crop-is-applied", a_crop_is_applied);
  shmvtest_add("/sink/layout/a-short-buffer-is-dropped",
               a_short_buffer_is_dropped);
  return shmvtest_run();
}
