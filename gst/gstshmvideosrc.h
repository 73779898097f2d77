/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosrc
 *
 * Owns the source element: gstshmvideosrc.c is what applications see of it,
 * gstshmvideostream.c and gstshmvideofollow.c are its streaming thread. One rule:
 * they meet only in the fields under "lock", which is never held across a system
 * call, a query, an event or a message.
 */

#ifndef GST_SHM_VIDEO_SRC_H
#define GST_SHM_VIDEO_SRC_H

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include "gstshmvideosettings.h"
#include "gstshmvideowake.h"

G_BEGIN_DECLS

#define GST_TYPE_SHM_VIDEO_SRC (gst_shm_video_src_get_type ())
G_DECLARE_FINAL_TYPE (GstShmVideoSrc, gst_shm_video_src, GST, SHM_VIDEO_SRC,
    GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (shmvideosrc)

/* A frame lasts so long (ns) if nobody says how long. */
#define GST_SHM_VIDEO_USUAL_DURATION (20 * GST_MSECOND)

struct _GstShmVideoSrc
{
  GstPushSrc parent;

  GMutex lock;                  /* guards from here ... */
  GstShmVideoSettings settings;
  GstShmVideoWake *wake;        /* NULL while stopped; ring after each change */
  gboolean flushing;            /* the base class wants its thread back */
  GstEvent *eos;                /* an application sent this EOS; NULL */
  gboolean playing;
  gboolean resumed;             /* no frame since start or pause */
  gboolean reopen;              /* socket-path is another than the reader's */
  gboolean restart_timing;      /* running time starts anew */
  GstCaps *caps;                /* of the frames; NULL: not known yet */
  GstClockTime frame_duration;  /* by the caps; NONE: unknown */
  struct shmvideo_reader_status status; /* as of the last look */
  guint64 received_before, skipped_before, copied_before; /* earlier readers */
  guint64 copied_layout;        /* for strides that downstream cannot take */
  GstClockTime latency_min, latency_max; /* as announced */
  /* ... to here; the rest is the streaming thread's */

  struct shmvideo_reader *reader; /* set under the lock: statistics ask it */
  gchar *path;                  /* the reader's */
  gchar *accepts;               /* the reader's; NULL: anything */
  GstVideoInfo info;            /* of the frames, once format_known */
  gboolean format_known;        /* the reader has announced a format */
  gboolean video_meta;          /* downstream knows GstVideoMeta */
  gboolean connected;           /* as told on the bus */
  gboolean waiting;             /* as told on the bus */
  gboolean writer_ended;        /* END came, and no frame since */
  gboolean ended;               /* EOS or an error: nothing more will come */
  GstClockTime spell;           /* CLOCK_MONOTONIC: without a writer since; NONE */
  GstShmVideoTiming timing;
  GstClockTime qos_posted;      /* CLOCK_MONOTONIC of the last QoS message */
};

/* gstshmvideostream.c: the base class's virtual calls on the streaming thread. */
gboolean gst_shm_video_stream_decide_allocation (GstBaseSrc * basesrc,
    GstQuery * query);
GstFlowReturn gst_shm_video_stream_create (GstPushSrc * pushsrc,
    GstBuffer ** out_buffer);

/* Work out latency_min and _max; whether they changed. Under the lock. */
gboolean gst_shm_video_src_update_latency (GstShmVideoSrc * self);

G_END_DECLS

#endif
