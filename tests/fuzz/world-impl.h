/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What world.c and world-memory.c have of each other.
 */

#ifndef FUZZ_WORLD_IMPL_H
#define FUZZ_WORLD_IMPL_H

#include "world.h"

struct world_fd {
  enum world_kind kind;
  struct world_board *board;
  bool verified, memory_seen; /* what the reader has looked at */
};

/* That descriptor if it is open and of that kind, else NULL. */
struct world_fd *world_fd(int fd, enum world_kind kind);

/* What fails now: once. */
int world_failure(int *which);

void world_begin_memory(void);
void world_check_memory(void);

#endif
