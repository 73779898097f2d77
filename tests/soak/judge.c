/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "judge.h"

#include <stdlib.h>

/* Slots of the format at rest that a reader may see, or not: two, four for its depth,
 * two for its holds. */
#define SLOTS_SEEN 8

/* What a heap may be larger in the last third than in the first: the middle of many
 * samples of an allocator that reuses what it was given. */
#define GROWTH ((guint64)1 << 20)

static int
compare(const void *a, const void *b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

static guint64
middle(const struct judge_sample *samples, guint n)
{
  guint64 *own = g_new(guint64, n);
  for (guint i = 0; i < n; i++)
    own[i] = samples[i].own;
  qsort(own, n, sizeof *own, compare);
  guint64 found = own[n / 2];
  g_free(own);
  return found;
}

static char *
judge_counts(enum judge_kind kind, const struct judge_sample *first,
             const struct judge_sample *sample, guint i)
{
  guint more = kind == JUDGE_READER ? SLOTS_SEEN : 0;
  if (sample->descriptors != first->descriptors)
    return g_strdup_printf("%u descriptors at rest %u, not %u",
                           sample->descriptors, i, first->descriptors);
  if (sample->mappings > first->mappings + more ||
      sample->mappings + more < first->mappings)
    return g_strdup_printf("%u mappings at rest %u, not %u", sample->mappings,
                           i, first->mappings);
  return NULL;
}

char *
judge_samples(enum judge_kind kind, const struct judge_sample *samples, guint n)
{
  char *found = NULL;
  for (guint i = 1; i < n && found == NULL; i++)
    found = judge_counts(kind, &samples[0], &samples[i], i);
  if (found != NULL || n < 6)
    return found;
  guint third = n / 3;
  guint64 before = middle(samples, third);
  guint64 after = middle(samples + n - third, third);
  if (after > before + GROWTH)
    found = g_strdup_printf("its own memory grew from %" G_GUINT64_FORMAT " to %"
                            G_GUINT64_FORMAT " bytes", before, after);
  return found;
}
