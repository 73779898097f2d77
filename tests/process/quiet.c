/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The frame path is quiet: once warm, showing and taking frames costs no page fault
 * and no allocation, on either side, whether the reader sleeps in between or not.
 */

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#include "shmvideo.h"
#include "shmvtest.h"

#define WARM_UP 300
#define FRAMES 2000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif

#ifndef INSTRUMENTED
/* The C library's own are known by these names too. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);

static unsigned n_allocations;

void *
malloc(size_t size)
{
  n_allocations++;
  return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc(n, size);
}

void *
realloc(void *memory, size_t size)
{
  n_allocations++;
  return __libc_realloc(memory, size);
}
#endif

struct pair {
  uint8_t n; /* frames shown, of which each frame is full */
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
};

static void
pair_open(struct pair *pair, uint32_t policy)
{
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_NV12,
                                   .width = 640, .height = 360,
                                   .fps_n = 60, .fps_d = 1};
  w.path = r.path = shmvtest_path("quiet");
  w.backpressure = policy == SHMVIDEO_LOSSLESS;
  r.policy = policy;
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair->writer), ==, 0);
  g_assert_cmpint(
      shmvideo_writer_set_format(pair->writer, &format, NULL, NULL), ==, 0);
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair->reader), ==, 0);
  const struct shmvideo_frame *frame;
  do {
    shmvideo_writer_dispatch(pair->writer);
    shmvideo_reader_dispatch(pair->reader);
  } while (shmvideo_reader_acquire(pair->reader, &frame) !=
           SHMVIDEO_NEW_FORMAT);
  shmvideo_writer_dispatch(pair->writer);
}

static void
pair_close(struct pair *pair)
{
  shmvideo_reader_free(pair->reader);
  shmvideo_writer_free(pair->writer);
}

/* One frame, all of it written and read. sleep: the reader asks to be woken first,
 * and takes the wake. */
static bool
pass(struct pair *pair, bool sleep)
{
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_slot *slot;
  while (sleep &&
         shmvideo_reader_acquire(pair->reader, &frame) == SHMVIDEO_FRAME)
    shmvideo_frame_release(frame);
  g_assert_cmpint(shmvideo_writer_acquire(pair->writer, &slot), ==, 1);
  memset(slot->data, ++pair->n, slot->size);
  g_assert_cmpint(shmvideo_writer_publish(pair->writer, slot, NULL), ==, 0);
  if (sleep)
    g_assert_cmpint(shmvideo_reader_wait(pair->reader, 0, -1), >=, 0);
  if (shmvideo_reader_acquire(pair->reader, &frame) != SHMVIDEO_FRAME)
    return false;
  bool right = true;
  for (uint64_t i = 0; i < frame->size; i += 64)
    right &= frame->data[i] == (uint8_t)frame->sequence;
  g_assert_true(right);
  shmvideo_frame_release(frame);
  return true;
}

static long
faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

static void
run(uint32_t policy, bool sleep)
{
  struct pair pair = {0};
  int taken = 0;
  pair_open(&pair, policy);
  for (int i = 0; i < WARM_UP; i++) {
    shmvideo_writer_dispatch(pair.writer);
    shmvideo_reader_dispatch(pair.reader);
    taken += pass(&pair, sleep);
  }
  g_assert_cmpint(taken, >, WARM_UP / 2);

  /* The kernel may take a page from the table by itself now and then; what is of
   * the path comes back in each of these runs. */
  long fewest = FRAMES;
  for (int attempt = 0; attempt < 5 && fewest > 0; attempt++) {
    long before = faults();
#ifndef INSTRUMENTED
    unsigned allocations = n_allocations;
#endif
    for (int i = 0; i < FRAMES; i++)
      g_assert_true(pass(&pair, sleep));
#ifndef INSTRUMENTED
    g_assert_cmpuint(n_allocations, ==, allocations);
#endif
    long n = faults() - before;
    fewest = n < fewest ? n : fewest;
  }
#ifndef INSTRUMENTED
  g_assert_cmpint(fewest, ==, 0);
#endif
  pair_close(&pair);
}

static void
latest_awake(void)
{
  run(SHMVIDEO_LATEST, false);
}

static void
latest_asleep(void)
{
  run(SHMVIDEO_LATEST, true);
}

static void
lossless(void)
{
  run(SHMVIDEO_LOSSLESS, true);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/quiet/no-fault-and-no-allocation-per-frame", latest_awake);
  shmvtest_add("/quiet/nor-when-the-reader-sleeps", latest_asleep);
  shmvtest_add("/quiet/nor-without-loss", lossless);
  return shmvtest_run();
}
