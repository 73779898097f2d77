/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "step.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "survivors.h"

/* Nothing that is stepped takes longer (s); the test program ends then. */
#define PATIENCE 60

void
step_ready(void)
{
  raise(SIGSTOP);
}

#if defined(__x86_64__)

/* ---- Where code is ----------------------------------------------------------- */

/* Victims are forked, so code is where it is in this process. */
enum place { ELSEWHERE, PROGRAM, LIBRARY };

static struct range {
  guint64 begin, end;
  enum place place;
} ranges[8];
static guint n_ranges;

static void
find_ranges(void)
{
  char *maps = NULL, *program = g_file_read_link("/proc/self/exe", NULL);
  g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
  char **lines = g_strsplit(maps, "\n", -1);
  gboolean found = FALSE;
  for (char **line = lines; *line != NULL; line++) {
    struct range range = {.place = ELSEWHERE};
    if (sscanf(*line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x r-xp",
               &range.begin, &range.end) != 2 || strstr(*line, " r-xp ") == NULL)
      continue;
    if (strstr(*line, "/libshmvideo.so") != NULL)
      range.place = LIBRARY;
    else if (g_str_has_suffix(*line, program))
      range.place = PROGRAM;
    found |= range.place == LIBRARY;
    if (range.place == ELSEWHERE)
      continue;
    g_assert_cmpuint(n_ranges, <, G_N_ELEMENTS(ranges));
    ranges[n_ranges++] = range;
  }
  g_assert_true(found);
  g_strfreev(lines);
  g_free(program);
  g_free(maps);
}

static enum place
place_of(guint64 address)
{
  for (guint i = 0; i < n_ranges; i++)
    if (address >= ranges[i].begin && address < ranges[i].end)
      return ranges[i].place;
  return ELSEWHERE;
}

/* ---- One step ------------------------------------------------------------------ */

static guint64
peek(pid_t pid, guint64 address)
{
  errno = 0;
  long word = ptrace(PTRACE_PEEKDATA, pid, (void *)address, NULL);
  g_assert_cmpint(errno, ==, 0);
  return (guint64)word;
}

static void
poke(pid_t pid, guint64 address, guint64 word)
{
  g_assert_cmpint(ptrace(PTRACE_POKEDATA, pid, (void *)address, (void *)word), ==,
                  0);
}

static guint64
instruction_pointer(pid_t pid)
{
  errno = 0;
  long rip = ptrace(PTRACE_PEEKUSER, pid,
                    (void *)offsetof(struct user_regs_struct, rip), NULL);
  g_assert_cmpint(errno, ==, 0);
  return (guint64)rip;
}

/* Let it go on in this way: the signal that stopped it. */
static int
resume(pid_t pid, int how)
{
  int status;
  g_assert_cmpint(ptrace(how, pid, NULL, NULL), ==, 0);
  while (waitpid(pid, &status, 0) < 0)
    g_assert_cmpint(errno, ==, EINTR);
  if (!WIFSTOPPED(status))
    g_error("victim %d ended by itself, status %#x", pid, status);
  return WSTOPSIG(status);
}

/* Let it go on to this address: SIGTRAP, or what else stopped it. */
static int
run_to(pid_t pid, guint64 address)
{
  struct user_regs_struct regs;
  guint64 word = peek(pid, address);
  poke(pid, address, (word & ~(guint64)0xff) | 0xcc);
  int signal = resume(pid, PTRACE_CONT);
  poke(pid, address, word);
  g_assert_cmpint(ptrace(PTRACE_GETREGS, pid, NULL, &regs), ==, 0);
  if (signal == SIGTRAP && regs.rip == address + 1) {
    regs.rip = address;
    g_assert_cmpint(ptrace(PTRACE_SETREGS, pid, NULL, &regs), ==, 0);
  }
  return signal;
}

/* Calls out of what is stepped are made in one go, if they come back. */
static int
step_over(pid_t pid)
{
  struct user_regs_struct regs;
  g_assert_cmpint(ptrace(PTRACE_GETREGS, pid, NULL, &regs), ==, 0);
  guint64 back = peek(pid, regs.rsp);
  return place_of(back) != ELSEWHERE ? run_to(pid, back) : SIGTRAP;
}

/* Where a victim came by. */
struct place_on_way {
  guint64 address;
  guint times;    /* that it was come to, this one too */
  guint landmark; /* the last place up to this one that was not come to often */
};

/* From done instructions to n, or its next stop. How many are done then; their
 * addresses, if asked for. */
static guint64
step(pid_t pid, guint64 done, guint64 n, GArray *trace)
{
  gboolean all = survivors_setting("SHMVIDEO_KILL_ALL", 0) != 0;
  while (done < n) {
    guint64 at = instruction_pointer(pid);
    enum place before = place_of(at);
    int signal = resume(pid, PTRACE_SINGLESTEP);
    if (before == LIBRARY || (all && before == ELSEWHERE)) {
      done++;
      struct place_on_way here = {.address = at};
      if (trace != NULL)
        g_array_append_val(trace, here);
    }
    if (signal == SIGTRAP && before != ELSEWHERE && !all &&
        place_of(instruction_pointer(pid)) == ELSEWHERE)
      signal = step_over(pid);
    if (signal == SIGSTOP)
      break;
    if (signal != SIGTRAP)
      g_error("victim %d got signal %d after %" G_GUINT64_FORMAT, pid, signal,
              done);
  }
  return done;
}

/* ---- The way of the first ------------------------------------------------------- */

/* A step takes 20 us, so those behind the first victim run up to the last place
 * before theirs that it had not come to often, and are stepped from there. */
#define OFTEN 8

static GArray *way; /* of the first: its instructions */

static void
find_landmarks(void)
{
  GHashTable *times = g_hash_table_new(g_int64_hash, g_int64_equal);
  guint landmark = 0;
  for (guint i = 0; i < way->len; i++) {
    struct place_on_way *place = &g_array_index(way, struct place_on_way, i);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(times, &place->address));
    g_hash_table_insert(times, &place->address, GUINT_TO_POINTER(n + 1));
    place->times = n + 1;
    if (place->times <= OFTEN && place_of(place->address) == LIBRARY)
      landmark = i;
    place->landmark = landmark;
  }
  g_hash_table_unref(times);
}

/* n instructions from its present stop. How many were done: less if it came to its
 * next stop, which is its end. */
static guint64
go(pid_t pid, guint64 n)
{
  guint i = (guint)MIN(n, way->len - 1);
  i = g_array_index(way, struct place_on_way, i).landmark;
  const struct place_on_way *place = &g_array_index(way, struct place_on_way, i);
  for (guint time = 1; time <= place->times; time++) {
    int signal = run_to(pid, place->address);
    if (signal == SIGTRAP && time < place->times)
      signal = resume(pid, PTRACE_SINGLESTEP);
    if (signal == SIGSTOP)
      return i; /* it did not come that way */
    g_assert_cmpint(signal, ==, SIGTRAP);
  }
  return step(pid, i, n, NULL);
}

/* ---- One victim ---------------------------------------------------------------- */

static int
be_victim(int in, int out, void *user)
{
  const struct step_scenario *scenario = user;
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
    return 1;
  scenario->victim(scenario->user);
  step_ready();
  return 2; /* it was to be dead */
}

static void
too_long(int signal)
{
  g_error("a victim was stepped for more than %d s", PATIENCE);
}

/* A victim that has come to where the stepping begins. */
static struct shmvtest_child *
start_victim(const struct step_scenario *scenario)
{
  int status;
  if (scenario->before != NULL)
    scenario->before();
  struct shmvtest_child *child = shmvtest_fork(be_victim, (void *)scenario);
  while (waitpid(child->pid, &status, 0) < 0)
    g_assert_cmpint(errno, ==, EINTR);
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
    g_error("victim %d ended before it was ready, status %#x", child->pid, status);
  for (guint stop = 0; stop < scenario->n_stops; stop++) {
    scenario->arrange(stop);
    g_assert_cmpint(resume(child->pid, PTRACE_CONT), ==, SIGSTOP);
  }
  return child;
}

static void
end_victim(const struct step_scenario *scenario, struct shmvtest_child *child)
{
  shmvtest_child_signal(child, SIGKILL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==,
                  128 + SIGKILL);
  shmvtest_child_free(child);
  scenario->after();
}

/* Where it ends: false if it came to its end before. */
static gboolean
kill_after(const struct step_scenario *scenario, guint64 n)
{
  alarm(PATIENCE);
  struct shmvtest_child *child = start_victim(scenario);
  guint64 done = go(child->pid, n);
  end_victim(scenario, child);
  alarm(0);
  return done == n;
}

/* Now and then one comes another way: the next will not. */
static gboolean
try_to_kill_after(const struct step_scenario *scenario, guint64 n)
{
  for (guint tries = 0; tries < 3; tries++)
    if (kill_after(scenario, n))
      return TRUE;
  return FALSE;
}

/* The first shows the others the way. */
static void
kill_first(const struct step_scenario *scenario)
{
  alarm(PATIENCE);
  struct shmvtest_child *child = start_victim(scenario);
  way = g_array_new(FALSE, FALSE, sizeof(struct place_on_way));
  step(child->pid, 0, G_MAXUINT64, way);
  end_victim(scenario, child);
  find_landmarks();
  alarm(0);
}

/* ---- All of them --------------------------------------------------------------- */

static guint64
kill_some(const struct step_scenario *scenario, guint64 samples, guint64 *late)
{
  guint32 seed = (guint32)survivors_setting("SHMVIDEO_KILL_SEED", 1);
  GRand *chance = g_rand_new_with_seed(seed);
  g_test_message("seed %u", seed);
  for (guint64 i = 0; i < samples; i++) {
    double place = ((double)i + g_rand_double(chance)) / (double)samples;
    *late += !try_to_kill_after(scenario,
                                (guint64)(place * (double)way->len));
  }
  g_rand_free(chance);
  return samples;
}

/* Few come another way than the first, or it would say little. */
static void
kill_all(const struct step_scenario *scenario)
{
  guint64 samples = survivors_setting("SHMVIDEO_KILL_SAMPLES", 40);
  guint64 start = shmvtest_now(), deaths = 0, late = 0;
  kill_first(scenario);
  g_assert_cmpuint(way->len, >, 0);
  if (samples > 0 && samples < way->len)
    deaths = kill_some(scenario, samples, &late);
  else
    for (; deaths < way->len; deaths++)
      late += !try_to_kill_after(scenario, deaths);
  g_test_message("%u instructions, %" G_GUINT64_FORMAT " deaths (%" G_GUINT64_FORMAT
                 " of them elsewhere, by another way), %.1f s", way->len, deaths,
                 late, (double)(shmvtest_now() - start) / 1e9);
  g_assert_cmpuint(late, <=, deaths / 2);
  g_array_unref(way);
  way = NULL;
}

/* A switch to the victim on another processor takes ten times as long. */
static cpu_set_t
stay_here(void)
{
  cpu_set_t all, here;
  g_assert_cmpint(sched_getaffinity(0, sizeof all, &all), ==, 0);
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  g_assert_cmpint(sched_setaffinity(0, sizeof here, &here), ==, 0);
  return all;
}

void
step_through(const struct step_scenario *scenario)
{
  signal(SIGALRM, too_long);
  if (n_ranges == 0)
    find_ranges();
  cpu_set_t all = stay_here();
  kill_all(scenario);
  sched_setaffinity(0, sizeof all, &all);
}

/* Containers may forbid it. */
gboolean
step_possible(void)
{
  pid_t pid = fork();
  int status;
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0)
    _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? 1 : 0);
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  if (status != 0)
    g_test_skip("processes may not be traced here");
  return status == 0;
}

#else

gboolean
step_possible(void)
{
  g_test_skip("only x86-64 is stepped");
  return FALSE;
}

void
step_through(const struct step_scenario *scenario)
{
  (void)scenario;
}

#endif
