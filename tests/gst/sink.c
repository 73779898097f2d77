/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink as an element: states, errors, and who is told what when.
 */

#include <dirent.h>
#include <gst/app/app.h>
#include <string.h>
#include <unistd.h>

#include "watcher.h"

static GstElement *
get_sink(GstElement *pipeline)
{
  return gst_bin_get_by_name(GST_BIN(pipeline), "sink");
}

/* ---- states ----------------------------------------------------------------- */

static guint
count_entries(const char *directory)
{
  guint n = 0;
  DIR *dir = opendir(directory);
  g_assert_nonnull(dir);
  while (readdir(dir) != NULL)
    n++;
  closedir(dir);
  return n;
}

static guint
count_mappings(void)
{
  char *text = NULL;
  guint n = 0;
  g_assert_true(g_file_get_contents("/proc/self/maps", &text, NULL, NULL));
  for (char *at = text; (at = strstr(at, "memfd:")) != NULL; at++)
    n++;
  g_free(text);
  return n;
}

static void
up_and_down(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc ! shmvideosink name=sink socket-path=%s",
      shmvtest_path("share"));
  guint fds = count_entries("/proc/self/fd"), threads = 0;
  g_assert_cmpuint(count_mappings(), ==, 0);
  for (guint i = 0; i < 20; i++) {
    shmvtest_state(pipeline, GST_STATE_PLAYING);
    g_assert_cmpuint(count_mappings(), >, 0);
    shmvtest_state(pipeline, GST_STATE_READY);
    g_assert_cmpuint(count_mappings(), ==, 0);
    shmvtest_state(pipeline, GST_STATE_PLAYING);
    shmvtest_state(pipeline, GST_STATE_NULL);
    g_assert_cmpuint(count_mappings(), ==, 0);
    g_assert_cmpint(access(shmvtest_path("share"), F_OK), ==, -1);
    if (i == 0) {
      fds = count_entries("/proc/self/fd"); /* buses have theirs by now */
      threads = count_entries("/proc/self/task");
    }
    g_assert_cmpuint(count_entries("/proc/self/fd"), ==, fds);
    g_assert_cmpuint(count_entries("/proc/self/task"), <=, threads + 1);
  }
  shmvtest_stop(pipeline);
}

/* PAUSED shows the format, but no frame; PLAYING shows the first frame once. */
static void
preroll_is_not_shown(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=3 ! shmvideosink name=sink sync=false "
      "socket-path=%s",
      shmvtest_path("share"));
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  const struct shmvideo_frame *frame = NULL;
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  g_assert_cmpint(watcher_next(reader, &frame), ==, SHMVIDEO_NEW_FORMAT);
  g_assert_true(watcher_idle(reader));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 0);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 3);
  shmvideo_reader_free(reader);
  shmvtest_stop(pipeline);
}

/* ---- errors ----------------------------------------------------------------- */

/* Going to PAUSED fails with exactly one error, of this kind, that names the
 * path; and the element is as good as new afterwards. */
static void
check_error(const char *path, GQuark domain, int code, int pid)
{
  GstElement *pipeline = gst_pipeline_new(NULL);
  GstElement *sink = gst_element_factory_make("shmvideosink", "sink");
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_bin_add(GST_BIN(pipeline), sink);
  for (guint round = 0; round < 2; round++) {
    GError *error = NULL;
    const GstStructure *details = NULL;
    g_object_set(sink, "socket-path", path, NULL);
    g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_FAILURE);
    GstMessage *message = shmvtest_message(pipeline, GST_MESSAGE_ERROR);
    gst_message_parse_error(message, &error, NULL);
    gst_message_parse_error_details(message, &details);
    g_test_message("%s", error->message);
    g_assert_error(error, domain, code);
    g_assert_nonnull(details);
    g_assert_true(gst_structure_has_field_typed(details, "errno", G_TYPE_INT));
    if (path != NULL) {
      g_assert_nonnull(strstr(error->message, path));
      g_assert_cmpstr(gst_structure_get_string(details, "socket-path"), ==, path);
    }
    int told = 0;
    gst_structure_get_int(details, "pid", &told);
    g_assert_cmpint(told, ==, pid);
    g_error_free(error);
    gst_message_unref(message);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR));
    gst_element_set_state(pipeline, GST_STATE_NULL);
  }
  g_object_set(sink, "socket-path", shmvtest_path("good"), NULL);
  g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_PAUSED), !=,
                  GST_STATE_CHANGE_FAILURE);
  gst_object_unref(bus);
  shmvtest_stop(pipeline);
}

static void
one_error_per_bad_path(void)
{
  char *missing = g_strdup_printf("%s/no/where", shmvtest_dir());
  char *file = g_strdup(shmvtest_output("file"));
  char *taken = g_strdup(shmvtest_path("taken"));
  char *lengthy = g_strdup_printf("%s/%0110d", shmvtest_dir(), 0);
  char *kept = NULL;

  check_error(NULL, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, 0);
  check_error(missing, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, 0);
  check_error(lengthy, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, 0);

  g_assert_true(g_file_set_contents(file, "precious", -1, NULL));
  check_error(file, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE, 0);
  g_assert_true(g_file_get_contents(file, &kept, NULL, NULL));
  g_assert_cmpstr(kept, ==, "precious");

  GstElement *first = shmvtest_launch(
      "videotestsrc is-live=true ! shmvideosink name=sink socket-path=%s", taken);
  shmvtest_state(first, GST_STATE_PLAYING);
  check_error(taken, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY, getpid());
  struct shmvideo_reader *reader = watcher_new(taken, SHMVIDEO_LATEST);
  shmvideo_frame_release(watcher_frame(reader));
  shmvideo_reader_free(reader);
  shmvtest_stop(first);

  g_free(kept);
  g_free(lengthy);
  g_free(taken);
  g_free(file);
  g_free(missing);
}

/* ---- streams ---------------------------------------------------------------- */

/* New size and new format while frames flow; the last sample of GstBaseSink,
 * switched on, keeps a slot and must not be in the way. */
static void
caps_change_while_playing(void)
{
  static const char *const caps[] = {
      "video/x-raw,format=I420,width=320,height=240",
      "video/x-raw,format=I420,width=64,height=48",
      "video/x-raw,format=RGBA,width=1280,height=720"};
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! video/x-raw,framerate=60/1 ! capsfilter "
      "name=filter caps=%s ! shmvideosink name=sink enable-last-sample=true "
      "socket-path=%s",
      caps[0], shmvtest_path("share"));
  GstElement *filter = gst_bin_get_by_name(GST_BIN(pipeline), "filter");
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 9; i++) {
    GstCaps *next = gst_caps_from_string(caps[i % 3]);
    const struct shmvideo_frame *frame = NULL;
    int width, height;
    GstStructure *s = gst_caps_get_structure(next, 0);
    gst_structure_get_int(s, "width", &width);
    gst_structure_get_int(s, "height", &height);
    g_object_set(filter, "caps", next, NULL);
    while ((frame = watcher_frame(reader))->format->width != (guint32)width)
      shmvideo_frame_release(frame);
    g_assert_cmpuint(frame->format->height, ==, height);
    GstCaps *said = gst_caps_from_string(frame->caps);
    g_assert_true(gst_caps_is_subset(said, next));
    gst_caps_unref(said);
    shmvideo_frame_release(frame);
    gst_caps_unref(next);
  }
  g_assert_cmpuint(watcher_count(pipeline, "dropped"), ==, 0);
  g_assert_cmpuint(watcher_count(pipeline, "zero-copy"), >, 0);
  shmvideo_reader_free(reader);
  gst_object_unref(filter);
  shmvtest_stop(pipeline);
}

/* The end comes after the last frame, and the last frame at its time. */
static void
eos_reaches_readers_when_rendered(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=5 ! video/x-raw,framerate=20/1 ! shmvideosink "
      "name=sink socket-path=%s",
      shmvtest_path("share"));
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  const struct shmvideo_frame *frame = NULL;
  guint64 sequence = 0;
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  GstClockTime base_time = gst_element_get_base_time(pipeline);
  int outcome;
  while ((outcome = watcher_next(reader, &frame)) != SHMVIDEO_END) {
    g_assert_cmpint(outcome, !=, SHMVIDEO_LOST);
    if (outcome != SHMVIDEO_FRAME)
      continue;
    g_assert_cmpuint(frame->capture_time, ==, base_time + frame->pts);
    g_assert_false(frame->flags & SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
    g_assert_cmpuint(shmvtest_now(), >=, frame->capture_time);
    sequence = frame->sequence;
    shmvideo_frame_release(frame);
  }
  g_assert_cmpuint(sequence, ==, 5);
  g_assert_cmpuint(shmvtest_now() - base_time, >=, 200 * GST_MSECOND);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  shmvtest_stop(pipeline);
  g_assert_true(watcher_idle(reader)); /* after an end, leaving is no loss */
  shmvideo_reader_free(reader);
}

static void
push(GstElement *src, GstClockTime pts, guint flags)
{
  GstBuffer *buffer = gst_buffer_new_allocate(NULL, 16, NULL);
  gst_buffer_memset(buffer, 0, 0, 16);
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_FLAG_SET(buffer, flags);
  gst_app_src_push_buffer(GST_APP_SRC(src), buffer);
}

#define TINY "video/x-raw,format=GRAY8,width=4,height=4,framerate=30/1"

/* Flags travel; a gap shows nothing; a flush makes the next frame a DISCONT. */
static void
flags_gaps_and_flushes(void)
{
  GstElement *pipeline = shmvtest_launch(
      "appsrc name=src format=time caps=" TINY
      " ! shmvideosink name=sink sync=false socket-path=%s",
      shmvtest_path("share"));
  GstElement *src = gst_bin_get_by_name(GST_BIN(pipeline), "src");
  GstPad *pad = gst_element_get_static_pad(src, "src");
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);

  push(src, 0, 0);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  g_assert_cmphex(frame->flags, ==,
                  SHMVIDEO_FLAG_DISCONT | SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
  shmvideo_frame_release(frame);
  push(src, GST_SECOND, GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_GAP);
  frame = watcher_frame(reader);
  g_assert_cmphex(frame->flags, ==,
                  SHMVIDEO_FLAG_CORRUPTED | SHMVIDEO_FLAG_GAP |
                      SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
  g_assert_cmpuint(frame->pts, ==, GST_SECOND);
  g_assert_cmpuint(frame->sequence, ==, 2);
  shmvideo_frame_release(frame);

  g_assert_true(gst_pad_push_event(
      pad, gst_event_new_gap(2 * GST_SECOND, GST_SECOND)));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 2);

  g_assert_true(gst_pad_push_event(pad, gst_event_new_flush_start()));
  g_assert_true(gst_pad_push_event(pad, gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  g_assert_true(gst_pad_push_event(pad, gst_event_new_segment(&segment)));
  push(src, 3 * GST_SECOND, 0);
  frame = watcher_frame(reader);
  g_assert_cmpuint(frame->sequence, ==, 3);
  g_assert_true(frame->flags & SHMVIDEO_FLAG_DISCONT);
  shmvideo_frame_release(frame);

  shmvideo_reader_free(reader);
  gst_object_unref(pad);
  gst_object_unref(src);
  shmvtest_stop(pipeline);
}

struct arrivals {
  GMutex lock;
  guint64 at[64]; /* by PTS: when the sink got it */
};

static GstPadProbeReturn
note_arrival(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  (void)pad;
  struct arrivals *arrivals = user;
  guint64 n = GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info));
  g_mutex_lock(&arrivals->lock);
  if (n < G_N_ELEMENTS(arrivals->at))
    arrivals->at[n] = shmvtest_now();
  g_mutex_unlock(&arrivals->lock);
  return GST_PAD_PROBE_OK;
}

static int
compare(const void *a, const void *b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

/* At default properties, though another branch makes the pipeline's latency
 * 100 ms, a live frame is with its readers within a millisecond. */
static void
live_frames_are_not_delayed(void)
{
  struct arrivals arrivals = {.at = {0}};
  guint64 delays[30];
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! video/x-raw,framerate=60/1 ! tee name=t ! "
      "queue ! shmvideosink name=sink socket-path=%s "
      "t. ! queue ! fakesink processing-deadline=100000000 sync=true",
      shmvtest_path("share"));
  GstElement *sink = get_sink(pipeline);
  GstPad *pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, &arrivals,
                    NULL);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  shmvideo_frame_release(watcher_frame(reader)); /* threads, pages: warm */
  for (guint i = 0; i < G_N_ELEMENTS(delays); i++) {
    const struct shmvideo_frame *frame = watcher_frame(reader);
    guint64 now = shmvtest_now();
    g_assert_cmpuint(frame->offset, <, G_N_ELEMENTS(arrivals.at));
    g_mutex_lock(&arrivals.lock);
    delays[i] = now - arrivals.at[frame->offset];
    g_mutex_unlock(&arrivals.lock);
    g_assert_false(frame->flags & SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH);
    shmvideo_frame_release(frame);
  }
  qsort(delays, G_N_ELEMENTS(delays), sizeof delays[0], compare);
  g_test_message("median %" G_GUINT64_FORMAT " us, worst %" G_GUINT64_FORMAT
                 " us",
                 delays[15] / 1000, delays[29] / 1000);
  g_assert_cmpuint(delays[15], <=,
                   GST_MSECOND * (guint64)shmvtest_deadline() / 10000);
  shmvideo_reader_free(reader);
  gst_object_unref(pad);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

/* ---- readers ---------------------------------------------------------------- */

struct told {
  GMutex lock;
  guint connected, disconnected;
  guint64 id;
  bool known;
};

static void
on_connected(GstElement *sink, guint64 id, int pid, guint uid, gpointer user)
{
  (void)sink;
  struct told *told = user;
  g_mutex_lock(&told->lock);
  told->connected++;
  told->id = id;
  told->known = pid == getpid() && uid == getuid();
  g_mutex_unlock(&told->lock);
}

static void
on_disconnected(GstElement *sink, guint64 id, int pid, guint uid, gpointer user)
{
  (void)sink;
  (void)pid;
  (void)uid;
  struct told *told = user;
  g_mutex_lock(&told->lock);
  told->disconnected++;
  told->known &= id == told->id;
  g_mutex_unlock(&told->lock);
}

static void
clients_are_told(void)
{
  struct told told = {.connected = 0};
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! shmvideosink name=sink socket-path=%s",
      shmvtest_path("share"));
  GstElement *sink = get_sink(pipeline);
  g_signal_connect(sink, "client-connected", G_CALLBACK(on_connected), &told);
  g_signal_connect(sink, "client-disconnected", G_CALLBACK(on_disconnected),
                   &told);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  const struct shmvideo_frame *frame = watcher_frame(reader);
  watcher_wait_clients(pipeline, 1);

  GstStructure *stats = NULL;
  g_object_get(sink, "transport-stats", &stats, NULL);
  const GValue *list = gst_structure_get_value(stats, "readers");
  g_assert_cmpuint(gst_value_list_get_size(list), ==, 1);
  const GstStructure *entry =
      gst_value_get_structure(gst_value_list_get_value(list, 0));
  int pid = 0;
  guint held = 0;
  g_assert_true(gst_structure_get(entry, "pid", G_TYPE_INT, &pid, "held",
                                  G_TYPE_UINT, &held, NULL));
  g_assert_cmpint(pid, ==, getpid());
  g_assert_cmpuint(held, ==, 1);
  gst_structure_free(stats);

  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  watcher_wait_clients(pipeline, 0);
  reader = watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvideo_frame_release(watcher_frame(reader));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  g_assert_cmpuint(told.connected, ==, 2);
  g_assert_cmpuint(told.disconnected, ==, 2);
  g_assert_true(told.known);
  shmvideo_reader_free(reader);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

/* Waits in PLAYING, through a pause, for the first reader; and ends at once. */
static void
wait_for_connection(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=10 ! shmvideosink name=sink sync=false "
      "wait-for-connection=true socket-path=%s",
      shmvtest_path("share"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 0);
  guint64 start = shmvtest_now();
  shmvtest_state(pipeline, GST_STATE_NULL);
  g_assert_cmpuint(shmvtest_now() - start, <, 500 * GST_MSECOND);

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvideo_frame_release(watcher_frame(reader));
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 10);
  shmvideo_reader_free(reader);

  /* Switched off while it waits. */
  shmvtest_state(pipeline, GST_STATE_READY);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  GstElement *sink = get_sink(pipeline);
  g_object_set(sink, "wait-for-connection", FALSE, NULL);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

/* A lossless reader misses nothing, though it starts to read late; and one that
 * does not read at all does not hold up the end. */
static void
backpressure(void)
{
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc num-buffers=200 ! shmvideosink name=sink sync=false "
      "wait-for-connection=true backpressure=true "
      "backpressure-timeout=60000000000 socket-path=%s",
      shmvtest_path("share"));
  struct shmvideo_reader *reader =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LOSSLESS);
  const struct shmvideo_frame *frame = NULL;
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  for (guint64 n = 1; n <= 200; n++) {
    frame = watcher_frame(reader);
    g_assert_cmpuint(frame->sequence, ==, n);
    shmvideo_frame_release(frame);
  }
  g_assert_cmpint(watcher_next(reader, &frame), ==, SHMVIDEO_END);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  shmvtest_state(pipeline, GST_STATE_READY);

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  frame = watcher_frame(reader); /* and no more */
  guint64 start = shmvtest_now();
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  shmvtest_state(pipeline, GST_STATE_NULL);
  g_assert_cmpuint(shmvtest_now() - start, <, GST_SECOND);
  g_assert_cmpuint(watcher_count(pipeline, "frames"), <, 200);
  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  shmvtest_stop(pipeline);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/sink/states/up-and-down", up_and_down);
  shmvtest_add("/sink/states/preroll-is-not-shown", preroll_is_not_shown);
  shmvtest_add("/sink/errors/one-per-bad-path", one_error_per_bad_path);
  shmvtest_add("/sink/stream/caps-change-while-playing",
               caps_change_while_playing);
  shmvtest_add("/sink/stream/eos-reaches-readers-when-rendered",
               eos_reaches_readers_when_rendered);
  shmvtest_add("/sink/stream/flags-gaps-and-flushes", flags_gaps_and_flushes);
  shmvtest_add("/sink/stream/live-frames-are-not-delayed",
               live_frames_are_not_delayed);
  shmvtest_add("/sink/readers/are-told", clients_are_told);
  shmvtest_add("/sink/readers/are-waited-for", wait_for_connection);
  shmvtest_add("/sink/readers/backpressure", backpressure);
  return shmvtest_run();
}
