/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* What the files of the shim share. See shim.h. */

#ifndef SHIM_CALLS_H
#define SHIM_CALLS_H

#include <errno.h>

#include "shim.h"

/* No errno: a message comes without its descriptors, for which there is no room. */
#define SHIM_CUT 100000

struct shim_call {
  const char *name;
  unsigned n_failed; /* times it was made to, in all runs */
  bool never_often;  /* it does not fail many times in a row */
};

/* All that can fail, up to NULL. */
extern struct shim_call *const shim_calls[];
extern struct shim_call *const shim_file_calls[];
extern struct shim_call *const shim_call_ppoll;
extern struct shim_call *const shim_call_inotify_init1;
extern struct shim_call *const shim_call_inotify_add_watch;

/* Count a call; whether it is to fail now, with errno set to one of these. For use
 * in a wrapper only. */
#define shim_fails(call, errnos)                                               \
  shim_count(call, errnos, __builtin_return_address(0))
bool shim_count(struct shim_call *call, const int *errnos, const void *site);

/* Whether the next call that can fail is the one that is meant. */
bool shim_is_next(void);

/* Check a new descriptor, or pass on the failure. */
int shim_new_fd(const struct shim_call *call, int fd);

/* In the library: one thing more, or less, that is to be freed. */
void shim_count_allocation(int change);

/* Time */
bool shim_clock_runs(void); /* for this thread */
void shim_clock_pass(uint64_t ns);
void shim_clock_forget(int fd);  /* it is closed */
void shim_clock_expired(int fd); /* it was read */

void shim_inotify_closed(int fd);

/* ---- Wrappers ---------------------------------------------------------------- */

#define LIST(...) ((const int[]){__VA_ARGS__, 0})
#define NEVER ((const int[]){0})

/* __real_NAME is what the library meant, __wrap_NAME what it gets. */
#define DECLARE(type, function, parameters)                                    \
  type __real_##function parameters;                                           \
  type __wrap_##function parameters;                                           \
  static struct shim_call call_##function = {.name = #function};

/* A call that fails before it does anything. */
#define CALL(type, function, parameters, arguments, failure, ...)              \
  DECLARE(type, function, parameters)                                          \
  type __wrap_##function parameters                                            \
  {                                                                            \
    return shim_fails(&call_##function, LIST(__VA_ARGS__))                     \
               ? failure                                                       \
               : __real_##function arguments;                                  \
  }

/* A call that makes a descriptor, which no program that is started may inherit, not
 * even one that another thread starts at this instant. */
#define FD_CALL(function, parameters, arguments, ...)                          \
  DECLARE(int, function, parameters)                                           \
  int __wrap_##function parameters                                             \
  {                                                                            \
    return shim_fails(&call_##function, LIST(__VA_ARGS__))                     \
               ? -1                                                            \
               : shim_new_fd(&call_##function, __real_##function arguments);   \
  }

/* "return fail_with(EMFILE);" */
static inline int
fail_with(int code)
{
  errno = code;
  return -1;
}

/* Whether an old kernel is asked. */
static inline bool
is_old(void)
{
  return shim_old_kernel && shim_inside() != SHIM_NOBODY;
}

#endif
