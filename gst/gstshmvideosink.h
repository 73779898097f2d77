/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: shows the frames of a pipeline to other programs
 *
 * Owns the element: properties, states, and what GStreamer asks of a sink. One
 * rule: at its defaults nothing that a reader does or omits makes upstream wait.
 */

#ifndef GST_SHM_VIDEO_SINK_H
#define GST_SHM_VIDEO_SINK_H

#include <gst/gst.h>
#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_SHM_VIDEO_SINK (gst_shm_video_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstShmVideoSink, gst_shm_video_sink, GST, SHM_VIDEO_SINK,
    GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (shmvideosink);

G_END_DECLS

#endif
