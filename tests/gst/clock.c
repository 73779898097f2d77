/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Time between pipelines, timestamps of received frames, URIs: all that is pure
 * in the source. Clocks are set by hand; nothing here waits.
 */

#include <gst/check/gsttestclock.h>

#include "gsttest.h"
#include "gstshmvideoclock.h"
#include "gstshmvideotiming.h"
#include "gstshmvideouri.h"

#define MS GST_MSECOND
#define S GST_SECOND

/* ---- the mapping ---------------------------------------------------------- */

static void
mapping_is_exact_both_ways(void)
{
  const GstShmVideoClockReading reading = {
      .clock = 1000 * S, .monotonic = 77 * S + 123, .base_time = 990 * S};
  GstClockTimeDiff back;

  /* running time 10 s is now; 12 s is in two seconds */
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(&reading, 10 * S), ==,
                   77 * S + 123);
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(&reading, 12 * S + 1),
                   ==, 79 * S + 124);
  for (GstClockTime at = 0; at < 100 * S; at += 7 * S + 3) {
    GstClockTime mono = gst_shm_video_clock_map_to_monotonic(&reading, at);

    g_assert_true(gst_shm_video_clock_map_from_monotonic(&reading, mono, &back));
    g_assert_cmpint(back, ==, (GstClockTimeDiff)at);
  }
}

static void
instants_before_running_time_0_are_negative(void)
{
  const GstShmVideoClockReading reading = {
      .clock = 20 * S, .monotonic = 500 * S, .base_time = 15 * S};
  GstClockTimeDiff at;

  g_assert_true(
      gst_shm_video_clock_map_from_monotonic(&reading, 490 * S, &at));
  g_assert_cmpint(at, ==, -5 * (GstClockTimeDiff)S);
  g_assert_true(gst_shm_video_clock_map_from_monotonic(&reading, 0, &at));
  g_assert_cmpint(at, ==, -495 * (GstClockTimeDiff)S);
}

static void
unknown_and_absurd_times_map_to_none(void)
{
  GstShmVideoClockReading reading = {
      .clock = 900 * S, .monotonic = 5 * S, .base_time = 0};
  GstClockTimeDiff at;

  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(
                       &reading, GST_CLOCK_TIME_NONE), ==, GST_CLOCK_TIME_NONE);
  /* before CLOCK_MONOTONIC began */
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(&reading, 0), ==,
                   GST_CLOCK_TIME_NONE);
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(
                       &reading, GST_CLOCK_TIME_NONE - 1), ==,
                   GST_CLOCK_TIME_NONE);
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(&reading, G_MAXINT64),
                   ==, G_MAXINT64 - 895 * S);
  reading.base_time = 1;
  g_assert_cmpuint(gst_shm_video_clock_map_to_monotonic(&reading, G_MAXINT64),
                   ==, GST_CLOCK_TIME_NONE);
  g_assert_false(gst_shm_video_clock_map_from_monotonic(
      &reading, GST_CLOCK_TIME_NONE, &at));
  g_assert_false(gst_shm_video_clock_map_from_monotonic(
      &reading, (GstClockTime)G_MAXINT64 + 1, &at));
  g_assert_false(gst_shm_video_clock_map_from_monotonic(
      &reading, G_MAXINT64, &at));
}

/* ---- an element's clock --------------------------------------------------- */

static GstElement *
element_with_clock(GstClock *clock, GstClockTime base_time)
{
  GstElement *element = gst_element_factory_make("identity", NULL);

  g_assert_nonnull(element);
  gst_object_ref_sink(element);
  g_assert_true(gst_element_set_clock(element, clock));
  gst_element_set_base_time(element, base_time);
  shmvtest_state(element, GST_STATE_PLAYING);
  return element;
}

static void
system_clock_is_exact(void)
{
  GstClock *clock = gst_system_clock_obtain();
  GstClockTime base = gst_clock_get_time(clock) - 3 * S;
  GstElement *element = element_with_clock(clock, base);

  for (GstClockTime at = 0; at < 50 * MS; at += 7 * MS + 1) {
    g_assert_cmpuint(gst_shm_video_clock_to_monotonic(element, at), ==,
                     base + at);
    g_assert_cmpuint(gst_shm_video_clock_from_monotonic(element, base + at), ==,
                     at);
  }
  g_assert_cmpuint(gst_shm_video_clock_from_monotonic(element, base - 5), ==, 0);
  shmvtest_stop(element);
  gst_object_unref(clock);
}

static void
no_time_without_clock_or_while_not_running(void)
{
  GstClock *clock = gst_system_clock_obtain();
  GstElement *element = element_with_clock(clock, 0);

  g_assert_cmpuint(gst_shm_video_clock_to_monotonic(element, 5), !=,
                   GST_CLOCK_TIME_NONE);
  shmvtest_state(element, GST_STATE_PAUSED);
  g_assert_cmpuint(gst_shm_video_clock_to_monotonic(element, 5), ==,
                   GST_CLOCK_TIME_NONE);
  g_assert_cmpuint(gst_shm_video_clock_from_monotonic(element, 5), ==,
                   GST_CLOCK_TIME_NONE);
  shmvtest_state(element, GST_STATE_PLAYING);
  gst_element_set_clock(element, NULL);
  g_assert_cmpuint(gst_shm_video_clock_to_monotonic(element, 5), ==,
                   GST_CLOCK_TIME_NONE);
  shmvtest_stop(element);
  gst_object_unref(clock);
}

/* Running time of now, by both ways, must agree with the clock to within what
 * passed between looking at it before and after. */
static void
check_now(GstElement *element, GstClock *clock, GstClockTime base)
{
  GstClockTime before = gst_clock_get_time(clock) - base;
  GstClockTime mono = gst_shm_video_clock_monotonic_now();
  GstClockTime middle = gst_shm_video_clock_from_monotonic(element, mono);
  GstClockTime there = gst_shm_video_clock_to_monotonic(element, middle);
  GstClockTime after = gst_clock_get_time(clock) - base;

  g_assert_cmpuint(middle + 50 * 1000, >=, before);
  g_assert_cmpuint(middle, <=, after + 50 * 1000);
  g_assert_cmpint(ABS(GST_CLOCK_DIFF(mono, there)), <=,
                  (GstClockTimeDiff)(after - before + 50 * 1000));
}

static void
other_clocks_are_sampled(void)
{
  GstClock *real = g_object_new(GST_TYPE_SYSTEM_CLOCK, "clock-type",
                                GST_CLOCK_TYPE_REALTIME, NULL);
  GstClock *slaved = g_object_new(GST_TYPE_SYSTEM_CLOCK, NULL);
  GstClock *clocks[] = {gst_object_ref_sink(real), gst_object_ref_sink(slaved)};

  /* a clock that runs 1 % fast, and is 1000 s ahead */
  gst_clock_set_calibration(slaved, gst_clock_get_internal_time(slaved),
                            gst_clock_get_internal_time(slaved) + 1000 * S, 101,
                            100);
  for (guint i = 0; i < G_N_ELEMENTS(clocks); i++) {
    GstClockTime base = gst_clock_get_time(clocks[i]) - 2 * S;
    GstElement *element = element_with_clock(clocks[i], base);

    for (guint n = 0; n < 20; n++)
      check_now(element, clocks[i], base);
    shmvtest_stop(element);
    gst_object_unref(clocks[i]);
  }
}

static void
test_clock_is_followed(void)
{
  GstClock *clock = gst_test_clock_new_with_start_time(100 * S);
  GstElement *element = element_with_clock(clock, 95 * S);
  GstClockTime mono = gst_shm_video_clock_monotonic_now(), at;

  at = gst_shm_video_clock_from_monotonic(element, mono);
  /* the test clock stands still: later sampling puts mono further back */
  g_assert_cmpuint(at, <=, 5 * S);
  g_assert_cmpuint(at, >, 4 * S);
  gst_test_clock_advance_time(GST_TEST_CLOCK(clock), 10 * S);
  at = gst_shm_video_clock_from_monotonic(
      element, gst_shm_video_clock_monotonic_now());
  g_assert_cmpuint(at, <=, 15 * S);
  g_assert_cmpuint(at, >, 14 * S);
  shmvtest_stop(element);
  gst_object_unref(clock);
}

/* ---- timestamps ----------------------------------------------------------- */

struct expected {
  GstShmVideoTimestampMode mode;
  guint64 stream;
  GstClockTimeDiff now, capture; /* ms; -1: unknown */
  GstClockTimeDiff pts;          /* ms; the writer's; -1: unknown */
  GstClockTimeDiff result;       /* ms */
  gboolean discont;
};

#define CAPTURE GST_SHM_VIDEO_TIMESTAMP_CAPTURE
#define ARRIVAL GST_SHM_VIDEO_TIMESTAMP_ARRIVAL
#define PASS GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH
#define UNKNOWN (-100000000)

static void
play(const struct expected *frames, guint n)
{
  GstShmVideoTiming timing;
  GstClockTime last = GST_CLOCK_TIME_NONE;

  gst_shm_video_timing_reset(&timing);
  for (guint i = 0; i < n; i++) {
    const struct expected *e = &frames[i];
    GstShmVideoTimingFrame frame = {
        .mode = e->mode,
        .now = e->now == UNKNOWN ? GST_CLOCK_TIME_NONE
                                 : (GstClockTime)e->now * MS,
        .capture = e->capture == UNKNOWN ? GST_CLOCK_STIME_NONE
                                         : e->capture * (GstClockTimeDiff)MS,
        .pts = e->pts == UNKNOWN ? GST_CLOCK_TIME_NONE
                                 : (GstClockTime)e->pts * MS,
        .duration = 40 * MS, .max_age = 160 * MS, .stream = e->stream};
    gboolean discont;
    GstClockTime pts;

    if (e->mode == (GstShmVideoTimestampMode)-1) {
      gst_shm_video_timing_join(&timing);
      continue;
    }
    pts = gst_shm_video_timing_next(&timing, &frame, &discont);
    if (pts != (GstClockTime)e->result * MS || discont != e->discont)
      g_error("frame %u: PTS %" GST_TIME_FORMAT " discont %d", i,
              GST_TIME_ARGS(pts), discont);
    if (last != GST_CLOCK_TIME_NONE)
      g_assert_cmpuint(pts, >, last);
    last = pts;
  }
}
#define PLAY(frames) play(frames, G_N_ELEMENTS(frames))
#define JOIN {(GstShmVideoTimestampMode)-1, 0, 0, 0, 0, 0, FALSE}

static void
capture_is_when_it_happened(void)
{
  static const struct expected frames[] = {
      {CAPTURE, 1, 1000, 990, UNKNOWN, 990, TRUE},
      {CAPTURE, 1, 1050, 1030, UNKNOWN, 1030, FALSE},
      /* late, but it is not the first: its time stays true */
      {CAPTURE, 1, 1400, 1070, UNKNOWN, 1070, FALSE},
      {CAPTURE, 1, 1410, 1110, UNKNOWN, 1110, FALSE},
      /* nobody knows when */
      {CAPTURE, 1, 1420, UNKNOWN, UNKNOWN, 1420, FALSE},
      /* a little ahead is believed, much is not, nor is long ago */
      {CAPTURE, 1, 1430, 1500, UNKNOWN, 1500, FALSE},
      {CAPTURE, 1, 1700, 90000, UNKNOWN, 1700, FALSE},
      {CAPTURE, 1, 11800, 1750, UNKNOWN, 11800, FALSE},
  };
  PLAY(frames);
}

static void
old_picture_counts_from_now_and_then_catches_up(void)
{
  static const struct expected frames[] = {
      {CAPTURE, 1, 1000, -4000, UNKNOWN, 1000, TRUE},
      {CAPTURE, 1, 1040, 900, UNKNOWN, 1020, FALSE},
      {CAPTURE, 1, 1080, 940, UNKNOWN, 1040, FALSE},
      {CAPTURE, 1, 1120, 1000, UNKNOWN, 1060, FALSE},
      {CAPTURE, 1, 1160, 1100, UNKNOWN, 1100, FALSE},
      JOIN,
      {CAPTURE, 1, 9000, 1140, UNKNOWN, 9000, TRUE},
      {CAPTURE, 1, 9040, 9035, UNKNOWN, 9035, FALSE},
      JOIN,
      /* fresh enough: its own time */
      {CAPTURE, 1, 9900, 9850, UNKNOWN, 9850, TRUE},
  };
  PLAY(frames);
}

static void
frames_of_before_playing_are_at_zero(void)
{
  static const struct expected frames[] = {
      {CAPTURE, 1, 10, -30, UNKNOWN, 0, TRUE},
      {CAPTURE, 1, 30, 10, UNKNOWN, 10, FALSE},
  };
  PLAY(frames);
}

static void
never_backwards_through_a_restart(void)
{
  static const struct expected frames[] = {
      {CAPTURE, 1, 1000, 1000, UNKNOWN, 1000, TRUE},
      {CAPTURE, 2, 1010, 980, UNKNOWN, 1010, TRUE},
      {CAPTURE, 2, 1060, 1020, UNKNOWN, 1020, FALSE},
      {ARRIVAL, 2, 1070, 1000, UNKNOWN, 1070, FALSE},
      /* a burst does not run ahead of the clock */
      {ARRIVAL, 2, 1075, 1000, UNKNOWN, 1075, FALSE},
      {CAPTURE, 2, 1080, 1070, UNKNOWN, 1080, FALSE},
  };
  PLAY(frames);
}

static void
passthrough_is_the_writers_until_it_steps_back(void)
{
  static const struct expected frames[] = {
      {PASS, 1, 5, UNKNOWN, 7000, 7000, TRUE},
      {PASS, 1, 5, UNKNOWN, 7040, 7040, FALSE},
      {PASS, 1, 5, UNKNOWN, 9000, 9000, FALSE},
      /* another run starts from 0 */
      {PASS, 2, 5, UNKNOWN, 0, 9040, TRUE},
      {PASS, 2, 5, UNKNOWN, 40, 9080, FALSE},
      /* steps back a little, once: out of order; a lot: it seeked */
      {PASS, 2, 5, UNKNOWN, 30, 9100, FALSE},
      {PASS, 2, 5, UNKNOWN, 120, 9160, FALSE},
      {PASS, 2, 5, UNKNOWN, 5000, 14040, FALSE},
      {PASS, 2, 5, UNKNOWN, 1000, 14080, FALSE},
      {PASS, 2, 5, UNKNOWN, 1040, 14120, FALSE},
      {PASS, 2, 5, UNKNOWN, UNKNOWN, 14160, FALSE},
      /* goes on beyond us: as it is again */
      {PASS, 3, 5, UNKNOWN, 20000, 20000, TRUE},
  };
  PLAY(frames);
}

static void
without_a_clock_frames_follow_each_other(void)
{
  static const struct expected frames[] = {
      {CAPTURE, 1, UNKNOWN, UNKNOWN, UNKNOWN, 0, TRUE},
      {CAPTURE, 1, UNKNOWN, UNKNOWN, UNKNOWN, 40, FALSE},
      {CAPTURE, 2, UNKNOWN, UNKNOWN, UNKNOWN, 80, TRUE},
  };
  PLAY(frames);
}

/* Whatever a writer says, the next is later, and not beyond all bounds. */
static void
absurd_times_do_no_harm(void)
{
  static const guint64 absurd[] = {0, 1, G_MAXINT64, (guint64)G_MAXINT64 + 1,
                                   G_MAXUINT64 - 1, G_MAXUINT64,
                                   G_MAXINT64 / 4, G_MAXINT64 / 2};
  GRand *rand = g_rand_new_with_seed(7);
  GstShmVideoTiming timing;
  GstClockTime last = 0;

  gst_shm_video_timing_reset(&timing);
  for (guint i = 0; i < 20000; i++) {
    guint mode = g_rand_int(rand) % 3;
    GstShmVideoTimingFrame frame = {
        .mode = (GstShmVideoTimestampMode)mode,
        .now = i * 40 * MS,
        .capture = (GstClockTimeDiff)absurd[g_rand_int(rand) % 8],
        .pts = absurd[g_rand_int(rand) % 8],
        .duration = MAX(absurd[g_rand_int(rand) % 8], 1),
        .max_age = absurd[g_rand_int(rand) % 8],
        .stream = g_rand_int(rand) % 2};
    gboolean discont;
    GstClockTime pts = gst_shm_video_timing_next(&timing, &frame, &discont);

    if (i > 0)
      g_assert_cmpuint(pts, >, last);
    g_assert_cmpuint(pts, <, G_MAXINT64 / 2);
    last = pts;
  }
  g_rand_free(rand);
}

/* ---- URIs ----------------------------------------------------------------- */

static void
uris_and_paths_turn_into_each_other(void)
{
  static const struct {
    const char *path, *uri;
  } pairs[] = {{"/run/cam", "shmvideo:///run/cam"},
               {"cam", "shmvideo:cam"},
               {"./cam", "shmvideo:./cam"},
               {"/tmp/a b?c#d%e", "shmvideo:///tmp/a%20b%3Fc%23d%25e"}};
  static const char *const bad[] = {
      "shmvideo:", "shmvideo://", "shmvideo://host/cam", "shmvideo:/cam",
      "shmvideo:///cam?x=1", "shmvideo:///c%zz", "shmvideo:///c%00d",
      "file:///cam"};

  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
    char *uri = gst_shm_video_uri_from_path(pairs[i].path);
    char *path = gst_shm_video_uri_to_path(uri, NULL);

    g_assert_cmpstr(uri, ==, pairs[i].uri);
    g_assert_cmpstr(path, ==, pairs[i].path);
    g_free(uri);
    g_free(path);
  }
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    GError *error = NULL;

    g_assert_null(gst_shm_video_uri_to_path(bad[i], &error));
    g_assert_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI);
    g_error_free(error);
  }
  g_assert_null(gst_shm_video_uri_from_path(NULL));
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/clock/mapping-is-exact-both-ways", mapping_is_exact_both_ways);
  shmvtest_add("/clock/instants-before-running-time-0-are-negative",
               instants_before_running_time_0_are_negative);
  shmvtest_add("/clock/unknown-and-absurd-times-map-to-none",
               unknown_and_absurd_times_map_to_none);
  shmvtest_add("/clock/system-clock-is-exact", system_clock_is_exact);
  shmvtest_add("/clock/no-time-without-clock-or-while-not-running",
               no_time_without_clock_or_while_not_running);
  shmvtest_add("/clock/other-clocks-are-sampled", other_clocks_are_sampled);
  shmvtest_add("/clock/test-clock-is-followed", test_clock_is_followed);
  shmvtest_add("/timing/capture-is-when-it-happened",
               capture_is_when_it_happened);
  shmvtest_add("/timing/old-picture-counts-from-now-and-then-catches-up",
               old_picture_counts_from_now_and_then_catches_up);
  shmvtest_add("/timing/frames-of-before-playing-are-at-zero",
               frames_of_before_playing_are_at_zero);
  shmvtest_add("/timing/never-backwards-through-a-restart",
               never_backwards_through_a_restart);
  shmvtest_add("/timing/passthrough-is-the-writers-until-it-steps-back",
               passthrough_is_the_writers_until_it_steps_back);
  shmvtest_add("/timing/without-a-clock-frames-follow-each-other",
               without_a_clock_frames_follow_each_other);
  shmvtest_add("/timing/absurd-times-do-no-harm", absurd_times_do_no_harm);
  shmvtest_add("/uri/uris-and-paths-turn-into-each-other",
               uris_and_paths_turn_into_each_other);
  return shmvtest_run();
}
