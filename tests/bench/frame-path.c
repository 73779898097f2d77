/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A frame costs no allocation and no page fault, once both sides are warm
 *
 * In the writer and in the reader, whose every page of every frame is touched. The
 * kernel may take a page away for reasons of its own, so of several stretches of
 * frames one without a fault is enough; of allocations there is none in any.
 */

#include <poll.h>
#include <unistd.h>

#include "lib.h"
#include "shmvtest.h"

#define WARM 300
#define STRETCH 1000
#define STRETCHES 4

/* What frames took. */
struct toll {
  guint64 allocations, faults;
};

static struct toll
toll_since(struct toll before)
{
  return (struct toll){lib_allocations() - before.allocations,
                       lib_minor_faults() - before.faults};
}

/* ---- The reader ----------------------------------------------------------- */

static void
take(struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame = NULL;
  for (;;) {
    int code = shmvideo_reader_acquire(reader, &frame);
    if (code == SHMVIDEO_FRAME)
      break;
    g_assert_true(code == SHMVIDEO_AGAIN || code == SHMVIDEO_NEW_FORMAT);
    if (code == SHMVIDEO_AGAIN)
      g_assert_cmpint(shmvideo_reader_wait(reader, SHMVIDEO_TIME_NONE, -1), ==,
                      1);
  }
  for (guint64 i = 0; i < frame->size; i += 4096)
    (void)*(const volatile uint8_t *)(frame->data + i);
  shmvideo_frame_release(frame);
}

struct job {
  const char *path;
  uint32_t policy;
};

/* Says a byte when it is warm, then its toll of each stretch. */
static int
be_reader(int in, int out, void *user)
{
  const struct job *job = user;
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  struct toll tolls[STRETCHES] = {{0, 0}};
  config.path = job->path;
  config.policy = job->policy;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  for (int i = 0; i < WARM; i++)
    take(reader);
  g_assert_cmpint(write(out, "w", 1), ==, 1);
  for (int k = 0; k < STRETCHES; k++) {
    struct toll before = toll_since((struct toll){0, 0});
    for (int i = 0; i < STRETCH; i++)
      take(reader);
    tolls[k] = toll_since(before);
  }
  g_assert_cmpint(write(out, tolls, sizeof tolls), ==, sizeof tolls);
  shmvideo_reader_free(reader);
  return 0;
}

/* ---- The writer ----------------------------------------------------------- */

static void
show(struct shmvideo_writer *writer, const struct job *job)
{
  struct shmvideo_slot *slot;
  int code = job->policy == SHMVIDEO_LOSSLESS
                 ? shmvideo_writer_acquire_wait(writer, TRUE, -1, &slot)
                 : shmvideo_writer_acquire(writer, &slot);
  g_assert_cmpint(code, ==, 1);
  for (size_t i = 0; i < slot->size; i += 4096)
    slot->data[i] = (uint8_t)i;
  code = shmvideo_writer_publish(writer, slot, NULL);
  if (code < 0) /* only while nobody reads */
    shmvideo_slot_release(slot);
}

/* Show frames until the reader says something; with a reader to hear of, too. */
static void
show_until(struct shmvideo_writer *writer, const struct job *job,
           struct shmvtest_child *child, int limit)
{
  for (int i = 0; i < limit && shmvtest_poll(child->out, POLLIN, 0) == 0; i++) {
    shmvideo_writer_dispatch(writer);
    show(writer, job);
  }
}

static struct shmvideo_writer *
make_writer(const struct job *job)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = 320, .height = 240, .fps_n = 60,
                                   .fps_d = 1};
  struct shmvideo_writer *writer;
  config.path = job->path;
  config.backpressure = 1;
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
  g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==,
                  0);
  return writer;
}

static void
expect_free(const char *who, const struct toll *tolls, int n)
{
  guint64 least = G_MAXUINT64;
  for (int i = 0; i < n; i++) {
    g_test_message("%s: %" G_GUINT64_FORMAT " allocations, %" G_GUINT64_FORMAT
                   " page faults", who, tolls[i].allocations, tolls[i].faults);
    g_assert_cmpuint(tolls[i].allocations, ==, 0);
    least = MIN(least, tolls[i].faults);
  }
  g_assert_cmpuint(least, ==, 0);
}

static void
measure(uint32_t policy)
{
  struct job job = {shmvtest_path("share"), policy};
  struct shmvideo_writer *writer = make_writer(&job);
  struct shmvtest_child *child = shmvtest_fork(be_reader, &job);
  struct toll readers[STRETCHES], writers[2 * STRETCHES];
  int n = 0;
  char byte;

  show_until(writer, &job, child, G_MAXINT);
  g_assert_cmpint(read(child->out, &byte, 1), ==, 1);
  while (shmvtest_poll(child->out, POLLIN, 0) == 0) {
    struct toll before = toll_since((struct toll){0, 0});
    show_until(writer, &job, child, STRETCH);
    writers[n++ % (2 * STRETCHES)] = toll_since(before);
  }
  g_assert_cmpint(read(child->out, readers, sizeof readers), ==,
                  sizeof readers);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  shmvideo_writer_free(writer);
  expect_free("reader", readers, STRETCHES);
  expect_free("writer", writers, MIN(n, 2 * STRETCHES));
}

static void
latest(void)
{
  measure(SHMVIDEO_LATEST);
}

static void
lossless(void)
{
  measure(SHMVIDEO_LOSSLESS);
}

/* That it counts at all. */
static void
counts(void)
{
  struct toll before = toll_since((struct toll){0, 0});
  g_free(g_malloc(16));
  g_assert_cmpuint(toll_since(before).allocations, ==, 1);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/frame-path/allocations-are-counted", counts);
  shmvtest_add("/frame-path/latest-frames-cost-no-allocation-and-no-fault",
               latest);
  shmvtest_add("/frame-path/lossless-frames-cost-no-allocation-and-no-fault",
               lossless);
  return shmvtest_run();
}
