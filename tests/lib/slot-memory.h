/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Accesses to shared words for slot-explore, step by step: see slot-memory.c. */

#ifndef SLOT_MEMORY_H
#define SLOT_MEMORY_H

#include "slot.h"

enum who { WRITER, READER };
extern enum who running;

/* A place at which the other side may go on. */
void step(void);

/* Stores stay with the side that made them as long as their order allows: until it makes a
 * sequentially consistent load, and then only those, and what was stored before them. */
extern bool delaying;

/* Before each load, NULL: nothing. */
extern void (*before_load)(void);

uint32_t stepping_load(const shmv_word *word, memory_order order);
void stepping_store(shmv_word *word, uint32_t value, memory_order order);

/* A side's own word, no step. */
uint32_t own_word(const shmv_word *word);

/* All that the running side stored is seen by the other one. */
void settle(void);

#define shmv_load(word) stepping_load(word, memory_order_seq_cst)
#define shmv_peek(word) own_word(word)
#define shmv_store(word, value) stepping_store(word, value, memory_order_seq_cst)

#endif
