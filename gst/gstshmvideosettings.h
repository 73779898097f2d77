/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Settings of shmvideosrc
 *
 * Owns what a user can ask of the source: the properties with their types, names
 * and defaults. One rule: names and nicks are what users type, and never change.
 * Nothing here locks; the element does.
 */

#ifndef GST_SHM_VIDEO_SETTINGS_H
#define GST_SHM_VIDEO_SETTINGS_H

#include "gstshmvideotiming.h"
#include "shmvideo.h"

G_BEGIN_DECLS

typedef enum
{
  GST_SHM_VIDEO_ON_EOS_EOS,
  GST_SHM_VIDEO_ON_EOS_WAIT
} GstShmVideoOnEos;

typedef enum
{
  GST_SHM_VIDEO_ON_DISCONNECT_WAIT,
  GST_SHM_VIDEO_ON_DISCONNECT_EOS,
  GST_SHM_VIDEO_ON_DISCONNECT_ERROR
} GstShmVideoOnDisconnect;

#define GST_TYPE_SHM_VIDEO_POLICY (gst_shm_video_policy_get_type ())
GType gst_shm_video_policy_get_type (void);     /* enum shmvideo_policy */

#define GST_TYPE_SHM_VIDEO_ON_EOS (gst_shm_video_on_eos_get_type ())
GType gst_shm_video_on_eos_get_type (void);

#define GST_TYPE_SHM_VIDEO_ON_DISCONNECT \
    (gst_shm_video_on_disconnect_get_type ())
GType gst_shm_video_on_disconnect_get_type (void);

#define GST_TYPE_SHM_VIDEO_TIMESTAMP_MODE \
    (gst_shm_video_timestamp_mode_get_type ())
GType gst_shm_video_timestamp_mode_get_type (void);

enum
{
  GST_SHM_VIDEO_PROP_0,
  GST_SHM_VIDEO_PROP_SOCKET_PATH,
  GST_SHM_VIDEO_PROP_POLICY,
  GST_SHM_VIDEO_PROP_MAX_BUFFERS,
  GST_SHM_VIDEO_PROP_MAX_HOLDS,
  GST_SHM_VIDEO_PROP_SPIN_TIME,
  GST_SHM_VIDEO_PROP_ALLOW_RENEGOTIATION,
  GST_SHM_VIDEO_PROP_ON_EOS,
  GST_SHM_VIDEO_PROP_ON_DISCONNECT,
  GST_SHM_VIDEO_PROP_CONNECT_TIMEOUT,
  GST_SHM_VIDEO_PROP_TIMESTAMP_MODE,
  GST_SHM_VIDEO_PROP_LAST
};

/* What the user asked for. */
typedef struct
{
  gchar *socket_path;
  guint policy;                 /* enum shmvideo_policy */
  guint max_buffers, max_holds;
  guint64 spin_time;            /* ns */
  gboolean allow_renegotiation;
  GstShmVideoOnEos on_eos;
  GstShmVideoOnDisconnect on_disconnect;
  GstClockTime connect_timeout;
  GstShmVideoTimestampMode timestamp_mode;
  gboolean timestamp_mode_set;  /* else it follows the policy */
} GstShmVideoSettings;

void gst_shm_video_settings_init (GstShmVideoSettings * settings);
void gst_shm_video_settings_clear (GstShmVideoSettings * settings);

/* Install the properties listed above. */
void gst_shm_video_settings_install (GObjectClass * class);

/* Set or get one of them; FALSE for any other. */
gboolean gst_shm_video_settings_set (GstShmVideoSettings * settings, guint id,
    const GValue * value);
gboolean gst_shm_video_settings_get (const GstShmVideoSettings * settings,
    guint id, GValue * value);

/* The mode that frames are to be stamped by. */
GstShmVideoTimestampMode gst_shm_video_settings_get_timestamp_mode (
    const GstShmVideoSettings * settings);

G_END_DECLS

#endif
