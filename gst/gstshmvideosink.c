/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/**
 * SECTION:element-shmvideosink
 * @title: shmvideosink
 * @see_also: shmvideosrc
 *
 * Shows raw video to any number of other programs through a socket path, without
 * copying it. Readers (shmvideosrc, or any program that uses libshmvideo) come
 * and go as they like; by default none of them can hold up this pipeline.
 *
 * Frames are drawn by the upstream element directly into memory that the readers
 * see, if it takes its buffers from the sink, which nearly all elements do.
 * Behind a tee, or with an element that brings its own memory, each frame is
 * copied once: see the "transport-stats" property.
 *
 * A frame is shown at its time like in any other sink, but at once if it comes
 * from a live source: then it is late enough as it is.
 *
 * A reader that cannot take the present format may wish for another: upstream is then
 * asked for it, if all other readers can take it too, unless #negotiate is false.
 *
 * With wait-for-connection, the element message `shmvideo-waiting` tells that the
 * sink waits for its first reader.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc ! shmvideosink socket-path=/tmp/cam
 * gst-launch-1.0 shmvideosrc socket-path=/tmp/cam ! videoconvert ! autovideosink
 * ]|
 */

#include "gstshmvideosinkimpl.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "gstshmvideocaps.h"
#include "gstshmvideoerror.h"
#include "gstshmvideopool.h"

GST_DEBUG_CATEGORY (gst_shm_video_sink_debug);
#define GST_CAT_DEFAULT gst_shm_video_sink_debug

#define gst_shm_video_sink_parent_class parent_class
G_DEFINE_TYPE (GstShmVideoSink, gst_shm_video_sink, GST_TYPE_BASE_SINK);
GST_ELEMENT_REGISTER_DEFINE (shmvideosink, "shmvideosink", GST_RANK_NONE,
    GST_TYPE_SHM_VIDEO_SINK);

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_SHM_VIDEO_CAPS_TEMPLATE));

/* ---- Start and stop ------------------------------------------------------ */

static int
open_writer (GstShmVideoSink * self, struct shmvideo_error *error,
    struct shmvideo_writer **writer)
{
  struct shmvideo_writer_config config;
  gchar *path;
  int code;

  GST_OBJECT_LOCK (self);
  config = self->config;
  path = g_strdup (config.path);
  GST_OBJECT_UNLOCK (self);

  if (path == NULL || path[0] == '\0') {
    code = error->code = -EINVAL;
    g_strlcpy (error->message, "No socket path is set", sizeof error->message);
    g_strlcpy (error->advice, "set the \"socket-path\" property",
        sizeof error->advice);
  } else {
    config.path = path;
    code = shmvideo_writer_new (&config, error, writer);
  }
  g_free (path);
  return code;
}

static gboolean
open_share (GstShmVideoSink * self, struct shmvideo_error *error)
{
  GstShmVideoControlFuncs funcs = gst_shm_video_sink_control_funcs;
  struct shmvideo_writer *writer = NULL;
  int code = -EMFILE;

  funcs.user = self;
  if (self->cancel_fd < 0)      /* none was left when we were made */
    self->cancel_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->cancel_fd >= 0)
    code = open_writer (self, error, &writer);
  if (code == 0)
    self->control = gst_shm_video_control_start (writer,
        self->config.backpressure, &funcs, &code);
  if (self->control == NULL) {
    if (error->code == 0)
      g_snprintf (error->message, sizeof error->message,
          "Cannot share %s: no thread or file descriptor is left",
          self->config.path ? self->config.path : "anything");
    error->code = code;
    shmvideo_writer_free (writer);
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  memset (&self->stats, 0, sizeof self->stats);
  self->flushing = FALSE;
  self->share = gst_shm_video_share_new (writer);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
start (GstShmVideoSink * self)
{
  struct shmvideo_error error = { 0 };

  self->discont = TRUE;
  self->waiting = FALSE;
  gst_shm_video_live_invalidate (&self->live);
  if (open_share (self, &error))
    return TRUE;
  gst_shm_video_post_error (GST_ELEMENT (self), &error);
  return FALSE;
}

static void
stop (GstShmVideoSink * self)
{
  GstShmVideoShare *share;

  g_clear_pointer (&self->control, gst_shm_video_control_stop);

  g_mutex_lock (&self->lock);
  share = self->share;
  self->share = NULL;
  gst_shm_video_stats_update (&self->stats, gst_shm_video_share_writer (share));
  g_mutex_unlock (&self->lock);
  GST_INFO_OBJECT (self, "%" G_GUINT64_FORMAT " frames where they were, %"
      G_GUINT64_FORMAT " copied, %" G_GUINT64_FORMAT " dropped",
      self->stats.zero_copy, self->stats.copied, self->stats.dropped);

  gst_shm_video_sink_forget_wish (self);
  gst_shm_video_share_close (share);
  gst_shm_video_share_unref (share);
}

GstShmVideoShare *
gst_shm_video_sink_ref_share (GstShmVideoSink * self)
{
  GstShmVideoShare *share;

  g_mutex_lock (&self->lock);
  share = self->share ? gst_shm_video_share_ref (self->share) : NULL;
  g_mutex_unlock (&self->lock);
  return share;
}

static gboolean
unlock (GstBaseSink * bsink)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);

  g_mutex_lock (&self->lock);
  self->unlocked = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  eventfd_write (self->cancel_fd, 1);
  return TRUE;
}

static gboolean
unlock_stop (GstBaseSink * bsink)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);
  eventfd_t count;

  g_mutex_lock (&self->lock);
  self->unlocked = FALSE;
  g_mutex_unlock (&self->lock);
  eventfd_read (self->cancel_fd, &count);
  return TRUE;
}

/* ---- Events -------------------------------------------------------------- */

/* Readers see the end of the stream after its last frame was due to be shown,
 * not when it was announced. */
static GstFlowReturn
wait_event (GstBaseSink * bsink, GstEvent * event)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);
  GstFlowReturn ret;

  ret = GST_BASE_SINK_CLASS (parent_class)->wait_event (bsink, event);
  if (ret == GST_FLOW_OK && GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    shmvideo_writer_end (gst_shm_video_share_writer (self->share));
  return ret;
}

/* Any thread: who waits for a slot must not hold up a flush. */
static void
set_flushing (GstShmVideoSink * self, gboolean flushing)
{
  GstShmVideoShare *share = NULL;

  g_mutex_lock (&self->lock);
  if (self->share && self->flushing != flushing)
    share = gst_shm_video_share_ref (self->share);
  self->flushing = flushing;
  g_mutex_unlock (&self->lock);
  if (share == NULL)
    return;
  if (flushing)
    gst_shm_video_share_interrupt (share);
  else
    gst_shm_video_share_resume (share);
  gst_shm_video_share_unref (share);
}

static gboolean
handle_event (GstBaseSink * bsink, GstEvent * event)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      set_flushing (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      set_flushing (self, FALSE);
      self->discont = TRUE;
      break;
    case GST_EVENT_STREAM_START:
      gst_shm_video_live_invalidate (&self->live);
      break;
    default:
      break;
  }
  return GST_BASE_SINK_CLASS (parent_class)->event (bsink, event);
}

/* ---- The element --------------------------------------------------------- */

static gboolean
send_event (GstElement * element, GstEvent * event)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (element);

  if (GST_EVENT_TYPE (event) == GST_EVENT_LATENCY)
    gst_shm_video_live_invalidate (&self->live);
  return GST_ELEMENT_CLASS (parent_class)->send_event (element, event);
}

/* Not in GstBaseSink's start and stop, which belong to NULL and READY: settings
 * may still change in READY. Pools wait for lossless readers in PLAYING only: what is to
 * preroll, or to go, must not. */
static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    gst_shm_video_live_invalidate (&self->live);
    gst_shm_video_share_resume (self->share);
  } else if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    gst_shm_video_share_interrupt (self->share);

  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return ret;
}

static void
finalize (GObject * object)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (object);

  if (self->cancel_fd >= 0)
    close (self->cancel_fd);
  g_free ((gchar *) self->config.path);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_shm_video_sink_class_init (GstShmVideoSinkClass * klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_shm_video_sink_debug, "shmvideosink", 0,
      "shmvideo sink");

  gobject_class->finalize = finalize;
  gst_shm_video_sink_install_properties (gobject_class);
  gst_shm_video_sink_install_signals (gobject_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class,
      "Shared memory video sink", "Sink/Video",
      "Shows raw video to other programs without copying it",
      "libshmvideo contributors");
  element_class->send_event = GST_DEBUG_FUNCPTR (send_event);
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);

  base_class->unlock = GST_DEBUG_FUNCPTR (unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (unlock_stop);
  base_class->get_caps = GST_DEBUG_FUNCPTR (gst_shm_video_sink_get_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR (gst_shm_video_sink_set_caps);
  base_class->propose_allocation =
      GST_DEBUG_FUNCPTR (gst_shm_video_sink_propose_allocation);
  base_class->get_times = GST_DEBUG_FUNCPTR (gst_shm_video_sink_get_times);
  base_class->render = GST_DEBUG_FUNCPTR (gst_shm_video_sink_render);
  base_class->wait_event = GST_DEBUG_FUNCPTR (wait_event);
  base_class->event = GST_DEBUG_FUNCPTR (handle_event);
}

static void
gst_shm_video_sink_init (GstShmVideoSink * self)
{
  gst_shm_video_sink_init_settings (self);
  self->cancel_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);

  /* A last sample would keep a slot; no added latency; frames that come late are
   * wanted all the same (GstBaseSink drops none by default). */
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_processing_deadline (GST_BASE_SINK (self), 0);
}
