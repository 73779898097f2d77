/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Following a path
 *
 * Owns when the source joins and leaves a share, how its streaming thread waits for
 * frames, and what is said on the bus about writers that come and go.
 * One rule: every wait ends when the element's wake is rung, and every failure
 * posts exactly one error. Streaming thread only, but for init and stop.
 */

#ifndef GST_SHM_VIDEO_FOLLOW_H
#define GST_SHM_VIDEO_FOLLOW_H

#include "gstshmvideosrc.h"

G_BEGIN_DECLS

typedef enum
{
  GST_SHM_VIDEO_STEP_FRAME,     /* *out_frame is to be released */
  GST_SHM_VIDEO_STEP_FORMAT,    /* the frames that follow have a new format */
  GST_SHM_VIDEO_STEP_STOP,      /* the thread is wanted elsewhere */
  GST_SHM_VIDEO_STEP_END        /* nothing more will come, for known reasons */
} GstShmVideoStep;

/* Go on until something of the above happened. Without frames it does not take
 * any, and need not be PLAYING; with them it waits while it is not, then goes on
 * with the newest. */
GstShmVideoStep gst_shm_video_follow_step (GstShmVideoSrc * self,
    gboolean frames, const struct shmvideo_frame **out_frame);

/* Post an error of the library's, and end. */
void gst_shm_video_follow_fail (GstShmVideoSrc * self, int code);

/* Before the thread starts, and after it ended. */
void gst_shm_video_follow_init (GstShmVideoSrc * self);
void gst_shm_video_follow_stop (GstShmVideoSrc * self);

G_END_DECLS

#endif
