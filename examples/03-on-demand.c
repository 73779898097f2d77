/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Make frames only while somebody watches: a GStreamer pipeline that sleeps in PAUSED
 * as long as nobody is connected to its share. Until Ctrl-C.
 *
 *     03-on-demand PATH
 *     gst-launch-1.0 shmvideosrc socket-path=PATH ! videoconvert ! autovideosink
 */

#include <glib-unix.h>
#include <gst/gst.h>
#include <stdio.h>

static GMainLoop *loop;

/* The sink says how many watch, on a thread of its own; a state is changed by the
 * application's, which hears of it as a message. */
static gboolean
on_message(GstBus *bus, GstMessage *message, gpointer user)
{
  GstElement *pipeline = user;
  const GValue *value;
  const gchar *name;
  GError *error;

  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_PROPERTY_NOTIFY:
      gst_message_parse_property_notify(message, NULL, &name, &value);
      if (value != NULL && g_str_equal(name, "num-clients")) {
        gboolean awake = g_value_get_uint(value) > 0;
        gst_element_set_state(pipeline,
                              awake ? GST_STATE_PLAYING : GST_STATE_PAUSED);
        puts(awake ? "awake" : "asleep");
      }
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, NULL);
      g_printerr("%s\n", error->message);
      g_error_free(error);
      g_main_loop_quit(loop);
      break;
    default:
      break;
  }
  (void)bus;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal(gpointer user)
{
  (void)user;
  g_main_loop_quit(loop);
  return G_SOURCE_CONTINUE;
}

int
main(int argc, char **argv)
{
  gst_init(&argc, &argv);
  GstElement *pipeline = gst_parse_launch(
      "videotestsrc is-live=true ! videoconvert ! shmvideosink name=sink", NULL);
  if (pipeline == NULL)
    return g_printerr("shmvideosink is not there: GST_PLUGIN_PATH_1_0\n"), 1;
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_object_set(sink, "socket-path", argc > 1 ? argv[1] : "bars", NULL);
  gst_element_add_property_notify_watch(sink, "num-clients", TRUE);
  gst_object_unref(sink);

  loop = g_main_loop_new(NULL, FALSE);
  g_unix_signal_add(SIGINT, on_signal, NULL);
  GstBus *bus = gst_element_get_bus(pipeline);
  guint watch = gst_bus_add_watch(bus, on_message, pipeline);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_PAUSED); /* readers can come already */
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("asleep");
  g_main_loop_run(loop);

  g_source_remove(watch);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  g_main_loop_unref(loop);
  return 0;
}
