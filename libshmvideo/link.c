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
#include <sys/socket.h>
#include <unistd.h>

#include "closing.h"
#include "segment.h"
#include "text.h"

/* Messages taken at one go; an honest writer never has so many under way. */
#define MESSAGES_PER_TURN 64

/* What a writer may say beyond so many messages a frame: see budget.h. Much, since
 * it wakes us for frames of a format that we have not heard of yet, and lets formats
 * follow each other without a frame. A format is dear, as it is mapped. */
#define BUDGET_MOST 10000u
#define BUDGET_RATE 2000u
#define MESSAGES_PER_FRAME 2u
#define FORMAT_COST 10u

/* ---- Life ---------------------------------------------------------------- */

static void
close_all(const int *fds, unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    shmv_close_received(fds[i]);
}

/* Take an unread message out of a socket; false: none is left. */
static bool
take_out(int fd)
{
  int fds[SHMV_MAX_FDS];
  unsigned n_fds = 0;
  uint8_t byte;
  size_t size = 0;
  int code = shmv_socket_recv(fd, &byte, 1, &size, fds, SHMV_MAX_FDS, &n_fds);
  if (code == 0)
    close_all(fds, n_fds);
  return code == 0 ? size > 0 : code == -EMSGSIZE || code == -ECONNRESET;
}

/* What an honest writer has sent and we have not read may have descriptors, of memory:
 * taken out first, they are no reason to close the socket elsewhere. */
static void
close_socket(int fd)
{
  shutdown(fd, SHUT_RDWR);
  for (int i = 0; i < MESSAGES_PER_TURN && take_out(fd); i++)
    ;
  if (!shmv_close_connection(fd))
    close(fd);
}

void
shmv_link_unref(struct shmv_link *link)
{
  if (atomic_fetch_sub(&link->refs, 1) != 1)
    return;
  shmv_view_unref(link->view);
  shmv_view_unref(link->next);
  shmv_segment_unmap(link->page, SHMV_PAGE_SIZE);
  close_socket(link->fd);
  if (link->release_fd >= 0)
    close(link->release_fd);
  if (link->who.pidfd >= 0)
    close(link->who.pidfd);
  free(link);
}

int
shmv_link_say(struct shmv_link *link, const struct shmv_message *message)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = shmv_wire_encode(message, bytes);
  int code = size != 0 ? shmv_socket_send(link->fd, bytes, size, NULL, 0)
                       : -EMSGSIZE;
  if (code < 0)
    link->session.serial_out--; /* the BYE that may follow is in its place */
  return code;
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
  shmv_budget_init(&link->budget, BUDGET_MOST, BUDGET_RATE, shmv_now());
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
    code = shmv_link_say(link, &message);
  if (code < 0) {
    shmv_link_unref(link);
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
    (void)shmv_link_say(link, &message); /* if it does not fit, hang-up says the same */
  }
  shmv_link_unref(link);
}

/* ---- Listening ----------------------------------------------------------- */

static int
take_page(struct shmv_link *link, int fd)
{
  void *page;
  struct shmv_message answer;
  int code = shmv_segment_map_page(fd, &page);
  shmv_close_received(fd);
  if (code < 0)
    return code;
  link->page = page;
  shmv_reader_session_mapped(&link->session, &answer);
  return shmv_link_say(link, &answer);
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
  shmv_text_clean(link->refusal_text);
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
    case SHMV_STEP_BYE:
      link->hung_up = true; /* or will be soon, if it means what it says */
      return 0;
    default:
      return 0;
  }
}

/* An empty read is the end only if poll says so too. */
static bool
hung_up(const struct shmv_link *link)
{
  struct pollfd pollfd = {.fd = link->fd};
  int n;
  do
    n = poll(&pollfd, 1, 0);
  while (n < 0 && errno == EINTR);
  return n > 0 && (pollfd.revents & (POLLHUP | POLLERR)) != 0;
}

static bool
is_affordable(struct shmv_link *link, uint32_t type)
{
  const struct shmv_view *view = link->next != NULL ? link->next : link->view;
  uint32_t head = view != NULL ? shmv_load(&view->board->head) : 0;
  return shmv_budget_answer(&link->budget, head, MESSAGES_PER_FRAME) ||
         shmv_budget_spend(&link->budget, type == SHMV_FORMAT ? FORMAT_COST : 1,
                           shmv_now());
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
  if (code == -ECONNRESET) /* it left without reading all; told once, and before
                            * its last words, which are still there */
    return 1;
  if (code == -EPIPE || (code == 0 && size == 0 && hung_up(link))) {
    link->hung_up = true;
    return 0;
  }
  if (code < 0)
    return code;
  code = shmv_wire_decode(&message, bytes, size);
  if (code == 0 && n_fds != shmv_wire_n_fds(message.type))
    code = -EBADMSG;
  if (code != -EBADMSG && !is_affordable(link, message.type))
    code = -EXFULL;
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
