/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Writers and readers that come late, stop, and are killed: nobody else notices,
 * and what is held stays.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "share.h"

/* A still picture is there so soon (ms); a waiting reader uses so little (ns/s). */
#define PROMPT 100
#define IDLE 20000000

static struct shmvtest_child *
start_writer(const char *path, const char *format)
{
  struct shmvtest_child *writer = share_start();
  share_expect(writer, "ok", "writer %s", path);
  if (format != NULL)
    share_expect(writer, "ok", "format %s", format);
  return writer;
}

static struct shmvtest_child *
start_reader(const char *path, const char *options)
{
  struct shmvtest_child *reader = share_start();
  share_expect(reader, "ok", "reader %s %s", path, options);
  return reader;
}

static void
kill_child(struct shmvtest_child *child)
{
  shmvtest_child_signal(child, SIGKILL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==,
                  128 + SIGKILL);
  shmvtest_child_free(child);
}

/* Ask until a running reader reports this. */
static void
wait_report(struct shmvtest_child *reader, const char *key, guint64 value)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (share_get(share_ask(reader, "report"), key) != value) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 1);
  }
}

/* ---- Who comes first --------------------------------------------------------- */

static void
reader_first(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *reader = start_reader(path, "");
  share_expect(reader, "again", "now");
  g_assert_cmpuint(share_get(share_ask(reader, "status"), "connected"), ==, 0);
  g_assert_nonnull(strstr(share_ask(reader, "why"), path));

  struct shmvtest_child *writer = start_writer(path, NULL);
  share_tell(reader, "next");
  share_expect(writer, "ok", "await 1");
  share_expect(writer, "ok", "format RGBA 64 48");
  g_assert_cmpstr(share_answer(reader), ==, "format RGBA 64x48");
  share_expect(writer, "1 0", "show 1");
  share_expect(reader, "frame 1 0", "next");
  g_assert_cmpuint(share_get(share_ask(reader, "status"), "pid"), ==,
                   (guint64)writer->pid);
  share_finish(writer);
  share_expect(reader, "lost", "next");
  share_finish(reader);
}

/* One that comes when nothing moves any more. */
static void
still_picture(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "I420 1920 1080");
  share_expect(writer, "1 0", "show 1");
  for (guint i = 0, again = 0; i < 10; i++) {
    struct shmvtest_child *reader = share_start();
    guint64 start = shmvtest_now();
    share_tell(reader, "reader %s", path);
    share_tell(reader, "next");
    share_tell(reader, "next");
    g_assert_cmpstr(share_answer(reader), ==, "ok");
    g_assert_cmpstr(share_answer(reader), ==, "format I420 1920x1080");
    g_assert_cmpstr(share_answer(reader), ==, "frame 1 0");
    guint64 ms = (shmvtest_now() - start) / 1000000;
    g_test_message("seen after %" G_GUINT64_FORMAT " ms", ms);
    if (ms >= PROMPT && g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL)
      g_assert_cmpuint(++again, ==, 1); /* a busy machine is forgiven once */
    share_finish(reader);
  }
  share_finish(writer);
}

/* ---- Writers that die -------------------------------------------------------- */

static void
writer_is_restarted(void)
{
  static const char *const formats[][2] = {
      {"RGBA 64 48", "format RGBA 64x48"},
      {"I420 130 98", "format I420 130x98"},
      {"RGBA 64 48", "format RGBA 64x48"},
      {"NV12 640 480", "format NV12 640x480"},
      {"GRAY8 8 8", "format GRAY8 8x8"}};
  const char *path = shmvtest_path("share");
  struct shmvtest_child *reader = start_reader(path, "holds=8");
  struct share_usage usage = {0};
  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    struct shmvtest_child *writer = start_writer(path, formats[i][0]);
    char *kept = g_strdup_printf("%u intact", i + 1);
    share_tell(reader, "next");
    share_expect(writer, "ok", "await 1");
    g_assert_cmpstr(share_answer(reader), ==, formats[i][1]);
    share_expect(writer, "1 0", "show 1");
    share_expect(reader, "frame 1 0", "hold");
    share_expect(writer, "101 0", "show 100");
    share_expect(reader, kept, "check");
    kill_child(writer);
    if (i % 2 == 0) { /* frames that nobody took before it died are still there */
      share_expect(reader, "frame 98 96", "next");
      share_expect(reader, "frame 99 0", "next");
      share_expect(reader, "frame 100 0", "next");
      share_expect(reader, "frame 101 0", "next");
    } else
      share_expect(reader, "frame 101 99", "newest");
    share_expect(reader, "lost", "next");
    share_expect(reader, kept, "check");
    g_free(kept);
    if (i == 0)
      usage = share_usage(reader->pid);
  }
  share_expect(reader, "5 intact", "release-elsewhere");
  share_wait_flat(reader->pid, usage);
  /* the last of them left its socket: the next one takes it over */
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  share_expect(reader, "format RGBA 64x48", "next");
  share_finish(writer);
  share_expect(reader, "lost", "next");
  share_finish(reader);
}

/* At any moment, while frames flow; and no reader ever sees a torn one. */
static void
writer_is_killed_at_work(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *reader = start_reader(path, "");
  share_expect(reader, "ok", "run");
  for (guint i = 0; i < 12; i++) {
    struct shmvtest_child *writer =
        start_writer(path, i % 2 == 0 ? "RGBA 320 240" : "I420 642 482");
    share_expect(writer, "ok", "await 1");
    share_ask(writer, "show %u", 20 + i);
    share_tell(writer, "show 1000000"); /* it will not live to answer */
    g_assert_cmpuint(share_get(share_ask(reader, "until %u", 60 + i), "last"), >=,
                     60 + i);
    kill_child(writer);
    wait_report(reader, "lost", 1);
    share_expect(reader, "ok", "run"); /* count anew: numbers begin again */
  }
  share_finish(reader);
  /* what the last one left */
  share_finish(start_writer(path, NULL));
}

static void
writer_is_stopped(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  struct shmvtest_child *reader = start_reader(path, "");
  share_ask(writer, "pace 200");
  share_expect(reader, "ok", "run");
  g_assert_cmpuint(share_get(share_ask(reader, "until 20"), "last"), >=, 20);
  shmvtest_child_signal(writer, SIGSTOP);
  share_ask(reader, "report"); /* what was there before is taken */
  struct share_usage before = share_usage(reader->pid);
  g_assert_cmpint(shmvtest_poll(reader->pidfd, POLLIN, 1000), ==, 0);
  struct share_usage after = share_usage(reader->pid);
  guint64 last = share_get(share_ask(reader, "report"), "last");
  g_test_message("waiting took %" G_GUINT64_FORMAT " us a second",
                 (after.cpu - before.cpu) / 1000);
  g_assert_cmpuint(after.cpu - before.cpu, <, IDLE);
  shmvtest_child_signal(writer, SIGCONT);
  const char *report =
      share_ask(reader, "until %" G_GUINT64_FORMAT, last + 50);
  g_assert_cmpuint(share_get(report, "last"), >=, last + 50);
  g_assert_cmpuint(share_get(report, "lost"), ==, 0);
  share_finish(reader);
  share_finish(writer);
}

/* ---- Readers that die -------------------------------------------------------- */

/* Slots of the dead come back: not one frame is lost for lack of them. */
static void
reader_is_killed_holding(gboolean socket_stays_open)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  struct share_usage usage = {0};
  for (guint i = 0; i < 5; i++) {
    struct shmvtest_child *reader = start_reader(path, "holds=16 depth=8");
    pid_t heir = 0;
    share_tell(reader, "next");
    share_expect(writer, "ok", "await 1");
    share_ask(writer, "show 8");
    share_answer(reader);
    for (guint k = 0; k < 16; k++) {
      g_assert_true(g_str_has_prefix(share_ask(reader, "hold"), "frame "));
      share_ask(writer, "show 1");
    }
    share_expect(reader, "again", "now"); /* all holds are in use */
    if (socket_stays_open)
      heir = (pid_t)g_ascii_strtoll(share_ask(reader, "fork"), NULL, 10);
    kill_child(reader);
    const char *shown = share_ask(writer, "show 10000");
    g_assert_true(g_str_has_suffix(shown, " 0"));
    share_expect(writer, "ok", "await 0");
    if (heir != 0) {
      g_assert_cmpint(kill(heir, SIGKILL), ==, 0);
      g_assert_cmpint(waitpid(heir, NULL, 0), ==, heir);
    }
    if (i == 0)
      usage = share_usage(writer->pid);
  }
  share_wait_flat(writer->pid, usage);
  share_finish(writer);
}

static void
killed_holding(void)
{
  reader_is_killed_holding(FALSE);
}

static void
killed_holding_with_an_heir(void)
{
  reader_is_killed_holding(TRUE);
}

/* ---- Readers that stop ------------------------------------------------------- */

static void
reader_is_stopped(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  struct shmvtest_child *stopped = start_reader(path, "depth=4");
  struct shmvtest_child *others[2];
  share_expect(stopped, "format RGBA 64x48", "next");
  for (guint i = 0; i < 2; i++) {
    others[i] = start_reader(path, "depth=32");
    share_expect(others[i], "format RGBA 64x48", "next");
    share_expect(others[i], "ok", "run");
  }
  share_expect(writer, "ok", "await 3");
  share_ask(writer, "show 1");
  share_expect(stopped, "frame 1 0", "hold");
  share_ask(writer, "pace 100");
  share_ask(others[0], "until 10");
  struct share_usage usage = share_usage(writer->pid);
  guint64 memory = g_ascii_strtoull(share_ask(writer, "memory"), NULL, 10);
  shmvtest_child_signal(stopped, SIGSTOP);
  share_ask(others[0], "until 210"); /* two seconds */
  guint64 last = g_ascii_strtoull(share_ask(writer, "pace 0"), NULL, 10);
  for (guint i = 0; i < 2; i++) {
    const char *report =
        share_ask(others[i], "until %" G_GUINT64_FORMAT, last);
    g_assert_cmpuint(share_get(report, "last"), ==, last);
    g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
    g_assert_cmpuint(share_get(report, "frames"), ==, last);
  }
  char *all = g_strdup_printf("%" G_GUINT64_FORMAT " 0", last + 5000);
  share_expect(writer, all, "show 5000");
  g_free(all);
  share_wait_flat(writer->pid, usage);
  g_assert_cmpuint(g_ascii_strtoull(share_ask(writer, "memory"), NULL, 10), ==,
                   memory);

  /* resumed: the newest at once, or at most so many as its depth */
  shmvtest_child_signal(stopped, SIGCONT);
  char *newest = g_strdup_printf("frame %" G_GUINT64_FORMAT
                                 " %" G_GUINT64_FORMAT, last + 5000, last + 4998);
  share_expect(stopped, newest, "newest");
  g_free(newest);
  shmvtest_child_signal(stopped, SIGSTOP);
  share_ask(writer, "show 100");
  shmvtest_child_signal(stopped, SIGCONT);
  char *drained = g_strdup_printf("4 %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                                  " 96", last + 5097, last + 5100);
  share_expect(stopped, drained, "drain");
  g_free(drained);
  share_expect(stopped, "1 intact", "release");
  for (guint i = 0; i < 2; i++)
    share_finish(others[i]);
  share_finish(stopped);
  share_finish(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/share/reader-first", reader_first);
  shmvtest_add("/share/late-joiner-of-a-still-picture", still_picture);
  shmvtest_add("/share/writer-is-restarted", writer_is_restarted);
  shmvtest_add("/share/writer-is-killed-at-work", writer_is_killed_at_work);
  shmvtest_add("/share/writer-is-stopped", writer_is_stopped);
  shmvtest_add("/share/reader-is-killed-holding", killed_holding);
  shmvtest_add("/share/reader-is-killed-holding/with-an-heir",
               killed_holding_with_an_heir);
  shmvtest_add("/share/reader-is-stopped", reader_is_stopped);
  return shmvtest_run();
}
