/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps, buffer flags: between GStreamer and the library
 *
 * Owns every translation of a format or of a frame's flags. One rule: caps text
 * that comes from another process is hostile until it has passed
 * gst_shm_video_caps_from_text.
 */

#ifndef GST_SHM_VIDEO_CAPS_H
#define GST_SHM_VIDEO_CAPS_H

#include <gst/gst.h>
#include <gst/video/video.h>

#include "shmvideo.h"

G_BEGIN_DECLS

/* What both elements take and give: every raw format, in system memory. */
#define GST_SHM_VIDEO_CAPS_TEMPLATE \
    GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL) "; " \
    GST_VIDEO_CAPS_MAKE_WITH_FEATURES ("format:Interlaced", \
        GST_VIDEO_FORMATS_ALL) ", interlace-mode = (string) alternate"

/* Longest caps text taken from another process. */
#define GST_SHM_VIDEO_CAPS_TEXT_MAX 16384

/* Fill a format from fixed caps, with strides and planes at multiples of align (1:
 * GstVideoInfo's default layout), as in slots (may be NULL). FALSE if they are not
 * raw video in system memory, or a size does not fit. */
gboolean gst_shm_video_caps_to_format (const GstCaps * caps, guint align,
    struct shmvideo_format *format, GstVideoInfo * slots);

/* Move the planes of a default layout to multiples of align (a power of 2), where
 * GStreamer can: padded formats of 10 bits, and tiled ones, stay. */
void gst_shm_video_align (GstVideoInfo * info, guint align);

/* Caps of a text that another process sent, and what they mean (info may be
 * NULL). NULL unless it is one fixed structure of raw video in system memory. */
GstCaps *gst_shm_video_caps_from_text (const gchar * text, GstVideoInfo * info);

/* The buffer's flags as enum shmvideo_frame_flags, OR-ed. */
guint32 gst_shm_video_flags_from_buffer (GstBuffer * buffer);

/* Set those flags on a writable buffer; unknown bits are ignored, and flags that
 * the bits do not mention stay. */
void gst_shm_video_flags_to_buffer (guint32 flags, GstBuffer * buffer);

G_END_DECLS

#endif
