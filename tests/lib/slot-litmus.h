/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the parts of slot-litmus have in common: a share in plain memory, a writer's
 * thread and a reader's. slot-litmus.c starts them; slot-litmus-frames.c lets them go as
 * they like, slot-litmus-rounds.c has them do one thing at the same time, again and again.
 */

#ifndef SLOT_LITMUS_H
#define SLOT_LITMUS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "slot.h"

#define GENERATION 5u
#define WORDS 8 /* of pixels in a slot */
#define MAX_ACTIVE 4

extern struct shmv_board board;
extern struct shmv_page page;
extern struct shmv_claims claims;
extern struct shmv_claimant readers[SHMV_MAX_READERS];
extern uint64_t pixels[MAX_ACTIVE][WORDS];

/* ---- Running (slot-litmus.c) ---------------------------------------------------- */

extern atomic_bool over;
extern unsigned long n_written; /* the writer's */
extern unsigned long n_read, n_frames, n_gone; /* the reader's; n_frames: different ones */
extern unsigned long enough; /* so many are to be read, 0: until the time is up */

/* A rule was broken: say so, and end the run. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Of the loops of the two: one more is done; false when it was the last one. */
bool count_written(void);
bool count_read(void);

/* Whoever waits for a thread that has lost its processor gives up its own. */
void spin(unsigned *spins);

/* ---- The writer's steps --------------------------------------------------------- */

/* SHMV_MAX_SLOTS: there was none, and the run has ended. */
uint32_t claim(void);

/* Fill and publish. */
void show(uint32_t slot);

/* ---- The tests ------------------------------------------------------------------ */

void write_frames(void);
void read_frames(void);
void write_what_is_read(void);
void read_all(void);

void begin_rounds(void);
void write_over(void);
void hold_and_look(void);
void write_and_wake(void);
void read_and_sleep(void);
void write_and_wait(void);
void let_go_and_nudge(void);

#endif
