/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideomemory.h"

#include <errno.h>

typedef struct
{
  GstMemory parent;

  GstShmVideoShare *share;      /* keeps the address from being used again */
  struct shmvideo_slot *slot;   /* of parts: NULL, look at the whole */
  gint sealed;                  /* atomic: was shown, no more write mappings */
  gint writers;                 /* atomic: write mappings there are */
} GstShmVideoMemory;

typedef struct
{
  GstAllocator parent;
} GstShmVideoAllocator;

typedef struct
{
  GstAllocatorClass parent_class;
} GstShmVideoAllocatorClass;

static GType gst_shm_video_allocator_get_type (void);
G_DEFINE_TYPE (GstShmVideoAllocator, gst_shm_video_allocator,
    GST_TYPE_ALLOCATOR);

static GstAllocator *
the_allocator (void)
{
  static gsize allocator = 0;

  if (g_once_init_enter (&allocator)) {
    gpointer object = g_object_new (gst_shm_video_allocator_get_type (), NULL);

    gst_object_ref_sink (object);
    GST_OBJECT_FLAG_SET (object, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    g_once_init_leave (&allocator, (gsize) object);
  }
  return (GstAllocator *) allocator;
}

static GstShmVideoMemory *
whole_of (GstMemory * memory)
{
  return (GstShmVideoMemory *) (memory->parent ? memory->parent : memory);
}

static GstShmVideoMemory *
memory_new (GstShmVideoShare * share, GstMemoryFlags flags, GstMemory * whole,
    gsize maxsize, gsize offset, gsize size)
{
  GstShmVideoMemory *self = g_new0 (GstShmVideoMemory, 1);

  gst_memory_init (GST_MEMORY_CAST (self), flags, the_allocator (), whole,
      maxsize, 63, offset, size);
  self->share = gst_shm_video_share_ref (share);
  return self;
}

static void
memory_free (GstAllocator * allocator, GstMemory * memory)
{
  GstShmVideoMemory *self = (GstShmVideoMemory *) memory;

  shmvideo_slot_release (self->slot);
  gst_shm_video_share_unref (self->share);
  g_free (self);
}

/* Counting first and looking for the seal second, while publish seals first and
 * counts second, leaves no gap: one of the two sees the other. */
static gpointer
memory_map (GstMemory * memory, GstMapInfo * info, gsize maxsize)
{
  GstShmVideoMemory *whole = whole_of (memory);

  if (whole->slot == NULL)
    return NULL;
  if (info->flags & GST_MAP_WRITE) {
    g_atomic_int_inc (&whole->writers);
    if (g_atomic_int_get (&whole->sealed)) {
      g_atomic_int_add (&whole->writers, -1);
      return NULL;
    }
  }
  return whole->slot->data;
}

static void
memory_unmap (GstMemory * memory, GstMapInfo * info)
{
  if (info->flags & GST_MAP_WRITE)
    g_atomic_int_add (&whole_of (memory)->writers, -1);
}

/* Parts are read-only, as those of system memory. */
static GstMemory *
memory_share (GstMemory * memory, gssize offset, gssize size)
{
  GstShmVideoMemory *whole = whole_of (memory);

  if (size == -1)
    size = (gssize) memory->size - offset;
  return GST_MEMORY_CAST (memory_new (whole->share,
          GST_MINI_OBJECT_FLAGS (whole) | GST_MEMORY_FLAG_READONLY,
          GST_MEMORY_CAST (whole), memory->maxsize,
          memory->offset + (gsize) offset, (gsize) size));
}

static void
gst_shm_video_allocator_class_init (GstShmVideoAllocatorClass * klass)
{
  GST_ALLOCATOR_CLASS (klass)->free = memory_free;
}

static void
gst_shm_video_allocator_init (GstShmVideoAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = "ShmVideoSlot";
  allocator->mem_map_full = memory_map;
  allocator->mem_unmap_full = memory_unmap;
  allocator->mem_share = memory_share;
  /* Slots come from pools only. It also makes GStreamer's own mem_copy allocate
   * system memory: a copy never takes a slot. */
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

GstMemory *
gst_shm_video_memory_new (GstShmVideoShare * share, gsize size)
{
  return GST_MEMORY_CAST (memory_new (share, (GstMemoryFlags) 0, NULL, size, 0,
          size));
}

void
gst_shm_video_memory_attach (GstMemory * memory, struct shmvideo_slot *slot)
{
  GstShmVideoMemory *self = (GstShmVideoMemory *) memory;

  self->slot = slot;
  g_atomic_int_set (&self->sealed, 0);
  GST_MINI_OBJECT_FLAG_UNSET (memory, GST_MEMORY_FLAG_READONLY);
}

void
gst_shm_video_memory_detach (GstMemory * memory)
{
  GstShmVideoMemory *self = (GstShmVideoMemory *) memory;

  shmvideo_slot_release (self->slot);
  self->slot = NULL;
}

gboolean
gst_shm_video_memory_is_whole (GstMemory * memory, GstShmVideoShare * share)
{
  return memory->allocator == the_allocator () && memory->parent == NULL
      && ((GstShmVideoMemory *) memory)->share == share
      && memory->offset == 0 && memory->size == memory->maxsize;
}

int
gst_shm_video_memory_publish (GstMemory * memory,
    const struct shmvideo_frame_info *info)
{
  GstShmVideoMemory *self = (GstShmVideoMemory *) memory;
  int code = -EBUSY;

  if (!g_atomic_int_compare_and_exchange (&self->sealed, 0, 1))
    return -EBUSY;
  if (g_atomic_int_get (&self->writers) == 0)
    code = shmvideo_writer_publish_kept (
        gst_shm_video_share_writer (self->share), self->slot, info);
  if (code < 0)
    g_atomic_int_set (&self->sealed, 0);
  else
    GST_MINI_OBJECT_FLAG_SET (memory, GST_MEMORY_FLAG_READONLY);
  return code;
}
