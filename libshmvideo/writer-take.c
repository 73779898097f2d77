/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's frame path: take a slot. Any thread. Its only system calls are to ask
 * dispatch for more memory, and to make it itself when there is no slot until then.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "testpoint.h"

void
shmv_writer_kick(struct shmvideo_writer *writer)
{
  eventfd_write(writer->kick_fd, 1);
}

/* A place that another thread has begun to grow may be all that keeps a claim from
 * succeeding. Nobody waits for that thread: giving memory twice does no harm. */
static void
help_growing(struct shmvideo_writer *writer, struct shmv_generation *generation)
{
  pthread_mutex_lock(&writer->lock);
  uint32_t place = generation->claims.active;
  bool begun = place < generation->next_place && place < generation->n_slots;
  pthread_mutex_unlock(&writer->lock);
  if (!begun)
    return;
  int code = shmv_generation_grow(generation, place);
  pthread_mutex_lock(&writer->lock);
  shmv_generation_grown(generation, place, code);
  pthread_mutex_unlock(&writer->lock);
}

/* With the lock: whether a lossless reader that follows us has not been sent the
 * present format. Were the format to change again, it would never see the frames
 * between. Who was not sent any format yet is still on his way in. */
static bool
is_untold(const struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < writer->n_places; i++) {
    const struct shmv_claimant *reader = &writer->readers[i];
    if (reader->page != NULL && reader->lossless && !reader->broken &&
        reader->told != 0 && reader->told != writer->generation->number)
      return true;
  }
  return false;
}

/* With the lock. 1 taken, 0 none; *blocked: lossless readers need the rest. */
static int
claim(struct shmvideo_writer *writer, struct shmvideo_slot **out_slot,
      bool *blocked)
{
  struct shmv_generation *generation = writer->generation;
  uint32_t index;
  *blocked = is_untold(writer);
  if (*blocked)
    return 0;
  switch (shmv_slot_claim(&generation->claims, &index)) {
    case SHMV_CLAIM_OK:
      break;
    case SHMV_CLAIM_LOSSLESS:
      *blocked = true;
      return 0;
    default:
      return 0;
  }
  struct shmv_slot_handle *handle = &generation->handles[index];
  handle->pub.data = generation->pool.data + index * generation->slot_size;
  handle->pub.size = generation->slot_size;
  handle->pub.generation = generation->number;
  handle->writer = writer;
  handle->generation = generation;
  handle->index = index;
  handle->state = SHMV_SLOT_TAKEN;
  generation->n_out++;
  generation->refs++;
  writer->refs++;
  *out_slot = &handle->pub;
  return 1;
}

/* Dispatch disconnects readers that a claim found to break the rules. */
static bool
any_broken(const struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < writer->n_places; i++)
    if (writer->readers[i].broken)
      return true;
  return false;
}

/* With the lock: how many slots may be out. Lent ones leave enough for the readers
 * and for our own copies, or frames would be dropped for want of a slot. */
static uint32_t
max_out(const struct shmvideo_writer *writer, uint32_t extra)
{
  const struct shmv_generation *generation = writer->generation;
  uint32_t kept =
      shmv_readers_need(writer->readers, writer->n_places, NULL, 0) +
      SHMV_COPY_RESERVE;
  uint32_t room =
      generation->n_slots > kept ? generation->n_slots - kept : 1;
  uint32_t lent = writer->config.max_lent;
  return (lent < room ? lent : room) + extra;
}

int
shmv_writer_take(struct shmvideo_writer *writer, uint32_t extra,
                 struct shmvideo_slot **out_slot, bool *blocked)
{
  *out_slot = NULL;
  *blocked = false;
  for (;;) {
    pthread_mutex_lock(&writer->lock);
    struct shmv_generation *generation = writer->generation;
    if (generation == NULL || writer->closed) {
      pthread_mutex_unlock(&writer->lock);
      return -EINVAL;
    }
    if (generation->n_out >= max_out(writer, extra)) {
      pthread_mutex_unlock(&writer->lock);
      return 0;
    }
    int code = claim(writer, out_slot, blocked);
    uint32_t n_out = generation->n_out;
    /* By the count there is a slot when all that have a right have memory. Giving it
     * is dispatch's work, and ours only if there is no slot until then. */
    bool grow = code == 0 && !*blocked &&
                generation->claims.active <
                    shmv_generation_needs(generation, writer->readers, n_out + 1);
    bool missing = generation->next_place <
                   shmv_generation_needs(generation, writer->readers, n_out);
    bool kick = any_broken(writer) || (missing && !writer->growth_asked);
    writer->growth_asked |= missing;
    if (grow)
      generation->refs++;
    pthread_mutex_unlock(&writer->lock);
    if (kick)
      shmv_writer_kick(writer);
    if (!grow)
      return code;
    if (shmv_writer_grow(writer, generation, 1, 1) == 0)
      help_growing(writer, generation);
    shmv_writer_unref_generation(writer, generation);
  }
}

int
shmvideo_writer_acquire(struct shmvideo_writer *writer,
                        struct shmvideo_slot **out_slot)
{
  bool blocked;
  return shmv_writer_take(writer, 0, out_slot, &blocked);
}
