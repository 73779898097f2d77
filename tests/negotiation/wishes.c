/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers' wishes, from shmvideosrc through shmvideosink to whoever makes the frames.
 */

#include <string.h>

#include "party.h"

#define LIVE "videotestsrc is-live=true"
#define SMALL "video/x-raw,width=64,height=48,framerate=60/1"

/* ---- What is asked for comes ---------------------------------------------- */

static void
a_reader_gets_what_it_takes(void)
{
  static const struct {
    const char *upstream, *takes, *words;
  } cases[] = {
      {LIVE, "video/x-raw,format=RGBA", "format=(string)RGBA"},
      {LIVE " ! videoconvert", "video/x-raw,format=BGRx", "format=(string)BGRx"},
      {LIVE " ! videoconvert ! videoscale ! videorate",
       "video/x-raw,width=96,height=72,framerate=15/1", "width=(int)96"},
      {LIVE " ! videoconvert ! videoscale ! videorate",
       "video/x-raw,width=96,height=72,framerate=15/1",
       "framerate=(fraction)15/1"},
      {LIVE " ! video/x-raw,width=64,height=48 ! videoscale",
       "video/x-raw,pixel-aspect-ratio=2/1", "pixel-aspect-ratio=(fraction)2/1"},
      {LIVE " ! video/x-raw,format=I420,colorimetry=bt601 ! videoconvert",
       "video/x-raw,format=I420,colorimetry=bt709", "colorimetry=(string)bt709"},
      {LIVE " ! queue ! videoconvert ! queue", "video/x-raw,format=UYVY",
       "format=(string)UYVY"},
      {"videotestsrc ! videoconvert", "video/x-raw,format=NV21",
       "format=(string)NV21"},
      {LIVE " ! " SMALL " ! jpegenc ! jpegdec ! videoconvert",
       "video/x-raw,format=RGB", "format=(string)RGB"},
      {"compositor name=c ! videoconvert", "video/x-raw,format=RGBA",
       "format=(string)RGBA"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *more = strstr(cases[i].upstream, "compositor") != NULL
                           ? LIVE " ! c. "
                           : "";
    char *upstream = g_strconcat(more, cases[i].upstream, NULL);
    GstElement *share = party_share(upstream, "");
    GstElement *watch;

    party_wait_shown(share, 1);
    watch = party_watch("", cases[i].takes);
    party_wait_format(watch, cases[i].words);
    party_expect_no_error(share);
    shmvtest_stop(watch);
    shmvtest_stop(share);
    g_free(upstream);
  }
}

/* The order of structures is a preference; in a list the sink's order counts; and what
 * fits stays as it is. */
static void
preferences(void)
{
  static const struct {
    const char *takes, *format;
  } cases[] = {
      {"capsfilter caps=\"video/x-raw,format=BGRA;video/x-raw,format=RGBA\"",
       "BGRA"},
      {"capsfilter caps=\"video/x-raw,format={GRAY8,BGRA,RGBA}\"", "RGBA"},
      {"capsfilter caps=\"video/x-raw,format={RGBA,YUY2,I420}\"", "I420"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    GstElement *share = party_share(
        LIVE " ! video/x-raw,format=I420 ! videoconvert", "");
    GstElement *watch;

    party_wait_shown(share, 1);
    watch = party_watch("", cases[i].takes);
    g_assert_cmpstr(party_format(watch), ==, cases[i].format);
    shmvtest_stop(watch);
    shmvtest_stop(share);
  }
}

/* With nobody asking it is one that every program can show. */
static void
common_formats_by_themselves(void)
{
  static const char *const upstreams[] = {
      LIVE, LIVE " ! videoconvert",
      LIVE " ! video/x-raw,format=ABGR64_LE ! videoconvert",
      LIVE " ! queue ! videoscale ! videorate"};
  static const char *const common[] = {"I420", "NV12", "RGBA",
                                       "BGRA", "YUY2", "UYVY", NULL};

  for (guint i = 0; i < G_N_ELEMENTS(upstreams); i++) {
    GstElement *share = party_share(upstreams[i], "");
    GstElement *watch = party_watch("", "identity");

    g_assert_true(g_strv_contains(common, party_format(watch)));
    shmvtest_stop(watch);
    shmvtest_stop(share);
  }
}

/* ---- What cannot be is refused -------------------------------------------- */

/* Read on, and see that no frame is missing. */
static void
expect_all_frames(GstElement *watch, guint n, const char *format)
{
  guint64 last = GST_BUFFER_OFFSET_NONE;

  for (guint i = 0; i < n; i++) {
    GstSample *sample = party_frame(watch);
    const GstStructure *s =
        gst_caps_get_structure(gst_sample_get_caps(sample), 0);
    guint64 offset = GST_BUFFER_OFFSET(gst_sample_get_buffer(sample));

    g_assert_cmpstr(gst_structure_get_string(s, "format"), ==, format);
    if (last != GST_BUFFER_OFFSET_NONE)
      g_assert_cmpuint(offset, ==, last + 1);
    last = offset;
    gst_sample_unref(sample);
  }
}

static void
refused_without_a_trace(const char *upstream, const char *properties,
                        const char *words)
{
  GstElement *share = party_share(upstream, properties);
  GstElement *content = party_watch("max-buffers=32", "identity");
  GstElement *picky;

  g_assert_cmpstr(party_format(content), ==, "I420");
  picky = party_watch("", "video/x-raw,format=RGBA");
  expect_all_frames(content, 10, "I420");
  party_expect_refusal(picky, words);
  expect_all_frames(content, 10, "I420");
  party_expect_no_error(share);
  shmvtest_stop(picky);
  shmvtest_stop(content);
  shmvtest_stop(share);
}

static void
fixed_upstream(void)
{
  GstElement *share = party_share(LIVE " ! video/x-raw,format=I420", "");
  GstElement *picky;

  party_wait_shown(share, 1);
  picky = party_watch("", "video/x-raw,format=RGBA");
  party_expect_refusal(picky, "the writer can make only");
  party_expect_no_error(share);
  shmvtest_stop(picky);
  shmvtest_stop(share);
}

static void
pinned_by_a_property(void)
{
  refused_without_a_trace(LIVE " ! video/x-raw,format=I420 ! videoconvert",
                          "negotiate=false", "does not negotiate");
}

static void
taken_by_another_reader(void)
{
  refused_without_a_trace(LIVE " ! video/x-raw,format=I420 ! videoconvert", "",
                          "receives the present format and keeps it");
}

/* Says that it could make anything. */
static GstPadProbeReturn
lie(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);

  (void)pad;
  (void)data;
  if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS)
    return GST_PAD_PROBE_OK;
  GstCaps *caps = gst_caps_from_string("video/x-raw");

  gst_query_set_caps_result(query, caps);
  gst_caps_unref(caps);
  return GST_PAD_PROBE_HANDLED;
}

/* Asked beforehand, it would do; asked to, it does not. Some thirty frames later that
 * is known. */
static void
upstream_that_promises_too_much(void)
{
  GstElement *share = shmvtest_launch(
      LIVE " ! video/x-raw,format=I420,framerate=60/1 ! identity name=liar ! "
      "shmvideosink name=sink socket-path=%s", shmvtest_path("s"));
  GstElement *liar = gst_bin_get_by_name(GST_BIN(share), "liar");
  GstPad *pad = gst_element_get_static_pad(liar, "src");
  GstElement *picky, *content;
  guint64 before;

  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM |
                    GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, lie, NULL, NULL);
  gst_object_unref(pad);
  gst_object_unref(liar);
  gst_element_set_state(share, GST_STATE_PLAYING);
  party_wait_shown(share, 1);
  before = party_count(share, "frames");
  picky = party_watch("", "video/x-raw,format=RGBA");
  party_expect_refusal(picky, "tried in vain");
  g_assert_cmpuint(party_count(share, "frames") - before, >=, 30);
  content = party_watch("max-buffers=32", "identity");
  expect_all_frames(content, 10, "I420");
  party_expect_no_error(share);
  shmvtest_stop(content);
  shmvtest_stop(picky);
  shmvtest_stop(share);
}

/* ---- Two and three readers ------------------------------------------------- */

/* The first agrees to changes, and can convert. */
static void
a_flexible_reader_follows(void)
{
  GstElement *share = party_share(LIVE " ! videoconvert", "");
  GstElement *first = party_watch("allow-renegotiation=true", "identity");
  GstElement *second, *third;

  g_assert_cmpstr(party_format(first), ==, "I420");
  second = party_watch("", "video/x-raw,format={RGBA,BGRA}");
  g_assert_cmpstr(party_format(second), ==, "RGBA");
  party_wait_format(first, "format=(string)RGBA");
  third = party_watch("", "video/x-raw,format=I420"); /* the second keeps his */
  party_expect_refusal(third, "keeps it");
  shmvtest_stop(third);
  shmvtest_stop(second);
  g_assert_cmpstr(party_format(first), ==, "RGBA"); /* no need to change back */
  shmvtest_stop(first);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

/* Downstream of a reader changes its mind; and it may, for it is alone. */
static void
downstream_changes_its_mind(void)
{
  GstElement *share = party_share(LIVE " ! videoconvert ! videoscale",
                                  "negotiate-interval=1");
  GstElement *watch = party_watch("", "capsfilter name=filter");
  GstElement *filter = gst_bin_get_by_name(GST_BIN(watch), "filter");
  static const char *const changes[] = {
      "video/x-raw,format=RGBA", "video/x-raw,format=NV12,width=80,height=60",
      "video/x-raw,format={NV12,I420}"};
  static const char *const then[] = {"format=(string)RGBA", "width=(int)80",
                                     "format=(string)NV12"};

  g_assert_cmpstr(party_format(watch), ==, "I420");
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    GstCaps *caps = gst_caps_from_string(changes[i]);

    g_object_set(filter, "caps", caps, NULL);
    gst_caps_unref(caps);
    party_wait_format(watch, then[i]);
  }
  gst_object_unref(filter);
  shmvtest_stop(watch);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

/* Upstream renegotiates for reasons of its own: readers keep what they have. */
static void
upstream_changes_its_mind(void)
{
  GstElement *share = party_share(
      LIVE " ! capsfilter name=filter ! videoconvert", "");
  GstElement *watch = party_watch("", "video/x-raw,format=RGBA");
  GstElement *filter = gst_bin_get_by_name(GST_BIN(share), "filter");
  GstCaps *caps = gst_caps_from_string("video/x-raw,format=UYVY");

  g_assert_cmpstr(party_format(watch), ==, "RGBA");
  g_object_set(filter, "caps", caps, NULL);
  gst_caps_unref(caps);
  gst_object_unref(filter);
  party_wait_shown(share, 10);
  for (guint i = 0; i < 10; i++)
    g_assert_cmpstr(party_format(watch), ==, "RGBA");
  party_expect_no_error(watch);
  party_expect_no_error(share);
  shmvtest_stop(watch);
  shmvtest_stop(share);
}

/* ---- States ---------------------------------------------------------------- */

static GstElement *
paused_share(const char *upstream)
{
  GstElement *share = shmvtest_launch(
      "%s ! videoconvert ! shmvideosink name=sink socket-path=%s", upstream,
      shmvtest_path("s"));

  shmvtest_state(share, GST_STATE_PAUSED);
  return share;
}

static void
in_paused_a_wish_waits(void)
{
  GstElement *share = paused_share("videotestsrc");
  GstElement *watch = party_watch("", "video/x-raw,format=RGBA");

  party_wait_clients(share, 1);
  shmvtest_state(share, GST_STATE_PLAYING);
  g_assert_cmpstr(party_format(watch), ==, "RGBA");
  shmvtest_stop(watch);
  shmvtest_stop(share);
}

/* The only frame is drawn already when the wish comes. Upstream may still change its
 * format, before it finds that there is nothing more to draw: then it just ends. */
static void
at_the_end_nobody_is_left_waiting(void)
{
  GstMessage *message;
  GstElement *share = paused_share("videotestsrc num-buffers=1");
  GstElement *picky = party_watch("", "video/x-raw,format=RGBA");

  party_wait_clients(share, 1);
  shmvtest_state(share, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(share, GST_MESSAGE_EOS));
  message = shmvtest_message(picky, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *error;

    gst_message_parse_error(message, &error, NULL);
    g_assert_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "the stream ended"));
    g_error_free(error);
  }
  gst_message_unref(message);
  shmvtest_stop(picky);
  shmvtest_stop(share);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/wishes/a-reader-gets-what-it-takes",
               a_reader_gets_what_it_takes);
  shmvtest_add("/wishes/preferences", preferences);
  shmvtest_add("/wishes/common-formats", common_formats_by_themselves);
  shmvtest_add("/wishes/fixed-upstream", fixed_upstream);
  shmvtest_add("/wishes/negotiate-false", pinned_by_a_property);
  shmvtest_add("/wishes/taken-by-another-reader", taken_by_another_reader);
  shmvtest_add("/wishes/promised-too-much", upstream_that_promises_too_much);
  shmvtest_add("/wishes/a-flexible-reader-follows", a_flexible_reader_follows);
  shmvtest_add("/wishes/downstream-changes-its-mind",
               downstream_changes_its_mind);
  shmvtest_add("/wishes/upstream-changes-its-mind", upstream_changes_its_mind);
  shmvtest_add("/wishes/in-paused", in_paused_a_wish_waits);
  shmvtest_add("/wishes/at-the-end", at_the_end_nobody_is_left_waiting);
  return shmvtest_run();
}
