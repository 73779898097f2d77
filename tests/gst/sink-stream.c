/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: what happens along a stream, and when readers see it.
 */

#include <stdlib.h>

#include "watcher.h"

/* New size and new format while frames flow; the last sample of GstBaseSink,
 * switched on, keeps a slot and must not be in the way. */
static void
caps_change_while_playing(void)
{
  static const char *const caps[] = {
      "video/x-raw,format=I420,width=320,height=240",
      "video/x-raw,format=I420,width=64,height=48",
      "video/x-raw,format=RGBA,width=1280,height=720"};
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! video/x-raw,framerate=60/1 ! capsfilter "
      "name=filter caps=%s ! shmvideosink name=sink enable-last-sample=true "
      "socket-path=%s",
      caps[0], shmvtest_path("share"));
  GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "filter");
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 9; i++) {
    GstCaps *next = gst_caps_from_string(caps[i % 3]);
    const struct shmvideo_frame *frame = NULL;
    int width, height;
    GstStructure *s = gst_caps_get_structure(next, 0);
    gst_structure_get_int(s, "width", &width);
    gst_structure_get_int(s, "height", &height);
    g_object_set(filter, "caps", next, NULL);
    while ((frame = watcher_frame(reader))->format->width != (guint32)width)
      shmvideo_frame_release(frame);
    g_assert_cmpuint(frame->format->height, ==, height);
    GstCaps *said = gst_caps_from_string(frame->caps);
    g_assert_true(gst_caps_is_subset(said, next));
    gst_caps_unref(said);
    shmvideo_frame_release(frame);
    gst_caps_unref(next);
  }
  g_assert_cmpuint(watcher_count(pipeline, "dropped"), ==, 0);
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), >, 0);
  shmvideo_reader_free(reader);
  gst_object_unref(filter);
  shmvtest_stop(pipeline);
}

/* The end comes after the last frame, and the last frame at its time. */
static void
eos_reaches_readers_when_rendered(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=5 ! video/x-raw,framerate=20/1 ! shmvideosink "
      "name=sink socket-path=%s",
      shmvtest_path("share"));
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  const struct shmvideo_frame *frame = NULL;
  guint64 sequence = 0;
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  GstClockTime base_time = gst_element_get_base_time(pipeline);
  int outcome;
  while ((outcome = watcher_next(reader, &frame)) != SHMVIDEO_END) {
    g_assert_cmpint(outcome, !=, SHMVIDEO_LOST);
    if (outcome != SHMVIDEO_FRAME)
      continue;
    g_assert_cmpuint(frame->capture_time, ==, base_time + frame->pts);
    g_assert_false(frame->flags & SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
    g_assert_cmpuint(shmvtest_now(), >=, frame->capture_time);
    sequence = frame->sequence;
    shmvideo_frame_release(frame);
  }
  g_assert_cmpuint(sequence, ==, 5);
  g_assert_cmpuint(shmvtest_now() - base_time, >=, 200 * GST_MSECOND);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  shmvtest_stop(pipeline);
  g_assert_true(watcher_idle(reader)); /* after an end, leaving is no loss */
  shmvideo_reader_free(reader);
}

static void
push(GstPad *pad, GstClockTime pts, guint flags)
{
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, 16, NULL);
  gst_buffer_memset(buffer, 0, 0, 16);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_FLAG_SET(buffer, flags);
  g_assert_cmpint(gst_pad_push(pad, buffer), ==, GST_FLOW_OK);
}

static void
push_segment(GstPad *pad)
{
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  g_assert_true(gst_pad_push_event(pad, gst_event_new_segment(&segment)));
}

#define TINY "video/x-raw,format=GRAY8,width=4,height=4,framerate=30/1"

/* Flags travel; a gap shows nothing; a flush makes the next frame a DISCONT. The test
 * itself is what streams: a flush beneath the push of a source would end its thread. */
static void
flags_gaps_and_flushes(void)
{
  GstElement *pipeline = shmvtest_launch(
      "shmvideosink name=sink sync=false socket-path=%s", shmvtest_path("share"));
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad *sink_pad = gst_element_get_static_pad(sink, "sink");
  GstPad *pad = gst_pad_new("src", GST_PAD_SRC);
  GstCaps *caps = gst_caps_from_string(TINY);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_assert_cmpint(gst_pad_link(pad, sink_pad), ==, GST_PAD_LINK_OK);
  gst_pad_set_active(pad, TRUE);
  g_assert_true(gst_pad_push_event(pad, gst_event_new_stream_start("test")));
  g_assert_true(gst_pad_push_event(pad, gst_event_new_caps(caps)));
  push_segment(pad);

  push(pad, 0, 0);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  g_assert_cmphex(frame->flags, ==,
                  SHMVIDEO_FLAG_DISCONT | SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
  shmvideo_frame_release(frame);
  push(pad, GST_SECOND, GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_GAP);
  frame = watcher_frame(reader);
  g_assert_cmphex(frame->flags, ==,
                  SHMVIDEO_FLAG_CORRUPTED | SHMVIDEO_FLAG_GAP |
                      SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
  g_assert_cmpuint(frame->pts, ==, GST_SECOND);
  g_assert_cmpuint(frame->sequence, ==, 2);
  shmvideo_frame_release(frame);

  g_assert_true(gst_pad_push_event(
      pad, gst_event_new_gap(2 * GST_SECOND, GST_SECOND)));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 2);

  /* The sink plays, but the pipeline may not know it yet, and would leave it in PAUSED
   * after a flush. */
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  g_assert_true(gst_pad_push_event(pad, gst_event_new_flush_start()));
  g_assert_true(gst_pad_push_event(pad, gst_event_new_flush_stop(TRUE)));
  push_segment(pad);
  push(pad, 3 * GST_SECOND, 0);
  frame = watcher_frame(reader);
  g_assert_cmpuint(frame->sequence, ==, 3);
  g_assert_true(frame->flags & SHMVIDEO_FLAG_DISCONT);
  shmvideo_frame_release(frame);

  shmvideo_reader_free(reader);
  gst_caps_unref(caps);
  shmvtest_stop(pipeline);
  gst_pad_set_active(pad, FALSE);
  gst_object_unref(pad);
  gst_object_unref(sink_pad);
  gst_object_unref(sink);
}

struct arrivals {
  GMutex lock;
  guint64 at[64]; /* by PTS: when the sink got it */
};

static GstPadProbeReturn
note_arrival(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  (void)pad;
  struct arrivals *arrivals = user;
  guint64 n = GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info));
  g_mutex_lock(&arrivals->lock);
  if (n < G_N_ELEMENTS(arrivals->at))
    arrivals->at[n] = shmvtest_now();
  g_mutex_unlock(&arrivals->lock);
  return GST_PAD_PROBE_OK;
}

static int
compare(const void *a, const void *b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

/* At default properties, though another branch makes the pipeline's latency
 * 100 ms, a live frame is with its readers within a millisecond. */
static void
live_frames_are_not_delayed(void)
{
  struct arrivals arrivals = {.at = {0}};
  guint64 delays[30];
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! video/x-raw,framerate=60/1 ! tee name=t ! "
      "queue ! shmvideosink name=sink socket-path=%s "
      "t. ! queue ! fakesink processing-deadline=100000000 sync=true",
      shmvtest_path("share"));
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, &arrivals,
                    NULL);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  shmvideo_frame_release(watcher_frame(reader)); /* threads, pages: warm */
  for (guint i = 0; i < G_N_ELEMENTS(delays); i++) {
    const struct shmvideo_frame *frame = watcher_frame(reader);
    guint64 now = shmvtest_now();
    g_assert_cmpuint(frame->offset, <, G_N_ELEMENTS(arrivals.at));
    g_mutex_lock(&arrivals.lock);
    delays[i] = now - arrivals.at[frame->offset];
    g_mutex_unlock(&arrivals.lock);
    g_assert_false(frame->flags & SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
    shmvideo_frame_release(frame);
  }
  qsort(delays, G_N_ELEMENTS(delays), sizeof delays[0], compare);
  g_test_message("median %" G_GUINT64_FORMAT " us, worst %" G_GUINT64_FORMAT
                 " us",
                 delays[15] / 1000, delays[29] / 1000);
  g_assert_cmpuint(delays[15], <=,
                   GST_MSECOND * (guint64)shmvtest_deadline() / 10000);
  shmvideo_reader_free(reader);
  gst_object_unref(pad);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/sink/stream/caps-change-while-playing",
               caps_change_while_playing);
  shmvtest_add("/sink/stream/eos-reaches-readers-when-rendered",
               eos_reaches_readers_when_rendered);
  shmvtest_add("/sink/stream/flags-gaps-and-flushes", flags_gaps_and_flushes);
  shmvtest_add("/sink/stream/live-frames-are-not-delayed",
               live_frames_are_not_delayed);
  return shmvtest_run();
}
