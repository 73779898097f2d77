/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A reader that looks for a while before it sleeps: nobody makes a system call to wake
 * it, and what comes as a message, or after that while, is not missed.
 */

#include <poll.h>

#include "shmvideo.h"
#include "shmvtest.h"

struct pair {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
};

static void
pair_open(struct pair *pair, uint64_t spin)
{
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = 64, .height = 48};
  const struct shmvideo_frame *frame;
  w.path = r.path = shmvtest_path("share");
  r.spin = spin;
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair->writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(pair->writer, &format, NULL, NULL), ==, 0);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair->reader), ==, 0);
  do {
    shmvideo_writer_dispatch(pair->writer);
    shmvideo_reader_dispatch(pair->reader);
  } while (shmvideo_reader_acquire(pair->reader, &frame) != SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(shmvideo_reader_acquire(pair->reader, &frame), ==,
                  SHMVIDEO_AGAIN);
}

static void
pair_close(struct pair *pair)
{
  shmvideo_reader_free(pair->reader);
  shmvideo_writer_free(pair->writer);
}

static void
publish(struct pair *pair)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(pair->writer, &slot), ==, 1);
  g_assert_cmpint(shmvideo_writer_publish(pair->writer, slot, NULL), ==, 0);
}

static void
take(struct pair *pair)
{
  const struct shmvideo_frame *frame;
  g_assert_cmpint(shmvideo_reader_acquire(pair->reader, &frame), ==,
                  SHMVIDEO_FRAME);
  shmvideo_frame_release(frame);
}

static gpointer
publish_later(gpointer data)
{
  struct pair *pair = data;
  g_usleep(20000); /* the reader is looking by now; if not, nothing is lost */
  publish(pair);
  return NULL;
}

/* With 100 ms to look, 20 ms are nearly always short enough; on a machine where they
 * are not, the reader is woken as any other. */
static void
seen_without_a_wake(void)
{
  bool seen = false;
  for (int i = 0; i < 20 && !seen; i++) {
    struct pair pair;
    pair_open(&pair, 100000000);
    GThread *thread = g_thread_new("writer", publish_later, &pair);
    g_assert_cmpint(shmvideo_reader_wait(pair.reader,
                                         (guint64)shmvtest_deadline() * 1000000,
                                         -1), ==, 1);
    g_thread_join(thread);
    take(&pair);
    seen = shmvtest_poll(shmvideo_reader_get_fd(pair.reader), POLLIN, 0) == 0;
    pair_close(&pair);
  }
  g_assert_true(seen);
}

/* It gave up looking, and asked to be woken. */
static void
woken_after_looking(void)
{
  struct pair pair;
  pair_open(&pair, 1000);
  g_assert_cmpint(shmvideo_reader_wait(pair.reader, 0, -1), ==, 0);
  publish(&pair);
  g_assert_cmpint(shmvtest_poll(shmvideo_reader_get_fd(pair.reader), POLLIN,
                                shmvtest_deadline()), ==, POLLIN);
  g_assert_cmpint(shmvideo_reader_wait(pair.reader, 0, -1), ==, 1);
  take(&pair);
  pair_close(&pair);
}

/* What is no frame does not wait for the looking to end for ever. */
static void
told_of_the_end(void)
{
  const struct shmvideo_frame *frame;
  struct pair pair;
  pair_open(&pair, 1000000);
  publish(&pair);
  take(&pair);
  shmvideo_writer_end(pair.writer);
  shmvideo_writer_dispatch(pair.writer);
  g_assert_cmpint(shmvideo_reader_wait(pair.reader,
                                       (guint64)shmvtest_deadline() * 1000000,
                                       -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(pair.reader, &frame), ==, SHMVIDEO_END);
  pair_close(&pair);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/spin/seen-without-a-wake", seen_without_a_wake);
  shmvtest_add("/spin/woken-after-looking", woken_after_looking);
  shmvtest_add("/spin/told-of-the-end", told_of_the_end);
  return shmvtest_run();
}
