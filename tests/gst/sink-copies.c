/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: how often a frame is copied, and that nobody who still has its
 * buffer can change it.
 */

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
  bool keep_memory;  /* keep another buffer with its memory */
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
    holder->buffer =
        holder->keep_memory ? gst_buffer_copy(buffer) : gst_buffer_ref(buffer);
    if (holder->map_before)
      g_assert_true(gst_memory_map(gst_buffer_peek_memory(buffer, 0),
                                   &holder->map, GST_MAP_READWRITE));
  }
  g_mutex_unlock(&holder->lock);
  return GST_PAD_PROBE_OK;
}

static GstElement *
launch_held(struct holder *holder, int n_frames)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=%d pattern=ball ! "
      "video/x-raw,format=I420,width=64,height=64 ! "
      "shmvideosink name=sink sync=false socket-path=%s",
      n_frames, shmvtest_path("share"));
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
  GstElement *pipeline = launch_held(&holder, 1);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  char *before = watcher_checksum(frame);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), ==, 1);

  GstMapInfo map;
  GstMemory *memory = gst_buffer_get_memory(holder.buffer, 0);
  g_assert_true(GST_MEMORY_IS_READONLY(memory));
  g_assert_false(gst_memory_map(memory, &map, GST_MAP_WRITE));
  /* Nor can somebody who found the flag still unset, a moment ago. */
  GST_MINI_OBJECT_FLAG_UNSET(memory, GST_MEMORY_FLAG_READONLY);
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

/* Whoever kept the memory, but not the buffer, keeps the picture: the slot is not
 * drawn into again. */
static void
a_held_memory_keeps_its_picture(void)
{
  struct holder holder = {.keep_memory = true};
  GstElement *pipeline = launch_held(&holder, 60);
  GstCaps *caps =
      gst_caps_from_string("video/x-raw,format=I420,width=64,height=64");
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  char *before = watcher_buffer_checksum(holder.buffer, caps);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), ==, 60);
  char *after = watcher_buffer_checksum(holder.buffer, caps);
  g_assert_cmpstr(after, ==, before);
  g_free(after);
  g_free(before);
  gst_buffer_unref(holder.buffer);
  gst_caps_unref(caps);
  shmvtest_stop(pipeline);
}

/* Whoever is still writing when the frame is shown has it copied. */
static void
a_writing_holder_forces_a_copy(void)
{
  struct holder holder = {.map_before = true};
  GstElement *pipeline = launch_held(&holder, 1);
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

/* A frame drawn under an earlier format of the same size is shown all the same. */
static void
a_stale_slot_is_copied(void)
{
  GstElement *sink = gst_element_factory_make("shmvideosink", NULL);
  g_object_set(sink, "socket-path", shmvtest_path("share"), "sync", FALSE, NULL);
  GstHarness *harness = gst_harness_new_with_element(sink, "sink", NULL);
  gst_harness_set_src_caps_str(
      harness, "video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1");
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);

  GstCaps *caps = gst_pad_get_current_caps(harness->srcpad);
  GstQuery *query = gst_query_new_allocation(caps, TRUE);
  GstBufferPool *pool = NULL;
  g_assert_true(gst_pad_peer_query(harness->srcpad, query));
  gst_query_parse_nth_allocation_pool(query, 0, &pool, NULL, NULL, NULL);
  g_assert_true(gst_buffer_pool_set_active(pool, TRUE));
  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = NULL;
    GstStructure *stats = NULL;
    guint64 copied = 99, zero_copy = 99;
    g_assert_cmpint(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL), ==,
                    GST_FLOW_OK);
    gst_buffer_memset(buffer, 0, (guint8)(0x40 + i), 4096);
    if (i == 1)
      gst_harness_set_src_caps_str(
          harness, "video/x-raw,format=GRAY8,width=64,height=64,framerate=50/1");
    g_assert_cmpint(gst_harness_push(harness, buffer), ==, GST_FLOW_OK);
    g_object_get(sink, "transport-stats", &stats, NULL);
    gst_structure_get_uint64(stats, "copied", &copied);
    gst_structure_get_uint64(stats, "zero-copy", &zero_copy);
    g_assert_cmpuint(copied, ==, i);
    g_assert_cmpuint(zero_copy, ==, 1);
    gst_structure_free(stats);
  }
  const struct shmvideo_frame *frame = watcher_frame(reader);
  while (frame->sequence < 2) {
    shmvideo_frame_release(frame);
    frame = watcher_frame(reader);
  }
  g_assert_cmpuint(frame->format->fps_n, ==, 50);
  g_assert_cmphex(frame->data[0], ==, 0x41);
  g_assert_cmphex(frame->data[4095], ==, 0x41);
  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  gst_buffer_pool_set_active(pool, FALSE);
  gst_object_unref(pool);
  gst_query_unref(query);
  gst_caps_unref(caps);
  gst_harness_teardown(harness);
  gst_object_unref(sink);
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
  shmvtest_add("/sink/holders/memory-keeps-its-picture",
               a_held_memory_keeps_its_picture);
  shmvtest_add("/sink/holders/writing-forces-a-copy",
               a_writing_holder_forces_a_copy);
  shmvtest_add("/sink/pool-outlives-its-share", a_pool_outlives_its_share);
  shmvtest_add("/sink/stale-slot-is-copied", a_stale_slot_is_copied);
  return shmvtest_run();
}
