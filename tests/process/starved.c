/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Memory ends while the pool grows for a new reader: that reader is refused, and
 * nobody else notices. This program's madvise plays the kernel that has no more.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static bool no_memory;

int
madvise(void *data, size_t size, int advice)
{
  if (no_memory && advice == MADV_POPULATE_WRITE) {
    errno = ENOMEM;
    return -1;
  }
  return (int)syscall(SYS_madvise, data, size, advice);
}

static struct shmvideo_reader *
follow(uint32_t holds)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  config.path = shmvtest_path("starved");
  config.min_holds = config.max_holds = holds;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  return reader;
}

static void
show(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
  g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
}

/* What the reader is told next, both sides dispatching. */
static int
next(struct shmvideo_writer *writer, struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame;
  int outcome = SHMVIDEO_AGAIN;
  for (int i = 0; i < 10 && outcome == SHMVIDEO_AGAIN; i++) {
    shmvideo_writer_dispatch(writer);
    shmvideo_reader_dispatch(reader);
    outcome = shmvideo_reader_acquire(reader, &frame);
  }
  if (outcome == SHMVIDEO_FRAME)
    shmvideo_frame_release(frame);
  return outcome;
}

static void
last_is_refused(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = 64, .height = 64};
  struct shmvideo_writer *writer;
  struct shmvideo_error error;
  config.path = shmvtest_path("starved");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==,
                  0);
  struct shmvideo_reader *first = follow(2);
  g_assert_cmpint(next(writer, first), ==, SHMVIDEO_NEW_FORMAT);
  show(writer);
  g_assert_cmpint(next(writer, first), ==, SHMVIDEO_FRAME);

  no_memory = true;
  struct shmvideo_reader *second = follow(32);
  int outcome;
  do
    outcome = next(writer, second);
  while (outcome > 0);
  g_assert_cmpint(outcome, ==, -ENOBUFS);
  g_assert_cmpint(shmvideo_reader_get_error(second, &error), ==, 0);
  g_assert_nonnull(strstr(error.message, "memory"));
  shmvideo_reader_free(second);
  for (int i = 0; i < 100; i++) {
    show(writer);
    g_assert_cmpint(next(writer, first), ==, SHMVIDEO_FRAME);
  }
  no_memory = false;
  struct shmvideo_writer_stats stats;
  shmvideo_writer_get_stats(writer, &stats);
  g_assert_cmpuint(stats.n_readers, ==, 1);
  g_assert_cmpuint(stats.refused, ==, 1);
  shmvideo_reader_free(first);
  shmvideo_writer_free(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/starved/the-last-to-come-is-refused", last_is_refused);
  return shmvtest_run();
}
