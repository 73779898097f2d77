/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Errors and log lines of the library, in GStreamer's terms
 *
 * Owns which GError domain and code a negative errno of libshmvideo becomes.
 * One rule: nobody else maps codes, and one failure posts exactly one message.
 */

#ifndef GST_SHM_VIDEO_ERROR_H
#define GST_SHM_VIDEO_ERROR_H

#include <gst/gst.h>

#include "shmvideo.h"

G_BEGIN_DECLS

/* Post one error message on the bus. Its details are a structure with
 * "socket-path" (string, if the element has one), "errno" (int, positive) and
 * "pid" (int, only if a process is to blame). Take no lock around the call. */
void gst_shm_video_post_error (GstElement * element,
    const struct shmvideo_error *error);

/* A shmvideo_log_func: goes to the debug category "shmvideo"; user is the
 * GstElement, or NULL. */
void gst_shm_video_log (void *user, enum shmvideo_log_level level,
    const char *line);

G_END_DECLS

#endif
