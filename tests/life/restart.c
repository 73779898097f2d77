/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Any order of starting and ending, with gst-launch-1.0 on both sides: what comes
 * back comes back by itself, and a recording goes on.
 */

#include <gst/video/video.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gsttest.h"
#include "launch.h"

/* A late joiner sees the picture so soon, ms. */
#define PROMPT 100

#define LIVE "videotestsrc is-live=true ! video/x-raw,%s ! shmvideosink socket-path=%s"
#define RECORD                                                                 \
  "shmvideosrc socket-path=%s ! %s videoconvert ! videoscale ! "               \
  "video/x-raw,format=I420,width=96,height=64,pixel-aspect-ratio=1/1,"         \
  "framerate=50/1 ! "                                                          \
  "x264enc tune=zerolatency key-int-max=10 ! identity silent=false ! "         \
  "matroskamux ! filesink location=%s"

/* ---- What is in a file ---------------------------------------------------------- */

struct recording {
  guint frames;
  GstClockTime last; /* timestamp */
  gboolean backwards;
};

static void
on_frame(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user)
{
  struct recording *recording = user;
  if (recording->frames++ > 0 && GST_BUFFER_PTS(buffer) <= recording->last)
    recording->backwards = TRUE;
  recording->last = GST_BUFFER_PTS(buffer);
}

/* Decode all of it; every frame must be of the recording's size. */
static struct recording
play(const char *file)
{
  struct recording recording = {0};
  GstElement *pipeline = shmvtest_launch(
      "filesrc location=%s ! matroskademux ! h264parse ! avdec_h264 ! "
      "video/x-raw,width=96,height=64 ! fakesink name=sink signal-handoffs=true",
      file);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_signal_connect(sink, "handoff", G_CALLBACK(on_frame), &recording);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
  g_test_message("%u frames, %" GST_TIME_FORMAT, recording.frames,
                 GST_TIME_ARGS(recording.last));
  return recording;
}

/* ---- Recording through all kinds of ends ------------------------------------------- */

/* The reader comes first; each writer is killed, the next is of another size and
 * format. A muxer takes no other frame rate: that is up to videorate. */
static void
record(const char *const *formats, const char *rate)
{
  const char *path = shmvtest_path("share"), *file = shmvtest_output("r.mkv");
  struct launch *recorder = launch_start(TRUE, RECORD, path, rate, file);
  launch_wait(recorder, "shmvideo-waiting");
  for (; *formats != NULL; formats++) {
    struct launch *writer = launch_start(FALSE, LIVE, *formats, path);
    launch_wait(recorder, "shmvideo-connected");
    launch_wait_frames(recorder, 15);
    launch_free(writer); /* SIGKILL */
    launch_wait(recorder, "shmvideo-disconnected");
  }
  launch_wait(recorder, "shmvideo-waiting");
  g_assert_cmpuint(launch_ctrl_c(recorder, 0), <, (guint)shmvtest_deadline());
  g_assert_cmpuint(recorder->errors, ==, 0);
  guint told = recorder->frames;
  launch_free(recorder);
  unlink(path); /* of the last writer */
  struct recording recording = play(file);
  g_assert_cmpuint(recording.frames, ==, told);
  g_assert_false(recording.backwards);
}

static void
recording_goes_on(void)
{
  static const char *const formats[] = {
      "format=RGBA,width=64,height=48,framerate=50/1",
      "format=I420,width=130,height=98,framerate=50/1",
      "format=YUY2,width=322,height=242,framerate=50/1",
      "format=RGBA,width=64,height=48,framerate=50/1", NULL};
  record(formats, "");
}

static void
recording_goes_on_at_other_rates(void)
{
  static const char *const formats[] = {
      "format=I420,width=64,height=48,framerate=25/1",
      "format=NV12,width=130,height=98,framerate=50/1 ! "
      "capssetter caps=video/x-raw,framerate=0/1",
      "format=BGRA,width=322,height=242,framerate=60/1", NULL};
  record(formats, "videorate skip-to-first=true !");
}

/* The same by EOS: of the writer, to every reader, all frames before it. */
static void
writer_ends(void)
{
  const char *path = shmvtest_path("share");
  struct launch *readers[3], *next;
  for (guint i = 0; i < 3; i++) {
    readers[i] = launch_start(
        FALSE, "shmvideosrc socket-path=%s %s ! fakesink silent=false sync=false",
        path, i == 0 ? "policy=lossless" : i == 1 ? "" : "on-eos=wait");
    launch_wait(readers[i], "shmvideo-waiting");
  }
  struct launch *writer = launch_start(
      FALSE, "videotestsrc num-buffers=100 ! video/x-raw,width=64,height=48 ! "
      "shmvideosink sync=false wait-for-connection=true backpressure=true "
      "socket-path=%s", path);
  g_assert_cmpint(launch_end(writer), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint(launch_end(readers[i]), ==, 0);
    g_assert_cmpuint(readers[i]->errors, ==, 0);
  }
  g_assert_cmpuint(readers[0]->frames, ==, 100);
  launch_wait(readers[2], "shmvideo-disconnected");
  next = launch_start(FALSE, LIVE, "width=98,height=66", path);
  launch_wait_frames(readers[2], 10);
  g_assert_cmpuint(launch_ctrl_c(next, 0), <, (guint)shmvtest_deadline());
  g_assert_cmpuint(launch_ctrl_c(readers[2], 0), <, (guint)shmvtest_deadline());
  g_assert_cmpuint(readers[2]->errors, ==, 0);
  for (guint i = 0; i < 3; i++)
    launch_free(readers[i]);
  launch_free(next);
  launch_free(writer);
}

/* ---- Readers that die ---------------------------------------------------------------- */

static guint64
get_count(GstElement *sink, const char *name)
{
  GstStructure *stats = NULL;
  guint64 count = 0;
  guint small = 0;
  g_object_get(sink, "transport-stats", &stats, NULL);
  if (gst_structure_get_uint(stats, name, &small))
    count = small;
  else if (!gst_structure_get_uint64(stats, name, &count))
    g_error("no counter %s", name);
  gst_structure_free(stats);
  return count;
}

/* A counter of each reader, all together. */
static guint
get_sum(GstElement *sink, const char *name)
{
  GstStructure *stats = NULL;
  guint sum = 0, one;
  g_object_get(sink, "transport-stats", &stats, NULL);
  const GValue *list = gst_structure_get_value(stats, "readers");
  for (guint i = 0; i < gst_value_list_get_size(list); i++)
    if (gst_structure_get_uint(
            gst_value_get_structure(gst_value_list_get_value(list, i)), name,
            &one))
      sum += one;
  gst_structure_free(stats);
  return sum;
}

static void
wait_count(GstElement *sink, const char *name, guint64 value)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * GST_MSECOND;
  while (get_count(sink, name) < value) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 2);
  }
}

static void
wait_clients(GstElement *sink, guint n)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * GST_MSECOND;
  for (guint is = n + 1; is != n; g_object_get(sink, "num-clients", &is, NULL)) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 2);
  }
}

/* It has a queue full of frames, and is killed; three times. */
static void
reader_is_killed_holding(void)
{
  const char *path = shmvtest_path("share");
  GstElement *pipeline = shmvtest_launch(
      "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,"
      "framerate=100/1 ! shmvideosink name=sink socket-path=%s", path);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  guint descriptors = 0, mappings = 0, now_descriptors, now_mappings;
  struct launch *other = launch_start(
      FALSE, "shmvideosrc socket-path=%s max-buffers=32 ! "
      "fakesink silent=false sync=false", path);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  launch_wait_frames(other, 5);
  for (guint i = 0; i < 3; i++) {
    struct launch *hoarder = launch_start(
        FALSE, "shmvideosrc max-holds=16 socket-path=%s ! queue "
        "max-size-buffers=200 max-size-bytes=0 max-size-time=0 ! "
        "fakesink sync=true ts-offset=3600000000000", path);
    guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * GST_MSECOND;
    while (get_sum(sink, "held") < 14) {
      g_assert_cmpuint(shmvtest_now(), <, end);
      launch_listen(other);
      shmvtest_poll(-1, 0, 2);
    }
    launch_free(hoarder);
    wait_clients(sink, 1);
    wait_count(sink, "frames", get_count(sink, "frames") + 100);
    g_assert_cmpuint(get_count(sink, "dropped"), ==, 0);
    g_assert_cmpuint(get_sum(sink, "skipped"), ==, 0); /* the other's */
    launch_usage(getpid(), &now_descriptors, &now_mappings);
    if (i == 0) {
      descriptors = now_descriptors;
      mappings = now_mappings;
    }
    g_assert_cmpuint(now_descriptors, <=, descriptors);
    g_assert_cmpuint(now_mappings, <=, mappings);
  }
  launch_listen(other);
  guint64 shown = get_count(sink, "frames");
  g_test_message("%" G_GUINT64_FORMAT " frames shown, the other has told of %u",
                 shown, other->frames);
  launch_wait_frames(other, 20);
  g_assert_cmpuint(launch_ctrl_c(other, 0), <, (guint)shmvtest_deadline());
  launch_free(other);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
}

/* ---- Late joiners --------------------------------------------------------------------- */

static GstPadProbeReturn
on_first(GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  guint64 *seen = user;
  if (*seen == 0)
    *seen = shmvtest_now();
  return GST_PAD_PROBE_OK;
}

/* Nothing moves there any more; whoever comes sees the picture at once. */
static void
still_picture(void)
{
  const char *path = shmvtest_path("share");
  gsize size = 320 * 240 * 3 / 2;
  char *picture = g_malloc0(size);
  struct launch *writer = launch_start(
      FALSE, "fdsrc blocksize=%u ! rawvideoparse format=i420 width=320 height=240 "
      "! shmvideosink socket-path=%s", (guint)size, path);
  for (gsize done = 0; done < size;) {
    gssize n = write(writer->child->in, picture + done, size - done);
    g_assert_cmpint(n, >, 0);
    done += (gsize)n;
  }
  launch_wait(writer, "Setting pipeline to PLAYING");
  for (guint i = 0, slow = 0; i < 6; i++) {
    GstElement *reader = shmvtest_launch(
        "shmvideosrc name=src socket-path=%s ! fakesink name=sink", path);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(reader), "sink");
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    guint64 seen = 0, start = shmvtest_now();
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_first, &seen, NULL);
    gst_element_set_state(reader, GST_STATE_PLAYING);
    gst_message_unref(shmvtest_message(reader, GST_MESSAGE_ASYNC_DONE));
    guint ms = (guint)((seen - start) / GST_MSECOND);
    g_test_message("seen after %u ms", ms);
    g_assert_cmpuint(seen, !=, 0);
    if (ms >= PROMPT && i > 0 && g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL)
      g_assert_cmpuint(++slow, ==, 1); /* the machine may be busy once */
    gst_object_unref(pad);
    gst_object_unref(sink);
    shmvtest_stop(reader);
  }
  g_assert_cmpuint(launch_ctrl_c(writer, 0), <, (guint)shmvtest_deadline());
  launch_free(writer);
  g_free(picture);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/restart/recording-goes-on", recording_goes_on);
  shmvtest_add("/restart/recording-goes-on/at-other-rates",
               recording_goes_on_at_other_rates);
  shmvtest_add("/restart/writer-ends", writer_ends);
  shmvtest_add("/restart/reader-is-killed-holding", reader_is_killed_holding);
  shmvtest_add("/restart/late-joiner-of-a-still-picture", still_picture);
  return shmvtest_run();
}
