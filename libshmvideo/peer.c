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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "caps.h"

/* A reader that never says HELLO holds a descriptor of ours: not for ever. */
#define HELLO_TIME UINT64_C(5000000000)

/* Messages taken from one reader in one dispatch: the others want a turn. */
#define MESSAGES_PER_TURN 16

/* ---- Life ---------------------------------------------------------------- */

static int
poll_add(struct shmvideo_writer *writer, int fd, void *data)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
  return epoll_ctl(writer->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno
                                                                   : 0;
}

static void
poll_change(struct shmvideo_writer *writer, struct shmv_peer *peer,
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
    close(fd);
    return -ENOMEM;
  }
  peer->fd = fd;
  peer->page_fd = peer->who.pidfd = -1;
  peer->place = SHMV_MAX_READERS;
  peer->deadline = shmv_now() + HELLO_TIME;
  int code = shmv_socket_peer(fd, &peer->who);
  if (code == 0)
    code = poll_add(writer, fd, peer);
  /* A forked child can keep the socket open; the process' own end is what tells
   * that its holds are void. Tagged by the low bit, see dispatch. */
  if (code == 0 && peer->who.pidfd >= 0)
    code = poll_add(writer, peer->who.pidfd, (char *)peer + 1);
  if (code < 0) {
    shmv_peer_free(writer, peer);
    return code;
  }
  peer->id = ++writer->next_id;
  *out = peer;
  return 0;
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
  bool empty = writer->n_readers == 0;
  pthread_mutex_unlock(&writer->lock);
  if (empty)
    writer->shrink_at = shmv_now() + SHMV_SHRINK_TIME;
}

void
shmv_peer_free(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  (void)writer; /* closing takes a descriptor out of epoll */
  shmv_segment_unmap(peer->page, SHMV_PAGE_SIZE);
  close(peer->fd);
  if (peer->page_fd >= 0)
    close(peer->page_fd);
  if (peer->who.pidfd >= 0)
    close(peer->who.pidfd);
  free(peer->accepts);
  free(peer->refusal);
  free(peer);
}

/* ---- Breaking and refusing ----------------------------------------------- */

void
shmv_peer_silence(struct shmvideo_writer *writer, struct shmv_peer *peer,
                  const char *why)
{
  shmv_log(&writer->log, SHMVIDEO_LOG_WARNING,
           "reader %llu (pid %d) dropped: %s", (unsigned long long)peer->id,
           (int)peer->who.pid, why);
  if (peer->place == SHMV_MAX_READERS) { /* it holds nothing */
    peer->gone = true;
    return;
  }
  peer->silenced = true;
  pthread_mutex_lock(&writer->lock);
  writer->readers[peer->place].lossless = false;
  writer->readers[peer->place].depth = 0;
  pthread_mutex_unlock(&writer->lock);
  poll_change(writer, peer, 0); /* only hang-up is told now */
  shutdown(peer->fd, SHUT_WR);  /* it sees our end; we see its, or its exit */
}

static void
refuse(struct shmvideo_writer *writer, struct shmv_peer *peer,
       enum shmv_wire_refusal refusal, const char *sentence)
{
  free(peer->refusal);
  peer->refusal = strdup(sentence);
  peer->session.refusal = refusal;
  pthread_mutex_lock(&writer->lock);
  writer->n_refused++;
  pthread_mutex_unlock(&writer->lock);
  shmv_log(&writer->log, SHMVIDEO_LOG_INFO,
           "reader %llu (pid %d) refused: %s", (unsigned long long)peer->id,
           (int)peer->who.pid, sentence);
}

/* ---- Admission ----------------------------------------------------------- */

/* With the lock: how many holds it can have, 0: not even the fewest it needs. */
static uint32_t
grant_holds(struct shmvideo_writer *writer, const struct shmv_hello *hello)
{
  const struct shmv_generation *generation = writer->generation;
  struct shmv_claimant wish = {.depth = hello->depth};
  uint32_t n_slots = generation != NULL ? generation->n_slots : SHMV_MAX_SLOTS;
  uint32_t n_out = generation != NULL && generation->n_out > 0
                       ? generation->n_out
                       : 1;
  uint32_t used = shmv_readers_need(writer->readers, &wish, n_out);
  if (used >= n_slots || n_slots - used < hello->holds_min)
    return 0;
  uint32_t room = n_slots - used;
  return room < hello->holds_want ? room : hello->holds_want;
}

static void
place(struct shmvideo_writer *writer, struct shmv_peer *peer, uint32_t index,
      uint32_t holds)
{
  const struct shmv_hello *hello = &peer->session.hello;
  bool lossless = hello->policy == SHMVIDEO_LOSSLESS &&
                  writer->config.backpressure != 0;
  uint32_t floor = writer->sequence > 0 ? (uint32_t)writer->sequence : 1;
  writer->readers[index] = (struct shmv_claimant){
      .page = peer->page,
      .n_holds = holds,
      .depth = hello->depth,
      .lossless = lossless,
      .floor = floor};
  if (writer->generation != NULL)
    shmv_store(&writer->generation->board->readers[index], SHMV_READER_NORMAL);
  writer->placed[index] = peer;
  writer->n_readers++;
  peer->place = index;
  peer->ends_told = writer->n_ends;
  peer->session.welcome = (struct shmv_welcome){
      .version = SHMV_WIRE_VERSION,
      .policy = lossless ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST,
      .reader = index,
      .stream = writer->stream,
      .depth = hello->depth,
      .holds = holds,
      .floor = floor};
}

/* A place and a grant, or why not. */
static enum shmv_wire_refusal
find_place(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  enum shmv_wire_refusal refusal = SHMV_REFUSED_READERS;
  pthread_mutex_lock(&writer->lock);
  uint32_t index = 0;
  while (index < writer->config.max_readers && writer->placed[index] != NULL)
    index++;
  if (index < writer->config.max_readers) {
    uint32_t holds = grant_holds(writer, &peer->session.hello);
    refusal = holds == 0 ? SHMV_REFUSED_MEMORY : SHMV_NOT_REFUSED;
    if (holds != 0)
      place(writer, peer, index, holds);
  }
  pthread_mutex_unlock(&writer->lock);
  return refusal;
}

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

static void
admit(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  int code = shmv_segment_create_page((const void **)&peer->page,
                                      &peer->page_fd);
  if (code < 0) {
    refuse(writer, peer, SHMV_REFUSED_MEMORY, strerror(-code));
    return;
  }
  switch (find_place(writer, peer)) {
    case SHMV_NOT_REFUSED:
      break;
    case SHMV_REFUSED_READERS:
      refuse(writer, peer, SHMV_REFUSED_READERS,
             "the writer has as many readers as it allows");
      return;
    default:
      refuse(writer, peer, SHMV_REFUSED_MEMORY,
             "the writer's frame memory (max-memory) cannot hold what one more "
             "reader may keep");
      return;
  }
  writer->shrink_at = 0;
  shmv_writer_session_admit(&peer->session);
  shmv_log(&writer->log, SHMVIDEO_LOG_INFO,
           "reader %llu (pid %d): depth %u, %u holds",
           (unsigned long long)peer->id, (int)peer->who.pid,
           peer->session.welcome.depth, peer->session.welcome.holds);
}

/* ---- Listening ----------------------------------------------------------- */

static void
say_ready(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  pthread_mutex_lock(&writer->lock);
  writer->readers[peer->place].cursor_valid = true;
  pthread_mutex_unlock(&writer->lock);
}

static void
leave(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  if (peer->place == SHMV_MAX_READERS) {
    peer->gone = true;
    return;
  }
  /* It reads no more, but frames may still be held: until its end. */
  pthread_mutex_lock(&writer->lock);
  writer->readers[peer->place].lossless = false;
  writer->readers[peer->place].depth = 0;
  pthread_mutex_unlock(&writer->lock);
}

static void
take_step(struct shmvideo_writer *writer, struct shmv_peer *peer, int step,
          const struct shmv_message *message)
{
  switch (step) {
    case SHMV_STEP_HELLO:
      if (take_accepts(peer, message) < 0)
        shmv_peer_silence(writer, peer, "its accepted caps are no caps");
      else
        admit(writer, peer);
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
      break;
    case SHMV_STEP_ACCEPTS:
      if (take_accepts(peer, message) < 0)
        shmv_peer_silence(writer, peer, "its accepted caps are no caps");
      peer->recheck = true;
      break;
    case SHMV_STEP_BYE:
      leave(writer, peer);
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
  return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLHUP | POLLERR)) != 0;
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
  if (code == -EAGAIN)
    return false;
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
  if (code == -ENOMSG)
    return true;
  if (code == 0)
    code = shmv_writer_session_take(&peer->session, &message);
  if (code >= 0) {
    take_step(writer, peer, code, &message);
    return !peer->gone && !peer->silenced;
  }
  if (code == -EPROTONOSUPPORT) {
    refuse(writer, peer, SHMV_REFUSED_VERSION,
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

/* ---- Saying -------------------------------------------------------------- */

/* Whether the reader can take this generation's format; if not it is refused. */
static bool
acceptable(struct shmvideo_writer *writer, struct shmv_peer *peer,
           const struct shmv_generation *generation)
{
  peer->recheck = false;
  if (peer->accepts == NULL ||
      shmv_caps_accept(peer->accepts, generation->caps, NULL) > 0)
    return true;
  char sentence[1024];
  snprintf(sentence, sizeof sentence,
           "the writer's format is %.480s, the reader takes only %.480s",
           generation->caps, peer->accepts);
  refuse(writer, peer, SHMV_REFUSED_FORMAT, sentence);
  return false;
}

/* A new format's frames can be too large for all grants: the last to come goes. */
static bool
affordable(struct shmvideo_writer *writer, struct shmv_peer *peer,
           const struct shmv_generation *generation)
{
  struct shmv_claimant earlier[SHMV_MAX_READERS];
  pthread_mutex_lock(&writer->lock);
  memcpy(earlier, writer->readers, sizeof earlier);
  for (uint32_t i = 0; i < SHMV_MAX_READERS; i++)
    if (writer->placed[i] != NULL && writer->placed[i]->id > peer->id)
      earlier[i].page = NULL;
  bool fits = shmv_readers_need(earlier, NULL, 1) <= generation->n_slots;
  if (!fits && peer->place != SHMV_MAX_READERS) {
    writer->readers[peer->place].n_holds = 0; /* it has none in this one */
    writer->readers[peer->place].depth = 0;
  }
  pthread_mutex_unlock(&writer->lock);
  if (!fits)
    refuse(writer, peer, SHMV_REFUSED_MEMORY,
           "frames of the new format are too large for so many readers "
           "(max-memory)");
  return fits;
}

/* FORMAT's body and descriptors; or a refusal, if the reader cannot take it. */
static bool
add_format(struct shmvideo_writer *writer, struct shmv_peer *peer,
           const struct shmv_generation *generation,
           struct shmv_message *message, int *fds)
{
  if (!acceptable(writer, peer, generation) ||
      !affordable(writer, peer, generation))
    return false;
  message->u.format = (struct shmv_format_message){
      .generation = generation->number,
      .n_slots = generation->board->n_slots,
      .slot_size = generation->slot_size,
      .pool_size = generation->pool.size,
      .board_size = SHMV_BOARD_SIZE,
      .format = generation->format};
  message->text = generation->caps;
  message->text_size = (uint32_t)strlen(generation->caps);
  fds[0] = generation->pool.fd;
  fds[1] = generation->board_segment.fd;
  return true;
}

static bool
complete(struct shmvideo_writer *writer, struct shmv_peer *peer,
         const struct shmv_generation *generation,
         struct shmv_message *message, int *fds)
{
  switch (message->type) {
    case SHMV_PAGE:
      fds[0] = peer->page_fd;
      return true;
    case SHMV_FORMAT:
      return add_format(writer, peer, generation, message, fds);
    case SHMV_REFUSED:
      message->text = peer->refusal != NULL ? peer->refusal : "";
      message->text_size = (uint32_t)strlen(message->text);
      return true;
    default:
      return true;
  }
}

/* One message out. 1 said, 0 nothing to say, <0 could not. */
static int
say_one(struct shmvideo_writer *writer, struct shmv_peer *peer,
        const struct shmv_generation *generation)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message;
  int fds[2];
  uint32_t number = generation != NULL ? generation->number : 0;
  if (!shmv_writer_session_next(&peer->session, number, &message))
    return 0;
  if (!complete(writer, peer, generation, &message, fds))
    return 1; /* became a refusal: that is said next */
  uint32_t size = shmv_wire_encode(&message, bytes);
  int code = shmv_socket_send(peer->fd, bytes, size, fds,
                              shmv_wire_n_fds(message.type));
  if (code == 0) {
    shmv_writer_session_sent(&peer->session, &message);
    if (message.type == SHMV_REFUSED) {
      leave(writer, peer);
      shmv_writer_kick(writer); /* to be reaped, if it holds nothing */
    }
  }
  return code < 0 ? code : 1;
}

void
shmv_peer_say(struct shmvideo_writer *writer, struct shmv_peer *peer,
              const struct shmv_generation *generation)
{
  int code;
  if (peer->recheck && generation != NULL &&
      peer->session.sent_generation == generation->number)
    acceptable(writer, peer, generation);
  do
    code = peer->gone || peer->silenced ? 0
                                        : say_one(writer, peer, generation);
  while (code > 0);
  /* What did not fit stays a flag in the session, until there is room. */
  bool full = code == -EAGAIN || code == -ETOOMANYREFS;
  if (full != peer->wants_output && !peer->gone && !peer->silenced) {
    poll_change(writer, peer, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
    peer->wants_output = full;
  }
  /* Any other failure is a hang-up, which poll will tell. */
}
