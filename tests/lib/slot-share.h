/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A share on plain memory, for tests of slots: a board, pages, and the steps of a
 * writer and of readers, each of which checks what must hold after it.
 */

#ifndef SLOT_SHARE_H
#define SLOT_SHARE_H

#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"
#include "slot.h"

#define GENERATION 0x1000007u /* its top bits are no part of a hold word */
#define N_READERS 4

struct share {
  struct shmv_board board;
  struct shmv_page pages[N_READERS];
  struct shmv_claims claims;
  struct shmv_claimant readers[SHMV_MAX_READERS];
};

static inline struct share *
share_new(uint32_t active, uint64_t sequence)
{
  struct share *share = aligned_alloc(64, sizeof *share);
  memset(share, 0, sizeof *share);
  share->board.generation = GENERATION;
  share->board.n_slots = active;
  share->board.first_sequence = sequence + 1;
  shmv_claims_init(&share->claims, &share->board, share->readers, sequence);
  share->claims.active = active;
  shmv_store(&share->board.active, active);
  shmv_store(&share->board.head, (uint32_t)sequence);
  return share;
}

static inline struct shmv_claimant *
admit(struct share *share, int i, uint32_t depth, uint32_t holds)
{
  share->readers[i] = (struct shmv_claimant){
      .page = &share->pages[i], .depth = depth, .n_holds = holds};
  return &share->readers[i];
}

static inline uint32_t
claim(struct share *share)
{
  uint32_t slot;
  g_assert_cmpint(shmv_slot_claim(&share->claims, &slot), ==, SHMV_CLAIM_OK);
  g_assert_cmpuint(slot, <, share->claims.active);
  g_assert_cmpuint(share->board.slots[slot].gen & 1, ==, 1);
  return slot;
}

static inline enum shmv_claim_result
no_claim(struct share *share)
{
  uint32_t slot;
  enum shmv_claim_result result = shmv_slot_claim(&share->claims, &slot);
  g_assert_cmpint(result, !=, SHMV_CLAIM_OK);
  return result;
}

/* The next frame in a claimed slot; its sequence is also its pts. */
static inline uint32_t
show(struct share *share, uint32_t slot)
{
  share->board.slots[slot].pts = share->claims.sequence + 1;
  uint64_t sequence = shmv_slot_publish(&share->claims, slot);
  shmv_slot_return(&share->claims, slot);
  g_assert_cmpuint(share->board.slots[slot].gen & 1, ==, 0);
  g_assert_cmpuint(share->board.head, ==, (uint32_t)sequence);
  return slot;
}

static inline uint32_t
next_frame(struct share *share)
{
  return show(share, claim(share));
}

static inline enum shmv_hold_result
hold(struct share *share, int reader, uint32_t k, uint32_t sequence,
     uint32_t *out_slot)
{
  struct shmv_holder holder = {&share->board, &share->pages[reader], GENERATION,
                               share->claims.active};
  struct shmv_slot_entry entry;
  enum shmv_hold_result result =
      shmv_slot_hold(&holder, k, sequence, out_slot, &entry);
  uint32_t word = share->pages[reader].hold[k];
  if (result == SHMV_HOLD_OK) {
    g_assert_cmpuint((uint32_t)entry.sequence, ==, sequence);
    g_assert_cmpuint(entry.pts, ==, entry.sequence);
    g_assert_cmpuint(word, ==, shmv_hold_word(GENERATION, *out_slot));
  } else if (result == SHMV_HOLD_GONE) {
    g_assert_cmpuint(word, ==, 0);
  }
  return result;
}

#endif
