/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Slots on plain memory: what lossless readers need stays, until they break a rule
 * or are demoted; and a reader that does its worst stops nobody.
 */

#include <pthread.h>

#include "slot-share.h"

/* ---- Lossless ------------------------------------------------------------------- */

static void
test_lossless_needs(uint64_t before)
{
  struct share *share = share_new(5, before);
  struct shmv_claimant *reader = admit(share, 0, 1, 1);
  uint32_t floor = (uint32_t)before + 1, slot;
  reader->lossless = true;
  reader->floor = floor;
  share->pages[0].cursor = floor + 1000; /* not read before READY */
  for (int i = 0; i < 5; i++)
    next_frame(share);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  g_assert_false(reader->broken);
  /* READY: the cursor counts, but never below the floor. */
  reader->cursor_valid = true;
  share->pages[0].cursor = floor - 1;
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  share->pages[0].cursor = floor;
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  /* It takes one frame: that one's slot is free when it lets go. */
  g_assert_cmpint(hold(share, 0, 0, floor, &slot), ==, SHMV_HOLD_OK);
  share->pages[0].cursor = floor + 1;
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  shmv_slot_unhold(&share->pages[0], 0);
  g_assert_cmpuint(next_frame(share), ==, slot);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  for (uint32_t i = 2; i <= 6; i++) {
    g_assert_cmpint(hold(share, 0, 0, (uint32_t)before + i, &slot), ==,
                    SHMV_HOLD_OK);
    shmv_slot_unhold(&share->pages[0], 0);
  }
  /* All taken: as far as a cursor can go. */
  share->pages[0].cursor = (uint32_t)before + 7;
  next_frame(share);
  g_assert_false(reader->broken);
  free(share);
}

static void
test_lossless(void)
{
  test_lossless_needs(0);
  test_lossless_needs(0xfffffffd); /* the low 32 bits wrap within the test */
  test_lossless_needs(0x7ffffffd); /* and the sign of their differences */
  test_lossless_needs(UINT64_C(0x12ffffffffc));
}

static void
test_cursor_ahead(void)
{
  static const uint32_t ahead[] = {5, 6, 1000, 0x7fffffff};
  for (gsize i = 0; i < G_N_ELEMENTS(ahead); i++) {
    struct share *share = share_new(4, 0);
    struct shmv_claimant *reader = admit(share, 0, 1, 1);
    reader->lossless = reader->cursor_valid = true;
    reader->floor = 1;
    for (int n = 0; n < 3; n++)
      next_frame(share);
    share->pages[0].cursor = 4; /* head + 1 */
    shmv_slot_needed_from(&share->claims, reader);
    g_assert_false(reader->broken);
    share->pages[0].cursor = ahead[i];
    next_frame(share);
    g_assert_true(reader->broken);
    next_frame(share); /* and it stops nobody */
    free(share);
  }
}

static void
test_demoted(void)
{
  struct share *share = share_new(3, 0);
  struct shmv_claimant *slow = admit(share, 0, 1, 1);
  struct shmv_claimant *fast = admit(share, 1, 1, 1);
  slow->lossless = fast->lossless = true;
  slow->cursor_valid = fast->cursor_valid = true;
  slow->floor = fast->floor = 1;
  for (int i = 0; i < 3; i++)
    next_frame(share);
  share->pages[1].cursor = 4;
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_LOSSLESS);
  slow->lossless = false;
  for (uint32_t i = 0; i < 5; i++) {
    next_frame(share);
    share->pages[1].cursor = 5 + i;
  }
  free(share);
}

/* ---- A hostile page --------------------------------------------------------------- */

#define HOSTILE_HOLDS 4

static atomic_bool stop;

/* Names every slot in turn, as fast as it can, in all its words. */
static void *
flip_holds(void *data)
{
  struct shmv_page *page = data;
  while (!atomic_load_explicit(&stop, memory_order_relaxed))
    for (uint32_t slot = 0; slot < 8; slot++)
      for (uint32_t k = 0; k < HOSTILE_HOLDS; k++) {
        shmv_store(&page->hold[k], shmv_hold_word(GENERATION, (slot + k) % 8));
        shmv_store(&page->hold[k], 0);
      }
  return NULL;
}

/* Every claim ends with a slot, and the frame that an honest reader holds all the
 * time stays; the hostile reader may or may not be caught at it. */
static void
test_flipping_stops_nobody(void)
{
  struct share *share = share_new(8, 0);
  uint32_t held;
  pthread_t thread;
  admit(share, 0, 1, 1);
  struct shmv_claimant *hostile = admit(share, 1, 1, HOSTILE_HOLDS);
  next_frame(share);
  g_assert_cmpint(hold(share, 0, 0, 1, &held), ==, SHMV_HOLD_OK);
  atomic_store(&stop, false);
  g_assert_cmpint(pthread_create(&thread, NULL, flip_holds, &share->pages[1]),
                  ==, 0);
  unsigned n_broken = 0;
  for (int i = 0; i < 20000; i++) {
    g_assert_cmpuint(next_frame(share), !=, held);
    n_broken += hostile->broken;
    hostile->broken = false;
    g_assert_false(share->readers[0].broken);
  }
  atomic_store(&stop, true);
  pthread_join(thread, NULL);
  g_test_message("broken %u times", n_broken);
  g_assert_cmpuint(share->board.slots[held].sequence, ==, 1);
  free(share);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/slot/what-a-lossless-reader-needs-stays", test_lossless);
  shmvtest_add("/slot/a-cursor-ahead-breaks-its-reader", test_cursor_ahead);
  shmvtest_add("/slot/a-demoted-reader-needs-nothing", test_demoted);
  shmvtest_add("/slot/flipping-holds-stops-nobody", test_flipping_stops_nobody);
  return shmvtest_run();
}
