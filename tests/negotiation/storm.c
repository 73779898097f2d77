/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * More wishes than anybody would have: no pipeline breaks, nothing is left behind.
 */

#include <errno.h>
#include <string.h>

#include "party.h"
#include "shmvideo.h"

/* ---- Readers of the library, made and freed as fast as possible ------------ */

static const char *const wanted[] = {
    "video/x-raw, format=RGBA", "video/x-raw, format={ NV12, YUY2 }",
    "video/x-raw, width=[ 32, 128 ], height=72",
    "video/x-raw, framerate=15/1", "video/x-raw, format=I420, width=80",
    "video/x-raw, format=BGRx; video/x-raw, format=GRAY8",
    "video/x-raw, format=ABGR64_LE", "video/x-raw", "image/png"};

struct storm {
  GThread *thread;
  char *path;
  gint stop; /* atomic */
  guint n_joined, n_frames, n_refused;
};

/* A new reader every three milliseconds, of which four are there at a time; each takes
 * what it can get. */
static gpointer
blow(gpointer data)
{
  struct storm *storm = data;
  struct shmvideo_reader *readers[4] = {NULL};

  for (guint i = 0; !g_atomic_int_get(&storm->stop); i++) {
    struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
    const struct shmvideo_frame *frame;
    guint k = i % G_N_ELEMENTS(readers);

    shmvideo_reader_free(readers[k]);
    config.path = storm->path;
    config.accepts = wanted[i % G_N_ELEMENTS(wanted)];
    config.flexible = i % 3 == 0;
    g_assert_cmpint(shmvideo_reader_new(&config, NULL, &readers[k]), ==, 0);
    storm->n_joined++;
    for (guint r = 0; r < G_N_ELEMENTS(readers); r++) {
      int code = 1;

      if (readers[r] == NULL || shmvideo_reader_dispatch(readers[r]) < 0)
        continue;
      while (code > 0) {
        code = shmvideo_reader_acquire(readers[r], &frame);
        storm->n_frames += code == SHMVIDEO_FRAME;
        storm->n_refused += code == -EMEDIUMTYPE;
        shmvideo_frame_release(frame);
      }
    }
    g_usleep(3000); /* the rhythm of the storm, not a wait */
  }
  for (guint r = 0; r < G_N_ELEMENTS(readers); r++)
    shmvideo_reader_free(readers[r]);
  return NULL;
}

static void
storm_start(struct storm *storm)
{
  memset(storm, 0, sizeof *storm);
  storm->path = g_strdup(shmvtest_path("s"));
  storm->thread = g_thread_new("storm", blow, storm);
}

static void
storm_stop(struct storm *storm)
{
  g_atomic_int_set(&storm->stop, 1);
  g_thread_join(storm->thread);
  g_free(storm->path);
}

/* ---- No pipeline breaks ------------------------------------------------------ */

#define LIVE "videotestsrc is-live=true ! video/x-raw,width=64,height=48"

static const char *const upstreams[] = {
    "videotestsrc is-live=true",
    LIVE " ! videoconvert ! videoscale ! videorate",
    LIVE " ! jpegenc ! jpegdec",
    LIVE " ! jpegenc ! jpegdec ! queue ! videoconvert",
    LIVE ",format=I420",
    LIVE " ! videorate",
    LIVE " ! c. compositor name=c ! videoconvert",
    LIVE " ! c. compositor name=c",
    "videotestsrc num-buffers=1 ! video/x-raw,width=64,height=48 ! imagefreeze "
    "is-live=true ! videoconvert",
    LIVE " ! tee ! queue ! videoconvert ! queue",
};

static void
no_pipeline_breaks(void)
{
  guint turns = g_test_slow() ? 12 : 1;

  for (guint i = 0; i < G_N_ELEMENTS(upstreams); i++) {
    GstElement *share = party_share(upstreams[i], "negotiate-interval=1");
    struct storm storm;

    storm_start(&storm);
    for (guint turn = 0; turn < turns; turn++)
      party_wait_shown(share, 25);
    storm_stop(&storm);
    g_test_message("%u readers, %u frames, %u refused: %s", storm.n_joined,
                   storm.n_frames, storm.n_refused, upstreams[i]);
    g_assert_cmpuint(storm.n_joined, >, 4);
    party_expect_no_error(share);
    party_wait_shown(share, 5); /* it goes on by itself */
    shmvtest_stop(share);
  }
}

/* A capsfilter right above that is changed while wishes are in force. In its other mode
 * it would refuse a format that upstream had just decided on, before any sink. */
static void
a_filter_changes_meanwhile(void)
{
  static const char *const filters[] = {
      "video/x-raw,format=RGBA", "video/x-raw,format=I420,width=80,height=60",
      "video/x-raw", "video/x-raw,format={NV12,YUY2}"};
  GstElement *share = party_share(
      LIVE " ! videoconvert ! videoscale ! capsfilter name=filter "
      "caps-change-mode=delayed",
      "negotiate-interval=1");
  GstElement *filter = gst_bin_get_by_name(GST_BIN(share), "filter");
  struct storm storm;

  storm_start(&storm);
  for (guint i = 0; i < (g_test_slow() ? 200 : 20); i++) {
    GstCaps *caps = gst_caps_from_string(filters[i % G_N_ELEMENTS(filters)]);

    g_object_set(filter, "caps", caps, NULL);
    gst_caps_unref(caps);
    party_wait_shown(share, 3);
  }
  storm_stop(&storm);
  gst_object_unref(filter);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

/* An application's own frames, of whatever format: nobody can steer those. */
static void
appsrc_goes_its_way(void)
{
  GstElement *share = party_share(
      "appsrc name=app format=time caps=\"video/x-raw,format=I420,width=64,"
      "height=48,framerate=30/1\"", "sync=false negotiate-interval=1");
  GstElement *app = gst_bin_get_by_name(GST_BIN(share), "app");
  guint frames = g_test_slow() ? 1000 : 100;
  struct storm storm;

  storm_start(&storm);
  for (guint i = 0; i < frames; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 64 * 48 * 3 / 2, NULL);

    gst_buffer_memset(buffer, 0, i & 0xff, 64 * 48 * 3 / 2);
    GST_BUFFER_PTS(buffer) = i * (GST_SECOND / 30);
    g_assert_cmpint(gst_app_src_push_buffer(GST_APP_SRC(app), buffer), ==,
                    GST_FLOW_OK);
    while (party_count(share, "frames") + party_count(share, "dropped") <= i)
      g_usleep(500); /* one at a time */
  }
  storm_stop(&storm);
  gst_object_unref(app);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

/* Up and down between READY and PLAYING, and to the end, with readers at the door. */
static void
states_in_a_storm(void)
{
  GstElement *share = shmvtest_launch(
      "videotestsrc num-buffers=40 ! video/x-raw,width=64,height=48 ! "
      "videoconvert ! shmvideosink name=sink sync=false negotiate-interval=1 "
      "socket-path=%s", shmvtest_path("s"));
  struct storm storm;

  storm_start(&storm);
  for (guint i = 0; i < (g_test_slow() ? 50 : 6); i++) {
    shmvtest_state(share, GST_STATE_PAUSED);
    shmvtest_state(share, GST_STATE_PLAYING);
    gst_message_unref(shmvtest_message(share, GST_MESSAGE_EOS));
    shmvtest_state(share, GST_STATE_READY);
    if (i % 2 == 0)
      shmvtest_state(share, GST_STATE_NULL);
  }
  storm_stop(&storm);
  shmvtest_stop(share);
}

/* ---- Nothing is left behind --------------------------------------------------- */

/* Bytes of memory in use, shared or not. */
static guint64
resident(void)
{
  char *statm = NULL;
  guint64 pages;

  g_assert_true(g_file_get_contents("/proc/self/statm", &statm, NULL, NULL));
  pages = g_ascii_strtoull(strchr(statm, ' '), NULL, 10);
  g_free(statm);
  return pages * 4096;
}

/* One reader changes its mind again and again, another follows. */
static void
a_thousand_switches(void)
{
  GstElement *share = party_share(
      "videotestsrc ! video/x-raw,width=64,height=48,framerate=1000/1 ! "
      "videoconvert", "sync=false negotiate-interval=1 max-memory=2000000");
  GstElement *flexible = party_watch("allow-renegotiation=true",
                                     "queue leaky=downstream ! identity");
  GstElement *watch =
      party_watch("", "capsfilter name=filter ! queue leaky=downstream");
  GstElement *filter = gst_bin_get_by_name(GST_BIN(watch), "filter");
  guint switches = 1000, descriptors = 0;
  guint64 memory = 0;

  party_newest_only(watch);
  party_newest_only(flexible);
  if (g_getenv("SHMVIDEO_TEST_SLOWNESS") != NULL)
    switches = 100;
  for (guint i = 0; i < switches; i++) {
    const char *format = i % 2 == 0 ? "RGBA" : "I420";
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
                                        format, NULL);

    g_object_set(filter, "caps", caps, NULL);
    gst_caps_unref(caps);
    party_wait_format(watch, format);
    party_wait_format(flexible, format);
    if (i == switches / 4) {
      descriptors = shmvtest_count_descriptors();
      memory = resident();
    }
  }
  /* what is just under way: a format or two more or less */
  g_assert_cmpuint(shmvtest_count_descriptors(), <=, descriptors + 6);
  g_test_message("%" G_GUINT64_FORMAT " bytes more after %u switches",
                 resident() > memory ? resident() - memory : 0, switches);
  if (g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL)
    g_assert_cmpuint(resident(), <, memory + 8000000);
  gst_object_unref(filter);
  shmvtest_stop(watch);
  shmvtest_stop(flexible);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

/* Upstream changes its caps every ten frames, with all slots out, and with the base
 * class keeping the last sample or not. The filter in its delayed mode: in the other it
 * may refuse what its source decided on a moment before, below any sink whose answers
 * take a third of a millisecond. */
static void
caps_change_all_the_time(void)
{
  guint changes = g_test_slow() ? 1000 : 100;

  for (guint last_sample = 0; last_sample < 2; last_sample++) {
    GstElement *share = party_share(
        "videotestsrc ! capsfilter name=filter caps-change-mode=delayed ! "
        "queue max-size-buffers=20",
        last_sample ? "sync=false enable-last-sample=true max-lent=16"
                    : "sync=false enable-last-sample=false max-lent=16");
    GstElement *filter = gst_bin_get_by_name(GST_BIN(share), "filter");
    GstElement *watch = party_watch("", "queue max-size-buffers=200 ! identity");

    for (guint i = 0; i < changes; i++) {
      GstCaps *caps = gst_caps_new_simple(
          "video/x-raw", "format", G_TYPE_STRING, i % 2 == 0 ? "I420" : "RGBA",
          "width", G_TYPE_INT, 32 + (gint)(i % 5) * 16, NULL);

      g_object_set(filter, "caps", caps, NULL);
      gst_caps_unref(caps);
      party_wait_shown(share, 10);
    }
    gst_object_unref(filter);
    party_expect_no_error(share);
    shmvtest_stop(watch);
    shmvtest_stop(share);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/storm/no-pipeline-breaks", no_pipeline_breaks);
  shmvtest_add("/storm/a-filter-changes-meanwhile", a_filter_changes_meanwhile);
  shmvtest_add("/storm/appsrc", appsrc_goes_its_way);
  shmvtest_add("/storm/states", states_in_a_storm);
  shmvtest_add("/storm/a-thousand-switches", a_thousand_switches);
  shmvtest_add("/storm/caps-change-all-the-time", caps_change_all_the_time);
  return shmvtest_run();
}
