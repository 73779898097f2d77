/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Ctrl-C on gst-launch-1.0, with and without -e, ends it at once in whatever state
 * it and its peers are.
 */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

/* Longest that it may take, ms. A machine that has better things to do is forgiven
 * once per state. */
#define PROMPT 500

#define SIZE 4608 /* of a frame of 64x48 in I420 */

#define LIVE                                                                    \
  "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=48,"     \
  "framerate=50/1 ! shmvideosink socket-path=%s "

/* What is there, and who is to be interrupted. */
struct scene {
  const char *path;
  gboolean eos; /* -e */
  struct launch *writer, *reader;
};

static void
start_writer(struct scene *scene, const char *more)
{
  scene->writer = launch_start(scene->eos, LIVE "%s", scene->path, more);
  launch_wait(scene->writer, "Setting pipeline to PLAYING");
}

static void
start_reader(struct scene *scene, const char *rest)
{
  scene->reader =
      launch_start(scene->eos, "shmvideosrc socket-path=%s %s", scene->path, rest);
}

#define LOOK "! fakesink silent=false sync=false"

static void
start_both(struct scene *scene)
{
  start_writer(scene, "");
  start_reader(scene, LOOK);
  launch_wait_frames(scene->reader, 5);
}

/* ---- Readers ----------------------------------------------------------------- */

static void
nobody_writes(struct scene *scene)
{
  start_reader(scene, LOOK);
  launch_wait(scene->reader, "shmvideo-waiting");
}

static void
frames_come(struct scene *scene)
{
  start_both(scene);
}

static void
writer_is_deaf(struct scene *scene) /* stopped before we came */
{
  start_writer(scene, "");
  launch_wait_path(scene->path);
  shmvtest_child_signal(scene->writer->child, SIGSTOP);
  start_reader(scene, LOOK);
  launch_wait(scene->reader, "shmvideo-waiting");
}

static void
writer_is_stopped(struct scene *scene)
{
  start_both(scene);
  shmvtest_child_signal(scene->writer->child, SIGSTOP);
}

static void
writer_is_killed(struct scene *scene)
{
  start_both(scene);
  launch_free(scene->writer);
  scene->writer = NULL;
  launch_wait(scene->reader, "shmvideo-waiting");
}

static void
picture_is_still(struct scene *scene)
{
  char picture[SIZE] = {0};
  scene->writer = launch_start(
      scene->eos, "fdsrc blocksize=%d ! rawvideoparse format=i420 width=64 "
      "height=48 framerate=25/1 ! shmvideosink socket-path=%s", SIZE,
      scene->path);
  g_assert_cmpint(write(scene->writer->child->in, picture, SIZE), ==, SIZE);
  start_reader(scene, LOOK);
  launch_wait_frames(scene->reader, 1);
}

/* 400 ms for each frame, by the clock. */
static void
reader_is_slow(struct scene *scene)
{
  start_writer(scene, "");
  start_reader(scene, "! identity sync=true datarate=11520 " LOOK);
  launch_wait_frames(scene->reader, 3);
}

static void
sink_is_blocked(struct scene *scene)
{
  start_writer(scene, "");
  start_reader(scene, "! identity silent=false ! queue max-size-buffers=200 "
               "max-size-bytes=0 max-size-time=0 ! fakesink sync=true "
               "ts-offset=3600000000000");
  launch_wait_frames(scene->reader, 60);
}

/* ---- Writers ----------------------------------------------------------------- */

/* It must play: with -e, gst-launch-1.0 forgets a Ctrl-C that comes while a live
 * source is on its way there, whatever the sink (4 of 100 with fakesink, in 1.26). */
#define PLAYS                                                                   \
  "\"pipeline0\" (state-changed): GstMessageStateChanged, "                     \
  "old-state=(GstState)paused, new-state=(GstState)playing"

static void
nobody_reads(struct scene *scene)
{
  start_writer(scene, "");
  launch_wait(scene->writer, PLAYS);
}

static void
waits_for_a_reader(struct scene *scene)
{
  start_writer(scene, "wait-for-connection=true");
  launch_wait(scene->writer, "shmvideo-waiting");
}

static void
somebody_reads(struct scene *scene)
{
  start_both(scene);
}

static void
reader_is_stopped(struct scene *scene)
{
  start_both(scene);
  shmvtest_child_signal(scene->reader->child, SIGSTOP);
}

static void
reader_is_killed(struct scene *scene)
{
  start_both(scene);
  launch_free(scene->reader);
  scene->reader = NULL;
}

/* It waits for a reader that takes nothing, and would for a minute. Its frames, of
 * which there are 50 a second, are told of no more then. */
static void
waits_for_a_lossless_reader(struct scene *scene)
{
  guint before;
  scene->writer = launch_start(
      scene->eos, "videotestsrc is-live=true ! video/x-raw,width=64,height=48,"
      "framerate=50/1 ! identity silent=false ! shmvideosink socket-path=%s "
      "backpressure=true backpressure-timeout=60000000000", scene->path);
  launch_wait_frames(scene->writer, 1);
  start_reader(scene, "policy=lossless " LOOK);
  launch_wait_frames(scene->reader, 5);
  shmvtest_child_signal(scene->reader->child, SIGSTOP);
  do {
    before = scene->writer->frames;
    shmvtest_poll(-1, 0, 200);
    launch_listen(scene->writer);
  } while (scene->writer->frames > before);
}

static void
nothing_comes_from_upstream(struct scene *scene)
{
  picture_is_still(scene);
}

/* ---- Ctrl-C ------------------------------------------------------------------ */

static const struct state {
  const char *name;
  void (*make)(struct scene *scene);
  gboolean writer; /* is interrupted; else the reader */
  /* With -e the end of the stream comes after what is downstream already. */
  guint rest;     /* that takes so long, ms */
  gboolean never; /* that never moves: a second Ctrl-C ends gst-launch-1.0 */
} states[] = {
    {"reader/nobody-writes", nobody_writes, FALSE, 0, FALSE},
    {"reader/frames-come", frames_come, FALSE, 0, FALSE},
    {"reader/writer-is-deaf", writer_is_deaf, FALSE, 0, FALSE},
    {"reader/writer-is-stopped", writer_is_stopped, FALSE, 0, FALSE},
    {"reader/writer-is-killed", writer_is_killed, FALSE, 0, FALSE},
    {"reader/picture-is-still", picture_is_still, FALSE, 0, FALSE},
    {"reader/is-slow", reader_is_slow, FALSE, 400, FALSE},
    {"reader/sink-is-blocked", sink_is_blocked, FALSE, 0, TRUE},
    {"writer/nobody-reads", nobody_reads, TRUE, 0, FALSE},
    {"writer/waits-for-a-reader", waits_for_a_reader, TRUE, 0, TRUE},
    {"writer/somebody-reads", somebody_reads, TRUE, 0, FALSE},
    {"writer/reader-is-stopped", reader_is_stopped, TRUE, 0, FALSE},
    {"writer/reader-is-killed", reader_is_killed, TRUE, 0, FALSE},
    {"writer/waits-for-a-lossless-reader", waits_for_a_lossless_reader, TRUE, 0,
     TRUE},
    {"writer/nothing-comes-from-upstream", nothing_comes_from_upstream, TRUE, 0,
     FALSE},
};

/* A process that is killed leaves its socket; the next writer would replace it. */
static void
leave(struct scene *scene)
{
  launch_free(scene->reader);
  launch_free(scene->writer);
  unlink(scene->path);
}

static guint
interrupt(const struct state *state, gboolean eos, const char *path)
{
  struct scene scene = {.path = path, .eos = eos};
  state->make(&scene);
  struct launch *victim = state->writer ? scene.writer : scene.reader;
  gboolean again = eos && state->never;
  if (again) {
    shmvtest_child_signal(victim->child, SIGINT);
    launch_wait(victim, "Forcing EOS");
  }
  guint ms = launch_ctrl_c(victim, again ? 128 + SIGINT : 0);
  g_assert_cmpuint(victim->errors, ==, 0);
  leave(&scene);
  g_test_message("%s%s: %u ms", state->name, eos ? " -e" : "", ms);
  return ms;
}

static void
check(const struct state *state)
{
  for (guint eos = 0; eos < 2; eos++) {
    guint limit = PROMPT + (eos ? state->rest : 0);
    const char *path = shmvtest_path("share");
    if (interrupt(state, eos, path) >= limit &&
        g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL)
      g_assert_cmpuint(interrupt(state, eos, path), <, limit);
  }
}

#define TEST(n)              \
  static void test_##n(void) \
  {                          \
    check(&states[n]);       \
  }
TEST(0) TEST(1) TEST(2) TEST(3) TEST(4) TEST(5) TEST(6) TEST(7) TEST(8) TEST(9)
TEST(10) TEST(11) TEST(12) TEST(13) TEST(14)

static void (*const tests[])(void) = {
    test_0, test_1, test_2,  test_3,  test_4,  test_5,  test_6, test_7,
    test_8, test_9, test_10, test_11, test_12, test_13, test_14};
G_STATIC_ASSERT(G_N_ELEMENTS(tests) == G_N_ELEMENTS(states));

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
    char *name = g_strdup_printf("/ctrl-c/%s", states[i].name);
    shmvtest_add(name, tests[i]);
    g_free(name);
  }
  return shmvtest_run();
}
