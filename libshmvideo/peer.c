/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Peers: one reader's connection, as its writer sees it
 *
 * Owns a reader's socket, its page and its place among the claimants, from accept
 * to the end of its process. One rule: whatever a reader does costs it its own
 * connection at most. It is never waited for, nothing is queued for it, and it is
 * taken for dead only when the kernel says so.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caps.h"
#include "closing.h"
#include "text.h"

/* A reader that never says HELLO holds a descriptor of ours: not for ever. */
#define HELLO_TIME UINT64_C(5000000000)

/* Messages taken from one reader in one dispatch: the others want a turn. */
#define MESSAGES_PER_TURN 16

/* What a reader may say beyond answers: see budget.h. A long text costs more, for
 * it takes longer to understand. */
#define BUDGET_MOST 100u
#define BUDGET_RATE 100u
#define BYTES_PER_TOKEN 1024u

/* Lines about readers in the log: they can cause as many as they like. */
#define LINES_MOST 200u
#define LINES_RATE 20u

/* Threads of a reader that let go at once may answer a ticket twice. */
#define NUDGES_PER_TICKET 2u

/* ---- Life ---------------------------------------------------------------- */

static int
poll_add(struct shmvideo_writer *writer, int fd, void *data)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
  return epoll_ctl(writer->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno
                                                                   : 0;
}

/* Closing alone takes a descriptor out of epoll only if nobody else has its file: a
 * child that our process forked would make it tell of a peer that is freed. */
static void
poll_remove(struct shmvideo_writer *writer, int fd)
{
  epoll_ctl(writer->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void
shmv_peer_poll(struct shmvideo_writer *writer, struct shmv_peer *peer,
               uint32_t events)
{
  struct epoll_event event = {.events = events, .data.ptr = peer};
  epoll_ctl(writer->epoll_fd, EPOLL_CTL_MOD, peer->fd, &event);
}

int
shmv_peer_new(struct shmvideo_writer *writer, int fd, struct shmv_peer **out)
{
  struct shmv_peer *peer = calloc(1, sizeof *peer);
  if (peer == NULL) {
    (void)shmv_close_connection(fd);
    return -ENOMEM;
  }
  *out = peer;
  peer->fd = fd;
  peer->page_fd = peer->who.pidfd = -1;
  peer->place = SHMV_MAX_READERS;
  peer->deadline = shmv_now() + HELLO_TIME;
  shmv_budget_init(&peer->budget, BUDGET_MOST, BUDGET_RATE, shmv_now());
  int code = shmv_socket_peer(fd, &peer->who);
  if (code == 0)
    code = poll_add(writer, fd, peer);
  /* A forked child can keep the socket open; the process' own end is what tells
   * that its holds are void. Tagged by the low bit, see dispatch. */
  if (code == 0 && peer->who.pidfd >= 0)
    code = poll_add(writer, peer->who.pidfd, (char *)peer + 1);
  peer->id = ++writer->next_id;
  peer->gone = code < 0;
  return code;
}

void
shmv_peer_unplace(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  uint32_t place = peer->place;
  if (place == SHMV_MAX_READERS)
    return;
  pthread_mutex_lock(&writer->lock);
  writer->placed[place] = NULL;
  memset(&writer->readers[place], 0, sizeof writer->readers[place]);
  peer->place = SHMV_MAX_READERS;
  writer->n_readers--;
  shmv_writer_bound_places(writer);
  bool empty = writer->n_readers == 0;
  pthread_mutex_unlock(&writer->lock);
  if (empty)
    writer->shrink_at = shmv_now() + SHMV_SHRINK_TIME;
}

bool
shmv_peer_free(struct shmvideo_writer *writer, struct shmv_peer *peer, bool last)
{
  poll_remove(writer, peer->fd);
  if (peer->who.pidfd >= 0)
    poll_remove(writer, peer->who.pidfd);
  if (!shmv_close_connection(peer->fd) && !last)
    return false;
  shmv_segment_unmap(peer->page, SHMV_PAGE_SIZE);
  if (peer->page_fd >= 0)
    close(peer->page_fd);
  if (peer->who.pidfd >= 0)
    close(peer->who.pidfd);
  free(peer->accepts);
  free(peer->refusal);
  free(peer);
  return true;
}

/* ---- Breaking and refusing ----------------------------------------------- */

void
shmv_peer_log(struct shmvideo_writer *writer, const struct shmv_peer *peer,
              enum shmvideo_log_level level, const char *format, ...)
{
  char what[512];
  va_list args;
  uint64_t now = shmv_now();
  if (writer->log.func == NULL)
    return;
  if (writer->lines.rate == 0)
    shmv_budget_init(&writer->lines, LINES_MOST, LINES_RATE, now);
  if (!shmv_budget_spend(&writer->lines, 1, now)) {
    writer->n_unsaid++;
    return;
  }
  if (writer->n_unsaid > 0)
    shmv_log(&writer->log, SHMVIDEO_LOG_INFO,
             "%u more lines about readers were left out", writer->n_unsaid);
  writer->n_unsaid = 0;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  shmv_log(&writer->log, level, "reader %llu (pid %d) %s",
           (unsigned long long)peer->id, (int)peer->who.pid, what);
}

/* No frame waits for it any more. It may not have read yet that we parted, and finds a
 * frame gone that it needed: the board says first that this can be. */
static void
keep_nothing(struct shmvideo_writer *writer, const struct shmv_peer *peer)
{
  pthread_mutex_lock(&writer->lock);
  struct shmv_claimant *reader = &writer->readers[peer->place];
  if (reader->lossless && writer->generation != NULL)
    shmv_store(&writer->generation->board->readers[peer->place],
               SHMV_READER_DEMOTED);
  reader->demoted |= reader->lossless;
  reader->lossless = false;
  reader->depth = 0;
  pthread_mutex_unlock(&writer->lock);
}

void
shmv_peer_silence(struct shmvideo_writer *writer, struct shmv_peer *peer,
                  const char *why)
{
  shmv_peer_log(writer, peer, SHMVIDEO_LOG_WARNING, "dropped: %s", why);
  if (peer->place == SHMV_MAX_READERS) { /* it holds nothing */
    peer->gone = true;
    return;
  }
  peer->silenced = true;
  keep_nothing(writer, peer);
  shmv_peer_poll(writer, peer, 0); /* only hang-up is told now */
  shutdown(peer->fd, SHUT_WR);  /* it sees our end; we see its, or its exit */
}

void
shmv_peer_refuse(struct shmvideo_writer *writer, struct shmv_peer *peer,
                 enum shmv_wire_refusal refusal, const char *sentence)
{
  free(peer->refusal);
  peer->refusal = strdup(sentence);
  if (peer->refusal != NULL)
    shmv_text_clean(peer->refusal); /* it may end within a character */
  peer->session.refusal = refusal;
  pthread_mutex_lock(&writer->lock);
  writer->n_refused++;
  pthread_mutex_unlock(&writer->lock);
  shmv_peer_log(writer, peer, SHMVIDEO_LOG_INFO, "refused: %s", sentence);
}

/* ---- Listening ----------------------------------------------------------- */

static int
take_accepts(struct shmv_peer *peer, const struct shmv_message *message)
{
  char *text = strndup(message->text, message->text_size);
  if (text == NULL)
    return -ENOMEM;
  int code = message->text_size == 0 ? 0 : shmv_caps_check(text, NULL);
  if (code < 0) {
    free(text);
    return code;
  }
  free(peer->accepts);
  peer->accepts = message->text_size == 0 ? (free(text), NULL) : text;
  return 0;
}

/* Why a text was not taken: it may be no fault of the reader's, who then may try
 * again. */
static const char *
caps_fault(int code)
{
  return code == -ENOMEM ? "no memory for the caps that it accepts"
                         : "its accepted caps are no caps";
}

static void
say_ready(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  pthread_mutex_lock(&writer->lock);
  writer->readers[peer->place].cursor_valid = true;
  pthread_mutex_unlock(&writer->lock);
}

void
shmv_peer_leave(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  if (peer->place == SHMV_MAX_READERS) {
    peer->gone = true;
    return;
  }
  /* It reads no more, but frames may still be held: until its end. */
  keep_nothing(writer, peer);
}

static void
take_step(struct shmvideo_writer *writer, struct shmv_peer *peer, int step,
          const struct shmv_message *message)
{
  int code;
  switch (step) {
    case SHMV_STEP_HELLO:
      if ((code = take_accepts(peer, message)) < 0)
        shmv_peer_silence(writer, peer, caps_fault(code));
      else
        shmv_peer_admit(writer, peer);
      break;
    case SHMV_STEP_MAPPED:
      if (shmv_segment_seal_page(peer->page_fd) < 0) {
        shmv_peer_silence(writer, peer, "its page could not be sealed");
        break;
      }
      close(peer->page_fd);
      peer->page_fd = -1;
      break;
    case SHMV_STEP_READY:
      say_ready(writer, peer);
      peer->may_choose = true;
      break;
    case SHMV_STEP_ACCEPTS:
      code = take_accepts(peer, message);
      if (code == -ENOMEM)
        shmv_peer_refuse(writer, peer, SHMV_REFUSED_MEMORY, caps_fault(code));
      else if (code < 0)
        shmv_peer_silence(writer, peer, caps_fault(code));
      peer->judged = 0;
      break;
    case SHMV_STEP_BYE:
      shmv_peer_leave(writer, peer);
      break;
    default: /* NUDGE: waiters look after every dispatch */
      break;
  }
}

/* An empty read is the end only if poll says so too: an empty datagram or half a
 * close is a broken rule. */
static bool
hung_up(const struct shmv_peer *peer)
{
  struct pollfd pollfd = {.fd = peer->fd};
  int n;
  do
    n = poll(&pollfd, 1, 0);
  while (n < 0 && errno == EINTR);
  return n > 0 && (pollfd.revents & (POLLHUP | POLLERR)) != 0;
}

/* NUDGE answers a ticket, READY a FORMAT; and who has seen another format may say once
 * what else he would like. Nothing else is asked for. */
static bool
is_answer(struct shmvideo_writer *writer, struct shmv_peer *peer, uint32_t type)
{
  const struct shmv_writer_session *session = &peer->session;
  bool may_choose = peer->may_choose;
  uint32_t ticket;
  switch (type) {
    case SHMV_READY:
      return session->sent_generation != session->ready_generation;
    case SHMV_ACCEPTS:
      peer->may_choose = false;
      return may_choose;
    case SHMV_NUDGE:
      pthread_mutex_lock(&writer->lock);
      ticket = writer->ticket;
      pthread_mutex_unlock(&writer->lock);
      return shmv_budget_answer(&peer->budget, ticket, NUDGES_PER_TICKET);
    default:
      return false;
  }
}

/* One message; false: no more now. */
static bool
receive_one(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message;
  size_t size;
  int code = shmv_socket_recv(peer->fd, bytes, sizeof bytes, &size, NULL, 0,
                              NULL);
  if (code == -EAGAIN || code == -ENOMEM)
    return false; /* nothing, or nothing to take it with: it is told again */
  if (code == -ECONNRESET || code == -EPIPE) { /* its end, not a fault */
    peer->gone = true;
    return false;
  }
  if (code == 0 && size == 0 && hung_up(peer)) {
    peer->gone = true;
    return false;
  }
  if (code == 0)
    code = shmv_wire_decode(&message, bytes, size);
  if ((code == 0 || code == -ENOMSG) &&
      !is_answer(writer, peer, message.type) &&
      !shmv_budget_spend(&peer->budget, 1 + (uint32_t)size / BYTES_PER_TOKEN,
                         shmv_now())) {
    shmv_peer_silence(writer, peer, shmvideo_strerror(-EXFULL));
    return false;
  }
  if (code == -ENOMSG)
    return true;
  if (code == 0)
    code = shmv_writer_session_take(&peer->session, &message);
  if (code >= 0) {
    take_step(writer, peer, code, &message);
    /* One NUDGE is all that a ticket brings: what may follow it is told again. */
    return !peer->gone && !peer->silenced && message.type != SHMV_NUDGE;
  }
  if (code == -EPROTONOSUPPORT) {
    shmv_peer_refuse(writer, peer, SHMV_REFUSED_VERSION,
           "the writer speaks protocol version 1 only");
    return false;
  }
  shmv_peer_silence(writer, peer, shmvideo_strerror(code));
  return false;
}

void
shmv_peer_receive(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  for (int i = 0; i < MESSAGES_PER_TURN; i++)
    if (peer->gone || peer->silenced || !receive_one(writer, peer))
      return;
}
