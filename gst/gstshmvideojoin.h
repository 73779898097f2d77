/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Joining a share
 *
 * Owns the making and freeing of the source's library reader, and what the writer is
 * told of downstream. One rule: the writer always knows what downstream said last.
 * Streaming thread only, but for close once that has ended.
 */

#ifndef GST_SHM_VIDEO_JOIN_H
#define GST_SHM_VIDEO_JOIN_H

#include "gstshmvideosrc.h"

G_BEGIN_DECLS

/* Make a reader as the settings and downstream say. FALSE: an error was posted. */
gboolean gst_shm_video_join_open (GstShmVideoSrc * self);

/* Ask downstream what it takes, and tell the writer if that is news: then TRUE. */
gboolean gst_shm_video_join_update_accepts (GstShmVideoSrc * self);

/* Leave the reader, if there is one. Its frames stay intact. */
void gst_shm_video_join_close (GstShmVideoSrc * self);

G_END_DECLS

#endif
