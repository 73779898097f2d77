/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Hostile writers against the library's reader, which looks at every byte of every frame
 * that it gets. */

#include "lies.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct reading {
  struct believer believer; /* first */
  struct shmvideo_reader *reader;
  GThread *thread;
  int stop;
};

static void
take_log(void *user, enum shmvideo_log_level level, const char *line)
{
  believer_log(user, line);
}

static volatile guint sink;

static void
look(struct reading *reading, const struct shmvideo_frame *frame)
{
  bool honest = frame->stream != RAW_WRITER_STREAM;
  for (uint64_t i = 0; i < frame->size; i++)
    sink += frame->data[i];
  for (guint y = 0; y < frame->format->height; y++)
    for (guint x = 0; x < frame->format->width; x++) {
      guint8 pixel = frame->data[frame->plane_offset[0] + x +
                                 (uint64_t)y * frame->stride[0]];
      if (honest)
        g_assert_cmpuint(pixel, ==, (guint8)frame->sequence);
    }
  believer_frame(&reading->believer, honest);
}

static gpointer
read_all(gpointer data)
{
  struct reading *reading = data;
  const struct shmvideo_frame *frame;
  struct shmvideo_error error;
  for (;;) {
    int code = shmvideo_reader_acquire(reading->reader, &frame);
    if (code == SHMVIDEO_FRAME) {
      look(reading, frame);
      shmvideo_frame_release(frame);
    } else if (code == SHMVIDEO_AGAIN) {
      code = shmvideo_reader_wait(reading->reader, SHMVIDEO_TIME_NONE,
                                  reading->stop);
    }
    if (code == -ECANCELED)
      return NULL;
    if (code < 0) {
      g_assert_cmpint(shmvideo_reader_get_error(reading->reader, &error), ==, 0);
      g_assert_cmpint(error.code, ==, code);
      g_assert_cmpint(error.pid, ==, getpid());
      believer_error(&reading->believer, error.message);
      return NULL;
    }
  }
}

static void
start(struct believer *believer, uint32_t policy)
{
  struct reading *reading = (struct reading *)believer;
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  config.path = shmvtest_path(believer->name);
  config.policy = policy;
  config.log = take_log;
  config.log_user = believer;
  reading->stop = eventfd(0, EFD_CLOEXEC);
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reading->reader), ==, 0);
  reading->thread = g_thread_new("reader", read_all, reading);
}

static void
stop(struct believer *believer)
{
  struct reading *reading = (struct reading *)believer;
  eventfd_write(reading->stop, 1);
  g_thread_join(reading->thread);
  shmvideo_reader_free(reading->reader);
  close(reading->stop);
}

static void
begin(struct reading *reading)
{
  believer_init(&reading->believer, "share");
  reading->believer.start = start;
  reading->believer.stop = stop;
}

static void
run(const struct lie *lies)
{
  struct reading reading;
  begin(&reading);
  lies_run_twice(&reading.believer, lies);
  believer_fini(&reading.believer);
}

static void
words(void)
{
  struct reading reading;
  begin(&reading);
  lies_run(&reading.believer, lies_in_words, SHMVIDEO_LATEST);
  believer_fini(&reading.believer);
}

static void
segments(void)
{
  run(lies_in_segments);
}

static void
boards(void)
{
  run(lies_on_boards);
}

static void
boards_lossless(void)
{
  struct reading reading;
  begin(&reading);
  lies_run(&reading.believer, lies_on_boards, SHMVIDEO_LOSSLESS);
  believer_fini(&reading.believer);
}

static void
three_times(void)
{
  struct reading reading;
  begin(&reading);
  lies_run_thrice(&reading.believer);
  believer_fini(&reading.believer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/hostile-writers/words", words);
  shmvtest_add("/hostile-writers/segments", segments);
  shmvtest_add("/hostile-writers/boards", boards);
  shmvtest_add("/hostile-writers/boards/lossless", boards_lossless);
  shmvtest_add("/hostile-writers/three-times", three_times);
  return shmvtest_run();
}
