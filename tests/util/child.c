/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Children of a test
 *
 * One rule: a child never outlives the test program, whatever happens to either.
 */

#include "shmvtest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child, between fork and exec: async-signal-safe calls only. */
static void
settle(pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static struct shmvtest_child *
fork_child(int *out_in, int *out_out)
{
  int in[2], out[2], life[2];
  g_assert_cmpint(pipe2(in, O_CLOEXEC), ==, 0);
  g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
  g_assert_cmpint(pipe2(life, O_CLOEXEC), ==, 0);
  struct shmvtest_child *child = g_new0(struct shmvtest_child, 1);
  pid_t parent = getpid();
  fflush(NULL);
  child->pid = fork();
  g_assert_cmpint(child->pid, >=, 0);
  if (child->pid == 0) {
    settle(parent);
    close(in[1]);
    close(out[0]);
    close(life[0]);
    fcntl(life[1], F_SETFD, 0); /* for as long as the child lives */
    *out_in = in[0];
    *out_out = out[1];
    return child;
  }
  close(in[0]);
  close(out[1]);
  child->in = in[1];
  child->out = out[0];
  close(life[1]);
  /* A pipe that the child holds tells its end too, unless grandchildren hold it:
   * for valgrind, which does not know pidfds. */
  child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
  if (child->pidfd < 0)
    child->pidfd = life[0];
  else
    close(life[0]);
  return child;
}

struct shmvtest_child *
shmvtest_spawn(const char *const *argv, const char *const *env)
{
  char **all = g_get_environ();
  for (; env != NULL && *env != NULL; env++) {
    char **pair = g_strsplit(*env, "=", 2);
    all = g_environ_setenv(all, pair[0], pair[1], TRUE);
    g_strfreev(pair);
  }
  int in = -1, out = -1;
  struct shmvtest_child *child = fork_child(&in, &out);
  if (child->pid == 0) {
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
      _exit(126);
    execvpe(argv[0], (char *const *)argv, all);
    _exit(127);
  }
  g_strfreev(all);
  return child;
}

struct shmvtest_child *
shmvtest_spawn_line(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  char *line = g_strdup_vprintf(format, args);
  va_end(args);
  char **argv = NULL;
  GError *error = NULL;
  g_shell_parse_argv(line, NULL, &argv, &error);
  g_assert_no_error(error);
  g_test_message("$ %s", line);
  struct shmvtest_child *child = shmvtest_spawn((const char *const *)argv, NULL);
  g_strfreev(argv);
  g_free(line);
  return child;
}

struct shmvtest_child *
shmvtest_fork(int (*func)(int in, int out, void *user), void *user)
{
  int in = -1, out = -1;
  struct shmvtest_child *child = fork_child(&in, &out);
  if (child->pid == 0) {
    int status = func(in, out, user);
    fflush(NULL);
    /* Valgrind would call all that the parent has a leak of the child's. */
    if (g_getenv("SHMVIDEO_TEST_VALGRIND") != NULL) {
      char *line = g_strdup_printf("exit %d", status);
      execl("/bin/sh", "sh", "-c", line, NULL);
    }
    _exit(status);
  }
  return child;
}

static void
reap(struct shmvtest_child *child)
{
  if (child->reaped)
    return;
  while (waitpid(child->pid, &child->status, 0) < 0)
    g_assert_cmpint(errno, ==, EINTR);
  child->reaped = true;
}

int
shmvtest_child_wait(struct shmvtest_child *child, int timeout_ms)
{
  if (!child->reaped && shmvtest_poll(child->pidfd, POLLIN, timeout_ms) == 0) {
    kill(child->pid, SIGKILL);
    reap(child);
    g_error("child %d did not end within %d ms", child->pid, timeout_ms);
  }
  reap(child);
  return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
                                    : WEXITSTATUS(child->status);
}

char *
shmvtest_child_line(struct shmvtest_child *child, int timeout_ms)
{
  GString *line = g_string_new(NULL);
  guint64 end = shmvtest_now() + (guint64)timeout_ms * 1000000;
  for (;;) {
    guint64 now = shmvtest_now();
    int left = now < end ? (int)((end - now) / 1000000) : 0;
    if (shmvtest_poll(child->out, POLLIN, left) == 0)
      g_error("child %d said nothing more within %d ms (so far \"%s\")",
              child->pid, timeout_ms, line->str);
    char c;
    ssize_t n = read(child->out, &c, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0 && line->len == 0) {
      g_string_free(line, TRUE);
      return NULL;
    }
    if (n <= 0 || c == '\n')
      return g_string_free(line, FALSE);
    g_string_append_c(line, c);
  }
}

void
shmvtest_child_signal(struct shmvtest_child *child, int signal)
{
  g_assert_cmpint(kill(child->pid, signal), ==, 0);
  if (signal != SIGSTOP)
    return;
  siginfo_t info;
  while (waitid(P_PID, (id_t)child->pid, &info, WSTOPPED | WEXITED | WNOWAIT) < 0)
    g_assert_cmpint(errno, ==, EINTR);
}

void
shmvtest_child_free(struct shmvtest_child *child)
{
  if (child == NULL)
    return;
  if (!child->reaped)
    kill(child->pid, SIGKILL);
  reap(child);
  close(child->in);
  close(child->out);
  close(child->pidfd);
  g_free(child);
}
