/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A thread that gives memory to a pool may be stopped in the middle: the frame path
 * still has the slots that it has a right to.
 */

#define SHMV_TEST_POINTS

#include <poll.h>
#include <string.h>

#include "shmvideo.h"
#include "shmvtest.h"
#include "testpoint.h"

static struct {
  bool armed;
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
  const struct shmvideo_frame *frames[2];
} stage;

static void
publish(void)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(stage.writer, &slot), ==, 1);
  g_assert_cmpint(shmvideo_writer_publish(stage.writer, slot, NULL), ==, 0);
}

/* The next outcome that is there or comes without the writer's help. */
static int
outcome(const struct shmvideo_frame **frame)
{
  int code = shmvideo_reader_acquire(stage.reader, frame);
  while (code == SHMVIDEO_AGAIN) {
    shmvtest_poll(shmvideo_reader_get_fd(stage.reader), POLLIN,
                  shmvtest_deadline());
    g_assert_cmpint(shmvideo_reader_dispatch(stage.reader), ==, 0);
    code = shmvideo_reader_acquire(stage.reader, frame);
  }
  return code;
}

/* While dispatch has begun to grow the pool of a new format: the two slots that are
 * there are looked at by a reader that has a right to both. */
void
shmv_test_point(const char *name)
{
  if (!stage.armed || strcmp(name, "growing") != 0)
    return;
  stage.armed = false;
  const struct shmvideo_frame *none;
  g_assert_cmpint(outcome(&none), ==, SHMVIDEO_NEW_FORMAT);
  for (int i = 0; i < 2; i++) {
    publish();
    g_assert_cmpint(outcome(&stage.frames[i]), ==, SHMVIDEO_FRAME);
  }
  publish();
}

static void
set_size(uint32_t width, uint32_t height)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = width, .height = height};
  g_assert_cmpint(shmvideo_writer_set_format(stage.writer, &format, NULL, NULL),
                  ==, 0);
}

/* A writer and a reader that has learnt its format. */
static void
stage_open(uint32_t width, uint32_t height)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config reading = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *none;
  config.path = reading.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &stage.writer), ==, 0);
  set_size(width, height);
  g_assert_cmpint(shmvideo_reader_new(&reading, NULL, &stage.reader), ==, 0);
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(stage.reader), ==, 0);
    g_assert_cmpuint(shmvtest_now(), <, end);
  } while (shmvideo_reader_acquire(stage.reader, &none) != SHMVIDEO_NEW_FORMAT);
}

/* Large frames take milliseconds each to make: a newcomer is not kept from the frame
 * that is there until all that it may ever hold has memory. */
static void
format_comes_before_memory(void)
{
  struct shmvideo_writer_stats stats;
  stage_open(3840, 2160);
  shmvideo_writer_get_stats(stage.writer, &stats);
  uint32_t then = stats.slots_active;
  while (poll(&(struct pollfd){shmvideo_writer_get_fd(stage.writer), POLLIN, 0}, 1,
              0) > 0)
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  shmvideo_writer_get_stats(stage.writer, &stats);
  g_assert_cmpuint(stats.slots_active, ==, 2 + 4 + 2); /* depth 4, 2 holds */
  g_assert_cmpuint(then, <, stats.slots_active);
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
}

/* Memory waits a moment for who is joining, not for ever for who never does. */
static void
memory_comes_in_spite_of_silence(void)
{
  struct shmvideo_reader_config reading = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_writer_stats stats;
  struct shmvideo_reader *silent;
  stage_open(1920, 1080);
  reading.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_reader_new(&reading, NULL, &silent), ==, 0);
  do { /* the timer ends each wait */
    g_assert_cmpint(shmvtest_poll(shmvideo_writer_get_fd(stage.writer), POLLIN,
                                  shmvtest_deadline()), ==, POLLIN);
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
    shmvideo_writer_get_stats(stage.writer, &stats);
  } while (stats.slots_active < 2 + 4 + 2 + 2); /* depth 4, 2 holds each */
  /* And then it is not waited for any more. */
  while (shmvtest_poll(shmvideo_writer_get_fd(stage.writer), POLLIN, 0) != 0)
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  g_assert_cmpint(shmvtest_poll(shmvideo_writer_get_fd(stage.writer), POLLIN, 50),
                  ==, 0);
  shmvideo_reader_free(silent);
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
}

static void
frame_path_goes_on(void)
{
  stage_open(64, 48);
  g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0); /* READY */

  set_size(32, 48);
  stage.armed = true;
  g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  g_assert_false(stage.armed);

  for (int i = 0; i < 2; i++)
    shmvideo_frame_release(stage.frames[i]);
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/growing/format-before-memory", format_comes_before_memory);
  shmvtest_add("/growing/memory-in-spite-of-silence",
               memory_comes_in_spite_of_silence);
  shmvtest_add("/growing/the-frame-path-goes-on", frame_path_goes_on);
  return shmvtest_run();
}
