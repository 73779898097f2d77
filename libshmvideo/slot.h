/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Slots
 *
 * A slot is one frame's place in the pool. Who may touch it is said by words that
 * each have exactly one writing process (board.h), so nobody ever waits for
 * anybody and a process that dies leaves nothing to repair.
 *
 *   writer:  peek holds -> gen := odd --> load holds -> fill -> gen := even
 *                                                     -> ring -> head := s
 *   reader:  head -> ring -> hold := slot --> load gen -> look -> hold := 0
 *
 * Invariant: a slot that a live reader's page names, and whose gen that reader has
 * then seen even, is not written. Proof: the two arrows "-->" are a store followed
 * by a load of the other side's word, all four sequentially consistent. So either
 * the writer's load sees the hold (and the writer restores gen, having touched
 * nothing), or the reader's load sees the odd gen (and the reader lets go). Weaken
 * any of the four and a torn frame follows.
 *
 * The same shape wakes sleepers: the writer's head --> armed meets a reader's armed -->
 * head, and a reader's hold := 0 --> writer_waits meets a waiting writer's writer_waits
 * --> holds. (A cursor needs no such pair: it moves before its hold goes.) Both halves
 * of all three pairs are in slot.c, and tests/lib/slot-mutate.sh weakens each access.
 *
 * This file makes no system call, takes no lock and allocates nothing. The caller
 * serialises all calls on one shmv_claims, and all on one shmv_holder but release.
 */

#ifndef SHMV_SLOT_H
#define SHMV_SLOT_H

#include <stdbool.h>

#include "board.h"

/* ---- Writer's side ------------------------------------------------------- */

/* One reader, as far as slots go. Its page may say anything at any time. */
struct shmv_claimant {
  const struct shmv_page *page; /* NULL: an empty place */
  uint32_t n_holds;  /* granted: only so many words count */
  uint32_t depth;    /* granted */
  uint32_t align;    /* of strides and planes, wished for; bytes */
  bool lossless;     /* and not demoted */
  bool demoted;      /* was lossless once */
  bool cursor_valid; /* the reader has said READY: its cursor counts */
  bool broken;       /* broke a rule: ask the caller to disconnect it */
  uint32_t floor;    /* lossless: needs nothing older than this */
  uint32_t spoiled;  /* candidates it took from under claims, less one a claim */
  uint32_t told;     /* lossless: generation of the last FORMAT it was sent */
  uint32_t late_for; /* lossless: while the writer waited, so long (ns) it did not */
  uint64_t late;     /* take this frame, which is there */
};

/* All that claiming on one board needs. readers outlives boards and is shared. */
struct shmv_claims {
  struct shmv_board *board;
  struct shmv_claimant *readers; /* SHMV_MAX_READERS places */
  uint32_t n_places;             /* all places from this one on are empty */
  uint32_t active;               /* as on the board, our own copy */
  uint32_t newest;               /* slot of the head, SHMV_MAX_SLOTS: none */
  uint64_t sequence;             /* of the newest frame */
  uint64_t used[SHMV_MAX_SLOTS]; /* when last claimed, counts up */
  uint64_t clock;
  bool out[SHMV_MAX_SLOTS]; /* in the hands of our own process */
};

/* sequence is that of the last frame of the board before, 0 at first. */
void shmv_claims_init(struct shmv_claims *claims, struct shmv_board *board,
                      struct shmv_claimant *readers, uint64_t sequence);

enum shmv_claim_result {
  SHMV_CLAIM_OK,
  SHMV_CLAIM_NONE,    /* more are out or held than there are slots */
  SHMV_CLAIM_LOSSLESS /* only slots that a lossless reader needs are left */
};

/* Take a slot that nobody can be looking at: out in our process, gen odd. Readers
 * that break rules on the way become broken and are not asked again. */
enum shmv_claim_result shmv_slot_claim(struct shmv_claims *claims,
                                       uint32_t *out_slot);

/* Show a claimed slot whose entry (but gen and sequence) is filled; it stays out.
 * Returns its sequence. */
uint64_t shmv_slot_publish(struct shmv_claims *claims, uint32_t slot);

/* A claimed slot was not published: make its entry say that no frame is there. */
void shmv_slot_discard(struct shmv_claims *claims, uint32_t slot);

/* Our process no longer touches the slot. */
void shmv_slot_return(struct shmv_claims *claims, uint32_t slot);

/* Whether the reader sleeps on a ticket that was not answered yet; if so it is
 * answered now, and the caller sends one wake. Call after publishing. */
bool shmv_slot_must_wake(const struct shmv_page *page, uint32_t *answered);

/* The writer is about to sleep for want of a slot: a ticket, not 0, that was not used
 * before. Claim anew after this, all of it, before sleeping. */
void shmv_slot_wait(struct shmv_board *board, uint32_t ticket);

/* Nobody in the writer waits any more. */
void shmv_slot_unwait(struct shmv_board *board);

/* First sequence that a lossless reader still needs. Sets broken if its cursor
 * runs ahead of the head. */
uint32_t shmv_slot_needed_from(const struct shmv_claims *claims,
                               struct shmv_claimant *reader);

/* ---- Reader's side ------------------------------------------------------- */

struct shmv_holder {
  const struct shmv_board *board;
  struct shmv_page *page;
  uint32_t generation;
  uint32_t n_slots; /* checked copy of the board's */
};

enum shmv_hold_result {
  SHMV_HOLD_OK,
  SHMV_HOLD_GONE, /* that frame is no longer there */
  SHMV_HOLD_LIE   /* the board names a slot that cannot be */
};

/* Hold the frame with this sequence in hold word k and copy its entry. */
enum shmv_hold_result shmv_slot_hold(const struct shmv_holder *holder,
                                     uint32_t k, uint32_t sequence,
                                     uint32_t *out_slot,
                                     struct shmv_slot_entry *out_entry);

/* Let go of hold word k. Any thread. */
void shmv_slot_unhold(struct shmv_page *page, uint32_t k);

/* The writer's ticket if it waits for a slot, else 0. Load it after letting go;
 * if not 0, nudge the writer. */
uint32_t shmv_slot_writer_waits(const struct shmv_board *board);

/* The newest sequence, 0 if there was none yet. */
uint32_t shmv_slot_head(const struct shmv_board *board);

/* Ask to be woken: a ticket, odd. Re-check head and state after this, before
 * sleeping. */
void shmv_slot_arm(struct shmv_page *page);

/* Awake: no wake wanted. */
void shmv_slot_disarm(struct shmv_page *page);

#endif
