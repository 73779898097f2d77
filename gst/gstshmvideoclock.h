/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Time between pipelines
 *
 * Owns the way between a pipeline's running time and CLOCK_MONOTONIC, the one
 * clock that all pipelines of a machine can read. One rule: with the monotonic
 * system clock, a pipeline's usual one, the way is exact in both directions;
 * with any other clock both are read at one instant, again for every time that
 * is converted, so that a drifting clock never builds up an error.
 */

#ifndef GST_SHM_VIDEO_CLOCK_H
#define GST_SHM_VIDEO_CLOCK_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* The pure part: what the clocks say, and what follows from it. */
typedef struct
{
  GstClockTime clock;           /* the pipeline's clock ... */
  GstClockTime monotonic;       /* ... and CLOCK_MONOTONIC, at one instant */
  GstClockTime base_time;       /* the pipeline clock at running time 0 */
} GstShmVideoClockReading;

/* CLOCK_MONOTONIC at a running time; NONE for an unknown running time, or for
 * an instant that CLOCK_MONOTONIC cannot show. */
GstClockTime gst_shm_video_clock_map_to_monotonic (
    const GstShmVideoClockReading * reading, GstClockTime running_time);

/* Running time at an instant of CLOCK_MONOTONIC, which may be negative (before
 * running time 0); FALSE for an unknown instant, or one that is out of range. */
gboolean gst_shm_video_clock_map_from_monotonic (
    const GstShmVideoClockReading * reading, GstClockTime monotonic,
    GstClockTimeDiff * out_running_time);

/* Read an element's clocks; FALSE while it has no clock or is not PLAYING. Any
 * thread. */
gboolean gst_shm_video_clock_read (GstElement * element,
    GstShmVideoClockReading * out_reading);

/* CLOCK_MONOTONIC at an element's running time, and the reverse (0 for instants
 * before running time 0). NONE while there is no clock or the element is not
 * PLAYING. Any thread. */
GstClockTime gst_shm_video_clock_to_monotonic (GstElement * element,
    GstClockTime running_time);
GstClockTime gst_shm_video_clock_from_monotonic (GstElement * element,
    GstClockTime monotonic);

/* CLOCK_MONOTONIC now. */
GstClockTime gst_shm_video_clock_monotonic_now (void);

G_END_DECLS

#endif
