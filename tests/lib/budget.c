/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Budgets: what is paid for, what runs out, and when it is there again.
 */

#include "budget.h"

#include "shmvtest.h"

#define SECOND G_GUINT64_CONSTANT(1000000000)

static unsigned
spend_all(struct shmv_budget *budget, guint64 now)
{
  unsigned n = 0;
  while (shmv_budget_spend(budget, 1, now))
    n++;
  return n;
}

static void
tokens(void)
{
  struct shmv_budget budget;
  guint64 now = 7 * SECOND;
  shmv_budget_init(&budget, 100, 50, now);
  g_assert_false(shmv_budget_spend(&budget, 101, now));
  g_assert_cmpuint(spend_all(&budget, now), ==, 100);
  g_assert_cmpuint(spend_all(&budget, now + SECOND / 51), ==, 0);
  g_assert_cmpuint(spend_all(&budget, now + SECOND), ==, 50);
  /* However often it is asked, fractions of a token are not lost. */
  unsigned n = 0;
  for (unsigned i = 1; i <= 1000; i++)
    n += spend_all(&budget, now + SECOND + i * SECOND / 1000);
  g_assert_cmpuint(n, ==, 50);
  g_assert_cmpuint(spend_all(&budget, now + 100 * SECOND), ==, 100);
  g_assert_cmpuint(spend_all(&budget, UINT64_MAX), ==, 100);
  /* Time that stands still, or runs back, gives nothing. */
  g_assert_cmpuint(spend_all(&budget, now), ==, 0);
  g_assert_cmpuint(spend_all(&budget, UINT64_MAX), ==, 0);
}

static unsigned
answer_all(struct shmv_budget *budget, guint32 counter)
{
  unsigned n = 0;
  while (shmv_budget_answer(budget, counter, 2))
    n++;
  return n;
}

static void
answers(void)
{
  struct shmv_budget budget;
  guint32 counter = UINT32_MAX - 5;
  shmv_budget_init(&budget, 100, 50, 0);
  budget.seen = counter;
  g_assert_cmpuint(answer_all(&budget, counter), ==, 0);
  g_assert_cmpuint(answer_all(&budget, counter += 10), ==, 20);
  g_assert_cmpuint(answer_all(&budget, counter), ==, 0);
  /* One that steps back and forth pays once. */
  for (int i = 0; i < 10; i++)
    g_assert_cmpuint(answer_all(&budget, counter - (guint32)i), ==, 0);
  g_assert_cmpuint(answer_all(&budget, counter), ==, 0);
  /* What was not said in time is not saved up for a flood. */
  for (int i = 0; i < 10; i++) {
    counter += 1000000000;
    g_assert_true(shmv_budget_answer(&budget, counter, 2));
  }
  g_assert_cmpuint(answer_all(&budget, counter), <=, SHMV_BUDGET_ANSWERS);
  g_assert_cmpuint(spend_all(&budget, 0), ==, 100);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/budget/tokens-run-out-and-come-back", tokens);
  shmvtest_add("/budget/answers-are-paid-for-by-what-they-answer", answers);
  return shmvtest_run();
}
