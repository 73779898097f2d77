/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One buffer becomes one frame
 *
 * Owns the choice between showing a buffer where it is and copying it. One rule:
 * at most one copy, and the copy has the layout that the caps say, whatever the
 * strides, the memories or the crop of the buffer.
 */

#ifndef GST_SHM_VIDEO_PUBLISH_H
#define GST_SHM_VIDEO_PUBLISH_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "gstshmvideomemory.h"

G_BEGIN_DECLS

typedef enum
{
  GST_SHM_VIDEO_NO_SLOT,        /* all slots are out: nothing was shown */
  GST_SHM_VIDEO_COPIED,
  GST_SHM_VIDEO_IN_PLACE
} GstShmVideoPublished;

/* Show a buffer of the format that was set last; frame has its times and flags,
 * the layout and the crop are filled in here. info: how buffers lie that carry no
 * GstVideoMeta; slots: how planes of a copy are to lie.
 * cancel_fd: when it is readable, a wait for lossless readers ends.
 * Returns GstShmVideoPublished, -EBADMSG if the buffer does not contain such a
 * frame, -ECANCELED, or as shmvideo_writer_acquire and _publish. */
int gst_shm_video_publish (GstShmVideoShare * share, const GstVideoInfo * info,
    const GstVideoInfo * slots, GstBuffer * buffer,
    struct shmvideo_frame_info *frame, int cancel_fd);

G_END_DECLS

#endif
