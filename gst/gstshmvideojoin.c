/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideojoin.h"

#include <errno.h>

#include "gstshmvideoclock.h"
#include "gstshmvideodownstream.h"
#include "gstshmvideoerror.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_src_debug);
#define GST_CAT_DEFAULT gst_shm_video_src_debug

gboolean
gst_shm_video_join_open (GstShmVideoSrc * self)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error = { 0 };
  struct shmvideo_reader *reader;
  int result;

  g_free (self->path);
  g_free (self->accepts);
  self->accepts = gst_shm_video_downstream_get_accepts (
      GST_BASE_SRC_PAD (self));
  g_mutex_lock (&self->lock);
  self->path = g_strdup (self->settings.socket_path);
  config.policy = self->settings.policy;
  config.depth = self->settings.max_buffers;
  config.max_holds = self->settings.max_holds;
  config.spin = self->settings.spin_time;
  config.flexible = self->settings.allow_renegotiation;
  self->reopen = FALSE;
  g_mutex_unlock (&self->lock);
  config.min_holds = 1;
  config.path = self->path;
  config.accepts = self->accepts;
  config.log = gst_shm_video_log;
  config.log_user = self;

  if (self->path == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("No socket path is set (set the \"socket-path\" property)"), (NULL));
    self->ended = TRUE;
    return FALSE;
  }
  result = shmvideo_reader_new (&config, &error, &reader);
  if (result == -EINVAL && self->accepts != NULL) {
    /* caps beyond what the library reads: then the CAPS event must show */
    GST_WARNING_OBJECT (self, "accepting anything: %s", error.message);
    config.accepts = NULL;
    result = shmvideo_reader_new (&config, &error, &reader);
  }
  if (result < 0) {
    self->ended = TRUE;
    gst_shm_video_post_error (GST_ELEMENT (self), &error);
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  self->reader = reader;
  g_mutex_unlock (&self->lock);
  self->spell = gst_shm_video_clock_monotonic_now ();
  return TRUE;
}

gboolean
gst_shm_video_join_update_accepts (GstShmVideoSrc * self)
{
  gchar *accepts =
      gst_shm_video_downstream_get_accepts (GST_BASE_SRC_PAD (self));
  struct shmvideo_error error = { 0 };

  if (self->reader == NULL || g_strcmp0 (accepts, self->accepts) == 0) {
    g_free (accepts);
    return FALSE;
  }
  if (shmvideo_reader_set_accepts (self->reader, accepts, &error) == -EINVAL) {
    /* caps beyond what the library reads: then the CAPS event must show */
    GST_WARNING_OBJECT (self, "accepting anything: %s", error.message);
    shmvideo_reader_set_accepts (self->reader, NULL, NULL);
  }
  g_free (self->accepts);
  self->accepts = accepts;
  return TRUE;
}

void
gst_shm_video_join_close (GstShmVideoSrc * self)
{
  struct shmvideo_reader *reader = self->reader;
  struct shmvideo_reader_status status;

  if (reader == NULL)
    return;
  self->format_known = FALSE;
  self->connected = self->waiting = FALSE;
  self->writer_ended = FALSE;

  g_mutex_lock (&self->lock);
  shmvideo_reader_get_status (reader, &status);
  self->received_before += status.received;
  self->skipped_before += status.skipped;
  self->copied_before += status.copied;
  memset (&self->status, 0, sizeof self->status);
  self->reader = NULL;
  g_mutex_unlock (&self->lock);
  shmvideo_reader_free (reader);
}
