/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A slot of shared memory as a GstMemory
 *
 * Owns how long a slot is out: exactly as long as a GstMemory has it. One rule: a
 * slot is shown once per claim, and from that instant on nobody in this process
 * can write to it any more, whatever references he kept. Invariant: sealed and
 * writers are never both non-zero after a publish that returned 0.
 */

#ifndef GST_SHM_VIDEO_MEMORY_H
#define GST_SHM_VIDEO_MEMORY_H

#include <gst/gst.h>

#include "gstshmvideoshare.h"

G_BEGIN_DECLS

/* A memory of size bytes that has no slot yet. */
GstMemory *gst_shm_video_memory_new (GstShmVideoShare * share, gsize size);

/* Give it a slot, of at least its size, to be written and shown once. The memory
 * owns the slot. Only for the sole owner of a memory without a slot. */
void gst_shm_video_memory_attach (GstMemory * memory,
    struct shmvideo_slot *slot);

/* Give the slot back. Only for the sole owner of a memory. */
void gst_shm_video_memory_detach (GstMemory * memory);

/* Whether it is a memory of this share, all of it: neither another allocator's
 * nor a part, moved or shrunk. */
gboolean gst_shm_video_memory_is_whole (GstMemory * memory,
    GstShmVideoShare * share);

/* Show what is in the memory. The memory becomes read-only and keeps the slot.
 * 0, -EBUSY if it was shown before or is mapped for writing (it has to be
 * copied), or as shmvideo_writer_publish_kept. */
int gst_shm_video_memory_publish (GstMemory * memory,
    const struct shmvideo_frame_info *info);

G_END_DECLS

#endif
