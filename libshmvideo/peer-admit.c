/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Peers: letting a reader in
 *
 * Owns who gets a place and how many holds. One rule: what is granted here the
 * pool can hold, whatever all readers do with it, or the newcomer is refused.
 */

#include "os.h"

#include "writer.h"

#include <string.h>

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
  uint32_t used = shmv_readers_need(writer->readers, writer->n_places, &wish,
                                    n_out);
  if (used >= n_slots || n_slots - used < hello->holds_min)
    return 0;
  uint32_t room = n_slots - used;
  return room < hello->holds_want ? room : hello->holds_want;
}

static uint32_t
wished_alignment(const struct shmv_hello *hello)
{
  uint32_t bits = hello->flags >> SHMV_HELLO_ALIGN_SHIFT & SHMV_HELLO_ALIGN_MASK;
  return 1u << (bits < SHMV_HELLO_ALIGN_MOST ? bits : SHMV_HELLO_ALIGN_MOST);
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
      .align = wished_alignment(hello),
      .lossless = lossless,
      .floor = floor};
  if (writer->generation != NULL)
    shmv_store(&writer->generation->board->readers[index], SHMV_READER_NORMAL);
  writer->placed[index] = peer;
  writer->n_readers++;
  shmv_writer_bound_places(writer);
  peer->place = index;
  peer->budget.seen = writer->ticket; /* those before were not for it */
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
    if (writer->generation != NULL)
      shmv_generation_hope(writer->generation);
    uint32_t holds = grant_holds(writer, &peer->session.hello);
    refusal = holds == 0 ? SHMV_REFUSED_MEMORY : SHMV_NOT_REFUSED;
    if (holds != 0)
      place(writer, peer, index, holds);
  }
  pthread_mutex_unlock(&writer->lock);
  return refusal;
}

void
shmv_peer_admit(struct shmvideo_writer *writer, struct shmv_peer *peer)
{
  int code = shmv_segment_create_page((const void **)&peer->page,
                                      &peer->page_fd);
  if (code < 0) {
    shmv_peer_refuse(writer, peer, SHMV_REFUSED_MEMORY, strerror(-code));
    return;
  }
  switch (find_place(writer, peer)) {
    case SHMV_NOT_REFUSED:
      break;
    case SHMV_REFUSED_READERS:
      shmv_peer_refuse(writer, peer, SHMV_REFUSED_READERS,
             "the writer has as many readers as it allows");
      return;
    default:
      shmv_peer_refuse(writer, peer, SHMV_REFUSED_MEMORY,
             "the writer's frame memory (max-memory) cannot hold what one more "
             "reader may keep");
      return;
  }
  writer->shrink_at = 0;
  shmv_writer_session_admit(&peer->session);
  shmv_peer_log(writer, peer, SHMVIDEO_LOG_INFO, "came: depth %u, %u holds",
                peer->session.welcome.depth, peer->session.welcome.holds);
}

/* The reader that came last of those still counted, or NULL. */
static struct shmv_peer *
find_last(const struct shmvideo_writer *writer,
          const struct shmv_claimant *counted)
{
  struct shmv_peer *last = NULL;
  for (uint32_t i = 0; i < SHMV_MAX_READERS; i++)
    if (writer->placed[i] != NULL && counted[i].page != NULL &&
        (last == NULL || writer->placed[i]->id > last->id))
      last = writer->placed[i];
  return last;
}

void
shmv_peer_shed(struct shmvideo_writer *writer,
               const struct shmv_generation *generation)
{
  struct shmv_claimant counted[SHMV_MAX_READERS];
  struct shmv_peer *last;
  pthread_mutex_lock(&writer->lock);
  memcpy(counted, writer->readers, sizeof counted);
  uint32_t n_slots = generation->n_slots;
  uint32_t n_out = generation->n_out;
  pthread_mutex_unlock(&writer->lock);
  /* Who was refused before, or left, counts no more: its slots come back. */
  for (uint32_t i = 0; i < SHMV_MAX_READERS; i++)
    if (writer->placed[i] != NULL &&
        (writer->placed[i]->session.state == SHMV_W_LEAVING ||
         writer->placed[i]->session.refusal != 0))
      counted[i].page = NULL;
  while (shmv_readers_need(counted, SHMV_MAX_READERS, NULL, n_out) > n_slots &&
         (last = find_last(writer, counted)) != NULL) {
    counted[last->place].page = NULL;
    shmv_peer_refuse(writer, last, SHMV_REFUSED_MEMORY,
                     "the writer has no memory for what one more reader may "
                     "keep");
    shmv_writer_kick(writer); /* to say so */
  }
}
