/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the attacks cost: a table. A writer shows 200 frames a second, an honest reader
 * takes them on a thread of its own, and each attack goes on for a second or as many as
 * SHMVIDEO_SECONDS says. Frames shown, received and skipped; the mean and the longest
 * time of taking and showing a frame; what of one processor the writer's control thread
 * had, and the attacker's. It judges nothing but that frames arrive.
 */

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hostile-writer.h"

#define RATE 200u

struct reading {
  struct victim *victim;
  guint64 received, skipped;
  gint stop;
};

static gpointer
read_frames(gpointer data)
{
  struct reading *reading = data;
  const struct shmvideo_frame *frame;
  while (!g_atomic_int_get(&reading->stop)) {
    int code = shmvideo_reader_acquire(reading->victim->honest, &frame);
    g_assert_cmpint(code, >=, 0);
    if (code == SHMVIDEO_FRAME) {
      reading->received++;
      reading->skipped += frame->skipped;
      shmvideo_frame_release(frame);
    } else if (code == SHMVIDEO_AGAIN) {
      shmvideo_reader_wait(reading->victim->honest, 50000000, -1);
    }
  }
  return NULL;
}

struct storming {
  struct attacker *attacker;
  guint64 cpu; /* ns */
};

static guint64
cpu_of(clockid_t clock)
{
  struct timespec ts;
  clock_gettime(clock, &ts);
  return (guint64)ts.tv_sec * 1000000000u + (guint64)ts.tv_nsec;
}

static gpointer
storm(gpointer data)
{
  struct storming *storming = data;
  while (!g_atomic_int_get(&storming->attacker->stop)) {
    storming->attacker->attack->storm(storming->attacker);
    g_atomic_int_inc(&storming->attacker->turns);
  }
  storming->cpu = cpu_of(CLOCK_THREAD_CPUTIME_ID);
  return NULL;
}

static clockid_t
clock_of_control(struct writing *writing)
{
  clockid_t clock;
  g_assert_cmpint(pthread_getcpuclockid(writing->control, &clock), ==, 0);
  return clock;
}

static void
measure(const struct attack *attack, double seconds)
{
  struct writing writing;
  struct attacker attacker;
  struct storming storming = {.attacker = &attacker};
  struct reading reading = {.victim = &writing.victim};
  GThread *storm_thread = NULL;
  guint64 sum = 0, longest = 0, n = 0;
  writing_start(&writing, "share");
  victim_join(&writing.victim, false);
  GThread *reader = g_thread_new("reader", read_frames, &reading);
  clockid_t control = clock_of_control(&writing);
  hostile_begin(&attacker, &writing.victim, attack);
  if (attack->storm != NULL)
    storm_thread = g_thread_new("storm", storm, &storming);
  guint64 start = shmvtest_now(), cpu = cpu_of(control);
  while (shmvtest_now() - start < (guint64)(seconds * 1e9)) {
    guint64 due = start + n * 1000000000u / RATE, now = shmvtest_now();
    if (due > now)
      g_usleep((due - now) / 1000);
    now = shmvtest_now();
    writing.victim.show(&writing.victim, 0);
    guint64 spent = shmvtest_now() - now;
    sum += spent;
    longest = MAX(longest, spent);
    n++;
    attacker.round++;
    if (attack->between != NULL)
      attack->between(&attacker);
  }
  double elapsed = (double)(shmvtest_now() - start);
  double control_share = 100 * (double)(cpu_of(control) - cpu) / elapsed;
  g_atomic_int_set(&attacker.stop, 1);
  if (storm_thread != NULL)
    g_thread_join(storm_thread);
  g_atomic_int_set(&reading.stop, 1);
  g_thread_join(reader);
  hostile_withdraw(&attacker);
  printf("# %-40s %6d %6d %5d %8.1f %8.1f %6.1f %6.1f\n", attack->name, (int)n,
         (int)reading.received, (int)reading.skipped,
         (double)sum / 1e3 / (double)n, (double)longest / 1e3, control_share,
         100 * (double)storming.cpu / elapsed);
  g_assert_cmpuint(reading.received, >, 0);
  writing_stop_dispatching(&writing);
  writing_stop(&writing);
}

static void
table(void)
{
  static const struct attack none = {.name = "none"};
  const struct attack *lists[] = {hostile_messages, hostile_pages,
                                  hostile_crowds};
  const char *text = g_getenv("SHMVIDEO_SECONDS");
  double seconds = text != NULL ? atof(text) : 1;
  printf("# %-40s %6s %6s %5s %8s %8s %6s %6s\n", "", "shown", "got", "miss",
         "mean us", "most us", "cpu %", "his %");
  measure(&none, seconds);
  for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
    for (const struct attack *attack = lists[i]; attack->name != NULL; attack++)
      if (attack->storm != NULL || lists[i] != hostile_messages)
        measure(attack, seconds);
  measure(&none, seconds);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/hostile-rate/table", table);
  return shmvtest_run();
}
