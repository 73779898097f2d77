/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A writer that lies
 *
 * What board.c's script has the reader's other side do: messages, generations, frames,
 * single words, now or between two loads of the reader. Each reads what it needs from
 * the script and does nothing where it makes no sense.
 */

#ifndef FUZZ_LIAR_H
#define FUZZ_LIAR_H

#include "fuzz.h"
#include "link.h"
#include "world.h"

extern struct game {
  struct shmv_link *link;     /* the reader's, NULL: left */
  struct world_board *newest; /* generation announced last, NULL: none */
  uint32_t serial;            /* of the writer's last message */
  bool page_touched;          /* the writer kept a mapping of the reader's page */
} game;

/* Post a message with so many new descriptors. */
void liar_post(const uint8_t *bytes, size_t size, enum world_kind first,
               enum world_kind second, unsigned n_fds,
               struct world_board *board);

/* Any message; a generation; a frame; a word, or one later on. */
void liar_say(struct fuzz_input *in, uint8_t name);
void liar_announce(struct fuzz_input *in);
void liar_publish(struct fuzz_input *in, bool honest);
void liar_change_words(struct fuzz_input *in, bool later);

/* Something that the reader asks of its system will fail. */
void liar_fail_something(struct fuzz_input *in);

#endif
