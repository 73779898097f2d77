/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The world's memory: boards, pages and pools in plain arrays, and every load and
 * store of a shared word.
 */

#include "os.h"

#include "world.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "segment.h"
#include "world-impl.h"

#define N_CHANGES 8
#define POOL_ROOM (256 * 1024)

void (*world_before_load)(void);

/* All slots of all pools are the same bytes, of which they have the last ones: one
 * byte beyond a slot is one beyond the array, which AddressSanitizer guards. */
static uint8_t pool_room[POOL_ROOM];

static struct shmv_board board_rooms[WORLD_BOARDS];
static struct world_board boards[WORLD_BOARDS];
static unsigned n_dirty[WORLD_BOARDS]; /* entries that may not be zero */

static union {
  struct shmv_page page;
  uint8_t bytes[SHMV_PAGE_SIZE];
} page_room;

static struct {
  unsigned at;
  shmv_word *word;
  uint32_t value;
} changes[N_CHANGES];
static unsigned n_changes, n_loads;
static uint32_t gen_seen;

static unsigned n_pages_mapped;

/* NULL: it is the reader that is looked at. */
static const void *writers_pages;
static size_t writers_pages_size;

/* ---- Words ---------------------------------------------------------------- */

static bool
is_on(const shmv_word *word, const void *room, size_t size)
{
  uintptr_t at = (uintptr_t)word - (uintptr_t)room;
  return at < size && at % sizeof *word == 0;
}

static bool
is_on_page(const shmv_word *word)
{
  return n_pages_mapped > 0 &&
         is_on(word, &page_room.page, sizeof page_room.page);
}

static bool
is_on_board(const shmv_word *word, bool mapped)
{
  for (int i = 0; i < WORLD_BOARDS; i++)
    if ((!mapped || boards[i].n_mapped > 0) &&
        is_on(word, &board_rooms[i], sizeof board_rooms[i]))
      return true;
  return false;
}

static bool
is_the_writers(const shmv_word *word)
{
  return writers_pages != NULL &&
         (is_on(word, writers_pages, writers_pages_size) ||
          is_on_board(word, false));
}

uint32_t
world_load(const shmv_word *word)
{
  FUZZ_CHECK(is_on_board(word, true) || is_on_page(word) ||
             is_the_writers(word));
  n_loads++;
  if (world_before_load != NULL)
    world_before_load();
  for (unsigned i = 0; i < n_changes;) {
    if (changes[i].at > n_loads) {
      i++;
      continue;
    }
    shmv_store(changes[i].word, changes[i].value);
    changes[i] = changes[--n_changes];
  }
  uint32_t value = shmv_load(word);
  for (int i = 0; i < WORLD_BOARDS; i++)
    if (is_on(word, board_rooms[i].slots, sizeof board_rooms[i].slots))
      gen_seen = value; /* the only word there */
  return value;
}

void
world_store(shmv_word *word, uint32_t value)
{
  FUZZ_CHECK(is_on_page(word) || is_the_writers(word));
  if (is_on(word, page_room.page.hold, sizeof page_room.page.hold))
    gen_seen = 1;
  shmv_store(word, value);
}

uint32_t
world_gen_seen(void)
{
  return gen_seen;
}

void
world_change(unsigned loads, shmv_word *word, uint32_t value)
{
  if (n_changes == N_CHANGES)
    return;
  changes[n_changes].at = n_loads + 1 + loads;
  changes[n_changes].word = word;
  changes[n_changes++].value = value;
}

unsigned
world_n_loads(void)
{
  return n_loads;
}

struct shmv_page *
world_page(void)
{
  return &page_room.page;
}

/* ---- Segments -------------------------------------------------------------- */

struct world_board *
world_new_board(void)
{
  for (int i = 0; i < WORLD_BOARDS; i++) {
    struct world_board *b = &boards[i];
    if (b->n_mapped > 0 || b->n_pool_mapped > 0 || b->n_fds > 0)
      continue;
    for (unsigned k = 0; k < n_changes; k++) /* they were for the old one */
      if (is_on(changes[k].word, b->board, sizeof *b->board))
        changes[k].word = &page_room.page.copied;
    memset(b->board, 0, offsetof(struct shmv_board, slots) +
                            n_dirty[i] * sizeof b->board->slots[0]);
    n_dirty[i] = 0;
    *b = (struct world_board){.board = &board_rooms[i]};
    return b;
  }
  return NULL;
}

struct shmv_slot_entry *
world_entry(struct world_board *board, uint32_t slot)
{
  unsigned i = (unsigned)(board - boards);
  slot %= SHMV_MAX_SLOTS;
  if (slot >= n_dirty[i])
    n_dirty[i] = slot + 1;
  return &board->board->slots[slot];
}

int
shmv_segment_verify(int fd, uint64_t size)
{
  struct world_fd *pool = world_fd(fd, WORLD_POOL);
  struct world_fd *it = pool != NULL ? pool : world_fd(fd, WORLD_BOARD);
  if (world_failures.verify || it == NULL ||
      size != (pool != NULL ? pool->board->pool_size : SHMV_BOARD_SIZE)) {
    world_failures.verify = false;
    return -EPROTO;
  }
  it->verified = true;
  return 0;
}

int
shmv_segment_verify_memory(int fd, uint64_t size)
{
  struct world_fd *pool = world_fd(fd, WORLD_POOL);
  FUZZ_CHECK(pool != NULL && pool->verified);
  if (size > pool->board->memory)
    return -EPROTO;
  pool->memory_seen = true;
  return 0;
}

int
shmv_segment_map(int fd, uint64_t offset, size_t size, const void **out_data)
{
  struct world_fd *it = world_fd(fd, WORLD_POOL);
  bool pool = it != NULL;
  it = pool ? it : world_fd(fd, WORLD_BOARD);
  FUZZ_CHECK(it != NULL && it->verified);
  struct world_board *b = it->board;
  if (pool) {
    /* A slot, whole, of those that have memory. */
    FUZZ_CHECK(it->memory_seen && size == b->slot_size);
    FUZZ_CHECK(offset % size == 0 && offset <= b->memory - size);
    FUZZ_CHECK(b->memory <= b->pool_size);
  } else {
    FUZZ_CHECK(offset == 0 && size == SHMV_BOARD_SIZE);
  }
  int code = world_failure(&world_failures.map);
  if (code < 0 || (pool && size > sizeof pool_room))
    return code < 0 ? code : -ENOMEM;
  *(pool ? &b->n_pool_mapped : &b->n_mapped) += 1;
  *out_data = pool ? (void *)(pool_room + sizeof pool_room - size)
                   : (void *)b->board;
  return 0;
}

const uint8_t *
world_pool_end(void)
{
  return pool_room + sizeof pool_room;
}

int
shmv_segment_map_page(int fd, void **out_page)
{
  if (world_fd(fd, WORLD_PAGE) == NULL || world_failures.verify) {
    world_failures.verify = false;
    return -EPROTO;
  }
  int code = world_failure(&world_failures.map);
  if (code < 0)
    return code;
  n_pages_mapped++;
  *out_page = &page_room;
  return 0;
}

void
shmv_segment_unmap(const void *data, size_t size)
{
  if (data == NULL)
    return;
  if (data == &page_room) {
    FUZZ_CHECK(n_pages_mapped-- > 0 && size == SHMV_PAGE_SIZE);
    return;
  }
  for (int i = 0; i < WORLD_BOARDS; i++)
    if (data == &board_rooms[i]) {
      FUZZ_CHECK(boards[i].n_mapped-- > 0 && size == SHMV_BOARD_SIZE);
      return;
    }
  /* Which pool it is of cannot be seen; that all have gone will be. */
  FUZZ_CHECK(data == pool_room + sizeof pool_room - size);
  for (int i = 0; i < WORLD_BOARDS; i++)
    if (boards[i].n_pool_mapped > 0 && boards[i].slot_size == size) {
      boards[i].n_pool_mapped--;
      return;
    }
  FUZZ_CHECK(false);
}

/* ---- Beginning and end ----------------------------------------------------- */

void
world_begin_memory(void)
{
  writers_pages = NULL;
  world_before_load = NULL;
  n_pages_mapped = n_changes = n_loads = 0;
  gen_seen = 1;
  memset(&page_room.page, 0, sizeof page_room.page);
  for (int i = 0; i < WORLD_BOARDS; i++)
    boards[i] = (struct world_board){.board = &board_rooms[i]};
}

void
world_check_memory(void)
{
  FUZZ_CHECK(n_pages_mapped == 0);
  for (int i = 0; i < WORLD_BOARDS; i++)
    FUZZ_CHECK(boards[i].n_mapped == 0 && boards[i].n_pool_mapped == 0);
}

void
world_begin_writer(const void *pages, size_t size)
{
  world_begin();
  writers_pages = pages;
  writers_pages_size = size;
}
