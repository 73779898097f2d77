/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Shared memory, word by word
 *
 * Owns the layout of everything that two processes see at once: the board (one
 * per format generation, written by the writer, read-only for readers) and the
 * page (one per connection, written by the reader, read-only for the writer).
 * The third kind of shared memory, the pool, is nothing but slots of pixels.
 *
 * One rule: every word has exactly one process that can write it, and the kernel
 * enforces that. So there is no lock and no shared count, and a process that dies
 * leaves nothing to repair.
 *
 * Words that are read while their owner may write are _Atomic uint32_t (64-bit
 * atomics on read-only memory fault on some 32-bit machines). Everything else in
 * a slot's entry is plain and read only under a hold (slot.h). Sequences in words
 * are the low 32 bits and are compared as serial numbers. Fixed sizes only: no
 * pointers, no strings. docs/protocol.md has the same layout in words; a test
 * compares 32- and 64-bit builds.
 */

#ifndef SHMV_BOARD_H
#define SHMV_BOARD_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SHMV_BOARD_MAGIC 0x42564853u /* "SHVB" */
#define SHMV_BOARD_VERSION 1u

#define SHMV_MAX_SLOTS 254u
#define SHMV_MAX_READERS 128u
#define SHMV_MAX_HOLDS 64u
#define SHMV_MAX_DEPTH 32u
#define SHMV_RING_SIZE 256u /* power of two, more than slots */

typedef _Atomic uint32_t shmv_word;
static_assert(ATOMIC_INT_LOCK_FREE == 2, "shared words must be lock-free");
static_assert(sizeof(shmv_word) == 4, "shared words are 32 bits");

enum shmv_board_state {
  SHMV_BOARD_LIVE = 1,
  SHMV_BOARD_SUPERSEDED = 2, /* frozen: a later generation goes on */
  SHMV_BOARD_ENDED = 3       /* frozen: the writer left */
};

enum shmv_reader_word {
  SHMV_READER_NORMAL = 0,
  SHMV_READER_DEMOTED = 1 /* lossless no more, for the rest of the connection */
};

/* One frame's entry. gen is odd while the writer may change slot or entry. */
struct shmv_slot_entry {
  alignas(64) shmv_word gen;
  uint32_t flags;
  alignas(8) uint64_t sequence; /* 0: no frame */
  alignas(8) uint64_t pts;
  alignas(8) uint64_t duration;
  alignas(8) uint64_t capture_time;
  alignas(8) uint64_t offset;
  alignas(8) uint64_t offset_end;
  alignas(8) uint64_t size;
  alignas(8) uint64_t plane_offset[4];
  uint32_t stride[4];
  uint32_t n_planes;
  uint32_t crop_x, crop_y, crop_width, crop_height;
};

/* All words here are written by the writer alone. */
struct shmv_board {
  alignas(64) uint32_t magic;
  uint32_t version;
  uint32_t generation;
  uint32_t n_slots;
  alignas(8) uint64_t slot_size;
  alignas(8) uint64_t first_sequence; /* of this generation */

  alignas(64) shmv_word state;   /* enum shmv_board_state */
  shmv_word active;              /* slots [0, active) have memory */
  shmv_word latency_us;          /* how late frames are shown, microseconds */

  alignas(64) shmv_word head;         /* newest sequence, 0: none yet */
  alignas(64) shmv_word writer_waits; /* ticket while the writer waits, else 0 */

  alignas(64) shmv_word readers[SHMV_MAX_READERS]; /* enum shmv_reader_word */
  shmv_word ring[SHMV_RING_SIZE]; /* slot of sequence s at [s % size] */
  struct shmv_slot_entry slots[SHMV_MAX_SLOTS];
};

/* All words here are written by the reader alone. */
struct shmv_page {
  /* (generation & 0xffffff) << 8 | slot + 1, or 0 */
  alignas(64) shmv_word hold[SHMV_MAX_HOLDS];
  alignas(64) shmv_word cursor; /* lossless: next sequence needed */
  shmv_word armed;              /* odd: asleep, wake once per ticket */
  alignas(64) shmv_word received; /* statistics, frames */
  shmv_word skipped;
  shmv_word copied;
};

static_assert(sizeof(struct shmv_slot_entry) == 192, "slot entry");
static_assert(offsetof(struct shmv_slot_entry, sequence) == 8, "slot entry");
static_assert(offsetof(struct shmv_slot_entry, plane_offset) == 64, "entry");
static_assert(offsetof(struct shmv_slot_entry, stride) == 96, "slot entry");
static_assert(offsetof(struct shmv_slot_entry, n_planes) == 112, "slot entry");
static_assert(offsetof(struct shmv_board, slot_size) == 16, "board");
static_assert(offsetof(struct shmv_board, state) == 64, "board");
static_assert(offsetof(struct shmv_board, head) == 128, "board");
static_assert(offsetof(struct shmv_board, writer_waits) == 192, "board");
static_assert(offsetof(struct shmv_board, readers) == 256, "board");
static_assert(offsetof(struct shmv_board, ring) == 768, "board");
static_assert(offsetof(struct shmv_board, slots) == 1792, "board");
static_assert(sizeof(struct shmv_board) == 1792 + 254 * 192, "board");
static_assert(offsetof(struct shmv_page, cursor) == 256, "page");
static_assert(offsetof(struct shmv_page, armed) == 260, "page");
static_assert(offsetof(struct shmv_page, received) == 320, "page");
static_assert(sizeof(struct shmv_page) == 384, "page");

/* What the segments' files measure, in bytes. */
#define SHMV_BOARD_SIZE 53248u /* the board, in whole pages */
#define SHMV_PAGE_SIZE 4096u
static_assert(SHMV_BOARD_SIZE >= sizeof(struct shmv_board), "board size");

/* The word of a hold on a slot of a generation. */
static inline uint32_t
shmv_hold_word(uint32_t generation, uint32_t slot)
{
  return (generation & 0xffffffu) << 8 | (slot + 1);
}

/* Loads from memory that is const here and written elsewhere. */
static inline uint32_t
shmv_load(const shmv_word *word)
{
  return atomic_load_explicit((shmv_word *)(uintptr_t)word,
                              memory_order_seq_cst);
}

/* Loads that order nothing: statistics and peeks. */
static inline uint32_t
shmv_peek(const shmv_word *word)
{
  return atomic_load_explicit((shmv_word *)(uintptr_t)word,
                              memory_order_relaxed);
}

/* Every store is sequentially consistent: three of the four kinds must be, and
 * one rule is easier to keep than two. */
static inline void
shmv_store(shmv_word *word, uint32_t value)
{
  atomic_store_explicit(word, value, memory_order_seq_cst);
}

/* a - b as serial numbers: negative when a is older. */
static inline int32_t
shmv_serial_diff(uint32_t a, uint32_t b)
{
  return (int32_t)(a - b);
}

#endif
