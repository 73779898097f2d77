/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Budgets
 *
 * Owns how many messages the other side may send: to read one costs time, and who
 * sends them as fast as he can would have all of ours. Answers are free: each step
 * of a counter that we follow (tickets given out, frames shown) pays for some. All
 * other messages cost tokens, of which there are so many at first and so many more
 * each second.
 *
 * One rule: an honest side never runs out, however late we come to read what it
 * said. Pure.
 */

#ifndef SHMV_BUDGET_H
#define SHMV_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct shmv_budget {
  uint32_t most; /* tokens at first, and at most */
  uint32_t rate; /* tokens a second */
  uint32_t tokens;
  uint32_t seen; /* the counter that pays for answers */
  uint32_t paid; /* answers that may still come */
  uint64_t at;   /* when tokens were given last, ns */
};

/* Answers that may be under way: more than fit into a socket. */
#define SHMV_BUDGET_ANSWERS 4096u

void shmv_budget_init(struct shmv_budget *budget, uint32_t most, uint32_t rate,
                      uint64_t now);

/* A message came that may be an answer. The counter stands there now; each of its
 * steps pays for so many. Whether it was paid for. */
bool shmv_budget_answer(struct shmv_budget *budget, uint32_t counter,
                        uint32_t each);

/* A message came that costs tokens. False: there are not enough. */
bool shmv_budget_spend(struct shmv_budget *budget, uint32_t cost, uint64_t now);

#endif
