/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The streaming thread of shmvideosrc
 *
 * Owns what goes downstream but for caps: buffers, timestamps, QoS. One rule: the base
 * class never sees FALSE or FLUSHING for "not yet", only when it asked for its
 * thread; and after an error it sees EOS, since it posts errors of its own for
 * anything else.
 */

#include <gst/video/gstvideopool.h>

#include "gstshmvideobuffer.h"
#include "gstshmvideocaps.h"
#include "gstshmvideoclock.h"
#include "gstshmvideofollow.h"
#include "gstshmvideonegotiate.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_src_debug);
#define GST_CAT_DEFAULT gst_shm_video_src_debug

/* Skips are reported at most this often. */
#define QOS_INTERVAL GST_SECOND

gboolean
gst_shm_video_stream_decide_allocation (GstBaseSrc * basesrc, GstQuery * query)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);
  GstBufferPool *pool = NULL;
  GstStructure *config;
  GstCaps *caps = NULL;
  GstVideoInfo info;
  guint size = 0;

  self->video_meta = gst_query_find_allocation_meta (query,
      GST_VIDEO_META_API_TYPE, NULL);
  gst_query_parse_allocation (query, &caps, NULL);
  /* The frames bring their memory. The pool is for copies; not downstream's,
   * which may be small and would make us wait. */
  if (caps != NULL && gst_video_info_from_caps (&info, caps)
      && gst_shm_video_wake_has_room_for_pool ()) {
    size = (guint) GST_VIDEO_INFO_SIZE (&info);
    pool = gst_video_buffer_pool_new ();
    config = gst_buffer_pool_get_config (pool);
    gst_buffer_pool_config_set_params (config, caps, size, 0, 0);
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_META);
    gst_buffer_pool_set_config (pool, config);
  }
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, 0, 0);
  else if (pool != NULL)
    gst_query_add_allocation_pool (query, pool, size, 0, 0);
  gst_clear_object (&pool);
  return TRUE;
}

/* PTS of a frame, and whether it follows the one before. */
static GstClockTime
stamp (GstShmVideoSrc * self, const struct shmvideo_frame *frame,
    gboolean * out_discont)
{
  GstShmVideoTimingFrame known = {.now = GST_CLOCK_TIME_NONE,
    .capture = GST_CLOCK_STIME_NONE,.pts = frame->pts,
    .duration = frame->duration,.stream = frame->stream
  };
  GstShmVideoClockReading reading;
  GstClockTimeDiff now;
  GstClockTime pts;

  if (gst_shm_video_clock_read (GST_ELEMENT (self), &reading)
      && gst_shm_video_clock_map_from_monotonic (&reading, reading.monotonic,
          &now)) {
    known.now = (GstClockTime) MAX (now, 0);
    gst_shm_video_clock_map_from_monotonic (&reading, frame->capture_time,
        &known.capture);
  }
  g_mutex_lock (&self->lock);
  known.mode = gst_shm_video_settings_get_timestamp_mode (&self->settings);
  known.max_age = self->latency_max;
  if (known.duration == 0 || known.duration > GST_SECOND)
    known.duration = self->frame_duration;
  if (self->restart_timing)
    gst_shm_video_timing_reset (&self->timing);
  self->restart_timing = FALSE;
  g_mutex_unlock (&self->lock);
  if (!GST_CLOCK_TIME_IS_VALID (known.duration))
    known.duration = GST_SHM_VIDEO_USUAL_DURATION;

  pts = gst_shm_video_timing_next (&self->timing, &known, out_discont);
  GST_LOG_OBJECT (self, "frame %" G_GUINT64_FORMAT ": PTS %" GST_TIME_FORMAT
      ", captured %" GST_STIME_FORMAT ", now %" GST_TIME_FORMAT,
      frame->sequence, GST_TIME_ARGS (pts), GST_STIME_ARGS (known.capture),
      GST_TIME_ARGS (known.now));
  return pts;
}

/* Frames that downstream would hold with our last hold, or whose strides it would
 * misread, go as copies. NULL: *flow says why. */
static GstBuffer *
make_buffer (GstShmVideoSrc * self, const struct shmvideo_frame *frame,
    GstFlowReturn * flow)
{
  GstBuffer *wrapped, *copy = NULL;
  GstBufferPool *pool;
  gboolean strange = !self->video_meta
      && !gst_shm_video_buffer_layout_is_default (frame, &self->info);
  gboolean last_hold = self->status.holding >= self->status.max_holds;

  wrapped = gst_shm_video_buffer_wrap (frame, &self->info);
  if (wrapped == NULL) {
    gst_shm_video_negotiate_fail (self, NULL, "its frames contradict its caps");
    *flow = GST_FLOW_EOS;
    return NULL;
  }
  if (!strange && !last_hold) {
    gst_shm_video_buffer_describe (wrapped, frame);
    return wrapped;
  }

  pool = gst_base_src_get_buffer_pool (GST_BASE_SRC (self));
  *flow = gst_shm_video_buffer_copy (wrapped, &self->info, pool, &copy);
  gst_clear_object (&pool);
  if (copy != NULL) {
    gst_shm_video_buffer_describe (copy, frame);
    if (last_hold)
      shmvideo_reader_note_copy (self->reader);
    g_mutex_lock (&self->lock);
    self->copied_layout += strange && !last_hold;
    g_mutex_unlock (&self->lock);
  } else if (*flow != GST_FLOW_FLUSHING) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("Cannot copy a frame of %" G_GSIZE_FORMAT " bytes.",
            GST_VIDEO_INFO_SIZE (&self->info)), (NULL));
    self->ended = TRUE;
    *flow = GST_FLOW_EOS;
  }
  gst_buffer_unref (wrapped);
  return copy;
}

static void
report_skips (GstShmVideoSrc * self, GstBuffer * buffer, guint skipped)
{
  GstClockTime now, pts = GST_BUFFER_PTS (buffer);
  GstMessage *message;
  guint64 received, lost;

  if (skipped == 0)
    return;
  now = gst_shm_video_clock_monotonic_now ();
  if (self->qos_posted != 0 && now - self->qos_posted < QOS_INTERVAL)
    return;
  self->qos_posted = now;
  g_mutex_lock (&self->lock);
  received = self->received_before + self->status.received;
  lost = self->skipped_before + self->status.skipped;
  g_mutex_unlock (&self->lock);

  message = gst_message_new_qos (GST_OBJECT (self), TRUE, pts, pts, pts,
      GST_BUFFER_DURATION (buffer));
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, received, lost);
  gst_element_post_message (GST_ELEMENT (self), message);
}

/* Whether a frame just taken is still wanted: a pause may have come meanwhile,
 * and would keep it for as long as it lasts. */
static gboolean
still_wanted (GstShmVideoSrc * self)
{
  gboolean wanted;

  g_mutex_lock (&self->lock);
  wanted = self->playing || self->settings.policy == SHMVIDEO_LOSSLESS;
  if (!wanted)
    self->resumed = TRUE;
  g_mutex_unlock (&self->lock);
  return wanted;
}

/* End the stream; with an application's own EOS event if it sent one, since it may
 * look for its number. The one that the base class pushes then goes nowhere. */
static GstFlowReturn
end_stream (GstShmVideoSrc * self)
{
  GstEvent *eos;

  g_mutex_lock (&self->lock);
  eos = self->eos;
  self->eos = NULL;
  g_mutex_unlock (&self->lock);
  if (eos != NULL)
    gst_pad_push_event (GST_BASE_SRC_PAD (self), eos);
  return GST_FLOW_EOS;
}

GstFlowReturn
gst_shm_video_stream_create (GstPushSrc * pushsrc, GstBuffer ** out_buffer)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (pushsrc);
  const struct shmvideo_frame *frame;
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *buffer = NULL;
  gboolean discont;
  guint skipped;

  while (buffer == NULL && flow == GST_FLOW_OK) {
    GstClockTime pts;

    switch (gst_shm_video_follow_step (self, TRUE, &frame)) {
      case GST_SHM_VIDEO_STEP_STOP:
        return GST_FLOW_FLUSHING;
      case GST_SHM_VIDEO_STEP_END:
        return end_stream (self);
      case GST_SHM_VIDEO_STEP_FORMAT:
        gst_base_src_negotiate (GST_BASE_SRC (self));
        continue;
      case GST_SHM_VIDEO_STEP_FRAME:
        break;
    }
    if (!still_wanted (self)) {
      shmvideo_frame_release (frame);
      continue;
    }
    skipped = frame->skipped;
    pts = stamp (self, frame, &discont);
    buffer = make_buffer (self, frame, &flow);
    if (buffer != NULL)
      GST_BUFFER_PTS (buffer) = pts;
  }
  if (buffer == NULL)
    return flow;
  if (discont || skipped > 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  report_skips (self, buffer, skipped);
  *out_buffer = buffer;
  return GST_FLOW_OK;
}
