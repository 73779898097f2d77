/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A writer for tests of the source
 *
 * Owns a thread that shows numbered frames at a steady pace by the library alone.
 * One rule: every visible byte of frame n is n & 0xff, its offset is n, and its
 * PTS is n frames; so a received frame tells which one it should be. n counts
 * from 0 through the feeder's life.
 */

#ifndef FEEDER_H
#define FEEDER_H

#include <gst/video/video.h>

#include "shmvideo.h"

struct feeder_config {
  guint width, height;  /* I420; default 66 x 50 */
  guint fps;            /* 0: the caps say 0/1, and 50 frames a second come */
  guint padding;        /* bytes more per row than usual */
  GstClockTime latency; /* told to readers; and frames come so long after capture */
  gboolean backpressure;
  gboolean no_capture;  /* no instant of capture is told */
  gboolean quiet;       /* no frame but by feeder_show */
};

struct feeder;

/* Start showing frames at a path; fails the test if it cannot. */
struct feeder *feeder_new(const char *path, struct feeder_config config);

/* The writer goes, without a word. NULL is allowed. */
void feeder_free(struct feeder *feeder);

void feeder_end(struct feeder *feeder); /* say end of stream */
void feeder_stop(struct feeder *feeder); /* no more frames */
void feeder_start(struct feeder *feeder); /* again */
void feeder_resize(struct feeder *feeder, guint width, guint height);
void feeder_set_latency(struct feeder *feeder, GstClockTime latency);
void feeder_show(struct feeder *feeder); /* one frame now */

/* Frames shown so far. */
guint64 feeder_count(struct feeder *feeder);

/* Wait until so many more frames were shown. */
void feeder_wait(struct feeder *feeder, guint64 more);

/* Wait until there is such a number of readers. */
void feeder_wait_readers(struct feeder *feeder, guint n);

/* What the one reader says of itself; FALSE if there is none. */
gboolean feeder_reader(struct feeder *feeder, struct shmvideo_reader_info *out);

struct shmvideo_writer *feeder_writer(struct feeder *feeder);

/* Number of the frame in a sample, whose every visible byte is checked. */
guint64 feeder_check(GstSample *sample);

#endif
