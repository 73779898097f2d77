/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "segment.h"

/* Messages taken at one go; an honest writer never has so many under way. */
#define MESSAGES_PER_TURN 64

/* ---- Life ---------------------------------------------------------------- */

static void
unref(struct shmv_link *link)
{
  if (atomic_fetch_sub(&link->refs, 1) != 1)
    return;
  shmv_view_unref(link->view);
  shmv_view_unref(link->next);
  shmv_segment_unmap(link->page, SHMV_PAGE_SIZE);
  close(link->fd);
  if (link->release_fd >= 0)
    close(link->release_fd);
  if (link->who.pidfd >= 0)
    close(link->who.pidfd);
  free(link);
}

static int
say(struct shmv_link *link, const struct shmv_message *message)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = shmv_wire_encode(message, bytes);
  if (size == 0)
    return -EMSGSIZE;
  return shmv_socket_send(link->fd, bytes, size, NULL, 0);
}

int
shmv_link_new(struct shmv_link **out, int fd, const struct shmv_hello *hello,
              const char *accepts)
{
  struct shmv_link *link = calloc(1, sizeof *link);
  if (link == NULL) {
    close(fd);
    return -ENOMEM;
  }
  atomic_init(&link->refs, 1);
  link->fd = fd;
  link->who.pidfd = -1;
  link->release_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int code = link->release_fd < 0 ? -errno : shmv_socket_peer(fd, &link->who);
  struct shmv_message message;
  shmv_reader_session_init(&link->session, hello, &message);
  if (accepts != NULL) {
    message.text = accepts;
    message.text_size = (uint32_t)strlen(accepts);
  }
  if (code == 0)
    code = say(link, &message);
  if (code < 0) {
    unref(link);
    return code;
  }
  for (uint32_t k = 0; k < SHMV_MAX_HOLDS; k++) {
    link->held[k].link = link;
    link->held[k].index = k;
  }
  *out = link;
  return 0;
}

void
shmv_link_leave(struct shmv_link *link)
{
  struct shmv_message message;
  if (!link->hung_up && link->session.state != SHMV_R_OVER) {
    shmv_reader_session_say(&link->session, SHMV_BYE, &message);
    (void)say(link, &message); /* if it does not fit, hang-up says the same */
  }
  unref(link);
}

/* ---- Listening ----------------------------------------------------------- */

static int
take_page(struct shmv_link *link, int fd)
{
  void *page;
  struct shmv_message answer;
  int code = shmv_segment_map_page(fd, &page);
  close(fd);
  if (code < 0)
    return code;
  link->page = page;
  shmv_reader_session_mapped(&link->session, &answer);
  return say(link, &answer);
}

static void
take_refusal(struct shmv_link *link, const struct shmv_message *message)
{
  switch (message->u.refusal) {
    case SHMV_REFUSED_FORMAT:
      link->refusal = -EMEDIUMTYPE;
      break;
    case SHMV_REFUSED_VERSION:
      link->refusal = -EPROTONOSUPPORT;
      break;
    case SHMV_REFUSED_RULES:
      link->refusal = -EPROTO;
      break;
    default:
      link->refusal = -ENOBUFS;
      break;
  }
  snprintf(link->refusal_text, sizeof link->refusal_text, "%.*s",
           (int)message->text_size, message->text);
  for (char *c = link->refusal_text; *c != 0; c++)
    if ((unsigned char)*c < ' ') /* a sentence, not a terminal's commands */
      *c = ' ';
}

static int
take_step(struct shmv_link *link, int step, const struct shmv_message *message,
          int *fds)
{
  switch (step) {
    case SHMV_STEP_PAGE:
      return take_page(link, fds[0]);
    case SHMV_STEP_WELCOME:
      link->policy = link->session.welcome.policy;
      link->cursor = link->session.welcome.floor;
      return 0;
    case SHMV_STEP_FORMAT:
      return shmv_view_new(&link->next, message, fds[0], fds[1]);
    case SHMV_STEP_REFUSED:
      take_refusal(link, message);
      return 0;
    case SHMV_STEP_END:
      link->ending = true;
      link->end = message->u.end;
      return 0;
    case SHMV_STEP_WAKE:
      if (link->page != NULL)
        shmv_slot_disarm(link->page);
      return 0;
    default: /* BYE: hang-up follows */
      return 0;
  }
}

/* An empty read is the end only if poll says so too. */
static bool
hung_up(const struct shmv_link *link)
{
  struct pollfd pollfd = {.fd = link->fd};
  return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLHUP | POLLERR)) != 0;
}

static void
close_all(const int *fds, unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    close(fds[i]);
}

/* One message. 1: taken; 2: taken, and it was a WAKE; 0: no more. */
static int
receive_one(struct shmv_link *link)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message;
  int fds[2];
  unsigned n_fds = 0;
  size_t size;
  int code = shmv_socket_recv(link->fd, bytes, sizeof bytes, &size, fds, 2,
                              &n_fds);
  if (code == -EAGAIN)
    return 0;
  if (code == -ECONNRESET || code == -EPIPE ||
      (code == 0 && size == 0 && hung_up(link))) {
    link->hung_up = true;
    return 0;
  }
  if (code < 0)
    return code;
  code = shmv_wire_decode(&message, bytes, size);
  if (code == 0 && n_fds != shmv_wire_n_fds(message.type))
    code = -EBADMSG;
  int step = code < 0 ? code : shmv_reader_session_take(&link->session,
                                                        &message);
  if (code == -ENOMSG) {
    close_all(fds, n_fds);
    return 1;
  }
  if (step != SHMV_STEP_PAGE && step != SHMV_STEP_FORMAT)
    close_all(fds, n_fds);
  if (step < 0)
    return step;
  code = take_step(link, step, &message, fds);
  if (code == -EPIPE || code == -ECONNRESET) /* it left before our answer */
    return 1;
  return code < 0 ? code : step == SHMV_STEP_WAKE ? 2 : 1;
}

int
shmv_link_receive(struct shmv_link *link, bool stop_at_wake)
{
  for (int i = 0; i < MESSAGES_PER_TURN && !link->hung_up; i++) {
    int code = receive_one(link);
    if (code <= 0 || (code == 2 && stop_at_wake))
      return code < 0 ? code : 0;
  }
  return 0;
}

/* ---- Taking frames ------------------------------------------------------- */

/* Tell a waiting writer that something was let go: once per ticket. */
static void
nudge(struct shmv_link *link, const struct shmv_board *board)
{
  static const uint8_t message[SHMV_WIRE_HEADER] = {
      'S', 'H', 'V', 'M', SHMV_NUDGE, 0, 0, 0, SHMV_WIRE_HEADER, 0, 0, 0, 0, 0,
      0, 0};
  uint32_t ticket = shmv_slot_writer_waits(board);
  if (ticket != 0 && atomic_exchange(&link->nudged, ticket) != ticket)
    (void)shmv_socket_send(link->fd, message, sizeof message, NULL, 0);
}

static struct shmv_held *
free_hold(struct shmv_link *link)
{
  for (uint32_t k = 0; k < link->session.welcome.holds; k++)
    if (!atomic_load(&link->held[k].used))
      return &link->held[k];
  return NULL;
}

bool
shmv_link_is_full(struct shmv_link *link)
{
  if (link->view == NULL || free_hold(link) != NULL)
    return false;
  atomic_store(&link->starved, true);
  return free_hold(link) == NULL;
}

uint32_t
shmv_link_n_held(const struct shmv_link *link)
{
  uint32_t n = 0;
  for (uint32_t k = 0; k < link->session.welcome.holds; k++)
    n += atomic_load(&((struct shmv_link *)(uintptr_t)link)->held[k].used);
  return n;
}

bool
shmv_link_has_frame(const struct shmv_link *link)
{
  if (link->view == NULL)
    return false;
  uint32_t head = shmv_load(&link->view->board->head);
  uint32_t last = link->policy == SHMVIDEO_LOSSLESS ? link->cursor - 1
                                                    : link->last;
  return shmv_serial_diff(head, last) > 0 &&
         shmv_serial_diff(head, link->view->first_sequence) >= 0;
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
    case SHMV_HOLD_GONE:
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
  link->n_taken++;
  link->ended = false;
  shmv_store(&page->received, shmv_peek(&page->received) + 1);
  if (skipped > 0)
    shmv_store(&page->skipped, shmv_peek(&page->skipped) + skipped);
  shmv_slot_disarm(page); /* we are awake: no wake for the frames behind it */
  *out_frame = &held->pub;
}

/* Latest: the oldest frame that is still ours by depth and still there. */
static int
take_latest(struct shmv_link *link, bool newest, struct shmv_held *held,
            const struct shmvideo_frame **out_frame)
{
  uint32_t head = shmv_load(&link->view->board->head);
  uint32_t first = head + 1 - link->session.welcome.depth;
  uint32_t sequence = link->last + 1;
  if (shmv_serial_diff(sequence, first) < 0)
    sequence = first;
  if (shmv_serial_diff(sequence, link->view->first_sequence) < 0)
    sequence = link->view->first_sequence;
  if (newest)
    sequence = head;
  for (; shmv_serial_diff(sequence, head) <= 0; sequence++) {
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
  uint32_t skipped = 0;
  int32_t missed = shmv_serial_diff(link->view->first_sequence, link->cursor);
  if (missed > 0) { /* a whole generation went by: more than one format change */
    skipped = (uint32_t)missed;
    link->cursor = link->view->first_sequence;
  }
  int code = hold(link, held, link->cursor);
  if (code <= 0)
    return code;
  link->last = link->cursor++;
  shmv_store(&link->page->cursor, link->cursor);
  nudge(link, link->view->board);
  hand_out(link, held, link->n_taken == 0 ? 0 : skipped, out_frame);
  return 1;
}

int
shmv_link_take(struct shmv_link *link, bool newest,
               const struct shmvideo_frame **out_frame, bool *demoted)
{
  *demoted = false;
  if (!shmv_link_has_frame(link))
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
    link->last = link->cursor - 1;
    *demoted = true;
  }
  return take_latest(link, newest, held, out_frame);
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
  unref(link);
}

/* ---- Changes ------------------------------------------------------------- */

struct shmv_view *
shmv_link_advance(struct shmv_link *link)
{
  struct shmv_view *old = link->view;
  link->view = link->next;
  link->next = NULL;
  if (old == NULL) {
    /* A latecomer begins with the picture of now. */
    link->last = shmv_load(&link->view->board->head) - 1;
    shmv_store(&link->page->cursor, link->cursor);
  }
  return old;
}

int
shmv_link_say_ready(struct shmv_link *link)
{
  struct shmv_message message;
  shmv_reader_session_ready(&link->session, &message);
  int code = say(link, &message);
  return code == -EPIPE || code == -ECONNRESET ? 0 : code;
}

bool
shmv_link_end_is_due(const struct shmv_link *link)
{
  if (!link->ending)
    return false;
  uint32_t last = link->policy == SHMVIDEO_LOSSLESS ? link->cursor - 1
                                                    : link->last;
  return shmv_serial_diff(last, link->end) >= 0 ||
         !shmv_link_has_frame(link);
}
