/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: what the library alone costs
 *
 * Each part measures one thing beside the bare system call or memcpy that nobody
 * could do without, in turns, and prints a member of the JSON object that main makes.
 * One rule: a part that cannot measure ends the program; no figure is made up.
 */

#ifndef BENCH_LIB_H
#define BENCH_LIB_H

#include <stdint.h>
#include <stdio.h>

#include "bench.h"
#include "shmvideo.h"

struct lib_options {
  unsigned batches; /* of calls that take less than a microsecond */
  unsigned wakes;   /* of each kind */
  unsigned gap_us;  /* from one wake to the next */
  unsigned joins;   /* of each kind */
  bool small;       /* all frames are: it is only tried whether all works */
};

/* Call with what must be true; ends the program with the sentence otherwise. */
void lib_need(bool good, const char *sentence);

/* ---- lib-share.c: a writer and readers of it ------------------------------ */

const char *lib_path(void); /* of the socket */
struct shmvideo_writer *lib_writer(const char *format, uint32_t width,
                                   uint32_t height);
/* As lib_writer, of 1080p unless all is small. */
struct shmvideo_writer *lib_usual_writer(const char *format,
                                         const struct lib_options *options);
struct shmvideo_reader *lib_reader(enum shmvideo_policy policy, uint32_t depth);

/* Show a frame; returns 0 if no slot was free. */
int lib_show(struct shmvideo_writer *writer);

/* Publish and take in turns until a frame has come through. The reader is awake
 * after that: nobody has to wake it. */
void lib_connect(struct shmvideo_writer *writer, struct shmvideo_reader *reader);

/* Take the next frame, waiting for it. */
const struct shmvideo_frame *lib_take(struct shmvideo_reader *reader);

/* ---- The parts ------------------------------------------------------------ */

void lib_calls(FILE *file, const struct lib_options *options);
void lib_wakes(FILE *file, const struct lib_options *options);
void lib_joins(FILE *file, const struct lib_options *options);
void lib_copies(FILE *file, const struct lib_options *options);

/* ---- lib-count.c: calls of malloc and its like ----------------------------- */

uint64_t lib_allocations(void);
uint64_t lib_minor_faults(void);

/* ---- lib.c ---------------------------------------------------------------- */

/* Median of n values, which it sorts. */
double lib_median(double *values, unsigned n);

void lib_print_percentiles(FILE *file, const char *name,
                           const struct bench_histogram *histogram);

#endif
