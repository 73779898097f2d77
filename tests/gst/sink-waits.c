/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink with backpressure: upstream waits for a slot to draw in, and whoever
 * wants it to stop waiting is not held up.
 */

#include "watcher.h"

struct play {
  GstElement *pipeline;
  struct shmvideo_reader *reader;
  guint64 sequence; /* of the last frame that was read */
};

static void
read_frames(struct play *play, guint n)
{
  for (guint i = 0; i < n; i++) {
    const struct shmvideo_frame *frame = watcher_frame(play->reader);
    if (play->sequence != 0)
      g_assert_cmpuint(frame->sequence, ==, play->sequence + 1);
    play->sequence = frame->sequence;
    shmvideo_frame_release(frame);
  }
}

/* No frame was shown for a tenth of a second: upstream waits, or is about to. */
static void
wait_blocked(struct play *play)
{
  guint64 count = G_MAXUINT64;
  for (;;) {
    guint64 now = watcher_count(play->pipeline, "frames");
    if (now == count)
      return;
    count = now;
    g_usleep(100000);
  }
}

/* A source as fast as it can be, and a lossless reader that has stopped reading. */
static void
begin(struct play *play, const char *timeout)
{
  memset(play, 0, sizeof *play);
  play->pipeline = shmvtest_launch(
      "videotestsrc ! video/x-raw,format=RGBA,width=64,height=48 ! shmvideosink "
      "name=sink sync=false wait-for-connection=true backpressure=true "
      "backpressure-timeout=%s socket-path=%s", timeout, shmvtest_path("share"));
  play->reader = watcher_new(shmvtest_path("share"), SHMVIDEO_LOSSLESS);
  gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
  read_frames(play, 10);
}

/* What was drawn for it was shown where it is, but for what a state change or a flush
 * let go of its wait. */
static void
finish(struct play *play, guint copies)
{
  g_assert_cmpuint(watcher_count(play->pipeline, "copied"), <=, copies);
  g_assert_cmpuint(watcher_count(play->pipeline, "dropped"), ==, 0);
  shmvideo_reader_free(play->reader);
  shmvtest_stop(play->pipeline);
}

#define LONG "3600000000000"

static void
upstream_waits_for_a_slot(void)
{
  struct play play;
  begin(&play, LONG);
  for (guint i = 0; i < 20; i++) {
    if (i % 5 == 0)
      wait_blocked(&play);
    read_frames(&play, 100);
  }
  finish(&play, 0);
}

static void
a_pause_is_not_held_up(void)
{
  struct play play;
  begin(&play, LONG);
  for (guint i = 0; i < 5; i++) {
    wait_blocked(&play);
    shmvtest_state(play.pipeline, GST_STATE_PAUSED);
    shmvtest_state(play.pipeline, GST_STATE_PLAYING);
    read_frames(&play, 20);
  }
  finish(&play, 5);
}

static void
a_stop_is_not_held_up(void)
{
  struct play play;
  for (guint i = 0; i < 5; i++) {
    begin(&play, LONG);
    wait_blocked(&play);
    shmvtest_state(play.pipeline, i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
    shmvideo_reader_free(play.reader);
    shmvtest_stop(play.pipeline);
  }
}

static void
a_flush_is_not_held_up(void)
{
  struct play play;
  begin(&play, LONG);
  for (guint i = 0; i < 5; i++) {
    wait_blocked(&play);
    g_assert_true(gst_element_seek_simple(play.pipeline, GST_FORMAT_TIME,
                                          GST_SEEK_FLAG_FLUSH, i * GST_SECOND));
    read_frames(&play, 100);
  }
  finish(&play, 5);
}

/* His time is up: he is demoted, and nobody waits, or copies, any more. */
static void
a_wait_has_an_end(void)
{
  struct play play;
  begin(&play, "200000000");
  guint64 shown = watcher_count(play.pipeline, "frames");
  while (watcher_count(play.pipeline, "frames") < shown + 1000)
    g_usleep(1000);
  finish(&play, 0);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/sink/waits/for-a-slot", upstream_waits_for_a_slot);
  shmvtest_add("/sink/waits/pause", a_pause_is_not_held_up);
  shmvtest_add("/sink/waits/stop", a_stop_is_not_held_up);
  shmvtest_add("/sink/waits/flush", a_flush_is_not_held_up);
  shmvtest_add("/sink/waits/demotion", a_wait_has_an_end);
  return shmvtest_run();
}
