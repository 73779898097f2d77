/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Copying the pixels of a frame
 *
 * Owns how many bytes of a row are picture. One rule: everything that can be seen
 * is copied, in every format and at odd sizes too.
 */

#ifndef GST_SHM_VIDEO_COPY_H
#define GST_SHM_VIDEO_COPY_H

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Copy all planes; both frames have dest's format, and src at least its size.
 * Only info and data are looked at: the frames need not be mapped. (As
 * gst_video_frame_copy, which forgets the last chroma sample of each row of
 * YUY2 and the like when the width is odd.) */
gboolean gst_shm_video_copy_frame (GstVideoFrame * dest,
    const GstVideoFrame * src);

G_END_DECLS

#endif
