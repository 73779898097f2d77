/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "party.h"

#include <string.h>

GstElement *
party_share(const char *upstream, const char *properties)
{
  GstElement *share = shmvtest_launch(
      "%s ! shmvideosink name=sink socket-path=%s %s", upstream,
      shmvtest_path("s"), properties);

  gst_element_set_state(share, GST_STATE_PLAYING);
  return share;
}

GstElement *
party_watch(const char *properties, const char *chain)
{
  GstElement *watch = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s %s ! %s ! "
      "appsink name=sink sync=false",
      shmvtest_path("s"), properties, chain);

  gst_element_set_state(watch, GST_STATE_PLAYING);
  return watch;
}

void
party_newest_only(GstElement *watch)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(watch), "sink");

  g_object_set(sink, "max-buffers", 4, "drop", TRUE, NULL);
  gst_object_unref(sink);
}

/* Fail with the text of an error message, if there is one. */
static void
fail_on_error(GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);

  gst_object_unref(bus);
  if (message != NULL) {
    GError *error = NULL;
    char *debug = NULL;

    gst_message_parse_error(message, &error, &debug);
    g_error("%s: %s\n%s", GST_MESSAGE_SRC_NAME(message), error->message, debug);
  }
}

void
party_expect_no_error(GstElement *pipeline)
{
  fail_on_error(pipeline);
}

GstSample *
party_frame(GstElement *watch)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(watch), "sink");
  GstSample *sample = gst_app_sink_try_pull_sample(
      GST_APP_SINK(sink), (GstClockTime)shmvtest_deadline() * GST_MSECOND);

  gst_object_unref(sink);
  if (sample == NULL) {
    fail_on_error(watch);
    g_error("no frame within the deadline");
  }
  return sample;
}

const char *
party_format(GstElement *watch)
{
  GstSample *sample = party_frame(watch);
  const GstStructure *s = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
  const char *format =
      g_intern_string(gst_structure_get_string(s, "format"));

  gst_sample_unref(sample);
  return format;
}

void
party_wait_format(GstElement *watch, const char *words)
{
  gint64 until = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  gboolean found = FALSE;

  while (!found) {
    GstSample *sample = party_frame(watch);
    char *text = gst_caps_to_string(gst_sample_get_caps(sample));

    found = strstr(text, words) != NULL;
    if (!found && g_get_monotonic_time() > until)
      g_error("still %s, not %s", text, words);
    g_free(text);
    gst_sample_unref(sample);
  }
}

void
party_expect_refusal(GstElement *watch, const char *words)
{
  GstMessage *message = shmvtest_message(watch, GST_MESSAGE_ERROR);
  GError *error = NULL;

  gst_message_parse_error(message, &error, NULL);
  g_test_message("%s", error->message);
  g_assert_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, words));
  g_error_free(error);
  gst_message_unref(message);
}

guint64
party_count(GstElement *share, const char *counter)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(share), "sink");
  GstStructure *stats;
  guint64 count = 0;

  g_object_get(sink, "transport-stats", &stats, NULL);
  g_assert_true(gst_structure_get_uint64(stats, counter, &count));
  gst_structure_free(stats);
  gst_object_unref(sink);
  return count;
}

/* Between looks at what tells nobody that it changed. */
static void
look_again(GstElement *share, gint64 until, const char *what)
{
  fail_on_error(share);
  if (g_get_monotonic_time() > until)
    g_error("%s: not within the deadline", what);
  g_usleep(2000);
}

void
party_wait_clients(GstElement *share, guint n)
{
  gint64 until = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  GstElement *sink = gst_bin_get_by_name(GST_BIN(share), "sink");
  guint now = n + 1;

  for (;;) {
    g_object_get(sink, "num-clients", &now, NULL);
    if (now == n)
      break;
    look_again(share, until, "readers");
  }
  gst_object_unref(sink);
}

void
party_wait_shown(GstElement *share, guint64 more)
{
  gint64 until = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  guint64 count = party_count(share, "frames") + more;

  while (party_count(share, "frames") < count)
    look_again(share, until, "frames shown");
}
