/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "shmvtest.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leaks.h"

/* The running test. */
static char *dir;
static GPtrArray *paths;   /* what we lent out */
static GPtrArray *outputs; /* files that may stay */

guint64
shmvtest_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (guint64)now.tv_sec * 1000000000u + (guint64)now.tv_nsec;
}

int
shmvtest_deadline(void)
{
  const char *slowness = g_getenv("SHMVIDEO_TEST_SLOWNESS");
  return 10000 * (slowness != NULL ? MAX(atoi(slowness), 1) : 1);
}

unsigned
shmvtest_count_descriptors(void)
{
  GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
  unsigned n = 0;
  while (g_dir_read_name(dir) != NULL)
    n++;
  g_dir_close(dir);
  return n - 1; /* the directory's own */
}

int
shmvtest_poll(int fd, short events, int timeout_ms)
{
  guint64 end = shmvtest_now() + (guint64)timeout_ms * 1000000;
  for (;;) {
    guint64 now = shmvtest_now();
    int left = now < end ? (int)((end - now + 999999) / 1000000) : 0;
    struct pollfd pollfd = {.fd = fd, .events = events};
    int n = poll(&pollfd, 1, left);
    if (n > 0)
      return pollfd.revents;
    if (n == 0)
      return 0;
    g_assert_cmpint(errno, ==, EINTR);
  }
}

const char *
shmvtest_dir(void)
{
  g_assert_nonnull(dir);
  return dir;
}

const char *
shmvtest_path(const char *name)
{
  char *path = g_build_filename(shmvtest_dir(), name, NULL);
  g_ptr_array_add(paths, path);
  return path;
}

const char *
shmvtest_output(const char *name)
{
  const char *path = shmvtest_path(name);
  g_ptr_array_add(outputs, g_strdup(path));
  return path;
}

/* ---- files --------------------------------------------------------------- */

static GString *left_files;

static int
note_file(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
  (void)stat;
  (void)ftw;
  /* Orc makes files for its code, and a killed child cannot remove them. */
  bool allowed = type == FTW_DP || strstr(path, "/orcexec.") != NULL;
  for (guint i = 0; i < outputs->len; i++)
    allowed |= strcmp(path, outputs->pdata[i]) == 0;
  if (!allowed)
    g_string_append_printf(left_files, "  file %s\n", path);
  return remove(path);
}

/* Remove the directory; what should not have been in it, or NULL. */
static char *
sweep(void)
{
  g_string_truncate(left_files, 0);
  nftw(dir, note_file, 8, FTW_DEPTH | FTW_PHYS);
  return left_files->len == 0 ? NULL : g_strdup(left_files->str);
}

/* ---- one test -------------------------------------------------------------- */

static void
begin(void)
{
  dir = g_strdup("/tmp/shmvtest-XXXXXX");
  g_assert_nonnull(g_mkdtemp(dir));
  paths = g_ptr_array_new_with_free_func(g_free);
  outputs = g_ptr_array_new_with_free_func(g_free);
  g_setenv("XDG_RUNTIME_DIR", dir, TRUE);
}

/* End those of the children in set that are not in before. How: SIGKILL, or 0 for
 * those that have ended by themselves: an orphan's end is told to nobody else. */
static void
reap_children(GHashTable *before, GHashTable *set, int how)
{
  GHashTableIter iter;
  gpointer line;
  g_hash_table_iter_init(&iter, set);
  while (g_hash_table_iter_next(&iter, &line, NULL)) {
    if (!g_str_has_prefix(line, "child ") || g_hash_table_contains(before, line))
      continue;
    pid_t pid = (pid_t)atoi((const char *)line + strlen("child "));
    kill(pid, how);
    waitpid(pid, NULL, how == 0 ? WNOHANG : 0);
  }
}

/* What the test left; children among it are ended. Threads on their way out may
 * still close something: they get a second, and a test that leaves nothing loses
 * no time. */
static char *
find_leaks(GHashTable *before)
{
  guint64 end = shmvtest_now() + 1000000000u;
  for (;;) {
    GHashTable *after = leaks_take();
    char *leaks = leaks_compare(before, after);
    bool done = leaks == NULL || shmvtest_now() > end;
    reap_children(before, after, done ? SIGKILL : 0);
    g_hash_table_unref(after);
    if (done)
      return leaks;
    g_free(leaks);
    poll(NULL, 0, 10);
  }
}

static void
run_one(gconstpointer data)
{
  void (*func)(void);
  memcpy(&func, &data, sizeof func);
  begin();
  GHashTable *before = leaks_take();
  func();
  char *leaks = find_leaks(before);
  g_hash_table_unref(before);
  char *files = sweep();
  if (leaks != NULL || files != NULL) {
    g_test_message("left behind:\n%s%s", leaks ? leaks : "", files ? files : "");
    g_printerr("left behind:\n%s%s", leaks ? leaks : "", files ? files : "");
    g_test_fail();
  }
  g_free(leaks);
  g_free(files);
  g_ptr_array_unref(paths);
  g_ptr_array_unref(outputs);
  g_clear_pointer(&dir, g_free);
}

/* ---- the program ------------------------------------------------------------ */

static pid_t owner;

/* A failed assertion ends the program, and what the test made would stay: take it
 * along. (Forked children are not to tidy up.) */
static void
on_end(int signal)
{
  if (dir != NULL && getpid() == owner)
    nftw(dir, note_file, 8, FTW_DEPTH | FTW_PHYS);
  raise(signal);
}

/* A sanitizer starts a helper process for its first report, also for one that is
 * suppressed: have it now, so that it is nobody's leak. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size)
    __attribute__((weak));

static void
start_symbolizer(void)
{
  char text[256];
  if (__sanitizer_symbolize_pc != NULL)
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", text, sizeof text);
}

void
shmvtest_init(int *argc, char ***argv)
{
  g_test_init(argc, argv, NULL);
  start_symbolizer();
  /* Orphaned grandchildren become ours, so that they are seen. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  left_files = g_string_new(NULL);
  owner = getpid();
  struct sigaction action = {.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND};
  const int ends[] = {SIGABRT, SIGTRAP, SIGTERM, SIGINT};
  for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
    sigaction(ends[i], &action, NULL);
}

void
shmvtest_add(const char *name, void (*func)(void))
{
  gconstpointer data;
  memcpy(&data, &func, sizeof data);
  g_test_add_data_func(name, data, run_one);
}

static int (*at_end)(void);

void
shmvtest_at_end(int (*check)(void))
{
  at_end = check;
}

int
shmvtest_run(void)
{
  int result = g_test_run();
  return result == 0 && at_end != NULL ? at_end() : result;
}
