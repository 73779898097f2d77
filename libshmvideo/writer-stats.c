/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* What a writer counts, and what its readers say of themselves. */

#include "os.h"

#include "writer.h"

#include <string.h>

/* Frames may double for the sake of an alignment; small ones grow to so many bytes, if
 * so many fit into max_memory. */
#define MOST_PADDED 65536u
#define FEWEST_PADDED 16u

uint32_t
shmv_writer_alignment(const struct shmvideo_writer *writer)
{
  uint32_t align = 1;
  for (uint32_t i = 0; i < SHMV_MAX_READERS; i++)
    if (writer->readers[i].page != NULL && writer->readers[i].align > align)
      align = writer->readers[i].align;
  return align;
}

bool
shmv_writer_may_grow(uint64_t max_memory, uint64_t size, uint64_t aligned)
{
  if (aligned <= 2 * size)
    return true;
  return aligned <= MOST_PADDED &&
         (max_memory == 0 || aligned <= max_memory / FEWEST_PADDED);
}

uint32_t
shmvideo_writer_get_n_readers(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  uint32_t n = writer->n_readers;
  pthread_mutex_unlock(&writer->lock);
  return n;
}

void
shmvideo_writer_get_stats(struct shmvideo_writer *writer,
                          struct shmvideo_writer_stats *out)
{
  memset(out, 0, sizeof *out);
  pthread_mutex_lock(&writer->lock);
  out->frames = writer->n_frames;
  out->bytes = writer->n_bytes;
  out->refused = writer->n_refused;
  out->n_readers = writer->n_readers;
  out->stride_align = shmv_writer_alignment(writer);
  if (writer->generation != NULL) {
    out->memory = shmv_generation_memory(writer->generation);
    out->slots_active = writer->generation->claims.active;
    out->slots_out = writer->generation->n_out;
  }
  pthread_mutex_unlock(&writer->lock);
}

static void
describe(const struct shmv_peer *peer, const struct shmv_claimant *reader,
         struct shmvideo_reader_info *out)
{
  memset(out, 0, sizeof *out);
  out->id = peer->id;
  out->pid = (int)peer->who.pid;
  out->uid = peer->who.uid;
  out->policy = reader->lossless ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST;
  out->depth = reader->depth;
  out->max_holds = reader->n_holds;
  out->received = shmv_peek(&reader->page->received);
  out->skipped = shmv_peek(&reader->page->skipped);
  out->copied = shmv_peek(&reader->page->copied);
  for (uint32_t k = 0; k < reader->n_holds; k++)
    out->holding += shmv_peek(&reader->page->hold[k]) != 0;
}

uint32_t
shmvideo_writer_get_readers(struct shmvideo_writer *writer,
                            struct shmvideo_reader_info *out, uint32_t n)
{
  uint32_t count = 0;
  pthread_mutex_lock(&writer->lock);
  for (uint32_t i = 0; i < SHMV_MAX_READERS; i++) {
    if (writer->placed[i] == NULL)
      continue;
    if (count < n)
      describe(writer->placed[i], &writer->readers[i], &out[count]);
    count++;
  }
  pthread_mutex_unlock(&writer->lock);
  return count;
}
