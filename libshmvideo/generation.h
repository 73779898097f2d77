/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Generations
 *
 * Owns a writer's frame memory for one format: a pool of slots and the board that
 * describes them. A new format is a new generation; the old one is frozen, so that
 * its frames need no protection any more, and goes when the last slot that is
 * still out in our process comes back.
 *
 * One rule: the pool's address space is there from the start, its memory comes slot
 * by slot (growing), and a slot is offered only when it has all its memory, so that
 * using it can neither fail nor fault.
 *
 * Whoever calls serialises (the writer's lock), except where it says so.
 */

#ifndef SHMV_GENERATION_H
#define SHMV_GENERATION_H

#include <stdbool.h>

#include "segment.h"
#include "slot.h"
#include "shmvideo.h"

struct shmv_generation;

enum shmv_slot_state { SHMV_SLOT_FREE, SHMV_SLOT_TAKEN, SHMV_SLOT_SHOWN };

/* What a holder in our process has in hand. */
struct shmv_slot_handle {
  struct shmvideo_slot pub; /* first: callers see only this */
  struct shmvideo_writer *writer;
  struct shmv_generation *generation;
  uint32_t index;
  enum shmv_slot_state state;
};

struct shmv_generation {
  unsigned refs; /* the writer's, and one per slot that is out */
  uint32_t number;
  struct shmvideo_format format;
  char *caps;
  struct shmv_segment pool, board_segment;
  struct shmv_board *board;
  struct shmv_claims claims;
  size_t slot_size;
  uint32_t n_slots;    /* places in the pool, less where memory ended last */
  uint32_t next_place; /* first place that nobody has begun to grow */
  uint32_t n_out;      /* slots out in our process */
  bool grown[SHMV_MAX_SLOTS];
  struct shmv_slot_handle handles[SHMV_MAX_SLOTS];
};

/* Make a generation with two slots of memory, not yet offered to anybody. Makes
 * system calls: call without a lock. max_memory 0: the default. 0; -E2BIG:
 * max_memory holds too few frames; -ENOMEM, … */
int shmv_generation_new(struct shmv_generation **out,
                        const struct shmvideo_format *format, const char *caps,
                        uint64_t max_memory, struct shmv_claimant *readers);

/* Its time has come: its number, and the sequence of the frame before its first.
 * Under the lock that is held until it is installed: while it was made, frames of
 * the old one were shown, or another generation was installed. */
void shmv_generation_begin(struct shmv_generation *generation, uint32_t number,
                           uint64_t sequence);

/* refs is 0: unmap all. Call without a lock. */
void shmv_generation_free(struct shmv_generation *generation);

/* Slots that n_out slots out, and the readers' depth and holds, come to; newcomer
 * (NULL: none) counts too. */
uint32_t shmv_readers_need(const struct shmv_claimant *readers, uint32_t n_places,
                           const struct shmv_claimant *newcomer,
                           uint32_t n_out);

/* The same, within what this generation can hold. */
uint32_t shmv_generation_needs(const struct shmv_generation *generation,
                               const struct shmv_claimant *readers,
                               uint32_t n_out);

/* Reserve the next place to grow; SHMV_MAX_SLOTS: there is none below wanted. */
uint32_t shmv_generation_reserve(struct shmv_generation *generation,
                                 uint32_t wanted);

/* Give a reserved place its memory. Makes system calls: call without a lock, from
 * any thread. 0, -ENOMEM, -ENOSPC, … */
int shmv_generation_grow(struct shmv_generation *generation, uint32_t place);

/* A place was grown (code 0) or could not be: offer it, or end the pool there. Two
 * threads may have grown the same place: the first to say so counts. */
void shmv_generation_grown(struct shmv_generation *generation, uint32_t place,
                           int code);

/* Memory that once ended may be there again: places beyond may be reserved anew. */
void shmv_generation_hope(struct shmv_generation *generation);

/* In a new generation whose first slot holds a copy of a frame: show it. */
void shmv_generation_adopt(struct shmv_generation *generation,
                           const struct shmv_slot_entry *entry);

/* Bytes of memory in use. */
uint64_t shmv_generation_memory(const struct shmv_generation *generation);

#endif
