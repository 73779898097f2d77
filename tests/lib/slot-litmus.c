/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The slot protocol on two processors
 *
 * A writer and a reader, each on a processor of its own, use slot.c (or a mutant of
 * it, whichever is linked) as fast as they can, with no system call in between, and
 * watch for what must never be: frames that change while they are held, and wakes
 * and nudges that get lost. It shows what the processor's own reordering does;
 * slot-explore.c goes through all that can happen without it.
 *
 *   slot-litmus SECONDS [frames|holds|wakes|nudges]: exit status 0 all is well; 1 a rule
 *   was broken, and the run ended there; 77 there are no two processors.
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "slot.h"

#define GENERATION 5u
#define WORDS 8

struct test {
  const char *name;
  uint32_t active;
  void (*write)(void);
  void (*read)(void);
};

static struct shmv_board board;
static struct shmv_page page;
static struct shmv_claims claims;
static struct shmv_claimant readers[SHMV_MAX_READERS];
static uint64_t pixels[3][WORDS];

static struct timespec deadline;
static atomic_bool over;
static atomic_uint bad;
static unsigned long n_written, n_read, n_events;

/* ---- Time and place ---------------------------------------------------------- */

static void
pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/* Whoever waits for a thread that has lost its processor gives up its own. */
static void
spin(unsigned *spins)
{
  pause_briefly();
  if (++*spins % 4096 == 0)
    sched_yield();
}

static bool
time_is_up(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > deadline.tv_sec ||
         (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

/* The n-th processor that we may use, -1: there are fewer. */
static int
processor(int n)
{
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0)
    return -1;
  for (int i = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET(i, &set) && n-- == 0)
      return i;
  return -1;
}

static void
pin(pthread_t thread, int cpu)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(thread, sizeof set, &set);
}

/* ---- Frames that are held do not change ---------------------------------------- */

static uint32_t
claim(void)
{
  uint32_t slot;
  if (shmv_slot_claim(&claims, &slot) != SHMV_CLAIM_OK || readers[0].broken) {
    printf("a claim found no slot\n");
    atomic_fetch_add(&bad, 1);
    atomic_store(&over, true);
    return SHMV_MAX_SLOTS;
  }
  return slot;
}

static void
show(uint32_t slot)
{
  if (slot == SHMV_MAX_SLOTS)
    return;
  for (int i = 0; i < WORDS; i++)
    pixels[slot][i] = claims.sequence + 1;
  shmv_slot_publish(&claims, slot);
  shmv_slot_return(&claims, slot);
}

static void
write_frames(void)
{
  while (!atomic_load_explicit(&over, memory_order_relaxed)) {
    show(claim());
    if (++n_written % 1024 == 0 && time_is_up())
      atomic_store(&over, true);
  }
}

static void
read_frames(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, 3};
  uint32_t last = 0;
  for (unsigned spins = 0; !atomic_load(&over);) {
    struct shmv_slot_entry entry;
    uint32_t slot, head = shmv_load(&board.head);
    if (head == last) {
      spin(&spins);
      continue;
    }
    if (shmv_slot_hold(&holder, 0, head, &slot, &entry) != SHMV_HOLD_OK) {
      n_events++; /* overtaken */
      continue;
    }
    const volatile uint64_t *words = pixels[slot];
    for (int i = 0; i < 4 * WORDS; i++)
      if (words[i % WORDS] != entry.sequence) {
        printf("frame %llu changed to %llu while it was held\n",
               (unsigned long long)entry.sequence,
               (unsigned long long)words[i % WORDS]);
        atomic_fetch_add(&bad, 1);
        atomic_store(&over, true);
        break;
      }
    shmv_slot_unhold(&page, 0);
    last = head;
    n_read++;
  }
}

/* ---- Rounds that both begin at once --------------------------------------------- */

/* Each side's rounds done, and what it saw in the last. */
static struct side {
  alignas(64) atomic_ulong rounds;
  bool saw;
  unsigned seed;
} sides[2];

/* Wait for the other side; false when the time is up. The instants at which the two
 * go on are shaken, so that all overlaps of their next steps come. */
static bool
meet(struct side *me, struct side *other)
{
  unsigned long round = atomic_fetch_add(&me->rounds, 1) + 1;
  for (unsigned spins = 0; atomic_load(&other->rounds) < round;) {
    if (atomic_load_explicit(&over, memory_order_relaxed))
      return false;
    spin(&spins);
  }
  me->seed = me->seed * 1664525 + 1013904223;
  for (volatile unsigned n = me->seed >> 26; n > 0;)
    n = n - 1;
  return true;
}

#define MEET_WRITER() meet(&sides[0], &sides[1])
#define MEET_READER() meet(&sides[1], &sides[0])

/* The writer judges a round: one of the two must have seen the other. */
static bool
judge(const char *what)
{
  if (!sides[0].saw && !sides[1].saw) {
    printf("%s was lost\n", what);
    atomic_fetch_add(&bad, 1);
    atomic_store(&over, true);
    return false;
  }
  n_events += sides[0].saw != sides[1].saw ? 1 : 0;
  if (++n_written % 1024 == 0 && time_is_up())
    atomic_store(&over, true);
  return !atomic_load(&over);
}

/* Two slots: one has the newest frame; of the other one, the writer takes it or the
 * reader does. */
static void
write_over(void)
{
  uint32_t slot;
  show(claim());
  while (MEET_WRITER()) {
    sides[0].saw = shmv_slot_claim(&claims, &slot) != SHMV_CLAIM_OK;
    if (!MEET_WRITER() || !judge("a hold"))
      return;
    if (!sides[0].saw)
      show(slot);
  }
}

static void
hold_and_look(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, 2};
  struct shmv_slot_entry entry;
  uint32_t slot;
  while (MEET_READER()) {
    uint32_t sequence = shmv_load(&board.head) - 1;
    sides[1].saw = shmv_slot_hold(&holder, 0, sequence, &slot, &entry) !=
                   SHMV_HOLD_OK;
    if (!MEET_READER())
      return;
    if (!sides[1].saw)
      shmv_slot_unhold(&page, 0);
    n_read++;
  }
}

static void
write_and_wake(void)
{
  uint32_t answered = 0;
  while (MEET_WRITER()) {
    uint32_t slot = claim();
    if (slot == SHMV_MAX_SLOTS)
      return;
    shmv_slot_publish(&claims, slot);
    sides[0].saw = shmv_slot_must_wake(&page, &answered);
    shmv_slot_return(&claims, slot);
    if (!MEET_WRITER() || !judge("a wake"))
      return;
  }
}

static void
read_and_sleep(void)
{
  uint32_t last = 0;
  while (MEET_READER()) {
    shmv_slot_arm(&page);
    sides[1].saw = shmv_load(&board.head) != last;
    if (!MEET_READER())
      return;
    shmv_slot_disarm(&page);
    last++;
    n_read++;
  }
}

/* Two slots: one has the newest frame and the other one is held, until it is let go
 * in the very moment in which the writer is about to wait for it. */
static void
write_and_wait(void)
{
  uint32_t ticket = 0, slot;
  while (MEET_WRITER()) {
    show(claim());
    if (!MEET_WRITER())
      return;
    shmv_store(&board.writer_waits, ++ticket | 1);
    sides[0].saw = shmv_slot_claim(&claims, &slot) == SHMV_CLAIM_OK;
    if (!MEET_WRITER() || !judge("a nudge"))
      return;
    shmv_store(&board.writer_waits, 0);
    if (sides[0].saw)
      shmv_slot_discard(&claims, slot), shmv_slot_return(&claims, slot);
  }
}

static void
let_go_and_nudge(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, 2};
  struct shmv_slot_entry entry;
  uint32_t slot;
  for (;;) {
    /* Frames are published only between the meetings, so this one is there. */
    if (shmv_slot_hold(&holder, 0, shmv_load(&board.head), &slot, &entry) !=
        SHMV_HOLD_OK)
      printf("the newest frame is gone\n"), atomic_fetch_add(&bad, 1);
    if (!MEET_READER() || !MEET_READER())
      return;
    shmv_slot_unhold(&page, 0);
    sides[1].saw = shmv_slot_writer_waits(&board) != 0;
    if (!MEET_READER())
      return;
    n_read++;
  }
}

/* ---- Running ------------------------------------------------------------------- */

static const struct test tests[] = {
    {"frames", 3, write_frames, read_frames},
    {"holds", 2, write_over, hold_and_look},
    {"wakes", 3, write_and_wake, read_and_sleep},
    {"nudges", 2, write_and_wait, let_go_and_nudge},
};

static void *
reader_main(void *data)
{
  ((const struct test *)data)->read();
  return NULL;
}

static void
run(const struct test *test, double seconds, const int *cpus)
{
  memset(&page, 0, sizeof page);
  memset(&board, 0, sizeof board);
  board.generation = GENERATION;
  readers[0] = (struct shmv_claimant){.page = &page, .n_holds = 1, .depth = 1};
  shmv_claims_init(&claims, &board, readers, 0);
  claims.active = test->active;
  for (int i = 0; i < 2; i++)
    sides[i] = (struct side){.seed = (unsigned)i + 1};
  n_written = n_read = n_events = 0;
  atomic_store(&over, false);
  if (test->active == 2)
    show(claim()); /* a frame to begin with */
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += (time_t)seconds;
  deadline.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (deadline.tv_nsec >= 1000000000)
    deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  pthread_t thread;
  if (pthread_create(&thread, NULL, reader_main, (void *)(uintptr_t)test) != 0)
    abort();
  pin(thread, cpus[1]);
  test->write();
  pthread_join(thread, NULL);
  printf("%s: %lu written, %lu read, %lu met half-way, %u bad\n", test->name,
         n_written, n_read, n_events, atomic_load(&bad));
}

int
main(int argc, char **argv)
{
  int cpus[2] = {processor(0), processor(1)};
  double seconds = argc > 1 ? atof(argv[1]) : 3;
  if (cpus[1] < 0) {
    printf("there are no two processors\n");
    return 77;
  }
  pin(pthread_self(), cpus[0]);
  unsigned n = argc > 2 ? 1 : sizeof tests / sizeof *tests;
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    if (argc < 3 || strcmp(argv[2], tests[i].name) == 0)
      run(&tests[i], seconds / n, cpus);
  return atomic_load(&bad) == 0 ? 0 : 1;
}
