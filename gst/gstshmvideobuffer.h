/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Frames as buffers
 *
 * Owns how a received frame becomes a GstBuffer. One rule: a wrapped frame is
 * given back when the last reference to its memory goes, on whatever thread and
 * however long after the element, and never before; its memory is read-only, so
 * that elements which draw in place copy it first.
 */

#ifndef GST_SHM_VIDEO_BUFFER_H
#define GST_SHM_VIDEO_BUFFER_H

#include <gst/video/video.h>

#include "shmvideo.h"

G_BEGIN_DECLS

/* Whether the frame's planes lie as caps alone would say. */
gboolean gst_shm_video_buffer_layout_is_default (
    const struct shmvideo_frame * frame, const GstVideoInfo * info);

/* A buffer over the frame, which it takes; NULL (and the frame released) if the
 * frame is not what info says. */
GstBuffer *gst_shm_video_buffer_wrap (const struct shmvideo_frame * frame,
    const GstVideoInfo * info);

/* The same picture in a buffer of the pool, laid out as the pool does; with no pool,
 * in a buffer of its own, laid out as caps alone would say. */
GstFlowReturn gst_shm_video_buffer_copy (GstBuffer * wrapped,
    const GstVideoInfo * info, GstBufferPool * pool, GstBuffer ** out_copy);

/* Give a writable buffer the frame's flags, offsets, duration, crop rectangle
 * and, as GstReferenceTimestampMeta, its instant of capture: nanoseconds of
 * CLOCK_MONOTONIC under the caps timestamp/x-monotonic-capture. */
void gst_shm_video_buffer_describe (GstBuffer * buffer,
    const struct shmvideo_frame * frame);

G_END_DECLS

#endif
