/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The test harness
 *
 * A test program is GLib tests with a house-keeper around each:
 *
 *     static void late_joiner(void) { ... g_assert_cmpint(...) ... }
 *
 *     int main(int argc, char **argv)
 *     {
 *       shmvtest_init(&argc, &argv);
 *       shmvtest_add("/process/late-joiner-sees-the-current-frame", late_joiner);
 *       return shmvtest_run();
 *     }
 *
 * Each test has a new directory of its own (short, so that sockets fit), which is
 * XDG_RUNTIME_DIR for as long. A test fails that leaves behind a descriptor, a
 * mapping of a memfd, a child (or orphaned grandchild), or a file. Tests
 * wait for descriptors or children with a deadline, never for time to pass.
 *
 * Tests of the elements call shmvtest_gst_init (gsttest.h) instead.
 */

#ifndef SHMVTEST_H
#define SHMVTEST_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Longest that a test waits for what must happen, ms. Longer where programs run
 * slower (SHMVIDEO_TEST_SLOWNESS, a factor that sanitizer and valgrind runs set). */
int shmvtest_deadline(void);

/* CLOCK_MONOTONIC, ns. */
guint64 shmvtest_now(void);

void shmvtest_init(int *argc, char ***argv);
void shmvtest_add(const char *name, void (*func)(void));
int shmvtest_run(void);

/* A check for the end of the run, if all tests passed: 0 or what the program fails with. */
void shmvtest_at_end(int (*check)(void));

/* The running test's directory; borrowed until the test ends. */
const char *shmvtest_dir(void);

/* A path in it, for a socket say; borrowed until the test ends. It must be gone
 * when the test ends. */
const char *shmvtest_path(const char *name);

/* As shmvtest_path, but the file may stay: the harness removes it. */
const char *shmvtest_output(const char *name);

/* Descriptors that this process has. */
unsigned shmvtest_count_descriptors(void);

/* Wait until fd has one of the poll events: the events, or 0 after timeout ms. */
int shmvtest_poll(int fd, short events, int timeout_ms);

/* ---- Children: all die with the test program ------------------------------ */

struct shmvtest_child {
  pid_t pid;
  int in;      /* write: the child's standard input */
  int out;     /* read: the child's standard output */
  int pidfd;   /* readable when the child is gone */
  bool reaped;
  int status;  /* as waitpid's, once reaped */
};

/* Run a program (found by PATH). Its stderr is ours; its stdin and stdout are
 * pipes. env: extra "NAME=value" strings up to NULL, or NULL. */
struct shmvtest_child *shmvtest_spawn(const char *const *argv,
                                      const char *const *env);

/* As a shell command line; quotes as in a shell, but no shell runs. */
struct shmvtest_child *shmvtest_spawn_line(const char *format, ...)
    G_GNUC_PRINTF(1, 2);

/* Run a function in a forked child; its result is the exit status. in and out are
 * its ends of the two pipes. Only for programs without threads. */
struct shmvtest_child *shmvtest_fork(int (*func)(int in, int out, void *user),
                                     void *user);

/* Wait for the end: the exit status, or 128 + signal. Fails the test when it
 * takes longer than timeout_ms. */
int shmvtest_child_wait(struct shmvtest_child *child, int timeout_ms);

/* Next line of its output without the newline (free it), or NULL at its end.
 * Fails the test when none comes in timeout_ms. */
char *shmvtest_child_line(struct shmvtest_child *child, int timeout_ms);

/* Send a signal. After SIGSTOP returns once the child has really stopped. */
void shmvtest_child_signal(struct shmvtest_child *child, int signal);

/* Kill it if it lives, reap it, close all, free. NULL is allowed. */
void shmvtest_child_free(struct shmvtest_child *child);

#endif
