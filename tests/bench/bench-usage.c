/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* bench: time, processor time and memory, as the kernel counts them. */

#include "bench.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t
clock_ns(clockid_t clock)
{
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t
bench_now(void)
{
  return clock_ns(CLOCK_MONOTONIC);
}

/* ---- Histograms ----------------------------------------------------------- */

#define SUB 256u /* places for each power of two from 256 on */
#define LARGEST ((UINT64_C(1) << 40) - 1)

static unsigned
place_of(uint64_t value)
{
  if (value < SUB)
    return (unsigned)value;
  unsigned shift = 63u - (unsigned)__builtin_clzll(value) - 8u;
  return shift * SUB + (unsigned)(value >> shift);
}

/* The middle of what is counted there. */
static double
value_at(unsigned place)
{
  if (place < 2 * SUB)
    return place;
  unsigned shift = place / SUB - 1;
  uint64_t low = (uint64_t)(place - shift * SUB) << shift;
  return (double)low + (double)(UINT64_C(1) << shift) / 2;
}

void
bench_histogram_add(struct bench_histogram *histogram, uint64_t value)
{
  if (value > LARGEST)
    value = LARGEST;
  histogram->count[place_of(value)]++;
  histogram->n++;
  if (value > histogram->max)
    histogram->max = value;
}

static double
percentile(const struct bench_histogram *histogram, double part)
{
  double wanted = part * (double)histogram->n;
  uint64_t seen = 0;
  for (unsigned i = 0; i < sizeof histogram->count / sizeof(uint32_t); i++) {
    seen += histogram->count[i];
    if (seen > 0 && (double)seen >= wanted)
      return value_at(i);
  }
  return 0;
}

struct bench_percentiles
bench_histogram_read(const struct bench_histogram *histogram)
{
  return (struct bench_percentiles){
      .n = histogram->n,
      .p50 = percentile(histogram, 0.5),
      .p90 = percentile(histogram, 0.9),
      .p99 = percentile(histogram, 0.99),
      .p999 = percentile(histogram, 0.999),
      .max = (double)histogram->max,
  };
}

/* ---- What a process uses -------------------------------------------------- */

static uint64_t
ns_of(struct timeval time)
{
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

struct bench_usage
bench_usage_now(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (struct bench_usage){
      .cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
      .user = ns_of(usage.ru_utime),
      .system = ns_of(usage.ru_stime),
      .minor_faults = (uint64_t)usage.ru_minflt,
      .waits = (uint64_t)usage.ru_nvcsw,
      .preemptions = (uint64_t)usage.ru_nivcsw,
  };
}

struct bench_usage
bench_usage_since(struct bench_usage before)
{
  struct bench_usage now = bench_usage_now();
  now.cpu -= before.cpu;
  now.user -= before.user;
  now.system -= before.system;
  now.minor_faults -= before.minor_faults;
  now.waits -= before.waits;
  now.preemptions -= before.preemptions;
  return now;
}

/* Blocks of shared memory behind our descriptors, each file once. */
static uint64_t
shared_files(void)
{
  uint64_t total = 0;
  ino_t seen[256];
  unsigned n = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL)
    return 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char target[64] = "";
    struct stat status;
    if (readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) <= 0 ||
        (strncmp(target, "/memfd:", 7) != 0 &&
         strncmp(target, "/dev/shm/", 9) != 0) ||
        fstat(atoi(entry->d_name), &status) < 0)
      continue;
    bool again = false;
    for (unsigned i = 0; i < n; i++)
      again |= seen[i] == status.st_ino;
    if (again || n == sizeof seen / sizeof *seen)
      continue;
    seen[n++] = status.st_ino;
    total += (uint64_t)status.st_blocks * 512;
  }
  closedir(folder);
  return total;
}

struct bench_memory
bench_memory_now(void)
{
  struct bench_memory memory = {.files = shared_files()};
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  char line[160];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    unsigned long long kib;
    if (sscanf(line, "Pss: %llu", &kib) == 1)
      memory.pss = kib * 1024;
    else if (sscanf(line, "Pss_Shmem: %llu", &kib) == 1)
      memory.pss_shared = kib * 1024;
    else if (sscanf(line, "Pss_Anon: %llu", &kib) == 1)
      memory.pss_own = kib * 1024;
  }
  if (file != NULL)
    fclose(file);
  return memory;
}
