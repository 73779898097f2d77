/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Many writers start at once on one path
 *
 * Exactly one must win, be reachable from the instant it says so, and be named to
 * all others; also from a stale socket, with random delays between the steps, and
 * with claimants that are killed between them. The same race shows that a claim
 * without a lock (probe, unlink, bind) fails it: so the race can be lost.
 *
 * SHMVIDEO_RACE_PROCESSES and SHMVIDEO_RACE_ROUNDS make it longer (200 and 40).
 */

#define SHMV_TEST_POINTS
#include "rendezvous.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testpoint.h"

typedef int (*claim_func)(const char *text, mode_t perms,
                          struct shmv_listener *out,
                          struct shmvideo_error *out_error);

struct race {
  claim_func claim;
  const char *path;
  unsigned max_delay_us; /* at each point; 0: none */
  unsigned deaths;       /* of 100 claimants at each point */
};

/* What one claimant says. */
struct report {
  pid_t pid;
  int code;
  pid_t blamed; /* who has the path, as the error says */
};

/* What went wrong in one round. */
struct verdict {
  unsigned winners;
  unsigned unreachable; /* a winner whom its path does not lead to */
  unsigned wrong;       /* refusals for another reason, or naming another */
  unsigned busy;        /* gave up waiting for the lock */
  unsigned died;
};

static struct race *running; /* in a claimant only */
static unsigned chance;

static unsigned
random_below(unsigned limit)
{
  chance = chance * 1664525u + 1013904223u;
  return (chance >> 8) % limit;
}

void
shmv_test_point(const char *name)
{
  (void)name;
  if (running == NULL)
    return;
  if (running->deaths > 0 && random_below(100) < running->deaths)
    kill(getpid(), SIGKILL);
  if (running->max_delay_us > 0)
    usleep(random_below(running->max_delay_us));
}

/* ---- A claim that is wrong ----------------------------------------------- */

/* What many programs do. */
static int
claim_naively(const char *text, mode_t perms, struct shmv_listener *out,
              struct shmvideo_error *out_error)
{
  (void)perms;
  memset(out_error, 0, sizeof *out_error);
  int probe = connect_to(text, out_error);
  if (probe >= 0) {
    struct shmv_peer_id peer;
    g_assert_cmpint(shmv_socket_peer(probe, &peer), ==, 0);
    out_error->pid = peer.pid;
    return -EADDRINUSE;
  }
  shmv_test_point("probed");
  unlink(text);
  shmv_test_point("unlinked");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, text, sizeof address.sun_path - 1);
  out->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (bind(out->fd, (struct sockaddr *)&address, sizeof address) < 0)
    return -errno;
  shmv_test_point("bound");
  g_assert_cmpint(listen(out->fd, SOMAXCONN), ==, 0);
  return 0;
}

/* ---- One round ----------------------------------------------------------- */

struct pipes {
  int start[2];  /* closed: go */
  int report[2]; /* closed by a claimant that is done */
  int stop[2];   /* closed: winners leave */
};

static void
wait_for_end(int fd)
{
  char c;
  while (read(fd, &c, 1) != 0)
    ;
}

static void
compete(struct race *race, struct pipes *pipes, pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  close(pipes->start[1]);
  close(pipes->report[0]);
  close(pipes->stop[1]);
  chance = (unsigned)getpid() * 2654435761u;
  struct shmv_listener listener;
  struct shmvideo_error error;
  wait_for_end(pipes->start[0]);
  running = race;
  struct report report = {.pid = getpid()};
  report.code = race->claim(race->path, 0600, &listener, &error);
  report.blamed = error.pid;
  running = NULL;
  if (write(pipes->report[1], &report, sizeof report) != sizeof report)
    _exit(1);
  close(pipes->report[1]);
  if (report.code == 0) {
    wait_for_end(pipes->stop[0]);
    if (race->claim == claim)
      shmv_listener_close(&listener);
  }
  _exit(0);
}

/* Whether the path leads to the process. */
static bool
leads_to(const char *path, pid_t pid)
{
  struct shmvideo_error error;
  struct shmv_peer_id peer = {.pid = 0, .pidfd = -1};
  int fd = connect_to(path, &error);
  if (fd < 0)
    return false;
  g_assert_cmpint(shmv_socket_peer(fd, &peer), ==, 0);
  close(peer.pidfd);
  close(fd);
  return peer.pid == pid;
}

/* Everyone's reports, as they come; a winner is looked for at once. */
static struct verdict
judge(const struct race *race, int reports, unsigned n_processes)
{
  struct verdict verdict = {0};
  struct report *all = g_new0(struct report, n_processes);
  pid_t winner = 0;
  unsigned n = 0;
  for (;;) {
    struct report report;
    if (shmvtest_poll(reports, POLLIN, shmvtest_deadline()) == 0)
      g_error("claimants hang");
    ssize_t size = read(reports, &report, sizeof report);
    if (size == 0)
      break;
    g_assert_cmpint(size, ==, sizeof report);
    g_assert_cmpuint(n, <, n_processes);
    all[n++] = report;
    if (report.code != 0)
      continue;
    winner = report.pid;
    verdict.winners++;
    verdict.unreachable += !leads_to(race->path, winner);
  }
  /* And still does, now that all have tried. */
  verdict.unreachable += winner != 0 && !leads_to(race->path, winner);
  for (unsigned i = 0; i < n; i++) {
    bool busy = all[i].code == -EBUSY;
    bool fair = all[i].code == -EADDRINUSE && all[i].blamed == winner;
    /* The winner may have been killed before it could say so. */
    bool dead = race->deaths > 0 && all[i].code == -EADDRINUSE;
    verdict.busy += busy;
    verdict.wrong += all[i].code != 0 && !busy && !fair && !dead;
  }
  verdict.died = n_processes - n;
  g_free(all);
  return verdict;
}

static struct verdict
run_round(struct race *race, unsigned n_processes)
{
  struct pipes pipes;
  pid_t *pids = g_new0(pid_t, n_processes);
  pid_t parent = getpid();
  g_assert_cmpint(pipe2(pipes.start, O_CLOEXEC), ==, 0);
  g_assert_cmpint(pipe2(pipes.report, O_CLOEXEC), ==, 0);
  g_assert_cmpint(pipe2(pipes.stop, O_CLOEXEC), ==, 0);
  for (unsigned i = 0; i < n_processes; i++) {
    pids[i] = fork();
    g_assert_cmpint(pids[i], >=, 0);
    if (pids[i] == 0)
      compete(race, &pipes, parent);
  }
  close(pipes.report[1]);
  close(pipes.start[0]);
  close(pipes.stop[0]);
  close(pipes.start[1]);
  struct verdict verdict = judge(race, pipes.report[0], n_processes);
  /* The winner, alive or not, decides what the next one finds. */
  if (race->deaths > 0 && verdict.winners == 1)
    expect_refusal(race->path, -EADDRINUSE, race->path, NULL);
  close(pipes.stop[1]);
  close(pipes.report[0]);
  for (unsigned i = 0; i < n_processes; i++)
    g_assert_cmpint(waitpid(pids[i], NULL, 0), ==, pids[i]);
  g_free(pids);
  return verdict;
}

/* ---- Races --------------------------------------------------------------- */

static unsigned
setting(const char *name, unsigned otherwise)
{
  const char *text = g_getenv(name);
  return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

/* Odd rounds begin with a stale socket. */
static void
run_race(struct race race)
{
  unsigned n_processes = setting("SHMVIDEO_RACE_PROCESSES", 40);
  unsigned n_rounds = setting("SHMVIDEO_RACE_ROUNDS", 6);
  unsigned busy = 0, died = 0, without = 0;
  race.path = shmvtest_path("camera");
  guint64 start = shmvtest_now();
  for (unsigned round = 0; round < n_rounds; round++) {
    if (round % 2 == 1)
      close(foreign_listener(race.path, SOCK_SEQPACKET, 1));
    struct verdict verdict = run_round(&race, n_processes);
    g_assert_cmpuint(verdict.winners, <=, 1);
    g_assert_cmpuint(verdict.unreachable, ==, 0);
    g_assert_cmpuint(verdict.wrong, ==, 0);
    if (race.deaths == 0) {
      g_assert_cmpuint(verdict.winners, ==, 1);
      g_assert_cmpuint(verdict.died, ==, 0);
    }
    if (race.max_delay_us == 0)
      g_assert_cmpuint(verdict.busy, ==, 0);
    busy += verdict.busy;
    died += verdict.died;
    without += verdict.winners == 0;
    /* Whoever died where: the next claim works, and nothing is left after it. */
    if (race.deaths > 0)
      expect_success(race.path);
    char *names = list(shmvtest_dir());
    g_assert_cmpstr(names, ==, "");
    g_free(names);
  }
  if (race.deaths > 0 && n_processes * n_rounds >= 200)
    g_assert_cmpuint(died, >, 0);
  g_test_message("%u processes, %u rounds, %.1f s: one winner in %u, none in %u; "
                 "%u killed, %u gave up waiting", n_processes, n_rounds,
                 (double)(shmvtest_now() - start) / 1e9, n_rounds - without,
                 without, died, busy);
}

static void
plain(void)
{
  run_race((struct race){.claim = claim});
}

static void
delayed(void)
{
  run_race((struct race){.claim = claim, .max_delay_us = 3000});
}

static void
killed(void)
{
  run_race((struct race){.claim = claim, .deaths = 50});
}

static void
killed_and_delayed(void)
{
  run_race((struct race){.claim = claim, .deaths = 20, .max_delay_us = 3000});
}

/* Two winners, or one whose path leads elsewhere, within a few rounds. */
static void
naive(void)
{
  struct race race = {.claim = claim_naively, .max_delay_us = 3000};
  race.path = shmvtest_path("camera");
  unsigned failed = 0, rounds;
  for (rounds = 0; failed == 0 && rounds < 100; rounds++) {
    close(foreign_listener(race.path, SOCK_SEQPACKET, 1));
    struct verdict verdict = run_round(&race, 20);
    failed += verdict.winners != 1 || verdict.unreachable > 0;
    unlink(race.path);
  }
  g_test_message("the naive claim fails after %u rounds of 20", rounds);
  g_assert_cmpuint(failed, >, 0);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/claim-race/one-of-many-wins-and-is-reachable", plain);
  shmvtest_add("/claim-race/also-with-delays-between-the-steps", delayed);
  shmvtest_add("/claim-race/the-killed-leave-nothing-in-the-way", killed);
  shmvtest_add("/claim-race/nor-with-delays", killed_and_delayed);
  shmvtest_add("/claim-race/a-claim-without-a-lock-fails-this", naive);
  return shmvtest_run();
}
