/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Attacks on readers: writers that lie on the board, in messages or about memory, or
 * leave at the worst instant; and runs so long that numbers overflow.
 */

#include "assault.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Last words ------------------------------------------------------------ */

/* A writer that says no without reading what was said to it: the kernel tells of
 * the connection's reset before it gives out the refusal. */
static void
refusal_before_reset(void)
{
  struct raw_writer writer;
  struct shmv_message message = {.type = SHMV_REFUSED,
                                 .u.refusal = SHMV_REFUSED_FORMAT,
                                 .text = "no",
                                 .text_size = 2};
  const struct shmvideo_frame *frame;
  raw_writer_listen(&writer, "refusal");
  struct shmvideo_reader *reader =
      assault_reader("refusal", SHMVIDEO_LATEST, 2);
  raw_writer_accept(&writer);
  g_assert_cmpint(raw_writer_say(&writer, &message, NULL), ==, 0);
  raw_writer_end(&writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==, -EMEDIUMTYPE);
  shmvideo_reader_free(reader);
}

/* A new format follows the end so closely that both are read at once. */
static void
end_before_format(void)
{
  struct shmvideo_writer *writer = assault_writer("end", NULL);
  uint64_t seen;
  struct shmvideo_reader *reader = assault_join(writer, "end", SHMVIDEO_LATEST, &seen);
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  assault_set_format(writer, 128);
  assault_settle(writer);
  assault_show(writer);
  assault_expect(reader, &seen, "FENF");
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  assault_show(writer);
  assault_expect(reader, &seen, "FEF");
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
}

/* Who keeps all the frames he may keep, still hears that none will follow. */
static void
loss_with_full_hands(void)
{
  struct shmvideo_writer *writer = assault_writer("full", NULL);
  const struct shmvideo_frame *frames[3];
  uint64_t seen;
  struct shmvideo_reader *reader =
      assault_join(writer, "full", SHMVIDEO_LATEST, &seen);
  assault_show(writer);
  assault_show(writer);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[i]), ==,
                    SHMVIDEO_FRAME);
  assault_show(writer);
  shmvideo_writer_end(writer);
  shmvideo_writer_free(writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  /* One more frame than hands: that comes first. */
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[2]), ==,
                  SHMVIDEO_AGAIN);
  shmvideo_frame_release(frames[0]);
  g_assert_cmpint(shmvideo_reader_wait(reader, 0, -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[0]), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpint(shmvideo_reader_wait(reader, 0, -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[2]), ==,
                  SHMVIDEO_END);
  shmvideo_frame_release(frames[1]);
  shmvideo_frame_release(frames[0]);
  shmvideo_reader_free(reader);
}

/* ---- Writers that lie ------------------------------------------------------ */

/* A writer that never reads, and asks to be nudged at every turn, fills its own
 * socket. That is its fault, not the end of its reader. */
static void
writer_that_never_reads(void)
{
  struct raw_writer writer;
  const struct shmvideo_frame *frame;
  uint64_t seen = 0;
  raw_writer_listen(&writer, "deaf");
  struct shmvideo_reader *reader = assault_reader("deaf", SHMVIDEO_LATEST, 2);
  raw_writer_serve(&writer, reader);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                  SHMVIDEO_NEW_FORMAT);
  for (uint32_t i = 1; i < 2000; i++) {
    shmv_store(&writer.generation->board->writer_waits, i);
    raw_writer_show(&writer);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_FRAME);
    shmvideo_frame_release(frame);
  }
  shmv_generation_begin(writer.generation, 2, 2000);
  raw_writer_send_format(&writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  assault_expect(reader, &seen, "NL");
  raw_writer_end(&writer);
  struct shmvideo_writer *successor = assault_writer("deaf", NULL);
  assault_show(successor);
  while (seen == 0) {
    assault_settle(successor);
    g_assert_cmpint(shmvideo_reader_wait(reader, 100000000, -1), >=, 0);
    g_free(assault_take_all(reader, &seen));
  }
  shmvideo_reader_free(reader);
  shmvideo_writer_free(successor);
}

static void
scribble(struct raw_writer *writer, GRand *rand)
{
  struct shmv_board *board = writer->generation->board;
  struct shmv_slot_entry *entry =
      &board->slots[g_rand_int_range(rand, 0, 4)];
  uint32_t junk = g_rand_boolean(rand) ? g_rand_int(rand)
                                       : (uint32_t)g_rand_int_range(rand, 0, 300);
  switch (g_rand_int_range(rand, 0, 12)) {
    case 0:
      shmv_store(&board->head, junk);
      break;
    case 1:
      shmv_store(&board->ring[junk % SHMV_RING_SIZE],
                 (uint32_t)g_rand_int_range(rand, 0, 260));
      break;
    case 2:
      shmv_store(&entry->gen, junk);
      break;
    case 3:
      entry->sequence = junk;
      break;
    case 4:
      entry->n_planes = junk;
      break;
    case 5:
      entry->stride[0] = junk;
      break;
    case 6:
      entry->plane_offset[0] = (uint64_t)junk << (junk % 33);
      break;
    case 7:
      entry->size = (uint64_t)junk << (junk % 33);
      break;
    case 8:
      entry->crop_x = entry->crop_width = entry->crop_height = junk;
      break;
    case 9:
      board->n_slots = board->generation = junk;
      board->slot_size = board->first_sequence = junk;
      break;
    case 10:
      shmv_store(&board->state, junk);
      shmv_store(&board->active, junk);
      shmv_store(&board->writer_waits, junk);
      break;
    default:
      raw_writer_show(writer);
      break;
  }
}

/* Whatever is on the board: each acquire ends, each frame lies within its slot. */
static void
board_full_of_junk(void)
{
  for (uint32_t seed = 0; seed < 60; seed++) {
    GRand *rand = g_rand_new_with_seed(seed);
    struct raw_writer writer;
    const struct shmvideo_frame *frame;
    int code = 0;
    raw_writer_listen(&writer, "junk");
    struct shmvideo_reader *reader = assault_reader(
        "junk", seed % 2 ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST, 3);
    raw_writer_serve(&writer, reader);
    for (int i = 0; i < 300 && code != SHMVIDEO_LOST; i++) {
      scribble(&writer, rand);
      code = i % 3 ? shmvideo_reader_acquire(reader, &frame)
                   : shmvideo_reader_acquire_newest(reader, &frame);
      g_assert_cmpint(code, >=, 0);
      if (code == SHMVIDEO_FRAME) {
        for (uint32_t y = 0; y < frame->format->height; y++)
          g_assert_cmpuint(frame->data[frame->plane_offset[0] +
                                       (uint64_t)y * frame->stride[0] +
                                       frame->format->width - 1],
                           <=, 255);
        shmvideo_frame_release(frame);
      }
    }
    raw_writer_end(&writer);
    shmvideo_reader_free(reader);
    g_rand_free(rand);
  }
}

/* A pool with holes: memory that the reader would have to pay for. */
static void
holes(void)
{
  for (int lie = 0; lie < 2; lie++) {
    struct raw_writer writer;
    struct stat before, after;
    const struct shmvideo_frame *frame;
    raw_writer_listen(&writer, "holes");
    struct shmvideo_reader *reader =
        assault_reader("holes", SHMVIDEO_LATEST, 2);
    raw_writer_serve(&writer, reader);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_NEW_FORMAT);
    raw_writer_show(&writer);
    struct shmv_board *board = writer.generation->board;
    uint32_t sequence = shmv_load(&board->head);
    memcpy(&board->slots[9], &board->slots[0], sizeof board->slots[0]);
    board->slots[9].sequence = sequence;
    shmv_store(&board->ring[sequence % SHMV_RING_SIZE], 9);
    if (lie == 1)
      shmv_store(&board->active, 10);
    g_assert_cmpint(fstat(writer.generation->pool.fd, &before), ==, 0);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_LOST);
    g_assert_cmpint(fstat(writer.generation->pool.fd, &after), ==, 0);
    g_assert_cmpint(after.st_blocks, ==, before.st_blocks);
    raw_writer_end(&writer);
    shmvideo_reader_free(reader);
  }
}

/* ---- Long runs ------------------------------------------------------------- */

static void
skip_to(struct shmvideo_writer *writer, uint64_t sequence)
{
  writer->sequence = writer->generation->claims.sequence = sequence;
  shmv_store(&writer->generation->board->head, (uint32_t)sequence);
}

/* More than 2^31 frames after it joined, a lossless reader still gets them all,
 * and 32 bits overflow on the way. */
static void
lossless_for_ever(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("ever", &config);
  struct shmvideo_slot *slot;
  struct raw_reader reader;
  raw_reader_join(&reader, writer, "ever", SHMVIDEO_LOSSLESS, 4, 2);
  for (int i = 0; i < 7; i++) {
    uint64_t sequence = writer->sequence + 0x30000000;
    skip_to(writer, sequence);
    shmv_store(&reader.page->cursor, (uint32_t)sequence + 1);
    int shown = 0;
    while (shmvideo_writer_acquire(writer, &slot) == 1) {
      g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
      g_assert_cmpint(shown++, <, 20); /* else it overtakes its reader */
    }
    g_assert_cmpint(shown, >, 2);
    g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 1);
  }
  g_assert_cmpuint(writer->sequence, >, UINT32_MAX);
  raw_reader_leave(&reader);
  shmvideo_writer_free(writer);
}

/* Frames, format changes and the end, while 32 bits overflow. */
static void
overflow(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("overflow", &config);
  skip_to(writer, UINT32_MAX - 5);
  assault_show(writer);
  uint64_t seen[2];
  struct shmvideo_reader *readers[2] = {
      assault_join(writer, "overflow", SHMVIDEO_LOSSLESS, &seen[0]),
      assault_join(writer, "overflow", SHMVIDEO_LATEST, &seen[1])};
  assault_expect(readers[0], &seen[0], "F");
  for (int i = 0; i < 8; i++) {
    assault_show(writer);
    for (int k = 0; k < 2; k++)
      assault_expect(readers[k], &seen[k], "F");
    if (i % 2) {
      assault_set_format(writer, 64 + 2 * (uint32_t)i);
      assault_settle(writer);
      for (int k = 0; k < 2; k++)
        assault_expect(readers[k], &seen[k], "N");
      assault_settle(writer);
    }
  }
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  shmvideo_writer_free(writer);
  for (int k = 0; k < 2; k++) {
    assault_expect(readers[k], &seen[k], "FE");
    g_assert_cmpuint(seen[k], ==, (uint64_t)UINT32_MAX + 7);
    shmvideo_reader_free(readers[k]);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/attack-readers/refusal-before-reset", refusal_before_reset);
  shmvtest_add("/attack-readers/end-before-format", end_before_format);
  shmvtest_add("/attack-readers/loss-with-full-hands", loss_with_full_hands);
  shmvtest_add("/attack-readers/writer-that-never-reads", writer_that_never_reads);
  shmvtest_add("/attack-readers/board-full-of-junk", board_full_of_junk);
  shmvtest_add("/attack-readers/lossless-for-ever", lossless_for_ever);
  shmvtest_add("/attack-readers/overflow", overflow);
  shmvtest_add("/attack-readers/holes", holes);
  return shmvtest_run();
}
