/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Many: 64 readers, a thousand silent clients, 500 formats.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "share.h"

static struct shmvtest_child *
start_writer(const char *path, const char *format)
{
  struct shmvtest_child *writer = share_start();
  share_expect(writer, "ok", "writer %s", path);
  share_expect(writer, "ok", "format %s", format);
  return writer;
}

/* ---- Readers ------------------------------------------------------------------ */

#define CROWD 64

static void
crowd(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "I420 320 240");
  struct shmvtest_child *readers[CROWD];
  share_expect(writer, "ok", "await 0");
  struct share_usage usage = share_usage(writer->pid);
  for (guint i = 0; i < CROWD; i++) {
    readers[i] = share_start();
    share_expect(readers[i], "ok", "reader %s depth=8", path);
    share_expect(readers[i], "format I420 320x240", "next");
    share_expect(readers[i], "ok", "run");
  }
  share_expect(writer, "ok", "await %u", CROWD);
  share_expect(writer, "1 0", "show 1");
  for (guint i = 0; i < CROWD; i++)
    share_ask(readers[i], "until 1");
  share_ask(writer, "pace 60");
  for (guint i = 0; i < CROWD; i++)
    share_tell(readers[i], "until 100");
  for (guint i = 0; i < CROWD; i++)
    g_assert_cmpuint(share_get(share_answer(readers[i]), "last"), >=, 100);
  guint64 last = g_ascii_strtoull(share_ask(writer, "pace 0"), NULL, 10);
  guint64 skipped = 0;
  for (guint i = 0; i < CROWD; i++) {
    const char *report =
        share_ask(readers[i], "until %" G_GUINT64_FORMAT, last);
    g_assert_cmpuint(share_get(report, "first"), ==, 1);
    g_assert_cmpuint(share_get(report, "last"), ==, last);
    g_assert_cmpuint(share_get(report, "frames") + share_get(report, "skipped"),
                     ==, last);
    skipped += share_get(report, "skipped");
  }
  g_test_message("%" G_GUINT64_FORMAT " frames to each, %" G_GUINT64_FORMAT
                 " skipped by all together", last, skipped);
  /* half of them go, half of them die */
  for (guint i = 0; i < CROWD; i += 2)
    share_finish(readers[i]);
  for (guint i = 1; i < CROWD; i += 2)
    shmvtest_child_free(readers[i]); /* SIGKILL */
  share_expect(writer, "ok", "await 0");
  struct share_usage after = share_usage(writer->pid);
  g_assert_cmpuint(after.descriptors, ==, usage.descriptors);
  share_finish(writer);
}

/* ---- Silent clients ------------------------------------------------------------ */

/* Connects again and again, keeps what it can, and never says a word. */
static int
be_silent(int in, int out, void *user)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fds[256];
  guint n = 0;
  g_strlcpy(address.sun_path, user, sizeof address.sun_path);
  memset(fds, -1, sizeof fds);
  while (n < 1000) {
    int *fd = &fds[n % G_N_ELEMENTS(fds)];
    if (*fd >= 0)
      close(*fd);
    *fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
      return 1;
    if (connect(*fd, (struct sockaddr *)&address, sizeof address) == 0)
      n++;
    else if (errno != EAGAIN) /* EAGAIN: the backlog is full of the likes of us */
      return 2;
  }
  if (write(out, "done\n", 5) != 5)
    return 3;
  char c;
  return read(in, &c, 1) == 0 ? 0 : 4; /* keeps the last of them to the end */
}

static void
silent_clients(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  struct share_usage usage = share_usage(writer->pid);
  share_ask(writer, "pace 100");
  struct shmvtest_child *silent = shmvtest_fork(be_silent, (void *)(intptr_t)path);
  guint64 slowest = 0;
  for (guint i = 0; i < 20; i++) {
    struct shmvtest_child *reader = share_start();
    guint64 start = shmvtest_now();
    share_expect(reader, "ok", "reader %s", path);
    share_expect(reader, "format RGBA 64x48", "next");
    g_assert_true(g_str_has_prefix(share_ask(reader, "next"), "frame "));
    slowest = MAX(slowest, shmvtest_now() - start);
    share_finish(reader);
  }
  g_test_message("readers got in within %" G_GUINT64_FORMAT " ms",
                 slowest / 1000000);
  char *done = shmvtest_child_line(silent, shmvtest_deadline());
  g_assert_cmpstr(done, ==, "done");
  g_free(done);
  /* also while the last of them sit there, open */
  struct shmvtest_child *reader = share_start();
  share_expect(reader, "ok", "reader %s", path);
  share_expect(reader, "format RGBA 64x48", "next");
  share_finish(reader);
  shmvtest_child_free(silent);
  share_expect(writer, "ok", "await 0");
  share_wait_flat(writer->pid, usage);
  share_finish(writer);
}

/* ---- Formats ------------------------------------------------------------------- */

static void
change_formats(struct shmvtest_child *writer, guint from, guint to)
{
  static const char *const names[] = {"RGBA", "I420", "NV12", "GRAY8"};
  for (guint i = from; i < to; i++) {
    share_expect(writer, "ok", "format %s %u %u", names[i % 4], 64 + 2 * (i % 37),
                 48 + 2 * (i % 11));
    share_ask(writer, "show 2");
  }
}

static void
formats(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "RGBA 64 48");
  struct shmvtest_child *readers[3];
  struct share_usage usage[4];
  for (guint i = 0; i < 3; i++) {
    readers[i] = share_start();
    share_expect(readers[i], "ok", "reader %s depth=%u", path, 1 + i);
    share_expect(readers[i], "ok", "run");
  }
  share_expect(writer, "ok", "await 3");
  for (guint round = 0; round < 2; round++) {
    change_formats(writer, round == 0 ? 1 : 100, round == 0 ? 100 : 501);
    guint64 last = round == 0 ? 2 * 99 : 2 * 500;
    for (guint i = 0; i < 3; i++) {
      const char *report =
          share_ask(readers[i], "until %" G_GUINT64_FORMAT, last);
      g_test_message("%s", report);
      g_assert_cmpuint(share_get(report, "last"), ==, last);
      g_assert_cmpuint(share_get(report, "lost"), ==, 0);
      g_assert_cmpuint(share_get(report, "formats"), >, 1);
    }
    share_expect(writer, "ok", "await 3");
    for (guint i = 0; i < 4; i++) {
      pid_t pid = i < 3 ? readers[i]->pid : writer->pid;
      if (round == 0)
        usage[i] = share_usage(pid);
      else
        share_wait_flat(pid, usage[i]);
    }
  }
  for (guint i = 0; i < 3; i++)
    share_finish(readers[i]);
  share_finish(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/share/many/readers", crowd);
  shmvtest_add("/share/many/silent-clients", silent_clients);
  shmvtest_add("/share/many/formats", formats);
  return shmvtest_run();
}
