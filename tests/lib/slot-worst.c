/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The worst reader: whatever slot the writer wants, it holds
 *
 * Part of slot-explore. There are no schedules here: the reader acts between any two
 * steps of a claim.
 */

#include "slot-explore.h"

#include <stdio.h>
#include <string.h>

static uint32_t n_spoils, may_spoil;

/* Whenever the writer is about to look, name the slot that it has just made odd. It
 * looks at the words of other readers too, so one odd slot can be seen often. */
static void
spoil(void)
{
  static uint32_t spoiled_gen[MAX_ACTIVE];
  uint32_t word = 0;
  for (uint32_t i = 0; i < scenario->active; i++) {
    uint32_t gen = atomic_load(&board.slots[i].gen);
    if ((gen & 1) == 0 || claims.out[i])
      spoiled_gen[i] = 0;
    else if (spoiled_gen[i] == gen || n_spoils < may_spoil) {
      word = shmv_hold_word(GENERATION, i);
      n_spoils += spoiled_gen[i] != gen;
      spoiled_gen[i] = gen;
    }
  }
  atomic_store(&page.hold[0], word);
}

/* It spoils so many candidates of one claim; whether that made it broken. */
static bool
claim_against(uint32_t spoils)
{
  static struct shmv_slot_entry before[MAX_ACTIVE];
  uint32_t slot;
  reset();
  for (int i = 0; i < MAX_ACTIVE; i++)
    write_frame();
  memcpy(before, board.slots, sizeof before);
  n_spoils = 0;
  may_spoil = spoils;
  before_load = spoil;
  if (shmv_slot_claim(&claims, &slot) != SHMV_CLAIM_OK)
    fail("a hostile reader stopped a claim");
  before_load = NULL;
  for (uint32_t i = 0; i < MAX_ACTIVE && broken == NULL; i++)
    if (i != slot && memcmp(&before[i], &board.slots[i], sizeof before[i]) != 0)
      fail("a slot that was given back is not what it was");
  return readers[0].broken;
}

/* Up to 4 * depth spoils are an honest reader's; more are not, and end at once. */
int
try_worst_reader(void)
{
  static const struct scenario worst = {"worst", MAX_ACTIVE, 0, 3, false, false,
                                        false, 0};
  scenario = &worst;
  broken = NULL;
  for (uint32_t n = 0; n <= 4 * worst.depth; n++)
    if (claim_against(n) || n_spoils != n)
      fail("an honest reader was taken for a hostile one");
  if (!claim_against(UINT32_MAX) || n_spoils != 4 * worst.depth + 1)
    fail("a hostile reader was not found out");
  printf("a reader that spoils claims: %s\n", broken != NULL ? broken : "found");
  return broken != NULL;
}
