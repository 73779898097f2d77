/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((size_t)4096)
#define DEFAULT_MEMORY ((uint64_t)1 << 30)
#define DEFAULT_FRAMES 12u
#define BASE_SLOTS 2u

static int
choose_size(const struct shmvideo_format *format, uint64_t max_memory,
            size_t *slot_size, uint32_t *n_slots)
{
  if (format->size > SIZE_MAX / 4)
    return -E2BIG;
  *slot_size = ((size_t)format->size + PAGE - 1) / PAGE * PAGE;
  if (max_memory == 0) {
    max_memory = (uint64_t)*slot_size * DEFAULT_FRAMES;
    if (max_memory < DEFAULT_MEMORY)
      max_memory = DEFAULT_MEMORY;
  }
  uint64_t n = max_memory / *slot_size;
  if (n > SIZE_MAX / 2 / *slot_size)
    n = SIZE_MAX / 2 / *slot_size;
  if (n < BASE_SLOTS)
    return -E2BIG;
  *n_slots = n > SHMV_MAX_SLOTS ? SHMV_MAX_SLOTS : (uint32_t)n;
  return 0;
}

/* Address space can be short (RLIMIT_AS, 32 bits): then a smaller pool will do. */
static int
create_pool(struct shmv_generation *generation)
{
  for (;;) {
    int code = shmv_segment_create(
        &generation->pool, "shmvideo-pool",
        (size_t)generation->n_slots * generation->slot_size);
    if (code != -ENOMEM || generation->n_slots / 2 < BASE_SLOTS)
      return code;
    generation->n_slots /= 2;
  }
}

static int
create_board(struct shmv_generation *generation, struct shmv_claimant *readers)
{
  int code = shmv_segment_create(&generation->board_segment, "shmvideo-board",
                                 SHMV_BOARD_SIZE);
  if (code == 0)
    code = shmv_segment_populate(&generation->board_segment, 0,
                                 SHMV_BOARD_SIZE);
  if (code < 0)
    return code;
  struct shmv_board *board = (void *)generation->board_segment.data;
  board->magic = SHMV_BOARD_MAGIC;
  board->version = SHMV_BOARD_VERSION;
  board->n_slots = generation->n_slots;
  board->slot_size = generation->slot_size;
  shmv_store(&board->state, SHMV_BOARD_LIVE);
  generation->board = board;
  shmv_claims_init(&generation->claims, board, readers, 0);
  return 0;
}

int
shmv_generation_new(struct shmv_generation **out,
                    const struct shmvideo_format *format, const char *caps,
                    uint64_t max_memory, struct shmv_claimant *readers)
{
  struct shmv_generation *generation = calloc(1, sizeof *generation);
  if (generation == NULL)
    return -ENOMEM;
  generation->refs = 1;
  generation->format = *format;
  generation->pool.fd = generation->board_segment.fd = -1;
  generation->caps = strdup(caps);
  int code = generation->caps == NULL ? -ENOMEM : 0;
  if (code == 0)
    code = choose_size(format, max_memory, &generation->slot_size,
                       &generation->n_slots);
  if (code == 0)
    code = create_pool(generation);
  if (code == 0)
    code = create_board(generation, readers);
  for (uint32_t i = 0; code == 0 && i < BASE_SLOTS; i++) {
    uint32_t place = shmv_generation_reserve(generation, BASE_SLOTS);
    code = shmv_generation_grow(generation, place);
    shmv_generation_grown(generation, place, code);
  }
  if (code < 0) {
    shmv_generation_free(generation);
    return code;
  }
  *out = generation;
  return 0;
}

void
shmv_generation_begin(struct shmv_generation *generation, uint32_t number,
                      uint64_t sequence)
{
  struct shmv_board *board = generation->board;
  generation->number = number;
  generation->claims.sequence = sequence;
  board->generation = number;
  board->first_sequence = sequence + 1;
  shmv_store(&board->head, (uint32_t)sequence);
}

void
shmv_generation_free(struct shmv_generation *generation)
{
  shmv_segment_destroy(&generation->pool);
  shmv_segment_destroy(&generation->board_segment);
  free(generation->caps);
  free(generation);
}

uint32_t
shmv_readers_need(const struct shmv_claimant *readers, uint32_t n_places,
                  const struct shmv_claimant *newcomer, uint32_t n_out)
{
  uint32_t depth = newcomer != NULL ? newcomer->depth : 0;
  uint32_t holds = newcomer != NULL ? newcomer->n_holds : 0;
  for (uint32_t i = 0; i < n_places; i++) {
    if (readers[i].page == NULL)
      continue;
    if (readers[i].depth > depth)
      depth = readers[i].depth;
    holds += readers[i].n_holds;
  }
  return n_out + BASE_SLOTS + depth + holds;
}

uint32_t
shmv_generation_needs(const struct shmv_generation *generation,
                      const struct shmv_claimant *readers, uint32_t n_out)
{
  uint32_t needs = shmv_readers_need(readers, generation->claims.n_places,
                                     NULL, n_out);
  return needs < generation->n_slots ? needs : generation->n_slots;
}

uint32_t
shmv_generation_reserve(struct shmv_generation *generation, uint32_t wanted)
{
  if (generation->next_place >= wanted ||
      generation->next_place >= generation->n_slots)
    return SHMV_MAX_SLOTS;
  return generation->next_place++;
}

int
shmv_generation_grow(struct shmv_generation *generation, uint32_t place)
{
  return shmv_segment_populate(&generation->pool,
                               place * generation->slot_size,
                               generation->slot_size);
}

void
shmv_generation_grown(struct shmv_generation *generation, uint32_t place,
                      int code)
{
  if (generation->grown[place])
    return; /* by who helped */
  if (code < 0 && place < generation->n_slots)
    generation->n_slots = place; /* memory ends here, for this generation */
  generation->grown[place] = code == 0;
  uint32_t active = generation->claims.active;
  while (active < generation->n_slots && generation->grown[active])
    active++;
  generation->claims.active = active;
  shmv_store(&generation->board->active, active);
}

void
shmv_generation_hope(struct shmv_generation *generation)
{
  if (generation->n_slots == generation->board->n_slots)
    return;
  generation->n_slots = generation->board->n_slots;
  generation->next_place = generation->claims.active;
}

void
shmv_generation_adopt(struct shmv_generation *generation,
                      const struct shmv_slot_entry *entry)
{
  struct shmv_slot_entry *own = &generation->board->slots[0];
  own->flags = entry->flags;
  own->pts = entry->pts;
  own->duration = entry->duration;
  own->capture_time = entry->capture_time;
  own->offset = entry->offset;
  own->offset_end = entry->offset_end;
  own->size = entry->size;
  memcpy(own->plane_offset, entry->plane_offset, sizeof own->plane_offset);
  memcpy(own->stride, entry->stride, sizeof own->stride);
  own->n_planes = entry->n_planes;
  own->crop_x = entry->crop_x;
  own->crop_y = entry->crop_y;
  own->crop_width = entry->crop_width;
  own->crop_height = entry->crop_height;
  shmv_slot_publish(&generation->claims, 0);
}

uint64_t
shmv_generation_memory(const struct shmv_generation *generation)
{
  return (uint64_t)generation->claims.active * generation->slot_size;
}
