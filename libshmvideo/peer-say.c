/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Peers: what a reader is told
 *
 * Owns what goes out on the control path. One rule: nothing is queued; what a
 * reader is still to be told are flags in its session, said when there is room.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

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
  bool fits = shmv_readers_need(earlier, SHMV_MAX_READERS, NULL, 1) <=
              generation->n_slots;
  if (!fits && peer->place != SHMV_MAX_READERS) {
    writer->readers[peer->place].n_holds = 0; /* it has none in this one */
    writer->readers[peer->place].depth = 0;
  }
  pthread_mutex_unlock(&writer->lock);
  if (!fits)
    shmv_peer_refuse(writer, peer, SHMV_REFUSED_MEMORY,
           "frames of the new format are too large for so many readers "
           "(max-memory)");
  return fits;
}

/* FORMAT's body and descriptors; false if the reader cannot take it, or not yet. */
static bool
add_format(struct shmvideo_writer *writer, struct shmv_peer *peer,
           const struct shmv_generation *generation,
           struct shmv_message *message, int *fds)
{
  if (!shmv_peer_fits(writer, peer, generation) ||
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
    return peer->session.refusal != 0; /* that is said next */
  uint32_t size = shmv_wire_encode(&message, bytes);
  int code = shmv_socket_send(peer->fd, bytes, size, fds,
                              shmv_wire_n_fds(message.type));
  if (code == 0) {
    shmv_writer_session_sent(&peer->session, &message);
    if (message.type == SHMV_FORMAT && peer->place != SHMV_MAX_READERS) {
      pthread_mutex_lock(&writer->lock);
      writer->readers[peer->place].told = number;
      pthread_mutex_unlock(&writer->lock);
    }
    if (message.type == SHMV_REFUSED) {
      shmv_peer_leave(writer, peer);
      shmv_writer_kick(writer); /* to be reaped, if it holds nothing */
    }
  }
  return code < 0 ? code : 1;
}

/* The wake that a frame had no room for. 0, or <0: there still is none. */
static int
say_wake(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  pthread_mutex_lock(&writer->lock);
  bool owed = peer->owed;
  peer->owed = false;
  pthread_mutex_unlock(&writer->lock);
  int code = owed ? shmv_writer_wake(peer) : 0;
  if (code != -ENOMEM)
    return 0;
  pthread_mutex_lock(&writer->lock);
  peer->owed = true;
  pthread_mutex_unlock(&writer->lock);
  return code;
}

void
shmv_peer_say(struct shmvideo_writer *writer, struct shmv_peer *peer,
              const struct shmv_generation *generation)
{
  int code;
  if (generation != NULL && peer->session.state == SHMV_W_LIVE &&
      peer->session.sent_generation == generation->number)
    shmv_peer_fits(writer, peer, generation); /* or not any more */
  do
    code = peer->gone || peer->silenced ? 0
                                        : say_one(writer, peer, generation);
  while (code > 0);
  if (code == 0 && !peer->gone && !peer->silenced)
    code = say_wake(writer, peer);
  /* What did not fit stays a flag in the session, until there is room. */
  bool full = code == -EAGAIN;
  if (full != peer->wants_output && !peer->gone && !peer->silenced) {
    shmv_peer_poll(writer, peer, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
    peer->wants_output = full;
  }
  /* The system is out of something; poll would say at once that there is room. */
  if (code == -ETOOMANYREFS || code == -ENOMEM)
    writer->say_again = shmv_now() + SHMV_SAY_PAUSE;
  /* Any other failure is a hang-up, which poll will tell. */
}
