/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A world for a reader, without a kernel
 *
 * Descriptors are numbers, segments are plain memory, a socket is a queue; what the
 * system would refuse is refused here, and what a reader may never do fails:
 *
 *   - close what is not open, or leave something open or mapped;
 *   - map what was not verified, beyond its end, or where no memory is;
 *   - load a word that is not on a board it has mapped, or store one that is not on
 *     its page.
 *
 * Between any two loads of the reader, words can change: that is a hostile writer's
 * whole power over it once the segments are mapped. (Plain fields are copied once
 * after a load and looked at only in the copy, so they need no more than that.)
 */

#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "board.h"
#include "shmvideo.h"

/* ---- What reader.c has in place of the system ----------------------------- */

uint32_t world_load(const shmv_word *word);
void world_store(shmv_word *word, uint32_t value);
void *world_calloc(size_t n, size_t size);
char *world_strndup(const char *text, size_t size);
int world_close(int fd);
int world_shutdown(int fd, int how);
int world_poll(struct pollfd *fds, nfds_t n, int timeout);
int world_eventfd(unsigned value, int flags);
int world_eventfd_write(int fd, uint64_t value);

/* ---- What the script does to it ------------------------------------------- */

#define WORLD_BOARDS 6 /* alive at once */
#define WORLD_INBOX 4

enum world_kind {
  WORLD_NONE, WORLD_SOCKET, WORLD_EVENT, WORLD_PROCESS, WORLD_PAGE, WORLD_POOL,
  WORLD_BOARD
};

/* One generation: its board, and what its writer knows of its pool. */
struct world_board {
  struct shmv_board *board;
  struct shmvideo_format format;
  uint64_t slot_size, pool_size, memory; /* bytes that are there */
  unsigned n_mapped, n_pool_mapped, n_fds; /* 0: free for another generation */
};

/* What fails next, once, or 0. */
struct world_failures {
  int send, receive, map; /* negative errnos */
  bool verify, hung_up;
  unsigned alloc; /* the so-manieth from now */
};
extern struct world_failures world_failures;

/* What time it is, ns. */
extern uint64_t world_time;

/* Begin anew: nothing is open, nothing mapped. And see that nothing is. */
void world_begin(void);
void world_check_clean(void);

/* For pages.c, where the writer is looked at: pages of readers lie in this room. All
 * boards are the writer's, and are never left. */
void world_begin_writer(const void *pages, size_t size);

/* Called before each load, if it is not NULL. */
extern void (*world_before_load)(void);

/* A new descriptor. board: for pools and boards. */
int world_open(enum world_kind kind, struct world_board *board);

/* A board that nobody has, zeroed; NULL: there is none. */
struct world_board *world_new_board(void);

/* An entry that is to be written. */
struct shmv_slot_entry *world_entry(struct world_board *board, uint32_t slot);

/* Put a message into the reader's socket; its descriptors are the reader's. False:
 * no room, or it cannot be. */
bool world_post(const uint8_t *bytes, size_t size, const int *fds,
                unsigned n_fds);

/* After so many more loads, and before the next one, the word changes. */
void world_change(unsigned loads, shmv_word *word, uint32_t value);

/* What the gen was that was loaded last, after the last store to a hold word; odd if
 * none was. */
uint32_t world_gen_seen(void);

/* Loads so far; the reader's page; where a slot's memory ends. */
unsigned world_n_loads(void);
struct shmv_page *world_page(void);
const uint8_t *world_pool_end(void);

#endif
