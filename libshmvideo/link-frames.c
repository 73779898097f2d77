/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Links: taking frames and giving them back
 *
 * One thread takes, any thread gives back; see link.h. Which frame is next is the
 * policy's; whether it is still there is slot.h's.
 */

#include "os.h"

#include "link.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "testpoint.h"

/* ---- Taking frames ------------------------------------------------------- */

/* Tell a waiting writer that something was let go: once per ticket. For want of
 * memory it is told by the next dispatch. */
static void
nudge(struct shmv_link *link, const struct shmv_board *board)
{
  static const uint8_t message[SHMV_WIRE_HEADER] = {
      'S', 'H', 'V', 'M', SHMV_NUDGE, 0, 0, 0, SHMV_WIRE_HEADER, 0, 0, 0, 0, 0,
      0, 0};
  uint32_t ticket = shmv_slot_writer_waits(board);
  if (ticket == 0 || atomic_exchange(&link->nudged, ticket) == ticket)
    return;
  if (shmv_socket_send(link->fd, message, sizeof message, NULL, 0) == -ENOMEM) {
    atomic_store(&link->nudged, 0);
    eventfd_write(link->release_fd, 1);
  }
}

void
shmv_link_nudge(struct shmv_link *link)
{
  if (link->view != NULL)
    nudge(link, link->view->board);
}

static struct shmv_held *
free_hold(struct shmv_link *link)
{
  for (uint32_t k = 0; k < link->session.welcome.holds; k++)
    if (!atomic_load(&link->held[k].used))
      return &link->held[k];
  return NULL;
}

uint32_t
shmv_link_n_held(const struct shmv_link *link)
{
  uint32_t n = 0;
  for (uint32_t k = 0; k < link->session.welcome.holds; k++)
    n += atomic_load(&((struct shmv_link *)(uintptr_t)link)->held[k].used);
  return n;
}

/* How many frames there are after the last one taken: less than none is a lie. */
static int32_t
count_new(const struct shmv_link *link, uint32_t head)
{
  uint32_t last = link->policy == SHMVIDEO_LOSSLESS ? link->cursor - 1
                                                    : link->last;
  return shmv_serial_diff(head, last);
}

/* Whether a head is newer than the frame taken last, and in this generation. */
static bool
is_news(const struct shmv_link *link, uint32_t head)
{
  return count_new(link, head) > 0 &&
         shmv_serial_diff(head, link->view->first_sequence) >= 0;
}

bool
shmv_link_has_frame(const struct shmv_link *link)
{
  if (link->view == NULL)
    return false;
  uint32_t head = shmv_slot_head(link->view->board);
  return is_news(link, head) || count_new(link, head) < 0; /* taking finds out */
}

bool
shmv_link_is_superseded(const struct shmv_link *link)
{
  return link->view != NULL && !link->hung_up &&
         link->policy == SHMVIDEO_LATEST &&
         shmv_load(&link->view->board->state) == SHMV_BOARD_SUPERSEDED;
}

bool
shmv_link_is_blocked(struct shmv_link *link)
{
  if (!shmv_link_has_frame(link) || free_hold(link) != NULL)
    return false;
  atomic_store(&link->starved, true);
  SHMV_TEST_POINT("blocked");
  return free_hold(link) == NULL;
}

/* The frame of this sequence in this hold: 1, 0 (gone), -EPROTO, -ENOMEM, … */
static int
hold(struct shmv_link *link, struct shmv_held *held, uint32_t sequence)
{
  struct shmv_view *view = link->view;
  struct shmv_holder holder = {.board = view->board,
                               .page = link->page,
                               .generation = view->generation,
                               .n_slots = view->n_slots};
  struct shmv_slot_entry entry;
  uint32_t slot;
  switch (shmv_slot_hold(&holder, held->index, sequence, &slot, &entry)) {
    case SHMV_HOLD_OK:
      break;
    case SHMV_HOLD_GONE: /* a writer that looked meanwhile took the slot for held */
      nudge(link, view->board);
      return 0;
    default:
      return -EPROTO;
  }
  int code = shmv_view_describe(view, &entry, &held->pub);
  if (code == 0)
    code = shmv_view_map_slot(view, slot, &held->pub.data);
  if (code < 0) {
    shmv_slot_unhold(link->page, held->index);
    return code;
  }
  return 1;
}

static void
hand_out(struct shmv_link *link, struct shmv_held *held, uint32_t skipped,
         const struct shmvideo_frame **out_frame)
{
  struct shmv_page *page = link->page;
  held->pub.stream = link->session.welcome.stream;
  held->pub.skipped = skipped;
  held->view = link->view;
  atomic_fetch_add(&link->view->refs, 1);
  atomic_fetch_add(&link->refs, 1);
  atomic_store(&held->used, true);
  link->view->first_sequence = (uint32_t)held->pub.sequence;
  link->n_taken++;
  link->ended = false;
  shmv_store(&page->received, shmv_peek(&page->received) + 1);
  if (skipped > 0)
    shmv_store(&page->skipped, shmv_peek(&page->skipped) + skipped);
  shmv_slot_disarm(page); /* we are awake: no wake for the frames behind it */
  *out_frame = &held->pub;
}

/* Latest: the oldest frame that is still ours by depth. */
static uint32_t
first_wanted(const struct shmv_link *link, uint32_t head)
{
  uint32_t first = head + 1 - link->session.welcome.depth;
  uint32_t sequence = link->last + 1;
  if (shmv_serial_diff(sequence, first) < 0)
    sequence = first;
  if (shmv_serial_diff(sequence, link->view->first_sequence) < 0)
    sequence = link->view->first_sequence;
  return sequence;
}

/* Latest: the first of those that is still there. head is news: so all that is tried
 * here is newer than the last frame. */
static int
take_latest(struct shmv_link *link, uint32_t head, bool newest,
            struct shmv_held *held, const struct shmvideo_frame **out_frame)
{
  uint32_t sequence = newest ? head : first_wanted(link, head);
  for (; shmv_serial_diff(sequence, head) <= 0; sequence++) {
    /* The head goes on while we look: what is past the end waits for it. */
    if (link->ending && shmv_serial_diff(sequence, link->end) > 0)
      return 0;
    int code = hold(link, held, sequence);
    if (code < 0)
      return code;
    if (code == 0)
      continue;
    uint32_t skipped = link->n_taken == 0 ? 0 : sequence - link->last - 1;
    link->last = sequence;
    hand_out(link, held, skipped, out_frame);
    return 1;
  }
  return 0;
}

static int
take_lossless(struct shmv_link *link, struct shmv_held *held,
              const struct shmvideo_frame **out_frame)
{
  /* A whole generation went by: more than one format change. */
  if (shmv_serial_diff(link->view->first_sequence, link->cursor) > 0)
    link->cursor = link->view->first_sequence;
  int code = hold(link, held, link->cursor);
  if (code <= 0)
    return code;
  uint32_t skipped = link->n_taken == 0 ? 0 : link->cursor - link->last - 1;
  link->last = link->cursor++;
  shmv_store(&link->page->cursor, link->cursor);
  /* A writer that waits is told when the hold goes: until then it could not take the
   * slot in any case. */
  hand_out(link, held, skipped, out_frame);
  return 1;
}

int
shmv_link_take(struct shmv_link *link, bool newest,
               const struct shmvideo_frame **out_frame, bool *demoted)
{
  *demoted = false;
  if (link->view == NULL)
    return 0;
  /* Loaded once: a head that a lying writer sets back after it was looked at would
   * have frames delivered twice. */
  uint32_t head = shmv_slot_head(link->view->board);
  if (count_new(link, head) < 0)
    return -EPROTO;
  if (!is_news(link, head))
    return 0;
  struct shmv_held *held = free_hold(link);
  if (held == NULL)
    return 0;
  if (link->policy == SHMVIDEO_LOSSLESS) {
    int code = take_lossless(link, held, out_frame);
    if (code != 0)
      return code;
    /* A frame that we need is gone: allowed only if we were told. */
    uint32_t place = link->session.welcome.reader;
    if (shmv_load(&link->view->board->readers[place]) != SHMV_READER_DEMOTED)
      return -EPROTO;
    link->policy = SHMVIDEO_LATEST;
    if (link->n_taken == 0) /* else last is what was handed out */
      link->last = link->cursor - 1;
    *demoted = true;
  }
  return take_latest(link, head, newest, held, out_frame);
}

void
shmvideo_frame_release(const struct shmvideo_frame *frame)
{
  if (frame == NULL)
    return;
  struct shmv_held *held = (struct shmv_held *)(uintptr_t)frame;
  struct shmv_link *link = held->link;
  struct shmv_view *view = held->view;
  shmv_slot_unhold(link->page, held->index);
  nudge(link, view->board);
  atomic_store(&held->used, false); /* from here on it may be handed out again */
  if (atomic_exchange(&link->starved, false))
    eventfd_write(link->release_fd, 1);
  shmv_view_unref(view);
  shmv_link_unref(link);
}

/* ---- Changes ------------------------------------------------------------- */

struct shmv_view *
shmv_link_advance(struct shmv_link *link)
{
  struct shmv_view *old = link->view;
  link->view = link->next;
  link->next = NULL;
  uint32_t head = shmv_slot_head(link->view->board);
  if (head + 1 - link->view->first_sequence > SHMV_RING_SIZE)
    link->view->first_sequence = head + 1 - SHMV_RING_SIZE;
  if (old == NULL) {
    /* A latecomer begins with the picture of now. */
    link->last = head - 1;
    shmv_store(&link->page->cursor, link->cursor);
  }
  return old;
}

int
shmv_link_say_ready(struct shmv_link *link)
{
  struct shmv_message message;
  shmv_reader_session_ready(&link->session, &message);
  int code = shmv_link_say(link, &message);
  return code == -EPIPE || code == -ECONNRESET ? 0 : code;
}

bool
shmv_link_end_is_due(const struct shmv_link *link)
{
  if (!link->ending)
    return false;
  if (!shmv_link_has_frame(link))
    return true;
  uint32_t next = link->policy == SHMVIDEO_LOSSLESS
                      ? link->cursor
                      : first_wanted(link, shmv_slot_head(link->view->board));
  if (shmv_serial_diff(next, link->view->first_sequence) < 0)
    next = link->view->first_sequence; /* formats went by unseen */
  return shmv_serial_diff(next, link->end) > 0;
}

void
shmv_link_pass_end(struct shmv_link *link)
{
  link->ending = false;
  link->ended = true;
  /* Who asked for the newest frame has skipped what was left before the end. */
  if (link->view != NULL &&
      shmv_serial_diff(link->end, shmv_slot_head(link->view->board)) <= 0 &&
      shmv_serial_diff(link->end, link->view->first_sequence) >= 0)
    link->view->first_sequence = link->end + 1;
}
