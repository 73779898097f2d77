/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The proof is in slot.h; comments here say which step of it a line is. */

#include "os.h"

#include "slot.h"

#include <string.h>

#include "testpoint.h"

/* ---- Writer's side ------------------------------------------------------- */

void
shmv_claims_init(struct shmv_claims *claims, struct shmv_board *board,
                 struct shmv_claimant *readers, uint64_t sequence)
{
  memset(claims, 0, sizeof *claims);
  claims->board = board;
  claims->readers = readers;
  claims->n_places = SHMV_MAX_READERS;
  claims->newest = SHMV_MAX_SLOTS;
  claims->sequence = sequence;
}

/* Serial numbers cannot be compared across half their range, so a cursor counts
 * only inside [floor, head + 1], and the floor comes along. */
uint32_t
shmv_slot_needed_from(const struct shmv_claims *claims,
                      struct shmv_claimant *reader)
{
  if (!reader->cursor_valid)
    return reader->floor;
  uint32_t cursor = shmv_load(&reader->page->cursor);
  if (shmv_serial_diff(cursor, (uint32_t)claims->sequence + 1) > 0)
    reader->broken = true;
  else if (shmv_serial_diff(cursor, reader->floor) > 0)
    reader->floor = cursor;
  return reader->floor;
}

/* What one look at all readers says about all slots. */
struct survey {
  bool held[SHMV_MAX_SLOTS];
  bool lossless;        /* somebody needs frames from needed_from on */
  uint32_t needed_from; /* the smallest */
  uint32_t depth;       /* the largest */
};

static void
look_at_reader(const struct shmv_claims *claims, struct shmv_claimant *reader,
               struct survey *survey)
{
  uint32_t tag = claims->board->generation & 0xffffffu;
  for (uint32_t k = 0; k < reader->n_holds; k++) {
    /* For claiming a hint would do, but a writer that is about to wait has just
     * stored writer_waits (shmv_slot_wait), and this load is the second half of it. */
    uint32_t word = shmv_load(&reader->page->hold[k]);
    uint32_t slot = (word & 0xff) - 1;
    if (word >> 8 == tag && slot < SHMV_MAX_SLOTS)
      survey->held[slot] = true;
  }
  if (reader->depth > survey->depth)
    survey->depth = reader->depth;
  if (!reader->lossless)
    return;
  uint32_t from = shmv_slot_needed_from(claims, reader);
  if (!survey->lossless ||
      shmv_serial_diff(from, survey->needed_from) < 0)
    survey->needed_from = from;
  survey->lossless = true;
}

/* Peek (step a): for a claim only a hint, checked again after gen is odd. */
static void
look_at_readers(const struct shmv_claims *claims, struct survey *survey)
{
  memset(survey, 0, sizeof *survey);
  for (uint32_t i = 0; i < claims->n_places; i++) {
    struct shmv_claimant *reader = &claims->readers[i];
    if (reader->page != NULL && !reader->broken)
      look_at_reader(claims, reader, survey);
  }
}

/* Best first: a slot no reader has a right to, most recently used (its memory is
 * in the cache); else the oldest frame. needed tells if lossless readers were the
 * only obstacle. */
static uint32_t
choose(const struct shmv_claims *claims, const struct survey *survey,
       const bool *tried, bool *needed)
{
  uint32_t best = SHMV_MAX_SLOTS, oldest = SHMV_MAX_SLOTS;
  *needed = false;
  for (uint32_t i = 0; i < claims->active; i++) {
    if (claims->out[i] || survey->held[i] || tried[i] || i == claims->newest)
      continue;
    uint64_t sequence = claims->board->slots[i].sequence;
    if (sequence != 0 && survey->lossless &&
        shmv_serial_diff((uint32_t)sequence, survey->needed_from) >= 0) {
      *needed = true;
      continue;
    }
    if (sequence == 0 || sequence + survey->depth <= claims->sequence) {
      if (best == SHMV_MAX_SLOTS || claims->used[i] > claims->used[best])
        best = i;
    } else if (oldest == SHMV_MAX_SLOTS ||
               sequence < claims->board->slots[oldest].sequence) {
      oldest = i;
    }
  }
  return best != SHMV_MAX_SLOTS ? best : oldest;
}

/* The second load of all holds (step c), after gen became odd. */
static struct shmv_claimant *
find_holder(const struct shmv_claims *claims, uint32_t slot)
{
  uint32_t word = shmv_hold_word(claims->board->generation, slot);
  SHMV_TEST_POINT("gen-odd");
  for (uint32_t i = 0; i < claims->n_places; i++) {
    struct shmv_claimant *reader = &claims->readers[i];
    if (reader->page == NULL || reader->broken)
      continue;
    for (uint32_t k = 0; k < reader->n_holds; k++)
      if (shmv_load(&reader->page->hold[k]) == word)
        return reader;
  }
  return NULL;
}

/* What an honest reader can spoil in one claim, at worst: it was stopped after a look at
 * the head, and tries the frames that were the last ones then; when they are gone, those
 * that are the last ones now, but for the newest, which no claim is after; each twice.
 * tests/model/spoil.pml searches depths 1 and 2, and finds it to be more than enough. Of
 * who was sent away the depth is forgotten. */
static uint32_t
most_spoils(const struct shmv_claimant *reader)
{
  return 4 * (reader->depth != 0 ? reader->depth : SHMV_MAX_DEPTH);
}

/* What a reader spoiled is forgiven one by one, a claim each: an honest one does it
 * once in a blue moon, and many who did it all the time would cost time. */
static void
forgive(const struct shmv_claims *claims)
{
  for (uint32_t i = 0; i < claims->n_places; i++)
    if (claims->readers[i].spoiled > 0)
      claims->readers[i].spoiled--;
}

/* A reader is ignored from now on: all that it took from under us may be tried again,
 * and must not count twice against an honest one. */
static void
start_over(const struct shmv_claims *claims, bool *tried)
{
  memset(tried, 0, SHMV_MAX_SLOTS * sizeof *tried);
  for (uint32_t i = 0; i < claims->n_places; i++)
    claims->readers[i].spoiled = 0;
}

enum shmv_claim_result
shmv_slot_claim(struct shmv_claims *claims, uint32_t *out_slot)
{
  bool tried[SHMV_MAX_SLOTS] = {false};
  bool any_tried = false;
  forgive(claims);

  /* Every turn ends the claim, counts against a reader, or follows one that did. */
  for (;;) {
    struct survey survey;
    bool needed;
    look_at_readers(claims, &survey);
    uint32_t slot = choose(claims, &survey, tried, &needed);
    if (slot == SHMV_MAX_SLOTS && any_tried) {
      /* Several readers who keep just within what is allowed can have spoiled them
       * all: once more, until they are found out. */
      memset(tried, 0, sizeof tried);
      any_tried = false;
      continue;
    }
    if (slot == SHMV_MAX_SLOTS)
      return needed ? SHMV_CLAIM_LOSSLESS : SHMV_CLAIM_NONE;
    SHMV_TEST_POINT("chosen");

    struct shmv_slot_entry *entry = &claims->board->slots[slot];
    uint32_t gen = shmv_peek(&entry->gen); /* our own word */
    shmv_store(&entry->gen, gen | 1);
    struct shmv_claimant *holder = find_holder(claims, slot);
    if (holder == NULL) {
      claims->out[slot] = true;
      claims->used[slot] = ++claims->clock;
      *out_slot = slot;
      return SHMV_CLAIM_OK;
    }
    shmv_store(&entry->gen, gen); /* nothing was touched: give it back */
    if (++holder->spoiled > most_spoils(holder)) {
      holder->broken = true;
      start_over(claims, tried);
    } else {
      tried[slot] = any_tried = true;
    }
  }
}

uint64_t
shmv_slot_publish(struct shmv_claims *claims, uint32_t slot)
{
  struct shmv_board *board = claims->board;
  struct shmv_slot_entry *entry = &board->slots[slot];
  uint64_t sequence = ++claims->sequence;
  entry->sequence = sequence;
  shmv_store(&entry->gen, (shmv_peek(&entry->gen) | 1) + 1);
  SHMV_TEST_POINT("gen-even");
  shmv_store(&board->ring[sequence % SHMV_RING_SIZE], slot);
  claims->newest = slot;
  shmv_store(&board->head, (uint32_t)sequence);
  return sequence;
}

void
shmv_slot_discard(struct shmv_claims *claims, uint32_t slot)
{
  struct shmv_slot_entry *entry = &claims->board->slots[slot];
  entry->sequence = 0;
  shmv_store(&entry->gen, (shmv_peek(&entry->gen) | 1) + 1);
}

void
shmv_slot_return(struct shmv_claims *claims, uint32_t slot)
{
  claims->out[slot] = false;
}

bool
shmv_slot_must_wake(const struct shmv_page *page, uint32_t *answered)
{
  uint32_t ticket = shmv_load(&page->armed);
  if ((ticket & 1) == 0 || ticket == *answered)
    return false;
  *answered = ticket;
  return true;
}

void
shmv_slot_wait(struct shmv_board *board, uint32_t ticket)
{
  /* First half: the claim that follows loads all holds. Either it sees that one went,
   * or who let it go sees the ticket. */
  shmv_store(&board->writer_waits, ticket);
}

void
shmv_slot_unwait(struct shmv_board *board)
{
  /* Half of nothing: who still sees the ticket nudges once for nothing. */
  shmv_store(&board->writer_waits, 0);
}

/* ---- Reader's side ------------------------------------------------------- */

/* One copy of each value, however the other side may be changing it: only the copy
 * is checked and used. */
static void
copy_entry(const struct shmv_slot_entry *entry, struct shmv_slot_entry *copy)
{
  const volatile struct shmv_slot_entry *e = entry;
  copy->flags = e->flags;
  copy->sequence = e->sequence;
  copy->pts = e->pts;
  copy->duration = e->duration;
  copy->capture_time = e->capture_time;
  copy->offset = e->offset;
  copy->offset_end = e->offset_end;
  copy->size = e->size;
  for (int i = 0; i < 4; i++) {
    copy->plane_offset[i] = e->plane_offset[i];
    copy->stride[i] = e->stride[i];
  }
  copy->n_planes = e->n_planes;
  copy->crop_x = e->crop_x;
  copy->crop_y = e->crop_y;
  copy->crop_width = e->crop_width;
  copy->crop_height = e->crop_height;
}

enum shmv_hold_result
shmv_slot_hold(const struct shmv_holder *holder, uint32_t k, uint32_t sequence,
               uint32_t *out_slot, struct shmv_slot_entry *out_entry)
{
  const struct shmv_board *board = holder->board;
  /* Twice, since an odd gen can be a writer that looked and gave back. */
  for (int attempt = 0; attempt < 2; attempt++) {
    uint32_t slot = shmv_load(&board->ring[sequence % SHMV_RING_SIZE]);
    if (slot >= holder->n_slots)
      return SHMV_HOLD_LIE;
    SHMV_TEST_POINT("ring-read");
    shmv_store(&holder->page->hold[k],
               shmv_hold_word(holder->generation, slot));
    SHMV_TEST_POINT("hold-set");
    if ((shmv_load(&board->slots[slot].gen) & 1) == 0) {
      copy_entry(&board->slots[slot], out_entry);
      /* The ring may have wrapped while we were not running: only the entry,
       * read under the hold, says which frame this is. */
      if (out_entry->sequence != 0 &&
          (uint32_t)out_entry->sequence == sequence) {
        *out_slot = slot;
        return SHMV_HOLD_OK;
      }
      attempt = 1;
    }
    shmv_store(&holder->page->hold[k], 0);
  }
  return SHMV_HOLD_GONE;
}

void
shmv_slot_unhold(struct shmv_page *page, uint32_t k)
{
  shmv_store(&page->hold[k], 0);
}

uint32_t
shmv_slot_writer_waits(const struct shmv_board *board)
{
  /* Second half of letting go: see shmv_slot_wait. */
  return shmv_load(&board->writer_waits);
}

uint32_t
shmv_slot_head(const struct shmv_board *board)
{
  /* Second half of arming: either this sees the frame, or who shows it sees the ticket
   * (shmv_slot_must_wake). */
  return shmv_load(&board->head);
}

void
shmv_slot_arm(struct shmv_page *page)
{
  /* A ticket that is still odd is either unanswered, and serves, or answered, and
   * then a wake lies in the socket: no sleep is possible. */
  uint32_t ticket = shmv_peek(&page->armed);
  if ((ticket & 1) == 0)
    shmv_store(&page->armed, ticket + 1);
}

void
shmv_slot_disarm(struct shmv_page *page)
{
  uint32_t ticket = shmv_peek(&page->armed);
  if (ticket & 1)
    shmv_store(&page->armed, ticket + 1);
}
