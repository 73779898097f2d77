/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's memory for frames
 *
 * Owns when the pool gets slots and when it is changed for a smaller one. Pages are made
 * by whoever comes here, mostly the one that dispatches, a little at a time.
 *
 * One rule: making memory takes milliseconds, so nobody whose next step needs none waits
 * for it.
 */

#include "os.h"

#include "writer.h"

#include <string.h>

#include "testpoint.h"

/* Bytes of frame memory made in one dispatch, about: a millisecond or two. */
#define GROW_PER_TURN ((size_t)8 << 20)

/* And in one that a reader who is just joining waits for. */
#define GROW_PER_JOIN ((size_t)1 << 20)

/* For how long readers who are just joining keep it from being made, ns. */
#define GROWTH_PATIENCE UINT64_C(20000000)

/* How often to try to copy the frame that is shown before another is. */
#define REPLACE_TRIES 4

/* ---- Growing ------------------------------------------------------------- */

int
shmv_writer_grow(struct shmvideo_writer *writer,
                 struct shmv_generation *generation, uint32_t extra_out,
                 size_t max_bytes)
{
  for (size_t bytes = 0;; bytes += generation->slot_size) {
    pthread_mutex_lock(&writer->lock);
    uint32_t wanted = shmv_generation_needs(generation, writer->readers,
                                            generation->n_out + extra_out);
    uint32_t place = shmv_generation_reserve(generation, wanted);
    pthread_mutex_unlock(&writer->lock);
    if (place == SHMV_MAX_SLOTS)
      return 0;
    SHMV_TEST_POINT("growing");
    int code = shmv_generation_grow(generation, place);
    pthread_mutex_lock(&writer->lock);
    shmv_generation_grown(generation, place, code);
    pthread_mutex_unlock(&writer->lock);
    if (code < 0) {
      shmv_log(&writer->log, SHMVIDEO_LOG_WARNING,
               "no memory for more than %u slots: %s", place,
               shmvideo_strerror(code));
      return code;
    }
    if (bytes + generation->slot_size >= max_bytes)
      return 1;
  }
}

/* Much memory takes milliseconds to make, in which a newcomer's next message would wait;
 * he has the slots that are there. But nobody who joins for ever keeps it from others, and
 * who wants all frames is not refused for want of it when he has had some. */
static bool
may_wait(struct shmvideo_writer *writer)
{
  bool joining = false, lossless = false;
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    const struct shmv_peer *peer = writer->peers[i];
    if (peer == NULL || peer->gone || peer->silenced ||
        peer->place == SHMV_MAX_READERS ||
        peer->session.state == SHMV_W_LEAVING)
      continue;
    joining |= peer->session.ready_generation == 0 && !peer->waits;
    lossless |= peer->session.welcome.policy == SHMVIDEO_LOSSLESS;
  }
  if (!joining || lossless)
    return false;
  uint64_t now = shmv_now();
  if (writer->grow_at == 0)
    writer->grow_at = now + GROWTH_PATIENCE;
  return now < writer->grow_at;
}

int
shmv_writer_grow_some(struct shmvideo_writer *writer,
                      struct shmv_generation *generation)
{
  pthread_mutex_lock(&writer->lock);
  bool missing = generation->next_place <
                 shmv_generation_needs(generation, writer->readers,
                                       generation->n_out);
  pthread_mutex_unlock(&writer->lock);
  bool small = missing && may_wait(writer);
  if (small && generation->slot_size > GROW_PER_JOIN)
    return 0;
  writer->grow_at = 0;
  pthread_mutex_lock(&writer->lock);
  writer->growth_asked = false;
  pthread_mutex_unlock(&writer->lock);
  if (!missing)
    return 0;
  int code = shmv_writer_grow(writer, generation, 0,
                              small ? GROW_PER_JOIN : GROW_PER_TURN);
  if (code > 0)
    shmv_writer_kick(writer);
  return code < 0 ? code : 0;
}

/* ---- Shrinking ----------------------------------------------------------- */

/* Put young in old's place with a copy of the frame that is shown. While it is
 * copied another may be shown: then the copy is torn and counts for nothing, but
 * if frames come as fast as that, none is missed for long: false, or go without. */
static bool
replace(struct shmvideo_writer *writer, struct shmv_generation *old,
        struct shmv_generation *young, bool without)
{
  pthread_mutex_lock(&writer->lock);
  uint64_t sequence = old->claims.sequence;
  uint32_t newest = old->claims.newest;
  pthread_mutex_unlock(&writer->lock);
  bool copied = newest != SHMV_MAX_SLOTS;
  if (copied)
    memcpy(young->pool.data, old->pool.data + newest * old->slot_size,
           old->slot_size);
  SHMV_TEST_POINT("generation-made");
  pthread_mutex_lock(&writer->lock);
  bool torn = old->claims.sequence != sequence;
  bool done = writer->generation == old && (!torn || without);
  if (done) {
    copied = copied && !torn;
    shmv_generation_begin(young, ++writer->last_generation,
                          writer->sequence - (copied ? 1 : 0));
    if (copied)
      shmv_generation_adopt(young, &old->board->slots[newest]);
    shmv_writer_install(writer, young);
    old->refs--; /* the writer's; the caller has its own */
  }
  pthread_mutex_unlock(&writer->lock);
  return done;
}

/* Seals forbid giving pages back, so a share that nobody reads any more gets a new
 * pool of the least size, with its present frame in it for who comes next. */
void
shmv_writer_shrink(struct shmvideo_writer *writer)
{
  struct shmv_generation *old = shmv_writer_ref_generation(writer);
  struct shmv_generation *young = NULL;
  if (old == NULL)
    return;
  pthread_mutex_lock(&writer->lock);
  bool wanted = writer->n_readers == 0 &&
                old->claims.active > old->n_out + 3;
  pthread_mutex_unlock(&writer->lock);
  if (wanted &&
      shmv_generation_new(&young, &old->format, old->caps,
                          writer->config.max_memory, writer->readers) == 0) {
    bool done = false;
    for (int i = 0; !done && i < REPLACE_TRIES; i++)
      done = replace(writer, old, young, i == REPLACE_TRIES - 1);
    if (!done) /* there is another format meanwhile, as small as this */
      shmv_generation_free(young);
  }
  shmv_writer_unref_generation(writer, old);
}
