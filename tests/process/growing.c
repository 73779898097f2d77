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
set_size(uint32_t width)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = width, .height = 48};
  g_assert_cmpint(shmvideo_writer_set_format(stage.writer, &format, NULL, NULL),
                  ==, 0);
}

static void
frame_path_goes_on(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config reading = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *none;
  config.path = reading.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &stage.writer), ==, 0);
  set_size(64);
  g_assert_cmpint(shmvideo_reader_new(&reading, NULL, &stage.reader), ==, 0);
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(stage.reader), ==, 0);
    g_assert_cmpuint(shmvtest_now(), <, end);
  } while (shmvideo_reader_acquire(stage.reader, &none) != SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0); /* READY */

  set_size(32);
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
  shmvtest_add("/growing/the-frame-path-goes-on", frame_path_goes_on);
  return shmvtest_run();
}
