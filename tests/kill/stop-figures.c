/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What a stopped reader costs: a measurement, not a test
 *
 * A writer with four readers shows frames by the clock; in turns all four read, one of
 * them is stopped, and it has left. Prints how long publish takes, and how many frames
 * the other readers get. (A reader that is stopped is not woken, so publish takes less
 * than with four that read: what it is to be compared with are three.)
 *
 *   test-kill-stop-figures [SECONDS-OF-A-TURN [TURNS [FRAMES-PER-SECOND]]]
 *
 * All are put before other programs if that is allowed, so that it is the library that
 * is measured and not what else the machine does.
 */

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "shmvideo.h"
#include "shmvtest.h"

#define N_READERS 4
#define MAX_SAMPLES 4000000

enum { ALL, STOPPED, LEFT, WARM, N_PHASES };
#define N_MEASURED WARM

struct samples {
  _Atomic guint64 n;
  guint32 wall[MAX_SAMPLES], cpu[MAX_SAMPLES]; /* ns */
};

static struct shared {
  _Atomic int phase;
  atomic_bool over, leave;
  guint fps;
  _Atomic guint64 received[N_PHASES][N_READERS];
  struct samples samples[N_PHASES];
} *shared;

static const char *path;

static void
go_first(void)
{
  struct sched_param first = {.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &first);
}

/* ---- The writer ------------------------------------------------------------------- */

static guint64
cpu_now(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return (guint64)ts.tv_sec * 1000000000u + (guint64)ts.tv_nsec;
}

static void
note(guint64 wall, guint64 cpu)
{
  struct samples *samples = &shared->samples[atomic_load(&shared->phase)];
  guint64 n = atomic_load(&samples->n);
  if (n == MAX_SAMPLES)
    return;
  samples->wall[n] = (guint32)MIN(wall, G_MAXUINT32);
  samples->cpu[n] = (guint32)MIN(cpu, G_MAXUINT32);
  atomic_store(&samples->n, n + 1);
}

static void
show_one(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
  slot->data[0]++;
  guint64 wall = shmvtest_now(), cpu = cpu_now();
  g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
  note(shmvtest_now() - wall, cpu_now() - cpu);
}

static int
write_frames(int in, int out, void *user)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_NV12,
                                   .width = 1920, .height = 1080};
  struct shmvideo_writer *writer;
  config.path = path;
  go_first();
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==, 0);
  guint64 next = shmvtest_now();
  while (!atomic_load(&shared->over)) {
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
    show_one(writer);
    next += 1000000000u / shared->fps;
    struct timespec until = {.tv_sec = (time_t)(next / 1000000000u),
                             .tv_nsec = (long)(next % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  }
  shmvideo_writer_free(writer);
  return 0;
}

/* ---- The readers ------------------------------------------------------------------- */

static struct shmvideo_reader *
open_reader(void)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  config.path = path;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  return reader;
}

static void
read_one(struct shmvideo_reader *reader, guint i)
{
  const struct shmvideo_frame *frame;
  int code = shmvideo_reader_acquire(reader, &frame);
  if (code == SHMVIDEO_FRAME) {
    atomic_fetch_add(&shared->received[atomic_load(&shared->phase)][i], 1);
    shmvideo_frame_release(frame);
  } else if (code == SHMVIDEO_AGAIN) {
    shmvideo_reader_wait(reader, 100000000, -1);
  }
}

static int
read_frames(int in, int out, void *user)
{
  guint i = GPOINTER_TO_UINT(user);
  struct shmvideo_reader *reader = open_reader();
  go_first();
  while (!atomic_load(&shared->over)) {
    read_one(reader, i);
    if (i < N_READERS - 1 || !atomic_load(&shared->leave))
      continue;
    shmvideo_reader_free(reader);
    while (atomic_load(&shared->leave))
      shmvtest_poll(-1, 0, 10);
    reader = open_reader();
  }
  shmvideo_reader_free(reader);
  return 0;
}

/* ---- The measurement ------------------------------------------------------------------ */

static void
wait_seconds(double seconds)
{
  shmvtest_poll(-1, 0, (int)(1000 * seconds));
}

static int
compare(const void *a, const void *b)
{
  guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
  return (x > y) - (x < y);
}

static double
percentile(guint32 *values, guint64 n, double part)
{
  qsort(values, n, sizeof *values, compare);
  return n == 0 ? 0 : values[(guint64)(part * (double)(n - 1))] / 1000.0;
}

static void
print_times(const char *name, guint32 *(*which)(struct samples *samples))
{
  static const double parts[] = {0.5, 0.99, 0.999, 1};
  static const char *const words[] = {"p50", "p99", "p99.9", "max"};
  for (guint k = 0; k < G_N_ELEMENTS(parts); k++) {
    double us[N_MEASURED];
    for (guint phase = 0; phase < N_MEASURED; phase++) {
      struct samples *samples = &shared->samples[phase];
      us[phase] = percentile(which(samples), atomic_load(&samples->n), parts[k]);
    }
    printf("publish, %s, %-5s %9.1f us %9.1f us %9.1f us  %+6.1f %%\n", name,
           words[k], us[ALL], us[STOPPED], us[LEFT],
           100 * (us[STOPPED] / us[LEFT] - 1));
  }
}

static guint32 *
wall_of(struct samples *samples)
{
  return samples->wall;
}

static guint32 *
cpu_of(struct samples *samples)
{
  return samples->cpu;
}

static void
print_all(void)
{
  double n[N_MEASURED];
  for (guint phase = 0; phase < N_MEASURED; phase++)
    n[phase] = (double)atomic_load(&shared->samples[phase].n);
  printf("%-20s %12s %12s %12s  stopped to left\n", "the fourth reader", "reads",
         "is stopped", "has left");
  printf("%-20s %12.0f %12.0f %12.0f\n", "frames shown", n[0], n[1], n[2]);
  print_times("time", wall_of);
  print_times("CPU ", cpu_of);
  for (guint i = 0; i < N_READERS; i++) {
    double got[N_MEASURED];
    for (guint phase = 0; phase < N_MEASURED; phase++)
      got[phase] = 100 * (double)atomic_load(&shared->received[phase][i]) /
                   n[phase];
    printf("reader %u gets        %10.2f %%  %9.2f %%  %9.2f %%  %+6.1f %%\n", i,
           got[ALL], got[STOPPED], got[LEFT],
           i == N_READERS - 1 ? 0 : 100 * (got[STOPPED] / got[LEFT] - 1));
  }
}

static void
measure(struct shmvtest_child *stopped, double seconds, int turns)
{
  wait_seconds(1); /* until all are there */
  for (int i = 0; i < N_MEASURED * turns; i++) {
    int phase = (i / N_MEASURED) % 2 == 0 ? i % N_MEASURED
                                          : N_MEASURED - 1 - i % N_MEASURED;
    atomic_store(&shared->leave, phase == LEFT);
    if (phase == STOPPED)
      shmvtest_child_signal(stopped, SIGSTOP);
    wait_seconds(0.2); /* and until that is usual */
    atomic_store(&shared->phase, phase);
    wait_seconds(seconds);
    atomic_store(&shared->phase, WARM);
    if (phase == STOPPED)
      shmvtest_child_signal(stopped, SIGCONT);
  }
  atomic_store(&shared->leave, false);
}

static const char *const *arguments;
static int n_arguments;

static double
argument(int i, double otherwise)
{
  return i < n_arguments ? atof(arguments[i]) : otherwise;
}

static void
figures(void)
{
  struct shmvtest_child *readers[N_READERS];
  path = shmvtest_path("share");
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true(shared != MAP_FAILED);
  shared->phase = WARM;
  shared->fps = (guint)argument(3, 1000);
  struct shmvtest_child *writer = shmvtest_fork(write_frames, NULL);
  for (guint i = 0; i < N_READERS; i++)
    readers[i] = shmvtest_fork(read_frames, GUINT_TO_POINTER(i));
  measure(readers[N_READERS - 1], argument(1, 2), (int)argument(2, 4));
  atomic_store(&shared->over, true);
  for (guint i = 0; i < N_READERS; i++) {
    g_assert_cmpint(shmvtest_child_wait(readers[i], shmvtest_deadline()), ==, 0);
    shmvtest_child_free(readers[i]);
  }
  g_assert_cmpint(shmvtest_child_wait(writer, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(writer);
  print_all();
  munmap(shared, sizeof *shared);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  arguments = (const char *const *)argv;
  n_arguments = argc;
  shmvtest_add("/kill/stop-figures", figures);
  return shmvtest_run();
}
