/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideosettings.h"

#define DEFAULT_POLICY SHMVIDEO_LATEST
#define DEFAULT_MAX_BUFFERS 4
#define DEFAULT_MAX_HOLDS 8
#define DEFAULT_SPIN_TIME 0
#define DEFAULT_ALLOW_RENEGOTIATION FALSE
#define DEFAULT_ON_EOS GST_SHM_VIDEO_ON_EOS_EOS
#define DEFAULT_ON_DISCONNECT GST_SHM_VIDEO_ON_DISCONNECT_WAIT
#define DEFAULT_CONNECT_TIMEOUT 0
#define DEFAULT_TIMESTAMP_MODE GST_SHM_VIDEO_TIMESTAMP_CAPTURE

static GType
register_once (gsize * type, const gchar * name, const GEnumValue * values)
{
  if (g_once_init_enter (type)) {
    GType new_type = g_enum_register_static (name, values);

    gst_type_mark_as_plugin_api (new_type, (GstPluginAPIFlags) 0);
    g_once_init_leave (type, new_type);
  }
  return (GType) * type;
}

GType
gst_shm_video_policy_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {SHMVIDEO_LATEST, "Skip frames older than the last max-buffers", "latest"},
    {SHMVIDEO_LOSSLESS, "Have the writer wait, if it allows that", "lossless"},
    {0, NULL, NULL}
  };

  return register_once (&type, "GstShmVideoPolicy", values);
}

GType
gst_shm_video_on_eos_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_SHM_VIDEO_ON_EOS_EOS, "End of stream here too", "eos"},
    {GST_SHM_VIDEO_ON_EOS_WAIT, "Wait for more frames or the next writer",
        "wait"},
    {0, NULL, NULL}
  };

  return register_once (&type, "GstShmVideoOnEos", values);
}

GType
gst_shm_video_on_disconnect_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_SHM_VIDEO_ON_DISCONNECT_WAIT, "Wait for the next writer", "wait"},
    {GST_SHM_VIDEO_ON_DISCONNECT_EOS, "End of stream", "eos"},
    {GST_SHM_VIDEO_ON_DISCONNECT_ERROR, "Post an error", "error"},
    {0, NULL, NULL}
  };

  return register_once (&type, "GstShmVideoOnDisconnect", values);
}

GType
gst_shm_video_timestamp_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_SHM_VIDEO_TIMESTAMP_CAPTURE,
        "Running time at which the frame was captured", "capture"},
    {GST_SHM_VIDEO_TIMESTAMP_ARRIVAL,
        "Running time at which the frame arrives here", "arrival"},
    {GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH, "The writer's own timestamp",
        "passthrough"},
    {0, NULL, NULL}
  };

  return register_once (&type, "GstShmVideoTimestampMode", values);
}

void
gst_shm_video_settings_init (GstShmVideoSettings * settings)
{
  settings->socket_path = NULL;
  settings->policy = DEFAULT_POLICY;
  settings->max_buffers = DEFAULT_MAX_BUFFERS;
  settings->max_holds = DEFAULT_MAX_HOLDS;
  settings->spin_time = DEFAULT_SPIN_TIME;
  settings->allow_renegotiation = DEFAULT_ALLOW_RENEGOTIATION;
  settings->on_eos = DEFAULT_ON_EOS;
  settings->on_disconnect = DEFAULT_ON_DISCONNECT;
  settings->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
  settings->timestamp_mode = DEFAULT_TIMESTAMP_MODE;
  settings->timestamp_mode_set = FALSE;
}

void
gst_shm_video_settings_clear (GstShmVideoSettings * settings)
{
  g_clear_pointer (&settings->socket_path, g_free);
}

GstShmVideoTimestampMode
gst_shm_video_settings_get_timestamp_mode (const GstShmVideoSettings *
    settings)
{
  if (!settings->timestamp_mode_set && settings->policy == SHMVIDEO_LOSSLESS)
    return GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH;
  return settings->timestamp_mode;
}

gboolean
gst_shm_video_settings_set (GstShmVideoSettings * settings, guint id,
    const GValue * value)
{
  switch (id) {
    case GST_SHM_VIDEO_PROP_SOCKET_PATH:
      g_free (settings->socket_path);
      settings->socket_path = g_value_dup_string (value);
      break;
    case GST_SHM_VIDEO_PROP_POLICY:
      settings->policy = (guint) g_value_get_enum (value);
      break;
    case GST_SHM_VIDEO_PROP_MAX_BUFFERS:
      settings->max_buffers = g_value_get_uint (value);
      break;
    case GST_SHM_VIDEO_PROP_MAX_HOLDS:
      settings->max_holds = g_value_get_uint (value);
      break;
    case GST_SHM_VIDEO_PROP_SPIN_TIME:
      settings->spin_time = g_value_get_uint64 (value);
      break;
    case GST_SHM_VIDEO_PROP_ALLOW_RENEGOTIATION:
      settings->allow_renegotiation = g_value_get_boolean (value);
      break;
    case GST_SHM_VIDEO_PROP_ON_EOS:
      settings->on_eos = (GstShmVideoOnEos) g_value_get_enum (value);
      break;
    case GST_SHM_VIDEO_PROP_ON_DISCONNECT:
      settings->on_disconnect =
          (GstShmVideoOnDisconnect) g_value_get_enum (value);
      break;
    case GST_SHM_VIDEO_PROP_CONNECT_TIMEOUT:
      settings->connect_timeout = g_value_get_uint64 (value);
      break;
    case GST_SHM_VIDEO_PROP_TIMESTAMP_MODE:
      settings->timestamp_mode =
          (GstShmVideoTimestampMode) g_value_get_enum (value);
      settings->timestamp_mode_set = TRUE;
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_shm_video_settings_get (const GstShmVideoSettings * settings, guint id,
    GValue * value)
{
  switch (id) {
    case GST_SHM_VIDEO_PROP_SOCKET_PATH:
      g_value_set_string (value, settings->socket_path);
      break;
    case GST_SHM_VIDEO_PROP_POLICY:
      g_value_set_enum (value, (gint) settings->policy);
      break;
    case GST_SHM_VIDEO_PROP_MAX_BUFFERS:
      g_value_set_uint (value, settings->max_buffers);
      break;
    case GST_SHM_VIDEO_PROP_MAX_HOLDS:
      g_value_set_uint (value, settings->max_holds);
      break;
    case GST_SHM_VIDEO_PROP_SPIN_TIME:
      g_value_set_uint64 (value, settings->spin_time);
      break;
    case GST_SHM_VIDEO_PROP_ALLOW_RENEGOTIATION:
      g_value_set_boolean (value, settings->allow_renegotiation);
      break;
    case GST_SHM_VIDEO_PROP_ON_EOS:
      g_value_set_enum (value, (gint) settings->on_eos);
      break;
    case GST_SHM_VIDEO_PROP_ON_DISCONNECT:
      g_value_set_enum (value, (gint) settings->on_disconnect);
      break;
    case GST_SHM_VIDEO_PROP_CONNECT_TIMEOUT:
      g_value_set_uint64 (value, settings->connect_timeout);
      break;
    case GST_SHM_VIDEO_PROP_TIMESTAMP_MODE:
      g_value_set_enum (value,
          (gint) gst_shm_video_settings_get_timestamp_mode (settings));
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

#define READWRITE (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)

static void
install_choices (GObjectClass * class)
{
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_POLICY,
      g_param_spec_enum ("policy", "Policy",
          "What to do about frames that come faster than they are taken; from "
          "the next connection on", GST_TYPE_SHM_VIDEO_POLICY, DEFAULT_POLICY,
          READWRITE | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_ON_EOS,
      g_param_spec_enum ("on-eos", "On EOS",
          "What to do when the writer says that its stream ended",
          GST_TYPE_SHM_VIDEO_ON_EOS, DEFAULT_ON_EOS,
          READWRITE | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_ON_DISCONNECT,
      g_param_spec_enum ("on-disconnect", "On disconnect",
          "What to do when the writer is gone without an end of stream",
          GST_TYPE_SHM_VIDEO_ON_DISCONNECT, DEFAULT_ON_DISCONNECT,
          READWRITE | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_TIMESTAMP_MODE,
      g_param_spec_enum ("timestamp-mode", "Timestamp mode",
          "What buffers' timestamps say. Unless it is set, it is passthrough "
          "with policy=lossless", GST_TYPE_SHM_VIDEO_TIMESTAMP_MODE,
          DEFAULT_TIMESTAMP_MODE, READWRITE | GST_PARAM_MUTABLE_PLAYING));
}

void
gst_shm_video_settings_install (GObjectClass * class)
{
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_SOCKET_PATH,
      g_param_spec_string ("socket-path", "Socket path",
          "Where the writer shows its frames: a path (at most 107 bytes), or a "
          "bare name in $XDG_RUNTIME_DIR/shmvideo. Changed while running, the "
          "element goes over to it; frames still downstream stay intact", NULL,
          READWRITE | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_MAX_BUFFERS,
      g_param_spec_uint ("max-buffers", "Maximum buffers",
          "With policy=latest: how many frames may wait to be taken; older ones "
          "are skipped. 1 gives the least delay, but a pipeline whose latency is "
          "longer than this many frames loses some; from the next connection on",
          1, 32, DEFAULT_MAX_BUFFERS, READWRITE | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_MAX_HOLDS,
      g_param_spec_uint ("max-holds", "Maximum holds",
          "How many frames downstream may keep without a copy (the writer may "
          "grant fewer); from the last of them on frames are copied; from the "
          "next connection on", 1, 64, DEFAULT_MAX_HOLDS,
          READWRITE | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_SPIN_TIME,
      g_param_spec_uint64 ("spin-time", "Spin time",
          "How long to look for the next frame before sleeping (in nanoseconds): "
          "less delay, for a processor that is busy as long; from the next "
          "connection on", 0, 100 * GST_MSECOND, DEFAULT_SPIN_TIME,
          READWRITE | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class,
      GST_SHM_VIDEO_PROP_ALLOW_RENEGOTIATION,
      g_param_spec_boolean ("allow-renegotiation", "Allow renegotiation",
          "Whether the writer may change the format for another reader's sake "
          "when downstream has had frames already (a recording cannot take "
          "that); from the next connection on", DEFAULT_ALLOW_RENEGOTIATION,
          READWRITE | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, GST_SHM_VIDEO_PROP_CONNECT_TIMEOUT,
      g_param_spec_uint64 ("connect-timeout", "Connect timeout",
          "How long to wait for a writer (in nanoseconds), at the start and "
          "after one has gone, before this is an error; 0: for ever", 0,
          G_MAXINT64, DEFAULT_CONNECT_TIMEOUT,
          READWRITE | GST_PARAM_MUTABLE_PLAYING));
  install_choices (class);
}
