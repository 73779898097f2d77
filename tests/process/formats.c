/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Which frames a reader gets around a change of format. */

#include <string.h>

#include "shmvideo.h"
#include "shmvtest.h"

struct pair {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
};

static void
set_width(struct pair *pair, uint32_t width)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = width, .height = 16};
  g_assert_cmpint(
      shmvideo_writer_set_format(pair->writer, &format, NULL, NULL), ==, 0);
}

static void
pair_open(struct pair *pair)
{
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  w.path = r.path = shmvtest_path("formats");
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair->writer), ==, 0);
  set_width(pair, 16);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair->reader), ==, 0);
}

static void
show(struct pair *pair)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(pair->writer, &slot), ==, 1);
  g_assert_cmpint(shmvideo_writer_publish(pair->writer, slot, NULL), ==, 0);
}

/* What comes next; both sides dispatch as often as it takes. */
static int
next(struct pair *pair, bool newest, uint64_t *out_sequence)
{
  const struct shmvideo_frame *frame;
  int outcome = SHMVIDEO_AGAIN;
  for (int i = 0; i < 10 && outcome == SHMVIDEO_AGAIN; i++) {
    shmvideo_writer_dispatch(pair->writer);
    shmvideo_reader_dispatch(pair->reader);
    outcome = newest ? shmvideo_reader_acquire_newest(pair->reader, &frame)
                     : shmvideo_reader_acquire(pair->reader, &frame);
  }
  if (outcome == SHMVIDEO_FRAME) {
    *out_sequence = frame->sequence;
    shmvideo_frame_release(frame);
  }
  return outcome;
}

static void
begin(struct pair *pair)
{
  uint64_t sequence;
  pair_open(pair);
  g_assert_cmpint(next(pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  show(pair);
  g_assert_cmpint(next(pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 1);
  show(pair);
  show(pair);
  set_width(pair, 32);
  show(pair);
  shmvideo_writer_dispatch(pair->writer);
  shmvideo_reader_dispatch(pair->reader);
}

static void
end(struct pair *pair)
{
  shmvideo_reader_free(pair->reader);
  shmvideo_writer_free(pair->writer);
}

static void
all_of_the_old(void)
{
  struct pair pair;
  uint64_t sequence;
  begin(&pair);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 2);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 3);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 4);
  end(&pair);
}

static void
newest_is_of_the_new(void)
{
  struct pair pair;
  uint64_t sequence;
  begin(&pair);
  g_assert_cmpint(next(&pair, true, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(next(&pair, true, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 4);
  end(&pair);
}

/* Said before the next format, told before it, though both wait for a dispatch. */
static void
end_of_the_old(void)
{
  struct pair pair;
  uint64_t sequence;
  pair_open(&pair);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  show(&pair);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  show(&pair);
  shmvideo_writer_end(pair.writer);
  set_width(&pair, 32);
  show(&pair);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 2);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_END);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_FRAME);
  g_assert_cmpuint(sequence, ==, 3);
  end(&pair);
}

/* A lossless reader sees the frames of every format, however fast they change. */
static void
lossless_through_formats(void)
{
  struct pair pair;
  struct shmvideo_slot *slot;
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  uint64_t sequence, expected = 0, shown = 0;
  int outcome, stalls = 0, formats = 1;
  w.path = r.path = shmvtest_path("formats");
  w.backpressure = 1;
  r.policy = SHMVIDEO_LOSSLESS;
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair.writer), ==, 0);
  set_width(&pair, 16);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair.reader), ==, 0);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  shmvideo_writer_dispatch(pair.writer);
  while (formats < 50) {
    /* As many frames and formats as the writer may, then one step of the reader. */
    shmvideo_writer_dispatch(pair.writer);
    if (shmvideo_writer_acquire(pair.writer, &slot) == 1) {
      g_assert_cmpint(shmvideo_writer_publish(pair.writer, slot, NULL), ==, 0);
      shown++;
      set_width(&pair, 16 + (uint32_t)formats++ % 7);
      continue;
    }
    stalls++;
    outcome = next(&pair, false, &sequence);
    g_assert_cmpint(outcome, >, 0);
    if (outcome == SHMVIDEO_FRAME)
      g_assert_cmpuint(sequence, ==, ++expected);
  }
  while (expected < shown)
    if (next(&pair, false, &sequence) == SHMVIDEO_FRAME)
      g_assert_cmpuint(sequence, ==, ++expected);
  g_assert_cmpint(stalls, >, 10);
  end(&pair);
}

/* Slots lent out, as many as can be, leave enough for readers and for copies. */
static void
lent_slots(void)
{
  struct pair pair;
  struct shmvideo_slot *lent[64], *slot;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = 4096, .height = 1};
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  uint8_t line[4096] = {0};
  const uint8_t *planes[] = {line};
  const uint32_t strides[] = {4096};
  uint64_t sequence;
  int n = 0;
  w.path = r.path = shmvtest_path("lent");
  w.max_memory = 16 * 4096;
  w.max_lent = 64;
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair.writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(pair.writer, &format, NULL, NULL), ==, 0);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair.reader), ==, 0);
  g_assert_cmpint(next(&pair, false, &sequence), ==, SHMVIDEO_NEW_FORMAT);
  while (n < 64 && shmvideo_writer_acquire(pair.writer, &lent[n]) == 1)
    n++;
  /* 16 places, less newest, spare, depth 4, 2 holds and 2 for copies. */
  g_assert_cmpint(n, ==, 6);
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint(shmvideo_writer_send(pair.writer, planes, strides, NULL),
                    ==, 1);
    g_assert_cmpint(shmvideo_writer_acquire_wait(pair.writer, TRUE, -1, &slot), ==,
                    1);
    g_assert_cmpint(shmvideo_writer_publish(pair.writer, slot, NULL), ==, 0);
  }
  while (n > 0)
    shmvideo_slot_release(lent[--n]);
  end(&pair);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/formats/frames-of-the-old-format-come-first", all_of_the_old);
  shmvtest_add("/formats/the-newest-frame-is-of-the-new", newest_is_of_the_new);
  shmvtest_add("/formats/an-end-comes-before-the-next-format", end_of_the_old);
  shmvtest_add("/formats/lossless-means-every-format",
               lossless_through_formats);
  shmvtest_add("/formats/lent-slots-leave-room-for-copies", lent_slots);
  return shmvtest_run();
}
