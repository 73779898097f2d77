/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Instances of inotify that are used again: the kernel takes up to half a second to
 * close one that watched something, and thousands are closed here. The library gets
 * a copy of the descriptor, of an instance that is as good as new.
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "shim-calls.h"

#define MAX_INSTANCES 8
#define MAX_WATCHES 64

static struct instance {
  int real;   /* ours, 0: not made yet */
  int lent;   /* the library's, -1: none */
  int watches[MAX_WATCHES]; /* that were begun */
  unsigned n_watches;
} instances[MAX_INSTANCES];

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __real_close(int fd);

static struct shim_call call_init = {.name = "inotify_init1"};
static struct shim_call call_add = {.name = "inotify_add_watch"};
struct shim_call *const shim_call_inotify_init1 = &call_init;
struct shim_call *const shim_call_inotify_add_watch = &call_add;

void
shim_inotify_start(void)
{
  for (unsigned i = 0; i < MAX_INSTANCES; i++) {
    instances[i].real = __real_inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    instances[i].lent = -1;
    g_assert_cmpint(instances[i].real, >, 0);
  }
}

int
__wrap_inotify_init1(int flags)
{
  static const int errnos[] = {EMFILE, ENFILE, ENOMEM, 0};
  if (shim_inside() == SHIM_NOBODY || instances[0].real == 0)
    return __real_inotify_init1(flags);
  if (shim_old_kernel) {
    errno = EMFILE; /* as if all of the user's were in use */
    return -1;
  }
  if (shim_fails(&call_init, errnos))
    return -1;
  g_assert_true((flags & IN_CLOEXEC) != 0);
  unsigned i = 0;
  while (instances[i].lent != -1)
    g_assert_cmpuint(++i, <, MAX_INSTANCES);
  instances[i].lent = fcntl(instances[i].real, F_DUPFD_CLOEXEC, 3);
  return instances[i].lent;
}

int
__wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
  static const int errnos[] = {ENOSPC, ENOMEM, EACCES, ENOENT, 0};
  if (shim_fails(&call_add, errnos))
    return -1;
  int watch = __real_inotify_add_watch(fd, path, mask);
  for (unsigned i = 0; i < MAX_INSTANCES; i++)
    if (instances[i].lent == fd && watch >= 0) {
      g_assert_cmpuint(instances[i].n_watches, <, MAX_WATCHES);
      instances[i].watches[instances[i].n_watches++] = watch;
    }
  return watch;
}

/* The library closed it. */
void
shim_inotify_closed(int fd)
{
  char events[4096];
  for (unsigned i = 0; i < MAX_INSTANCES; i++) {
    struct instance *instance = &instances[i];
    if (instance->real == 0 || instance->lent != fd)
      continue;
    while (instance->n_watches > 0)
      inotify_rm_watch(instance->real, instance->watches[--instance->n_watches]);
    while (read(instance->real, events, sizeof events) > 0)
      continue;
    instance->lent = -1;
  }
}
