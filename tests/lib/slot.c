/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Slots on plain memory: which one a claim takes, what nobody can take from a
 * reader, and what a page that says anything at all can do (nothing). Races are
 * tried by slot-races.c.
 */

#include "slot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"

#define GENERATION 0x1000007u /* its top bits are no part of a hold word */
#define N_READERS 3

/* ---- A share ------------------------------------------------------------------- */

struct share {
  struct shmv_board board;
  struct shmv_page pages[N_READERS];
  struct shmv_claims claims;
  struct shmv_claimant readers[SHMV_MAX_READERS];
};

static struct share *
share_new(uint32_t active, uint64_t sequence)
{
  struct share *share = aligned_alloc(64, sizeof *share);
  memset(share, 0, sizeof *share);
  share->board.generation = GENERATION;
  share->board.n_slots = active;
  share->board.first_sequence = sequence + 1;
  shmv_claims_init(&share->claims, &share->board, share->readers, sequence);
  share->claims.active = active;
  shmv_store(&share->board.active, active);
  shmv_store(&share->board.head, (uint32_t)sequence);
  return share;
}

static struct shmv_claimant *
admit(struct share *share, int i, uint32_t depth, uint32_t holds)
{
  share->readers[i] = (struct shmv_claimant){
      .page = &share->pages[i], .depth = depth, .n_holds = holds};
  return &share->readers[i];
}

static uint32_t
claim(struct share *share)
{
  uint32_t slot;
  g_assert_cmpint(shmv_slot_claim(&share->claims, &slot), ==, SHMV_CLAIM_OK);
  g_assert_cmpuint(slot, <, share->claims.active);
  g_assert_cmpuint(share->board.slots[slot].gen & 1, ==, 1);
  return slot;
}

static enum shmv_claim_result
no_claim(struct share *share)
{
  uint32_t slot;
  enum shmv_claim_result result = shmv_slot_claim(&share->claims, &slot);
  g_assert_cmpint(result, !=, SHMV_CLAIM_OK);
  return result;
}

/* The next frame in a claimed slot; its sequence is also its pts. */
static uint32_t
show(struct share *share, uint32_t slot)
{
  share->board.slots[slot].pts = share->claims.sequence + 1;
  uint64_t sequence = shmv_slot_publish(&share->claims, slot);
  shmv_slot_return(&share->claims, slot);
  g_assert_cmpuint(share->board.slots[slot].gen & 1, ==, 0);
  g_assert_cmpuint(share->board.head, ==, (uint32_t)sequence);
  return slot;
}

static uint32_t
next_frame(struct share *share)
{
  return show(share, claim(share));
}

static enum shmv_hold_result
hold(struct share *share, int reader, uint32_t k, uint32_t sequence,
     uint32_t *out_slot)
{
  struct shmv_holder holder = {&share->board, &share->pages[reader], GENERATION,
                               share->claims.active};
  struct shmv_slot_entry entry;
  enum shmv_hold_result result =
      shmv_slot_hold(&holder, k, sequence, out_slot, &entry);
  uint32_t word = share->pages[reader].hold[k];
  if (result == SHMV_HOLD_OK) {
    g_assert_cmpuint((uint32_t)entry.sequence, ==, sequence);
    g_assert_cmpuint(entry.pts, ==, entry.sequence);
    g_assert_cmpuint(word, ==, shmv_hold_word(GENERATION, *out_slot));
  } else if (result == SHMV_HOLD_GONE) {
    g_assert_cmpuint(word, ==, 0);
  }
  return result;
}

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
  shmvtest_add("/slot/warm-slots-come-first", test_warm_slots_first);
  shmvtest_add("/slot/depth-is-kept-while-slots-last", test_depth);
  shmvtest_add("/slot/slots-that-are-out-stay-out", test_out_slots);
  shmvtest_add("/slot/the-newest-frame-is-never-claimed", test_newest);
  shmvtest_add("/slot/held-slots-are-never-claimed", test_held_slots);
  shmvtest_add("/slot/only-granted-and-sane-words-count",
               test_only_granted_and_sane_words_count);
  shmvtest_add("/slot/a-ring-that-lies-is-found-out", test_ring_lies);
  shmvtest_add("/slot/the-ring-goes-round", test_ring_goes_round);
  shmvtest_add("/slot/what-a-lossless-reader-needs-stays", test_lossless);
  shmvtest_add("/slot/a-cursor-ahead-breaks-its-reader", test_cursor_ahead);
  shmvtest_add("/slot/a-demoted-reader-needs-nothing", test_demoted);
  shmvtest_add("/slot/a-ticket-is-answered-once", test_tickets);
  shmvtest_add("/slot/flipping-holds-stops-nobody", test_flipping_stops_nobody);
  return shmvtest_run();
}
