/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * shmvideosink: properties and signals
 *
 * Owns everything an application can set, read and listen to.
 */

#include "gstshmvideosinkimpl.h"

#include "gstshmvideoerror.h"

GST_DEBUG_CATEGORY_EXTERN (gst_shm_video_sink_debug);
#define GST_CAT_DEFAULT gst_shm_video_sink_debug

#define DEFAULT_WAIT_FOR_CONNECTION FALSE
#define DEFAULT_BACKPRESSURE FALSE
#define DEFAULT_BACKPRESSURE_TIMEOUT (5 * GST_SECOND)
#define DEFAULT_PERMS 0600
#define DEFAULT_NEGOTIATE TRUE
#define DEFAULT_NEGOTIATE_INTERVAL GST_SECOND
#define DEFAULT_MAX_MEMORY 0
#define DEFAULT_MAX_LENT 16

enum
{
  PROP_0,
  PROP_SOCKET_PATH,
  PROP_WAIT_FOR_CONNECTION,
  PROP_BACKPRESSURE,
  PROP_BACKPRESSURE_TIMEOUT,
  PROP_PERMS,
  PROP_NEGOTIATE,
  PROP_NEGOTIATE_INTERVAL,
  PROP_MAX_MEMORY,
  PROP_MAX_LENT,
  PROP_NUM_CLIENTS,
  PROP_TRANSPORT_STATS,
  N_PROPS
};

enum
{
  SIGNAL_CLIENT_CONNECTED,
  SIGNAL_CLIENT_DISCONNECTED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- Readers come and go (control thread, no lock held) ------------------ */

static void
on_count (gpointer user, guint n_readers)
{
  GstShmVideoSink *self = user;

  g_mutex_lock (&self->lock);
  self->n_clients = n_readers;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_NUM_CLIENTS]);
}

static void
on_connected (gpointer user, const struct shmvideo_reader_info *reader)
{
  GST_INFO_OBJECT (user, "reader %" G_GUINT64_FORMAT " connected, pid %d",
      reader->id, reader->pid);
  g_signal_emit (user, signals[SIGNAL_CLIENT_CONNECTED], 0, reader->id,
      reader->pid, reader->uid);
}

static void
on_disconnected (gpointer user, const struct shmvideo_reader_info *reader)
{
  GST_INFO_OBJECT (user, "reader %" G_GUINT64_FORMAT " left, pid %d",
      reader->id, reader->pid);
  g_signal_emit (user, signals[SIGNAL_CLIENT_DISCONNECTED], 0, reader->id,
      reader->pid, reader->uid);
}

static void
on_broken (gpointer user, int code)
{
  struct shmvideo_error error = {.code = code };

  g_strlcpy (error.message, "The share is broken: no more readers can join",
      sizeof error.message);
  gst_shm_video_post_error (user, &error);
}

const GstShmVideoControlFuncs gst_shm_video_sink_control_funcs = {
  .count = on_count,
  .connected = on_connected,
  .disconnected = on_disconnected,
  .wish = gst_shm_video_sink_on_wish,
  .broken = on_broken,
};

/* ---- Properties ---------------------------------------------------------- */

static GstStructure *
get_transport_stats (GstShmVideoSink * self)
{
  GstShmVideoShare *share = gst_shm_video_sink_ref_share (self);
  struct shmvideo_writer *writer = NULL;
  GstShmVideoStats stats;
  GstStructure *s;

  if (share)
    writer = gst_shm_video_share_enter (share);
  g_mutex_lock (&self->lock);
  stats = self->stats;
  g_mutex_unlock (&self->lock);
  if (writer)
    gst_shm_video_stats_update (&stats, writer);
  s = gst_shm_video_stats_to_structure (&stats, writer);
  if (writer)
    gst_shm_video_share_leave (share);
  if (share)
    gst_shm_video_share_unref (share);
  return s;
}

static void
set_wait_for_connection (GstShmVideoSink * self, gboolean wait)
{
  g_mutex_lock (&self->lock);
  self->wait_for_connection = wait;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

static void
set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (object);

  if (id == PROP_WAIT_FOR_CONNECTION) {
    set_wait_for_connection (self, g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOCKET_PATH:
      g_free ((gchar *) self->config.path);
      self->config.path = g_value_dup_string (value);
      break;
    case PROP_BACKPRESSURE:
      self->config.backpressure = g_value_get_boolean (value);
      break;
    case PROP_BACKPRESSURE_TIMEOUT:
      self->config.backpressure_timeout = g_value_get_uint64 (value);
      break;
    case PROP_NEGOTIATE:
      self->config.negotiate = g_value_get_boolean (value);
      break;
    case PROP_NEGOTIATE_INTERVAL:
      self->config.wish_interval = g_value_get_uint64 (value);
      break;
    case PROP_PERMS:
      self->config.perms = g_value_get_uint (value);
      break;
    case PROP_MAX_MEMORY:
      self->config.max_memory = g_value_get_uint64 (value);
      break;
    case PROP_MAX_LENT:
      self->config.max_lent = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_setting (GstShmVideoSink * self, guint id, GValue * value,
    GParamSpec * pspec)
{
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOCKET_PATH:
      g_value_set_string (value, self->config.path);
      break;
    case PROP_BACKPRESSURE:
      g_value_set_boolean (value, self->config.backpressure != 0);
      break;
    case PROP_BACKPRESSURE_TIMEOUT:
      g_value_set_uint64 (value, self->config.backpressure_timeout);
      break;
    case PROP_NEGOTIATE:
      g_value_set_boolean (value, self->config.negotiate != 0);
      break;
    case PROP_NEGOTIATE_INTERVAL:
      g_value_set_uint64 (value, self->config.wish_interval);
      break;
    case PROP_PERMS:
      g_value_set_uint (value, self->config.perms);
      break;
    case PROP_MAX_MEMORY:
      g_value_set_uint64 (value, self->config.max_memory);
      break;
    case PROP_MAX_LENT:
      g_value_set_uint (value, self->config.max_lent);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  GstShmVideoSink *self = GST_SHM_VIDEO_SINK (object);

  switch (id) {
    case PROP_WAIT_FOR_CONNECTION:
      g_mutex_lock (&self->lock);
      g_value_set_boolean (value, self->wait_for_connection);
      g_mutex_unlock (&self->lock);
      break;
    case PROP_NUM_CLIENTS:
      g_mutex_lock (&self->lock);
      g_value_set_uint (value, self->n_clients);
      g_mutex_unlock (&self->lock);
      break;
    case PROP_TRANSPORT_STATS:
      g_value_take_boxed (value, get_transport_stats (self));
      break;
    default:
      get_setting (self, id, value, pspec);
      break;
  }
}

#define SETTING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS \
    | GST_PARAM_MUTABLE_READY | GST_PARAM_DOC_SHOW_DEFAULT)
#define COUNTER (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS \
    | G_PARAM_EXPLICIT_NOTIFY)

static void
make_properties (void)
{
  props[PROP_SOCKET_PATH] = g_param_spec_string ("socket-path", "Socket path",
      "Where readers find the share: a path of at most 107 bytes, or a name "
      "without a slash for $XDG_RUNTIME_DIR/shmvideo/NAME", NULL, SETTING);
  props[PROP_WAIT_FOR_CONNECTION] =
      g_param_spec_boolean ("wait-for-connection", "Wait for connection",
      "Wait with the next frame until a reader is connected",
      DEFAULT_WAIT_FOR_CONNECTION, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_DOC_SHOW_DEFAULT);
  props[PROP_BACKPRESSURE] = g_param_spec_boolean ("backpressure",
      "Backpressure", "Wait for readers that ask to miss no frame, instead of "
      "having them skip frames", DEFAULT_BACKPRESSURE, SETTING);
  props[PROP_BACKPRESSURE_TIMEOUT] =
      g_param_spec_uint64 ("backpressure-timeout", "Backpressure timeout",
      "How long to wait for one reader before it has to skip frames for the "
      "rest of its connection (nanoseconds)", 1, G_MAXUINT64,
      DEFAULT_BACKPRESSURE_TIMEOUT, SETTING);
  props[PROP_NEGOTIATE] = g_param_spec_boolean ("negotiate", "Negotiate",
      "Ask upstream for another format when a reader cannot take the present "
      "one and all others can take that; otherwise such readers are refused",
      DEFAULT_NEGOTIATE, SETTING);
  props[PROP_NEGOTIATE_INTERVAL] =
      g_param_spec_uint64 ("negotiate-interval", "Negotiate interval",
      "Least time from one such change to the next (nanoseconds)", 1,
      G_MAXUINT64, DEFAULT_NEGOTIATE_INTERVAL, SETTING);
  props[PROP_PERMS] = g_param_spec_uint ("perms", "Permissions",
      "Who may connect: the mode of the socket, as in chmod (octal with a "
      "leading 0, default 0600: this user only)", 1, 0777, DEFAULT_PERMS,
      SETTING);
  props[PROP_MAX_MEMORY] = g_param_spec_uint64 ("max-memory", "Maximum memory",
      "Most memory for frames; readers beyond it are refused (bytes, 0 = 1 GiB "
      "or 12 frames, whichever is more)", 0, G_MAXUINT64, DEFAULT_MAX_MEMORY,
      SETTING);
  props[PROP_MAX_LENT] = g_param_spec_uint ("max-lent", "Maximum lent",
      "Most frames that upstream elements may hold in shared memory; further "
      "ones are copied (frames)", 1, GST_SHM_VIDEO_SINK_MAX_SLOTS,
      DEFAULT_MAX_LENT, SETTING);
  props[PROP_NUM_CLIENTS] = g_param_spec_uint ("num-clients",
      "Number of clients", "Readers that are connected now", 0, G_MAXUINT, 0,
      COUNTER);
  props[PROP_TRANSPORT_STATS] = g_param_spec_boxed ("transport-stats",
      "Transport statistics", "Counters since start: frames, bytes, copied, "
      "zero-copy, dropped, refused (readers), and a list of readers with "
      "id, pid, uid, policy, received, skipped, held, copied of each",
      GST_TYPE_STRUCTURE, COUNTER);
}

void
gst_shm_video_sink_install_signals (GObjectClass * klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);

  /**
   * GstShmVideoSink::client-connected:
   * @sink: the sink
   * @id: of the reader, never used again in this run
   * @pid: its process, 0 if that is in a foreign namespace
   * @uid: its user
   *
   * A reader connected. Emitted from a thread of the sink; the handler must not
   * change the state of the sink.
   */
  signals[SIGNAL_CLIENT_CONNECTED] = g_signal_new ("client-connected", type,
      G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3, G_TYPE_UINT64,
      G_TYPE_INT, G_TYPE_UINT);
  /**
   * GstShmVideoSink::client-disconnected:
   * @sink: the sink
   * @id: of the reader, as in #GstShmVideoSink::client-connected
   * @pid: its process
   * @uid: its user
   *
   * A reader left, died, or is left behind as the sink stops.
   */
  signals[SIGNAL_CLIENT_DISCONNECTED] = g_signal_new ("client-disconnected",
      type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
      G_TYPE_UINT64, G_TYPE_INT, G_TYPE_UINT);
}

void
gst_shm_video_sink_install_properties (GObjectClass * klass)
{
  klass->set_property = set_property;
  klass->get_property = get_property;
  make_properties ();
  g_object_class_install_properties (klass, N_PROPS, props);
}

void
gst_shm_video_sink_init_settings (GstShmVideoSink * self)
{
  const struct shmvideo_writer_config defaults = SHMVIDEO_WRITER_CONFIG_INIT;

  self->config = defaults;
  self->config.backpressure = DEFAULT_BACKPRESSURE;
  self->config.backpressure_timeout = DEFAULT_BACKPRESSURE_TIMEOUT;
  self->config.perms = DEFAULT_PERMS;
  self->config.negotiate = DEFAULT_NEGOTIATE;
  self->config.wish_interval = DEFAULT_NEGOTIATE_INTERVAL;
  self->config.max_memory = DEFAULT_MAX_MEMORY;
  self->config.max_lent = DEFAULT_MAX_LENT;
  self->config.log = gst_shm_video_log;
  self->config.log_user = self;
  self->wait_for_connection = DEFAULT_WAIT_FOR_CONNECTION;
}
