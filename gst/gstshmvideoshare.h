/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The sink's writer, shared with the pools that it lends slots through
 *
 * Owns the writer and how long it lives: upstream may keep a pool, and buffers,
 * longer. Then there are no more slots, and those still out are given back as their
 * memories go. One rule: nobody uses the writer but between enter and leave, or on
 * the sink's streaming thread, where it is never closed. No lock is held between.
 */

#ifndef GST_SHM_VIDEO_SHARE_H
#define GST_SHM_VIDEO_SHARE_H

#include <gst/gst.h>

#include "shmvideo.h"

G_BEGIN_DECLS

typedef struct _GstShmVideoShare GstShmVideoShare;

/* The share owns the writer from here on. Waits are interrupted from the start. */
GstShmVideoShare *gst_shm_video_share_new (struct shmvideo_writer *writer);
GstShmVideoShare *gst_shm_video_share_ref (GstShmVideoShare * share);
void gst_shm_video_share_unref (GstShmVideoShare * share);

/* Free the writer, once all who entered have left. */
void gst_shm_video_share_close (GstShmVideoShare * share);

/* The writer, for the sink's streaming thread. */
struct shmvideo_writer *gst_shm_video_share_writer (GstShmVideoShare * share);

/* The writer, for any thread; it is not closed until leave, which must follow soon.
 * NULL if it is closed: do not leave then. */
struct shmvideo_writer *gst_shm_video_share_enter (GstShmVideoShare * share);
void gst_shm_video_share_leave (GstShmVideoShare * share);

/* A slot of at least size bytes, or NULL: none is free, there is no format yet, or the
 * frames of the present one are smaller. Waits for lossless readers, if the writer
 * has backpressure and while nobody interrupts. Any thread. */
struct shmvideo_slot *gst_shm_video_share_take (GstShmVideoShare * share,
    gsize size);

/* From now on nobody waits; from resume on they do again. Each interrupt wants its
 * resume, of whomever. Any thread. */
void gst_shm_video_share_interrupt (GstShmVideoShare * share);
void gst_shm_video_share_resume (GstShmVideoShare * share);

G_END_DECLS

#endif
