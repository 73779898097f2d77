/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A reader that waits: it sees a writer at once, is never refused by one on its
 * way, and costs nothing meanwhile.
 */

#define SHMV_TEST_POINTS
#include "rendezvous.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "testpoint.h"
#include "watch.h"

/* ---- A waiting reader ---------------------------------------------------- */

struct waiter {
  struct shmv_watch watch;
  struct shmv_path path;
  struct shmvideo_error error;
  unsigned tries;
  unsigned refused;
};

static void
begin(struct waiter *waiter, const char *text)
{
  memset(waiter, 0, sizeof *waiter);
  g_assert_cmpint(shmv_path_resolve(&waiter->path, text, NULL), ==, 0);
  g_assert_cmpint(shmv_watch_init(&waiter->watch, &waiter->path), ==, 0);
}

/* Sleep on both descriptors; whether a try is due before the time (ns) is up. */
static bool
sleep_until_due(struct shmv_watch *watch, guint64 end)
{
  for (;;) {
    struct pollfd fds[] = {{.fd = watch->inotify_fd, .events = POLLIN},
                           {.fd = watch->timer_fd, .events = POLLIN}};
    guint64 now = shmvtest_now();
    if (now >= end)
      return false;
    g_assert_cmpint(poll(fds, 2, (int)((end - now + 999999) / 1000000)), >=, 0);
    if (shmv_watch_due(watch))
      return true;
  }
}

/* As a reader does, for so long at most: the connection, or -1. */
static int
follow(struct waiter *waiter, int timeout_ms)
{
  guint64 end = shmvtest_now() + (guint64)timeout_ms * 1000000;
  do {
    int fd;
    int code = shmv_socket_connect(&waiter->path, &fd, &waiter->error);
    waiter->tries++;
    waiter->refused += code == -ECONNREFUSED;
    if (code == 0) {
      shmv_watch_disarm(&waiter->watch);
      return fd;
    }
    shmv_watch_arm(&waiter->watch, code);
  } while (sleep_until_due(&waiter->watch, end));
  return -1;
}

/* ---- Writers in other processes ------------------------------------------ */

static int point_out = -1;

/* The instant before the name appears. */
void
shmv_test_point(const char *name)
{
  guint64 now = shmvtest_now();
  if (point_out >= 0 && strcmp(name, "listening") == 0)
    g_assert_cmpint(write(point_out, &now, sizeof now), ==, sizeof now);
}

/* Waits for a byte, listens, leaves at the end of input. */
static int
write_later(int in, int out, void *user)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  char c;
  if (read(in, &c, 1) != 1)
    return 0;
  point_out = out;
  if (claim(user, 0600, &listener, &error) != 0)
    return 1;
  while (read(in, &c, 1) > 0)
    ;
  shmv_listener_close(&listener);
  return 0;
}

static void
leave(struct shmvtest_child *child)
{
  close(child->in);
  child->in = -1;
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

static int
compare(gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

static void
seen_at_once(void)
{
  const char *path = shmvtest_path("camera");
  guint64 delays[50];
  unsigned tries = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS(delays); i++) {
    struct waiter waiter;
    struct shmvtest_child *child = shmvtest_fork(write_later, (void *)path);
    begin(&waiter, path);
    /* Not there, and watched from now on. */
    g_assert_cmpint(follow(&waiter, 1), ==, -1);
    g_assert_cmpint(write(child->in, "x", 1), ==, 1);
    int fd = follow(&waiter, shmvtest_deadline());
    guint64 connected = shmvtest_now(), appeared;
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(read(child->out, &appeared, sizeof appeared), ==,
                    sizeof appeared);
    g_assert_cmpuint(waiter.refused, ==, 0);
    delays[i] = connected - appeared;
    tries += waiter.tries;
    close(fd);
    shmv_watch_fini(&waiter.watch);
    leave(child);
  }
  qsort(delays, G_N_ELEMENTS(delays), sizeof delays[0], compare);
  g_test_message("connected after %.2f ms (median), %.2f ms (worst), %u tries",
                 (double)delays[25] / 1e6, (double)delays[49] / 1e6, tries);
  g_assert_cmpint((int)(delays[25] / 1000), <, 5 * shmvtest_deadline());
}

/* Its directory comes later, goes, and comes again. */
static void
late_directory(void)
{
  const char *directory = shmvtest_path("sub");
  const char *path = shmvtest_path("sub/camera");
  struct waiter waiter;
  begin(&waiter, path);
  g_assert_cmpint(follow(&waiter, 1), ==, -1);
  for (int i = 0; i < 2; i++) {
    struct shmvtest_child *child = shmvtest_fork(write_later, (void *)path);
    g_assert_cmpint(mkdir(directory, 0700), ==, 0);
    /* The slow poll finds the directory, if the watch on the old one is gone. */
    g_assert_cmpint(follow(&waiter, 1200), ==, -1);
    g_assert_cmpint(waiter.watch.directory_watch, >=, 0);
    unsigned tries = waiter.tries;
    g_assert_cmpint(write(child->in, "x", 1), ==, 1);
    int fd = follow(&waiter, shmvtest_deadline());
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(waiter.tries - tries, <=, 3);
    close(fd);
    leave(child);
    shmv_watch_arm(&waiter.watch, 0);
    g_assert_cmpint(rmdir(directory), ==, 0);
    g_assert_cmpint(follow(&waiter, 1), ==, -1);
  }
  shmv_watch_fini(&waiter.watch);
}

/* In a user namespace of its own a process may take all inotify from itself. */
static int
without_inotify(int in, int out, void *user)
{
  (void)in;
  struct waiter waiter;
  int limit;
  if (unshare(CLONE_NEWUSER) < 0 ||
      (limit = open("/proc/sys/user/max_inotify_instances", O_WRONLY)) < 0 ||
      write(limit, "0", 1) != 1)
    return 77;
  close(limit);
  begin(&waiter, user);
  g_assert_cmpint(waiter.watch.inotify_fd, ==, -1);
  g_assert_cmpint(follow(&waiter, 1), ==, -1);
  dprintf(out, "waiting\n");
  int fd = follow(&waiter, shmvtest_deadline());
  g_assert_cmpint(fd, >=, 0);
  shmv_watch_fini(&waiter.watch);
  return 0;
}

static void
timer_alone(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvtest_child *reader = shmvtest_fork(without_inotify, (void *)path);
  char *line = shmvtest_child_line(reader, shmvtest_deadline());
  if (line != NULL) {
    struct shmvtest_child *writer = shmvtest_fork(write_later, (void *)path);
    guint64 start = shmvtest_now();
    g_assert_cmpint(write(writer->in, "x", 1), ==, 1);
    g_assert_cmpint(shmvtest_child_wait(reader, shmvtest_deadline()), ==, 0);
    g_test_message("found after %d ms", (int)((shmvtest_now() - start) / 1000000));
    leave(writer);
  } else {
    g_assert_cmpint(shmvtest_child_wait(reader, shmvtest_deadline()), ==, 77);
    g_test_skip("no user namespaces here");
  }
  g_free(line);
  shmvtest_child_free(reader);
}

/* ---- What waiting costs -------------------------------------------------- */

static guint64
cpu_time_us(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (guint64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
         (guint64)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Makes and removes files beside the path, 1000 times a second, until told to
 * stop; says how many. */
static int
churn(int in, int out, void *user)
{
  unsigned n = 0;
  while (shmvtest_poll(in, POLLIN | POLLHUP, 1) == 0) {
    char *path = g_strdup_printf("%s%u", (const char *)user, n++ % 8);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    unlink(path);
    g_free(path);
  }
  dprintf(out, "%u\n", n);
  return 0;
}

static void
others_files(void)
{
  const char *path = shmvtest_path("camera");
  struct waiter waiter;
  begin(&waiter, path);
  g_assert_cmpint(follow(&waiter, 1), ==, -1);
  struct shmvtest_child *child = shmvtest_fork(churn, (void *)path);
  unsigned tries = waiter.tries;
  guint64 cpu = cpu_time_us();
  g_assert_cmpint(follow(&waiter, 1000), ==, -1);
  cpu = cpu_time_us() - cpu;
  /* One to begin with; nothing else names our file. */
  g_assert_cmpuint(waiter.tries - tries, <=, 2);
  close(child->in);
  child->in = -1;
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  g_test_message("%s other files, %u tries, %u us of CPU", line,
                 waiter.tries - tries, (unsigned)cpu);
  g_assert_cmpint(atoi(line), >, 20);
  g_free(line);
  shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  shmv_watch_fini(&waiter.watch);
}

static void
costs_nothing(void)
{
  const char *path = shmvtest_path("camera");
  const char *missing = shmvtest_path("none/camera");
  struct waiter waiter;
  begin(&waiter, path);
  guint64 cpu = cpu_time_us();
  g_assert_cmpint(follow(&waiter, 1000), ==, -1);
  g_test_message("nothing there: %u tries, %u us", waiter.tries,
                 (unsigned)(cpu_time_us() - cpu));
  g_assert_cmpuint(waiter.tries, <=, 3);
  shmv_watch_fini(&waiter.watch);

  begin(&waiter, missing);
  g_assert_cmpint(follow(&waiter, 1000), ==, -1);
  g_assert_cmpuint(waiter.tries, >=, 2);
  g_assert_cmpuint(waiter.tries, <=, 4);
  shmv_watch_fini(&waiter.watch);

  close(foreign_listener(path, SOCK_SEQPACKET, 1));
  begin(&waiter, path);
  g_assert_cmpint(follow(&waiter, 1000), ==, -1);
  g_test_message("a dead writer's socket: %u tries", waiter.tries);
  g_assert_cmpuint(waiter.tries, >=, 4);
  g_assert_cmpuint(waiter.tries, <=, 8);
  /* Its successor is not waited for: the rename tells. */
  unsigned tries = waiter.tries;
  struct shmvtest_child *child = shmvtest_fork(write_later, (void *)path);
  g_assert_cmpint(write(child->in, "x", 1), ==, 1);
  int fd = follow(&waiter, shmvtest_deadline());
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpuint(waiter.tries - tries, <=, 4);
  close(fd);
  leave(child);
  shmv_watch_fini(&waiter.watch);
}

/* A writer that ends each connection at once must not make us busy. */
static void
rude_writer(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct waiter waiter;
  g_assert_cmpint(claim(path, 0600, &listener, &waiter.error), ==, 0);
  begin(&waiter, path);
  guint64 end = shmvtest_now() + 1000000000;
  int fd, accepted;
  do {
    fd = follow(&waiter, shmvtest_deadline());
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(shmv_listener_accept(&listener, &accepted), ==, 0);
    close(accepted);
    close(fd);
    shmv_watch_arm(&waiter.watch, 0);
  } while (sleep_until_due(&waiter.watch, end));
  g_test_message("connected %u times in a second", waiter.tries);
  g_assert_cmpuint(waiter.tries, <=, 10);
  shmv_listener_close(&listener);
  shmv_watch_fini(&waiter.watch);
}

static void
silent_when_connected(void)
{
  const char *path = shmvtest_path("camera");
  const char *other = shmvtest_path("other");
  struct shmv_listener listener;
  struct waiter waiter;
  begin(&waiter, path);
  g_assert_cmpint(follow(&waiter, 1), ==, -1);
  /* Events lie in the queue while it connects. */
  g_assert_cmpint(claim(path, 0600, &listener, &waiter.error), ==, 0);
  int fd = follow(&waiter, shmvtest_deadline());
  g_assert_cmpint(fd, >=, 0);
  shmv_listener_close(&listener);
  g_assert_true(g_file_set_contents(path, "", -1, NULL));
  g_assert_true(g_file_set_contents(other, "", -1, NULL));
  g_assert_cmpint(shmvtest_poll(waiter.watch.inotify_fd, POLLIN, 20), ==, 0);
  g_assert_cmpint(shmvtest_poll(waiter.watch.timer_fd, POLLIN, 0), ==, 0);
  g_assert_false(shmv_watch_due(&waiter.watch));
  close(fd);
  unlink(path);
  unlink(other);
  shmv_watch_fini(&waiter.watch);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/watch/a-writer-is-seen-at-once-and-never-refuses", seen_at_once);
  shmvtest_add("/watch/the-directory-may-come-later", late_directory);
  shmvtest_add("/watch/without-inotify-it-is-found-all-the-same", timer_alone);
  shmvtest_add("/watch/files-of-others-cause-no-tries", others_files);
  shmvtest_add("/watch/waiting-costs-nothing", costs_nothing);
  shmvtest_add("/watch/a-rude-writer-makes-nobody-busy", rude_writer);
  shmvtest_add("/watch/connected-it-is-silent", silent_when_connected);
  return shmvtest_run();
}
