/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* An end is told where it belongs: after the frames before it, taken or skipped, and
 * before all that follows. Nothing overtakes a frame that is there. */

#define SHMV_TEST_POINTS

#include <string.h>

#include "shmvideo.h"
#include "shmvtest.h"
#include "testpoint.h"

static struct {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
  const struct shmvideo_frame *come_back; /* let go when the reader looks for it */
} stage;

void
shmv_test_point(const char *name)
{
  if (strcmp(name, "blocked") != 0 || stage.come_back == NULL)
    return;
  shmvideo_frame_release(stage.come_back);
  stage.come_back = NULL;
}

static void
set_width(uint32_t width)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = width, .height = 16};
  g_assert_cmpint(
      shmvideo_writer_set_format(stage.writer, &format, NULL, NULL), ==, 0);
}

static void
show(int n)
{
  struct shmvideo_slot *slot;
  for (int i = 0; i < n; i++) {
    g_assert_cmpint(shmvideo_writer_acquire(stage.writer, &slot), ==, 1);
    g_assert_cmpint(shmvideo_writer_publish(stage.writer, slot, NULL), ==, 0);
  }
}

/* Both sides hear all that was said. */
static void
talk(void)
{
  for (int i = 0; i < 5; i++) {
    shmvideo_writer_dispatch(stage.writer);
    shmvideo_reader_dispatch(stage.reader);
  }
}

static void
begin(uint32_t depth, uint32_t max_holds)
{
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *frame;
  w.path = r.path = shmvtest_path("ends");
  r.depth = depth;
  r.max_holds = max_holds;
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &stage.writer), ==, 0);
  set_width(16);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &stage.reader), ==, 0);
  talk();
  g_assert_cmpint(shmvideo_reader_acquire(stage.reader, &frame), ==,
                  SHMVIDEO_NEW_FORMAT);
  talk();
}

static void
finish(void)
{
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
}

static void
expect_frame(uint64_t sequence)
{
  const struct shmvideo_frame *frame;
  g_assert_cmpint(shmvideo_reader_acquire(stage.reader, &frame), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpuint(frame->sequence, ==, sequence);
  shmvideo_frame_release(frame);
}

static void
expect(int (*acquire)(struct shmvideo_reader *, const struct shmvideo_frame **),
       int outcome)
{
  const struct shmvideo_frame *frame;
  g_assert_cmpint(acquire(stage.reader, &frame), ==, outcome);
}

static void
skipped_over(void)
{
  begin(2, 2);
  show(3);
  shmvideo_writer_end(stage.writer);
  talk();
  show(6);
  expect(shmvideo_reader_acquire, SHMVIDEO_END);
  expect_frame(8);
  expect_frame(9);
  finish();
}

static void
newest_is_past_it(void)
{
  begin(4, 2);
  show(3);
  shmvideo_writer_end(stage.writer);
  talk();
  show(1);
  expect(shmvideo_reader_acquire_newest, SHMVIDEO_END);
  expect_frame(4);
  /* And where the newest frame is of another format. */
  show(2);
  shmvideo_writer_end(stage.writer);
  set_width(32);
  talk();
  expect(shmvideo_reader_acquire_newest, SHMVIDEO_END);
  expect(shmvideo_reader_acquire_newest, SHMVIDEO_NEW_FORMAT);
  finish();
}

/* A frame let go by another thread just when no hold was found to be free. */
static void
hold_comes_back(void)
{
  begin(4, 1);
  show(2);
  g_assert_cmpint(shmvideo_reader_acquire(stage.reader, &stage.come_back), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpuint(stage.come_back->sequence, ==, 1);
  set_width(32);
  talk();
  expect_frame(2);
  g_assert_null(stage.come_back);
  expect(shmvideo_reader_acquire, SHMVIDEO_NEW_FORMAT);
  finish();
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/ends/come-before-the-frames-that-a-reader-skips-to",
               skipped_over);
  shmvtest_add("/ends/come-before-the-newest-frame-past-them",
               newest_is_past_it);
  shmvtest_add("/ends/a-hold-that-comes-back-lets-no-frame-pass",
               hold_comes_back);
  return shmvtest_run();
}
