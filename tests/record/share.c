/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * share PATH FORMAT: share a live test picture at 60 frames per second, each frame
 * stamped with its number before the sink gets it. Says "ready" once it shows
 * frames. At the end of standard input it stops and tells, a line each: what the
 * sink counted, and of each reader that ever was what it last said of itself.
 */

#include <gst/gst.h>
#include <stdio.h>

#include "stamp.h"

static GstVideoInfo info;
static guint n_frames;
static GMainLoop *loop;
static GHashTable *readers;

static GstPadProbeReturn
stamp (GstPad * pad, GstPadProbeInfo * probe, gpointer user)
{
  if (GST_IS_EVENT (probe->data)) {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (probe);
    GstCaps *caps;

    if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
      gst_event_parse_caps (event, &caps);
      g_assert (gst_video_info_from_caps (&info, caps));
    }
    return GST_PAD_PROBE_OK;
  }
  GstVideoFrame frame;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (probe);

  g_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  stamp_write (&frame, ++n_frames);
  gst_video_frame_unmap (&frame);
  if (n_frames == 2) {
    puts ("ready");
    fflush (stdout);
  }
  return GST_PAD_PROBE_OK;
}

/* What readers say is gone with them: keep the last of each. */
static gboolean
look (gpointer sink)
{
  GstStructure *stats;
  const GValue *list;

  g_object_get (sink, "transport-stats", &stats, NULL);
  list = gst_structure_get_value (stats, "readers");
  for (guint i = 0; list && i < gst_value_list_get_size (list); i++) {
    const GstStructure *reader =
        gst_value_get_structure (gst_value_list_get_value (list, i));
    guint64 id = 0;

    gst_structure_get_uint64 (reader, "id", &id);
    g_hash_table_replace (readers, g_memdup2 (&id, sizeof id),
        gst_structure_to_string (reader));
  }
  gst_structure_remove_field (stats, "readers");
  g_hash_table_replace (readers, g_memdup2 (&(guint64) {0}, 8),
      gst_structure_to_string (stats));
  gst_structure_free (stats);
  return G_SOURCE_CONTINUE;
}

static gboolean
input (GIOChannel * channel, GIOCondition condition, gpointer user)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
message (GstBus * bus, GstMessage * msg, gpointer user)
{
  if (GST_MESSAGE_TYPE (msg) == GST_MESSAGE_ERROR) {
    g_printerr ("%s\n", gst_structure_to_string (gst_message_get_structure (msg)));
    exit (1);
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_assert (argc == 3);
  readers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  gchar *line = g_strdup_printf ("videotestsrc is-live=true pattern=ball ! "
      "video/x-raw,format=%s,width=1280,height=720,framerate=60/1 ! "
      "shmvideosink name=sink socket-path=%s", argv[2], argv[1]);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, stamp, NULL, NULL);
  loop = g_main_loop_new (NULL, FALSE);
  GIOChannel *commands = g_io_channel_unix_new (0);
  guint source = g_io_add_watch (commands, G_IO_IN | G_IO_HUP, input, NULL);
  guint timeout = g_timeout_add (50, look, sink);
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_bus_add_watch (bus, message, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_main_loop_run (loop);
  look (sink);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  GHashTableIter iter;
  gpointer id, text;
  printf ("made=%u\n", n_frames);
  g_hash_table_iter_init (&iter, readers);
  while (g_hash_table_iter_next (&iter, &id, &text))
    puts (text);

  /* All of it, so that what the elements leave behind shows. */
  g_source_remove (timeout);
  if (g_main_context_find_source_by_id (NULL, source))
    g_source_remove (source);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  g_io_channel_unref (commands);
  g_main_loop_unref (loop);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_hash_table_unref (readers);
  g_free (line);
  return 0;
}
