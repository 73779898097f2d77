/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the sink counts
 *
 * Owns the structure behind the sink's "transport-stats". One rule: frames is the
 * number of frames shown, and copied + zero-copy is the same number.
 */

#ifndef GST_SHM_VIDEO_STATS_H
#define GST_SHM_VIDEO_STATS_H

#include <gst/gst.h>

#include "shmvideo.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 copied, zero_copy;    /* frames shown */
  guint64 dropped;              /* frames not shown: no slot, or no frame */
  struct shmvideo_writer_stats writer;
} GstShmVideoStats;

/* Bring up to date what the writer counts. Any thread. */
void gst_shm_video_stats_update (GstShmVideoStats * stats,
    struct shmvideo_writer *writer);

/* As a structure, with one entry per reader; writer may be NULL: no readers. */
GstStructure *gst_shm_video_stats_to_structure (const GstShmVideoStats * stats,
    struct shmvideo_writer *writer);

G_END_DECLS

#endif
