/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A hold in vain: the frame is gone when the reader looks. But for a moment its slot was
 * held, and a writer that looked then sleeps: it must be told.
 */

#define SHMV_TEST_POINTS

#include <poll.h>
#include <string.h>

#include "shmvideo.h"
#include "shmvtest.h"
#include "testpoint.h"
#include "writer.h"

static struct {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *lossless, *latest;
  GThread *waiting;
  int n_points; /* of the one hold that is in vain, from 1 on */
} stage;

static bool
publish(void)
{
  struct shmvideo_slot *slot;
  if (shmvideo_writer_acquire(stage.writer, &slot) != 1)
    return false;
  g_assert_cmpint(shmvideo_writer_publish(stage.writer, slot, NULL), ==, 0);
  return true;
}

static gpointer
wait_for_slot(gpointer data)
{
  struct shmvideo_slot *slot;
  int code = shmvideo_writer_acquire_wait(stage.writer, FALSE, -1, &slot);
  if (code == 1)
    shmvideo_slot_release(slot);
  return GINT_TO_POINTER(code);
}

/* All slots are needed but that of the first frame, which is empty. */
static void
fill(void)
{
  const struct shmvideo_frame *frame;
  struct shmvideo_slot *slot;
  while (publish())
    ;
  g_assert_cmpint(shmvideo_reader_acquire(stage.lossless, &frame), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpuint(frame->sequence, ==, 1);
  shmvideo_frame_release(frame);
  g_assert_cmpint(shmvideo_writer_acquire(stage.writer, &slot), ==, 1);
  shmvideo_slot_release(slot);
}

static void
have_writer_wait(void)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  stage.waiting = g_thread_new("writer", wait_for_slot, NULL);
  while (shmv_load(&stage.writer->generation->board->writer_waits) == 0) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 1);
  }
  shmvtest_poll(-1, 0, 20); /* it looks once more, and sleeps */
}

void
shmv_test_point(const char *name)
{
  if (stage.n_points == 1 && strcmp(name, "ring-read") == 0) {
    stage.n_points = 0;
    fill();
    stage.n_points = 2;
  } else if (stage.n_points == 2 && strcmp(name, "hold-set") == 0) {
    stage.n_points = 0;
    have_writer_wait();
  }
}

static struct shmvideo_reader *
join(uint32_t policy)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *none;
  struct shmvideo_reader *reader;
  config.path = shmvtest_path("share");
  config.policy = policy;
  config.depth = 1;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  } while (shmvideo_reader_acquire(reader, &none) != SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0); /* READY */
  return reader;
}

static void
told(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = 64, .height = 48};
  const struct shmvideo_frame *frame;
  config.path = shmvtest_path("share");
  config.backpressure = 1;
  config.backpressure_timeout = (uint64_t)shmvtest_deadline() * 10000000;
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &stage.writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(stage.writer, &format, NULL, NULL), ==, 0);
  stage.lossless = join(SHMVIDEO_LOSSLESS);
  stage.latest = join(SHMVIDEO_LATEST);
  g_assert_true(publish());

  stage.n_points = 1;
  g_assert_cmpint(shmvideo_reader_acquire(stage.latest, &frame), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpuint(frame->sequence, >, 1);
  g_assert_nonnull(stage.waiting);
  /* The frame it has now is kept; the writer goes on all the same. */
  guint64 start = shmvtest_now();
  g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(stage.waiting)), ==, 1);
  g_assert_cmpuint(shmvtest_now() - start, <,
                   (guint64)shmvtest_deadline() * 1000000);
  shmvideo_frame_release(frame);
  shmvideo_reader_free(stage.latest);
  shmvideo_reader_free(stage.lossless);
  shmvideo_writer_free(stage.writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/vain/the-writer-is-told", told);
  return shmvtest_run();
}
