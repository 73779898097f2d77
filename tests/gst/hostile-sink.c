/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Hostile readers against shmvideosink, one buffer after the other. */

#include <errno.h>
#include <gst/app/gstappsrc.h>

#include "gsttest.h"
#include "hostile.h"

struct sending {
  struct victim victim; /* first */
  GstElement *pipeline, *source, *sink;
};

static void
take_log(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
         const gchar *function, gint line, GObject *object,
         GstDebugMessage *message, gpointer user)
{
  if (g_strcmp0(gst_debug_category_get_name(category), "shmvideo") == 0)
    victim_log(user, gst_debug_message_get(message));
}

static void
show(struct victim *victim, uint8_t value)
{
  struct sending *sending = (struct sending *)victim;
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, 64 * 48, NULL);
  gst_buffer_memset(buffer, 0, value, 64 * 48);
  g_assert_cmpint(gst_app_src_push_buffer(GST_APP_SRC(sending->source), buffer),
                  ==, GST_FLOW_OK);
}

static guint
count_readers(struct victim *victim)
{
  guint n = 0;
  g_object_get(((struct sending *)victim)->sink, "num-clients", &n, NULL);
  return n;
}

static void
start(struct sending *sending)
{
  victim_init(&sending->victim, "share");
  sending->victim.show = show;
  sending->victim.count_readers = count_readers;
  gst_debug_add_log_function(take_log, sending, NULL);
  sending->pipeline = shmvtest_launch(
      "appsrc name=source caps=video/x-raw,format=GRAY8,width=64,height=48,"
      "framerate=30/1 format=time ! shmvideosink name=sink sync=false "
      "backpressure=true backpressure-timeout=100000000 socket-path=%s",
      shmvtest_path("share"));
  sending->source = gst_bin_get_by_name(GST_BIN(sending->pipeline), "source");
  sending->sink = gst_bin_get_by_name(GST_BIN(sending->pipeline), "sink");
  gst_element_set_state(sending->pipeline, GST_STATE_PLAYING);
  show(&sending->victim, 1);
  shmvtest_state(sending->pipeline, GST_STATE_PLAYING);
  victim_join(&sending->victim, true);
}

static void
stop(struct sending *sending)
{
  guint64 start_ns = shmvtest_now();
  gst_object_unref(sending->source);
  gst_object_unref(sending->sink);
  shmvtest_stop(sending->pipeline);
  g_assert_cmpuint(shmvtest_now() - start_ns, <,
                   (guint64)shmvtest_deadline() * 1000000);
  gst_debug_remove_log_function_by_data(sending);
  victim_fini(&sending->victim);
}

static void
run(const struct attack *attack)
{
  struct sending sending;
  start(&sending);
  hostile_run(&sending.victim, attack);
  stop(&sending);
}

static void
messages(void)
{
  hostile_run_list(hostile_messages, run);
}

static void
pages(void)
{
  hostile_run_list(hostile_pages, run);
}

static void
crowds(void)
{
  hostile_run_list(hostile_crowds, run);
}

/* What cannot be closed in a moment lies unread in a reader's socket: the pipeline stops
 * at once. */
static void
leaving(void)
{
  struct sending sending;
  struct attacker attacker;
  start(&sending);
  hostile_begin(&attacker, &sending.victim, NULL);
  lingering_let_through();
  struct raw_reader *reader = hostile_join(&attacker, SHMVIDEO_LATEST, 4, 2);
  hostile_send(reader->fd, "?", 1);
  victim_await_reason(&sending.victim, "malformed");
  hostile_send_lingering(&attacker, reader->fd, 1);
  stop(&sending);
  hostile_withdraw(&attacker);
}

/* The next outcome of a reader that takes only this; frames are given back. */
static int
ask(const char *accepts, guint n_frames)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *frame;
  struct shmvideo_reader *reader;
  int code;
  config.path = shmvtest_path("share");
  config.accepts = accepts;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  for (guint n = 0; n < n_frames;) {
    code = shmvideo_reader_acquire(reader, &frame);
    if (code < 0)
      break;
    n += code == SHMVIDEO_FRAME;
    shmvideo_frame_release(frame);
    if (code == SHMVIDEO_AGAIN)
      g_assert_cmpint(shmvideo_reader_wait(
                          reader, (uint64_t)shmvtest_deadline() * 1000000, -1),
                      !=, 0);
  }
  shmvideo_reader_free(reader);
  return code;
}

/* With nobody else there who could stand against it, readers ask for what would end the
 * pipeline, stop it, or have it take all memory. */
static void
wishes(void)
{
  static const char *const immodest[] = {
      "video/x-raw, framerate=0/1", "video/x-raw, framerate=1/2147483647",
      "video/x-raw, framerate=2147483647/1",
      "video/x-raw, width=32767, height=32767",
      "video/x-raw, format=ARGB64, width=20000, height=20000"};
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! shmvideosink negotiate-interval=1 "
      "socket-path=%s", shmvtest_path("share"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  g_assert_cmpint(ask(NULL, 2), ==, SHMVIDEO_FRAME);
  for (guint i = 0; i < G_N_ELEMENTS(immodest); i++) {
    g_assert_cmpint(ask(immodest[i], 1), ==, -EMEDIUMTYPE);
    g_assert_cmpint(ask("video/x-raw, width=[ 1, 1920 ]", 2), ==,
                    SHMVIDEO_FRAME);
  }
  g_assert_cmpint(ask("video/x-raw, format=RGBA, width=66, framerate=60/1", 2), ==,
                  SHMVIDEO_FRAME);
  shmvtest_stop(pipeline);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  gst_debug_set_active(TRUE);
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_set_threshold_for_name("shmvideo", GST_LEVEL_INFO);
  shmvtest_add("/hostile-sink/messages", messages);
  shmvtest_add("/hostile-sink/pages", pages);
  shmvtest_add("/hostile-sink/crowds", crowds);
  shmvtest_add("/hostile-sink/leaving", leaving);
  shmvtest_add("/hostile-sink/wishes", wishes);
  return shmvtest_run();
}
