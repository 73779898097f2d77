/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers that act at the very instant: slot.c is compiled here with a step before each
 * look at a shared word, in which hostile readers see what the writer is about to take
 * and name it. Each keeps within what an honest one may do in one claim, or does not; all
 * of them together must not keep the writer from a slot.
 */

#include "board.h"

static void conspire(void);

static inline uint32_t
watched_load(const shmv_word *word)
{
  conspire();
  return shmv_load(word);
}

#define shmv_load(word) watched_load(word)
#include "../../libshmvideo/slot.c"
#undef shmv_load

#include "slot-share.h"

#define CONSPIRATORS 3

static struct share *target; /* NULL: nobody is after anything */
static uint32_t last_seen;   /* the slot that was spoiled last */
static uint32_t quota;       /* for each of them in one claim */
static uint32_t spoiled[CONSPIRATORS];

static void
conspire(void)
{
  if (target == NULL)
    return;
  for (uint32_t slot = 0; slot < target->claims.active; slot++) {
    if ((target->board.slots[slot].gen & 1) == 0 || target->claims.out[slot] ||
        slot == last_seen)
      continue;
    for (int i = 0; i < CONSPIRATORS; i++)
      if (spoiled[i] < quota) {
        spoiled[i]++;
        last_seen = slot;
        shmv_store(&target->pages[1 + i].hold[0],
                   shmv_hold_word(GENERATION, slot));
        return;
      }
  }
}

static void
test_conspiracy(void)
{
  const uint32_t depth = 32, holds = 1, most = 4 * depth;
  struct share *share = share_new(1 + 2 + depth + 2 + CONSPIRATORS * holds, 0);
  struct shmv_claimant *honest = admit(share, 0, 4, 2);
  unsigned n_spoiled = 0;
  for (int i = 0; i < CONSPIRATORS; i++)
    admit(share, 1 + i, depth, holds);
  for (int frame = 0; frame < 200; frame++) {
    target = share;
    last_seen = SHMV_MAX_SLOTS;
    quota = frame % 2 ? most : UINT32_MAX;
    memset(spoiled, 0, sizeof spoiled);
    uint32_t slot = claim(share);
    target = NULL;
    show(share, slot);
    g_assert_false(honest->broken);
    for (int i = 0; i < CONSPIRATORS; i++) {
      n_spoiled += spoiled[i];
      /* Who goes too far is found out; another takes his place. */
      g_assert_true(share->readers[1 + i].broken || spoiled[i] <= most);
      share->readers[1 + i].broken = false;
    }
  }
  g_assert_cmpuint(n_spoiled, >, 1000);
  free(share);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/slot/a-conspiracy-keeps-no-slot-back", test_conspiracy);
  return shmvtest_run();
}
