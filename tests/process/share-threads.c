/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One process, all the threads that the header allows: one publishes, one changes
 * formats, one dispatches, one asks for statistics, three read, and what they took
 * is released by others. Made for ThreadSanitizer.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "share-peer.h"
#include "shmvtest.h"

#define READERS 3
#define QUEUE 64

static guint
n_frames(void)
{
  return g_getenv("SHMVIDEO_TEST_SLOWNESS") != NULL ? 1500 : 5000;
}

/* Formats are changed so often, in the middle of the stream: the thread that does it is
 * waited for, so that each change has frames before it and after it. */
#define CHANGES 19

struct stage {
  atomic_uint n_changes;
  const char *path;
  struct shmvideo_writer *writer;
  atomic_bool done;
  struct reading {
    struct stage *stage;
    guint index;
    pthread_t thread, releaser;
    struct shmvideo_reader *reader;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct shmvideo_frame *queue[QUEUE];
    guint n_queued;
    bool finished;
    guint64 frames, formats;
  } readings[READERS];
};

static bool
is_lossless(const struct reading *reading)
{
  return reading->index == 0;
}

/* ---- The writer's threads ------------------------------------------------------ */

static void *
publish_frames(void *data)
{
  struct stage *stage = data;
  struct shmvideo_slot *before = NULL;
  for (guint i = 1; i <= n_frames(); i++) {
    struct shmvideo_slot *slot;
    while (atomic_load(&stage->n_changes) + 1 < i / (n_frames() / (CHANGES + 1)))
      poll(NULL, 0, 1);
    for (;;) {
      struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
      g_assert_cmpint(shmvideo_writer_acquire_wait(stage->writer, TRUE, -1, &slot), ==,
                      1);
      info.offset = i;
      share_paint(slot->data, slot->size, i);
      int code = i % 3 == 0
                     ? shmvideo_writer_publish_kept(stage->writer, slot, &info)
                     : shmvideo_writer_publish(stage->writer, slot, &info);
      if (code == 0)
        break;
      g_assert_cmpint(code, ==, -ESTALE); /* the format changed just now */
      shmvideo_slot_release(slot);
    }
    if (i % 3 == 0) {
      shmvideo_slot_release(before);
      before = slot;
    }
  }
  shmvideo_slot_release(before);
  shmvideo_writer_end(stage->writer);
  return NULL;
}

static void *
dispatch(void *data)
{
  struct stage *stage = data;
  while (!atomic_load(&stage->done)) {
    shmvtest_poll(shmvideo_writer_get_fd(stage->writer), POLLIN, 20);
    g_assert_cmpint(shmvideo_writer_dispatch(stage->writer), ==, 0);
  }
  return NULL;
}

static void *
change_and_ask(void *data)
{
  struct stage *stage = data;
  struct shmvideo_writer_stats stats;
  struct shmvideo_reader_info readers[READERS];
  guint width = 64;
  guint n = 0;
  do {
    shmvideo_writer_get_stats(stage->writer, &stats);
    shmvideo_writer_get_readers(stage->writer, readers, READERS);
    shmvideo_writer_set_latency(stage->writer, stats.frames);
    if (n < CHANGES && stats.frames >= (n + 1) * (n_frames() / (CHANGES + 1))) {
      struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                       .width = width ^= 2,
                                       .height = 48};
      g_assert_cmpint(
          shmvideo_writer_set_format(stage->writer, &format, NULL, NULL), ==, 0);
      atomic_store(&stage->n_changes, ++n);
    }
    poll(NULL, 0, 1); /* a leisurely observer, not a wait */
  } while (!atomic_load(&stage->done));
  return NULL;
}

/* ---- The readers' threads ------------------------------------------------------ */

static void
pass_on(struct reading *reading, const struct shmvideo_frame *frame)
{
  pthread_mutex_lock(&reading->lock);
  while (reading->n_queued == QUEUE)
    pthread_cond_wait(&reading->changed, &reading->lock);
  reading->queue[reading->n_queued++] = frame;
  pthread_cond_signal(&reading->changed);
  pthread_mutex_unlock(&reading->lock);
}

static void *
release_frames(void *data)
{
  struct reading *reading = data;
  pthread_mutex_lock(&reading->lock);
  while (reading->n_queued > 0 || !reading->finished) {
    if (reading->n_queued == 0) {
      pthread_cond_wait(&reading->changed, &reading->lock);
      continue;
    }
    const struct shmvideo_frame *frame = reading->queue[--reading->n_queued];
    pthread_cond_broadcast(&reading->changed);
    pthread_mutex_unlock(&reading->lock);
    share_look(frame);
    shmvideo_frame_release(frame);
    pthread_mutex_lock(&reading->lock);
  }
  pthread_mutex_unlock(&reading->lock);
  return NULL;
}

static void *
read_frames(void *data)
{
  struct reading *reading = data;
  const struct shmvideo_frame *frame;
  struct shmvideo_reader_status status;
  guint64 first = 1, last = 0, skipped = 0;
  for (int code = 0; code != SHMVIDEO_END;) {
    code = shmvideo_reader_acquire(reading->reader, &frame);
    g_assert_cmpint(code, >=, 0);
    g_assert_cmpint(code, !=, SHMVIDEO_LOST);
    if (code == SHMVIDEO_AGAIN)
      g_assert_cmpint(shmvideo_reader_wait(reading->reader,
                                           (guint64)shmvtest_deadline() * 1000000,
                                           -1), ==, 1);
    reading->formats += code == SHMVIDEO_NEW_FORMAT;
    if (code != SHMVIDEO_FRAME)
      continue;
    if (reading->frames == 0 && !is_lossless(reading))
      first = frame->sequence; /* it begins with the newest */
    else
      g_assert_cmpuint(frame->sequence, ==, last + 1 + frame->skipped);
    last = frame->sequence;
    skipped += frame->skipped;
    reading->frames++;
    pass_on(reading, frame);
    shmvideo_reader_get_status(reading->reader, &status);
    g_assert_cmpuint(status.received, ==, reading->frames);
  }
  g_assert_cmpuint(last, ==, n_frames());
  g_assert_cmpuint(first - 1 + reading->frames + skipped, ==, n_frames());
  return NULL;
}

/* ---- The stage ----------------------------------------------------------------- */

static void
open_reading(struct stage *stage, guint index)
{
  struct reading *reading = &stage->readings[index];
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  config.path = stage->path;
  config.max_holds = 8;
  reading->stage = stage;
  reading->index = index;
  config.policy = is_lossless(reading) ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST;
  pthread_mutex_init(&reading->lock, NULL);
  pthread_cond_init(&reading->changed, NULL);
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reading->reader), ==, 0);
  /* until it is let in: frame 1 is for all of them */
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  const struct shmvideo_frame *frame;
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(stage->writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(reading->reader), ==, 0);
    g_assert_cmpuint(shmvtest_now(), <, end);
  } while (shmvideo_reader_acquire(reading->reader, &frame) !=
           SHMVIDEO_NEW_FORMAT);
}

static void
all_threads(void)
{
  struct stage stage = {.path = shmvtest_path("share")};
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = 64, .height = 48};
  pthread_t publisher, dispatcher, asker;
  config.path = stage.path;
  config.backpressure = 1;
  config.backpressure_timeout = UINT64_C(60000000000);
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &stage.writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(stage.writer, &format, NULL, NULL), ==, 0);
  for (guint i = 0; i < READERS; i++)
    open_reading(&stage, i);
  g_assert_cmpuint(shmvideo_writer_get_n_readers(stage.writer), ==, READERS);
  for (guint i = 0; i < READERS; i++) {
    struct reading *reading = &stage.readings[i];
    pthread_create(&reading->thread, NULL, read_frames, reading);
    pthread_create(&reading->releaser, NULL, release_frames, reading);
  }
  pthread_create(&dispatcher, NULL, dispatch, &stage);
  pthread_create(&asker, NULL, change_and_ask, &stage);
  pthread_create(&publisher, NULL, publish_frames, &stage);
  pthread_join(publisher, NULL);
  for (guint i = 0; i < READERS; i++)
    pthread_join(stage.readings[i].thread, NULL);
  atomic_store(&stage.done, true);
  pthread_join(dispatcher, NULL);
  pthread_join(asker, NULL);
  shmvideo_writer_free(stage.writer);
  for (guint i = 0; i < READERS; i++) {
    struct reading *reading = &stage.readings[i];
    shmvideo_reader_free(reading->reader); /* frames are still on their way back */
    pthread_mutex_lock(&reading->lock);
    reading->finished = true;
    pthread_cond_broadcast(&reading->changed);
    pthread_mutex_unlock(&reading->lock);
    pthread_join(reading->releaser, NULL);
    g_test_message("reader %u: %" G_GUINT64_FORMAT " frames of %u, %"
                   G_GUINT64_FORMAT " formats", i, reading->frames, n_frames(),
                   reading->formats);
    if (is_lossless(reading))
      g_assert_cmpuint(reading->frames, ==, n_frames());
    g_assert_cmpuint(reading->formats, >=, is_lossless(reading) ? CHANGES : 1);
    pthread_mutex_destroy(&reading->lock);
    pthread_cond_destroy(&reading->changed);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/share/threads/all", all_threads);
  return shmvtest_run();
}
