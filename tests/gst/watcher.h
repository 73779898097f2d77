/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Tests of the sink: a reader of the library on the other side
 *
 * One rule: every wait ends with what was waited for, or fails the test at the
 * deadline.
 */

#ifndef WATCHER_H
#define WATCHER_H

#include <gst/video/video.h>

#include "gsttest.h"
#include "shmvideo.h"

/* A reader at a path; with the latest policy it takes the newest frame. */
struct shmvideo_reader *watcher_new(const char *path,
                                    enum shmvideo_policy policy);

/* The next positive outcome; a frame is yours. */
int watcher_next(struct shmvideo_reader *reader,
                 const struct shmvideo_frame **out_frame);

/* The next frame, whatever was told before it. Yours. */
const struct shmvideo_frame *watcher_frame(struct shmvideo_reader *reader);

/* Whether there is anything to acquire now. */
bool watcher_idle(struct shmvideo_reader *reader);

/* MD5 of the visible pixels of a frame. Yours. */
char *watcher_checksum(const struct shmvideo_frame *frame);

/* The same of a buffer. */
char *watcher_buffer_checksum(GstBuffer *buffer, const GstCaps *caps);

/* A counter of the sink named "sink" in a pipeline. */
guint64 watcher_count(GstElement *pipeline, const char *counter);

/* Wait until the sink named "sink" has this many clients. */
void watcher_wait_clients(GstElement *pipeline, guint n_clients);

#endif
