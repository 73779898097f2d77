/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Views
 *
 * Owns what a reader has mapped of one generation: its board, and its slots one by
 * one as they are first looked at. Counted: the link that shows it and every frame
 * taken from it hold a reference, so a frame outlives format, writer and reader.
 *
 * One rule: the segments are proven sealed and of the announced size before they
 * are mapped, and the board's fixed words are checked against the announcement, so
 * that whatever a writer does later cannot make a load here fault or leave a slot.
 */

#ifndef SHMV_VIEW_H
#define SHMV_VIEW_H

#include "slot.h"
#include "wire.h"

struct shmv_view {
  atomic_uint refs;
  uint32_t generation;
  uint32_t n_slots;
  uint32_t first_sequence; /* none older is here; follows what is taken, since
                              serial numbers reach only so far */
  size_t slot_size;
  int pool_fd;
  const struct shmv_board *board;
  const void *slots[SHMV_MAX_SLOTS]; /* mapped so far; acquiring thread only */
  struct shmvideo_format format;
  char *caps;
};

/* Map what a checked FORMAT message announced. Takes both descriptors, also on
 * failure. 0, -EPROTO, -ENOMEM, … */
int shmv_view_new(struct shmv_view **out, const struct shmv_message *message,
                  int pool_fd, int board_fd);

void shmv_view_unref(struct shmv_view *view);

/* The memory of a slot, mapped and pre-faulted at the first call. 0 or -errno. */
int shmv_view_map_slot(struct shmv_view *view, uint32_t slot,
                       const uint8_t **out_data);

/* Fill a frame from a slot's entry. 0, or -EPROTO if the entry cannot be. */
int shmv_view_describe(const struct shmv_view *view,
                       const struct shmv_slot_entry *entry,
                       struct shmvideo_frame *frame);

#endif
