/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Death at random
 *
 * Two writers that want the same path and four readers of it, all doing what they
 * can at random (storm.h), are killed at random instants and replaced: in turns the
 * readers of one writer that lives, one that waits for lossless readers, the writers
 * of two readers that live, and all. Nobody may see a torn frame, find no slot, or
 * wait for a dead one; in the end the living have what they had in the beginning,
 * and the path has no trace of the dead.
 *
 * SHMVIDEO_STORM_SECONDS, or SHMVIDEO_STORM_KILLS if that is set, say how long;
 * SHMVIDEO_KILL_SEED chooses another storm.
 */

#include "storm.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "shmvideo.h"
#include "survivors.h"

#define N_WRITERS 2
#define N_SEATS 6

/* Kills in one era at most: then it is looked what is left. */
#define ERA 5000

enum fate { ABSENT, MORTAL, IMMORTAL };

static const struct era {
  const char *name;
  enum fate writers[N_WRITERS], readers[N_SEATS - N_WRITERS];
  bool backpressure;
} eras[] = {
    {"readers", {IMMORTAL, ABSENT}, {MORTAL, MORTAL, MORTAL, MORTAL}, false},
    {"writers", {MORTAL, MORTAL}, {IMMORTAL, IMMORTAL, ABSENT, ABSENT}, false},
    {"readers waited for", {IMMORTAL, ABSENT}, {MORTAL, MORTAL, MORTAL, MORTAL},
     true},
    {"all", {MORTAL, MORTAL}, {MORTAL, MORTAL, MORTAL, MORTAL}, true},
    {"writers waiting", {MORTAL, MORTAL}, {IMMORTAL, IMMORTAL, MORTAL, ABSENT},
     true}};

static struct storm *storm;
static GRand *chance;
static guint64 n_killed[2]; /* readers, writers */

struct seat {
  guint number;
  enum fate fate;
  guint32 seed;
  struct shmvtest_child *child;
};

/* ---- Seats ------------------------------------------------------------------------- */

static int
sit(int in, int out, void *user)
{
  const struct seat *seat = user;
  (seat->number < N_WRITERS ? storm_write : storm_read)(
      storm, seat->seed, seat->fate == IMMORTAL);
  return 0;
}

static void
fill_seat(struct seat *seat)
{
  seat->seed = g_rand_int(chance);
  seat->child = shmvtest_fork(sit, seat);
}

static void
empty_seat(struct seat *seat, int expected)
{
  int code = shmvtest_child_wait(seat->child, 3 * shmvtest_deadline());
  if (code != expected)
    g_error("process %d (%s %u, seed %u) ended with %d", seat->child->pid,
            seat->number < N_WRITERS ? "writer" : "reader", seat->number,
            seat->seed, code);
  shmvtest_child_free(seat->child);
  seat->child = NULL;
}

static void
kill_seat(struct seat *seat)
{
  kill(seat->child->pid, SIGKILL);
  empty_seat(seat, 128 + SIGKILL);
}

/* ---- Eras ---------------------------------------------------------------------------- */

static void
pause_us(gint us)
{
  struct timespec time = {.tv_nsec = (long)us * 1000};
  nanosleep(&time, NULL); /* the instant is to be random */
}

/* How many were killed. */
static guint64
rage(struct seat *seats, guint64 kills, guint64 end)
{
  struct seat *mortals[N_SEATS];
  guint64 n = 0;
  gint n_mortals = 0;
  for (guint i = 0; i < N_SEATS; i++)
    if (seats[i].fate == MORTAL)
      mortals[n_mortals++] = &seats[i];
  while (n < kills && shmvtest_now() < end) {
    static const gint means[] = {100, 500, 2000, 5000};
    gint mean = means[g_rand_int_range(chance, 0, G_N_ELEMENTS(means))];
    for (guint i = 0; i < 50 && n < kills && shmvtest_now() < end; i++, n++) {
      struct seat *seat = mortals[g_rand_int_range(chance, 0, n_mortals)];
      pause_us(g_rand_int_range(chance, 0, 2 * mean));
      if (g_rand_int_range(chance, 0, 8) == 0) { /* while the others go on */
        kill(seat->child->pid, SIGSTOP);
        gint most = g_rand_int_range(chance, 0, 8) == 0 ? 60000 : 5000;
        pause_us(g_rand_int_range(chance, 0, most));
      }
      kill_seat(seat);
      fill_seat(seat);
      n_killed[seat->number < N_WRITERS]++;
    }
  }
  return n;
}

/* The path is free, whatever the dead left there, and their names go with them. */
static void
check_path(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_writer *writer;
  struct shmvideo_error error = {0};
  config.path = storm->path;
  if (shmvideo_writer_new(&config, &error, &writer) < 0)
    g_error("%s", error.message);
  survivors_expect_files("share");
  shmvideo_writer_free(writer);
  survivors_expect_files("");
}

static guint64
run_era(const struct era *era, guint64 kills, guint64 end)
{
  struct seat seats[N_SEATS];
  atomic_store(&storm->quiet, false);
  storm->backpressure = era->backpressure;
  for (guint i = 0; i < N_SEATS; i++) {
    seats[i] = (struct seat){.number = i};
    seats[i].fate = i < N_WRITERS ? era->writers[i] : era->readers[i - N_WRITERS];
    if (seats[i].fate != ABSENT)
      fill_seat(&seats[i]);
  }
  guint64 n = rage(seats, kills, end);
  for (guint i = 0; i < N_SEATS; i++)
    if (seats[i].fate == MORTAL)
      kill_seat(&seats[i]);
  atomic_store(&storm->quiet, true);
  for (guint i = 0; i < N_SEATS; i++)
    if (seats[i].fate == IMMORTAL)
      empty_seat(&seats[i], 0);
  check_path();
  return n;
}

/* ---- The storm ------------------------------------------------------------------------ */

#define N(word) ((unsigned long long)atomic_load(&storm->word))

static void
tell(void)
{
  static const char *const names[] = {"dispatch", "set_format", "acquire",
                                      "publish", "release", "end",
                                      "acquire_wait"};
  g_test_message("%llu frames shown, %llu looked at, %llu formats, %llu losses, "
                 "%llu ends, %llu demotions; writers opened %llu times, and found "
                 "another %llu times; readers opened %llu times",
                 N(shown), N(looked_at), N(formats), N(lost), N(ends), N(demoted),
                 N(opened), N(found_another), N(connected));
  for (guint i = 0; i < STORM_N_CALLS; i++)
    g_test_message("%s: %llu calls; longest %.3f ms (%llu longer than a frame), "
                   "busy for %.3f ms (%llu), asleep for %.3f ms (%llu)",
                   names[i], N(calls[i].n), (double)N(calls[i].longest) / 1e6,
                   N(calls[i].n_long), (double)N(calls[i].most_busy) / 1e6,
                   N(calls[i].n_busy), (double)N(calls[i].most_asleep) / 1e6,
                   N(calls[i].n_asleep));
}

static void
all_storms(void)
{
  guint64 kills = survivors_setting("SHMVIDEO_STORM_KILLS", 0);
  guint64 seconds = survivors_setting("SHMVIDEO_STORM_SECONDS", 20);
  guint32 seed = (guint32)survivors_setting("SHMVIDEO_KILL_SEED", 1);
  guint64 per_era = kills == 0 ? G_MAXUINT64
                               : MIN(kills / G_N_ELEMENTS(eras) + 1, ERA);
  guint64 start = shmvtest_now(), n = 0, killed[G_N_ELEMENTS(eras)] = {0};
  storm = mmap(NULL, sizeof *storm, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true(storm != MAP_FAILED);
  g_strlcpy(storm->path, shmvtest_path("share"), sizeof storm->path);
  chance = g_rand_new_with_seed(seed);
  for (guint i = 0; kills > 0 ? n < kills : i < G_N_ELEMENTS(eras); i++) {
    guint k = i % G_N_ELEMENTS(eras);
    guint64 end = kills > 0 ? G_MAXUINT64
                            : start + (i + 1) * (seconds * 1000000000u) /
                                          G_N_ELEMENTS(eras);
    guint64 now = run_era(&eras[k], per_era, end);
    killed[k] += now;
    n += now;
  }
  for (guint k = 0; k < G_N_ELEMENTS(eras); k++) {
    g_test_message("%s: %" G_GUINT64_FORMAT " killed", eras[k].name, killed[k]);
    g_assert_cmpuint(killed[k], >, 0);
  }
  g_test_message("%" G_GUINT64_FORMAT " killed (%" G_GUINT64_FORMAT " readers, %"
                 G_GUINT64_FORMAT " writers) in %.1f s, seed %u", n, n_killed[0],
                 n_killed[1], (double)(shmvtest_now() - start) / 1e9, seed);
  tell();
  for (guint i = 0; i < STORM_N_CALLS; i++) {
    g_assert_cmpuint(N(calls[i].n), >, 0);
    if (i != STORM_WAIT) /* which is to */
      g_assert_cmpuint(N(calls[i].n_asleep), ==, 0);
  }
  g_assert_cmpuint(N(looked_at), >, 0);
  g_assert_cmpuint(N(lost), >, 0);
  g_rand_free(chance);
  munmap(storm, sizeof *storm);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/kill/storm", all_storms);
  return shmvtest_run();
}
