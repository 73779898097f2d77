/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink as an element: states, errors, and the readers that come and go.
 */

#include <dirent.h>
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
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_ELEMENT));
  shmvtest_state(pipeline, GST_STATE_PAUSED);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  g_assert_cmpuint(watcher_count(pipeline, "frames"), ==, 0);
  guint64 start = shmvtest_now();
  shmvtest_state(pipeline, GST_STATE_NULL);
  g_assert_cmpuint(shmvtest_now() - start, <, 500 * GST_MSECOND);

  /* After NULL the bus is empty: the next message is of the next run. */

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
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_ELEMENT));
  GstElement *sink = get_sink(pipeline);
  g_object_set(sink, "wait-for-connection", FALSE, NULL);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

/* Until every slot has a frame in it that the lossless reader did not take. */
static void
wait_until_full(GstElement *pipeline)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * GST_MSECOND;
  GstElement *sink = get_sink(pipeline);
  guint64 frames = 0;
  guint active = 1;
  while (frames < active) {
    GstStructure *stats = NULL;
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 1);
    g_object_get(sink, "transport-stats", &stats, NULL);
    gst_structure_get_uint64(stats, "frames", &frames);
    gst_structure_get_uint(stats, "slots-active", &active);
    gst_structure_free(stats);
  }
  gst_object_unref(sink);
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
  wait_until_full(pipeline);
  struct shmvideo_reader *second =
      watcher_new(shmvtest_path("share"), SHMVIDEO_LATEST);
  shmvideo_frame_release(watcher_frame(second));
  watcher_wait_clients(pipeline, 2);
  shmvideo_reader_free(second);
  watcher_wait_clients(pipeline, 1);
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
  shmvtest_add("/sink/readers/are-told", clients_are_told);
  shmvtest_add("/sink/readers/are-waited-for", wait_for_connection);
  shmvtest_add("/sink/readers/backpressure", backpressure);
  return shmvtest_run();
}
