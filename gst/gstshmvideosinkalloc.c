/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: what upstream may draw in
 *
 * Owns how frames of the sink's slots lie, and the pools that are offered. Streaming
 * thread.
 */

#include "gstshmvideosinkimpl.h"

#include "gstshmvideocaps.h"
#include "gstshmvideopool.h"
#include "gstshmvideowake.h"

/* Frames may double for the sake of an alignment; small ones grow to so many bytes, if
 * so many fit into max-memory. (As the library does with its own layouts.) */
#define MOST_PADDED 65536
#define FEWEST_PADDED 16

guint
gst_shm_video_sink_get_alignment (GstShmVideoSink * self,
    GstShmVideoShare * share, const GstCaps * caps)
{
  struct shmvideo_writer *writer = gst_shm_video_share_enter (share);
  struct shmvideo_writer_stats stats = {.stride_align = 1 };
  guint64 max_memory = self->config.max_memory;
  GstVideoInfo info, aligned;
  guint align;

  if (writer) {
    shmvideo_writer_get_stats (writer, &stats);
    gst_shm_video_share_leave (share);
  }
  if (!gst_video_info_from_caps (&info, caps))
    return 1;
  for (align = stats.stride_align; align > 1; align /= 2) {
    aligned = info;
    gst_shm_video_align (&aligned, align);
    if (aligned.size <= 2 * info.size || (aligned.size <= MOST_PADDED
            && (max_memory == 0 || aligned.size <= max_memory / FEWEST_PADDED)))
      break;
  }
  return MAX (align, 1);
}

gboolean
gst_shm_video_sink_propose_allocation (GstBaseSink * bsink, GstQuery * query)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);
  GstShmVideoShare *share;
  GstVideoInfo info;
  GstCaps *caps;
  gboolean need_pool;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return FALSE;

  share = gst_shm_video_sink_ref_share (self);
  if (need_pool && share && gst_shm_video_wake_has_room_for_pool ()) {
    guint align = gst_shm_video_sink_get_alignment (self, share, caps);
    GstBufferPool *pool = gst_shm_video_pool_new (share, align);
    GstStructure *config = gst_buffer_pool_get_config (pool);

    gst_shm_video_align (&info, align);
    gst_buffer_pool_config_set_params (config, caps, (guint) info.size, 0,
        GST_SHM_VIDEO_SINK_MAX_SLOTS);
    if (gst_buffer_pool_set_config (pool, config))
      gst_query_add_allocation_pool (query, pool, (guint) info.size, 0,
          GST_SHM_VIDEO_SINK_MAX_SLOTS);
    gst_object_unref (pool);
  }
  if (share)
    gst_shm_video_share_unref (share);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}
