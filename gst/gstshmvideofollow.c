/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideofollow.h"

#include <errno.h>
#include <poll.h>

#include "gstshmvideoclock.h"
#include "gstshmvideoerror.h"
#include "gstshmvideojoin.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_src_debug);
#define GST_CAT_DEFAULT gst_shm_video_src_debug

/* A handshake is not called waiting before it has taken this long. */
#define HANDSHAKE (100 * GST_MSECOND)

static void
post_element_message (GstShmVideoSrc * self, const gchar * name)
{
  GstStructure *structure = gst_structure_new (name,
      "socket-path", G_TYPE_STRING, self->path, NULL);
  struct shmvideo_error error;

  if (!self->connected && shmvideo_reader_get_error (self->reader, &error) == 0)
    gst_structure_set (structure, "reason", G_TYPE_STRING, error.message, NULL);
  if (self->connected)
    gst_structure_set (structure, "pid", G_TYPE_INT, self->status.writer_pid,
        "uid", G_TYPE_UINT, self->status.writer_uid, NULL);
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

void
gst_shm_video_follow_fail (GstShmVideoSrc * self, int code)
{
  struct shmvideo_error error = { 0 };

  self->ended = TRUE;
  shmvideo_reader_get_error (self->reader, &error);
  if (error.code != code) {
    gchar *why = g_strdup (error.message[0] != '\0' && code == -ETIMEDOUT
        ? error.message : shmvideo_strerror (code));

    memset (&error, 0, sizeof error);
    error.code = code;
    g_snprintf (error.message, sizeof error.message, "%s \"%s\": %s",
        code == -ETIMEDOUT ? "No writer came in time to" : "Cannot read from",
        self->path, why);
    g_free (why);
  }
  gst_shm_video_post_error (GST_ELEMENT (self), &error);
}

/* The writer refused us for what we accept. The library's words name both sides,
 * perhaps cut short: all that downstream takes goes with them. */
static void
fail_refused (GstShmVideoSrc * self)
{
  struct shmvideo_error error = { 0 };

  self->ended = TRUE;
  shmvideo_reader_get_error (self->reader, &error);
  GST_ELEMENT_ERROR_WITH_DETAILS (self, STREAM, FORMAT,
      ("%s. %s", error.message, error.advice), ("downstream takes %s",
          self->accepts != NULL ? self->accepts : "any raw video"),
      ("socket-path", G_TYPE_STRING, self->path, "pid", G_TYPE_INT, error.pid,
          NULL));
}

/* Take in how the reader stands, and say what is new about it. */
static void
look (GstShmVideoSrc * self)
{
  struct shmvideo_reader_status status;
  gboolean latency_changed;

  shmvideo_reader_get_status (self->reader, &status);
  g_mutex_lock (&self->lock);
  self->status = status;
  latency_changed = gst_shm_video_src_update_latency (self);
  g_mutex_unlock (&self->lock);

  if (status.connected && !self->connected) {
    self->connected = TRUE;
    self->waiting = FALSE;
    self->spell = GST_CLOCK_TIME_NONE;
    post_element_message (self, "shmvideo-connected");
  }
  if (latency_changed)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

static void
on_end (GstShmVideoSrc * self)
{
  g_mutex_lock (&self->lock);
  self->ended = self->settings.on_eos == GST_SHM_VIDEO_ON_EOS_EOS;
  g_mutex_unlock (&self->lock);
  self->writer_ended = TRUE;
  GST_INFO_OBJECT (self, "the writer ended its stream");
}

static void
on_lost (GstShmVideoSrc * self)
{
  GstShmVideoOnDisconnect action;

  g_mutex_lock (&self->lock);
  action = self->settings.on_disconnect;
  g_mutex_unlock (&self->lock);
  if (self->connected)
    post_element_message (self, "shmvideo-disconnected");
  self->connected = FALSE;
  self->spell = gst_shm_video_clock_monotonic_now ();
  /* a writer that said goodbye first is the business of on-eos */
  if (self->writer_ended)
    action = GST_SHM_VIDEO_ON_DISCONNECT_WAIT;
  self->writer_ended = FALSE;

  if (action == GST_SHM_VIDEO_ON_DISCONNECT_ERROR)
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("The writer at \"%s\" is gone without an end of stream.", self->path),
        ("on-disconnect=error"));
  self->ended = action != GST_SHM_VIDEO_ON_DISCONNECT_WAIT;
}

/* While there is no writer: how long to wait for one, 0 if it is time to give
 * up. Says on the bus that we wait, once per spell. */
static guint64
wait_for_writer (GstShmVideoSrc * self)
{
  struct shmvideo_error error;
  GstClockTime limit, spent;

  g_mutex_lock (&self->lock);
  limit = self->settings.connect_timeout;
  g_mutex_unlock (&self->lock);
  if (!GST_CLOCK_TIME_IS_VALID (self->spell))
    self->spell = gst_shm_video_clock_monotonic_now ();
  spent = gst_shm_video_clock_monotonic_now () - self->spell;

  if (!self->waiting && (spent >= HANDSHAKE
          || shmvideo_reader_get_error (self->reader, &error) == 0)) {
    self->waiting = TRUE;
    post_element_message (self, "shmvideo-waiting");
  }
  if (limit != 0 && spent >= limit)
    return 0;
  limit = limit != 0 ? limit - spent : SHMVIDEO_TIME_NONE;
  return self->waiting ? limit : MIN (limit, HANDSHAKE - spent);
}

static void
wait_for_reader (GstShmVideoSrc * self)
{
  guint64 timeout = SHMVIDEO_TIME_NONE;
  int result = 0;

  if (!self->connected) {
    timeout = wait_for_writer (self);
    if (timeout == 0)
      result = -ETIMEDOUT;
  }
  if (result == 0)
    result = shmvideo_reader_wait (self->reader, timeout, self->wake->fd);
  if (result < 0 && result != -ECANCELED)
    gst_shm_video_follow_fail (self, result);
}

/* In PAUSED no frame is taken, but the reader stays in touch with its writer: it
 * learns a new format, and lets go of the old one's memory. */
static void
wait_while_paused (GstShmVideoSrc * self)
{
  struct pollfd fds[2] = { {.fd = self->wake->fd,.events = POLLIN},
  {.fd = -1,.events = POLLIN}
  };
  int result;

  if (self->reader != NULL && !self->ended)
    fds[1].fd = shmvideo_reader_get_fd (self->reader);
  while (poll (fds, 2, -1) < 0 && errno == EINTR);
  if (fds[1].revents == 0)
    return;
  result = shmvideo_reader_dispatch (self->reader);
  if (result < 0)
    gst_shm_video_follow_fail (self, result);
  else
    look (self);
}

/* What an application wants of the thread. */
typedef enum
{
  WANTED_GO,
  WANTED_NEWEST,
  WANTED_PAUSE,
  WANTED_EOS,
  WANTED_STOP
} Wanted;

static Wanted
get_wanted (GstShmVideoSrc * self, gboolean frames, gboolean * out_reopen)
{
  Wanted wanted = WANTED_GO;

  g_mutex_lock (&self->lock);
  *out_reopen = self->reopen;
  if (self->flushing || (self->eos != NULL && !frames))
    wanted = WANTED_STOP;
  else if (frames && !self->playing)
    wanted = WANTED_PAUSE;
  else if (self->eos != NULL)
    wanted = WANTED_EOS;
  else if (frames && self->resumed
      && self->settings.policy == SHMVIDEO_LATEST)
    wanted = WANTED_NEWEST;
  g_mutex_unlock (&self->lock);
  return wanted;
}

static void
frame_taken (GstShmVideoSrc * self)
{
  self->writer_ended = FALSE;
  g_mutex_lock (&self->lock);
  if (self->resumed)
    gst_shm_video_timing_join (&self->timing);
  self->resumed = FALSE;
  g_mutex_unlock (&self->lock);
}

/* One acquire, and a wait if there is nothing. TRUE: the step is done. */
static gboolean
acquire (GstShmVideoSrc * self, gboolean newest,
    const struct shmvideo_frame **out_frame, GstShmVideoStep * step)
{
  int outcome = newest ? shmvideo_reader_acquire_newest (self->reader,
      out_frame) : shmvideo_reader_acquire (self->reader, out_frame);

  look (self);
  switch (outcome) {
    case SHMVIDEO_FRAME:
      frame_taken (self);
      *step = GST_SHM_VIDEO_STEP_FRAME;
      return TRUE;
    case SHMVIDEO_NEW_FORMAT:
      self->format_known = TRUE;
      *step = GST_SHM_VIDEO_STEP_FORMAT;
      return TRUE;
    case SHMVIDEO_END:
      on_end (self);
      return FALSE;
    case SHMVIDEO_LOST:
      on_lost (self);
      return FALSE;
    case SHMVIDEO_AGAIN:
      /* after an END the library loses the writer without another word */
      if (self->connected && !self->status.connected)
        on_lost (self);
      else
        wait_for_reader (self);
      return FALSE;
    case -EMEDIUMTYPE:
      fail_refused (self);
      return FALSE;
    default:
      gst_shm_video_follow_fail (self, outcome);
      return FALSE;
  }
}

GstShmVideoStep
gst_shm_video_follow_step (GstShmVideoSrc * self, gboolean frames,
    const struct shmvideo_frame **out_frame)
{
  GstShmVideoStep step = GST_SHM_VIDEO_STEP_END;
  gboolean reopen;

  for (;;) {
    Wanted wanted;

    gst_shm_video_wake_clear (self->wake);
    wanted = get_wanted (self, frames, &reopen);
    if (wanted == WANTED_STOP)
      return GST_SHM_VIDEO_STEP_STOP;
    if (wanted == WANTED_PAUSE) {
      wait_while_paused (self);
      continue;
    }
    if (self->ended || wanted == WANTED_EOS)
      return GST_SHM_VIDEO_STEP_END;
    if (reopen && self->reader != NULL) {
      if (self->connected)
        post_element_message (self, "shmvideo-disconnected");
      gst_shm_video_join_close (self);
    }
    if (self->reader == NULL && !gst_shm_video_join_open (self))
      return GST_SHM_VIDEO_STEP_END;
    if (acquire (self, wanted == WANTED_NEWEST, out_frame, &step))
      return step;
  }
}

void
gst_shm_video_follow_init (GstShmVideoSrc * self)
{
  self->connected = FALSE;
  self->waiting = FALSE;
  self->writer_ended = FALSE;
  self->ended = FALSE;
  self->format_known = FALSE;
  self->video_meta = FALSE;
  self->spell = GST_CLOCK_TIME_NONE;
  self->qos_posted = 0;
  gst_shm_video_timing_reset (&self->timing);
}

void
gst_shm_video_follow_stop (GstShmVideoSrc * self)
{
  gst_shm_video_join_close (self);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->accepts, g_free);
}
