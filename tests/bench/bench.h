/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench: any transport of frames, measured in the same way
 *
 *     benchsrc ! TRANSPORT ! benchsink
 *
 * A source stamps the number of the frame and the time into it as the last thing, a
 * sink reads them as the first. Writer and readers are processes of their own, forked
 * before GStreamer is initialised; with the transport "queue" they are one. All
 * measure the same window of CLOCK_MONOTONIC, which begins when every reader has had
 * frames, memory has come to rest, and the warm-up is over. One rule: what is done per frame here is the same
 * for every transport, so that what differs is the transport's.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BENCH_MAX_READERS 64

enum bench_transport {
  BENCH_QUEUE,  /* a queue in one process */
  BENCH_SHM,    /* shmsink, shmsrc */
  BENCH_UNIXFD, /* unixfdsink, unixfdsrc */
  BENCH_OURS    /* shmvideosink, shmvideosrc */
};

/* One run, as the command line says. */
struct bench_options {
  enum bench_transport transport;
  char format[24];
  unsigned width, height;
  unsigned fps;     /* 0: as fast as it goes */
  bool touch;       /* every byte written and read */
  bool own_memory;  /* the source takes no buffers from downstream */
  unsigned readers;
  bool stop;        /* the last reader is stopped before the window */
  bool lossless;    /* ours only: the others are nothing else */
  unsigned depth;   /* frames on their way: of the queue, of the source's pool */
  unsigned holds;   /* ours: max-holds, 0: the default */
  uint64_t max_memory; /* ours */
  double seconds, warmup;
  char path[100];   /* of the socket */
};
extern struct bench_options bench_options;

/* ---- bench-frame.c: what is in a frame ------------------------------------ */

/* Size of a frame for this program; 0: unknown format. */
size_t bench_frame_size(void);

/* Write every byte, as this sequence says. */
void bench_frame_paint(uint8_t *data, size_t size, uint64_t sequence);

/* Sequence and time, into the first bytes; the sequence into the last, too. */
void bench_frame_stamp(uint8_t *data, size_t size, uint64_t sequence,
                       uint64_t time);

void bench_frame_read(const uint8_t *data, uint64_t *sequence, uint64_t *time);

/* Whether it is the frame of this sequence alone: by its last bytes, and if touch
 * by all others. */
bool bench_frame_is_whole(const uint8_t *data, size_t size, uint64_t sequence,
                          bool touch);

/* Whether is_whole sees what it should; says what it does not. */
bool bench_frame_self_test(void);

/* ---- bench-usage.c: what it costs ----------------------------------------- */

uint64_t bench_now(void); /* CLOCK_MONOTONIC, ns */

/* Times, counted with a resolution of 1/256; 0 to 2^40 ns. */
struct bench_histogram {
  uint64_t n, max;
  uint32_t count[33 * 256];
};

struct bench_percentiles {
  uint64_t n;
  double p50, p90, p99, p999, max; /* ns */
};

void bench_histogram_add(struct bench_histogram *histogram, uint64_t value);
struct bench_percentiles
bench_histogram_read(const struct bench_histogram *histogram);

/* What a process has used until now. */
struct bench_usage {
  uint64_t cpu, user, system; /* ns; cpu is exact, the others are the kernel's guess */
  uint64_t minor_faults, waits, preemptions;
};
struct bench_usage bench_usage_now(void);
struct bench_usage bench_usage_since(struct bench_usage before);

/* Bytes of memory: resident, shared with others counted in parts. */
struct bench_memory {
  uint64_t pss, pss_shared, pss_own; /* all; of shared memory; of heap and stacks */
  uint64_t files; /* of memfds and /dev/shm files that this process has open */
};
struct bench_memory bench_memory_now(void);

/* ---- results: sent through pipes as they are ------------------------------ */

struct bench_sink_result {
  uint64_t frames, lost, repeated, torn;
  struct bench_percentiles latency;
};

struct bench_result {
  int pid;
  struct bench_usage usage;
  struct bench_memory memory;
  /* of the source */
  uint64_t frames;      /* made in the window */
  uint64_t late;        /* paced: frames not made, since the one before took so long */
  uint64_t unpooled;    /* buffers that no pool gave */
  uint64_t other_memory; /* buffers with another kind of memory than the first */
  char pool[40], memory_type[40];
  struct bench_percentiles held; /* from a frame's stamp until the next is asked for */
  /* what our elements count: -1 if not ours */
  int64_t copied, zero_copy, dropped, skipped, received;
  uint32_t n_sinks; /* so many struct bench_sink_result follow */
};

/* ---- bench-src.c, bench-sink.c: the two elements -------------------------- */

bool bench_register_src(void);
bool bench_register_sink(void);

/* Both sides record what happens in [start, end). Zero: nothing yet. */
void bench_set_window(uint64_t start, uint64_t end);
bool bench_in_window(uint64_t now);

/* Called by a sink's thread when it has seen a few frames. */
extern void (*bench_on_warm)(void);

void bench_src_result(struct bench_result *result);
void bench_sink_result(unsigned n, struct bench_sink_result *result);

/* ---- bench-child.c -------------------------------------------------------- */

enum bench_role { BENCH_WRITER, BENCH_READER, BENCH_BOTH };

/* What a child says, one byte each, before its result. */
enum { BENCH_SAYS_UP = 'U', BENCH_SAYS_WARM = 'W', BENCH_SAYS_SETTLED = 'S',
       BENCH_SAYS_RESULT = 'R', BENCH_SAYS_MISSING = 'M' };

/* Be one of the processes; never returns. in: a byte to go, a byte to settle, the
 * window, and its end, which means to leave; out: what is said. */
_Noreturn void bench_child(enum bench_role role, int in, int out);

/* ---- bench-run.c ---------------------------------------------------------- */

struct bench_process {
  enum bench_role role;
  pid_t pid;
  int in, out;
  bool stopped; /* it has no result */
  struct bench_result result;
  struct bench_sink_result *sinks;
};

struct bench_run {
  unsigned n;
  struct bench_process process[1 + BENCH_MAX_READERS];
  char error[120]; /* empty: it went well */
  bool missing;    /* this GStreamer has not got the transport */
};

void bench_run(struct bench_run *run);

/* ---- bench.c -------------------------------------------------------------- */

void bench_print(const struct bench_run *run, FILE *file);

#endif
