/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the header says about threads, tried with all of them at once in one
 * process: for ThreadSanitizer, which sees the locks of the library, and for
 * itself, since a torn or lost frame is found as well.
 */

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"

enum { SIDE = 64, SIZE = SIDE * SIDE * 4, PUBLISHERS = 2, FRAMES = 3000 };

struct stage {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
  GAsyncQueue *frames; /* from the reading thread to the releasing one */
  int stop;            /* eventfd: all done */
  gint published;
};

static bool
stopped(struct stage *stage)
{
  return shmvtest_poll(stage->stop, POLLIN, 0) != 0;
}

static gpointer
dispatch(gpointer user)
{
  struct stage *stage = user;
  while (!stopped(stage)) {
    struct pollfd fds[] = {
        {shmvideo_writer_get_fd(stage->writer), POLLIN, 0},
        {stage->stop, POLLIN, 0}};
    poll(fds, 2, -1);
    g_assert_cmpint(shmvideo_writer_dispatch(stage->writer), ==, 0);
  }
  return NULL;
}

/* Every frame is filled with one byte, so that a torn one shows. */
static gpointer
publish(gpointer user)
{
  struct stage *stage = user;
  for (int n = 0; n < FRAMES; n++) {
    struct shmvideo_slot *slot;
    g_assert_cmpint(shmvideo_writer_acquire(stage->writer, &slot), ==, 1);
    memset(slot->data, n, SIZE);
    struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
    info.offset = (uint64_t)n;
    if (n % 10 == 9) {
      shmvideo_slot_release(slot); /* changed our mind */
      continue;
    }
    if (n % 2 == 0) {
      g_assert_cmpint(shmvideo_writer_publish(stage->writer, slot, &info), ==, 0);
    } else {
      g_assert_cmpint(shmvideo_writer_publish_kept(stage->writer, slot, &info),
                      ==, 0);
      shmvideo_slot_release(slot);
    }
    g_atomic_int_inc(&stage->published);
  }
  return NULL;
}

static gpointer
look(gpointer user)
{
  struct stage *stage = user;
  while (!stopped(stage)) {
    struct shmvideo_writer_stats stats;
    struct shmvideo_reader_info info[4];
    struct shmvideo_reader_status status;
    struct shmvideo_format format;
    struct shmvideo_error error;
    char text[256];
    shmvideo_writer_get_stats(stage->writer, &stats);
    g_assert_cmpuint(shmvideo_writer_get_readers(stage->writer, info, 4), <=, 1);
    g_assert_cmpuint(shmvideo_writer_get_n_readers(stage->writer), <=, 1);
    shmvideo_writer_set_latency(stage->writer, stats.frames * 1000);
    shmvideo_reader_get_status(stage->reader, &status);
    g_assert_cmpuint(status.holding, <=, status.max_holds);
    shmvideo_reader_get_error(stage->reader, &error);
    if (shmvideo_reader_get_format(stage->reader, &format, text, sizeof text) == 0)
      g_assert_cmpuint(format.width, ==, SIDE);
    g_thread_yield();
  }
  return NULL;
}

static gpointer
release(gpointer user)
{
  struct stage *stage = user;
  const struct shmvideo_frame *frame;
  /* The stage itself says that there are no more. */
  while ((frame = g_async_queue_pop(stage->frames)) != user) {
    for (size_t i = 0; i < SIZE; i++)
      g_assert_cmpint(frame->data[i], ==, (guint8)frame->offset);
    shmvideo_frame_release(frame);
  }
  return NULL;
}

/* Read until the end; returns the last sequence. */
static uint64_t
read_all(struct stage *stage)
{
  uint64_t first = 0, last = 0, received = 0, skipped = 0;
  for (int code = 0; code != SHMVIDEO_END;) {
    const struct shmvideo_frame *frame;
    code = shmvideo_reader_wait(
        stage->reader, (uint64_t)shmvtest_deadline() * 1000000, -1);
    g_assert_cmpint(code, ==, 1);
    code = shmvideo_reader_acquire(stage->reader, &frame);
    g_assert_cmpint(code, >=, 0);
    if (code != SHMVIDEO_FRAME)
      continue;
    if (received == 0)
      first = frame->sequence; /* what was before it does not count */
    else
      g_assert_cmpuint(frame->sequence, ==, last + frame->skipped + 1);
    last = frame->sequence;
    skipped += frame->skipped;
    received++;
    g_async_queue_push(stage->frames, (gpointer)frame);
  }
  g_assert_cmpuint(received + skipped, ==, last - first + 1);
  return last;
}

static void
open_stage(struct stage *stage)
{
  struct shmvideo_writer_config to = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config from = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = SIDE, .height = SIDE,
                                   .fps_n = 30, .fps_d = 1};
  memset(stage, 0, sizeof *stage);
  to.path = from.path = shmvtest_path("share");
  from.max_holds = 4;
  g_assert_cmpint(shmvideo_writer_new(&to, NULL, &stage->writer), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(stage->writer, &format, NULL, NULL),
                  ==, 0);
  g_assert_cmpint(shmvideo_reader_new(&from, NULL, &stage->reader), ==, 0);
  stage->frames = g_async_queue_new();
  stage->stop = eventfd(0, EFD_CLOEXEC);
}

static void
close_stage(struct stage *stage)
{
  g_async_queue_unref(stage->frames);
  close(stage->stop);
}

/* Publish from several threads, then say the end. */
static gpointer
publish_all(gpointer user)
{
  struct stage *stage = user;
  GThread *publishers[PUBLISHERS];
  for (int i = 0; i < PUBLISHERS; i++)
    publishers[i] = g_thread_new("publish", publish, stage);
  for (int i = 0; i < PUBLISHERS; i++)
    g_thread_join(publishers[i]);
  shmvideo_writer_end(stage->writer);
  return NULL;
}

static void
wait_for_format(struct stage *stage)
{
  const struct shmvideo_frame *frame;
  int code = 0;
  while (code != SHMVIDEO_NEW_FORMAT) {
    code = shmvideo_reader_wait(
        stage->reader, (uint64_t)shmvtest_deadline() * 1000000, -1);
    g_assert_cmpint(code, ==, 1);
    code = shmvideo_reader_acquire(stage->reader, &frame);
    g_assert_cmpint(code, !=, SHMVIDEO_FRAME);
  }
}

static void
all_calls_at_once(void)
{
  struct stage stage;
  open_stage(&stage);
  GThread *dispatcher = g_thread_new("dispatch", dispatch, &stage);
  GThread *looker = g_thread_new("look", look, &stage);
  GThread *releaser = g_thread_new("release", release, &stage);
  wait_for_format(&stage);
  GThread *publisher = g_thread_new("publish all", publish_all, &stage);
  uint64_t last = read_all(&stage);
  g_thread_join(publisher);
  g_assert_cmpuint(last, ==, (uint64_t)stage.published);

  g_assert_cmpint(eventfd_write(stage.stop, 1), ==, 0);
  g_thread_join(dispatcher);
  g_thread_join(looker);
  g_async_queue_push(stage.frames, &stage);
  g_thread_join(releaser);
  struct shmvideo_writer_stats stats;
  shmvideo_writer_get_stats(stage.writer, &stats);
  g_assert_cmpuint(stats.frames, ==, (uint64_t)stage.published);
  g_assert_cmpuint(stats.slots_out, ==, 0);
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
  close_stage(&stage);
}

/* Frames and slots outlive the objects that they came from, in other threads. */
static void
what_is_held_outlives_all(void)
{
  struct stage stage;
  open_stage(&stage);
  GThread *dispatcher = g_thread_new("dispatch", dispatch, &stage);
  wait_for_format(&stage);
  struct shmvideo_slot *slot, *spare;
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  info.offset = 7;
  g_assert_cmpint(shmvideo_writer_acquire(stage.writer, &spare), ==, 1);
  g_assert_cmpint(shmvideo_writer_acquire(stage.writer, &slot), ==, 1);
  memset(slot->data, 7, SIZE);
  g_assert_cmpint(shmvideo_writer_publish(stage.writer, slot, &info), ==, 0);
  g_assert_cmpint(
      shmvideo_reader_wait(stage.reader,
                           (uint64_t)shmvtest_deadline() * 1000000, -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(stage.reader, &frame), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpint(eventfd_write(stage.stop, 1), ==, 0);
  g_thread_join(dispatcher);

  GThread *releaser = g_thread_new("release", release, &stage);
  shmvideo_reader_free(stage.reader);
  shmvideo_writer_free(stage.writer);
  memset(spare->data, 1, SIZE);
  shmvideo_slot_release(spare);
  g_async_queue_push(stage.frames, (gpointer)frame);
  g_async_queue_push(stage.frames, &stage);
  g_thread_join(releaser);
  close_stage(&stage);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/threads/all-calls-at-once", all_calls_at_once);
  shmvtest_add("/threads/what-is-held-outlives-all", what_is_held_outlives_all);
  return shmvtest_run();
}
