/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The format of shmvideosrc
 *
 * Owns what downstream is told that frames are. On the streaming thread. One rule: a
 * format that downstream does not take is an error only if the writer could know.
 */

#ifndef GST_SHM_VIDEO_NEGOTIATE_H
#define GST_SHM_VIDEO_NEGOTIATE_H

#include "gstshmvideosrc.h"

G_BEGIN_DECLS

/* Wait for the format that the writer has for us, and send its caps. */
gboolean gst_shm_video_src_negotiate (GstBaseSrc * basesrc);

/* The writer sends what cannot be, or what downstream does not take: an error, and the
 * end of the stream. caps may be NULL. */
void gst_shm_video_negotiate_fail (GstShmVideoSrc * self, const GstCaps * caps,
    const gchar * why);

G_END_DECLS

#endif
