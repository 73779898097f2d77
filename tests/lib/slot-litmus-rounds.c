/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Rounds that both begin at once
 *
 * In each round each side stores a word and loads the other one's, in some way that
 * slot.c does it for. One of the two, at least, must see the other.
 */

#include "slot-litmus.h"

#include <stdalign.h>
#include <stddef.h>

/* Each side's rounds done, and what it saw in the last. */
static struct side {
  alignas(64) atomic_ulong rounds;
  bool saw;
  unsigned seed;
} sides[2];

void
begin_rounds(void)
{
  for (int i = 0; i < 2; i++)
    sides[i] = (struct side){.seed = (unsigned)i + 1};
}

/* Lines that both sides write: whoever does has to wait for them. */
static struct {
  alignas(64) atomic_uint word;
} slow[8];

/* Wait for the other side; false when the time is up. The instants at which the two
 * go on are shaken, so that all overlaps of their next steps come. Stores that are slow
 * go before those steps: what a processor may do out of order, it then does. */
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
  for (volatile unsigned n = me->seed >> (me->seed & 0x10000 ? 24 : 27); n > 0;)
    n = n - 1;
  for (size_t i = 0; i < sizeof slow / sizeof *slow; i++)
    atomic_store_explicit(&slow[i].word, me->seed, memory_order_relaxed);
  return true;
}

#define MEET_WRITER() meet(&sides[0], &sides[1])
#define MEET_READER() meet(&sides[1], &sides[0])

/* The writer judges a round: one of the two must have seen the other. */
static bool
judge(const char *what)
{
  if (!sides[0].saw && !sides[1].saw)
    fail("%s was lost", what);
  return count_written() && !atomic_load(&over);
}

/* Two slots: one has the newest frame; of the other one, the writer takes it or the
 * reader does. */
void
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
    else if ((shmv_peek(&board.slots[0].gen) | shmv_peek(&board.slots[1].gen)) & 1)
      fail("a slot that nobody claims is odd");
  }
}

void
hold_and_look(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, 2};
  struct shmv_slot_entry entry;
  uint32_t slot;
  while (MEET_READER()) {
    uint32_t sequence = shmv_slot_head(&board) - 1;
    sides[1].saw = shmv_slot_hold(&holder, 0, sequence, &slot, &entry) !=
                   SHMV_HOLD_OK;
    if (!MEET_READER())
      return;
    if (!sides[1].saw)
      shmv_slot_unhold(&page, 0);
    count_read();
  }
}

void
write_and_wake(void)
{
  uint32_t answered = 0;
  for (;;) {
    uint32_t slot = claim();
    if (slot == SHMV_MAX_SLOTS || !MEET_WRITER())
      return;
    shmv_slot_publish(&claims, slot);
    sides[0].saw = shmv_slot_must_wake(&page, &answered);
    shmv_slot_return(&claims, slot);
    if (!MEET_WRITER() || !judge("a wake"))
      return;
  }
}

void
read_and_sleep(void)
{
  uint32_t last = 0;
  while (MEET_READER()) {
    shmv_slot_arm(&page);
    sides[1].saw = shmv_slot_head(&board) != last;
    if (!MEET_READER())
      return;
    shmv_slot_disarm(&page);
    last++;
    count_read();
  }
}

/* Two slots: one has the newest frame and the other one is held, until it is let go
 * in the very moment in which the writer is about to wait for it. */
void
write_and_wait(void)
{
  uint32_t ticket = 0, slot;
  while (MEET_WRITER()) {
    show(claim());
    if (!MEET_WRITER())
      return;
    shmv_slot_wait(&board, ++ticket | 1);
    sides[0].saw = shmv_slot_claim(&claims, &slot) == SHMV_CLAIM_OK;
    if (!MEET_WRITER() || !judge("a nudge"))
      return;
    shmv_slot_unwait(&board);
    if (sides[0].saw)
      shmv_slot_discard(&claims, slot), shmv_slot_return(&claims, slot);
  }
}

void
let_go_and_nudge(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, 2};
  struct shmv_slot_entry entry;
  uint32_t slot;
  for (;;) {
    /* Frames are published only between the meetings, so this one is there. */
    if (shmv_slot_hold(&holder, 0, shmv_slot_head(&board), &slot, &entry) !=
        SHMV_HOLD_OK)
      fail("the newest frame is gone");
    if (!MEET_READER() || !MEET_READER())
      return;
    shmv_slot_unhold(&page, 0);
    sides[1].saw = shmv_slot_writer_waits(&board) != 0;
    if (!MEET_READER())
      return;
    count_read();
  }
}
