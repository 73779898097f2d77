/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers that die at any instruction
 *
 * One writer and one other reader live through all deaths of a scenario: the writer
 * gets every slot, descriptor and mapping back and has a slot for each frame; the
 * other reader sees every frame whole and skips none.
 */

#include <errno.h>
#include <string.h>

#include "shmvideo.h"
#include "step.h"
#include "survivors.h"

static const char *const formats[] = {"GRAY8 32 32", "GRAY8 48 32"};

/* The pool has so many slots, a page each. */
#define N_SLOTS 40
#define SLOTS "memory=163840 lent=64"

static struct {
  const char *path;
  struct shmvtest_child *writer, *other;
  struct share_usage writer_usage, other_usage;
  char slots[16]; /* how many the writer can have out, as it says */
  guint64 memory;
  guint64 shown;
  gboolean waiting; /* the writer, for the victim */
  guint n_formats;
} stage;

/* ---- Survivors ----------------------------------------------------------------- */

static void
expect_shown(void)
{
  char *all = g_strdup_printf("%" G_GUINT64_FORMAT " 0", stage.shown);
  g_assert_cmpstr(share_answer(stage.writer), ==, all);
  g_free(all);
}

static void
show(guint n)
{
  stage.shown += n;
  share_tell(stage.writer, "show %u", n);
  expect_shown();
}

static guint64
memory(void)
{
  return g_ascii_strtoull(share_ask(stage.writer, "memory"), NULL, 10);
}

/* The other reader has come as far as the writer; skipped nothing, or, where the
 * writer did not give it the time, it begins anew. */
static void
other_sees_all(gboolean anew)
{
  const char *report =
      share_ask(stage.other, "until %" G_GUINT64_FORMAT, stage.shown);
  guint64 first = share_get(report, "first");
  g_assert_cmpuint(share_get(report, "last"), ==, stage.shown);
  g_assert_cmpuint(share_get(report, "lost"), ==, 0);
  if (!anew) {
    g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
    g_assert_cmpuint(share_get(report, "frames"), ==, stage.shown - first + 1);
  } else
    share_expect(stage.other, "ok", "run");
}

/* Every slot can be taken, and frames be shown beside. */
static void
take_all_slots(char *answer, gsize size)
{
  g_strlcpy(answer, share_ask(stage.writer, "take 64"), size);
  stage.shown += 4;
  share_tell(stage.writer, "wait-show 4");
  expect_shown();
  share_expect(stage.writer, "ok", "give");
}

static void
check(void)
{
  char slots[16];
  if (stage.waiting) { /* only the victim's death can end this */
    expect_shown();
    other_sees_all(TRUE);
    stage.waiting = FALSE;
  }
  share_expect(stage.writer, "ok", "await 1");
  take_all_slots(slots, sizeof slots);
  show(2);
  other_sees_all(FALSE);
  if (stage.memory == 0) { /* nobody has died yet */
    g_strlcpy(stage.slots, slots, sizeof stage.slots);
    stage.memory = memory();
    stage.writer_usage = share_usage(stage.writer->pid);
    stage.other_usage = share_usage(stage.other->pid);
  }
  g_assert_cmpstr(slots, ==, stage.slots);
  g_assert_cmpuint(memory(), ==, stage.memory);
  survivors_wait_same(stage.writer->pid, stage.writer_usage);
  survivors_expect_files("share");
}

static void
begin(const char *options)
{
  memset(&stage, 0, sizeof stage);
  stage.path = shmvtest_path("share");
  stage.writer = share_start();
  share_expect(stage.writer, "ok", "writer %s " SLOTS " %s", stage.path, options);
  share_expect(stage.writer, "ok", "format %s", formats[0]);
  stage.other = share_start();
  share_expect(stage.other, "ok", "reader %s depth=8", stage.path);
  share_expect(stage.other, "ok", "run");
  share_expect(stage.writer, "ok", "await 1");
  show(1);
  share_ask(stage.other, "until 1");
  check();
}

static void
finish(void)
{
  survivors_check_memory(stage.writer->pid, stage.writer_usage);
  survivors_check_memory(stage.other->pid, stage.other_usage);
  share_finish(stage.other);
  share_finish(stage.writer);
}

static void
run(const char *options, struct step_scenario scenario)
{
  if (!step_possible())
    return;
  begin(options);
  scenario.after = check;
  step_through(&scenario);
  finish();
}

/* ---- What a victim does --------------------------------------------------------- */

static struct shmvideo_reader *reader;
static const struct shmvideo_frame *frame, *second;

static void
make(uint32_t policy, const char *accepts)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  config.path = stage.path;
  config.policy = policy;
  config.depth = 8;
  config.max_holds = 4;
  config.accepts = accepts;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
}

static int
next(const struct shmvideo_frame **out_frame)
{
  int code;
  while ((code = shmvideo_reader_acquire(reader, out_frame)) == SHMVIDEO_AGAIN)
    g_assert_cmpint(shmvideo_reader_wait(reader, SHMVIDEO_TIME_NONE, -1), ==, 1);
  return code;
}

static void
connect_as(uint32_t policy)
{
  make(policy, NULL);
  g_assert_cmpint(next(&frame), ==, SHMVIDEO_NEW_FORMAT);
}

static void
connects(void *user)
{
  step_ready();
  connect_as(GPOINTER_TO_UINT(user));
  next(&frame); /* of a moving picture the newest */
}

static void
takes(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  step_ready();
  step_ready();
  if (user == NULL) {
    next(&frame);
    next(&second);
  } else {
    shmvideo_reader_acquire_newest(reader, &second);
  }
}

static void
releases(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  step_ready();
  next(&frame);
  next(&second);
  step_ready();
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
}

/* Armed, woken, taken, armed again. */
static void
sleeps(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  next(&frame);
  while (shmvideo_reader_acquire(reader, &second) != SHMVIDEO_AGAIN)
    shmvideo_frame_release(second);
  step_ready();
  step_ready();
  next(&second);
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
  while (shmvideo_reader_acquire(reader, &second) != SHMVIDEO_AGAIN)
    shmvideo_frame_release(second);
  shmvideo_reader_wait(reader, 0, -1);
}

/* The old format's frame is held into the new one. */
static void
follows(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  next(&frame);
  step_ready();
  step_ready();
  while (next(&second) == SHMVIDEO_FRAME)
    shmvideo_frame_release(second);
  next(&second);
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
}

static void
leaves(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  next(&frame);
  step_ready();
  shmvideo_reader_free(reader);
  shmvideo_frame_release(frame);
}

/* The writer waits for it in every step. */
static void
is_waited_for(void *user)
{
  connect_as(SHMVIDEO_LOSSLESS);
  step_ready();
  step_ready();
  for (guint i = 0; i < 3; i++) {
    next(&frame);
    shmvideo_frame_release(frame);
  }
}

static void
is_refused(void *user)
{
  step_ready();
  make(SHMVIDEO_LATEST, "video/x-raw, format=RGBA");
  g_assert_cmpint(next(&frame), ==, -EMEDIUMTYPE);
  shmvideo_reader_free(reader);
}

/* ---- What is done to it ---------------------------------------------------------- */

static void
two_frames(guint stop)
{
  show(2);
}

static void
another_format(guint stop)
{
  show(1);
  stage.n_formats++;
  share_expect(stage.writer, "ok", "format %s",
               formats[stage.n_formats % G_N_ELEMENTS(formats)]);
  show(2);
}

/* More frames than there are slots. */
static void
many_frames(guint stop)
{
  share_expect(stage.writer, "ok", "await 2");
  stage.shown += N_SLOTS + 10;
  share_tell(stage.writer, "wait-show %u", N_SLOTS + 10);
  stage.waiting = TRUE;
}

static void
connecting(void)
{
  run("", (struct step_scenario){.victim = connects});
}

static void
connecting_lossless(void)
{
  run("backpressure=1",
      (struct step_scenario){.victim = connects,
                             .user = GUINT_TO_POINTER(SHMVIDEO_LOSSLESS)});
}

static void
taking(void)
{
  run("", (struct step_scenario){.victim = takes, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
taking_the_newest(void)
{
  run("", (struct step_scenario){.victim = takes, .user = &stage,
                                 .arrange = two_frames, .n_stops = 1});
}

static void
releasing(void)
{
  run("", (struct step_scenario){.victim = releases, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
sleeping(void)
{
  run("", (struct step_scenario){.victim = sleeps, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
following(void)
{
  run("", (struct step_scenario){.victim = follows, .arrange = another_format,
                                 .n_stops = 1});
}

static void
leaving(void)
{
  run("", (struct step_scenario){.victim = leaves});
}

static void
waited_for(void)
{
  run("backpressure=1 timeout=1000000",
      (struct step_scenario){.victim = is_waited_for, .arrange = many_frames,
                             .n_stops = 1});
}

static void
refused(void)
{
  run("", (struct step_scenario){.victim = is_refused});
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/kill/reader/connecting", connecting);
  shmvtest_add("/kill/reader/connecting-lossless", connecting_lossless);
  shmvtest_add("/kill/reader/taking", taking);
  shmvtest_add("/kill/reader/taking-the-newest", taking_the_newest);
  shmvtest_add("/kill/reader/releasing", releasing);
  shmvtest_add("/kill/reader/sleeping", sleeping);
  shmvtest_add("/kill/reader/following-a-format", following);
  shmvtest_add("/kill/reader/leaving", leaving);
  shmvtest_add("/kill/reader/waited-for", waited_for);
  shmvtest_add("/kill/reader/refused", refused);
  return shmvtest_run();
}
