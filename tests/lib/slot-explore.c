/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * All schedules of the slot protocol, with few switches
 *
 * A writer and a reader, each a coroutine, are run in every order that switches at most
 * so often between them; that is where nearly all mistakes show. Everything is done
 * twice: with one processor's memory, where a store is seen at once, and with stores
 * that are seen as late as their order allows (slot-memory.c). What a processor makes of
 * the code that a compiler made is for slot-litmus.c.
 *
 *   slot-explore [MORE]: MORE switches than usual, up to 4. Exit status 0: all is
 *   well; 1: a rule was broken, and it says which; 77: cannot be run here.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "slot-explore.h"

/* ThreadSanitizer takes a coroutine's stack for a thread's. */
#ifdef __has_feature
#define WITH_TSAN __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define WITH_TSAN true
#else
#define WITH_TSAN false
#endif

/* ---- Switching --------------------------------------------------------------- */

#define MAX_SWITCHES 8
#define STACK_SIZE (256 * 1024)

static ucontext_t contexts[2], start;
static char *stacks[2];
enum who running;
static bool finished[2], asleep[2], woken[2];
static unsigned switches[MAX_SWITCHES], n_switches, next_switch, n_steps;

const char *broken;

void
fail(const char *what)
{
  if (broken == NULL)
    broken = what;
}

static void
go_to(enum who who)
{
  enum who before = running;
  running = who;
  swapcontext(&contexts[before], &contexts[who]);
}

void
step(void)
{
  n_steps++;
  if (next_switch == n_switches || switches[next_switch] != n_steps)
    return;
  next_switch++;
  enum who other = (enum who)!running;
  if (!finished[other] && !asleep[other])
    go_to(other);
}

/* Sleep until the other side calls wake; if it never can, the wake was lost. */
static void
sleep_until_woken(void)
{
  enum who me = running, other = (enum who)!running;
  step();
  settle();
  while (!woken[me]) {
    if (finished[other] || (asleep[other] && !woken[other])) {
      fail("both sleep: a wake was lost");
      return;
    }
    asleep[me] = true;
    go_to(other);
  }
  asleep[me] = false;
  woken[me] = false;
}

static void
wake(enum who who)
{
  woken[who] = true;
  asleep[who] = false;
}

/* ---- The share ---------------------------------------------------------------- */

#define BEFORE 0xfffffffeu /* serial numbers wrap on the way */

const struct scenario *scenario;
struct shmv_board board;
struct shmv_page page;
struct shmv_claims claims;
struct shmv_claimant readers[SHMV_MAX_READERS];
static uint32_t answered_wake, answered_nudge, ticket;
static uint64_t pixels[MAX_ACTIVE][2];

void
reset(void)
{
  memset(&page, 0, sizeof page);
  memset(board.slots, 0, sizeof board.slots[0] * MAX_ACTIVE);
  memset(board.ring, 0, sizeof board.ring);
  board.generation = GENERATION;
  atomic_store(&board.head, BEFORE);
  atomic_store(&board.writer_waits, 0);
  readers[0] = (struct shmv_claimant){.page = &page,
                                      .n_holds = 1,
                                      .depth = scenario->depth,
                                      .lossless = scenario->lossless,
                                      .cursor_valid = scenario->lossless,
                                      .floor = BEFORE + 1};
  atomic_store(&page.cursor, BEFORE + 1);
  shmv_claims_init(&claims, &board, readers, BEFORE);
  claims.active = scenario->active;
  for (uint32_t i = 0; i < MAX_ACTIVE; i++)
    pixels[i][0] = pixels[i][1] = 0;
  answered_wake = answered_nudge = ticket = 0;
}

/* ---- The two sides ------------------------------------------------------------- */

static enum shmv_claim_result
try_claim(uint32_t *slot)
{
  enum shmv_claim_result result = shmv_slot_claim(&claims, slot);
  if (readers[0].broken)
    fail("an honest reader was taken for a hostile one");
  if ((result == SHMV_CLAIM_NONE && !scenario->leaves) ||
      (result == SHMV_CLAIM_LOSSLESS && !scenario->lossless))
    fail("a claim found no slot");
  return result;
}

/* As docs/protocol.md, 8: a new ticket and the whole claim again, then sleep. */
static bool
claim(uint32_t *slot)
{
  while (broken == NULL && try_claim(slot) != SHMV_CLAIM_OK) {
    shmv_slot_wait(&board, ++ticket);
    if (try_claim(slot) == SHMV_CLAIM_OK)
      break;
    sleep_until_woken();
  }
  if (shmv_peek(&board.writer_waits) != 0)
    shmv_slot_unwait(&board);
  return broken == NULL;
}

bool
write_frame(void)
{
  uint32_t slot;
  if (!claim(&slot))
    return false;
  uint64_t sequence = claims.sequence + 1;
  step();
  pixels[slot][0] = sequence;
  step();
  pixels[slot][1] = sequence;
  shmv_slot_publish(&claims, slot);
  shmv_slot_return(&claims, slot);
  if (shmv_slot_must_wake(&page, &answered_wake))
    wake(READER);
  return true;
}

static void
write_frames(void)
{
  for (uint32_t i = 1; i < scenario->n_frames; i++)
    if (!write_frame())
      return;
}

static void
nudge(void)
{
  uint32_t waits = shmv_slot_writer_waits(&board);
  if (waits != 0 && waits != answered_nudge) {
    answered_nudge = waits;
    wake(WRITER);
  }
}

/* 1 looked at, 0 gone. */
static int
look(uint32_t sequence)
{
  struct shmv_holder holder = {&board, &page, GENERATION, scenario->active};
  struct shmv_slot_entry entry;
  uint32_t slot;
  switch (shmv_slot_hold(&holder, 0, sequence, &slot, &entry)) {
    case SHMV_HOLD_OK:
      break;
    case SHMV_HOLD_GONE:
      return 0;
    default:
      fail("the ring names no slot");
      return 0;
  }
  if (scenario->lossless)
    shmv_store(&page.cursor, sequence + 1);
  if ((uint32_t)entry.sequence != sequence)
    fail("another frame was delivered");
  for (int i = 0; i < 4; i++) {
    if ((uint32_t)pixels[slot][i % 2] != sequence)
      fail("a frame changed while it was held");
    step();
  }
  shmv_slot_unhold(&page, 0);
  nudge();
  return 1;
}

static void
read_frames(void)
{
  uint32_t last = BEFORE, end = BEFORE + scenario->n_frames;
  for (int tries = 0; last != end && broken == NULL; tries++) {
    uint32_t head = shmv_slot_head(&board);
    if (head == last) {
      shmv_slot_arm(&page);
      if (shmv_slot_head(&board) == last) {
        if (!scenario->sleeps && tries > 3)
          return;
        sleep_until_woken();
      }
      shmv_slot_disarm(&page);
      continue;
    }
    uint32_t sequence = scenario->lossless ? last + 1 : head;
    if (look(sequence)) {
      last = sequence;
      if (scenario->leaves)
        return;
    } else if (scenario->lossless)
      fail("a frame that was needed is gone");
    else if (tries > 100)
      fail("the newest frame cannot be had");
  }
}

/* Whoever comes to its end last goes back to where both were started. */
static void
end(enum who who)
{
  enum who other = (enum who)!who;
  step();
  settle();
  finished[who] = true;
  if (!finished[other])
    go_to(other);
  swapcontext(&contexts[who], &start);
}

static void
writer_main(void)
{
  write_frames();
  end(WRITER);
}

static void
reader_main(void)
{
  read_frames();
  end(READER);
}

/* ---- All schedules -------------------------------------------------------------- */

static unsigned long n_runs;

/* Run the schedule in switches; its number of steps. */
static unsigned
run(enum who first)
{
  static void (*const mains[])(void) = {writer_main, reader_main};
  broken = NULL;
  next_switch = n_switches; /* no switch yet */
  reset();
  running = WRITER;
  write_frame();
  settle();
  n_steps = next_switch = 0;
  for (int who = WRITER; who <= READER; who++) {
    finished[who] = asleep[who] = woken[who] = false;
    getcontext(&contexts[who]);
    contexts[who].uc_stack.ss_sp = stacks[who];
    contexts[who].uc_stack.ss_size = STACK_SIZE;
    makecontext(&contexts[who], mains[who], 0);
  }
  running = first;
  swapcontext(&start, &contexts[first]);
  for (uint32_t i = 0; i < scenario->active; i++)
    if (shmv_peek(&board.slots[i].gen) & 1)
      fail("a slot that nobody claims is odd");
  n_runs++;
  return n_steps;
}

static bool
explore(enum who first, unsigned most)
{
  unsigned last = n_switches > 0 ? switches[n_switches - 1] : 0;
  unsigned steps = run(first);
  if (broken != NULL) {
    printf("%s, %s first%s, switched at", scenario->name,
           first == WRITER ? "writer" : "reader",
           delaying ? ", stores late" : "");
    for (unsigned i = 0; i < n_switches; i++)
      printf(" %u", switches[i]);
    printf(" of %u: %s\n", steps, broken);
    return false;
  }
  if (n_switches == most)
    return true;
  n_switches++;
  for (unsigned at = last + 1; at <= steps; at++) {
    switches[n_switches - 1] = at;
    if (!explore(first, most))
      return false;
  }
  n_switches--;
  return true;
}

static const struct scenario scenarios[] = {
    {"latest", 3, 3, 1, false, false, false, 3},
    {"latest, asleep in between", 3, 3, 1, false, true, false, 3},
    {"the reader leaves", 2, 4, 1, false, false, true, 3},
    {"lossless", 3, 5, 1, true, true, false, 3},
    {"the ring goes round", 3, SHMV_RING_SIZE + 3, 1, false, false, false, 1},
};

static bool
explore_scenario(unsigned more)
{
  n_runs = 0;
  for (int late = 0; late < 2; late++)
    for (int first = WRITER; first <= READER; first++) {
      delaying = late == 1;
      n_switches = 0;
      if (!explore((enum who)first, scenario->most_switches + more))
        return false;
    }
  printf("%s: %lu schedules\n", scenario->name, n_runs);
  return true;
}

int
main(int argc, char **argv)
{
  if (WITH_TSAN) {
    printf("no coroutines under ThreadSanitizer\n");
    return 77;
  }
  unsigned more = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
  if (more > 4)
    more = 4;
  stacks[WRITER] = malloc(STACK_SIZE);
  stacks[READER] = malloc(STACK_SIZE);
  bool well = true;
  for (size_t i = 0; well && i < sizeof scenarios / sizeof *scenarios; i++) {
    scenario = &scenarios[i];
    well = explore_scenario(more);
  }
  delaying = false;
  n_switches = next_switch = 0;
  int result = well ? try_worst_reader() : 1;
  free(stacks[WRITER]);
  free(stacks[READER]);
  return result;
}
