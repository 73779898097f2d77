/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Lies about memory: descriptors of something else, segments that could fault or change
 * their size, and boards that say what cannot be. */

#include "lies.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MALFORMED "malformed message"
#define RULES "broke the protocol"
#define CAREFUL (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | 0x10 /* FUTURE_WRITE */)

/* ---- Segments ---------------------------------------------------------------------- */

/* A memfd of this size with these seals, and memory or not. */
static int
segment(size_t size, unsigned flags, int seals, bool memory)
{
  int fd = memfd_create("lie", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
  if (fd < 0)
    return -1;
  g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
  if (memory && size > 0)
    g_assert_cmpint(fallocate(fd, 0, 0, (off_t)size), ==, 0);
  g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
  return fd;
}

enum kind {
  NULL_DEVICE,
  PIPE,
  DIRECTORY,
  PLAIN_FILE,
  SHM_FILE,
  UNSEALED,
  MAY_SHRINK,
  MAY_GROW,
  MAY_BE_WRITTEN,
  MAY_BE_UNSEALED,
  SHORT,
  LONG,
  EMPTY,
  HUGE_PAGES,
  OTHER_BOARD
};

/* Instead of a segment of this size; -1: it cannot be had here. */
static int
make(struct liar *liar, enum kind kind, size_t size)
{
  int fds[2];
  switch (kind) {
    case NULL_DEVICE:
      return open("/dev/null", O_RDWR | O_CLOEXEC);
    case PIPE:
      g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
      g_array_append_val(liar->fds, fds[1]);
      return fds[0];
    case DIRECTORY:
      return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case PLAIN_FILE:
    case SHM_FILE: {
      int fd = open(kind == PLAIN_FILE ? shmvtest_dir() : "/dev/shm",
                    O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
      if (fd >= 0)
        g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
      return fd;
    }
    case UNSEALED:
      return segment(size, 0, 0, true);
    case MAY_SHRINK:
      return segment(size, 0, CAREFUL & ~F_SEAL_SHRINK, true);
    case MAY_GROW:
      return segment(size, 0, CAREFUL & ~F_SEAL_GROW, true);
    case MAY_BE_WRITTEN:
      return segment(size, 0, CAREFUL & ~0x10, true);
    case MAY_BE_UNSEALED:
      return segment(size, 0, CAREFUL & ~F_SEAL_SEAL, true);
    case SHORT:
      return segment(size - 4096, 0, CAREFUL, true);
    case LONG:
      return segment(size + 4096, 0, CAREFUL, true);
    case EMPTY:
      return segment(0, 0, CAREFUL, false);
    case HUGE_PAGES: /* the size of one at least, and no memory need be there */
      return segment((size + 0x1fffff) & ~(size_t)0x1fffff, MFD_HUGETLB, CAREFUL,
                     false);
    default:
      return segment(SHMV_BOARD_SIZE, 0, CAREFUL, true);
  }
}

static void
send_format(struct liar *liar, int pool, int board)
{
  struct raw_writer *writer = &liar->writer;
  int fds[2] = {pool >= 0 ? pool : writer->generation->pool.fd,
                board >= 0 ? board : writer->generation->board_segment.fd};
  struct shmv_message message;
  raw_expect(writer->fd, SHMV_MAPPED, &message, NULL);
  raw_writer_welcome(writer, &message);
  g_assert_cmpint(raw_writer_say(writer, &message, NULL), ==, 0);
  raw_writer_format(writer, &message);
  g_assert_cmpint(raw_writer_say(writer, &message, fds), ==, 0);
}

static void
let_it_in(struct liar *liar)
{
  raw_writer_accept(&liar->writer);
  raw_writer_hear_hello(&liar->writer);
  raw_writer_send_page(&liar->writer);
}

/* What cannot be had here is told as another lie. */
static int
make_or(struct liar *liar, size_t size)
{
  int fd = make(liar, (enum kind)liar->lie->value, size);
  if (fd < 0) {
    g_test_message("%s: not here", liar->lie->name);
    fd = make(liar, NULL_DEVICE, size);
  }
  g_array_append_val(liar->fds, fd);
  return fd;
}

static void
pool(struct liar *liar)
{
  let_it_in(liar);
  send_format(liar, make_or(liar, liar->writer.generation->pool.size), -1);
}

static void
board(struct liar *liar)
{
  let_it_in(liar);
  send_format(liar, -1, make_or(liar, SHMV_BOARD_SIZE));
}

static void
the_wrong_way_round(struct liar *liar)
{
  let_it_in(liar);
  send_format(liar, liar->writer.generation->board_segment.fd,
              liar->writer.generation->pool.fd);
}

static void
page(struct liar *liar)
{
  struct shmv_message message = {.type = SHMV_PAGE,
                                 .u.page_holds = SHMV_MAX_HOLDS};
  raw_writer_accept(&liar->writer);
  raw_writer_hear_hello(&liar->writer);
  int fd = make_or(liar, SHMV_PAGE_SIZE);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, &fd), ==, 0);
}

/* A page that its reader may not write to. */
static void
page_read_only(struct liar *liar)
{
  struct shmv_message message = {.type = SHMV_PAGE,
                                 .u.page_holds = SHMV_MAX_HOLDS};
  raw_writer_accept(&liar->writer);
  raw_writer_hear_hello(&liar->writer);
  int fd = segment(SHMV_PAGE_SIZE, 0,
                   F_SEAL_SHRINK | F_SEAL_GROW | (int)liar->lie->value, true);
  g_array_append_val(liar->fds, fd);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, &fd), ==, 0);
}

/* So many descriptors with a FORMAT, or with a word that has none. */
static void
send_many(struct liar *liar, uint32_t type, int fd)
{
  struct shmv_message message = {.type = type};
  uint8_t bytes[SHMV_WIRE_MAX];
  if (type == SHMV_FORMAT)
    raw_writer_format(&liar->writer, &message);
  message.serial = type == SHMV_WAKE ? 0 : liar->writer.serial + 1;
  uint32_t size = shmv_wire_encode(&message, bytes);
  lingering_send_bytes(liar->writer.fd, bytes, size, fd,
                       (unsigned)liar->lie->value);
}

static void
number_of_descriptors(struct liar *liar)
{
  struct shmv_message message;
  let_it_in(liar);
  raw_expect(liar->writer.fd, SHMV_MAPPED, &message, NULL);
  raw_writer_welcome(&liar->writer, &message);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, NULL), ==, 0);
  send_many(liar, SHMV_FORMAT, liar->writer.generation->pool.fd);
}

static void
descriptors_with_a_wake(struct liar *liar)
{
  let_it_in(liar);
  send_many(liar, SHMV_WAKE, liar->writer.generation->pool.fd);
}

static gpointer
close_it(gpointer data)
{
  close(GPOINTER_TO_INT(data));
  return NULL;
}

/* A pool whose closing takes a minute; it is the reader who closes it last. */
static void
lingering_pool(struct liar *liar)
{
  int other, fd = lingering_new(&other);
  g_array_append_val(liar->fds, other);
  let_it_in(liar);
  send_format(liar, fd, -1);
  liar->aside = g_thread_new("close", close_it, GINT_TO_POINTER(fd));
}

static void
lingering_many(struct liar *liar)
{
  int other, fd = lingering_new(&other);
  g_array_append_val(liar->fds, other);
  let_it_in(liar);
  send_many(liar, SHMV_WAKE, fd);
  liar->aside = g_thread_new("close", close_it, GINT_TO_POINTER(fd));
}

/* ---- Boards -------------------------------------------------------------------------- */

static void
serve_it(struct liar *liar)
{
  struct shmv_message message;
  raw_writer_serve(&liar->writer, NULL);
  raw_writer_show(&liar->writer);
  raw_expect(liar->writer.fd, SHMV_READY, &message, NULL);
}

/* In the board's first words, before anybody sees it. */
static void
header(struct liar *liar)
{
  memcpy((char *)liar->writer.generation->board + liar->lie->offset,
         &liar->lie->value, liar->lie->size);
  let_it_in(liar);
  send_format(liar, -1, -1);
}

static struct shmv_slot_entry *
newest(struct liar *liar)
{
  struct shmv_generation *generation = liar->writer.generation;
  return &generation->board->slots[generation->claims.newest];
}

/* In the entry of a frame that is shown, from its first instant on. */
static void
entry(struct liar *liar)
{
  serve_it(liar);
  struct shmv_generation *generation = liar->writer.generation;
  struct shmv_board *b = generation->board;
  uint32_t slot, sequence = (uint32_t)++generation->claims.sequence;
  g_assert_cmpint(shmv_slot_claim(&generation->claims, &slot), ==, SHMV_CLAIM_OK);
  struct shmv_slot_entry *e = &b->slots[slot];
  memcpy((char *)e + 8, (char *)newest(liar) + 8, sizeof *e - 8); /* but gen */
  e->sequence = sequence;
  memcpy((char *)e + liar->lie->offset, &liar->lie->value, liar->lie->size);
  shmv_store(&e->gen, 2);
  shmv_store(&b->ring[sequence % SHMV_RING_SIZE], slot);
  shmv_store(&b->head, sequence);
  struct shmv_message wake = {.type = SHMV_WAKE};
  g_assert_cmpint(raw_writer_say(&liar->writer, &wake, NULL), ==, 0);
}

/* In a word of the board, while frames come. */
static void
word(struct liar *liar)
{
  struct shmv_message wake = {.type = SHMV_WAKE};
  serve_it(liar);
  shmv_word *where = (shmv_word *)((char *)liar->writer.generation->board +
                                   liar->lie->offset);
  for (gsize i = 0; i < liar->lie->size; i++)
    shmv_store(&where[i], (uint32_t)liar->lie->value);
  raw_writer_show(&liar->writer);
  for (gsize i = 0; i < liar->lie->size; i++)
    shmv_store(&where[i], (uint32_t)liar->lie->value);
  g_assert_cmpint(raw_writer_say(&liar->writer, &wake, NULL), ==, 0);
}

/* The newest frame is the one before; or it comes and goes. */
static void
back(struct liar *liar)
{
  shmv_word *head = &liar->writer.generation->board->head;
  struct shmv_message wake = {.type = SHMV_WAKE};
  serve_it(liar);
  for (int i = 0; i < 5; i++)
    raw_writer_show(&liar->writer);
  g_assert_cmpint(raw_writer_say(&liar->writer, &wake, NULL), ==, 0);
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (shmvtest_poll(liar->writer.fd, POLLHUP, 1) == 0) { /* it looks again */
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmv_store(head, (uint32_t)liar->writer.generation->claims.sequence);
    (void)raw_writer_say(&liar->writer, &wake, NULL);
    shmvtest_poll(liar->writer.fd, POLLHUP, 1);
    shmv_store(head, (uint32_t)liar->lie->value);
    (void)raw_writer_say(&liar->writer, &wake, NULL);
  }
}

static void
wake(struct liar *liar)
{
  struct shmv_message message = {.type = SHMV_WAKE};
  if (g_atomic_int_get(&liar->turns) % 64 == 0)
    (void)raw_writer_say(&liar->writer, &message, NULL);
}

static void
flap_gen(struct liar *liar)
{
  struct shmv_board *b = liar->writer.generation->board;
  if (g_atomic_int_get(&liar->turns) % 16 == 0)
    raw_writer_show(&liar->writer);
  for (int slot = 0; slot < 4; slot++)
    shmv_store(&b->slots[slot].gen, (uint32_t)g_atomic_int_get(&liar->turns));
  wake(liar);
}

static void
flap_generation(struct liar *liar)
{
  struct shmv_board *b = liar->writer.generation->board;
  raw_writer_show(&liar->writer);
  b->generation++;
  b->n_slots ^= 255;
  b->first_sequence += 1000;
  shmv_store(&b->state, b->generation % 4);
  shmv_store(&b->active, b->generation % 300);
  wake(liar);
}

static void
flap_tickets(struct liar *liar)
{
  raw_writer_show(&liar->writer);
  shmv_store(&liar->writer.generation->board->writer_waits,
             (uint32_t)g_atomic_int_get(&liar->turns) + 1);
  wake(liar);
}

static void
flap_entries(struct liar *liar)
{
  raw_writer_show(&liar->writer);
  struct shmv_slot_entry *e = newest(liar);
  e->stride[0] = g_atomic_int_get(&liar->turns) % 2 ? 64 : UINT32_MAX;
  e->plane_offset[0] = g_atomic_int_get(&liar->turns) % 3 ? 0 : UINT64_MAX - 4;
  e->size = g_atomic_int_get(&liar->turns) % 5 ? 64 * 48 : UINT64_MAX;
  e->n_planes = g_atomic_int_get(&liar->turns) % 7 ? 1 : 1u << 31;
  e->crop_width = g_atomic_int_get(&liar->turns) % 11 ? 0 : UINT32_MAX;
  e->flags = (uint32_t)g_atomic_int_get(&liar->turns) * 2654435761u;
  e->pts = e->duration = e->capture_time = UINT64_MAX - e->flags;
  wake(liar);
}

/* ---- The lists ------------------------------------------------------------------- */

#define SEGMENT(what, kind, reason) \
  {#what " is " #kind, what, NULL, reason, 0, 0, kind, NULL, false}
#define ENTRY(field, value) \
  {"entry: " #field " " #value, entry, NULL, RULES, \
   offsetof(struct shmv_slot_entry, field), \
   sizeof(((struct shmv_slot_entry *)0)->field), value, NULL, false}
#define HEADER(field, value) \
  {"board: " #field " " #value, header, NULL, RULES, \
   offsetof(struct shmv_board, field), \
   sizeof(((struct shmv_board *)0)->field), value, NULL, false}
#define WORDS(field, n, value, reason) \
  {"word: " #field " " #value, word, NULL, reason, \
   offsetof(struct shmv_board, field), n, value, NULL, false}

const struct lie lies_in_segments[] = {
    SEGMENT(page, NULL_DEVICE, RULES),
    SEGMENT(page, PIPE, RULES),
    SEGMENT(page, SHM_FILE, RULES),
    SEGMENT(page, UNSEALED, RULES),
    SEGMENT(page, MAY_SHRINK, RULES),
    SEGMENT(page, SHORT, RULES),
    SEGMENT(page, LONG, RULES),
    SEGMENT(page, HUGE_PAGES, RULES),
    {"a page sealed against its reader", page_read_only, NULL, RULES, 0, 0,
     F_SEAL_WRITE, NULL, false},
    SEGMENT(pool, NULL_DEVICE, RULES),
    SEGMENT(pool, PIPE, RULES),
    SEGMENT(pool, DIRECTORY, RULES),
    SEGMENT(pool, PLAIN_FILE, RULES),
    SEGMENT(pool, SHM_FILE, RULES),
    SEGMENT(pool, UNSEALED, RULES),
    SEGMENT(pool, MAY_SHRINK, RULES),
    SEGMENT(pool, MAY_GROW, RULES),
    SEGMENT(pool, MAY_BE_WRITTEN, RULES),
    SEGMENT(pool, MAY_BE_UNSEALED, RULES),
    SEGMENT(pool, SHORT, RULES),
    SEGMENT(pool, LONG, RULES),
    SEGMENT(pool, EMPTY, RULES),
    SEGMENT(pool, HUGE_PAGES, RULES),
    SEGMENT(board, NULL_DEVICE, RULES),
    SEGMENT(board, UNSEALED, RULES),
    SEGMENT(board, MAY_SHRINK, RULES),
    SEGMENT(board, SHORT, RULES),
    SEGMENT(board, HUGE_PAGES, RULES),
    SEGMENT(board, OTHER_BOARD, RULES),
    {"pool and board the wrong way round", the_wrong_way_round, NULL, RULES, 0, 0,
     0, NULL, false},
    {"one descriptor", number_of_descriptors, NULL, MALFORMED, 0, 0, 1, NULL, false},
    {"three descriptors", number_of_descriptors, NULL, MALFORMED, 0, 0, 3, NULL, false},
    {"64 descriptors", number_of_descriptors, NULL, MALFORMED, 0, 0, 64, NULL, false},
    {"descriptors with a WAKE", descriptors_with_a_wake, NULL, MALFORMED, 0, 0, 2,
     NULL, false},
    {"a pool whose close takes a minute", lingering_pool, NULL, RULES, 0, 0, 0,
     NULL, false},
    {"253 of those with a WAKE", lingering_many, NULL, MALFORMED, 0, 0, 253, NULL, false},
    {0}};

const struct lie lies_on_boards[] = {
    HEADER(magic, 0),
    HEADER(active, 0),
    HEADER(active, 255),
    HEADER(active, 200),
    HEADER(version, 2),
    HEADER(generation, 2),
    HEADER(n_slots, 255),
    HEADER(slot_size, 1),
    ENTRY(sequence, 0),
    ENTRY(size, UINT64_MAX),
    ENTRY(size, 64 * 48 - 1),
    ENTRY(n_planes, 0),
    ENTRY(n_planes, 2),
    ENTRY(n_planes, UINT32_MAX),
    ENTRY(stride[0], 0),
    ENTRY(stride[0], 63),
    ENTRY(stride[0], UINT32_MAX),
    ENTRY(plane_offset[0], 65),
    ENTRY(plane_offset[0], UINT64_MAX),
    ENTRY(plane_offset[0], UINT64_MAX - 64 * 48 + 1),
    ENTRY(crop_width, 65),
    ENTRY(crop_width, UINT32_MAX),
    WORDS(ring, 256, 254, RULES),
    WORDS(ring, 256, UINT32_MAX, RULES),
    WORDS(ring, 256, 9, RULES),
    WORDS(slots[0].gen, 1, 1, NULL),
    WORDS(active, 1, 0, NULL),
    WORDS(active, 1, UINT32_MAX, NULL),
    WORDS(state, 1, 4711, NULL),
    WORDS(latency_us, 1, UINT32_MAX, NULL),
    WORDS(head, 1, 0x40000000, RULES),
    WORDS(head, 1, 100000, RULES),
    {"head one back", back, NULL, RULES, 0, 0, 5, NULL, false},
    {"head at nothing", back, NULL, RULES, 0, 0, 0, NULL, false},
    {"gen flaps", serve_it, flap_gen, NULL, 0, 0, 0, NULL, false},
    {"the board's head flaps", serve_it, flap_generation, NULL, 0, 0, 0, NULL, false},
    {"tickets flap", serve_it, flap_tickets, NULL, 0, 0, 0, NULL, false},
    {"entries flap", serve_it, flap_entries, NULL, 0, 0, 0, NULL, false},
    {0}};
