/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "budget.h"

#define SECOND UINT64_C(1000000000)

void
shmv_budget_init(struct shmv_budget *budget, uint32_t most, uint32_t rate,
                 uint64_t now)
{
  *budget = (struct shmv_budget){
      .most = most, .rate = rate, .tokens = most, .at = now};
}

bool
shmv_budget_answer(struct shmv_budget *budget, uint32_t counter, uint32_t each)
{
  int32_t steps = (int32_t)(counter - budget->seen);
  if (steps > 0) { /* one that steps back pays for nothing */
    uint32_t n = (uint32_t)steps < SHMV_BUDGET_ANSWERS ? (uint32_t)steps
                                                       : SHMV_BUDGET_ANSWERS;
    budget->seen = counter;
    budget->paid += n * each;
    if (budget->paid > SHMV_BUDGET_ANSWERS)
      budget->paid = SHMV_BUDGET_ANSWERS;
  }
  if (budget->paid == 0)
    return false;
  budget->paid--;
  return true;
}

static void
earn(struct shmv_budget *budget, uint64_t now)
{
  uint64_t each = SECOND / budget->rate;
  uint64_t earned = now > budget->at ? (now - budget->at) / each : 0;
  if (earned >= budget->most - budget->tokens) {
    budget->tokens = budget->most;
    budget->at = now;
  } else { /* the rest of the time counts for the next token */
    budget->tokens += (uint32_t)earned;
    budget->at += earned * each;
  }
}

bool
shmv_budget_spend(struct shmv_budget *budget, uint32_t cost, uint64_t now)
{
  earn(budget, now);
  if (cost > budget->tokens)
    return false;
  budget->tokens -= cost;
  return true;
}
