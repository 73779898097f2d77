/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A program with a GStreamer device, as ossia score has one: it is given a pipeline
 * as text. One with an appsink is an input: its caps are wanted in PAUSED, within
 * five seconds, then it is pulled. One with an appsrc is an output: it is live,
 * RGBA, and pushed in real time.   device PIPELINE
 */

#include <gst/app/app.h>
#include <gst/gst.h>
#include <stdio.h>

enum { FRAMES = 40, WIDTH = 320, HEIGHT = 240 };

static GstElement *
find(GstElement *pipeline, const char *factory_name)
{
  GstElement *found = NULL;
  GValue value = G_VALUE_INIT;
  GstIterator *iterator = gst_bin_iterate_recurse(GST_BIN(pipeline));
  while (gst_iterator_next(iterator, &value) == GST_ITERATOR_OK) {
    GstElement *element = g_value_get_object(&value);
    const char *name =
        gst_plugin_feature_get_name(gst_element_get_factory(element));
    if (g_str_equal(name, factory_name))
      found = element;
    g_value_reset(&value);
  }
  gst_iterator_free(iterator);
  return found;
}

static int
show_error(GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == NULL)
    return 0;
  GError *error = NULL;
  gst_message_parse_error(message, &error, NULL);
  fprintf(stderr, "ERROR: %s\n", error->message);
  g_error_free(error);
  gst_message_unref(message);
  return 1;
}

static GMutex lock;
static GCond changed;

static void
on_caps(GstPad *pad, GParamSpec *spec, gpointer user)
{
  (void)pad, (void)spec, (void)user;
  g_mutex_lock(&lock);
  g_cond_signal(&changed);
  g_mutex_unlock(&lock);
}

/* Caps of a pad, as soon as it has some. */
static GstCaps *
wait_for_caps(GstPad *pad)
{
  GstCaps *caps = NULL;
  gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
  g_mutex_lock(&lock);
  while ((caps = gst_pad_get_current_caps(pad)) == NULL)
    if (!g_cond_wait_until(&changed, &lock, end))
      break;
  g_mutex_unlock(&lock);
  return caps;
}

static int
input(GstElement *pipeline, GstAppSink *sink)
{
  GstPad *pad = gst_element_get_static_pad(GST_ELEMENT(sink), "sink");
  g_signal_connect(pad, "notify::caps", G_CALLBACK(on_caps), NULL);
  gst_element_set_state(pipeline, GST_STATE_PAUSED);
  GstCaps *caps = wait_for_caps(pad);
  gst_object_unref(pad);
  if (caps == NULL)
    return fprintf(stderr, "ERROR: no caps in PAUSED\n"), 1;
  char *text = gst_caps_to_string(caps);
  printf("caps in PAUSED: %s\n", text);
  g_free(text);
  gst_caps_unref(caps);

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (int n = 0; n < FRAMES; n++) {
    GstSample *sample = gst_app_sink_try_pull_sample(sink, 10 * GST_SECOND);
    if (sample == NULL)
      return fprintf(stderr, "ERROR: no frame after %d\n", n), 1;
    gst_sample_unref(sample);
  }
  return 0;
}

static int
output(GstElement *pipeline, GstAppSrc *src)
{
  GstCaps *caps = gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "RGBA", "width", G_TYPE_INT, WIDTH,
      "height", G_TYPE_INT, HEIGHT, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  g_object_set(src, "caps", caps, "is-live", TRUE, "do-timestamp", TRUE, "format",
               GST_FORMAT_TIME, NULL);
  gst_caps_unref(caps);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gint64 next = g_get_monotonic_time();
  for (int n = 0; n < FRAMES; n++) {
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT * 4, NULL);
    gst_buffer_memset(buffer, 0, (guint8)n, WIDTH * HEIGHT * 4);
    if (gst_app_src_push_buffer(src, buffer) != GST_FLOW_OK)
      return fprintf(stderr, "ERROR: frame %d not taken\n", n), 1;
    next += G_USEC_PER_SEC / 30;
    g_usleep((gulong)MAX(next - g_get_monotonic_time(), 0)); /* as a screen */
  }
  gst_app_src_end_of_stream(src);
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered(
      bus, 10 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  int failed =
      message == NULL || GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (message != NULL)
    gst_message_unref(message);
  return failed;
}

int
main(int argc, char **argv)
{
  gst_init(&argc, &argv);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch(argv[argc - 1], &error);
  if (error != NULL)
    return fprintf(stderr, "ERROR: %s\n", error->message), 1;
  GstElement *sink = find(pipeline, "appsink"), *src = find(pipeline, "appsrc");
  int failed = 1;
  if (sink != NULL)
    failed = input(pipeline, GST_APP_SINK(sink));
  else if (src != NULL)
    failed = output(pipeline, GST_APP_SRC(src));
  failed |= show_error(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return failed;
}
