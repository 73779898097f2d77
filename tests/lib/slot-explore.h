/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the parts of slot-explore have in common: a share in the memory of slot-memory.h.
 * slot-explore.c has the two sides of it and goes through their schedules; slot-worst.c
 * has a reader of another kind.
 */

#ifndef SLOT_EXPLORE_H
#define SLOT_EXPLORE_H

#include "slot-memory.h"

#define GENERATION 0xabcdef01u
#define MAX_ACTIVE 8

struct scenario {
  const char *name;
  uint32_t active, n_frames, depth;
  bool lossless; /* the reader: and the writer waits for it */
  bool sleeps;   /* the reader, when there is no new frame */
  bool leaves;   /* the reader, after a frame: and the writer may lack a slot till then */
  unsigned most_switches;
};

extern const struct scenario *scenario;
extern struct shmv_board board;
extern struct shmv_page page;
extern struct shmv_claims claims;
extern struct shmv_claimant readers[SHMV_MAX_READERS];

/* What broke in this schedule, NULL: nothing. */
extern const char *broken;
void fail(const char *what);

/* The share as it is at the beginning, and no switches. */
void reset(void);

/* The writer's: false if it was given up. */
bool write_frame(void);

/* Exit status. */
int try_worst_reader(void);

#endif
