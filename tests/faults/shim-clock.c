/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The library's time. It stands still (but for a microsecond a look, so that nobody
 * waits in a loop for ever) until the test says that nothing else happens: then it
 * jumps to the next timer. So a pause of seconds costs none, every run is the same
 * as the one before, and who waits for what will never come is found out at once.
 */

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sys/timerfd.h>

#include "shim-calls.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)
#define MAX_TIMERS 64

static bool started;
static uint64_t now;
static struct {
  int fd; /* -1: none */
  uint64_t at;
} timers[MAX_TIMERS];

bool (*shim_meanwhile)(void);

void
shim_clock_start(void)
{
  started = true;
  now = START;
  shim_clock_reset();
}

void
shim_clock_reset(void)
{
  for (unsigned i = 0; i < MAX_TIMERS; i++)
    timers[i].fd = -1;
}

uint64_t
shim_clock_now(void)
{
  return now;
}

bool
shim_clock_runs(void)
{
  return started && shim_inside() != SHIM_NOBODY;
}

static void
set(int fd, uint64_t at)
{
  unsigned i = 0;
  while (i < MAX_TIMERS && timers[i].fd != fd)
    i++;
  if (i == MAX_TIMERS && at != 0)
    for (i = 0; timers[i].fd != -1;)
      g_assert_cmpuint(++i, <, MAX_TIMERS);
  if (i == MAX_TIMERS)
    return;
  timers[i].fd = at != 0 ? fd : -1;
  timers[i].at = at;
}

void
shim_clock_forget(int fd)
{
  set(fd, 0);
}

void
shim_clock_expired(int fd)
{
  set(fd, 0);
}

int __real_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                           struct itimerspec *old);

static void
expire(int fd)
{
  struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
  struct pollfd pollfd = {.fd = fd, .events = POLLIN};
  __real_timerfd_settime(fd, 0, &soon, NULL);
  while (poll(&pollfd, 1, 10000) <= 0)
    g_assert_cmpint(errno, ==, EINTR);
}

bool
shim_clock_jump(uint64_t limit)
{
  uint64_t next = limit;
  for (unsigned i = 0; i < MAX_TIMERS; i++)
    if (timers[i].fd != -1 && timers[i].at < next)
      next = timers[i].at;
  if (next == UINT64_MAX)
    return false;
  if (next > now)
    now = next;
  for (unsigned i = 0; i < MAX_TIMERS; i++)
    if (timers[i].fd != -1 && timers[i].at <= now) {
      timers[i].at = UINT64_MAX; /* told; it is readable until it is read */
      expire(timers[i].fd);
    }
  return true;
}

/* ---- Calls ----------------------------------------------------------------- */

static uint64_t
read_timespec(const struct timespec *ts)
{
  return (uint64_t)ts->tv_sec * SECOND + (uint64_t)ts->tv_nsec;
}

/* A timer is never armed for real; setting one takes its expiry back. */
int
__wrap_timerfd_settime(int fd, int flags, const struct itimerspec *value,
                       struct itimerspec *old)
{
  if (!shim_clock_runs())
    return __real_timerfd_settime(fd, flags, value, old);
  static const struct itimerspec never;
  uint64_t at = read_timespec(&value->it_value);
  if (at != 0 && (flags & TFD_TIMER_ABSTIME) == 0)
    at += now;
  set(fd, at);
  return __real_timerfd_settime(fd, 0, &never, NULL);
}

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
  if (!shim_clock_runs())
    return __real_clock_gettime(clock, out);
  now += 1000;
  out->tv_sec = (time_t)(now / SECOND);
  out->tv_nsec = (long)(now % SECOND);
  return 0;
}

int __real_nanosleep(const struct timespec *time, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

int
__wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
  if (!shim_clock_runs())
    return __real_nanosleep(time, rest);
  now += read_timespec(time);
  return 0;
}

static struct shim_call call_ppoll = {.name = "ppoll"};
struct shim_call *const shim_call_ppoll = &call_ppoll;

int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const void *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                 const void *mask);

/* Whoever else lives in this thread lives on meanwhile. */
int
__wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
             const void *mask)
{
  static const struct timespec none;
  static const int errnos[] = {EINTR, ENOMEM, 0};
  if (shim_fails(&call_ppoll, errnos))
    return -1;
  if (!shim_clock_runs())
    return __real_ppoll(fds, n, timeout, mask);
  uint64_t end = timeout != NULL ? now + read_timespec(timeout) : UINT64_MAX;
  for (;;) {
    int ready = __real_ppoll(fds, n, &none, mask);
    if (ready != 0 || now >= end)
      return ready;
    enum shim_side side = shim_inside();
    shim_leave();
    bool lived = shim_meanwhile != NULL && shim_meanwhile();
    shim_enter(side);
    if (!lived && !shim_clock_jump(end))
      g_error("it sleeps, and nothing will ever wake it");
  }
}
