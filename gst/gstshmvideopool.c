/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideopool.h"

#include <gst/video/video.h>

#include "gstshmvideocaps.h"

GST_DEBUG_CATEGORY_STATIC (gst_shm_video_pool_debug);
#define GST_CAT_DEFAULT gst_shm_video_pool_debug

typedef struct
{
  GstBufferPool parent;

  GstShmVideoShare *share;
  guint align;

  /* From the configuration, fixed while the pool is active. */
  GstVideoInfo info;
  gsize size;
  gboolean add_meta;
  GstAllocationParams params;

  GMutex lock;
  GPtrArray *parked;            /* buffers whose memories have no slot now */
  guint n_taking;               /* threads that may be waiting for a slot */
  GCond taken;                  /* one less */
} GstShmVideoPool;

typedef struct
{
  GstBufferPoolClass parent_class;
} GstShmVideoPoolClass;

static GType gst_shm_video_pool_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GstShmVideoPool, gst_shm_video_pool,
    GST_TYPE_BUFFER_POOL,
    GST_DEBUG_CATEGORY_INIT (gst_shm_video_pool_debug, "shmvideopool", 0,
        "shmvideo buffer pool"));
#define GST_SHM_VIDEO_POOL(object) ((GstShmVideoPool *) (object))

static const gchar **
get_options (GstBufferPool * pool)
{
  static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, NULL };

  return options;
}

static gboolean
set_config (GstBufferPool * pool, GstStructure * config)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (pool);
  GstCaps *caps;
  GstVideoInfo info;
  guint size;

  if (!gst_buffer_pool_config_get_params (config, &caps, &size, NULL, NULL)
      || caps == NULL || !gst_video_info_from_caps (&info, caps)) {
    GST_WARNING_OBJECT (pool, "no usable caps in %" GST_PTR_FORMAT, config);
    return FALSE;
  }
  self->add_meta = gst_buffer_pool_config_has_option (config,
      GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (self->add_meta)
    gst_shm_video_align (&info, self->align);
  if (size < info.size) {
    GST_WARNING_OBJECT (pool, "%u bytes cannot hold %" GST_PTR_FORMAT, size,
        caps);
    return FALSE;
  }
  /* Memories of another size are of no use any more. */
  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->parked, 0);
  g_mutex_unlock (&self->lock);

  self->info = info;
  self->size = size;
  if (!gst_buffer_pool_config_get_allocator (config, NULL, &self->params))
    gst_allocation_params_init (&self->params);
  return GST_BUFFER_POOL_CLASS (gst_shm_video_pool_parent_class)->set_config
      (pool, config);
}

static gboolean
start (GstBufferPool * pool)
{
  return TRUE;
}

static gboolean
stop (GstBufferPool * pool)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (pool);

  g_mutex_lock (&self->lock);
  g_ptr_array_set_size (self->parked, 0);
  g_mutex_unlock (&self->lock);
  return GST_BUFFER_POOL_CLASS (gst_shm_video_pool_parent_class)->stop (pool);
}

/* The meta of a buffer that comes back may have been edited: say the layout
 * again for every frame. */
static void
set_meta (GstShmVideoPool * self, GstBuffer * buffer)
{
  const GstVideoInfo *info = &self->info;
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  if (!self->add_meta)
    return;
  if (meta == NULL) {
    meta = gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (info), (guint) info->width,
        (guint) info->height);
    GST_META_FLAG_SET (&meta->meta, GST_META_FLAG_POOLED);
  }
  meta->flags = GST_VIDEO_FRAME_FLAG_NONE;
  meta->format = GST_VIDEO_INFO_FORMAT (info);
  meta->width = (guint) info->width;
  meta->height = (guint) info->height;
  meta->n_planes = GST_VIDEO_INFO_N_PLANES (info);
  gst_video_alignment_reset (&meta->alignment);
  for (guint i = 0; i < meta->n_planes; i++) {
    meta->offset[i] = info->offset[i];
    meta->stride[i] = info->stride[i];
  }
}

/* Between begin and end the pool may begin to flush, which waits for the end. */
static gboolean
begin_taking (GstShmVideoPool * self)
{
  gboolean flushing;

  g_mutex_lock (&self->lock);
  flushing = GST_BUFFER_POOL_IS_FLUSHING (GST_BUFFER_POOL_CAST (self));
  if (!flushing)
    self->n_taking++;
  g_mutex_unlock (&self->lock);
  return !flushing;
}

/* A buffer for the slot, if there is one to be used again. */
static GstBuffer *
end_taking (GstShmVideoPool * self, struct shmvideo_slot *slot)
{
  GstBuffer *buffer = NULL;

  g_mutex_lock (&self->lock);
  if (slot && self->parked->len > 0)
    buffer = g_ptr_array_steal_index_fast (self->parked, self->parked->len - 1);
  self->n_taking--;
  if (GST_BUFFER_POOL_IS_FLUSHING (GST_BUFFER_POOL_CAST (self)))
    g_cond_broadcast (&self->taken);
  g_mutex_unlock (&self->lock);
  return buffer;
}

/* The flag is set: whoever waits for a slot lets go, and nobody else begins to. */
static void
flush_start (GstBufferPool * pool)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (pool);

  gst_shm_video_share_interrupt (self->share);
  g_mutex_lock (&self->lock);
  while (self->n_taking > 0)
    g_cond_wait (&self->taken, &self->lock);
  g_mutex_unlock (&self->lock);
  gst_shm_video_share_resume (self->share);
}

static GstFlowReturn
acquire_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * params)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (pool);
  struct shmvideo_slot *slot;

  if (!begin_taking (self))
    return GST_FLOW_FLUSHING;
  slot = gst_shm_video_share_take (self->share, self->size);
  *buffer = end_taking (self, slot);
  if (slot == NULL) {
    if (GST_BUFFER_POOL_IS_FLUSHING (pool))
      return GST_FLOW_FLUSHING;
    GST_LOG_OBJECT (pool, "no slot: system memory");
    *buffer = gst_buffer_new_allocate (NULL, self->size, &self->params);
    if (*buffer == NULL)
      return GST_FLOW_ERROR;
  } else {
    if (*buffer == NULL) {
      *buffer = gst_buffer_new ();
      gst_buffer_append_memory (*buffer,
          gst_shm_video_memory_new (self->share, self->size));
    }
    gst_shm_video_memory_attach (gst_buffer_peek_memory (*buffer, 0), slot);
  }
  set_meta (self, *buffer);
  GST_BUFFER_FLAG_UNSET (*buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return GST_FLOW_OK;
}

/* A reference count of one proves that nobody in this process looks at the slot
 * any more: references and parts count, and mappings hold references. Otherwise
 * the last one who looks gives the slot back, by freeing the memory. */
static gboolean
may_be_parked (GstShmVideoPool * self, GstBuffer * buffer)
{
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1 || !gst_buffer_is_writable (buffer))
    return FALSE;
  memory = gst_buffer_peek_memory (buffer, 0);
  return gst_shm_video_memory_is_whole (memory, self->share)
      && memory->size == self->size
      && GST_MINI_OBJECT_REFCOUNT_VALUE (memory) == 1;
}

static void
release_buffer (GstBufferPool * pool, GstBuffer * buffer)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (pool);

  if (!may_be_parked (self, buffer)) {
    gst_buffer_unref (buffer);
    return;
  }
  gst_shm_video_memory_detach (gst_buffer_peek_memory (buffer, 0));
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->parked, buffer);
  g_mutex_unlock (&self->lock);
}

static void
finalize (GObject * object)
{
  GstShmVideoPool *self = GST_SHM_VIDEO_POOL (object);

  g_ptr_array_unref (self->parked);
  gst_shm_video_share_unref (self->share);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->taken);
  G_OBJECT_CLASS (gst_shm_video_pool_parent_class)->finalize (object);
}

static void
gst_shm_video_pool_class_init (GstShmVideoPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  pool_class->get_options = get_options;
  pool_class->set_config = set_config;
  pool_class->start = start;
  pool_class->stop = stop;
  pool_class->flush_start = flush_start;
  pool_class->acquire_buffer = acquire_buffer;
  pool_class->release_buffer = release_buffer;
}

static void
gst_shm_video_pool_init (GstShmVideoPool * self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->taken);
  self->parked = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_buffer_unref);
}

GstBufferPool *
gst_shm_video_pool_new (GstShmVideoShare * share, guint align)
{
  GstShmVideoPool *self = g_object_new (gst_shm_video_pool_get_type (), NULL);

  gst_object_ref_sink (self);
  self->share = gst_shm_video_share_ref (share);
  self->align = align;
  return GST_BUFFER_POOL_CAST (self);
}
