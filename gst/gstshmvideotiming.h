/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Timestamps of received frames
 *
 * Owns which PTS a frame gets. One rule: within a run, through pauses, writer
 * restarts and absurd times from the other side, each PTS is later than the one
 * before. Pure: everything that it needs to know is in the arguments.
 *
 *   capture      running time at which the frame was captured
 *   arrival      running time now
 *   passthrough  the writer's own PTS, shifted only if it would go backwards
 */

#ifndef GST_SHM_VIDEO_TIMING_H
#define GST_SHM_VIDEO_TIMING_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  GST_SHM_VIDEO_TIMESTAMP_CAPTURE,
  GST_SHM_VIDEO_TIMESTAMP_ARRIVAL,
  GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH
} GstShmVideoTimestampMode;

/* What is remembered from frame to frame. */
typedef struct
{
  GstClockTime last;            /* PTS given before; NONE: none yet */
  guint64 stream;               /* the writer's run that it came from */
  GstClockTimeDiff shift;       /* passthrough: added to the writer's PTS */
  gboolean joining;             /* no frame since start, connect or resume */
} GstShmVideoTiming;

/* What is known about one frame. */
typedef struct
{
  GstShmVideoTimestampMode mode;
  GstClockTime now;             /* running time now; NONE: there is no clock */
  GstClockTimeDiff capture;     /* running time of capture; STIME_NONE */
  GstClockTime pts;             /* the writer's; NONE */
  GstClockTime duration;        /* of a frame, or what it usually is; never 0 */
  GstClockTime max_age;         /* a joining frame may be so old; NONE: any age */
  guint64 stream;
} GstShmVideoTimingFrame;

/* Forget everything: running time starts anew. */
void gst_shm_video_timing_reset (GstShmVideoTiming * timing);

/* The next frame comes after a pause or from another writer. */
void gst_shm_video_timing_join (GstShmVideoTiming * timing);

/* PTS of the next frame, and whether it starts a new stretch (DISCONT). */
GstClockTime gst_shm_video_timing_next (GstShmVideoTiming * timing,
    const GstShmVideoTimingFrame * frame, gboolean * out_discont);

G_END_DECLS

#endif
