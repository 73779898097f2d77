/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Both elements, while calls fail
 *
 * A sink and a source in two pipelines of this program, linked with the library
 * whose calls lead to the shim, and with the elements' own. One call fails in each
 * run, whichever thread makes it. Then either nobody notices, or a pipeline posts an
 * error that says what and where; started again, all works, and nothing is left.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gsttest.h"
#include "gstshmvideosink.h"
#include "gstshmvideosrc.h"
#include "leaks.h"
#include "shim.h"

static char current[128];

static GstElement *
launch_writer(const char *path)
{
  return shmvtest_launch(
      "videotestsrc is-live=true ! "
      "video/x-raw,format=RGBA,width=32,height=16,framerate=200/1 ! "
      "shmvideosink name=sink socket-path=%s", path);
}

static GstElement *
launch_reader(const char *path)
{
  return shmvtest_launch(
      "shmvideosrc name=src socket-path=%s num-buffers=3 ! fakesink", path);
}

/* The next ERROR or EOS of a pipeline, or NULL: none yet. */
static GstMessage *
pop(GstElement *pipeline, GstClockTime wait)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered(
      bus, wait, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  gst_object_unref(bus);
  return message;
}

static bool
says_where(const char *message, const char *path)
{
  return strstr(message, path) != NULL || strstr(message, "caps text") != NULL ||
         strstr(message, "No frame memory for RGBA 32x16 (") != NULL;
}

static bool
is_error(GstMessage *message, const char *path)
{
  GError *error = NULL;
  char *debug = NULL;
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
    return false;
  gst_message_parse_error(message, &error, &debug);
  g_test_message("%s (%s): %s", current, shim_failed(), error->message);
  if (shim_failed() == NULL || !says_where(error->message, path))
    g_error("%s (%s): a poor or unexpected error: %s\n%s", current,
            shim_failed(), error->message, debug);
  g_error_free(error);
  g_free(debug);
  return true;
}

/* ---- Descriptors ------------------------------------------------------------- */

static struct rlimit usual, limit;

/* So many more than are in use now; -1: enough. */
static void
limit_descriptors(int n)
{
  int first_free = dup(STDERR_FILENO);
  close(first_free);
  if (n >= 0)
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &usual), ==, 0);
  limit = usual;
  if (n >= 0)
    limit.rlim_cur = (rlim_t)(first_free + n);
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  g_snprintf(current, sizeof current, "%d descriptors", n);
}

/* What failed for want of one may have it. */
static void
one_more(void)
{
  if (limit.rlim_cur == usual.rlim_cur)
    return;
  limit.rlim_cur++;
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
}

/* ---- Playing ------------------------------------------------------------------ */

static void
start_again(GstElement *pipeline)
{
  GstMessage *message;
  gst_element_set_state(pipeline, GST_STATE_NULL);
  while ((message = pop(pipeline, 0)) != NULL) /* the same, said by others */
    gst_message_unref(message);
  one_more();
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
}

/* Play until the source has had its frames; who posts an error is started again.
 * Returns how often that was. */
static unsigned
play(GstElement *writer, GstElement *reader, const char *path)
{
  GstElement *const pipelines[] = {writer, reader};
  unsigned n_errors = 0;
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  gst_element_set_state(writer, GST_STATE_PLAYING);
  gst_element_set_state(reader, GST_STATE_PLAYING);
  unsigned n_turns = 0;
  for (bool done = false; !done;) {
    if (++n_turns % 20 == 0) /* a writer that has none lets a reader wait */
      one_more();
    for (int i = 0; i < 2; i++) {
      GstMessage *message = pop(pipelines[i], i * 5 * GST_MSECOND);
      if (message == NULL)
        continue;
      bool error = is_error(message, path);
      gst_message_unref(message);
      if (error)
        start_again(pipelines[i]);
      g_assert_cmpuint(n_errors += error, <, 60);
      done |= !error && i == 1;
    }
    if (shmvtest_now() > end)
      g_error("%s (%s): no end", current, shim_failed());
  }
  return n_errors;
}

/* ---- Every call ------------------------------------------------------------------ */

/* Both, from NULL to NULL. */
static void
run(unsigned n, unsigned variant)
{
  const char *path = shmvtest_path("share");
  GHashTable *before = leaks_take();
  g_snprintf(current, sizeof current, "call %u, variant %u", n, variant);
  shim_arm(SHIM_ALL, n, variant);
  shim_enter(SHIM_ALL);
  GstElement *writer = launch_writer(path);
  GstElement *reader = launch_reader(path);
  play(writer, reader, path);
  shmvtest_stop(reader);
  shmvtest_stop(writer);
  shim_leave();
  GHashTable *after = leaks_take();
  char *leaks = leaks_compare(before, after);
  if (leaks != NULL)
    g_error("%s (%s) left\n%s", current, shim_failed(), leaks);
  unlink(path); /* it may stay if the directory could not be locked at the end */
  g_hash_table_unref(before);
  g_hash_table_unref(after);
}

static void
every_call(void)
{
  unsigned stride = MAX(atoi(g_getenv("SHMVIDEO_TEST_STRIDE")), 1);
  unsigned n = 1, n_variants;
  do {
    run(n, 0);
    n_variants = shim_n_variants();
    if (n_variants > 1 && stride == 1)
      run(n, n % (n_variants - 1) + 1);
    n += stride;
  } while (n_variants > 0);
  g_test_message("%u calls", n - stride - 1);
}

/* ---- No descriptors ------------------------------------------------------------- */

/* GStreamer's own buffer pool wants a descriptor, and finds fault with itself if there
 * is none; that of anybody else ends the test. */
static gboolean
is_ours(const gchar *domain, GLogLevelFlags level, const gchar *message,
        gpointer user)
{
  (void)message;
  (void)user;
  return (level & G_LOG_LEVEL_CRITICAL) == 0 ||
         g_strcmp0(domain, "GStreamer") != 0;
}

/* Nor is it to be written, by whatever thread, between two words of this one. */
static void
say_nothing(const gchar *domain, GLogLevelFlags level, const gchar *message,
            gpointer user)
{
  (void)domain;
  (void)level;
  (void)message;
  (void)user;
}

static guint
forgive_gstreamer(void)
{
  g_test_log_set_fatal_handler(is_ours, NULL);
  return g_log_set_handler("GStreamer",
                           (GLogLevelFlags)(G_LOG_LEVEL_CRITICAL |
                                            G_LOG_FLAG_FATAL),
                           say_nothing, NULL);
}

/* To PAUSED, where it waits for its first frame: whether it came there. */
static bool
try_sink(const char *path, int n)
{
  GstElement *pipeline =
      shmvtest_launch("appsrc ! shmvideosink socket-path=%s", path);
  limit_descriptors(n);
  bool started = gst_element_set_state(pipeline, GST_STATE_PAUSED) !=
                 GST_STATE_CHANGE_FAILURE;
  limit_descriptors(-1);
  GstMessage *message = pop(pipeline, 0);
  if (message != NULL) {
    g_assert_true(is_error(message, path));
    gst_message_unref(message);
  }
  g_assert_cmpint(message == NULL, ==, started);
  shmvtest_stop(pipeline);
  return started;
}

static void
few_for_the_sink(void)
{
  const char *path = shmvtest_path("share");
  int n = 0;
  guint handler = forgive_gstreamer();
  shim_arm(SHIM_NOBODY, 0, 0);
  shim_blame("RLIMIT_NOFILE", EMFILE);
  while (!try_sink(path, n))
    g_assert_cmpint(++n, <, 60);
  g_assert_cmpint(n, >, 4);
  g_log_remove_handler("GStreamer", handler);
}

static void
few_for_the_source(void)
{
  const char *path = shmvtest_path("share");
  GstElement *writer = launch_writer(path);
  GstElement *reader = launch_reader(path);
  shim_arm(SHIM_NOBODY, 0, 0);
  shim_blame("RLIMIT_NOFILE", EMFILE);
  play(writer, reader, path); /* the writer has all of its descriptors */
  gst_element_set_state(reader, GST_STATE_NULL);
  limit_descriptors(0);
  g_assert_cmpuint(play(writer, reader, path), >, 4);
  limit_descriptors(-1);
  shmvtest_stop(reader);
  shmvtest_stop(writer);
}

/* The descriptors are used up while the source decides how it copies; the frames that
 * then come are kept, so that it must. */
static GstPadProbeReturn
use_up(GstPad *pad, GstPadProbeInfo *info, gpointer kept)
{
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    if (g_queue_is_empty(kept))
      limit_descriptors(-1);
    g_queue_push_tail(kept, gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info)));
  } else if (GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) ==
             GST_QUERY_ALLOCATION) {
    limit_descriptors(0);
  }
  return GST_PAD_PROBE_OK;
}

static void
none_for_a_pool(void)
{
  const char *path = shmvtest_path("share");
  GstElement *writer = launch_writer(path);
  GstElement *reader = launch_reader(path);
  GstElement *source = gst_bin_get_by_name(GST_BIN(reader), "src");
  GstPad *pad = gst_element_get_static_pad(source, "src");
  GQueue kept = G_QUEUE_INIT;
  shim_arm(SHIM_NOBODY, 0, 0);
  shim_blame("RLIMIT_NOFILE", EMFILE);
  play(writer, reader, path); /* the writer has its pool */
  gst_element_set_state(reader, GST_STATE_NULL);
  gst_pad_add_probe(pad,
                    GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_PUSH |
                        GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                    use_up, &kept, NULL);
  g_assert_cmpuint(play(writer, reader, path), ==, 0);
  g_assert_cmpuint(g_queue_get_length(&kept), ==, 3);
  g_queue_clear_full(&kept, (GDestroyNotify)gst_buffer_unref);
  gst_object_unref(pad);
  gst_object_unref(source);
  shmvtest_stop(reader);
  shmvtest_stop(writer);
}

int
main(int argc, char **argv)
{
  gst_init(&argc, &argv);
  g_assert_true(gst_element_register(NULL, "shmvideosink", GST_RANK_NONE,
                                     GST_TYPE_SHM_VIDEO_SINK));
  g_assert_true(gst_element_register(NULL, "shmvideosrc", GST_RANK_NONE,
                                     GST_TYPE_SHM_VIDEO_SRC));
  shmvtest_gst_init(&argc, &argv);
  shim_inotify_start();
  shmvtest_add("/faults/elements/every-call", every_call);
  shmvtest_add("/faults/elements/few-for-the-sink", few_for_the_sink);
  shmvtest_add("/faults/elements/few-for-the-source", few_for_the_source);
  shmvtest_add("/faults/elements/none-for-a-pool", none_for_a_pool);
  return shmvtest_run();
}
