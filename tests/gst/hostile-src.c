/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Hostile writers against shmvideosrc: what it makes of frames is looked at to the last
 * byte, and copied. */

#include <gst/video/video.h>
#include <unistd.h>

#include "gsttest.h"
#include "lies.h"

struct playing {
  struct believer believer; /* first */
  GstElement *pipeline;
};

static GstPadProbeReturn
look(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  struct playing *playing = user;
  GstBuffer *buffer = gst_pad_probe_info_get_buffer(info);
  GstBuffer *copy = gst_buffer_copy_deep(buffer);
  GstVideoInfo video;
  GstVideoFrame frame;
  GstCaps *caps = gst_pad_get_current_caps(pad);
  g_assert_true(gst_video_info_from_caps(&video, caps));
  gst_caps_unref(caps);
  g_assert_true(gst_video_frame_map(&frame, &video, buffer, GST_MAP_READ));
  const guint8 *pixels = GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
  guint8 first = pixels[0]; /* the liar draws nothing */
  for (gint y = 0; y < video.height; y++)
    for (gint x = 0; x < video.width; x++)
      if (first != 0)
        g_assert_cmpuint(
            pixels[y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + x], ==, first);
  gst_video_frame_unmap(&frame);
  gst_buffer_unref(copy);
  believer_frame(&playing->believer, first != 0);
  return GST_PAD_PROBE_OK;
}

/* What a person would see: why the source waits, and its errors. */
static GstBusSyncReply
take_message(GstBus *bus, GstMessage *message, gpointer user)
{
  struct playing *playing = user;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT) {
    const char *reason = gst_structure_get_string(
        gst_message_get_structure(message), "reason");
    if (reason != NULL)
      believer_log(&playing->believer, reason);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;
    const GstStructure *details = NULL;
    gint pid = 0;
    gst_message_parse_error(message, &error, NULL);
    gst_message_parse_error_details(message, &details);
    g_assert_true(gst_structure_get_int(details, "pid", &pid));
    g_assert_cmpint(pid, ==, getpid());
    believer_error(&playing->believer, error->message);
    g_error_free(error);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

static void
take_log(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
         const gchar *function, gint line, GObject *object,
         GstDebugMessage *message, gpointer user)
{
  if (g_strcmp0(gst_debug_category_get_name(category), "shmvideo") == 0)
    believer_log(user, gst_debug_message_get(message));
}

static void
start(struct believer *believer, uint32_t policy)
{
  struct playing *playing = (struct playing *)believer;
  playing->pipeline = shmvtest_launch(
      "shmvideosrc name=src on-eos=wait policy=%s socket-path=%s ! fakesink sync=false "
      "async=false enable-last-sample=false", policy == SHMVIDEO_LOSSLESS ? "lossless" : "latest",
      shmvtest_path(believer->name));
  GstBus *bus = gst_element_get_bus(playing->pipeline);
  gst_bus_set_sync_handler(bus, take_message, playing, NULL);
  gst_object_unref(bus);
  GstElement *source = gst_bin_get_by_name(GST_BIN(playing->pipeline), "src");
  GstPad *pad = gst_element_get_static_pad(source, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, look, playing, NULL);
  gst_object_unref(pad);
  gst_object_unref(source);
  gst_element_set_state(playing->pipeline, GST_STATE_PLAYING);
}

static void
stop(struct believer *believer)
{
  struct playing *playing = (struct playing *)believer;
  guint64 start_ns = shmvtest_now();
  shmvtest_stop(playing->pipeline);
  g_assert_cmpuint(shmvtest_now() - start_ns, <,
                   (guint64)shmvtest_deadline() * 1000000);
}

static void
run(const struct lie *lies, uint32_t policy)
{
  struct playing playing;
  believer_init(&playing.believer, "share");
  playing.believer.is_element = true;
  playing.believer.start = start;
  playing.believer.stop = stop;
  gst_debug_add_log_function(take_log, &playing, NULL);
  if (lies != NULL)
    lies_run(&playing.believer, lies, policy);
  else
    lies_run_thrice(&playing.believer);
  gst_debug_remove_log_function_by_data(&playing);
  believer_fini(&playing.believer);
}

static void
words(void)
{
  run(lies_in_words, SHMVIDEO_LATEST);
}

static void
segments(void)
{
  run(lies_in_segments, SHMVIDEO_LATEST);
}

static void
boards(void)
{
  run(lies_on_boards, SHMVIDEO_LATEST);
}

static void
boards_lossless(void)
{
  run(lies_on_boards, SHMVIDEO_LOSSLESS);
}

static void
three_times(void)
{
  run(NULL, 0);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  gst_debug_set_active(TRUE);
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_set_threshold_for_name("shmvideo", GST_LEVEL_INFO);
  shmvtest_add("/hostile-src/words", words);
  shmvtest_add("/hostile-src/segments", segments);
  shmvtest_add("/hostile-src/boards", boards);
  shmvtest_add("/hostile-src/boards/lossless", boards_lossless);
  shmvtest_add("/hostile-src/three-times", three_times);
  return shmvtest_run();
}
