/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A writer's owner, beside a thread that waits for a slot: that thread dispatches, and the
 * owner is told only of what is for him.
 */

#include <poll.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"

static struct {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *lossless;
  gint n_taken; /* atomic: slots that the waiting thread had */
  GThread *waiting;
  int cancel_fd;
} stage;

static gpointer
show_for_ever(gpointer data)
{
  struct shmvideo_slot *slot;
  while (shmvideo_writer_acquire_wait(stage.writer, FALSE, stage.cancel_fd,
                                      &slot) == 1) {
    g_assert_cmpint(shmvideo_writer_publish(stage.writer, slot, NULL), ==, 0);
    g_atomic_int_inc(&stage.n_taken);
  }
  return NULL;
}

static bool
owner_is_called(int ms)
{
  return shmvtest_poll(shmvideo_writer_get_fd(stage.writer), POLLIN, ms) != 0;
}

static struct shmvideo_reader *
reader_new(uint32_t policy)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  config.path = shmvtest_path("share");
  config.policy = policy;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  return reader;
}

/* All frames there are, given back one by one: a nudge for each wait. */
static guint
take_all(void)
{
  const struct shmvideo_frame *frame;
  guint n = 0;
  while (shmvideo_reader_acquire(stage.lossless, &frame) == SHMVIDEO_FRAME) {
    shmvideo_frame_release(frame);
    n++;
  }
  return n;
}

static void
begin(int cancel[2])
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = 64, .height = 48};
  const struct shmvideo_frame *none;
  config.path = shmvtest_path("share");
  config.backpressure = 1;
  config.backpressure_timeout = (uint64_t)shmvtest_deadline() * 10000000;
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &stage.writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(stage.writer, &format, NULL, NULL), ==, 0);
  stage.lossless = reader_new(SHMVIDEO_LOSSLESS);
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(stage.lossless), ==, 0);
  } while (shmvideo_reader_acquire(stage.lossless, &none) != SHMVIDEO_NEW_FORMAT);
  while (owner_is_called(0))
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  g_assert_cmpint(pipe(cancel), ==, 0);
  stage.cancel_fd = cancel[0];
  stage.waiting = g_thread_new("writer", show_for_ever, NULL);
}

static void
end(int cancel[2], guint64 deadline)
{
  g_assert_cmpint(write(cancel[1], "", 1), ==, 1);
  g_thread_join(stage.waiting);
  /* Nobody waits: what comes now is the owner's again. */
  shmvideo_reader_free(stage.lossless);
  while (shmvideo_writer_get_readers(stage.writer, NULL, 0) > 0) {
    g_assert_cmpuint(shmvtest_now(), <, deadline);
    g_assert_true(owner_is_called(shmvtest_deadline()));
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  }
  shmvideo_writer_free(stage.writer);
  close(cancel[0]);
  close(cancel[1]);
}

static void
told_of_readers(void)
{
  guint64 deadline = shmvtest_now() + (guint64)shmvtest_deadline() * 2000000;
  int cancel[2];
  begin(cancel);
  while (g_atomic_int_get(&stage.n_taken) < 5 || owner_is_called(20))
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);

  /* Another reader is let in without the owner, who is told that it is there. */
  struct shmvideo_reader *reader = reader_new(SHMVIDEO_LATEST);
  g_assert_true(owner_is_called(shmvtest_deadline()));
  while (shmvideo_writer_get_readers(stage.writer, NULL, 0) < 2) {
    g_assert_cmpuint(shmvtest_now(), <, deadline);
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  }
  while (owner_is_called(20))
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);

  /* And that it left. */
  shmvideo_reader_free(reader);
  while (shmvideo_writer_get_readers(stage.writer, NULL, 0) > 1) {
    g_assert_true(owner_is_called(shmvtest_deadline()));
    g_assert_cmpint(shmvideo_writer_dispatch(stage.writer), ==, 0);
  }

  /* The waiting thread goes on as its reader does. */
  gint before = g_atomic_int_get(&stage.n_taken);
  while (g_atomic_int_get(&stage.n_taken) < before + 100) {
    g_assert_cmpuint(shmvtest_now(), <, deadline);
    shmvideo_reader_dispatch(stage.lossless);
    take_all();
  }
  end(cancel, deadline);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/owner/told-of-readers", told_of_readers);
  return shmvtest_run();
}
