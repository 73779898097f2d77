/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Every call fails once
 *
 * Each story is told again and again: the first of the system's calls in it fails,
 * the second, and so on until none is left, each with each of its errnos, and many
 * times in a row; those of the writer, then those of the readers. Whatever fails,
 * the story ends well (story.h says what that means), and leaves nothing.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "leaks.h"
#include "stories.h"

/* ---- Places ------------------------------------------------------------------- */

/* What a writer leaves that was killed. */
static void
leave_socket(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  unlink(path); /* of a run that was killed */
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  g_assert_cmpint(listen(fd, 1), ==, 0);
  close(fd);
}

/* ---- The loop --------------------------------------------------------------------- */

#define N_FDS 64 /* more than are ever open */

/* What leaks_take finds, in a hurry: whether all is as it was at the start. */
static GHashTable *at_start;
static bool fds_at_start[N_FDS];

static bool
is_clean(void)
{
  static char text[1 << 16];
  size_t n = 0;
  for (int i = 0; i < N_FDS; i++)
    if (fds_at_start[i] != (fcntl(i, F_GETFD) >= 0))
      return false;
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  for (ssize_t got; (got = read(maps, text + n, sizeof text - 1 - n)) > 0;)
    n += (size_t)got;
  text[n] = 0;
  close(maps);
  g_assert_cmpuint(n, <, sizeof text - 1);
  return strstr(text, "/memfd:") == NULL;
}

static void
note_start(void)
{
  at_start = leaks_take();
  for (int i = 0; i < N_FDS; i++)
    fds_at_start[i] = fcntl(i, F_GETFD) >= 0;
  g_assert_true(is_clean());
}

enum place { RUNTIME_DIRECTORY, WORKING_DIRECTORY, TMP };

struct telling {
  const char *name;
  void (*tell)(struct story *story);
  enum place place;
  bool old_kernel;
  bool new_writer, new_readers; /* only calls of theirs that no other story makes */
  int peer_pid;
};

static char current[160];

/* Where the library finds the name that the path says; free it. */
static char *
find_directory(enum place place)
{
  return place == TMP ? g_strdup_printf("/tmp/shmvideo-%u", (unsigned)geteuid())
                      : g_build_filename(shmvtest_dir(), "shmvideo", NULL);
}

/* How many ways to fail the call has that failed, 0: none did. */
static unsigned
tell(const struct telling *telling, enum shim_side side, unsigned n,
     unsigned variant)
{
  struct story story;
  char *directory = find_directory(telling->place);
  char *name = g_strdup_printf("faults-%d", (int)getpid());
  char *socket = g_build_filename(directory, name, NULL);
  char *orphan = g_build_filename(directory, ".shmv-1-00c0ffee", NULL);
  char *relative = g_build_filename("./shmvideo", name, NULL);
  bool made = mkdir(directory, 0700) == 0;
  leave_socket(socket);
  leave_socket(orphan);
  g_snprintf(current, sizeof current, "%s: call %u of the %s, variant %u",
             telling->name, n, side == SHIM_WRITER ? "writer" : "readers",
             variant);
  shim_old_kernel = telling->old_kernel;
  shim_no_environment = telling->place == TMP;
  shim_peer_pid = telling->peer_pid;
  story_begin(&story, telling->place == WORKING_DIRECTORY ? relative : name);
  story.directory = directory;
  shim_clock_start();
  shim_arm(side, n, variant);
  telling->tell(&story);
  unsigned n_variants = shim_n_variants();
  if (shim_failed() != NULL) {
    g_strlcat(current, ", ", sizeof current);
    g_strlcat(current, shim_failed(), sizeof current);
  }
  /* What a failure left is gone when the next writer has gone. */
  shim_arm(SHIM_NOBODY, 0, 0);
  story_open(&story);
  story_close(&story);
  shim_old_kernel = shim_no_environment = false;
  shim_peer_pid = 0;

  if (!is_clean())
    g_error("%s left\n%s", current, leaks_compare(at_start, leaks_take()));
  g_assert_cmpint(shim_n_allocated, ==, 0);
  if (access(socket, F_OK) == 0 || access(orphan, F_OK) == 0 ||
      (made && rmdir(directory) < 0))
    g_error("%s left files in %s", current, directory);
  g_free(relative);
  g_free(orphan);
  g_free(socket);
  g_free(name);
  g_free(directory);
  return n_variants;
}

/* Whatever ends the program: in which run. */
static struct sigaction old_actions[NSIG];

static void
on_end(int signal)
{
  char text[256];
  int n = snprintf(text, sizeof text, "%s (%s)\n", current,
                   shim_failed() != NULL ? shim_failed() : "no failure");
  if (write(STDERR_FILENO, text, (size_t)n) != n)
    _exit(1);
  sigaction(signal, &old_actions[signal], NULL);
  raise(signal);
}

/* 1: every call; more: every so many, where that would take too long. */
static unsigned
get_stride(void)
{
  const char *stride = g_getenv("SHMVIDEO_TEST_STRIDE");
  return stride != NULL ? (unsigned)MAX(atoi(stride), 1) : 1;
}

static void
tell_side(const struct telling *telling, enum shim_side side)
{
  unsigned n_runs = 0, n_calls = 0, n = 1;
  guint64 start = shmvtest_now();
  shim_only_unknown(side == SHIM_WRITER ? telling->new_writer
                                        : telling->new_readers);
  for (unsigned n_variants = 1; n_variants > 0; n += get_stride()) {
    for (unsigned variant = 0; variant < n_variants; variant++, n_runs++)
      n_variants = tell(telling, side, n, variant);
    n_calls += n_variants > 0;
  }
  g_test_message("%s: %u calls of the %s failed in %u ways, %u ms",
                 telling->name, n_calls,
                 side == SHIM_WRITER ? "writer" : "readers", n_runs - 1,
                 (unsigned)((shmvtest_now() - start) / 1000000));
}

static void
tell_all(const struct telling *telling)
{
  note_start();
  g_assert_cmpint(chdir(shmvtest_dir()), ==, 0);
  tell_side(telling, SHIM_WRITER);
  tell_side(telling, SHIM_READER);
  g_hash_table_unref(at_start);
  g_assert_cmpint(chdir("/"), ==, 0);
}

static void
life_today(void)
{
  tell_all(&(struct telling){.name = "life", .tell = story_of_life});
}

static void
life_long_ago(void)
{
  tell_all(&(struct telling){.name = "life long ago", .tell = story_of_life,
                             .place = WORKING_DIRECTORY, .old_kernel = true,
                             .new_writer = true, .new_readers = true});
}

static void
patient_writer(void)
{
  tell_all(&(struct telling){.name = "patience", .tell = story_of_patience});
}

static void
wishes_for_formats(void)
{
  tell_all(&(struct telling){.name = "wishes", .tell = story_of_wishes});
}

static void
strangers_among_readers(void)
{
  tell_all(&(struct telling){
      .name = "strangers", .tell = story_of_strangers, .old_kernel = true,
      .new_writer = true, .new_readers = true});
}

static void
rivals_of_one_path(void)
{
  tell_all(&(struct telling){
      .name = "rivals", .tell = story_of_rivals, .place = TMP, .peer_pid = 1,
      .new_readers = true});
}

/* All of the above, or there is something that no story ever calls. */
static void
every_call_failed(void)
{
  if (get_stride() > 1) {
    g_test_skip("not every call");
    return;
  }
  char *never = shim_never_failed();
  if (never != NULL)
    g_error("never failed:\n%s", never);
}

/* A /tmp of this program alone, in memory: thousands of sockets are made in it. */
static void
mount_tmp(void)
{
  if (unshare(CLONE_NEWNS) == 0 &&
      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
      mount("none", "/tmp", "tmpfs", 0, "mode=1777") == 0)
    return;
  g_test_message("no /tmp of our own: this takes longer");
}

int
main(int argc, char **argv)
{
  mount_tmp();
  shmvtest_init(&argc, &argv);
  const int ends[] = {SIGABRT, SIGTRAP, SIGSEGV, SIGBUS, SIGTERM};
  for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
    sigaction(ends[i], &(struct sigaction){.sa_handler = on_end},
              &old_actions[ends[i]]);
  shim_inotify_start();
  shmvtest_add("/faults/life-today", life_today);
  shmvtest_add("/faults/life-long-ago", life_long_ago);
  shmvtest_add("/faults/patience", patient_writer);
  shmvtest_add("/faults/wishes", wishes_for_formats);
  shmvtest_add("/faults/strangers", strangers_among_readers);
  shmvtest_add("/faults/rivals", rivals_of_one_path);
  shmvtest_add("/faults/every-call-failed", every_call_failed);
  return shmvtest_run();
}
