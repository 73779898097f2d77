/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What shmvideosrc's buffers are: pixels, strides, copies, timestamps, latency,
 * and that they outlive what they came from.
 */

#include <gst/app/app.h>
#include <string.h>

#include "feeder.h"
#include "gsttest.h"

#define MS GST_MSECOND

static GstElement *
get(GstElement *pipeline, const char *name)
{
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);

  g_assert_nonnull(element);
  gst_object_unref(element); /* the pipeline has it */
  return element;
}

static GstSample *
try_pull(GstElement *pipeline)
{
  return gst_app_sink_try_pull_sample(
      GST_APP_SINK(get(pipeline, "sink")),
      (GstClockTime)shmvtest_deadline() * MS);
}

static GstSample *
pull(GstElement *pipeline)
{
  GstSample *sample = try_pull(pipeline);

  if (sample == NULL) {
    gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
    g_error("end of stream instead of a frame");
  }
  return sample;
}

static GstBuffer *
buffer_of(GstSample *sample)
{
  return gst_sample_get_buffer(sample);
}

static gint
width_of(GstSample *sample)
{
  gint width = 0;

  gst_structure_get_int(gst_caps_get_structure(gst_sample_get_caps(sample), 0),
                        "width", &width);
  return width;
}

static guint64
stat_of(GstElement *pipeline, const char *name)
{
  GstStructure *stats;
  guint64 value;

  g_object_get(get(pipeline, "src"), "transport-stats", &stats, NULL);
  g_assert_true(gst_structure_get_uint64(stats, name, &value));
  gst_structure_free(stats);
  return value;
}

static gboolean
is_zero_copy(GstBuffer *buffer)
{
  return GST_MEMORY_IS_READONLY(gst_buffer_peek_memory(buffer, 0));
}

/* ---- strides -------------------------------------------------------------- */

static GstPadProbeReturn
know_video_meta(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);

  (void)pad;
  (void)data;
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

/* As an element sees it that has never heard of GstVideoMeta. */
static void
check_without_meta(GstSample *sample)
{
  GstBuffer *bare = gst_buffer_copy_region(buffer_of(sample),
                                           GST_BUFFER_COPY_FLAGS |
                                               GST_BUFFER_COPY_MEMORY,
                                           0, -1);
  GstSample *other =
      gst_sample_new(bare, gst_sample_get_caps(sample), NULL, NULL);

  GST_BUFFER_OFFSET(bare) = GST_BUFFER_OFFSET(buffer_of(sample));
  g_assert_null(gst_buffer_get_video_meta(bare));
  feeder_check(other);
  gst_sample_unref(other);
  gst_buffer_unref(bare);
}

/* Downstream that knows GstVideoMeta gets the frame as it lies; other gets it as
 * caps alone say it lies. */
static void
strange_strides(void)
{
  for (guint meta = 0; meta < 2; meta++) {
    struct feeder_config config = {.fps = 50, .padding = 64};
    struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
    GstElement *pipeline = shmvtest_launch(
        "shmvideosrc name=src socket-path=%s max-holds=32 ! "
        "appsink name=sink sync=false",
        shmvtest_path("s"));
    GstPad *pad = gst_element_get_static_pad(get(pipeline, "sink"), "sink");

    if (meta)
      gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                        know_video_meta, NULL, NULL);
    gst_object_unref(pad);
    shmvtest_state(pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < 20; i++) {
      GstSample *sample = pull(pipeline);
      GstVideoInfo info;

      feeder_check(sample);
      g_assert_true(
          gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
      g_assert_cmpint(is_zero_copy(buffer_of(sample)), ==, meta);
      if (meta) {
        g_assert_cmpint(
            gst_buffer_get_video_meta(buffer_of(sample))->stride[0], ==,
            info.stride[0] + 64);
      } else {
        g_assert_cmpuint(gst_buffer_get_size(buffer_of(sample)), ==, info.size);
        check_without_meta(sample);
      }
      gst_sample_unref(sample);
    }
    g_assert_cmpuint(stat_of(pipeline, "copied-for-layout"), >=, meta ? 0 : 20);
    g_assert_cmpuint(stat_of(pipeline, "copied"), ==, 0);
    shmvtest_stop(pipeline);
    feeder_free(feeder);
  }
}

/* Whole buffers are whole pictures, not whole pages. */
static void
usual_strides_are_not_copied(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 50});
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-holds=32 ! "
      "appsink name=sink sync=false",
      shmvtest_path("s"));

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 20; i++) {
    GstSample *sample = pull(pipeline);
    GstBuffer *buffer = buffer_of(sample);
    GstVideoInfo info;

    feeder_check(sample);
    g_assert_true(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
    g_assert_true(is_zero_copy(buffer));
    g_assert_cmpuint(gst_buffer_get_size(buffer), ==, info.size);
    g_assert_cmpuint(GST_BUFFER_DURATION(buffer), ==, 20 * MS);
    g_assert_cmpuint(GST_BUFFER_OFFSET_END(buffer), ==,
                     GST_BUFFER_OFFSET(buffer) + 1);
    gst_sample_unref(sample);
  }
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* ---- copies --------------------------------------------------------------- */

/* A deep queue before a sink that stands still costs copies on this side, and
 * nothing on the other. */
static void
hoarding_costs_copies_only(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 100});
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-holds=4 max-buffers=32 ! "
      "queue max-size-buffers=200 max-size-bytes=0 max-size-time=0 ! "
      "appsink name=sink sync=false max-buffers=1", shmvtest_path("s"));
  struct shmvideo_reader_info reader;
  struct shmvideo_writer_stats stats;
  guint64 first, number;
  GstSample *sample;

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  sample = pull(pipeline);
  first = feeder_check(sample);
  gst_sample_unref(sample);
  feeder_wait(feeder, 150);

  g_assert_true(feeder_reader(feeder, &reader));
  g_assert_cmpuint(reader.holding, <=, reader.max_holds);
  g_assert_cmpuint(reader.max_holds, <=, 4);
  g_assert_cmpuint(reader.skipped, ==, 0);
  g_assert_cmpuint(reader.copied, >=, 100);
  shmvideo_writer_get_stats(feeder_writer(feeder), &stats);
  g_assert_cmpuint(stats.frames, ==, feeder_count(feeder));
  g_assert_cmpuint(stats.slots_active, <, 48);

  /* not one is missing, each is right */
  for (guint i = 1; i < 140; i++) {
    sample = pull(pipeline);
    number = feeder_check(sample);
    g_assert_cmpuint(number, ==, first + i);
    gst_sample_unref(sample);
  }
  g_assert_cmpuint(stat_of(pipeline, "copied"), >=, 100);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* ---- frames outlive ------------------------------------------------------- */

static void
keep(GstElement *pipeline, GstSample **kept, guint64 *numbers, guint n)
{
  for (guint i = 0; i < n; i++) {
    kept[i] = pull(pipeline);
    numbers[i] = feeder_check(kept[i]);
    g_assert_true(is_zero_copy(buffer_of(kept[i])));
  }
}

static void
check_kept(GstSample **kept, const guint64 *numbers, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint(feeder_check(kept[i]), ==, numbers[i]);
}

static void
frames_outlive_source_and_writer(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 100});
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-holds=32 ! "
      "appsink name=sink sync=false",
      shmvtest_path("s"));
  GstSample *kept[3];
  guint64 numbers[3];

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  keep(pipeline, kept, numbers, 3);
  shmvtest_stop(pipeline);
  feeder_wait(feeder, 60);
  check_kept(kept, numbers, 3);
  feeder_free(feeder);
  check_kept(kept, numbers, 3);
  for (guint i = 0; i < 3; i++)
    gst_sample_unref(kept[i]);
}

static void
frames_outlive_a_change_of_path(void)
{
  struct feeder_config other = {.fps = 100, .width = 34, .height = 20};
  struct feeder *feeder =
      feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 100});
  struct feeder *second = feeder_new(shmvtest_path("b"), other);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-holds=32 ! "
      "appsink name=sink sync=false",
      shmvtest_path("a"));
  GstClockTime last;
  GstSample *kept[3], *sample = NULL;
  guint64 numbers[3];

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  keep(pipeline, kept, numbers, 3);
  last = GST_BUFFER_PTS(buffer_of(kept[2]));
  g_object_set(get(pipeline, "src"), "socket-path", shmvtest_path("b"), NULL);
  do {
    g_clear_pointer(&sample, gst_sample_unref);
    sample = pull(pipeline);
    feeder_check(sample);
    g_assert_cmpuint(GST_BUFFER_PTS(buffer_of(sample)), >, last);
    last = GST_BUFFER_PTS(buffer_of(sample));
  } while (width_of(sample) != 34);
  g_assert_true(GST_BUFFER_IS_DISCONT(buffer_of(sample)));
  gst_sample_unref(sample);
  feeder_wait(feeder, 60);
  check_kept(kept, numbers, 3);
  for (guint i = 0; i < 3; i++)
    gst_sample_unref(kept[i]);
  /* the first writer has lost us, frames and all; appsink may keep one more */
  gst_sample_unref(pull(pipeline));
  feeder_wait_readers(feeder, 0);
  shmvtest_stop(pipeline);
  feeder_free(second);
  feeder_free(feeder);
}

/* ---- timestamps ----------------------------------------------------------- */

static void
never_backwards_through_restart_and_new_size(void)
{
  static const guint widths[] = {66, 34, 34, 98};
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! appsink name=sink sync=false",
      shmvtest_path("s"));
  GstClockTime last = GST_CLOCK_TIME_NONE;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (guint run = 0; run < G_N_ELEMENTS(widths); run++) {
    struct feeder_config config = {
        .fps = 50, .width = widths[run], .height = 20,
        .latency = run % 2 * 400 * MS};
    struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
    guint64 number = 0;

    for (guint i = 0; i < 15;) {
      GstSample *sample = pull(pipeline);
      GstBuffer *buffer = buffer_of(sample);

      if (last != GST_CLOCK_TIME_NONE)
        g_assert_cmpuint(GST_BUFFER_PTS(buffer), >, last);
      last = GST_BUFFER_PTS(buffer);
      feeder_check(sample);
      /* frames of the run before may come yet: they number higher */
      if (width_of(sample) == (gint)widths[run] &&
          GST_BUFFER_OFFSET(buffer) < 1000) {
        /* a new writer, or frames that a busy machine made us skip */
        g_assert_cmpint(GST_BUFFER_IS_DISCONT(buffer), ==,
                        i == 0 || GST_BUFFER_OFFSET(buffer) != number + 1);
        number = GST_BUFFER_OFFSET(buffer);
        i++;
      }
      gst_sample_unref(sample);
    }
    feeder_free(feeder);
    for (;;) { /* what is still on its way */
      GstSample *sample = gst_app_sink_try_pull_sample(
          GST_APP_SINK(get(pipeline, "sink")), 100 * MS);

      if (sample == NULL)
        break;
      last = GST_BUFFER_PTS(buffer_of(sample));
      gst_sample_unref(sample);
    }
  }
  shmvtest_stop(pipeline);
}

/* CLOCK_MONOTONIC that the frame was captured at, by its meta. */
static GstClockTime
captured(GstBuffer *buffer)
{
  GstCaps *caps = gst_caps_from_string("timestamp/x-monotonic-capture");
  GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta(buffer, caps);

  gst_caps_unref(caps);
  g_assert_nonnull(meta);
  return meta->timestamp;
}

/* One that was shown long ago is there at once, and counts from now, so that a
 * synchronised sink shows it. */
static void
still_picture_for_a_late_joiner(void)
{
  struct feeder_config config = {.fps = 50, .quiet = TRUE};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
  guint64 shown = shmvtest_now();
  GstElement *pipeline;
  GstSample *sample;
  GstBuffer *buffer;

  feeder_show(feeder);
  /* a reader that comes and goes takes a while, and proves that it is there */
  for (guint i = 0; i < 3 || shmvtest_now() - shown < 500 * MS; i++) {
    pipeline = shmvtest_launch(
        "shmvideosrc name=src socket-path=%s ! appsink name=sink",
        shmvtest_path("s"));
    shmvtest_state(pipeline, GST_STATE_PLAYING);
    sample = pull(pipeline);
    g_assert_cmpuint(feeder_check(sample), ==, 0);
    gst_sample_unref(sample);
    shmvtest_stop(pipeline);
  }
  pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! appsink name=sink",
      shmvtest_path("s"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  sample = pull(pipeline);
  buffer = buffer_of(sample);
  g_assert_cmpuint(feeder_check(sample), ==, 0);
  g_assert_true(GST_BUFFER_IS_DISCONT(buffer));
  /* its own time was long before this pipeline's zero */
  g_assert_cmpuint(captured(buffer) + 400 * MS, <,
                   gst_element_get_base_time(pipeline));
  g_assert_cmpuint(GST_BUFFER_PTS(buffer), >, 0);
  gst_sample_unref(sample);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

static void
timestamp_modes(void)
{
  static const char *const modes[] = {"", "timestamp-mode=arrival",
                                      "timestamp-mode=passthrough"};
  struct feeder_config config = {.fps = 50, .latency = 70 * MS};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);

  feeder_wait(feeder, 60);
  for (guint mode = 0; mode < 3; mode++) {
    GstElement *pipeline = shmvtest_launch(
        "shmvideosrc name=src socket-path=%s %s ! appsink name=sink sync=false",
        shmvtest_path("s"), modes[mode]);

    shmvtest_state(pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < 20; i++) {
      GstSample *sample = pull(pipeline);
      GstBuffer *buffer = buffer_of(sample);
      GstClockTime base = gst_element_get_base_time(pipeline);
      GstClockTime pts = GST_BUFFER_PTS(buffer), now = shmvtest_now() - base;

      g_assert_cmpuint(captured(buffer) + 70 * MS, <=, shmvtest_now());
      /* of before PLAYING: all modes but passthrough clamp */
      if (mode == 2)
        g_assert_cmpuint(pts, ==, GST_BUFFER_OFFSET(buffer) * 20 * MS);
      else if (mode == 0 && i > 10)
        g_assert_cmpuint(pts, ==, captured(buffer) - base);
      else if (mode == 1 && i > 0)
        g_assert_cmpuint(pts + base, >=, captured(buffer) + 70 * MS);
      if (mode != 2)
        g_assert_cmpuint(pts, <=, now);
      gst_sample_unref(sample);
    }
    shmvtest_stop(pipeline);
  }
  feeder_free(feeder);
}

static void
mode_of_lossless(void)
{
  struct feeder_config config = {.fps = 100, .backpressure = TRUE};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s policy=lossless num-buffers=100 ! "
      "appsink name=sink sync=false max-buffers=2", shmvtest_path("s"));
  GstSample *sample;
  guint64 first = 0, n = 0;
  gint mode;

  g_object_get(get(pipeline, "src"), "timestamp-mode", &mode, NULL);
  g_assert_cmpint(mode, ==, 2);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  while ((sample = try_pull(pipeline)) != NULL) {
    guint64 number = feeder_check(sample);

    if (n == 0)
      first = number;
    g_assert_cmpuint(number, ==, first + n);
    g_assert_cmpuint(GST_BUFFER_PTS(buffer_of(sample)), ==, number * 10 * MS);
    gst_sample_unref(sample);
    if (n++ % 20 == 0) /* slower than the writer now and then: it waits */
      g_poll(NULL, 0, 60);
  }
  g_assert_cmpuint(n, ==, 100);
  g_assert_cmpuint(stat_of(pipeline, "skipped"), ==, 0);
  g_object_set(get(pipeline, "src"), "timestamp-mode", 0, NULL);
  g_object_get(get(pipeline, "src"), "timestamp-mode", &mode, NULL);
  g_assert_cmpint(mode, ==, 0);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* ---- latency -------------------------------------------------------------- */

static void
expect_latency(GstElement *pipeline, GstClockTime min, GstClockTime max)
{
  GstQuery *query = gst_query_new_latency();
  GstClockTime got_min, got_max;
  gboolean live;

  g_assert_true(gst_element_query(get(pipeline, "src"), query));
  gst_query_parse_latency(query, &live, &got_min, &got_max);
  gst_query_unref(query);
  g_assert_true(live);
  g_assert_cmpuint(got_min, ==, min);
  g_assert_cmpuint(got_max, ==, max);
}

/* Sinks post such messages too. */
static void
wait_latency_message(GstElement *pipeline)
{
  gboolean ours = FALSE;

  while (!ours) {
    GstMessage *message = shmvtest_message(pipeline, GST_MESSAGE_LATENCY);

    ours = GST_MESSAGE_SRC(message) == GST_OBJECT(get(pipeline, "src"));
    gst_message_unref(message);
  }
}

static void
latency_is_the_writers_and_ours(void)
{
  struct feeder_config config = {.fps = 50, .latency = 100 * MS};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! "
      "fakesink sync=false enable-last-sample=false", shmvtest_path("s"));

  expect_latency(pipeline, 20 * MS, 80 * MS);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_latency_message(pipeline);
  expect_latency(pipeline, 120 * MS, 180 * MS);

  feeder_set_latency(feeder, 30 * MS);
  wait_latency_message(pipeline);
  expect_latency(pipeline, 50 * MS, 110 * MS);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

static void
latency_without_rate_and_lossless(void)
{
  struct feeder_config config = {.backpressure = TRUE, .latency = 10 * MS};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-buffers=1 ! "
      "appsink name=sink sync=false", shmvtest_path("s"));

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_sample_unref(pull(pipeline));
  expect_latency(pipeline, 30 * MS, 30 * MS);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_object_set(get(pipeline, "src"), "policy", 1, NULL);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_sample_unref(pull(pipeline));
  expect_latency(pipeline, 30 * MS, GST_CLOCK_TIME_NONE);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* What a viewer sees of a writer whose frames come 100 ms after they happened. */
static void
late_writer_loses_nothing_at_a_synchronised_sink(void)
{
  struct feeder_config config = {.fps = 30, .latency = 100 * MS};
  struct feeder *feeder = feeder_new(shmvtest_path("s"), config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s num-buffers=45 ! "
      "fakesink name=sink sync=true qos=true max-lateness=20000000",
      shmvtest_path("s"));
  guint64 rendered, dropped;
  GstStructure *stats;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (;;) {
    GstMessage *message = shmvtest_message(
        pipeline, GST_MESSAGE_EOS | GST_MESSAGE_LATENCY);
    gboolean end = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;

    gst_message_unref(message);
    if (end)
      break;
    gst_bin_recalculate_latency(GST_BIN(pipeline)); /* as applications do */
  }
  g_object_get(get(pipeline, "sink"), "stats", &stats, NULL);
  g_assert_true(gst_structure_get_uint64(stats, "rendered", &rendered));
  g_assert_true(gst_structure_get_uint64(stats, "dropped", &dropped));
  g_test_message("rendered %" G_GUINT64_FORMAT ", dropped %" G_GUINT64_FORMAT,
                 rendered, dropped);
  gst_structure_free(stats);
  g_assert_cmpuint(rendered, ==, 45);
  g_assert_cmpuint(dropped, ==, 0);
  g_assert_cmpuint(stat_of(pipeline, "skipped"), ==, 0);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* ---- skipping ------------------------------------------------------------- */

static void
slow_reader_skips_and_says_so(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 100});
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s max-buffers=2 ! "
      "appsink name=sink sync=false max-buffers=1", shmvtest_path("s"));
  GstMessage *message;
  guint64 processed, dropped, last = 0;
  GstFormat format;

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 8; i++) {
    GstSample *sample = pull(pipeline);
    guint64 number = feeder_check(sample);

    if (i > 0 && number != last + 1)
      g_assert_true(GST_BUFFER_IS_DISCONT(buffer_of(sample)));
    if (i > 4) /* the backlog of the queues is through */
      g_assert_cmpuint(number, >, last + 1);
    last = number;
    gst_sample_unref(sample);
    feeder_wait(feeder, 10);
  }
  message = shmvtest_message(pipeline, GST_MESSAGE_QOS);
  g_assert_true(GST_MESSAGE_SRC(message) == GST_OBJECT(get(pipeline, "src")));
  gst_message_parse_qos_stats(message, &format, &processed, &dropped);
  g_assert_cmpint(format, ==, GST_FORMAT_BUFFERS);
  g_assert_cmpuint(processed, >, 0);
  g_assert_cmpuint(dropped, >, 0);
  gst_message_unref(message);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/src/strange-strides-are-kept-or-copied-tight",
               strange_strides);
  shmvtest_add("/src/usual-strides-are-not-copied",
               usual_strides_are_not_copied);
  shmvtest_add("/src/hoarding-costs-copies-only", hoarding_costs_copies_only);
  shmvtest_add("/src/frames-outlive-source-and-writer",
               frames_outlive_source_and_writer);
  shmvtest_add("/src/frames-outlive-a-change-of-path",
               frames_outlive_a_change_of_path);
  shmvtest_add("/src/never-backwards-through-restart-and-new-size",
               never_backwards_through_restart_and_new_size);
  shmvtest_add("/src/still-picture-for-a-late-joiner",
               still_picture_for_a_late_joiner);
  shmvtest_add("/src/timestamp-modes", timestamp_modes);
  shmvtest_add("/src/lossless-passes-timestamps-through", mode_of_lossless);
  shmvtest_add("/src/latency-is-the-writers-and-ours",
               latency_is_the_writers_and_ours);
  shmvtest_add("/src/latency-without-rate-and-lossless",
               latency_without_rate_and_lossless);
  shmvtest_add("/src/late-writer-loses-nothing-at-a-synchronised-sink",
               late_writer_loses_nothing_at_a_synchronised_sink);
  shmvtest_add("/src/slow-reader-skips-and-says-so",
               slow_reader_skips_and_says_so);
  return shmvtest_run();
}
