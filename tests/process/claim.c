/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Which paths a writer gets, which it is refused, and whether the refusal says
 * why. What a claim leaves alone is in claim-care.c, races are in claim-race.c.
 */

#include "rendezvous.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/* A path of exactly so many bytes; the directory is the test's. g_free it. */
static char *
path_of_length(size_t length)
{
  GString *path = g_string_new(shmvtest_dir());
  g_string_append_c(path, '/');
  while (path->len < length)
    g_string_append_c(path, 'x');
  return g_string_free(path, FALSE);
}

static void
unusable_text(void)
{
  expect_refusal(NULL, -EINVAL, "No socket path", NULL);
  expect_refusal("", -EINVAL, "No socket path", NULL);
  expect_refusal("/tmp/", -EINVAL, "/tmp/ ends in a slash", NULL);
  expect_refusal("camera/", -EINVAL, "ends in a slash", NULL);
  expect_refusal("/", -EINVAL, "ends in a slash", NULL);
  expect_refusal(".", -EINVAL, "directory", NULL);
  expect_refusal("/tmp/..", -EINVAL, "directory", NULL);
}

static void
too_long(void)
{
  char *path = path_of_length(108);
  expect_refusal(path, -ENAMETOOLONG, "108 bytes", "at most 107");
  g_free(path);
  path = path_of_length(200);
  expect_refusal(path, -ENAMETOOLONG, "200 bytes", "at most 107");
  g_free(path);
  path = g_strnfill(5000, 'x');
  expect_refusal(path, -ENAMETOOLONG, "5000 bytes", "at most 107");
  g_free(path);
  /* A bare name that is too long only with the runtime directory before it. */
  path = g_strnfill(100, 'x');
  expect_refusal(path, -ENAMETOOLONG, "at most 107", NULL);
  g_free(path);
}

static void
longest(void)
{
  char *path = path_of_length(107);
  expect_success(path);
  /* Also when it has to be taken over. */
  close(foreign_listener(path, SOCK_SEQPACKET, 1));
  expect_success(path);
  g_free(path);
}

/* In a directory of its own: chdir must not follow the other tests. */
static int
move_around(int in, int out, void *user)
{
  (void)in;
  (void)out;
  (void)user;
  struct shmv_listener listener;
  struct shmvideo_error error;
  g_assert_cmpint(chdir(shmvtest_dir()), ==, 0);
  g_assert_cmpint(mkdir("sub", 0700), ==, 0);
  expect_success("./camera");
  expect_success("sub/../camera");
  g_assert_cmpint(claim("sub/camera", 0600, &listener, &error), ==, 0);
  struct shmv_path path;
  g_assert_cmpint(shmv_path_resolve(&path, "sub/camera", &error), ==, 0);
  g_assert_cmpint(chdir("/"), ==, 0);
  /* A reader made before the chdir finds it still. */
  int fd;
  g_assert_cmpint(shmv_socket_connect(&path, &fd, &error), ==, 0);
  close(fd);
  shmv_listener_close(&listener);
  g_assert_cmpint(rmdir(shmvtest_path("sub")), ==, 0);
  return 0;
}

static void
relative(void)
{
  struct shmvtest_child *child = shmvtest_fork(move_around, NULL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

static void
no_directory(void)
{
  expect_refusal(shmvtest_path("none/camera"), -ENOENT, "/none", "No such file");
  const char *file = shmvtest_path("file");
  g_assert_true(g_file_set_contents(file, "mine", -1, NULL));
  expect_refusal(shmvtest_path("file/camera"), -ENOTDIR, "/file", "Not a dir");
  unlink(file);
}

static int
try_without_rights(int in, int out, void *user)
{
  (void)in;
  (void)out;
  struct shmvideo_error error;
  const char *path = user;
  expect_refusal(path, -EACCES, path, "may");
  int result = connect_to(path, &error);
  if (access(path, F_OK) < 0 && errno == ENOENT)
    g_assert_cmpint(result, ==, -ENOENT);
  else
    g_assert_cmpint(result, ==, -EACCES);
  return 0;
}

static void
no_permission(void)
{
  char *directory = (char *)shmvtest_path("locked");
  char *path = (char *)shmvtest_path("locked/camera");
  g_assert_cmpint(chmod(shmvtest_dir(), 0755), ==, 0);
  g_assert_cmpint(mkdir(directory, 0700), ==, 0);
  const mode_t modes[] = {0555, 0333, 0111, 0000};
  for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_assert_cmpint(chmod(directory, modes[i]), ==, 0);
    /* Writing without reading the directory cannot be locked for: refused too. */
    as_nobody(try_without_rights, path);
  }
  g_assert_cmpint(chmod(directory, 0700), ==, 0);
  char *names = list(directory);
  g_assert_cmpstr(names, ==, "");
  g_free(names);
  rmdir(directory);
}

static int
try_foreign(int in, int out, void *user)
{
  (void)in;
  (void)out;
  struct shmvideo_error error;
  char **words = user;
  expect_refusal(words[0], -EACCES, words[1], "owner");
  g_assert_cmpint(connect_to(words[0], &error), ==, -EACCES);
  g_assert_nonnull(strstr(error.message, words[1]));
  return 0;
}

/* Whether a socket is in use cannot be asked without the right to connect. */
static void
socket_of_another_user(void)
{
  if (geteuid() != 0) {
    g_test_skip("needs root, to be two users");
    return;
  }
  char *path = (char *)shmvtest_path("camera");
  g_assert_cmpint(chmod(shmvtest_dir(), 01777), ==, 0);
  close(foreign_listener(path, SOCK_SEQPACKET, 1));
  g_assert_cmpint(chmod(path, 0600), ==, 0);
  char *words[] = {path, (char *)"user 0"};
  as_nobody(try_foreign, words);
  unlink(path);
}

static int
try_sticky(int in, int out, void *user)
{
  (void)in;
  (void)out;
  expect_refusal(user, -EPERM, "user 1,", "owner");
  return 0;
}

static void
stale_socket_of_another_user(void)
{
  if (geteuid() != 0) {
    g_test_skip("needs root, to be two users");
    return;
  }
  char *path = (char *)shmvtest_path("camera");
  g_assert_cmpint(chmod(shmvtest_dir(), 01777), ==, 0);
  close(foreign_listener(path, SOCK_SEQPACKET, 1));
  g_assert_cmpint(chmod(path, 0666), ==, 0);
  g_assert_cmpint(chown(path, 1, 1), ==, 0);
  as_nobody(try_sticky, path);
  g_assert_cmpint(access(path, F_OK), ==, 0);
  unlink(path);
}

static void
other_kind_of_socket(void)
{
  const char *path = shmvtest_path("camera");
  const int types[] = {SOCK_STREAM, SOCK_DGRAM};
  for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
    int fd = foreign_listener(path, types[i], 5);
    expect_refusal(path, -EPROTOTYPE, path, "another kind of socket");
    close(fd);
    /* Nobody there any more. */
    expect_success(path);
  }
}

static int
hold_path(int in, int out, void *user)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  if (claim(user, 0600, &listener, &error) != 0)
    return 1;
  dprintf(out, "listening\n");
  char c;
  while (read(in, &c, 1) > 0)
    ;
  /* Nobody took it from us: a connection still arrives here. */
  int fd = connect_to(user, &error);
  struct shmv_peer_id peer;
  if (fd < 0 || shmv_socket_peer(fd, &peer) < 0 || peer.pid != getpid())
    return 2;
  shmv_listener_close(&listener);
  return 0;
}

static struct shmvtest_child *
start_holder(const char *path)
{
  struct shmvtest_child *child = shmvtest_fork(hold_path, (void *)path);
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpstr(line, ==, "listening");
  g_free(line);
  return child;
}

static void
living_writer(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvtest_child *child = start_holder(path);
  char *pid = g_strdup_printf("process %d", child->pid);
  expect_refusal(path, -EADDRINUSE, pid, path);
  expect_refusal(path, -EADDRINUSE, pid, "End that process");
  g_free(pid);
  struct shmvideo_error error;
  struct shmv_listener listener;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, -EADDRINUSE);
  g_assert_cmpint(error.pid, ==, child->pid);
  close(child->in);
  child->in = -1;
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

static void
ourselves(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvideo_error error;
  struct shmv_listener listener;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  expect_refusal(path, -EADDRINUSE, "this program already", NULL);
  shmv_listener_close(&listener);
}

static void
killed_writer(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvtest_child *child = start_holder(path);
  shmvtest_child_signal(child, SIGKILL);
  shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  g_assert_cmpint(access(path, F_OK), ==, 0);
  expect_success(path);
}

/* The writer is dead, but what it forked holds its descriptor: that may be the
 * writer's own successor, so it is not taken over, and the sentence says so. */
static int
fork_and_die(int in, int out, void *user)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  if (claim(user, 0600, &listener, &error) != 0)
    return 1;
  if (fork() == 0) {
    dprintf(out, "%d\n", (int)getpid());
    stay(in);
  }
  return 0;
}

static void
inherited_socket(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvtest_child *child = shmvtest_fork(fork_and_die, (void *)path);
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  pid_t grandchild = (pid_t)atoi(line);
  g_free(line);
  siginfo_t info;
  g_assert_cmpint(waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT), ==,
                  0);
  /* A dead process that nobody has reaped has still its number. */
  expect_refusal(path, -EADDRINUSE, "process", path);
  g_assert_cmpint(waitpid(child->pid, &child->status, 0), ==, child->pid);
  child->reaped = true;
  expect_refusal(path, -EADDRINUSE, "forked", path);
  shmvtest_child_free(child); /* ends the grandchild, which is ours by now */
  g_assert_cmpint(waitpid(grandchild, NULL, 0), ==, grandchild);
  expect_success(path);
}

static void
full_backlog(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvideo_error error;
  int fd = foreign_listener(path, SOCK_SEQPACKET, 0);
  int waiting[8];
  unsigned n = 0;
  while ((waiting[n] = connect_to(path, &error)) >= 0)
    g_assert_cmpuint(++n, <, G_N_ELEMENTS(waiting));
  g_assert_cmpint(waiting[n], ==, -EAGAIN);
  g_assert_nonnull(strstr(error.message, "does not answer"));
  expect_refusal(path, -EADDRINUSE, "does not answer", path);
  while (n > 0)
    close(waiting[--n]);
  close(fd);
  expect_success(path);
}

static void
locked_directory(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  int fd = open(shmvtest_dir(), O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
  /* Closing gives up soon, and leaves a socket that the next one takes over. */
  guint64 start = shmvtest_now();
  shmv_listener_close(&listener);
  guint64 closing = shmvtest_now() - start;
  g_assert_cmpuint(closing, <, 1000000000);
  g_assert_cmpint(access(path, F_OK), ==, 0);
  start = shmvtest_now();
  expect_refusal(path, -EBUSY, shmvtest_dir(), "lslocks");
  guint64 claiming = shmvtest_now() - start;
  g_assert_cmpuint(claiming, >=, 2000000000);
  g_assert_cmpint((int)(claiming / 1000000), <, shmvtest_deadline());
  close(fd);
  expect_success(path);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/claim/a-path-that-names-no-socket-is-refused", unusable_text);
  shmvtest_add("/claim/a-path-too-long-is-refused-with-both-numbers", too_long);
  shmvtest_add("/claim/107-bytes-are-not-too-long", longest);
  shmvtest_add("/claim/a-relative-path-survives-chdir", relative);
  shmvtest_add("/claim/a-missing-directory-is-named", no_directory);
  shmvtest_add("/claim/without-permission-nothing-is-left", no_permission);
  shmvtest_add("/claim/another-users-socket-is-left", socket_of_another_user);
  shmvtest_add("/claim/another-users-stale-socket-names-the-owner",
               stale_socket_of_another_user);
  shmvtest_add("/claim/another-kind-of-socket-is-left", other_kind_of_socket);
  shmvtest_add("/claim/a-living-writer-is-named-and-unaffected", living_writer);
  shmvtest_add("/claim/not-twice-in-one-program", ourselves);
  shmvtest_add("/claim/a-killed-writers-path-is-taken-over", killed_writer);
  shmvtest_add("/claim/a-socket-that-was-inherited-is-left", inherited_socket);
  shmvtest_add("/claim/a-writer-too-busy-to-answer-lives", full_backlog);
  shmvtest_add("/claim/a-locked-directory-costs-bounded-time", locked_directory);
  return shmvtest_run();
}
