/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Waking the streaming thread
 *
 * Owns a descriptor that ends a wait on other descriptors. One rule: it is
 * counted, so that any thread may ring it with no lock held while the element
 * that made it stops. A ring is kept until it is cleared: clear first, then look
 * at what is wanted, then wait, and none is missed.
 */

#ifndef GST_SHM_VIDEO_WAKE_H
#define GST_SHM_VIDEO_WAKE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int fd;                       /* readable while rung */
  gint rung;                    /* atomic: set after fd, so that clearing what was
                                 * not rung costs no system call */
} GstShmVideoWake;

/* NULL if there is no descriptor left, errno says why. */
GstShmVideoWake *gst_shm_video_wake_new (void);
/* All three allow NULL. */
GstShmVideoWake *gst_shm_video_wake_ref (GstShmVideoWake * wake);
void gst_shm_video_wake_unref (GstShmVideoWake * wake);
void gst_shm_video_wake_ring (GstShmVideoWake * wake);

void gst_shm_video_wake_clear (GstShmVideoWake * wake);

/* Whether there are descriptors left for what wakes a buffer pool of GStreamer. One
 * made without them does not say so, and may wait for ever when it is stopped. */
gboolean gst_shm_video_wake_has_room_for_pool (void);

G_END_DECLS

#endif
