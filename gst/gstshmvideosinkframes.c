/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: from GstBaseSink's buffers to frames
 *
 * Owns when a frame is shown, what is said with it, and what becomes of one that
 * cannot be shown. All on the streaming thread.
 */

#include "gstshmvideosinkimpl.h"

#include <errno.h>

#include "gstshmvideocaps.h"
#include "gstshmvideoclock.h"
#include "gstshmvideopublish.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_sink_debug);
#define GST_CAT_DEFAULT gst_shm_video_sink_debug

/* What is live has waited long enough: no times, so nothing is waited for. */
void
gst_shm_video_sink_get_times (GstBaseSink * bsink, GstBuffer * buffer,
    GstClockTime * start_time, GstClockTime * end_time)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);

  if (gst_shm_video_live_update (&self->live, GST_BASE_SINK_PAD (bsink)))
    shmvideo_writer_set_latency (gst_shm_video_share_writer (self->share),
        self->live.latency);
  *start_time = *end_time = GST_CLOCK_TIME_NONE;
  if (self->live.live || !GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  *start_time = GST_BUFFER_PTS (buffer);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    *end_time = *start_time + GST_BUFFER_DURATION (buffer);
}

/* Without sync, what is not live runs ahead of the clock: nobody can say when
 * such a frame was captured. */
static GstClockTime
capture_time (GstShmVideoSink * self, GstBuffer * buffer)
{
  GstBaseSink *bsink = GST_BASE_SINK (self);
  GstClockTime running_time;

  if (!GST_BUFFER_PTS_IS_VALID (buffer)
      || bsink->segment.format != GST_FORMAT_TIME
      || !(self->live.live || gst_base_sink_get_sync (bsink)))
    return GST_CLOCK_TIME_NONE;
  running_time = gst_segment_to_running_time (&bsink->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
  return gst_shm_video_clock_to_monotonic (GST_ELEMENT (self), running_time);
}

static void
fill_frame_info (GstShmVideoSink * self, GstBuffer * buffer,
    struct shmvideo_frame_info *frame)
{
  frame->pts = GST_BUFFER_PTS (buffer);
  frame->duration = GST_BUFFER_DURATION (buffer);
  frame->capture_time = capture_time (self, buffer);
  frame->offset = GST_BUFFER_OFFSET (buffer);
  frame->offset_end = GST_BUFFER_OFFSET_END (buffer);
  frame->flags = gst_shm_video_flags_from_buffer (buffer);
  if (self->discont)
    frame->flags |= SHMVIDEO_FLAG_DISCONT;
}

/* With the lock. */
static gboolean
nobody_to_show_to (GstShmVideoSink * self)
{
  return self->wait_for_connection && self->n_clients == 0;
}

/* Once per wait: it may be long, and would look like a failure otherwise. */
static void
tell_waiting (GstShmVideoSink * self)
{
  GstStructure *structure;

  if (self->waiting)
    return;
  self->waiting = TRUE;
  GST_OBJECT_LOCK (self);
  structure = gst_structure_new ("shmvideo-waiting",
      "socket-path", G_TYPE_STRING, self->config.path, NULL);
  GST_OBJECT_UNLOCK (self);
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* OK once there is a reader, or nobody is to be waited for. */
static GstFlowReturn
wait_for_client (GstShmVideoSink * self)
{
  GstFlowReturn ret = GST_FLOW_OK;

  g_mutex_lock (&self->lock);
  while (ret == GST_FLOW_OK && nobody_to_show_to (self)) {
    g_mutex_unlock (&self->lock);
    tell_waiting (self);
    g_mutex_lock (&self->lock);
    while (nobody_to_show_to (self) && !self->unlocked)
      g_cond_wait (&self->cond, &self->lock);
    if (nobody_to_show_to (self)) {
      g_mutex_unlock (&self->lock);
      ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
      g_mutex_lock (&self->lock);
    }
  }
  g_mutex_unlock (&self->lock);
  if (ret == GST_FLOW_OK)
    self->waiting = FALSE;
  return ret;
}

static void
count (GstShmVideoSink * self, int outcome)
{
  g_mutex_lock (&self->lock);
  if (outcome == GST_SHM_VIDEO_IN_PLACE)
    self->stats.zero_copy++;
  else if (outcome == GST_SHM_VIDEO_COPIED)
    self->stats.copied++;
  else
    self->stats.dropped++;
  g_mutex_unlock (&self->lock);
}

static void
account_for (GstShmVideoSink * self, GstBuffer * buffer, int outcome)
{
  count (self, outcome);
  self->discont = outcome <= GST_SHM_VIDEO_NO_SLOT;
  self->shown |= !self->discont;
  if (outcome > GST_SHM_VIDEO_NO_SLOT)
    return;
  if (outcome == GST_SHM_VIDEO_NO_SLOT) {
    GST_DEBUG_OBJECT (self, "no slot free, dropped %" GST_PTR_FORMAT, buffer);
  } else if (outcome == -EBADMSG && !self->warned) {
    self->warned = TRUE;
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("A buffer cannot be read as a frame of the announced format"),
        ("%" GST_PTR_FORMAT " dropped; the next ones will be silently",
            buffer));
  } else {
    GST_WARNING_OBJECT (self, "dropped %" GST_PTR_FORMAT ": %s", buffer,
        shmvideo_strerror (outcome));
  }
}

GstFlowReturn
gst_shm_video_sink_render (GstBaseSink * bsink, GstBuffer * buffer)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);
  int outcome;

  if (gst_shm_video_sink_hold_back (self)) {
    count (self, GST_SHM_VIDEO_NO_SLOT);
    self->discont = TRUE;
    return GST_FLOW_OK;
  }
  for (;;) {
    struct shmvideo_frame_info frame = SHMVIDEO_FRAME_INFO_INIT;
    GstFlowReturn ret = wait_for_client (self);

    if (ret != GST_FLOW_OK)
      return ret;
    fill_frame_info (self, buffer, &frame);
    outcome = gst_shm_video_publish (self->share, &self->info, &self->slots,
        buffer, &frame, self->cancel_fd);
    if (outcome != -ECANCELED)
      break;
    ret = gst_base_sink_wait_preroll (bsink);
    if (ret != GST_FLOW_OK)
      return ret;
  }
  account_for (self, buffer, outcome);
  return GST_FLOW_OK;
}
