/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * States of one side while the other goes on: up and down, paused, slow, blocked,
 * taken away with frames downstream. Every frame is looked at when it comes out.
 */

#include <gst/app/app.h>
#include <stdlib.h>
#include <unistd.h>

#include "feeder.h"
#include "gsttest.h"
#include "launch.h"

#define LIVE                                                                    \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=66,height=50,"     \
  "framerate=50/1 ! "

static GstElement *
get(GstElement *pipeline, const char *name)
{
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  g_assert_nonnull(element);
  gst_object_unref(element); /* the pipeline has it */
  return element;
}

static guint64
get_count(GstElement *src, const char *name)
{
  GstStructure *stats = NULL;
  guint64 count = 0;
  guint small = 0;
  g_object_get(src, "transport-stats", &stats, NULL);
  if (gst_structure_get_uint(stats, name, &small))
    count = small;
  else if (!gst_structure_get_uint64(stats, name, &count))
    g_error("no counter %s", name);
  gst_structure_free(stats);
  return count;
}

static GstSample *
pull(GstElement *pipeline, guint ms)
{
  return gst_app_sink_try_pull_sample(GST_APP_SINK(get(pipeline, "sink")),
                                      ms * GST_MSECOND);
}

/* Its number, and the sample is gone. */
static guint64
look(GstSample *sample)
{
  guint64 number = feeder_check(sample);
  gst_sample_unref(sample);
  return number;
}

static gint
get_width(GstSample *sample)
{
  gint width = 0;
  gst_structure_get_int(gst_caps_get_structure(gst_sample_get_caps(sample), 0),
                        "width", &width);
  return width;
}

/* ---- Frames that pass a pad ---------------------------------------------------- */

struct passing {
  GMutex lock;
  GCond changed;
  guint n;
  guint64 number, gaps; /* of the last; numbers that did not follow */
  GstClockTime age;     /* of the last: since its capture */
};

static GstPadProbeReturn
on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  struct passing *passing = user;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta(buffer, NULL);
  g_mutex_lock(&passing->lock);
  if (passing->n++ > 0 && GST_BUFFER_OFFSET(buffer) != passing->number + 1)
    passing->gaps++;
  passing->number = GST_BUFFER_OFFSET(buffer);
  passing->age = meta != NULL ? shmvtest_now() - meta->timestamp : GST_SECOND;
  g_cond_broadcast(&passing->changed);
  g_mutex_unlock(&passing->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch(struct passing *passing, GstElement *src)
{
  GstPad *pad = gst_element_get_static_pad(src, "src");
  memset(passing, 0, sizeof *passing);
  g_mutex_init(&passing->lock);
  g_cond_init(&passing->changed);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, passing, NULL);
  gst_object_unref(pad);
}

/* Wait for so many in all; the age of the last. */
static GstClockTime
wait_passed(struct passing *passing, guint n)
{
  gint64 until = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  g_mutex_lock(&passing->lock);
  while (passing->n < n)
    if (!g_cond_wait_until(&passing->changed, &passing->lock, until))
      g_error("%u frames only", passing->n);
  GstClockTime age = passing->age;
  g_mutex_unlock(&passing->lock);
  return age;
}

/* Another reader of the same share, that must miss nothing. */
static GstElement *
start_witness(const char *path, struct passing *passing)
{
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src max-buffers=32 socket-path=%s ! "
      "fakesink sync=false enable-last-sample=false", path);
  watch(passing, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_passed(passing, 1);
  return pipeline;
}

static void
end_witness(GstElement *pipeline, struct passing *passing)
{
  wait_passed(passing, passing->n + 3);
  shmvtest_stop(pipeline);
  g_test_message("the witness saw %u frames", passing->n);
  g_assert_cmpuint(passing->gaps, ==, 0);
}

/* ---- A queue full of frames ------------------------------------------------------ */

/* Nobody pulls: frames gather in the queue. */
static GstElement *
start_hoarder(const char *path, guint n_buffers)
{
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src max-buffers=32 socket-path=%s ! queue name=queue "
      "max-size-buffers=%u max-size-bytes=0 max-size-time=0 ! "
      "appsink name=sink sync=false max-buffers=1", path, n_buffers);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static guint
get_level(GstElement *pipeline)
{
  guint level;
  g_object_get(get(pipeline, "queue"), "current-level-buffers", &level, NULL);
  return level;
}

static void
wait_level(GstElement *pipeline, guint level)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * GST_MSECOND;
  while (get_level(pipeline) < level) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 2);
  }
}

/* All that is downstream of the source, each looked at: how many. */
static guint
pull_all(GstElement *pipeline)
{
  GstSample *sample;
  guint n = 0;
  guint64 last = 0;
  while ((sample = pull(pipeline, get_level(pipeline) > 0 ? 10000 : 200)) != NULL) {
    guint64 number = look(sample);
    if (n++ > 0)
      g_assert_cmpuint(number, >, last);
    last = number;
  }
  return n;
}

/* The source goes, and later its writer: what is downstream stays as it is. */
static void
source_is_taken_away(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 100});
  GstElement *pipeline = start_hoarder(shmvtest_path("a"), 200);
  GstElement *src = get(pipeline, "src");
  for (guint i = 0; i < 3; i++) {
    wait_level(pipeline, 30);
    gst_element_set_locked_state(src, TRUE);
    guint64 start = shmvtest_now();
    gst_element_set_state(src, GST_STATE_NULL);
    g_assert_cmpuint(shmvtest_now() - start, <, 500 * GST_MSECOND);
    guint level = get_level(pipeline);
    feeder_wait(feeder, 100); /* every slot is drawn over that can be */
    if (i == 1)
      feeder_resize(feeder, 98, 30);
    feeder_wait(feeder, 20);
    if (i == 2) {
      feeder_free(feeder);
      feeder = feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 100});
      feeder_wait(feeder, 20);
    }
    g_assert_cmpuint(pull_all(pipeline), >=, level);
    feeder_wait_readers(feeder, 0);
    gst_element_set_locked_state(src, FALSE);
    gst_element_sync_state_with_parent(src);
  }
  GstSample *sample = pull(pipeline, (guint)shmvtest_deadline());
  g_assert_nonnull(sample);
  look(sample);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* The source goes over to another writer, there and back. */
static void
source_is_pointed_elsewhere(void)
{
  struct feeder *a =
      feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 100});
  struct feeder *b = feeder_new(
      shmvtest_path("b"),
      (struct feeder_config){.fps = 100, .width = 34, .height = 20});
  GstElement *pipeline = start_hoarder(shmvtest_path("a"), 200);
  GstElement *src = get(pipeline, "src");
  for (guint i = 0; i < 4; i++) {
    gint before = i % 2 == 0 ? 66 : 34, after = i % 2 == 0 ? 34 : 66;
    wait_level(pipeline, 30);
    guint level = get_level(pipeline);
    g_object_set(src, "socket-path", shmvtest_path(i % 2 == 0 ? "b" : "a"), NULL);
    feeder_wait(a, 100);
    feeder_wait(b, 100);
    guint n = 0;
    for (gint width = before; width == before;) {
      GstSample *sample = pull(pipeline, (guint)shmvtest_deadline());
      g_assert_nonnull(sample);
      width = get_width(sample);
      g_assert_true(width == before || width == after);
      n += width == before;
      look(sample);
    }
    g_assert_cmpuint(n, >=, level);
  }
  shmvtest_stop(pipeline);
  feeder_wait_readers(a, 0);
  feeder_wait_readers(b, 0);
  feeder_free(a);
  feeder_free(b);
}

/* 200 frames in a queue cost copies, and nobody else anything. */
static void
sink_is_blocked(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 100});
  struct passing passing;
  GstElement *witness = start_witness(shmvtest_path("a"), &passing);
  GstElement *pipeline = start_hoarder(shmvtest_path("a"), 200);
  wait_level(pipeline, 200);
  guint64 copied = get_count(get(pipeline, "src"), "copied");
  g_test_message("%" G_GUINT64_FORMAT " copied", copied);
  g_assert_cmpuint(copied, >=, 190);
  feeder_wait(feeder, 100); /* it stands still for so long */
  guint64 first = 0;
  for (guint i = 0; i < 200; i++) {
    GstSample *sample = pull(pipeline, (guint)shmvtest_deadline());
    g_assert_nonnull(sample);
    guint64 number = look(sample);
    if (i == 0)
      first = number;
    g_assert_cmpuint(number, ==, first + i);
  }
  end_witness(witness, &passing);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* 400 ms for each frame: it gets late ones of its depth, never old ones. */
static void
reader_is_slow(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("a"), (struct feeder_config){.fps = 50});
  struct passing passing;
  GstElement *witness = start_witness(shmvtest_path("a"), &passing);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! identity sleep-time=400000 ! "
      "appsink name=sink sync=false max-buffers=1", shmvtest_path("a"));
  guint64 last = 0;
  GstClockTime last_pts = 0;
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 6; i++) {
    GstSample *sample = pull(pipeline, (guint)shmvtest_deadline());
    g_assert_nonnull(sample);
    GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    guint64 shown = feeder_count(feeder), number = look(sample);
    g_test_message("frame %" G_GUINT64_FORMAT " when %" G_GUINT64_FORMAT
                   " were shown", number, shown);
    if (i > 0) {
      g_assert_cmpuint(number, >, last);
      g_assert_cmpuint(pts, >, last_pts);
    }
    /* 20 frames while identity slept, 4 of depth; and a machine with other work */
    g_assert_cmpuint(shown - number, <, 50);
    last = number;
    last_pts = pts;
  }
  g_assert_cmpuint(get_count(get(pipeline, "src"), "skipped"), >, 40);
  end_witness(witness, &passing);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* ---- Paused -------------------------------------------------------------------- */

/* SHMVIDEO_TEST_PAUSE: seconds. */
static void
reader_is_paused(void)
{
  const char *seconds = g_getenv("SHMVIDEO_TEST_PAUSE");
  guint n = 50 * (seconds != NULL ? (guint)atoi(seconds) : 3);
  const char *path = shmvtest_path("a");
  struct launch *writer = launch_start(
      FALSE, LIVE "identity silent=false ! shmvideosink socket-path=%s", path);
  launch_wait_frames(writer, 1);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! "
      "fakesink sync=false enable-last-sample=false", path);
  GstElement *src = get(pipeline, "src");
  struct passing passing;
  guint descriptors, mappings, now_descriptors, now_mappings;
  watch(&passing, src);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_passed(&passing, 5);
  launch_usage(writer->child->pid, &descriptors, &mappings);
  gst_element_set_state(src, GST_STATE_PAUSED);
  launch_wait_frames(writer, 10); /* what was on its way has come */
  guint before = passing.n;
  for (guint i = 0; i < n; i += 50) { /* a second each: its frames are our clock */
    launch_wait_frames(writer, 50);
    g_assert_cmpuint(get_count(src, "holding"), ==, 0);
  }
  g_assert_cmpuint(passing.n, ==, before);
  launch_usage(writer->child->pid, &now_descriptors, &now_mappings);
  g_assert_cmpuint(now_descriptors, <=, descriptors);
  g_assert_cmpuint(now_mappings, <=, mappings);
  gst_element_set_state(src, GST_STATE_PLAYING);
  GstClockTime age = wait_passed(&passing, before + 1);
  g_test_message("the first frame is %" G_GUINT64_FORMAT " ms old",
                 age / GST_MSECOND);
  g_assert_cmpuint(age, <, 500 * GST_MSECOND);
  wait_passed(&passing, before + 20);
  shmvtest_stop(pipeline);
  launch_listen(writer);
  g_assert_cmpuint(writer->errors, ==, 0);
  g_assert_cmpuint(launch_ctrl_c(writer, 0), <, (guint)shmvtest_deadline());
  launch_free(writer);
}

/* ---- Up and down ---------------------------------------------------------------- */

#define ROUNDS 20

/* The same number of everything as after the second round, soon: the other side may
 * be busy with the last of it. */
static void
check_flat(guint round, pid_t peer, guint *first)
{
  gint64 until = g_get_monotonic_time() + shmvtest_deadline() * 1000;
  for (;;) {
    guint now[4], more = 0;
    launch_usage(getpid(), &now[0], &now[1]);
    launch_usage(peer, &now[2], &now[3]);
    if (round == 1)
      memcpy(first, now, sizeof now);
    for (guint i = 0; round > 1 && i < 4; i++)
      more += now[i] > first[i];
    if (more == 0)
      return;
    if (g_get_monotonic_time() > until)
      g_error("round %u: %u descriptors, %u mappings here, %u and %u there; "
              "before %u, %u, %u, %u", round, now[0], now[1], now[2], now[3],
              first[0], first[1], first[2], first[3]);
    g_usleep(2000);
  }
}

static void
writer_goes_up_and_down(void)
{
  const char *path = shmvtest_path("a");
  GstElement *pipeline =
      shmvtest_launch(LIVE "shmvideosink name=sink socket-path=%s", path);
  struct launch *reader = launch_start(
      FALSE, "shmvideosrc socket-path=%s ! fakesink silent=false sync=false "
      "enable-last-sample=false", path);
  guint flat[4];
  launch_wait(reader, "shmvideo-waiting");
  for (guint i = 0; i < ROUNDS; i++) {
    for (guint down = 0; down < 2; down++) {
      shmvtest_state(pipeline, GST_STATE_PLAYING);
      launch_wait(reader, "shmvideo-connected");
      launch_wait_frames(reader, 2);
      shmvtest_state(pipeline, down == 0 ? GST_STATE_READY : GST_STATE_NULL);
      g_assert_cmpint(access(path, F_OK), !=, 0);
      launch_wait(reader, "shmvideo-waiting");
    }
    check_flat(i, reader->child->pid, flat);
  }
  g_assert_cmpuint(launch_ctrl_c(reader, 0), <, (guint)shmvtest_deadline());
  g_assert_cmpuint(reader->errors, ==, 0);
  launch_free(reader);
  shmvtest_stop(pipeline);
}

static void
reader_goes_up_and_down(void)
{
  const char *path = shmvtest_path("a");
  struct launch *writer =
      launch_start(FALSE, LIVE "shmvideosink name=sink socket-path=%s", path);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! fakesink sync=false", path);
  struct passing passing;
  guint flat[4];
  watch(&passing, get(pipeline, "src"));
  for (guint i = 0; i < ROUNDS; i++) {
    for (guint down = 0; down < 2; down++) {
      gst_element_set_state(pipeline, GST_STATE_PLAYING);
      wait_passed(&passing, passing.n + 2);
      gst_element_set_state(pipeline,
                            down == 0 ? GST_STATE_READY : GST_STATE_NULL);
    }
    launch_wait(writer, "num-clients = 1");
    launch_wait(writer, "num-clients = 0");
    launch_wait(writer, "num-clients = 1");
    launch_wait(writer, "num-clients = 0");
    check_flat(i, writer->child->pid, flat);
  }
  shmvtest_stop(pipeline);
  g_assert_cmpuint(launch_ctrl_c(writer, 0), <, (guint)shmvtest_deadline());
  g_assert_cmpuint(writer->errors, ==, 0);
  launch_free(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/states/source-is-taken-away", source_is_taken_away);
  shmvtest_add("/states/source-is-pointed-elsewhere",
               source_is_pointed_elsewhere);
  shmvtest_add("/states/sink-is-blocked", sink_is_blocked);
  shmvtest_add("/states/reader-is-slow", reader_is_slow);
  shmvtest_add("/states/reader-is-paused", reader_is_paused);
  shmvtest_add("/states/writer-goes-up-and-down", writer_goes_up_and_down);
  shmvtest_add("/states/reader-goes-up-and-down", reader_goes_up_and_down);
  return shmvtest_run();
}
