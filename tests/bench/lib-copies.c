/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: the one copy of a frame that lies elsewhere
 *
 * shmvideo_writer_send beside a bare memcpy of the same frame to shared memory, in
 * turns. Both go to two places by turns: the frame that is newest is never written to.
 */

#include "lib.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACES 2
#define MAX_COPIES 400

struct job {
  const char *name, *format;
  uint32_t width, height;
  size_t size, luma; /* luma: of the first plane, 0 if it is the only one */
};

static const struct job jobs[] = {
    {"1080p", "NV12", 1920, 1080, 1920 * 1080 * 3 / 2, 1920 * 1080},
    {"4k", "RGBA", 3840, 2160, 3840 * 2160 * 4, 0},
};

static const struct job small = {"240p", "NV12", 320, 240, 320 * 240 * 3 / 2,
                                 320 * 240};

static uint8_t *
map_places(size_t size)
{
  int fd = memfd_create("bench-copies", MFD_CLOEXEC);
  lib_need(fd >= 0 && ftruncate(fd, (off_t)(size * PLACES)) == 0, "memfd");
  uint8_t *places = mmap(NULL, size * PLACES, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_POPULATE, fd, 0);
  lib_need(places != MAP_FAILED, "mmap");
  close(fd);
  return places;
}

static void
measure(FILE *file, const struct job *job, unsigned n)
{
  double bare[MAX_COPIES], send[MAX_COPIES];
  uint8_t *from = malloc(job->size), *places = map_places(job->size);
  const uint8_t *planes[4] = {from, from + job->luma, NULL, NULL};
  uint32_t stride = job->luma != 0 ? job->width : job->width * 4;
  uint32_t strides[4] = {stride, job->luma != 0 ? stride : 0, 0, 0};
  struct shmvideo_writer *writer =
      lib_writer(job->format, job->width, job->height);
  struct shmvideo_reader *reader = lib_reader(SHMVIDEO_LATEST, 1);
  lib_need(from != NULL, "no memory");
  memset(from, 1, job->size);
  lib_connect(writer, reader);
  for (unsigned i = 0; i < n + PLACES; i++) {
    unsigned k = i < PLACES ? 0 : i - PLACES; /* all places once beforehand */
    uint64_t start = bench_now();
    memcpy(places + i % PLACES * job->size, from, job->size);
    uint64_t middle = bench_now();
    lib_need(shmvideo_writer_send(writer, planes, strides, NULL) == 1, "send");
    bare[k] = (double)(middle - start);
    send[k] = (double)(bench_now() - middle);
  }
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
  munmap(places, job->size * PLACES);
  free(from);
  double of_bare = lib_median(bare, n), of_send = lib_median(send, n);
  fprintf(file, "\"%s\": {\"memcpy_us\": %.1f, \"send_us\": %.1f, \"ratio\": %.3f}",
          job->name, of_bare / 1000, of_send / 1000, of_send / of_bare);
}

void
lib_copies(FILE *file, const struct lib_options *options)
{
  unsigned n = options->batches < MAX_COPIES ? options->batches : MAX_COPIES;
  fprintf(file, "\"copies\": {");
  if (options->small)
    measure(file, &small, n);
  for (size_t i = 0; !options->small && i < sizeof jobs / sizeof *jobs; i++) {
    fprintf(file, "%s", i > 0 ? ",\n  " : "");
    measure(file, &jobs[i], n);
  }
  fprintf(file, "}");
}
