/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A buffer pool that lends slots of the share upstream
 *
 * Owns which buffer an upstream element draws its next frame into. One rule: it
 * never makes upstream wait; when no slot can be had, the buffer is system memory
 * and the sink copies it. Buffers carry GstVideoMeta, with the default layout unless
 * readers wish for an alignment.
 */

#ifndef GST_SHM_VIDEO_POOL_H
#define GST_SHM_VIDEO_POOL_H

#include <gst/gst.h>

#include "gstshmvideomemory.h"

G_BEGIN_DECLS

/* A pool for frames of a share, strides and planes at multiples of align for those
 * who read GstVideoMeta. It allocates nothing before it is used. */
GstBufferPool *gst_shm_video_pool_new (GstShmVideoShare * share, guint align);

G_END_DECLS

#endif
