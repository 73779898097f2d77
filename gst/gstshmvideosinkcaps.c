/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: which format upstream makes
 *
 * Owns the answer to upstream's question for caps, and what becomes of a reader's
 * wish for others. One rule: upstream is steered, never forced: the answer is
 * narrowed only as far as something is left of what upstream can make, and any caps
 * that come are taken. So a wish can fail, but the pipeline cannot fail for it; that
 * a wish is met shows only in the CAPS event.
 *
 * The control thread hears of wishes, the streaming thread of frames and caps; they
 * meet in the fields under the lock.
 */

#include "gstshmvideosinkimpl.h"

#include <errno.h>

#include "gstshmvideocaps.h"
#include "gstshmvideoerror.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_sink_debug);
#define GST_CAT_DEFAULT gst_shm_video_sink_debug

/* Frames to wait for a change of format, beside those that queues have already. */
#define PATIENCE 30

/* What every program can show, in order of preference. */
static GstStaticCaps common_caps =
GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("I420") ";" GST_VIDEO_CAPS_MAKE ("NV12")
    ";" GST_VIDEO_CAPS_MAKE ("RGBA") ";" GST_VIDEO_CAPS_MAKE ("BGRA") ";"
    GST_VIDEO_CAPS_MAKE ("YUY2") ";" GST_VIDEO_CAPS_MAKE ("UYVY"));

static GstStaticCaps all_caps = GST_STATIC_CAPS (GST_SHM_VIDEO_CAPS_TEMPLATE);

/* ---- What upstream is told ----------------------------------------------- */

/* The caps, then the same pixel format in any size. */
static void
append_format (GstCaps * list, const GstCaps * caps)
{
  const gchar *format;

  if (caps == NULL)
    return;
  format = gst_structure_get_string (gst_caps_get_structure (caps, 0), "format");
  gst_caps_append (list, gst_caps_copy (caps));
  if (format)
    gst_caps_append (list, gst_caps_new_simple ("video/x-raw", "format",
            G_TYPE_STRING, format, NULL));
}

/* Narrower sets first; each is a structure or more of its own. What readers asked
 * for, else what they receive now, so that a change of mind upstream does not take
 * it from them; then what everybody can show. */
static GstCaps *
list_preferred (GstShmVideoSink * self)
{
  GstCaps *list = gst_caps_new_empty ();

  g_mutex_lock (&self->lock);
  append_format (list, self->wish);
  if (self->n_clients > 0)
    append_format (list, self->current);
  g_mutex_unlock (&self->lock);
  gst_caps_append (list, gst_static_caps_get (&common_caps));
  return list;
}

GstCaps *
gst_shm_video_sink_get_caps (GstBaseSink * bsink, GstCaps * filter)
{
  GstCaps *preferred = list_preferred (GST_SHM_VIDEO_SINK (bsink));
  GstCaps *all = gst_static_caps_get (&all_caps), *caps;
  guint n_common = gst_caps_get_size (gst_static_caps_get (&common_caps));
  guint n_own = gst_caps_get_size (preferred) - n_common;

  if (filter == NULL) {
    gst_caps_append (preferred, all);
    return preferred;
  }
  /* one of our own at a time, the common ones together */
  for (guint i = 0; i < n_own; i++) {
    GstCaps *one = gst_caps_copy_nth (preferred, i);

    caps = gst_caps_intersect_full (one, filter, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (one);
    if (!gst_caps_is_empty (caps))
      goto done;
    gst_caps_unref (caps);
  }
  caps = gst_caps_intersect_full (preferred, filter, GST_CAPS_INTERSECT_FIRST);
  if (gst_caps_is_empty (caps)) {
    gst_caps_unref (caps);
    caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
  }
done:
  gst_caps_unref (preferred);
  gst_caps_unref (all);
  return caps;
}

/* ---- What upstream does -------------------------------------------------- */

gboolean
gst_shm_video_sink_set_caps (GstBaseSink * bsink, GstCaps * caps)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (bsink);
  struct shmvideo_error error = { 0 };
  struct shmvideo_format format;
  gchar *text;
  int code;

  if (!gst_shm_video_caps_to_format (caps,
          gst_shm_video_sink_get_alignment (self, self->share, caps), &format,
          &self->slots)
      || !gst_video_info_from_caps (&self->info, caps)) {
    GST_ERROR_OBJECT (self, "cannot show %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  text = gst_caps_to_string (caps);
  code = shmvideo_writer_set_format (gst_shm_video_share_writer (self->share),
      &format, text, &error);
  g_free (text);
  if (code < 0) {
    gst_shm_video_post_error (GST_ELEMENT (self), &error);
    return FALSE;
  }
  self->warned = FALSE;
  self->shown = FALSE;
  g_mutex_lock (&self->lock);
  gst_caps_replace (&self->current, caps);
  if (self->wish_open && gst_caps_can_intersect (caps, self->wish)) {
    GST_INFO_OBJECT (self, "as readers wished: %" GST_PTR_FORMAT, caps);
    self->wish_open = FALSE;
  }
  g_mutex_unlock (&self->lock);
  return TRUE;
}

gboolean
gst_shm_video_sink_hold_back (GstShmVideoSink * self)
{
  gboolean hold, in_vain;

  g_mutex_lock (&self->lock);
  in_vain = self->wish_open && self->wish_patience == 0;
  if (in_vain) {
    GST_INFO_OBJECT (self, "upstream does not make %" GST_PTR_FORMAT,
        self->wish);
    self->wish_open = FALSE;
    gst_clear_caps (&self->wish);
  } else if (self->wish_open) {
    self->wish_patience--;
  }
  hold = self->wish_open && !self->shown && self->n_clients > 1;
  g_mutex_unlock (&self->lock);
  if (in_vain)
    shmvideo_writer_refuse_wish (gst_shm_video_share_writer (self->share));
  return hold;
}

/* ---- What readers wish --------------------------------------------------- */

/* Buffers in the queues right above: made before a wish can reach who makes them. */
static guint
count_queued (GstPad * sinkpad)
{
  GstPad *pad = gst_object_ref (sinkpad), *peer;
  guint queued = 0;

  while (pad && (peer = gst_pad_get_peer (pad)) != NULL) {
    GstElement *element = gst_pad_get_parent_element (peer);
    guint level = 0;

    gst_object_unref (pad);
    gst_object_unref (peer);
    pad = NULL;
    if (element == NULL)
      break;
    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element),
            "current-level-buffers"))
      g_object_get (element, "current-level-buffers", &level, NULL);
    queued += level;
    pad = gst_element_get_static_pad (element, "sink");
    gst_object_unref (element);
  }
  gst_clear_object (&pad);
  return MIN (queued, G_MAXUINT16);
}

/* All that upstream says it can make; NULL: anything, or more than can be said. */
static gchar *
describe_upstream (GstPad * sinkpad)
{
  GstCaps *all = gst_static_caps_get (&all_caps);
  GstCaps *caps = gst_pad_peer_query_caps (sinkpad, all);
  gchar *text = gst_caps_is_any (caps) ? NULL : gst_caps_to_string (caps);

  if (text && strlen (text) > GST_SHM_VIDEO_CAPS_TEXT_MAX)
    g_clear_pointer (&text, g_free);
  gst_caps_unref (caps);
  gst_caps_unref (all);
  return text;
}

/* The wish as the library has it now: 1 and its caps, 0 none, -EAGAIN. */
static int
ask_wish (GstShmVideoSink * self, struct shmvideo_writer *writer,
    GstCaps ** out_caps)
{
  gchar text[GST_SHM_VIDEO_CAPS_TEXT_MAX + 1];
  gchar *offers = describe_upstream (GST_BASE_SINK_PAD (self));
  int code = shmvideo_writer_get_wish (writer, offers, text, sizeof text);

  if (code == -EINVAL) {        /* said in words that the library does not know */
    GST_INFO_OBJECT (self, "trying whether upstream can: it says %s", offers);
    code = shmvideo_writer_get_wish (writer, NULL, text, sizeof text);
  }
  g_free (offers);
  *out_caps = code == 1 ? gst_shm_video_caps_from_text (text, NULL) : NULL;
  if (code == 1 && *out_caps == NULL) {
    shmvideo_writer_refuse_wish (writer);
    code = 0;
  }
  return code;
}

gboolean
gst_shm_video_sink_on_wish (gpointer user, struct shmvideo_writer *writer)
{
  GstShmVideoSink *self = user;
  GstPad *pad = GST_BASE_SINK_PAD (self);
  guint patience = PATIENCE + count_queued (pad);
  GstCaps *caps;
  int code = ask_wish (self, writer, &caps);

  if (code == -EAGAIN)
    return FALSE;
  g_mutex_lock (&self->lock);
  if (code == 1) {
    gst_caps_replace (&self->wish, caps);
    self->wish_open = TRUE;
    self->wish_patience = G_MAXUINT;    /* until upstream is told */
  } else if (self->wish_open) { /* who wished has left, or the stream ended */
    self->wish_open = FALSE;
    gst_clear_caps (&self->wish);
  }
  g_mutex_unlock (&self->lock);
  if (code == 1) {
    GST_INFO_OBJECT (self, "readers wish for %" GST_PTR_FORMAT, caps);
    gst_caps_unref (caps);
    gst_pad_push_event (pad, gst_event_new_reconfigure ());
    g_mutex_lock (&self->lock);
    self->wish_patience = patience;
    g_mutex_unlock (&self->lock);
  }
  return TRUE;
}

void
gst_shm_video_sink_forget_wish (GstShmVideoSink * self)
{
  g_mutex_lock (&self->lock);
  gst_clear_caps (&self->wish);
  gst_clear_caps (&self->current);
  self->wish_open = FALSE;
  g_mutex_unlock (&self->lock);
}
