/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The source in states where a descriptor could stay ready for ever, or a frame
 * held for ever: it costs nothing, and comes back.
 */

#include <gst/app/gstappsink.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#include "feeder.h"
#include "gsttest.h"

/* What this process may compute in an idle stretch, of 300 ms. */
#define STRETCH_MS 300
#define IDLE_MS (STRETCH_MS / 3)

static gint64
cpu_ms(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* Nothing is waited for: the stretch of time is what is measured. */
static void
expect_idle(const char *when)
{
  gint64 before = cpu_ms();
  poll(NULL, 0, STRETCH_MS);
  gint64 spent = cpu_ms() - before;
  g_test_message("%s: %d ms of %d", when, (int)spent, STRETCH_MS);
  g_assert_cmpint(spent, <, IDLE_MS);
}

static void
wait_element_message(GstElement *pipeline, const char *name)
{
  for (;;) {
    GstMessage *message = shmvtest_message(pipeline, GST_MESSAGE_ELEMENT);
    gboolean found = gst_message_has_name(message, name);
    gst_message_unref(message);
    if (found)
      return;
  }
}

/* Formats change, the stream ends, the writer goes, another comes and goes: a
 * paused source neither spins nor misses that it happened. */
static void
paused(void)
{
  const char *path = shmvtest_path("paused");
  struct feeder_config config = {.fps = 50};
  struct feeder *feeder = feeder_new(path, config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src on-eos=wait socket-path=%s ! fakesink sync=false",
      path);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  wait_element_message(pipeline, "shmvideo-connected");
  feeder_wait(feeder, 3);
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  feeder_wait(feeder, 2);
  for (guint i = 0; i < 4; i++)
    feeder_resize(feeder, 100 + 2 * i, 60);
  feeder_stop(feeder);
  expect_idle("paused, formats changed");
  feeder_end(feeder);
  feeder_free(feeder);
  expect_idle("paused, the writer ended and went");
  feeder = feeder_new(path, config);
  feeder_stop(feeder);
  expect_idle("paused, another writer is there");
  feeder_free(feeder);
  expect_idle("paused, that went too");
  feeder = feeder_new(path, config);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  wait_element_message(pipeline, "shmvideo-connected");
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

/* Downstream keeps all it can get; then the writer goes, and another comes. */
static void
full_hands(void)
{
  const char *path = shmvtest_path("full");
  struct feeder_config config = {.fps = 50};
  struct feeder *feeder = feeder_new(path, config);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc max-holds=3 socket-path=%s ! appsink name=sink sync=false",
      path);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  GstSample *kept[6];
  guint64 numbers[6];
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  wait_element_message(pipeline, "shmvideo-connected");
  for (guint i = 0; i < 6; i++) {
    kept[i] = gst_app_sink_pull_sample(GST_APP_SINK(sink));
    numbers[i] = feeder_check(kept[i]);
  }
  feeder_free(feeder);
  wait_element_message(pipeline, "shmvideo-waiting");
  expect_idle("all frames kept, the writer is gone");
  config.width = 222;
  config.height = 40;
  feeder = feeder_new(path, config);
  wait_element_message(pipeline, "shmvideo-connected");
  feeder_wait(feeder, 8);
  for (guint i = 0; i < 6; i++) {
    g_assert_cmpuint(feeder_check(kept[i]), ==, numbers[i]);
    gst_sample_unref(kept[i]);
  }
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
  feeder_free(feeder);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/attack/paused", paused);
  shmvtest_add("/attack/full-hands", full_hands);
  return shmvtest_run();
}
