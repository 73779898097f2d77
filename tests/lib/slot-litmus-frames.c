/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Frames, as fast as can be: those that are held do not change, the newest one can be
 * had, and those that are needed are not lost. */

#include "slot-litmus.h"

#include <stddef.h>

#define MAX_TIMES 4 /* of each frame */

/* ---- Latest ---------------------------------------------------------------------- */

void
write_frames(void)
{
  while (!atomic_load_explicit(&over, memory_order_relaxed)) {
    show(claim());
    if (!count_written())
      return;
  }
}

/* A held frame, from its first word to the last, and again: whether it stayed. */
static bool
look(uint32_t slot, const struct shmv_slot_entry *entry, uint32_t sequence)
{
  if ((uint32_t)entry->sequence != sequence) {
    fail("frame %u was wanted and %llu delivered", sequence,
         (unsigned long long)entry->sequence);
    return false;
  }
  const volatile uint64_t *words = pixels[slot];
  for (int i = 0; i < 4 * WORDS; i++) {
    uint64_t word = words[i % WORDS];
    if (word != entry->sequence) {
      fail("frame %u changed to %llu while it was held", sequence,
           (unsigned long long)word);
      return false;
    }
  }
  return true;
}

/* The newest one, again and again, so that holds come at every instant of a claim; but a
 * writer that has no processor is waited for. */
void
read_frames(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, claims.active};
  uint32_t last = 0;
  unsigned times = MAX_TIMES;
  for (unsigned spins = 0; !atomic_load(&over);) {
    struct shmv_slot_entry entry;
    uint32_t slot, head = shmv_slot_head(&board);
    if (head == last && times == MAX_TIMES) {
      spin(&spins);
      continue;
    }
    if (shmv_slot_hold(&holder, 0, head, &slot, &entry) != SHMV_HOLD_OK) {
      n_gone++;
      if (shmv_slot_head(&board) == head) /* no claim takes the newest one */
        fail("frame %u, the newest, cannot be had", head);
      continue;
    }
    if (!look(slot, &entry, head))
      return;
    shmv_slot_unhold(&page, 0);
    times = head == last ? times + 1 : 1;
    n_frames += times == 1;
    last = head;
    if (!count_read())
      return;
  }
}

/* ---- Lossless -------------------------------------------------------------------- */

void
write_what_is_read(void)
{
  unsigned spins = 0;
  while (!atomic_load_explicit(&over, memory_order_relaxed)) {
    uint32_t slot;
    if (shmv_slot_claim(&claims, &slot) != SHMV_CLAIM_OK) {
      spin(&spins);
      continue;
    }
    show(slot);
    if (!count_written())
      return;
  }
}

void
read_all(void)
{
  struct shmv_holder holder = {&board, &page, GENERATION, claims.active};
  uint32_t next = 1;
  for (unsigned spins = 0; !atomic_load(&over);) {
    struct shmv_slot_entry entry;
    uint32_t slot;
    if (shmv_serial_diff(shmv_slot_head(&board), next) < 0) {
      spin(&spins);
      continue;
    }
    if (shmv_slot_hold(&holder, 0, next, &slot, &entry) != SHMV_HOLD_OK) {
      fail("frame %u, which was needed, is gone", next);
      return;
    }
    shmv_store(&page.cursor, ++next);
    if (!look(slot, &entry, next - 1))
      return;
    shmv_slot_unhold(&page, 0);
    n_frames++;
    if (!count_read())
      return;
  }
}
