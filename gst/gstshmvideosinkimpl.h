/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink, inside
 *
 * Owns the sink's structure, which only the files gstshmvideosink*.c see. One
 * rule: no lock is held across a system call, a signal or a notification.
 */

#ifndef GST_SHM_VIDEO_SINK_IMPL_H
#define GST_SHM_VIDEO_SINK_IMPL_H

#include <gst/video/video.h>

#include "gstshmvideocontrol.h"
#include "gstshmvideolive.h"
#include "gstshmvideomemory.h"
#include "gstshmvideosink.h"
#include "gstshmvideostats.h"

G_BEGIN_DECLS

/* Most slots that a share ever has: what upstream is told it may take. */
#define GST_SHM_VIDEO_SINK_MAX_SLOTS 254

struct _GstShmVideoSink
{
  GstBaseSink parent;

  struct shmvideo_writer_config config; /* under the object lock; owns its path */

  /* In PAUSED and PLAYING. The streaming thread reads share as it is, others take
   * a reference under lock. */
  GstShmVideoShare *share;
  GstShmVideoControl *control;
  int cancel_fd;                /* readable while unlocked; lives as we do */

  GMutex lock;
  GCond cond;                   /* one of the next three has changed */
  gboolean wait_for_connection;
  gboolean unlocked;
  guint n_clients;
  GstShmVideoStats stats;
  GstCaps *current;             /* of the stream; NULL: none yet */
  GstCaps *wish;                /* of readers, upstream is steered to it; NULL */
  gboolean wish_open;           /* no such caps have come yet */
  guint wish_patience;          /* for so many frames more */
  gboolean flushing;            /* an event said so */

  /* Streaming thread. */
  GstVideoInfo info;            /* of the caps */
  GstVideoInfo slots;           /* the same, as readers want planes to lie */
  gboolean discont;             /* the next frame does not follow the last */
  gboolean waiting;             /* for the first reader, and said so */
  gboolean shown;               /* a frame of the present caps */
  gboolean warned;              /* about a buffer that is no frame */
  GstShmVideoLive live;         /* invalidated by any */
};

/* The share for threads other than the streaming thread, or NULL while stopped.
 * Unref it. */
GstShmVideoShare *gst_shm_video_sink_ref_share (GstShmVideoSink * self);

/* gstshmvideosinkprops.c: properties and signals. */
void gst_shm_video_sink_install_properties (GObjectClass * klass);
void gst_shm_video_sink_install_signals (GObjectClass * klass);
void gst_shm_video_sink_init_settings (GstShmVideoSink * self);
/* How the control thread tells the application. */
extern const GstShmVideoControlFuncs gst_shm_video_sink_control_funcs;

/* gstshmvideosinkalloc.c: what upstream may draw in. */
/* What strides and planes are to be multiples of, as readers wish; at least 1. */
guint gst_shm_video_sink_get_alignment (GstShmVideoSink * self,
    GstShmVideoShare * share, const GstCaps * caps);
gboolean gst_shm_video_sink_propose_allocation (GstBaseSink * bsink,
    GstQuery * query);

/* gstshmvideosinkcaps.c: which format upstream makes. */
GstCaps *gst_shm_video_sink_get_caps (GstBaseSink * bsink, GstCaps * filter);
gboolean gst_shm_video_sink_set_caps (GstBaseSink * bsink, GstCaps * caps);
/* One more frame comes. TRUE if it must not be shown: it would be the first that
 * readers see of a format that is about to change for one of them, and whoever has
 * seen a frame keeps its format. */
gboolean gst_shm_video_sink_hold_back (GstShmVideoSink * self);
/* Control thread: readers wish something else than before. FALSE: ask again. */
gboolean gst_shm_video_sink_on_wish (gpointer user,
    struct shmvideo_writer *writer);
void gst_shm_video_sink_forget_wish (GstShmVideoSink * self);

/* gstshmvideosinkframes.c: what GstBaseSink asks for each frame. */
void gst_shm_video_sink_get_times (GstBaseSink * bsink, GstBuffer * buffer,
    GstClockTime * start_time, GstClockTime * end_time);
GstFlowReturn gst_shm_video_sink_render (GstBaseSink * bsink,
    GstBuffer * buffer);

G_END_DECLS

#endif
