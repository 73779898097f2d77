/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The sink's control thread
 *
 * Owns letting readers in and out of a share while frames flow or do not. One
 * rule: it calls back without any lock held, and everything that was told as
 * connected is told as disconnected before stop returns.
 */

#ifndef GST_SHM_VIDEO_CONTROL_H
#define GST_SHM_VIDEO_CONTROL_H

#include <gst/gst.h>

#include "shmvideo.h"

G_BEGIN_DECLS

/* Who is told, on the control thread. */
typedef struct
{
  /* Readers came and went: what the number is now. Told before the others. */
  void (*count) (gpointer user, guint n_readers);
  void (*connected) (gpointer user, const struct shmvideo_reader_info * reader);
  void (*disconnected) (gpointer user,
      const struct shmvideo_reader_info * reader);
  /* What readers wish has changed. FALSE: could not look now, tell again. */
  gboolean (*wish) (gpointer user, struct shmvideo_writer * writer);
  /* The share cannot go on; told once. */
  void (*broken) (gpointer user, int code);
  gpointer user;
} GstShmVideoControlFuncs;

typedef struct _GstShmVideoControl GstShmVideoControl;

/* The writer has to live until stop. shared says that other threads may dispatch
 * as well (as shmvideo_writer_acquire_wait does): then readers are also looked at
 * now and then, because the event that let them in may not have reached us.
 * NULL if there is no thread or descriptor to be had: then out_code is a negative
 * errno. */
GstShmVideoControl *gst_shm_video_control_start (
    struct shmvideo_writer *writer, gboolean shared,
    const GstShmVideoControlFuncs * funcs, int *out_code);

/* End the thread and wait for it. NULL is allowed. Not from its callbacks. */
void gst_shm_video_control_stop (GstShmVideoControl * control);

G_END_DECLS

#endif
