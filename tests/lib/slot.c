/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Slots on plain memory: which one a claim takes, and what a ring or a page that
 * says anything at all can do (nothing). Readers that want more than the newest
 * frame, and one that is hostile: slot-readers.c. Races: slot-races.c.
 */

#include "slot-share.h"

/* ---- What a claim prefers --------------------------------------------------------- */

static void
test_warm_slots_first(void)
{
  struct share *share = share_new(10, 0);
  uint32_t first = next_frame(share), second = next_frame(share);
  g_assert_cmpuint(first, !=, second);
  for (int i = 0; i < 50; i++) {
    g_assert_cmpuint(next_frame(share), ==, first);
    g_assert_cmpuint(next_frame(share), ==, second);
  }
  free(share);
}

/* With slots enough, the last depth frames are there at any time; with fewer, the
 * oldest goes first. */
static void
test_depth(void)
{
  for (uint32_t active = 3; active <= 8; active++) {
    struct share *share = share_new(active, 0);
    uint32_t depth = 6, slot;
    admit(share, 0, 2, 1);
    admit(share, 1, depth, 1);
    for (uint32_t s = 1; s <= 300; s++) {
      next_frame(share);
      uint32_t there = MIN(MIN(depth, active), s);
      for (uint32_t back = 0; back < there; back++) {
        g_assert_cmpint(hold(share, 0, 0, s - back, &slot), ==, SHMV_HOLD_OK);
        shmv_slot_unhold(&share->pages[0], 0);
      }
    }
    free(share);
  }
}

static void
test_out_slots(void)
{
  struct share *share = share_new(4, 0);
  uint32_t a = claim(share), b = claim(share), c = claim(share);
  uint32_t d = claim(share);
  g_assert_cmpuint(1u << a | 1u << b | 1u << c | 1u << d, ==, 15);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_NONE);
  /* Shown and kept: still out. */
  shmv_slot_publish(&share->claims, a);
  shmv_slot_publish(&share->claims, b);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_NONE);
  shmv_slot_return(&share->claims, a);
  g_assert_cmpuint(claim(share), ==, a);
  /* Given up: no frame is there, and it can be had again. */
  shmv_slot_discard(&share->claims, c);
  shmv_slot_return(&share->claims, c);
  g_assert_cmpuint(share->board.slots[c].sequence, ==, 0);
  g_assert_cmpuint(share->board.slots[c].gen & 1, ==, 0);
  g_assert_cmpuint(claim(share), ==, c);
  free(share);
}

static void
test_newest(void)
{
  struct share *share = share_new(2, 0);
  uint32_t newest = 0, slot;
  for (int i = 0; i < 20; i++) {
    uint32_t now = next_frame(share);
    g_assert_true(i == 0 || now != newest);
    newest = now;
  }
  claim(share);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_NONE);
  g_assert_cmpint(hold(share, 0, 0, 20, &slot), ==, SHMV_HOLD_OK);
  g_assert_cmpuint(slot, ==, newest);
  free(share);
}

/* ---- Holds --------------------------------------------------------------------- */

static void
test_held_slots(void)
{
  struct share *share = share_new(5, 0);
  struct shmv_claimant *reader = admit(share, 0, 1, 2);
  uint32_t one, two;
  next_frame(share);
  g_assert_cmpint(hold(share, 0, 0, 1, &one), ==, SHMV_HOLD_OK);
  next_frame(share);
  g_assert_cmpint(hold(share, 0, 1, 2, &two), ==, SHMV_HOLD_OK);
  for (int i = 0; i < 100; i++) {
    uint32_t slot = next_frame(share);
    g_assert_true(slot != one && slot != two);
  }
  g_assert_cmpuint(share->board.slots[one].sequence, ==, 1);
  g_assert_cmpuint(share->board.slots[two].sequence, ==, 2);
  /* Its owner may hold the same one again, while it is there; nobody may who
   * looks for what is not. */
  uint32_t slot;
  g_assert_cmpint(hold(share, 1, 0, 1, &slot), ==, SHMV_HOLD_OK);
  g_assert_cmpint(hold(share, 1, 1, 50, &slot), ==, SHMV_HOLD_GONE);
  g_assert_cmpint(hold(share, 1, 1, 103, &slot), ==, SHMV_HOLD_GONE);
  /* Let go of, it is used again. */
  shmv_slot_unhold(&share->pages[0], 0);
  g_assert_cmpuint(claim(share), !=, two);
  claim(share);
  uint32_t last = claim(share);
  g_assert_true(last == one || share->board.slots[one].gen & 1);
  g_assert_false(reader->broken);
  free(share);
}

static void
test_only_granted_and_sane_words_count(void)
{
  static const uint32_t junk[] = {
      0xffffffff, 0, 0xff, 0x700, 0x7ff, /* no slot */
      0x801, 0x802, 0x803, 0x804,         /* of another generation */
      1, 2, 3, 4};
  struct share *share = share_new(3, 0);
  admit(share, 0, 1, 60);
  for (uint32_t i = 0; i < G_N_ELEMENTS(junk); i++)
    share->pages[0].hold[i] = junk[i];
  for (uint32_t slot = 0; slot < 3; slot++) /* not granted */
    share->pages[0].hold[60 + slot] = shmv_hold_word(GENERATION, slot);
  for (int i = 0; i < 10; i++)
    next_frame(share);
  /* The same word within the grant: that slot, though nothing was looked at. */
  for (uint32_t slot = 0; slot < 3; slot++)
    share->pages[0].hold[slot] = shmv_hold_word(GENERATION, slot);
  g_assert_cmpint(no_claim(share), ==, SHMV_CLAIM_NONE);
  share->readers[0].broken = true; /* disconnected: its page is not read */
  next_frame(share);
  free(share);
}

static void
test_ring_lies(void)
{
  struct share *share = share_new(4, 0);
  uint32_t slot;
  next_frame(share);
  static const uint32_t lies[] = {4, 5, 253, 254, 255, 256, UINT32_MAX};
  for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
    share->board.ring[1] = lies[i];
    g_assert_cmpint(hold(share, 0, 0, 1, &slot), ==, SHMV_HOLD_LIE);
  }
  /* Another slot than the frame's, or one without a frame. */
  share->board.ring[1] = (share->claims.newest + 1) % 4;
  g_assert_cmpint(hold(share, 0, 0, 1, &slot), ==, SHMV_HOLD_GONE);
  share->board.ring[0] = (share->claims.newest + 1) % 4;
  g_assert_cmpint(hold(share, 0, 0, 0, &slot), ==, SHMV_HOLD_GONE);
  free(share);
}

/* The ring has gone round: its place for frame 1 names the slot of frame 257. */
static void
test_ring_goes_round(void)
{
  struct share *share = share_new(3, 0);
  uint32_t slot;
  for (int i = 0; i < 2 * (int)SHMV_RING_SIZE; i++) {
    next_frame(share);
    uint32_t head = share->board.head;
    g_assert_cmpint(hold(share, 0, 0, head, &slot), ==, SHMV_HOLD_OK);
    shmv_slot_unhold(&share->pages[0], 0);
    for (uint32_t round = 1; round * SHMV_RING_SIZE < head; round++)
      g_assert_cmpint(hold(share, 0, 0, head - round * SHMV_RING_SIZE, &slot),
                      ==, SHMV_HOLD_GONE);
  }
  free(share);
}

/* ---- Tickets -------------------------------------------------------------------- */

static void
test_tickets(void)
{
  struct shmv_page page = {0};
  uint32_t answered = 0;
  for (int i = 0; i < 5; i++) {
    g_assert_false(shmv_slot_must_wake(&page, &answered));
    shmv_slot_arm(&page);
    uint32_t ticket = page.armed;
    g_assert_cmpuint(ticket & 1, ==, 1);
    shmv_slot_arm(&page); /* the same sleep, the same ticket */
    g_assert_cmpuint(page.armed, ==, ticket);
    g_assert_true(shmv_slot_must_wake(&page, &answered));
    g_assert_false(shmv_slot_must_wake(&page, &answered));
    shmv_slot_arm(&page);
    g_assert_false(shmv_slot_must_wake(&page, &answered));
    shmv_slot_disarm(&page);
    g_assert_cmpuint(page.armed, ==, ticket + 1);
    shmv_slot_disarm(&page);
    g_assert_cmpuint(page.armed, ==, ticket + 1);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/slot/warm-slots-come-first", test_warm_slots_first);
  shmvtest_add("/slot/depth-is-kept-while-slots-last", test_depth);
  shmvtest_add("/slot/slots-that-are-out-stay-out", test_out_slots);
  shmvtest_add("/slot/the-newest-frame-is-never-claimed", test_newest);
  shmvtest_add("/slot/held-slots-are-never-claimed", test_held_slots);
  shmvtest_add("/slot/only-granted-and-sane-words-count",
               test_only_granted_and_sane_words_count);
  shmvtest_add("/slot/a-ring-that-lies-is-found-out", test_ring_lies);
  shmvtest_add("/slot/the-ring-goes-round", test_ring_goes_round);
  shmvtest_add("/slot/a-ticket-is-answered-once", test_tickets);
  return shmvtest_run();
}
