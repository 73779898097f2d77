/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "closing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"

/* Threads that close at once, in the whole process. */
#define MAX_CLOSERS 64u
#define STACK_SIZE ((size_t)256 * 1024)

/* Unread messages to look through: beyond, let the thread have it. */
#define MAX_LOOKS 64

static atomic_uint n_closers;

static void *
close_it(void *data)
{
  close((int)(intptr_t)data);
  atomic_fetch_sub(&n_closers, 1);
  return NULL;
}

static bool
close_on_a_thread(int fd)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  if (atomic_fetch_add(&n_closers, 1) >= MAX_CLOSERS ||
      pthread_attr_init(&attributes) != 0) {
    atomic_fetch_sub(&n_closers, 1);
    return false;
  }
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  sigfillset(&all); /* the program's handlers are not for this thread */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(&thread, &attributes, close_it,
                            (void *)(intptr_t)fd);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (code != 0)
    atomic_fetch_sub(&n_closers, 1);
  return code == 0;
}

void
shmv_close_received(int fd)
{
  static const struct linger none = {0};
  /* Memory has seals, and what has seals closes at once. */
  if (fcntl(fd, F_GET_SEALS) < 0 && errno != EBADF) {
    if (close_on_a_thread(fd))
      return;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  close(fd);
}

int
shmv_carries_descriptors(int fd)
{
  struct msghdr header = {0};
  ssize_t n;
  do
    n = recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? shmv_error_of_call() : (header.msg_flags & MSG_CTRUNC) != 0;
}

/* Look at the next message: whose credentials tell it, even empty, from the end. */
static int
peek(int fd, bool *carries)
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct ucred))];
  } control;
  struct msghdr header = {.msg_control = &control,
                          .msg_controllen = sizeof control};
  if (recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT) < 0)
    return -errno;
  *carries = (header.msg_flags & MSG_CTRUNC) != 0;
  return *carries || CMSG_FIRSTHDR(&header) != NULL ? 1 : 0;
}

/* Whether closing this connection may close others' descriptors. Nothing comes into it
 * any more. */
static bool
is_loaded(int fd)
{
  int on = 1;
  socklen_t size = sizeof on;
  if (getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &on, &size) == 0 && on == 0)
    return false;
  on = 1;
  setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  for (int i = 0; i < MAX_LOOKS; i++) {
    bool carries = false;
    int code = peek(fd, &carries);
    if (code == -EINTR || code == -ECONNRESET) /* told once, before the rest */
      continue;
    if (code <= 0 || carries)
      return carries;
    (void)!recv(fd, NULL, 0, MSG_DONTWAIT);
  }
  return true;
}

bool
shmv_close_connection(int fd)
{
  shutdown(fd, SHUT_RDWR); /* a forked child may keep it open */
  if (is_loaded(fd))
    return close_on_a_thread(fd);
  close(fd);
  return true;
}
