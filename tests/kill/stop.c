/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Processes that stop, and go on
 *
 * One of four readers is stopped: the writer and the others do not notice, also when
 * the format changes a thousand times and all are a user without rights and with few
 * descriptors; the stopped one goes on with the newest frame. The writer is stopped:
 * its readers wait, can tell, use no time, and go on.
 *
 * SHMVIDEO_STOP_SECONDS is for how long.
 */

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "survivors.h"

#define N_OTHERS 3
#define FPS 100
#define N_FORMATS 1000

/* What a waiting reader may use of a second, ns. */
#define IDLE 20000000

static struct {
  const char *path;
  struct shmvtest_child *writer, *stopped, *others[N_OTHERS];
  struct share_usage usage, others_usage[N_OTHERS];
  guint64 memory;
} stage;

/* ---- Stage ----------------------------------------------------------------------- */

/* A user of our own, if we may choose: what it has in flight counts for all of its
 * processes. */
static void
settle(struct shmvtest_child *child, gboolean humble)
{
  if (humble)
    share_expect(child, "ok", "user %u 256", 100000 + (guint)getpid());
}

/* All frames up to this one, each seen by each. */
static void
others_see_all(guint64 last)
{
  for (guint i = 0; i < N_OTHERS; i++)
    share_tell(stage.others[i], "until %" G_GUINT64_FORMAT, last);
  for (guint i = 0; i < N_OTHERS; i++) {
    const char *report = share_answer(stage.others[i]);
    g_assert_cmpuint(share_get(report, "last"), ==, last);
    g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
    g_assert_cmpuint(share_get(report, "frames"), ==, last);
    g_assert_cmpuint(share_get(report, "lost"), ==, 0);
  }
}

static void
begin(gboolean humble)
{
  memset(&stage, 0, sizeof stage);
  stage.path = shmvtest_path("share");
  if (humble && geteuid() == 0)
    g_assert_cmpint(chown(shmvtest_dir(), 100000 + (uid_t)getpid(), (gid_t)-1),
                    ==, 0);
  stage.writer = share_start();
  settle(stage.writer, humble);
  share_expect(stage.writer, "ok", "writer %s", stage.path);
  share_expect(stage.writer, "ok", "format RGBA 64 48");
  stage.stopped = share_start();
  settle(stage.stopped, humble);
  share_expect(stage.stopped, "ok", "reader %s depth=1", stage.path);
  share_expect(stage.stopped, "format RGBA 64x48", "next");
  for (guint i = 0; i < N_OTHERS; i++) {
    stage.others[i] = share_start();
    settle(stage.others[i], humble);
    share_expect(stage.others[i], "ok", "reader %s depth=32", stage.path);
    share_expect(stage.others[i], "ok", "run");
  }
  share_expect(stage.writer, "ok", "await %u", N_OTHERS + 1);
  share_expect(stage.writer, "1 0", "show 1");
  share_expect(stage.stopped, "frame 1 0", "next");
  others_see_all(1);
}

static void
stop(struct shmvtest_child *child)
{
  shmvtest_child_signal(child, SIGSTOP);
}

static void
go_on(struct shmvtest_child *child)
{
  shmvtest_child_signal(child, SIGCONT);
}

static guint64
memory(void)
{
  return g_ascii_strtoull(share_ask(stage.writer, "memory"), NULL, 10);
}

static void
measure(void)
{
  stage.memory = memory();
  stage.usage = share_usage(stage.writer->pid);
  for (guint i = 0; i < N_OTHERS; i++)
    stage.others_usage[i] = share_usage(stage.others[i]->pid);
}

static void
check_flat(void)
{
  g_assert_cmpuint(memory(), ==, stage.memory);
  survivors_wait_same(stage.writer->pid, stage.usage);
  survivors_check_memory(stage.writer->pid, stage.usage);
  for (guint i = 0; i < N_OTHERS; i++)
    share_wait_flat(stage.others[i]->pid, stage.others_usage[i]);
}

static void
finish(void)
{
  share_finish(stage.stopped);
  for (guint i = 0; i < N_OTHERS; i++)
    share_finish(stage.others[i]);
  share_finish(stage.writer);
}

/* For so many seconds, by the clock of the writer, which the first of the others tells;
 * the number of the last frame. */
static guint64
show_for(guint64 seconds)
{
  guint64 last = g_ascii_strtoull(share_ask(stage.writer, "pace %u", FPS), NULL,
                                  10);
  for (guint64 i = 0; i < seconds; i++) {
    last += FPS;
    const char *report =
        share_ask(stage.others[0], "until %" G_GUINT64_FORMAT, last);
    g_assert_cmpuint(share_get(report, "last"), >=, last);
  }
  return g_ascii_strtoull(share_ask(stage.writer, "pace 0"), NULL, 10);
}

static guint64
seconds(void)
{
  return survivors_setting("SHMVIDEO_STOP_SECONDS", 3);
}

/* ---- One reader of four ------------------------------------------------------------ */

static void
reader_stops(void)
{
  begin(FALSE);
  others_see_all(show_for(1));
  measure();
  stop(stage.stopped);
  guint64 last = show_for(seconds());
  others_see_all(last);
  check_flat();
  go_on(stage.stopped);
  char *newest = g_strdup_printf("frame %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                                 last, last - 2);
  share_expect(stage.stopped, newest, "next"); /* of its depth of one */
  g_free(newest);
  finish();
}

/* Each is followed by all others, while the stopped one keeps its first. */
static void
change_formats(guint n)
{
  static const char *const names[] = {"RGBA", "I420", "NV12", "GRAY8"};
  guint64 shown = 1;
  for (guint i = 0; i < n; i++) {
    if (i == n / 2) /* what was kept for the stopped one is there by now */
      measure();
    share_expect(stage.writer, "ok", "format %s %u %u", names[i % 4],
                 66 + 2 * (i % 37), 48 + 2 * (i % 11));
    share_ask(stage.writer, "show 2");
    shown += 2;
    others_see_all(shown);
  }
  const char *last = share_ask(stage.writer, "show 1");
  char *expected = g_strdup_printf("%" G_GUINT64_FORMAT " 0", ++shown);
  g_assert_cmpstr(last, ==, expected);
  g_free(expected);
  others_see_all(shown);
}

static void
formats_change(void)
{
  begin(TRUE);
  stop(stage.stopped);
  change_formats(N_FORMATS);
  check_flat();
  go_on(stage.stopped);
  /* of the formats, one that it was told of before, and the present one */
  const char *answer = share_ask(stage.stopped, "newest");
  for (guint i = 0; i < 2 && g_str_has_prefix(answer, "format "); i++)
    answer = share_ask(stage.stopped, "newest");
  g_assert_cmpstr(answer, ==, "frame 2002 2000");
  share_expect(stage.writer, "ok", "await %u", N_OTHERS + 1);
  finish();
}

/* ---- The writer ---------------------------------------------------------------------- */

static void
writer_stops(void)
{
  guint64 used[N_OTHERS], shown[N_OTHERS];
  begin(FALSE);
  share_ask(stage.writer, "pace %u", FPS);
  for (guint i = 0; i < N_OTHERS; i++)
    share_ask(stage.others[i], "until %u", FPS / 2);
  stop(stage.writer);
  for (guint i = 0; i < N_OTHERS; i++) {
    shown[i] = share_get(share_ask(stage.others[i], "report"), "last");
    used[i] = share_usage(stage.others[i]->pid).cpu;
  }
  /* nothing is to happen */
  g_assert_cmpint(shmvtest_poll(stage.others[0]->pidfd, POLLIN,
                                (int)seconds() * 1000), ==, 0);
  for (guint i = 0; i < N_OTHERS; i++) {
    guint64 now = share_usage(stage.others[i]->pid).cpu - used[i];
    g_test_message("waiting took %" G_GUINT64_FORMAT " us a second",
                   now / seconds() / 1000);
    g_assert_cmpuint(now / seconds(), <, IDLE);
    const char *status = share_ask(stage.others[i], "status");
    g_assert_cmpuint(share_get(status, "connected"), ==, 1);
    g_assert_cmpuint(share_get(status, "pid"), ==, (guint64)stage.writer->pid);
    g_assert_cmpuint(share_get(status, "received"), ==, shown[i]);
  }
  go_on(stage.writer);
  for (guint i = 0; i < N_OTHERS; i++) {
    const char *report = share_ask(stage.others[i], "until %" G_GUINT64_FORMAT,
                                   shown[i] + FPS);
    g_assert_cmpuint(share_get(report, "last"), >=, shown[i] + FPS);
    g_assert_cmpuint(share_get(report, "lost"), ==, 0);
    g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
  }
  finish();
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/kill/stop/reader", reader_stops);
  shmvtest_add("/kill/stop/reader-while-formats-change", formats_change);
  shmvtest_add("/kill/stop/writer", writer_stops);
  return shmvtest_run();
}
