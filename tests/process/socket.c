/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Connecting, who is on the other side, and messages with and without
 * descriptors. The harness sees a descriptor that is kept by mistake.
 */

#include "rendezvous.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
make_pair(int pair[2])
{
  g_assert_cmpint(socketpair(AF_UNIX,
                             SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                             pair), ==, 0);
}

static void
close_pair(const int pair[2])
{
  close(pair[0]);
  close(pair[1]);
}

static int
open_null(void)
{
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  return fd;
}

/* ---- Connecting ---------------------------------------------------------- */

static void
expect_no_connection(const char *path, int code, const char *word)
{
  struct shmvideo_error error;
  g_assert_cmpint(connect_to(path, &error), ==, code);
  g_test_message("%s; %s", error.message, error.advice);
  g_assert_nonnull(strstr(error.message, word));
  g_assert_nonnull(strstr(error.message, path));
}

static void
no_connection(void)
{
  const char *path = shmvtest_path("camera");
  expect_no_connection(path, -ENOENT, "Nothing is at");
  expect_no_connection(shmvtest_path("none/camera"), -ENOENT, "no directory");
  int fd = foreign_listener(path, SOCK_SEQPACKET, 1);
  close(fd);
  expect_no_connection(path, -ECONNREFUSED, "is gone");
  unlink(path);
  fd = foreign_listener(path, SOCK_STREAM, 1);
  expect_no_connection(path, -EPROTOTYPE, "another kind");
  close(fd);
  unlink(path);
  g_assert_true(g_file_set_contents(path, "holiday", -1, NULL));
  expect_no_connection(path, -ENOTSOCK, "a regular file");
  expect_no_connection(shmvtest_path("camera/x"), -ENOTDIR, "Not a directory");
  unlink(path);
  expect_no_connection(shmvtest_dir(), -ENOTSOCK, "a directory");
}

/* ---- The other side ------------------------------------------------------ */

/* Connects, forks a child that keeps the connection, and dies when told. */
static int
leave_a_child(int in, int out, void *user)
{
  struct shmvideo_error error;
  char c;
  if (connect_to(user, &error) < 0)
    return 1;
  pid_t child = fork();
  if (child == 0)
    stay(in);
  dprintf(out, "%d\n", (int)child);
  g_assert_cmpint(read(in, &c, 1), ==, 1);
  return 0;
}

static void
peer_death(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  struct shmv_peer_id peer;
  int fd;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  struct shmvtest_child *child = shmvtest_fork(leave_a_child, (void *)path);
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpint(shmv_listener_accept(&listener, &fd), ==, 0);
  g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint(fcntl(fd, F_GETFL) & O_NONBLOCK, ==, O_NONBLOCK);
  g_assert_cmpint(shmv_socket_peer(fd, &peer), ==, 0);
  g_assert_cmpint(peer.pid, ==, child->pid);
  g_assert_cmpuint(peer.uid, ==, geteuid());
  g_assert_cmpint(peer.pidfd, >=, 0);
  g_assert_cmpint(fcntl(peer.pidfd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint(shmvtest_poll(peer.pidfd, POLLIN, 0), ==, 0);
  g_assert_cmpint(write(child->in, "x", 1), ==, 1);
  g_assert_cmpint(shmvtest_poll(peer.pidfd, POLLIN, shmvtest_deadline()), !=, 0);
  /* The hang-up alone would not have told. */
  g_assert_cmpint(shmvtest_poll(fd, POLLIN, 0), ==, 0);
  pid_t grandchild = (pid_t)atoi(line);
  g_free(line);
  close(child->in);
  child->in = -1;
  shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  g_assert_cmpint(shmvtest_poll(fd, POLLIN, shmvtest_deadline()) & POLLHUP, !=,
                  0);
  g_assert_cmpint(waitpid(grandchild, NULL, 0), ==, grandchild);
  close(peer.pidfd);
  close(fd);
  shmv_listener_close(&listener);
}

/* ---- Messages ------------------------------------------------------------ */

static void
messages(void)
{
  int pair[2];
  char text[16];
  size_t size;
  unsigned n_fds;
  int fds[SHMV_MAX_FDS];
  make_pair(pair);
  g_assert_cmpint(shmv_socket_recv(pair[1], text, sizeof text, &size, NULL, 0,
                                   NULL), ==, -EAGAIN);
  int null = open_null();
  int sent[SHMV_MAX_FDS + 1];
  for (unsigned i = 0; i <= SHMV_MAX_FDS; i++)
    sent[i] = null;
  for (unsigned n = 0; n <= SHMV_MAX_FDS; n++) {
    g_assert_cmpint(shmv_socket_send(pair[0], "hello", 5, sent, n), ==, 0);
    g_assert_cmpint(shmv_socket_recv(pair[1], text, sizeof text, &size, fds,
                                     SHMV_MAX_FDS, &n_fds), ==, 0);
    g_assert_cmpmem(text, size, "hello", 5);
    g_assert_cmpuint(n_fds, ==, n);
    for (unsigned i = 0; i < n; i++) {
      g_assert_cmpint(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
      close(fds[i]);
    }
  }
  g_assert_cmpint(shmv_socket_send(pair[0], "hello", 5, sent, SHMV_MAX_FDS + 1),
                  ==, -EINVAL);
  /* An empty message, and then the end. */
  g_assert_cmpint(shmv_socket_send(pair[0], "", 0, NULL, 0), ==, 0);
  for (int i = 0; i < 2; i++) {
    size = 1;
    g_assert_cmpint(shmv_socket_recv(pair[1], text, sizeof text, &size, fds, 1,
                                     &n_fds), ==, 0);
    g_assert_cmpuint(size, ==, 0);
    g_assert_cmpint(shmvtest_poll(pair[1], POLLIN, 0) & POLLHUP, ==,
                    i == 0 ? 0 : POLLHUP);
    if (i == 0)
      close(pair[0]);
    if (i == 0)
      continue;
    /* A send to nobody is an error, not a signal. */
    g_assert_cmpint(shmv_socket_send(pair[1], "hello", 5, NULL, 0), ==, -EPIPE);
  }
  close(pair[1]);
  close(null);
}

static void
full_socket(void)
{
  int pair[2], result;
  char block[4096] = {0};
  unsigned n = 0;
  make_pair(pair);
  while ((result = shmv_socket_send(pair[0], block, sizeof block, NULL, 0)) == 0)
    g_assert_cmpuint(++n, <, 100000);
  g_assert_cmpint(result, ==, -EAGAIN);
  close_pair(pair);
}

/* Whatever is wrong with a message, none of its descriptors stays. */
static void
expect_rejected(const char *text, unsigned n_sent, size_t room,
                unsigned max_fds, int code)
{
  int pair[2], fds[SHMV_MAX_FDS];
  char buffer[64];
  size_t size = 1;
  unsigned n_fds = 1;
  make_pair(pair);
  int null = open_null();
  int sent[SHMV_MAX_FDS];
  for (unsigned i = 0; i < SHMV_MAX_FDS; i++)
    sent[i] = null;
  g_assert_cmpint(shmv_socket_send(pair[0], text, strlen(text), sent, n_sent),
                  ==, 0);
  g_assert_cmpint(shmv_socket_recv(pair[1], buffer, room, &size,
                                   max_fds > 0 ? fds : NULL, max_fds,
                                   max_fds > 0 ? &n_fds : NULL), ==, code);
  g_assert_cmpuint(size, ==, 0);
  g_assert_cmpuint(n_fds, ==, max_fds > 0 ? 0 : 1);
  close(null);
  close_pair(pair);
}

static void
bad_messages(void)
{
  for (unsigned max = 0; max < SHMV_MAX_FDS; max++)
    for (unsigned n = max + 1; n <= SHMV_MAX_FDS; n++)
      expect_rejected("hello", n, 64, max, -EBADMSG);
  expect_rejected("hello", 0, 4, 0, -EMSGSIZE);
  expect_rejected("hello", 1, 4, 1, -EMSGSIZE);
  expect_rejected("hello", 2, 4, 1, -EBADMSG);
}

/* Valgrind keeps descriptors of its own past the limit. */
static bool
limits_do_not_hold(void)
{
  bool valgrind = g_getenv("SHMVIDEO_TEST_VALGRIND") != NULL;
  if (valgrind)
    g_test_skip("limits of descriptors do not hold under valgrind");
  return valgrind;
}

/* So few descriptors are left that only a part can be received. */
static int
receive_without_room(int in, int out, void *user)
{
  (void)in;
  (void)out;
  int *pair = user, fds[4];
  char text[8];
  size_t size;
  unsigned n_fds;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  int last = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
  close(last);
  limit.rlim_cur = (rlim_t)last + 2;
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpint(shmv_socket_recv(pair[1], text, sizeof text, &size, fds, 4,
                                   &n_fds), ==, -EMFILE);
  g_assert_cmpuint(n_fds, ==, 0);
  /* Nothing is kept: what is no memory is closed elsewhere, soon. */
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  int again;
  while ((again = fcntl(pair[1], F_DUPFD_CLOEXEC, 0)) != last) {
    if (again >= 0)
      close(again);
    g_assert_cmpuint(shmvtest_now(), <, end);
    g_thread_yield();
  }
  return 0;
}

static void
no_room(void)
{
  int pair[2];
  if (limits_do_not_hold())
    return;
  make_pair(pair);
  int null = open_null();
  const int sent[4] = {null, null, null, null};
  g_assert_cmpint(shmv_socket_send(pair[0], "hello", 5, sent, 4), ==, 0);
  struct shmvtest_child *child = shmvtest_fork(receive_without_room, pair);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  close(null);
  close_pair(pair);
}

/* ---- The writer's side --------------------------------------------------- */

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

static bool
kernel_can_refuse(void)
{
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  int off = 0;
  bool can = setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off) == 0;
  close(fd);
  return can;
}

/* The kernel refuses to send a descriptor (Linux 6.16), before accept and after; on
 * older ones it arrives, and is never received (closing.c). */
static void
no_descriptors(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  int accepted = -1;
  char text[8];
  size_t size;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  int client = connect_to(path, &error);
  int null = open_null();
  for (int i = 0; i < 2; i++) {
    int result = shmv_socket_send(client, "hello", 5, &null, 1);
    if (i == 0)
      g_assert_cmpint(shmv_listener_accept(&listener, &accepted), ==, 0);
    int received = shmv_socket_recv(accepted, text, sizeof text, &size, NULL, 0,
                                    NULL);
    g_test_message("sent: %s, received: %s", shmvideo_strerror(result),
                   shmvideo_strerror(received));
    g_assert_cmpint(result, ==, kernel_can_refuse() ? -EPERM : 0);
    g_assert_cmpint(received, ==, result == 0 ? -EBADMSG : -EAGAIN);
  }
  /* Words go through, and descriptors in the other direction. */
  int fd;
  unsigned n_fds;
  g_assert_cmpint(shmv_socket_send(client, "hello", 5, NULL, 0), ==, 0);
  int received = shmv_socket_recv(accepted, text, sizeof text, &size, NULL, 0,
                                  NULL);
  g_assert_cmpint(received, ==, kernel_can_refuse() ? 0 : -EBADMSG);
  g_assert_cmpmem(text, size, "hello", received == 0 ? 5 : 0);
  g_assert_cmpint(shmv_socket_send(accepted, "frame", 5, &null, 1), ==, 0);
  g_assert_cmpint(shmv_socket_recv(client, text, sizeof text, &size, &fd, 1,
                                   &n_fds), ==, 0);
  g_assert_cmpuint(n_fds, ==, 1);
  close(fd);
  close(null);
  close(client);
  close(accepted);
  shmv_listener_close(&listener);
}

static int
accept_without_room(int in, int out, void *user)
{
  (void)in;
  (void)out;
  struct shmv_listener *listener = user;
  struct rlimit limit, none;
  int fd;
  getrlimit(RLIMIT_NOFILE, &limit);
  none = limit;
  none.rlim_cur = 0;
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
  g_assert_cmpint(shmv_listener_accept(listener, &fd), ==, -EMFILE);
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpint(shmv_listener_accept(listener, &fd), ==, 0);
  return 0;
}

static void
no_room_to_accept(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  if (limits_do_not_hold())
    return;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  int client = connect_to(path, &error);
  struct shmvtest_child *child = shmvtest_fork(accept_without_room, &listener);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  close(client);
  shmv_listener_close(&listener);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/socket/every-refusal-to-connect-is-a-sentence", no_connection);
  shmvtest_add("/socket/a-peers-death-is-seen-behind-its-children", peer_death);
  shmvtest_add("/socket/messages-and-descriptors-arrive-whole", messages);
  shmvtest_add("/socket/a-full-socket-does-not-block", full_socket);
  shmvtest_add("/socket/what-a-bad-message-brings-is-closed", bad_messages);
  shmvtest_add("/socket/no-room-for-descriptors-is-said", no_room);
  shmvtest_add("/socket/a-writer-takes-no-descriptors", no_descriptors);
  shmvtest_add("/socket/no-room-to-accept-loses-nobody", no_room_to_accept);
  return shmvtest_run();
}
