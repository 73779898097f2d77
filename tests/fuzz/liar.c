/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "liar.h"

#include <errno.h>
#include <string.h>

#include "script.h"

/* ---- The writer's messages ------------------------------------------------- */

void
liar_post(const uint8_t *bytes, size_t size, enum world_kind first,
          enum world_kind second, unsigned n_fds, struct world_board *board)
{
  int fds[3] = {-1, -1, -1};
  for (unsigned i = 0; i < n_fds; i++)
    fds[i] = world_open(i == 0 ? first : second, board);
  if (!world_post(bytes, size, fds, n_fds))
    for (unsigned i = 0; i < n_fds; i++)
      world_close(fds[i]);
}

/* Any message, or none. Its serial counts, whether it was right or not. */
void
liar_say(struct fuzz_input *in, uint8_t name)
{
  struct script_message script;
  uint32_t type = name & 15;
  uint8_t more = name & 0x40 ? fuzz_u8(in) : 0; /* a wrong serial, or wrong fds */
  script_next(in, name, game.serial, game.link->session.generation, &script);
  if (type != SHMV_WAKE && type != SHMV_NUDGE)
    game.serial++;
  unsigned n_fds = shmv_wire_n_fds(type);
  if (more >= 128)
    n_fds = more % 4;
  liar_post(script.bytes, script.size, WORLD_PAGE, WORLD_PAGE, n_fds, NULL);
}

/* What a board says of itself; one in many lies. */
static void
fill_board(struct fuzz_input *in, struct shmv_board *board, uint32_t generation,
           uint32_t n_slots, uint64_t slot_size, uint8_t lie)
{
  board->magic = SHMV_BOARD_MAGIC;
  board->version = SHMV_BOARD_VERSION;
  board->generation = generation;
  board->n_slots = n_slots;
  board->slot_size = slot_size;
  atomic_store(&board->state, SHMV_BOARD_LIVE);
  atomic_store(&board->active, n_slots);
  uint32_t *words[] = {&board->magic, &board->version, &board->generation,
                       &board->n_slots};
  if (lie >= 1 && lie <= 4)
    *words[lie - 1] = fuzz_number(in);
  if (lie == 5)
    board->slot_size = fuzz_number(in);
  if (lie == 6)
    board->first_sequence = fuzz_number(in);
}

/* A generation: its board goes on from the one before. */
void
liar_announce(struct fuzz_input *in)
{
  uint8_t bytes[SCRIPT_MAX];
  struct world_board *board = world_new_board();
  uint8_t which = fuzz_u8(in), slots = fuzz_u8(in), lie = fuzz_u8(in);
  if (board == NULL)
    return;
  uint32_t n_slots = slots % 254 + 1u;
  uint32_t generation = game.link->session.generation + 1;
  if (lie >> 7)
    generation = fuzz_number(in);
  size_t size = script_format(bytes, which & 15, which >> 4, n_slots,
                              generation, ++game.serial);
  struct shmv_board *old = game.newest != NULL ? game.newest->board : NULL;
  uint32_t head = old != NULL ? atomic_load(&old->head) : 0;
  board->format = *script_video_format(which & 15);
  board->slot_size = (board->format.size + 4095) / 4096 * 4096;
  board->slot_size += UINT64_C(4096) * (which >> 4);
  board->pool_size = board->memory = board->slot_size * n_slots;
  board->board->first_sequence = (uint64_t)head + 1;
  atomic_store(&board->board->head, head);
  fill_board(in, board->board, generation, n_slots, board->slot_size, lie & 15);
  if (lie & 0x10)
    board->pool_size -= 4096;
  if (lie & 0x20)
    board->memory = fuzz_number(in) % (board->pool_size / 4096 + 1) * 4096;
  unsigned n_fds = (lie & 15) == 7 ? 1 : (lie & 15) == 8 ? 3 : 2;
  bool swapped = (lie & 0x40) != 0;
  if (swapped) /* or a pool of 13 pages would do for a board */
    board->pool_size = 1;
  liar_post(bytes, size, swapped ? WORLD_BOARD : WORLD_POOL,
            swapped ? WORLD_POOL : WORLD_BOARD, n_fds, board);
  game.newest = board;
}

/* ---- The writer's words ---------------------------------------------------- */

/* A word that the writer can change: nearly always one of its board. */
static shmv_word *
find_word(struct fuzz_input *in)
{
  struct shmv_board *board = game.newest->board;
  struct shmv_page *page = world_page();
  uint8_t which = fuzz_u8(in), i = which >= 5 ? fuzz_u8(in) : 0;
  switch (which % 16) {
    case 0:
      return &board->head;
    case 1:
      return &board->active;
    case 2:
      return &board->state;
    case 3:
      return &board->writer_waits;
    case 4:
      return &board->latency_us;
    case 5: case 6: case 7:
      return &board->ring[i];
    case 8: case 9: case 10:
      return &world_entry(game.newest, i)->gen;
    case 11: case 12:
      return &board->readers[game.link->session.welcome.reader % 128];
    default:
      game.page_touched = true;
      return which % 16 == 13   ? &page->hold[i % SHMV_MAX_HOLDS]
             : which % 16 == 14 ? &page->armed
                                : &page->cursor;
  }
}

/* Near what the reader expects, small, or anything. */
static uint32_t
find_value(struct fuzz_input *in)
{
  uint8_t how = fuzz_u8(in);
  uint32_t near = (uint32_t)(int8_t)fuzz_u8(in);
  switch (how % 4) {
    case 0:
      return atomic_load(&game.newest->board->head) + near;
    case 1:
      return game.link->last + near;
    case 2:
      return how & 4 ? game.newest->board->n_slots + near : near & 0xff;
    default:
      return fuzz_u32(in);
  }
}

/* In one number, or in several that belong together. */
static void
lie_in_entry(struct fuzz_input *in, struct shmv_slot_entry *entry)
{
  uint8_t which = fuzz_u8(in);
  uint64_t value = fuzz_number(in);
  uint32_t *words[] = {&entry->n_planes,    &entry->crop_x,
                       &entry->crop_y,      &entry->crop_width,
                       &entry->crop_height, &entry->flags};
  if (which & 0x80)
    value <<= fuzz_u8(in) % 64;
  if (which & 0x40 && fuzz_left(in) > 0)
    lie_in_entry(in, entry);
  which &= 0x3f;
  if (which < 6)
    *words[which] = (uint32_t)value;
  else if (which < 10)
    entry->stride[which - 6] += (uint32_t)value;
  else if (which < 14)
    entry->plane_offset[which - 10] += value;
  else if (which < 16)
    entry->size += value;
  else
    entry->sequence += value;
}

/* A frame as an honest writer shows it, but for what the script says. */
void
liar_publish(struct fuzz_input *in, bool honest)
{
  struct world_board *b = game.newest;
  struct shmv_board *board = b->board;
  uint32_t sequence = atomic_load(&board->head) + 1;
  uint32_t slot = sequence % (board->n_slots % 254 + 1) % 254;
  struct shmv_slot_entry *entry = world_entry(b, slot);
  uint32_t gen = atomic_load(&entry->gen);
  entry->sequence = sequence;
  entry->size = b->format.size;
  entry->n_planes = b->format.n_planes;
  memcpy(entry->stride, b->format.stride, sizeof entry->stride);
  memcpy(entry->plane_offset, b->format.offset, sizeof entry->plane_offset);
  entry->crop_width = 0;
  if (!honest)
    lie_in_entry(in, entry);
  atomic_store(&entry->gen, (gen | 1) + 1);
  atomic_store(&board->ring[sequence % SHMV_RING_SIZE], slot);
  atomic_store(&board->head, sequence);
}

void
liar_fail_something(struct fuzz_input *in)
{
  static const int errors[] = {-EAGAIN, -EPIPE,  -ECONNRESET, -ENOMEM,
                               -ENOMEM, -EMFILE, -EBADMSG,    -EMSGSIZE};
  uint8_t what = fuzz_u8(in);
  int error = errors[what / 8 % 8];
  struct world_failures *f = &world_failures;
  switch (what % 8) {
    case 0: case 1:
      f->send = error;
      break;
    case 2:
      f->receive = error;
      break;
    case 3:
      f->map = -ENOMEM;
      break;
    case 4:
      f->verify = true;
      break;
    case 5:
      f->hung_up = what >> 5 == 0;
      if (game.link != NULL && what >> 5 != 0) /* it has said much already */
        game.link->budget.tokens = what >> 5;
      world_time += what >> 5 == 7 ? 1000000 : 0;
      break;
    default:
      f->alloc = what / 8 % 4 + 1u;
      break;
  }
}

void
liar_change_words(struct fuzz_input *in, bool later)
{
  if (game.newest == NULL)
    return;
  unsigned loads = later ? fuzz_u8(in) % 16 : 0;
  shmv_word *word = find_word(in);
  uint32_t value = find_value(in);
  if (later)
    world_change(loads, word, value);
  else
    atomic_store(word, value);
}

