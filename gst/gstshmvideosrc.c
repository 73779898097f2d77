/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/**
 * SECTION:element-shmvideosrc
 * @title: shmvideosrc
 * @see_also: shmvideosink
 *
 * Receives raw video frames that another program shows at a socket path, with
 * shmvideosink or libshmvideo, without copying them.
 *
 * The element may start before the writer: it waits, and posts element messages
 * `shmvideo-waiting`, `shmvideo-connected`. When the writer goes
 * (`shmvideo-disconnected`) it waits for the next, unless #on-disconnect says
 * otherwise; a new size or format comes as new caps. What downstream can take is
 * told to the writer, which chooses among it if it can.
 *
 * Buffers are read-only views of the writer's memory. Those that downstream keeps
 * count against #max-holds; when the last one would go, frames are copied, so
 * that a long queue costs copies and never frames. When paused, the element holds
 * nothing, and goes on with the newest frame.
 *
 * Each buffer carries a #GstReferenceTimestampMeta with the caps
 * `timestamp/x-monotonic-capture`: the instant of capture, in nanoseconds of
 * CLOCK_MONOTONIC.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 shmvideosrc socket-path=/tmp/cam ! videoconvert ! autovideosink
 * ]|
 * Show what another program sends to /tmp/cam, whenever it does.
 * |[
 * gst-launch-1.0 -e shmvideosrc socket-path=/tmp/cam policy=lossless ! queue ! videoconvert ! x264enc ! matroskamux ! filesink location=cam.mkv
 * ]|
 * Record it to the last frame, if the writer allows (backpressure=true there).
 */

#include "gstshmvideosrc.h"

#include <errno.h>

#include "gstshmvideocaps.h"
#include "gstshmvideofollow.h"
#include "gstshmvideonegotiate.h"
#include "gstshmvideouri.h"

GST_DEBUG_CATEGORY (gst_shm_video_src_debug);
#define GST_CAT_DEFAULT gst_shm_video_src_debug

/* A writer may not keep downstream waiting longer than this, whatever it says. */
#define MAX_WRITER_LATENCY (10 * GST_SECOND)

#define PROP_TRANSPORT_STATS GST_SHM_VIDEO_PROP_LAST

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_SHM_VIDEO_CAPS_TEMPLATE));

#define gst_shm_video_src_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstShmVideoSrc, gst_shm_video_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER,
        gst_shm_video_uri_init_src);
    GST_DEBUG_CATEGORY_INIT (gst_shm_video_src_debug, "shmvideosrc", 0,
        "shared memory video source"));
/* No rank: autovideosrc must not choose it. URIs find it nevertheless. */
GST_ELEMENT_REGISTER_DEFINE (shmvideosrc, "shmvideosrc", GST_RANK_NONE,
    GST_TYPE_SHM_VIDEO_SRC);

/* Ring the streaming thread, if there is one, with no lock held. */
static void
wake_thread (GstShmVideoSrc * self)
{
  GstShmVideoWake *wake;

  g_mutex_lock (&self->lock);
  wake = gst_shm_video_wake_ref (self->wake);
  g_mutex_unlock (&self->lock);
  gst_shm_video_wake_ring (wake);
  gst_shm_video_wake_unref (wake);
}

static void
gst_shm_video_src_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (object);
  gboolean known;

  g_mutex_lock (&self->lock);
  if (id == GST_SHM_VIDEO_PROP_SOCKET_PATH
      && g_strcmp0 (g_value_get_string (value),
          self->settings.socket_path) != 0)
    self->reopen = TRUE;
  known = gst_shm_video_settings_set (&self->settings, id, value);
  g_mutex_unlock (&self->lock);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  wake_thread (self);
}

/* Under the lock. Of now: downstream has let go of frames since the last look. */
static GstStructure *
get_transport_stats (GstShmVideoSrc * self)
{
  struct shmvideo_reader_status now = self->status, *status = &now;

  if (self->reader != NULL)
    shmvideo_reader_get_status (self->reader, status);
  return gst_structure_new ("application/x-shmvideo-src-stats",
      "connected", G_TYPE_BOOLEAN, status->connected != 0,
      "writer-pid", G_TYPE_INT, status->writer_pid,
      "writer-uid", G_TYPE_UINT, status->writer_uid,
      "writer-latency", G_TYPE_UINT64, status->latency,
      "lossless", G_TYPE_BOOLEAN,
      status->connected && status->policy == SHMVIDEO_LOSSLESS,
      "received", G_TYPE_UINT64, self->received_before + status->received,
      "skipped", G_TYPE_UINT64, self->skipped_before + status->skipped,
      "copied", G_TYPE_UINT64, self->copied_before + status->copied,
      "copied-for-layout", G_TYPE_UINT64, self->copied_layout,
      "holding", G_TYPE_UINT, status->holding,
      "max-holds", G_TYPE_UINT, status->max_holds,
      "max-buffers", G_TYPE_UINT, status->depth, NULL);
}

static void
gst_shm_video_src_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (object);
  gboolean known;

  g_mutex_lock (&self->lock);
  known = gst_shm_video_settings_get (&self->settings, id, value);
  if (id == PROP_TRANSPORT_STATS)
    g_value_take_boxed (value, get_transport_stats (self));
  g_mutex_unlock (&self->lock);
  if (!known && id != PROP_TRANSPORT_STATS)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* Not in start (), whose failure the base class would announce once more. */
static gboolean
check_settings (GstShmVideoSrc * self)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = self->settings.socket_path && self->settings.socket_path[0];
  g_mutex_unlock (&self->lock);
  if (!ok)
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("No socket path is set (set the \"socket-path\" property)"), (NULL));
  return ok;
}

static gboolean
gst_shm_video_src_start (GstBaseSrc * basesrc)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);
  GstShmVideoWake *wake = gst_shm_video_wake_new ();

  if (wake == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("Cannot follow %s: %s",
            self->settings.socket_path, g_strerror (errno)), (NULL));
    return FALSE;
  }
  gst_shm_video_follow_init (self);
  g_mutex_lock (&self->lock);
  self->wake = wake;
  self->flushing = FALSE;
  self->resumed = TRUE;
  self->restart_timing = TRUE;
  self->received_before = self->skipped_before = self->copied_before = 0;
  self->copied_layout = 0;
  gst_shm_video_src_update_latency (self);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
gst_shm_video_src_stop (GstBaseSrc * basesrc)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);
  GstShmVideoWake *wake;

  gst_shm_video_follow_stop (self);
  g_mutex_lock (&self->lock);
  wake = self->wake;
  self->wake = NULL;
  gst_clear_caps (&self->caps);
  gst_event_replace (&self->eos, NULL);
  self->frame_duration = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&self->lock);
  gst_shm_video_wake_unref (wake);
  return TRUE;
}

static gboolean
set_flushing (GstBaseSrc * basesrc, gboolean flushing)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);

  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_mutex_unlock (&self->lock);
  wake_thread (self);
  return TRUE;
}

static gboolean
gst_shm_video_src_unlock (GstBaseSrc * basesrc)
{
  return set_flushing (basesrc, TRUE);
}

static gboolean
gst_shm_video_src_unlock_stop (GstBaseSrc * basesrc)
{
  return set_flushing (basesrc, FALSE);
}

static void
set_playing (GstShmVideoSrc * self, gboolean playing)
{
  g_mutex_lock (&self->lock);
  self->playing = playing;
  self->resumed = TRUE;
  g_mutex_unlock (&self->lock);
  wake_thread (self);
}

/* The base class lets a live source's thread run on into a pause, and keeps or
 * drops the frame that it gets there; so the thread must know itself, of a pause
 * before the base class does, of its end after. */
static GstStateChangeReturn
gst_shm_video_src_change_state (GstElement * element, GstStateChange change)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (element);
  GstStateChangeReturn ret;

  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !check_settings (self))
    return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_playing (self, FALSE);
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    set_playing (self, TRUE);
  return ret;
}

/* The base class would stop its thread to deliver an EOS, with the state lock
 * held: for ever, if negotiate () waits for a writer, or a sink has the first frame
 * and waits for that lock to reach PLAYING. create () delivers it instead. */
static gboolean
gst_shm_video_src_send_event (GstElement * element, GstEvent * event)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (element);
  GstEventType type = GST_EVENT_TYPE (event);
  gboolean running;

  g_mutex_lock (&self->lock);
  running = self->wake != NULL;
  if (type == GST_EVENT_EOS && running)
    gst_event_replace (&self->eos, event);
  if (type == GST_EVENT_FLUSH_STOP) {
    gst_event_replace (&self->eos, NULL);
    self->restart_timing = TRUE;
  }
  g_mutex_unlock (&self->lock);
  if (type != GST_EVENT_EOS || !running)
    return GST_ELEMENT_CLASS (parent_class)->send_event (element, event);
  wake_thread (self);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
gst_shm_video_src_is_seekable (GstBaseSrc * basesrc)
{
  (void) basesrc;
  return FALSE;
}

static GstCaps *
gst_shm_video_src_get_caps (GstBaseSrc * basesrc, GstCaps * filter)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);
  GstCaps *caps = NULL, *filtered;

  g_mutex_lock (&self->lock);
  gst_caps_replace (&caps, self->caps);
  g_mutex_unlock (&self->lock);
  if (caps == NULL)
    caps = gst_pad_get_pad_template_caps (GST_BASE_SRC_PAD (basesrc));
  if (filter == NULL)
    return caps;
  filtered = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  return filtered;
}

gboolean
gst_shm_video_src_update_latency (GstShmVideoSrc * self)
{
  gboolean connected = self->status.connected != 0;
  guint policy = connected ? self->status.policy : self->settings.policy;
  guint depth = connected ? self->status.depth : self->settings.max_buffers;
  GstClockTime frame = GST_CLOCK_TIME_IS_VALID (self->frame_duration)
      ? self->frame_duration : GST_SHM_VIDEO_USUAL_DURATION;
  GstClockTime min, max = GST_CLOCK_TIME_NONE;
  gboolean changed;

  frame = MIN (frame, MAX_WRITER_LATENCY);
  min = MIN (self->status.latency, MAX_WRITER_LATENCY) + frame;
  if (policy != SHMVIDEO_LOSSLESS)
    max = min + (MAX (depth, 1) - 1) * frame;
  changed = min != self->latency_min || max != self->latency_max;
  self->latency_min = min;
  self->latency_max = max;
  return changed;
}

static gboolean
gst_shm_video_src_query (GstBaseSrc * basesrc, GstQuery * query)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (parent_class)->query (basesrc, query);
  g_mutex_lock (&self->lock);
  gst_shm_video_src_update_latency (self);
  gst_query_set_latency (query, TRUE, self->latency_min, self->latency_max);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
gst_shm_video_src_finalize (GObject * object)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (object);

  gst_shm_video_settings_clear (&self->settings);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_shm_video_src_init (GstShmVideoSrc * self)
{
  g_mutex_init (&self->lock);
  gst_shm_video_settings_init (&self->settings);
  self->frame_duration = GST_CLOCK_TIME_NONE;
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp (GST_BASE_SRC (self), FALSE);
}

static void
gst_shm_video_src_class_init (GstShmVideoSrcClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *basesrc_class = GST_BASE_SRC_CLASS (class);
  GstPushSrcClass *pushsrc_class = GST_PUSH_SRC_CLASS (class);

  object_class->set_property = gst_shm_video_src_set_property;
  object_class->get_property = gst_shm_video_src_get_property;
  object_class->finalize = gst_shm_video_src_finalize;
  gst_shm_video_settings_install (object_class);
  g_object_class_install_property (object_class, PROP_TRANSPORT_STATS,
      g_param_spec_boxed ("transport-stats", "Transport statistics",
          "Counts of frames received, skipped, copied because holds were short "
          "and copied for their layout since the start; and, of the present "
          "connection, holds in use and granted, depth, the writer's process id, "
          "user id and latency (in nanoseconds)", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_shm_video_src_change_state);
  element_class->send_event = GST_DEBUG_FUNCPTR (gst_shm_video_src_send_event);
  basesrc_class->start = GST_DEBUG_FUNCPTR (gst_shm_video_src_start);
  basesrc_class->stop = GST_DEBUG_FUNCPTR (gst_shm_video_src_stop);
  basesrc_class->unlock = GST_DEBUG_FUNCPTR (gst_shm_video_src_unlock);
  basesrc_class->unlock_stop =
      GST_DEBUG_FUNCPTR (gst_shm_video_src_unlock_stop);
  basesrc_class->is_seekable =
      GST_DEBUG_FUNCPTR (gst_shm_video_src_is_seekable);
  basesrc_class->get_caps = GST_DEBUG_FUNCPTR (gst_shm_video_src_get_caps);
  basesrc_class->query = GST_DEBUG_FUNCPTR (gst_shm_video_src_query);
  basesrc_class->negotiate =
      GST_DEBUG_FUNCPTR (gst_shm_video_src_negotiate);
  basesrc_class->decide_allocation =
      GST_DEBUG_FUNCPTR (gst_shm_video_stream_decide_allocation);
  pushsrc_class->create = GST_DEBUG_FUNCPTR (gst_shm_video_stream_create);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Shared memory video source", "Source/Video",
      "Receive raw video frames from another program without copying them",
      "libshmvideo contributors");
}
