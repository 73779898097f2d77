/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers that die at any instruction
 *
 * One writer and one other reader live through all deaths of a scenario: the writer
 * gets every slot, descriptor and mapping back and has a slot for each frame; the
 * other reader sees every frame whole and skips none.
 */

#include <string.h>

#include "reader-victims.h"
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

/* The other reader has come as far as the writer, which never shows more frames than
 * its depth before this: it skipped nothing. Or, where the writer did not give it the
 * time, it begins anew. */
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
  stage.shown += 2;
  share_tell(stage.writer, "wait-show 2");
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
  } else
    other_sees_all(FALSE); /* before all is taken, also what it has not seen */
  share_expect(stage.writer, "ok", "await 1");
  take_all_slots(slots, sizeof slots);
  show(1);
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
  stage.path = victim_path = shmvtest_path("share");
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

/* ---- What is done to it ---------------------------------------------------------- */

static void
two_frames(guint stop)
{
  show(2);
}

static void
change_format(void)
{
  stage.n_formats++;
  share_expect(stage.writer, "ok", "format %s",
               formats[stage.n_formats % G_N_ELEMENTS(formats)]);
}

static void
another_format(guint stop)
{
  show(1);
  change_format();
  show(2);
}

/* Frames of the second wait until it has said READY to the first. */
static void
two_formats(guint stop)
{
  share_expect(stage.writer, "ok", "await 2");
  another_format(stop);
  change_format();
  stage.shown += 2;
  share_tell(stage.writer, "wait-show 2");
  stage.waiting = TRUE;
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
  run("", (struct step_scenario){.victim = victim_connects});
}

static void
connecting_lossless(void)
{
  run("backpressure=1",
      (struct step_scenario){.victim = victim_connects,
                             .user = GUINT_TO_POINTER(SHMVIDEO_LOSSLESS)});
}

static void
taking(void)
{
  run("", (struct step_scenario){.victim = victim_takes, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
taking_the_newest(void)
{
  run("", (struct step_scenario){.victim = victim_takes, .user = &stage,
                                 .arrange = two_frames, .n_stops = 1});
}

static void
releasing(void)
{
  run("", (struct step_scenario){.victim = victim_releases, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
sleeping(void)
{
  run("", (struct step_scenario){.victim = victim_sleeps, .arrange = two_frames,
                                 .n_stops = 1});
}

static void
following(void)
{
  run("", (struct step_scenario){.victim = victim_follows, .arrange = another_format,
                                 .n_stops = 1});
}

static void
following_lossless(void)
{
  run("backpressure=1 timeout=1000000",
      (struct step_scenario){.victim = victim_follows,
                             .user = GUINT_TO_POINTER(SHMVIDEO_LOSSLESS),
                             .arrange = two_formats, .n_stops = 1});
}

static void
leaving(void)
{
  run("", (struct step_scenario){.victim = victim_leaves});
}

static void
waited_for(void)
{
  run("backpressure=1 timeout=1000000",
      (struct step_scenario){.victim = victim_is_waited_for, .arrange = many_frames,
                             .n_stops = 1});
}

static void
refused(void)
{
  run("", (struct step_scenario){.victim = victim_is_refused});
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
  shmvtest_add("/kill/reader/following-lossless", following_lossless);
  shmvtest_add("/kill/reader/leaving", leaving);
  shmvtest_add("/kill/reader/waited-for", waited_for);
  shmvtest_add("/kill/reader/refused", refused);
  return shmvtest_run();
}
