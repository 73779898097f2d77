/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Sending by shmvideosink behind an appsrc. See sender.h. */

#include <gst/app/app.h>
#include <string.h>

#include "sender.h"
#include "shmvtest.h"

struct sender {
  GstElement *pipeline; /* NULL: not started */
  GstElement *src, *sink;
  GAsyncQueue *arrived; /* caps that the sink has taken */
  GstCaps *caps;        /* the last of them */
  GstBufferPool *pool;  /* for these caps; NULL until it is needed */
};

static struct sender *
create(void)
{
  struct sender *sender = g_new0(struct sender, 1);

  sender->arrived = g_async_queue_new_full((GDestroyNotify)gst_caps_unref);
  return sender;
}

static void
destroy(struct sender *sender)
{
  g_async_queue_unref(sender->arrived);
  g_free(sender);
}

static GstBusSyncReply
tell(GstBus *bus, GstMessage *message, gpointer data)
{
  GError *error = NULL;
  char *debug = NULL;

  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, &debug);
    g_printerr("# sender: %s (%s)\n", error->message, debug);
    g_clear_error(&error);
    g_free(debug);
  }
  return GST_BUS_PASS;
}

static void
note_caps(GObject *pad, GParamSpec *pspec, gpointer data)
{
  struct sender *sender = data;
  GstCaps *caps = gst_pad_get_current_caps(GST_PAD(pad));

  if (caps != NULL)
    g_async_queue_push(sender->arrived, caps);
}

static char *
start(struct sender *sender, const char *path)
{
  char *line = g_strdup_printf(
      "appsrc name=src format=time max-bytes=0 ! shmvideosink name=sink "
      "sync=false backpressure=true socket-path=%s",
      path);
  GstPad *pad;
  GstBus *bus;

  sender->pipeline = gst_parse_launch(line, NULL);
  g_free(line);
  g_assert_nonnull(sender->pipeline);
  sender->src = gst_bin_get_by_name(GST_BIN(sender->pipeline), "src");
  sender->sink = gst_bin_get_by_name(GST_BIN(sender->pipeline), "sink");
  bus = gst_element_get_bus(sender->pipeline);
  gst_bus_set_sync_handler(bus, tell, NULL, NULL);
  gst_object_unref(bus);
  pad = gst_element_get_static_pad(sender->sink, "sink");
  g_signal_connect(pad, "notify::caps", G_CALLBACK(note_caps), sender);
  gst_object_unref(pad);
  if (gst_element_set_state(sender->pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE)
    return g_strdup("the pipeline does not start");
  return NULL;
}

static void
forget_pool(struct sender *sender)
{
  if (sender->pool != NULL)
    gst_buffer_pool_set_active(sender->pool, FALSE);
  gst_clear_object(&sender->pool);
}

static void
stop(struct sender *sender)
{
  gpointer caps;

  if (sender->pipeline == NULL)
    return;
  gst_element_set_state(sender->pipeline, GST_STATE_NULL);
  forget_pool(sender);
  gst_clear_object(&sender->src);
  gst_clear_object(&sender->sink);
  gst_clear_object(&sender->pipeline);
  gst_clear_caps(&sender->caps);
  while ((caps = g_async_queue_try_pop(sender->arrived)) != NULL)
    gst_caps_unref(caps);
}

static gboolean
sink_accepts(struct sender *sender, GstCaps *caps)
{
  GstPad *pad = gst_element_get_static_pad(sender->sink, "sink");
  gboolean accepts = gst_pad_query_accept_caps(pad, caps);

  gst_object_unref(pad);
  return accepts;
}

/* Say the caps and wait until the sink has them. */
static char *
set_caps(struct sender *sender, const struct job *job)
{
  GstCaps *caps = gst_caps_from_string(job->caps), *arrived;

  if (!sink_accepts(sender, caps)) {
    gst_caps_unref(caps);
    return g_strdup("the sink refuses the caps");
  }
  if (sender->caps != NULL && gst_caps_is_equal(caps, sender->caps)) {
    gst_caps_unref(caps);
    return NULL;
  }
  forget_pool(sender);
  gst_app_src_set_caps(GST_APP_SRC(sender->src), caps);
  do {
    gst_clear_caps(&sender->caps);
    arrived = g_async_queue_timeout_pop(sender->arrived,
                                        (guint64)shmvtest_deadline() * 1000);
    sender->caps = arrived;
  } while (arrived != NULL && !gst_caps_is_equal(arrived, caps));
  gst_caps_unref(caps);
  return arrived != NULL ? NULL : g_strdup("the caps do not arrive");
}

/* The pool that the sink offers for the caps it has. */
static void
ask_for_pool(struct sender *sender)
{
  GstQuery *query = gst_query_new_allocation(sender->caps, TRUE);
  GstPad *pad = gst_element_get_static_pad(sender->src, "src");
  GstStructure *config;
  guint size, min, max;

  g_assert_true(gst_pad_peer_query(pad, query));
  gst_query_parse_nth_allocation_pool(query, 0, &sender->pool, &size, &min,
                                      &max);
  g_assert_nonnull(sender->pool);
  config = gst_buffer_pool_get_config(sender->pool);
  gst_buffer_pool_config_set_params(config, sender->caps, size, min, max);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  g_assert_true(gst_buffer_pool_set_config(sender->pool, config));
  g_assert_true(gst_buffer_pool_set_active(sender->pool, TRUE));
  gst_object_unref(pad);
  gst_query_unref(query);
}

/* A buffer with the picture in memory of ours, its padding full of junk. */
static GstBuffer *
draw(const struct job *job, const struct picture *picture,
     const struct layout *layout)
{
  guint8 *data = g_malloc(layout->size);
  GstBuffer *buffer = gst_buffer_new_wrapped(data, layout->size);

  memset(data, 0xa5, layout->size);
  picture_write(picture, data, layout);
  if (job->layout != LAYOUT_DEFAULT || job->full_width != 0)
    gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT(&picture->info),
        (guint)GST_VIDEO_INFO_WIDTH(&picture->info),
        (guint)GST_VIDEO_INFO_HEIGHT(&picture->info),
        GST_VIDEO_INFO_N_PLANES(&picture->info), (gsize *)layout->offset,
        (gint *)layout->stride);
  return buffer;
}

/* The same in memory of the share. */
static GstBuffer *
draw_in_place(struct sender *sender, const struct picture *picture,
              const struct layout *layout)
{
  GstBuffer *buffer = NULL;
  GstVideoMeta *meta;
  GstMapInfo map;

  if (sender->pool == NULL)
    ask_for_pool(sender);
  g_assert_cmpint(gst_buffer_pool_acquire_buffer(sender->pool, &buffer, NULL),
                  ==, GST_FLOW_OK);
  g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  g_assert_cmpuint(layout->size, <=, map.size);
  picture_write(picture, map.data, layout);
  gst_buffer_unmap(buffer, &map);
  meta = gst_buffer_get_video_meta(buffer);
  g_assert_nonnull(meta);
  memcpy(meta->offset, layout->offset, sizeof meta->offset);
  memcpy(meta->stride, layout->stride, sizeof meta->stride);
  return buffer;
}

static void
describe(GstBuffer *buffer, const struct job *job)
{
  GST_BUFFER_PTS(buffer) = job->pts;
  GST_BUFFER_DURATION(buffer) = job->duration;
  GST_BUFFER_OFFSET(buffer) = job->offset;
  GST_BUFFER_OFFSET_END(buffer) = job->offset_end;
  gst_buffer_set_flags(buffer, job_flags_to_gst(job->flags));
  if (job->crop_width != 0) {
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);

    crop->x = job->crop_x;
    crop->y = job->crop_y;
    crop->width = job->crop_width;
    crop->height = job->crop_height;
  }
}

static char *
show(struct sender *sender, const struct job *job,
     const struct picture *picture, const struct layout *layout)
{
  char *trouble = set_caps(sender, job);
  GstBuffer *buffer;

  if (trouble != NULL)
    return trouble;
  buffer = job->memory == MEMORY_LENT ? draw_in_place(sender, picture, layout)
                                      : draw(job, picture, layout);
  describe(buffer, job);
  if (gst_app_src_push_buffer(GST_APP_SRC(sender->src), buffer) != GST_FLOW_OK)
    return g_strdup("appsrc does not take the buffer");
  return NULL;
}

/* A frame is counted when it was shown, so what shows it has to be done. */
static void
stats(struct sender *sender, struct job_stats *out)
{
  GstPad *pad = gst_element_get_static_pad(sender->sink, "sink");
  GstStructure *s;

  GST_PAD_STREAM_LOCK(pad);
  GST_PAD_STREAM_UNLOCK(pad);
  gst_object_unref(pad);
  g_object_get(sender->sink, "transport-stats", &s, NULL);
  g_assert_true(gst_structure_get(
      s, "frames", G_TYPE_UINT64, &out->frames, "copied", G_TYPE_UINT64,
      &out->copied, "zero-copy", G_TYPE_UINT64, &out->zero_copy, NULL));
  gst_structure_free(s);
}

static char *
message(struct sender *sender)
{
  GstBus *bus = gst_element_get_bus(sender->pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered(
      bus, (GstClockTime)shmvtest_deadline() * GST_MSECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  GError *error = NULL;
  char *text;

  gst_object_unref(bus);
  if (message == NULL)
    return g_strdup("no message");
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, NULL);
  else
    gst_message_parse_warning(message, &error, NULL);
  text = g_strdup_printf("%s: %s",
                         GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR
                             ? "error"
                             : "warning",
                         error->message);
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

static int
get_fd(struct sender *sender)
{
  return -1;
}

static void
dispatch(struct sender *sender)
{
  g_assert_not_reached();
}

const struct sender_way sender_element = {
    create, destroy, start, stop, set_caps, show, stats, message, get_fd,
    dispatch};
