/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Attacks through shared memory: holds, cursors, tickets, and what a descriptor of a
 * segment lets one try. */

#include "hostile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "segment.h"

#define PAGE_RULES "its page breaks the rules"

/* ---- Holds ----------------------------------------------------------------------- */

static void
hold_all(struct raw_reader *reader, uint32_t word)
{
  for (uint32_t k = 0; k < SHMV_MAX_HOLDS; k++)
    shmv_store(&reader->page->hold[k], word);
}

/* Words of no meaning, granted or not. */
static void
hold_words(struct attacker *attacker)
{
  hold_all(hostile_join(attacker, SHMVIDEO_LATEST, 4, 4), attacker->attack->n);
}

/* Every slot that there is, by words that were not granted. */
static void
hold_more_than_granted(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 32, 1);
  for (uint32_t k = 0; k < SHMV_MAX_HOLDS; k++)
    shmv_store(&reader->page->hold[k], shmv_hold_word(reader->generation, k));
}

static void
hold_one_slot(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 16);
  hold_all(reader, shmv_hold_word(reader->generation, attacker->round % 8));
}

static void
move_all_holds(struct attacker *attacker)
{
  hold_all(&attacker->readers[0],
           shmv_hold_word(attacker->readers[0].generation, attacker->round % 24));
}

/* The frames that come, as many as it may, for ever. */
static void
join_hoarders(struct attacker *attacker)
{
  for (guint i = 0; i < 3; i++)
    hostile_join(attacker, SHMVIDEO_LATEST, 32, 20);
}

static void
hoard(struct attacker *attacker)
{
  for (guint i = 0; i < attacker->n_readers; i++) {
    struct raw_reader *reader = &attacker->readers[i];
    uint32_t head = shmv_load(&reader->board->head);
    uint32_t slot = shmv_load(&reader->board->ring[head % SHMV_RING_SIZE]);
    for (uint32_t k = 0; k < reader->welcome.holds; k++)
      if (shmv_load(&reader->page->hold[k]) == 0) {
        shmv_store(&reader->page->hold[k],
                   shmv_hold_word(reader->generation, slot));
        break;
      }
  }
}

static void
join_flippers(struct attacker *attacker)
{
  for (guint i = 0; i < 4; i++)
    hostile_join(attacker, SHMVIDEO_LATEST, 32, (uint16_t)attacker->attack->n);
}

/* All slots in turn, without a look. */
static void
flip(struct attacker *attacker)
{
  for (guint i = 0; i < attacker->n_readers; i++) {
    struct raw_reader *reader = &attacker->readers[i];
    for (uint32_t slot = 0; slot < reader->format.n_slots; slot++)
      shmv_store(&reader->page->hold[slot % reader->welcome.holds],
                 shmv_hold_word(reader->generation, slot));
  }
}

/* The slot that the writer is about to take, whenever one is. */
static void
flip_by_gen(struct attacker *attacker)
{
  const struct shmv_board *board = attacker->readers[0].board;
  uint32_t active = MIN(shmv_load(&board->active), SHMV_MAX_SLOTS);
  for (int look = 0; look < 100; look++)
    for (uint32_t slot = 0; slot < active; slot++) {
      if ((shmv_load(&board->slots[slot].gen) & 1) == 0)
        continue;
      struct raw_reader *reader =
          &attacker->readers[(uint32_t)look % attacker->n_readers];
      shmv_store(&reader->page->hold[slot % reader->welcome.holds],
                 shmv_hold_word(reader->generation, slot));
    }
}

/* ---- Cursors and tickets ----------------------------------------------------------- */

static void
stay(struct attacker *attacker)
{
  hostile_join(attacker, SHMVIDEO_LOSSLESS, 4, 2);
}

static void
run_ahead(struct attacker *attacker)
{
  shmv_store(&attacker->readers[0].page->cursor,
             shmv_load(&attacker->readers[0].board->head) +
                 attacker->attack->n);
}

static void
jump_about(struct attacker *attacker)
{
  struct raw_reader *reader = &attacker->readers[0];
  uint32_t head = shmv_load(&reader->board->head);
  shmv_store(&reader->page->cursor,
             head + 1 - (uint32_t)g_rand_int_range(attacker->rand, 0, 100));
}

static void
arm_for_ever(struct attacker *attacker)
{
  for (int i = 0; i < HOSTILE_READERS; i++) {
    int small = 1;
    struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 1);
    setsockopt(reader->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    shmv_store(&reader->page->armed, 1);
  }
}

static void
arm_anew(struct attacker *attacker)
{
  for (guint i = 0; i < attacker->n_readers; i++) {
    shmv_word *armed = &attacker->readers[i].page->armed;
    shmv_store(armed, shmv_peek(armed) + attacker->attack->n);
  }
}

/* ---- Segments ----------------------------------------------------------------------- */

/* Reads all slots, also those without memory: that gives them some, but no more than
 * the writer's limit, and no longer than the pool lives. */
static void
touch_all(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
  size_t size = (size_t)reader->format.pool_size;
  volatile uint8_t *pool = mmap(NULL, size, PROT_READ, MAP_SHARED,
                                reader->pool_fd, 0);
  g_assert_true(pool != MAP_FAILED);
  for (size_t at = 0; at < size; at += 4096)
    (void)pool[at];
  munmap((void *)(uintptr_t)pool, size);
}

/* Everything that the kernel must say no to. */
static void
try_pool(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
  char *path = g_strdup_printf("/proc/self/fd/%d", reader->pool_fd);
  int fds[2] = {reader->pool_fd, open(path, O_RDWR | O_CLOEXEC)};
  g_free(path);
  for (int i = 0; i < 2; i++) {
    g_assert_cmpint(ftruncate(fds[i], 0), <, 0);
    g_assert_cmpint(ftruncate(fds[i], 1 << 30), <, 0);
    g_assert_cmpint(write(fds[i], "x", 1), <, 0);
    g_assert_cmpint(fallocate(fds[i], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              0, 4096), <, 0);
    g_assert_cmpint(fcntl(fds[i], F_ADD_SEALS, F_SEAL_WRITE), <, 0);
    g_assert_true(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fds[i], 0) ==
                  MAP_FAILED);
  }
  close(fds[1]);
}

/* A page before it is sealed: in at the door, and no further. */
static struct raw_reader *
come_to_the_door(struct attacker *attacker, int *page_fd)
{
  struct raw_reader *reader = &attacker->readers[attacker->n_readers++];
  struct shmv_message message;
  raw_reader_connect(reader, attacker->name);
  raw_reader_hello(reader, SHMVIDEO_LATEST, 4, 2);
  raw_expect(reader->fd, SHMV_PAGE, &message, page_fd);
  return reader;
}

static void
seal_page_first(struct attacker *attacker)
{
  int fds[2];
  struct raw_reader *reader = come_to_the_door(attacker, fds);
  g_assert_cmpint(fcntl(fds[0], F_ADD_SEALS, F_SEAL_SEAL), ==, 0);
  close(fds[0]);
  raw_reader_say(reader, SHMV_MAPPED);
}

static void
wait_at_the_door(struct attacker *attacker)
{
  int fds[2];
  come_to_the_door(attacker, fds);
  g_array_append_val(attacker->fds, fds[0]);
}

/* Takes the page away under the writer's eyes, and gives it back full of holds. */
static void
punch_page(struct attacker *attacker)
{
  int fd = g_array_index(attacker->fds, int, 0);
  uint32_t words[1024];
  memset(words, 0xff, sizeof words);
  for (int i = 0; i < 10; i++) {
    g_assert_cmpint(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                              4096), ==, 0);
    g_assert_cmpint(pwrite(fd, words, sizeof words, 0), ==, sizeof words);
  }
}

/* ---- The list -------------------------------------------------------------------- */

const struct attack hostile_pages[] = {
    {"holds of 0xffffffff", hold_words, NULL, NULL, NULL, {0}, UINT32_MAX},
    {"holds of another generation", hold_words, NULL, NULL, NULL, {0}, 0x00ffff01},
    {"holds that were not granted", hold_more_than_granted, NULL, NULL, NULL,
     {0}, 0},
    {"all holds on one slot", hold_one_slot, NULL, NULL, NULL, {0}, 0},
    {"all holds on one slot after the other", hold_one_slot, move_all_holds, NULL,
     NULL, {0}, 0},
    {"holds that are never let go", join_hoarders, hoard, NULL, NULL, {0}, 0},
    {"holds at full speed", join_flippers, NULL, flip, NULL, {0}, 4},
    {"one hold that follows gen", join_flippers, NULL, flip_by_gen, NULL, {0}, 1},
    {"holds that follow gen", join_flippers, NULL, flip_by_gen, NULL, {0}, 16},
    {"a cursor that stays", stay, NULL, NULL, NULL, {0}, 0},
    {"a cursor too far by one", stay, run_ahead, NULL, PAGE_RULES, {0}, 2},
    {"a cursor far ahead", stay, run_ahead, NULL, PAGE_RULES, {0}, 0x40000000},
    {"a cursor that jumps about", stay, jump_about, NULL, NULL, {0}, 0},
    {"asleep for ever", arm_for_ever, NULL, NULL, NULL, {0}, 0},
    {"asleep anew for each frame", arm_for_ever, arm_anew, NULL, NULL, {0}, 2},
    {"tickets at full speed", arm_for_ever, NULL, arm_anew, NULL, {0}, 1},
    {"every slot touched", touch_all, NULL, NULL, NULL, {0}, 0},
    {"all that seals forbid", try_pool, NULL, NULL, NULL, {0}, 0},
    {"a page that cannot be sealed", seal_page_first, NULL, NULL,
     "could not be sealed", {0}, 0},
    {"a page that vanishes", wait_at_the_door, NULL, punch_page, NULL, {0}, 0},
    {0}};
