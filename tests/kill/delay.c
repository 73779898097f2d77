/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#define SHMV_TEST_POINTS
#include "delay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "testpoint.h"

/* Between two delays, and one of them at most, us. */
#define MAX_PAUSE 1500
#define MAX_DELAY 400

/* In the middle of a step: some frames come and go. */
#define MAX_LONG_DELAY 10000

static gboolean started;
static int schedstat_fd = -1;
static guint32 chance;
static struct delay_time injected; /* all so far */

/* Also from the signal handler, which may make two in a row alike: that is all. */
guint
delay_random(guint n)
{
  chance = chance * 1664525u + 1013904223u;
  return (guint)(((guint64)(chance >> 8) * n) >> 24);
}

static gint64
clock_ns(clockid_t clock)
{
  struct timespec ts;
  clock_gettime(clock, &ts);
  return (gint64)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* All of it, delays and all. "CPU RUN-DELAY SLICES": the second is how long it was
 * ready and waited for a processor. */
static struct delay_time
take_all(void)
{
  char text[64];
  ssize_t n = pread(schedstat_fd, text, sizeof text - 1, 0);
  gint64 wall = clock_ns(CLOCK_MONOTONIC);
  gint64 cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  char *end = text;
  if (n <= 0)
    abort();
  text[n] = '\0';
  strtoll(text, &end, 10);
  gint64 own = wall - strtoll(end, NULL, 10);
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return (struct delay_time){
      .own = own, .idle = own - cpu, .sleeps = usage.ru_nvcsw};
}

struct delay_time
delay_take(void)
{
  struct delay_time all, before;
  do { /* a delay in between would be counted by halves */
    before = injected;
    all = take_all();
  } while (*(volatile gint64 *)&injected.own != before.own);
  all.own -= before.own;
  all.idle -= before.idle;
  all.sleeps -= before.sleeps;
  return all;
}

void
delay_now(guint max_us)
{
  sigset_t alarm, mask;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarm, &mask); /* none in the middle of another */
  struct delay_time before = take_all();
  gint64 us = delay_random(max_us), end = before.own + 250 * us;
  switch (delay_random(8)) {
    case 0: /* for less long: others want the processor too */
      while (take_all().own < end)
        ;
      break;
    case 1:
    case 2:
      sched_yield();
      break;
    case 3:
    case 4:
      usleep((useconds_t)us + 1);
      break;
    default:
      break;
  }
  struct delay_time after = take_all();
  injected.own += after.own - before.own;
  injected.idle += after.idle - before.idle;
  injected.sleeps += after.sleeps - before.sleeps;
  sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void
set_timer(guint us)
{
  struct itimerval time = {.it_value = {.tv_usec = us}};
  setitimer(ITIMER_REAL, &time, NULL);
}

static void
interrupt(int signal)
{
  int code = errno;
  (void)signal;
  delay_now(MAX_DELAY);
  set_timer(1 + delay_random(MAX_PAUSE));
  errno = code;
}

void
shmv_test_point(const char *name)
{
  (void)name;
  if (started && delay_random(4) == 0)
    delay_now(delay_random(8) == 0 ? MAX_LONG_DELAY : MAX_DELAY);
}

void
delay_start(guint32 seed)
{
  struct sigaction action = {.sa_handler = interrupt};
  chance = seed;
  if (delay_random(2) == 0)
    action.sa_flags = (int)SA_RESTART;
  schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (schedstat_fd < 0)
    abort();
  sigaction(SIGALRM, &action, NULL);
  started = TRUE;
  set_timer(1 + delay_random(MAX_PAUSE));
}

void
delay_stop(void)
{
  set_timer(0);
  started = FALSE;
  close(schedstat_fd);
}
