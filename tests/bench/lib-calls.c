/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: claim and publish, acquire and release
 *
 * One thread does all of it, so nobody sleeps and nobody is woken. Batches are timed
 * as a whole, and the median of batches is told: a preempted one does not count.
 */

#include "lib.h"

#include <poll.h>

#define CALLS 1000 /* in a batch */
#define MAX_BATCHES 2000

/* What so many frames took from the heap and from the kernel. */
struct toll {
  uint64_t allocations, faults, frames;
};

static void
print(FILE *file, const char *name, double *ns, unsigned n,
      const struct toll *toll)
{
  double median = lib_median(ns, n);
  fprintf(file,
          "\"%s\": {\"ns\": %.1f, \"best_ns\": %.1f, \"p90_ns\": %.1f, "
          "\"allocations\": %llu, \"minor_faults\": %llu, \"frames\": %llu}",
          name, median, ns[0], ns[n * 9 / 10],
          (unsigned long long)toll->allocations,
          (unsigned long long)toll->faults, (unsigned long long)toll->frames);
}

static double
publish_batch(struct shmvideo_writer *writer)
{
  uint64_t start = bench_now();
  for (int i = 0; i < CALLS; i++)
    lib_need(lib_show(writer), "no slot was free");
  return (double)(bench_now() - start) / CALLS;
}

static void
measure_publish(FILE *file, const char *name, unsigned batches,
                struct shmvideo_writer *writer)
{
  double ns[MAX_BATCHES];
  publish_batch(writer);
  ns[0] = 0; /* the page that it is in */
  struct toll toll = {lib_allocations(), lib_minor_faults(), 0};
  for (unsigned i = 0; i < batches; i++)
    ns[i] = publish_batch(writer);
  toll.allocations = lib_allocations() - toll.allocations;
  toll.faults = lib_minor_faults() - toll.faults;
  toll.frames = (uint64_t)batches * CALLS;
  print(file, name, ns, batches, &toll);
}

/* As many as may wait are shown at once; only taking them is timed. */
static void
measure_acquire(FILE *file, const char *name, unsigned batches,
                struct shmvideo_writer *writer, struct shmvideo_reader *reader)
{
  enum { DEPTH = 32 };
  const struct shmvideo_frame *frame;
  double ns[MAX_BATCHES];
  struct toll toll = {0, 0, 0};
  for (unsigned i = 0; i < batches + 10; i++) {
    for (int k = 0; k < DEPTH; k++)
      lib_need(lib_show(writer), "no slot was free");
    uint64_t allocations = lib_allocations(), faults = lib_minor_faults();
    uint64_t start = bench_now();
    for (int k = 0; k < DEPTH; k++) {
      lib_need(shmvideo_reader_acquire(reader, &frame) == SHMVIDEO_FRAME,
               "a frame is missing");
      shmvideo_frame_release(frame);
    }
    uint64_t spent = bench_now() - start;
    if (i < 10)
      continue; /* every slot is seen once first */
    ns[i - 10] = (double)spent / DEPTH;
    toll.allocations += lib_allocations() - allocations;
    toll.faults += lib_minor_faults() - faults;
    toll.frames += DEPTH;
  }
  print(file, name, ns, batches, &toll);
}

static void
need_no_wakes(struct shmvideo_reader *reader)
{
  struct pollfd pollfd = {shmvideo_reader_get_fd(reader), POLLIN, 0};
  lib_need(poll(&pollfd, 1, 0) == 0, "a reader was woken that did not sleep");
}

void
lib_calls(FILE *file, const struct lib_options *options)
{
  unsigned n = options->batches < MAX_BATCHES ? options->batches : MAX_BATCHES;
  struct shmvideo_writer *writer = lib_usual_writer("NV12", options);
  fprintf(file, "\"calls\": {");
  measure_publish(file, "publish_alone", n, writer);

  struct shmvideo_reader *reader = lib_reader(SHMVIDEO_LATEST, 4);
  lib_connect(writer, reader);
  fprintf(file, ",\n  ");
  measure_publish(file, "publish", n, writer);
  need_no_wakes(reader);
  shmvideo_reader_free(reader);
  shmvideo_writer_dispatch(writer);

  reader = lib_reader(SHMVIDEO_LATEST, 32);
  lib_connect(writer, reader);
  fprintf(file, ",\n  ");
  measure_acquire(file, "acquire", n, writer, reader);
  need_no_wakes(reader);
  fprintf(file, "}");
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
}
