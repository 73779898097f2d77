/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "element.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#include "gsttest.h"

static gint n_frames; /* atomic */

static void
on_handoff(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user)
{
  g_atomic_int_inc(&n_frames);
}

static void
set_format(GstElement *pipeline, const char *line)
{
  char name[16];
  int width, height;
  g_assert_cmpint(sscanf(line, "format %15s %d %d", name, &width, &height), ==, 3);
  GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "filter");
  GstCaps *caps = gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, name, "width", G_TYPE_INT, width,
      "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  g_object_set(filter, "caps", caps, NULL);
  gst_caps_unref(caps);
  gst_object_unref(filter);
}

/* What is to be answered, for g_free. */
static char *
obey(GstElement *pipeline, const char *line)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message != NULL) {
    GError *error = NULL;
    gst_message_parse_error(message, &error, NULL);
    gst_message_unref(message);
    char *text = g_strdup_printf("error: %s", error->message);
    g_error_free(error);
    return text;
  }
  if (strcmp(line, "frames") == 0)
    return g_strdup_printf("%d", g_atomic_int_get(&n_frames));
  if (g_str_has_prefix(line, "format"))
    set_format(pipeline, line);
  if (strcmp(line, "restart") == 0) {
    shmvtest_state(pipeline, GST_STATE_NULL);
    shmvtest_state(pipeline, GST_STATE_PLAYING);
  }
  return g_strdup("ok");
}

static int
play(int in, int out, const char *description)
{
  char line[128] = "";
  FILE *asks = fdopen(in, "r"), *answers = fdopen(out, "w");
  gst_init(NULL, NULL);
  GstElement *pipeline = shmvtest_launch("%s", description);
  GstElement *end = gst_bin_get_by_name(GST_BIN(pipeline), "end");
  if (end != NULL) {
    g_signal_connect(end, "handoff", G_CALLBACK(on_handoff), NULL);
    gst_object_unref(end);
  }
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  while (strcmp(line, "quit") != 0 && fgets(line, sizeof line, asks) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *answer = obey(pipeline, line);
    fprintf(answers, "%s\n", answer);
    fflush(answers);
    g_free(answer);
  }
  shmvtest_stop(pipeline);
  return 0;
}

static int
play_sink(int in, int out, void *path)
{
  char *line = g_strdup_printf(
      "videotestsrc is-live=true ! capsfilter name=filter caps-change-mode=delayed "
      "caps=video/x-raw,format=I420,width=176,height=144,framerate=30/1 ! "
      "shmvideosink socket-path=%s", (const char *)path);
  int code = play(in, out, line);
  g_free(line);
  return code;
}

static int
play_source(int in, int out, void *path)
{
  char *line = g_strdup_printf(
      "shmvideosrc socket-path=%s ! fakesink name=end sync=false "
      "signal-handoffs=true", (const char *)path);
  int code = play(in, out, line);
  g_free(line);
  return code;
}

struct shmvtest_child *
element_sink(const char *path)
{
  return shmvtest_fork(play_sink, (void *)(guintptr)path);
}

struct shmvtest_child *
element_source(const char *path)
{
  return shmvtest_fork(play_source, (void *)(guintptr)path);
}
