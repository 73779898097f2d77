/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The slot protocol on two processors
 *
 * A writer and a reader, each on a processor of its own, use slot.c (or a mutant of
 * it, whichever is linked) as fast as they can, with no system call in between (but by
 * who waits for a thread that has lost its processor), and watch for what must never
 * be: frames that change while they are held, frames that should be there and are not,
 * wakes and nudges that get lost. It shows what a processor makes of the code that a
 * compiler made; slot-explore.c goes through all that the source may mean.
 *
 *   slot-litmus SECONDS [TEST [COUNT]]: all tests, SECONDS each, or one of them (frames,
 *   lossless, holds, wakes, nudges), which then ends when COUNT frames or rounds have
 *   been read; so many, within SECONDS, are a must. Exit status 0: all is well; 1: a rule
 *   was broken, and the run ended there; 77: there are no two processors.
 */

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "slot-litmus.h"

struct shmv_board board;
struct shmv_page page;
struct shmv_claims claims;
struct shmv_claimant readers[SHMV_MAX_READERS];
uint64_t pixels[MAX_ACTIVE][WORDS];

atomic_bool over;
unsigned long n_written, n_read, n_frames, n_gone, enough;

static atomic_bool failed;
static double started, ends;

/* ---- Time and place ---------------------------------------------------------- */

static void
pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

void
spin(unsigned *spins)
{
  pause_briefly();
  if (++*spins % 4096 == 0)
    sched_yield();
}

static double
now(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

bool
count_written(void)
{
  if (++n_written % 1024 == 0 && now() > ends)
    atomic_store(&over, true);
  return !atomic_load_explicit(&over, memory_order_relaxed);
}

bool
count_read(void)
{
  if (++n_read == enough)
    atomic_store(&over, true);
  return n_read != enough;
}

void
fail(const char *format, ...)
{
  if (!atomic_exchange(&failed, true)) {
    va_list args;
    printf("after %.6f s: ", now() - started);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
  }
  atomic_store(&over, true);
}

/* The n-th processor that we may use, -1: there are fewer. */
static int
processor(int n)
{
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0)
    return -1;
  for (size_t i = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &set) && n-- == 0)
      return (int)i;
  return -1;
}

static void
pin(pthread_t thread, int cpu)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  pthread_setaffinity_np(thread, sizeof set, &set);
}

/* ---- The writer's steps --------------------------------------------------------- */

uint32_t
claim(void)
{
  uint32_t slot;
  if (shmv_slot_claim(&claims, &slot) != SHMV_CLAIM_OK || readers[0].broken) {
    fail("a claim found no slot");
    return SHMV_MAX_SLOTS;
  }
  return slot;
}

void
show(uint32_t slot)
{
  if (slot == SHMV_MAX_SLOTS)
    return;
  for (int i = 0; i < WORDS; i++)
    pixels[slot][i] = claims.sequence + 1;
  shmv_slot_publish(&claims, slot);
  shmv_slot_return(&claims, slot);
}

/* ---- Running -------------------------------------------------------------------- */

struct test {
  const char *name;
  uint32_t active;
  bool lossless;
  void (*write)(void);
  void (*read)(void);
};

static const struct test tests[] = {
    {"frames", 3, false, write_frames, read_frames},
    {"lossless", 4, true, write_what_is_read, read_all},
    {"holds", 2, false, write_over, hold_and_look},
    {"wakes", 3, false, write_and_wake, read_and_sleep},
    {"nudges", 2, false, write_and_wait, let_go_and_nudge},
};

static void *
reader_main(void *data)
{
  ((const struct test *)data)->read();
  return NULL;
}

static void
reset(const struct test *test)
{
  memset(&page, 0, sizeof page);
  memset(&board, 0, sizeof board);
  board.generation = GENERATION;
  readers[0] = (struct shmv_claimant){.page = &page,
                                      .n_holds = 1,
                                      .depth = 1,
                                      .lossless = test->lossless,
                                      .cursor_valid = test->lossless,
                                      .floor = 1};
  if (test->lossless)
    shmv_store(&page.cursor, 1);
  shmv_claims_init(&claims, &board, readers, 0);
  claims.active = test->active;
  claims.n_places = 1;
  begin_rounds();
  n_written = n_read = n_frames = n_gone = 0;
  atomic_store(&over, false);
}

static void
run(const struct test *test, double seconds, const int *cpus)
{
  reset(test);
  if (test->active == 2)
    show(claim()); /* a frame to begin with */
  started = now();
  ends = started + seconds;
  pthread_t thread;
  if (pthread_create(&thread, NULL, reader_main, (void *)(uintptr_t)test) != 0)
    abort();
  pin(thread, cpus[1]);
  test->write();
  pthread_join(thread, NULL);
  printf("%s: %lu written, %lu read", test->name, n_written, n_read);
  if (n_frames > 0)
    printf(" (%lu different ones), %lu gone before", n_frames, n_gone);
  printf(", in %.1f s\n", now() - started);
  if (n_read < enough)
    fail("that is less than %lu", enough);
}

int
main(int argc, char **argv)
{
  int cpus[2] = {processor(0), processor(1)};
  double seconds = argc > 1 ? atof(argv[1]) : 3;
  bool found = argc < 3;
  if (cpus[1] < 0) {
    printf("there are no two processors\n");
    return 77;
  }
  pin(pthread_self(), cpus[0]);
  enough = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    if (argc < 3 || strcmp(argv[2], tests[i].name) == 0) {
      found = true;
      run(&tests[i], seconds, cpus);
    }
  return found && !atomic_load(&failed) ? 0 : 1;
}
