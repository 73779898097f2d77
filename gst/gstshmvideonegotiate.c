/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideonegotiate.h"

#include "gstshmvideocaps.h"
#include "gstshmvideodownstream.h"
#include "gstshmvideofollow.h"
#include "gstshmvideojoin.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_src_debug);
#define GST_CAT_DEFAULT gst_shm_video_src_debug

void
gst_shm_video_negotiate_fail (GstShmVideoSrc * self, const GstCaps * caps, const gchar * why)
{
  gchar *text = caps != NULL ? gst_caps_to_string (caps) : NULL;
  gchar *takes =
      gst_shm_video_downstream_get_accepts (GST_BASE_SRC_PAD (self));

  self->ended = TRUE;
  GST_ELEMENT_ERROR_WITH_DETAILS (self, STREAM, FORMAT,
      ("The writer at \"%s\" sends %s: %s%s.", self->path,
          text != NULL ? text : "what is no raw video", why,
          text != NULL ? ". A videoconvert (and videoscale) after shmvideosrc "
          "may help" : ""),
      ("downstream takes %s", takes != NULL ? takes : "any raw video"),
      ("socket-path", G_TYPE_STRING, self->path, "pid", G_TYPE_INT,
          self->status.writer_pid, NULL));
  g_free (takes);
  g_free (text);
}

/* Caps that the reader announced, or NULL if they are nonsense: what the caps
 * mean to GStreamer must be what the library checked the frames against. */
static GstCaps *
get_announced (GstShmVideoSrc * self, GstVideoInfo * info)
{
  gchar text[GST_SHM_VIDEO_CAPS_TEXT_MAX + 1];
  struct shmvideo_format format;
  GstCaps *caps = NULL;

  if (shmvideo_reader_get_format (self->reader, &format, text, sizeof text) == 0)
    caps = gst_shm_video_caps_from_text (text, info);
  if (caps != NULL
      && (format.pixel_format != (guint32) GST_VIDEO_INFO_FORMAT (info)
          || format.width != (guint32) GST_VIDEO_INFO_WIDTH (info)
          || format.height != (guint32) GST_VIDEO_INFO_HEIGHT (info)))
    gst_clear_caps (&caps);
  return caps;
}

/* Caps that cannot be read: the library may know formats that GStreamer here does
 * not, having been built later. */
static void
fail_announced (GstShmVideoSrc * self)
{
  struct shmvideo_format format;
  const gchar *name = NULL;

  if (shmvideo_reader_get_format (self->reader, &format, NULL, 0) == 0)
    name = shmvideo_pixel_format_name (format.pixel_format);
  if (name == NULL
      || gst_video_format_from_string (name) != GST_VIDEO_FORMAT_UNKNOWN) {
    gst_shm_video_negotiate_fail (self, NULL, "its caps are not to be believed");
    return;
  }
  self->ended = TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("The writer at \"%s\" sends %s, a format that this version of GStreamer "
          "does not know.", self->path, name), (NULL));
}

static gboolean
is_flushing (GstShmVideoSrc * self)
{
  gboolean flushing;

  g_mutex_lock (&self->lock);
  flushing = self->flushing;
  g_mutex_unlock (&self->lock);
  return flushing || GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (self));
}

/* Whether downstream's mind has changed since the writer chose these caps: it will hear,
 * or has been told and will read it. */
static gboolean
is_behind (GstShmVideoSrc * self, GstCaps * caps)
{
  GstCaps *accepts;
  gboolean behind = gst_shm_video_join_update_accepts (self);

  if (!behind && self->accepts != NULL) {
    accepts = gst_caps_from_string (self->accepts);
    behind = accepts != NULL && !gst_caps_can_intersect (accepts, caps);
    gst_clear_caps (&accepts);
  }
  return behind;
}

/* Tell downstream what the frames are. FALSE: others are to come. */
static gboolean
send_caps (GstShmVideoSrc * self)
{
  GstBaseSrc *basesrc = GST_BASE_SRC (self);
  GstVideoInfo info;
  GstCaps *caps = get_announced (self, &info);
  gboolean latency_changed, behind = FALSE;

  if (caps == NULL) {
    fail_announced (self);
    return TRUE;
  }
  self->info = info;
  g_mutex_lock (&self->lock);
  gst_caps_replace (&self->caps, caps);
  self->frame_duration = GST_CLOCK_TIME_NONE;
  if (GST_VIDEO_INFO_FPS_N (&info) > 0)
    self->frame_duration = gst_util_uint64_scale_int (GST_SECOND,
        GST_VIDEO_INFO_FPS_D (&info), GST_VIDEO_INFO_FPS_N (&info));
  latency_changed = gst_shm_video_src_update_latency (self);
  g_mutex_unlock (&self->lock);

  /* asked first, since the refusal of an event that sticks shows only when a
   * buffer follows it, as an error that says nothing */
  if (!gst_pad_peer_query_accept_caps (basesrc->srcpad, caps)
      || !gst_base_src_set_caps (basesrc, caps)) {
    if (is_flushing (self)) {
      gst_pad_mark_reconfigure (basesrc->srcpad);
    } else if ((behind = is_behind (self, caps))) {
      GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT " came late: waiting for %s",
          caps, self->accepts);
    } else {
      gchar *why = gst_shm_video_downstream_explain (basesrc->srcpad, caps);

      gst_shm_video_negotiate_fail (self, caps, why);
      g_free (why);
    }
  }
  gst_caps_unref (caps);
  if (latency_changed)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
  return !behind;
}

/* Downstream changed. The writer is told what it takes now; if that is not the format
 * that comes, another may, or a refusal: the frames until then are for nobody. */
static void
reconsider (GstShmVideoSrc * self)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  GstCaps *caps = gst_pad_get_current_caps (pad);

  if (gst_shm_video_join_update_accepts (self) && caps != NULL
      && !gst_pad_peer_query_accept_caps (pad, caps)) {
    GST_INFO_OBJECT (self, "waiting for other caps: %s", self->accepts);
    self->format_known = FALSE;
  }
  gst_clear_caps (&caps);
}

/* Until a format is known: TRUE, or there will be none for now. */
static gboolean
wait_for_format (GstShmVideoSrc * self)
{
  const struct shmvideo_frame *frame = NULL;

  while (!self->format_known) {
    switch (gst_shm_video_follow_step (self, FALSE, &frame)) {
      case GST_SHM_VIDEO_STEP_STOP:
        gst_pad_mark_reconfigure (GST_BASE_SRC_PAD (self));
        return FALSE;
      case GST_SHM_VIDEO_STEP_END:
        return FALSE;
      case GST_SHM_VIDEO_STEP_FRAME:
        /* of a format that downstream no longer takes */
        shmvideo_frame_release (frame);
        break;
      case GST_SHM_VIDEO_STEP_FORMAT:
        break;
    }
  }
  return !self->ended;
}

gboolean
gst_shm_video_src_negotiate (GstBaseSrc * basesrc)
{
  GstShmVideoSrc *self = GST_SHM_VIDEO_SRC (basesrc);

  if (self->format_known)
    reconsider (self);
  while (wait_for_format (self) && !send_caps (self))
    self->format_known = FALSE;
  return TRUE;
}
