/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Memory that is as weak as it may be
 *
 * slot.c itself (SLOT_SOURCE, which may be a mutant of it) is compiled here with a
 * step before each access to a shared word. When delaying, each side has a queue of
 * stores that the other one does not see yet. A sequentially consistent load first lets
 * out all sequentially consistent stores, and with them what is before them in the
 * queue: so a store and the load after it stay in order if both are sequentially
 * consistent, and not if one of them is less. That is part of what C allows, and the
 * part that the proof in slot.h is about.
 */

#include "slot-memory.h"

#include <assert.h>

bool delaying;
void (*before_load)(void);

static struct queue {
  unsigned n;
  struct {
    shmv_word *word;
    uint32_t value;
    bool consistent;
  } stores[64];
} queues[2];

/* The first n stores of the running side come out. */
static void
let_out(unsigned n)
{
  struct queue *queue = &queues[running];
  for (unsigned i = 0; i < n; i++)
    atomic_store(queue->stores[i].word, queue->stores[i].value);
  for (unsigned i = n; i < queue->n; i++)
    queue->stores[i - n] = queue->stores[i];
  queue->n -= n;
}

void
settle(void)
{
  let_out(queues[running].n);
}

uint32_t
own_word(const shmv_word *word)
{
  const struct queue *queue = &queues[running];
  for (unsigned i = queue->n; i-- > 0;)
    if (queue->stores[i].word == word)
      return queue->stores[i].value;
  return atomic_load((shmv_word *)(uintptr_t)word);
}

uint32_t
stepping_load(const shmv_word *word, memory_order order)
{
  step();
  if (before_load != NULL)
    before_load();
  const struct queue *queue = &queues[running];
  unsigned n = order == memory_order_seq_cst ? queue->n : 0;
  while (n > 0 && !queue->stores[n - 1].consistent)
    n--;
  let_out(n);
  return own_word(word);
}

void
stepping_store(shmv_word *word, uint32_t value, memory_order order)
{
  step();
  struct queue *queue = &queues[running];
  assert(queue->n < sizeof queue->stores / sizeof *queue->stores);
  queue->stores[queue->n].word = word;
  queue->stores[queue->n].value = value;
  queue->stores[queue->n].consistent = order == memory_order_seq_cst;
  queue->n++;
  if (!delaying)
    settle();
}

/* What mutants say. */
#undef atomic_load_explicit
#define atomic_load_explicit(word, order) stepping_load(word, order)
#undef atomic_store_explicit
#define atomic_store_explicit(word, value, order) stepping_store(word, value, order)

#include SLOT_SOURCE
