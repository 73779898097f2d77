/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosrc against a writer in this process: waiting, stopping, pausing,
 * policies, errors. What the frames look like is in src-frames.c.
 */

#include <glib/gstdio.h>
#include <gst/app/app.h>
#include <signal.h>

#include "feeder.h"
#include "gsttest.h"

/* Longest that stopping may take (ms), in every state. */
#define PROMPT 500

static struct feeder_config
plain(void)
{
  return (struct feeder_config){.fps = 50};
}

static GstElement *
get(GstElement *pipeline, const char *name)
{
  GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);

  g_assert_nonnull(element);
  gst_object_unref(element); /* the pipeline has it */
  return element;
}

/* Wait for an element message of this name. */
static void
wait_said(GstElement *pipeline, const char *name)
{
  for (;;) {
    GstMessage *message = shmvtest_message(pipeline, GST_MESSAGE_ELEMENT);
    gboolean found = gst_message_has_name(message, name);

    if (found)
      g_assert_true(gst_structure_has_field_typed(
          gst_message_get_structure(message), "socket-path", G_TYPE_STRING));
    gst_message_unref(message);
    if (found)
      return;
  }
}

static guint
drain(GstElement *pipeline, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered(bus, type)) != NULL) {
    n++;
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return n;
}

static void
check_prompt(guint64 since)
{
  g_assert_cmpuint((shmvtest_now() - since) / GST_MSECOND, <, PROMPT);
}

static void
stop_promptly(GstElement *pipeline)
{
  guint64 since = shmvtest_now();

  shmvtest_stop(pipeline);
  check_prompt(since);
}

static void
eos_arrives_promptly(GstElement *pipeline, guint64 since)
{
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  check_prompt(since);
}

/* ---- watching the source's pad -------------------------------------------- */

/* The width that says: the stream ended. */
#define END (-1)

struct watcher {
  GMutex lock;
  GCond changed;
  gint width;          /* of the latest caps; 0: none yet; END */
  guint64 n, number;   /* frames; the latest's number */
  gboolean discont;    /* of the latest frame */
};

static GstPadProbeReturn
see(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  struct watcher *watcher = data;

  (void)pad;
  g_mutex_lock(&watcher->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

    watcher->n++;
    watcher->number = GST_BUFFER_OFFSET(buffer);
    watcher->discont = GST_BUFFER_IS_DISCONT(buffer);
  } else if (GST_EVENT_TYPE(info->data) == GST_EVENT_CAPS) {
    GstCaps *caps;

    gst_event_parse_caps(GST_PAD_PROBE_INFO_EVENT(info), &caps);
    g_assert_true(gst_structure_get_int(gst_caps_get_structure(caps, 0),
                                        "width", &watcher->width));
  } else if (GST_EVENT_TYPE(info->data) == GST_EVENT_EOS) {
    watcher->width = END;
  }
  g_cond_broadcast(&watcher->changed);
  g_mutex_unlock(&watcher->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch(struct watcher *watcher, GstElement *src)
{
  GstPad *pad = gst_element_get_static_pad(src, "src");

  memset(watcher, 0, sizeof *watcher);
  g_mutex_init(&watcher->lock);
  g_cond_init(&watcher->changed);
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER, see,
      watcher, NULL);
  gst_object_unref(pad);
}

/* Wait for caps of a width and more than n frames. */
static void
wait_seen(struct watcher *watcher, gint width, guint64 n)
{
  gint64 until =
      g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;

  g_mutex_lock(&watcher->lock);
  while (watcher->width != width || watcher->n < n)
    if (!g_cond_wait_until(&watcher->changed, &watcher->lock, until))
      g_error("%" G_GUINT64_FORMAT " frames, width %d", watcher->n,
              watcher->width);
  g_mutex_unlock(&watcher->lock);
}

/* Exactly one error comes, of this domain and code, and its text has these words.
 * Then the stream ends; only after that can no other come. */
static void
expect_error(GstElement *pipeline, struct watcher *watcher, GQuark domain,
             gint code, const char *words, const char *more_words)
{
  GstMessage *message = shmvtest_message(pipeline, GST_MESSAGE_ERROR);
  GError *error;

  gst_message_parse_error(message, &error, NULL);
  g_test_message("%s", error->message);
  g_assert_error(error, domain, code);
  g_assert_nonnull(strstr(error->message, words));
  g_assert_nonnull(strstr(error->message, more_words));
  g_error_free(error);
  gst_message_unref(message);
  wait_seen(watcher, END, 0);
  g_assert_cmpuint(drain(pipeline, GST_MESSAGE_ERROR), ==, 0);
}

#define EXPECT(domain, name, words, more_words)                  \
  expect_error(pipeline, &watcher, GST_##domain##_ERROR,         \
               GST_##domain##_ERROR_##name, words, more_words)

static GstSample *
pull(GstElement *pipeline)
{
  GstSample *sample = gst_app_sink_try_pull_sample(
      GST_APP_SINK(get(pipeline, "sink")),
      (GstClockTime)shmvtest_deadline() * GST_MSECOND);

  if (sample == NULL) {
    gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
    g_error("end of stream instead of a frame");
  }
  return sample;
}

/* ---- caps in PAUSED, frames after a pause --------------------------------- */

static void
caps_in_paused(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  struct watcher watcher;
  struct shmvideo_reader_info reader;
  GstElement *pipeline =
      shmvtest_launch("shmvideosrc name=src socket-path=%s ! fakesink",
                      shmvtest_path("s"));

  watch(&watcher, get(pipeline, "src"));
  g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_NO_PREROLL);
  wait_seen(&watcher, 66, 0);
  feeder_wait(feeder, 5);
  g_assert_true(feeder_reader(feeder, &reader));
  g_assert_cmpuint(reader.holding, ==, 0);
  g_assert_cmpuint(reader.received, ==, 0);
  stop_promptly(pipeline);
  feeder_free(feeder);
}

static void
caps_in_paused_from_a_late_writer(void)
{
  struct feeder *feeder;
  struct watcher watcher;
  GstElement *pipeline =
      shmvtest_launch("shmvideosrc name=src socket-path=%s ! fakesink",
                      shmvtest_path("s"));
  GstPad *pad = gst_element_get_static_pad(get(pipeline, "src"), "src");
  GstCaps *caps;

  watch(&watcher, get(pipeline, "src"));
  g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_PAUSED), ==,
                  GST_STATE_CHANGE_NO_PREROLL);
  wait_said(pipeline, "shmvideo-waiting");
  caps = gst_pad_query_caps(pad, NULL);
  g_assert_false(gst_caps_is_fixed(caps));
  gst_caps_unref(caps);

  feeder = feeder_new(shmvtest_path("s"), plain());
  wait_said(pipeline, "shmvideo-connected");
  wait_seen(&watcher, 66, 0);
  caps = gst_pad_query_caps(pad, NULL);
  g_assert_true(gst_caps_is_fixed(caps));
  gst_caps_unref(caps);
  /* it was said once */
  g_assert_cmpuint(drain(pipeline, GST_MESSAGE_ELEMENT), ==, 0);
  gst_object_unref(pad);
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* Pause: what was on its way arrives, then nothing more is taken or held. */
static void
pause_source(struct feeder *feeder, GstElement *src)
{
  struct shmvideo_reader_info before = {0}, after;
  guint64 limit = feeder_count(feeder) + 200;

  gst_element_set_state(src, GST_STATE_PAUSED);
  for (guint quiet = 0; quiet < 5; before = after) {
    feeder_wait(feeder, 1);
    g_assert_true(feeder_reader(feeder, &after));
    quiet = after.received == before.received && after.holding == 0 ? quiet + 1
                                                                    : 0;
    g_assert_cmpuint(feeder_count(feeder), <, limit);
  }
  feeder_wait(feeder, 20);
  g_assert_true(feeder_reader(feeder, &after));
  g_assert_cmpuint(after.received, ==, before.received);
  g_assert_cmpuint(after.holding, ==, 0);
}

/* Several times, since the pause may find the thread anywhere. */
static void
fresh_frame_after_a_pause(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 100});
  struct watcher watcher;
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! "
      "fakesink sync=false enable-last-sample=false", shmvtest_path("s"));
  GstElement *src = get(pipeline, "src");

  watch(&watcher, src);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_seen(&watcher, 66, 3);
  for (guint i = 0; i < 8; i++) {
    guint64 resumed, seen;

    pause_source(feeder, src);
    seen = watcher.n;
    feeder_stop(feeder);
    resumed = feeder_count(feeder);
    gst_element_set_state(src, GST_STATE_PLAYING);
    wait_seen(&watcher, 66, seen + 1);
    g_assert_cmpuint(watcher.number + 1, ==, resumed);
    g_assert_true(watcher.discont);
    feeder_start(feeder);
    wait_seen(&watcher, 66, seen + 1 + i % 3);
  }
  stop_promptly(pipeline);
  feeder_free(feeder);
}

static void
new_format_while_paused(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! appsink name=sink sync=false",
      shmvtest_path("s"));
  GstElement *src = get(pipeline, "src");
  GstSample *sample;
  gint width = 0;

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_sample_unref(pull(pipeline));
  gst_element_set_state(src, GST_STATE_PAUSED);
  feeder_resize(feeder, 34, 20);
  feeder_wait(feeder, 5);
  feeder_resize(feeder, 98, 20);
  feeder_wait(feeder, 5);
  gst_element_set_state(src, GST_STATE_PLAYING);
  while (width != 98) {
    sample = pull(pipeline);
    gst_structure_get_int(
        gst_caps_get_structure(gst_sample_get_caps(sample), 0), "width", &width);
    feeder_check(sample);
    gst_sample_unref(sample);
  }
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* ---- EOS and stopping ----------------------------------------------------- */

static GstElement *
waiting_pipeline(GstState state)
{
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! fakesink", shmvtest_path("none"));

  gst_element_set_state(pipeline, state);
  wait_said(pipeline, "shmvideo-waiting");
  return pipeline;
}

static void
eos_while_waiting(void)
{
  GstElement *pipeline = waiting_pipeline(GST_STATE_PLAYING);
  guint64 since = shmvtest_now();
  GstEvent *eos = gst_event_new_eos();
  guint32 number = gst_event_get_seqnum(eos);
  GstMessage *message;

  gst_element_send_event(pipeline, eos);
  message = shmvtest_message(pipeline, GST_MESSAGE_EOS);
  g_assert_cmpuint(gst_message_get_seqnum(message), ==, number);
  gst_message_unref(message);
  check_prompt(since);
  stop_promptly(pipeline);

  /* a sink says EOS in PLAYING only; sending it must not hang before that */
  pipeline = waiting_pipeline(GST_STATE_PAUSED);
  since = shmvtest_now();
  gst_element_send_event(pipeline, gst_event_new_eos());
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  eos_arrives_promptly(pipeline, since);
  stop_promptly(pipeline);
}

/* Also just when the first frame reaches a sink that is not yet PLAYING. */
static void
eos_while_frames_flow(void)
{
  struct feeder *feeder =
      feeder_new(shmvtest_path("s"), (struct feeder_config){.fps = 1000});

  for (guint i = 0; i < 30; i++) {
    GstElement *pipeline = shmvtest_launch(
        "shmvideosrc socket-path=%s ! fakesink", shmvtest_path("s"));
    guint64 since;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    wait_said(pipeline, "shmvideo-connected");
    since = shmvtest_now();
    gst_element_send_event(pipeline, gst_event_new_eos());
    eos_arrives_promptly(pipeline, since);
    stop_promptly(pipeline);
  }
  feeder_free(feeder);
}

static void
stopping_is_prompt_in_every_state(void)
{
  struct feeder_config config = plain();
  struct feeder *feeder;
  GstElement *pipeline;

  stop_promptly(waiting_pipeline(GST_STATE_PAUSED));
  stop_promptly(waiting_pipeline(GST_STATE_PLAYING));

  /* connected, but no frame ever comes */
  config.quiet = TRUE;
  feeder = feeder_new(shmvtest_path("s"), config);
  for (guint i = 0; i < 2; i++) {
    pipeline = shmvtest_launch("shmvideosrc socket-path=%s ! fakesink",
                               shmvtest_path("s"));
    gst_element_set_state(pipeline, i == 0 ? GST_STATE_PAUSED
                                           : GST_STATE_PLAYING);
    wait_said(pipeline, "shmvideo-connected");
    stop_promptly(pipeline);
  }
  feeder_free(feeder);
}

static struct shmvtest_child *
start_sink(guint width)
{
  struct shmvtest_child *child = shmvtest_spawn_line(
      "gst-launch-1.0 -q videotestsrc is-live=true ! "
      "video/x-raw,format=I420,width=%u,height=50,framerate=50/1 ! "
      "shmvideosink socket-path=%s", width, shmvtest_output("s"));

  return child;
}

/* A writer that is stopped, or killed, is no business of ours. */
static void
stopped_and_killed_writers(void)
{
  struct watcher watcher;
  struct shmvtest_child *sink = start_sink(66);
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! fakesink", shmvtest_output("s"));
  guint64 since;

  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_seen(&watcher, 66, 5);
  shmvtest_child_signal(sink, SIGKILL);
  shmvtest_child_wait(sink, shmvtest_deadline());
  shmvtest_child_free(sink);
  wait_said(pipeline, "shmvideo-disconnected");
  sink = start_sink(34);
  wait_seen(&watcher, 34, 10);

  shmvtest_child_signal(sink, SIGSTOP);
  since = shmvtest_now();
  gst_element_send_event(pipeline, gst_event_new_eos());
  eos_arrives_promptly(pipeline, since);
  stop_promptly(pipeline);
  shmvtest_child_free(sink);
}

/* As a user does it: -e sends EOS on Ctrl-C, without it the state goes down. */
static void
ctrl_c_ends_gst_launch(void)
{
  static const char *const options[] = {"", "-e"};

  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    struct shmvtest_child *child = shmvtest_spawn_line(
        "gst-launch-1.0 -m %s shmvideosrc socket-path=%s ! fakesink",
        options[i], shmvtest_path("none"));
    gboolean waiting = FALSE;
    guint64 since;

    while (!waiting) {
      char *line = shmvtest_child_line(child, shmvtest_deadline());

      g_assert_nonnull(line);
      waiting = strstr(line, "shmvideo-waiting") != NULL;
      g_free(line);
    }
    since = shmvtest_now();
    shmvtest_child_signal(child, SIGINT);
    g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
    check_prompt(since);
    shmvtest_child_free(child);
  }
}

static guint
count_mappings(void)
{
  char *maps;
  guint n = 0;

  g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
  for (const char *at = maps; (at = strstr(at, "memfd:")) != NULL; at++)
    n++;
  g_free(maps);
  return n;
}

static void
state_cycles_leave_nothing(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! "
      "fakesink sync=false enable-last-sample=false", shmvtest_path("s"));
  struct watcher watcher;
  guint descriptors = 0, mappings = 0;

  watch(&watcher, get(pipeline, "src"));
  for (guint i = 0; i < 20; i++) {
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    wait_seen(&watcher, 66, watcher.n + 2);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    drain(pipeline, GST_MESSAGE_ANY);
    feeder_wait_readers(feeder, 0);
    if (i == 0) {
      descriptors = shmvtest_count_descriptors();
      mappings = count_mappings();
    }
    g_assert_cmpuint(shmvtest_count_descriptors(), ==, descriptors);
    g_assert_cmpuint(count_mappings(), ==, mappings);
  }
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* ---- policies ------------------------------------------------------------- */

static void
on_eos(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! appsink name=sink sync=false",
      shmvtest_path("s"));
  GstSample *sample;
  guint64 number;

  shmvtest_state(pipeline, GST_STATE_PLAYING);
  sample = pull(pipeline);
  number = feeder_check(sample);
  gst_sample_unref(sample);
  feeder_stop(feeder);
  feeder_end(feeder);
  while ((sample = gst_app_sink_try_pull_sample(
              GST_APP_SINK(get(pipeline, "sink")),
              (GstClockTime)shmvtest_deadline() * GST_MSECOND)) != NULL) {
    number = feeder_check(sample);
    gst_sample_unref(sample);
  }
  g_assert_cmpuint(number + 1, ==, feeder_count(feeder));
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  feeder_free(feeder);

  /* wait: through an end, and the writer that left after it */
  feeder = feeder_new(shmvtest_path("s"), plain());
  g_object_set(get(pipeline, "src"), "on-eos", 1, "on-disconnect", 2, NULL);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_sample_unref(pull(pipeline));
  feeder_stop(feeder);
  feeder_end(feeder);
  feeder_free(feeder);
  wait_said(pipeline, "shmvideo-disconnected");
  feeder = feeder_new(shmvtest_path("s"), plain());
  wait_said(pipeline, "shmvideo-connected");
  gst_sample_unref(pull(pipeline));
  stop_promptly(pipeline);
  feeder_free(feeder);
}

static void
on_disconnect(void)
{
  for (gint action = 0; action < 3; action++) {
    struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
    struct watcher watcher;
    GstElement *pipeline = shmvtest_launch(
        "shmvideosrc name=src socket-path=%s on-disconnect=%d ! fakesink",
        shmvtest_path("s"), action);

    watch(&watcher, get(pipeline, "src"));
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    wait_said(pipeline, "shmvideo-connected");
    feeder_free(feeder);
    if (action == 2) {
      EXPECT(RESOURCE, READ, "gone", shmvtest_path("s"));
    } else {
      wait_said(pipeline, "shmvideo-disconnected");
      if (action == 1)
        gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
      else
        wait_said(pipeline, "shmvideo-waiting");
    }
    stop_promptly(pipeline);
  }
}

/* ---- errors --------------------------------------------------------------- */

static void
connect_timeout(void)
{
  struct watcher watcher;
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s connect-timeout=200000000 ! fakesink",
      shmvtest_path("none"));
  guint64 since = shmvtest_now();

  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  EXPECT(RESOURCE, NOT_FOUND, shmvtest_path("none"), "in time");
  g_assert_cmpuint(shmvtest_now() - since, >=, 200 * GST_MSECOND);
  check_prompt(since + 200 * GST_MSECOND);
  stop_promptly(pipeline);
}

static void
missing_path_is_one_error(void)
{
  GstElement *pipeline = shmvtest_launch("shmvideosrc name=src ! fakesink");

  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_PLAYING), ==,
                    GST_STATE_CHANGE_FAILURE);
    g_assert_cmpuint(drain(pipeline, GST_MESSAGE_ERROR), ==, 1);
    gst_element_set_state(pipeline, GST_STATE_NULL);
  }
  shmvtest_stop(pipeline);
}

static void
hopeless_paths_are_one_error(void)
{
  char *too_long = g_strnfill(200, 'x');
  char *name = g_strdup(shmvtest_output("file"));
  struct watcher watcher;
  GstElement *pipeline;

  g_assert_true(g_file_set_contents(name, "not a socket", -1, NULL));
  pipeline = shmvtest_launch("shmvideosrc name=src socket-path=%s ! fakesink", name);
  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  EXPECT(RESOURCE, OPEN_READ, name, "");
  stop_promptly(pipeline);

  pipeline = shmvtest_launch("shmvideosrc name=src socket-path=/tmp/%s ! fakesink",
                             too_long);
  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  EXPECT(RESOURCE, SETTINGS, "xxx", "");
  stop_promptly(pipeline);
  g_free(too_long);
  g_free(name);
}

static void
refusal_names_both_sides(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  struct watcher watcher;
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! video/x-raw,format=RGBA ! fakesink",
      shmvtest_path("s"));

  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  EXPECT(STREAM, FORMAT, "I420", "RGBA");
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* A muxer that wrote its header takes no other size. */
static void
new_format_that_downstream_refuses(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  struct watcher watcher;
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! capsfilter name=filter ! "
      "appsink name=sink sync=false", shmvtest_path("s"));
  GstCaps *caps;

  watch(&watcher, get(pipeline, "src"));
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  gst_sample_unref(pull(pipeline));
  caps = gst_caps_from_string("video/x-raw, width=66");
  g_object_set(get(pipeline, "filter"), "caps", caps, NULL);
  gst_caps_unref(caps);
  for (guint i = 0; i < 5; i++)
    gst_sample_unref(pull(pipeline));
  feeder_resize(feeder, 98, 20);
  /* frames that came before, so that the end of the stream gets through */
  for (;;) {
    GstSample *sample = gst_app_sink_try_pull_sample(
        GST_APP_SINK(get(pipeline, "sink")),
        (GstClockTime)shmvtest_deadline() * GST_MSECOND);

    if (sample == NULL)
      break;
    gst_sample_unref(sample);
  }
  EXPECT(STREAM, FORMAT, "width=(int)98",
         "width is 98, not 66");
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* Downstream that no longer takes the caps is told to the writer anew; this one
 * can send nothing else, and refuses. */
static void
downstream_changes_its_mind(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  GstElement *pipeline = shmvtest_launch(
      "shmvideosrc name=src socket-path=%s ! capsfilter name=filter ! "
      "fakesink sync=false", shmvtest_path("s"));
  struct watcher watcher;
  GstCaps *caps;

  watch(&watcher, get(pipeline, "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  wait_seen(&watcher, 66, 5);
  caps = gst_caps_from_string("video/x-raw, format=RGBA");
  g_object_set(get(pipeline, "filter"), "caps", caps, NULL);
  gst_caps_unref(caps);
  EXPECT(STREAM, FORMAT, "format=(string)I420", "format=(string)RGBA");
  stop_promptly(pipeline);
  feeder_free(feeder);
}

/* ---- the rest ------------------------------------------------------------- */

static void
num_buffers_and_uri(void)
{
  struct feeder *feeder = feeder_new(shmvtest_path("s"), plain());
  char *uri = g_strdup_printf("shmvideo://%s", shmvtest_path("s")), *again;
  GError *error = NULL;
  GstElement *src =
      gst_element_make_from_uri(GST_URI_SRC, uri, "src", &error);
  GstElement *pipeline = gst_pipeline_new(NULL);
  GstElement *sink = gst_element_factory_make("fakesink", NULL);
  GstElement *gap;

  g_assert_no_error(error);
  g_object_set(src, "num-buffers", 7, NULL);
  again = gst_uri_handler_get_uri(GST_URI_HANDLER(src));
  g_assert_cmpstr(again, ==, uri);
  gap = gst_element_factory_make("identity", "count");
  gst_bin_add_many(GST_BIN(pipeline), src, gap, sink, NULL);
  g_assert_true(gst_element_link_many(src, gap, sink, NULL));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  {
    GstStructure *stats;
    guint64 received;

    g_object_get(src, "transport-stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, "received", &received));
    g_assert_cmpuint(received, ==, 7);
    gst_structure_free(stats);
  }
  stop_promptly(pipeline);
  feeder_free(feeder);
  g_free(again);
  g_free(uri);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/src/caps-in-paused", caps_in_paused);
  shmvtest_add("/src/caps-in-paused-from-a-late-writer",
               caps_in_paused_from_a_late_writer);
  shmvtest_add("/src/fresh-frame-after-a-pause", fresh_frame_after_a_pause);
  shmvtest_add("/src/new-format-while-paused", new_format_while_paused);
  shmvtest_add("/src/eos-while-waiting", eos_while_waiting);
  shmvtest_add("/src/eos-while-frames-flow", eos_while_frames_flow);
  shmvtest_add("/src/stopping-is-prompt-in-every-state",
               stopping_is_prompt_in_every_state);
  shmvtest_add("/src/stopped-and-killed-writers", stopped_and_killed_writers);
  shmvtest_add("/src/ctrl-c-ends-gst-launch", ctrl_c_ends_gst_launch);
  shmvtest_add("/src/state-cycles-leave-nothing", state_cycles_leave_nothing);
  shmvtest_add("/src/on-eos", on_eos);
  shmvtest_add("/src/on-disconnect", on_disconnect);
  shmvtest_add("/src/connect-timeout", connect_timeout);
  shmvtest_add("/src/missing-path-is-one-error", missing_path_is_one_error);
  shmvtest_add("/src/hopeless-paths-are-one-error",
               hopeless_paths_are_one_error);
  shmvtest_add("/src/refusal-names-both-sides", refusal_names_both_sides);
  shmvtest_add("/src/new-format-that-downstream-refuses",
               new_format_that_downstream_refuses);
  shmvtest_add("/src/downstream-changes-its-mind",
               downstream_changes_its_mind);
  shmvtest_add("/src/num-buffers-and-uri", num_buffers_and_uri);
  return shmvtest_run();
}
