/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Receiving by shmvideosrc before an appsink. See receiver.h. */

#include <gst/app/app.h>

#include "gsttest.h"
#include "receiver.h"

struct receiver {
  GstElement *pipeline, *src, *sink;
  GAsyncQueue *arrived; /* caps */
  gboolean knows_meta;
};

static GstPadProbeReturn
look(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  struct receiver *receiver = data;
  GstCaps *caps;

  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM) {
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);

    if (!receiver->knows_meta || GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
      return GST_PAD_PROBE_OK;
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_PAD_PROBE_HANDLED;
  }
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_CAPS) {
    gst_event_parse_caps(GST_PAD_PROBE_INFO_EVENT(info), &caps);
    g_async_queue_push(receiver->arrived, gst_caps_ref(caps));
  }
  return GST_PAD_PROBE_OK;
}

static struct receiver *
create(const char *path, gboolean knows_meta)
{
  struct receiver *receiver = g_new0(struct receiver, 1);
  GstPad *pad;

  receiver->knows_meta = knows_meta;
  receiver->arrived =
      g_async_queue_new_full((GDestroyNotify)gst_caps_unref);
  receiver->pipeline = shmvtest_launch(
      "shmvideosrc name=src policy=lossless socket-path=%s ! "
      "appsink name=sink sync=false enable-last-sample=false",
      path);
  receiver->src = gst_bin_get_by_name(GST_BIN(receiver->pipeline), "src");
  receiver->sink = gst_bin_get_by_name(GST_BIN(receiver->pipeline), "sink");
  pad = gst_element_get_static_pad(receiver->sink, "sink");
  gst_pad_add_probe(pad,
                    GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                        GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                    look, receiver, NULL);
  gst_object_unref(pad);
  shmvtest_state(receiver->pipeline, GST_STATE_PAUSED);
  return receiver;
}

static void
destroy(struct receiver *receiver)
{
  gst_clear_object(&receiver->src);
  gst_clear_object(&receiver->sink);
  shmvtest_stop(receiver->pipeline);
  g_async_queue_unref(receiver->arrived);
  g_free(receiver);
}

/* Not reached before the first frame. */
static void
play(struct receiver *receiver)
{
  g_assert_cmpint(gst_element_set_state(receiver->pipeline, GST_STATE_PLAYING),
                  !=, GST_STATE_CHANGE_FAILURE);
}

static void
fail_with_message(struct receiver *receiver)
{
  gst_message_unref(shmvtest_message(receiver->pipeline, GST_MESSAGE_EOS));
  g_error("end of stream instead of a frame");
}

static GstCaps *
caps(struct receiver *receiver)
{
  GstCaps *caps = g_async_queue_timeout_pop(
      receiver->arrived, (guint64)shmvtest_deadline() * 1000);

  if (caps == NULL)
    fail_with_message(receiver);
  return caps;
}

/* Downstream that knows GstVideoMeta looks where it says; other looks where the
 * caps say. */
static void
map(const struct receiver *receiver, GstBuffer *buffer, struct received *out)
{
  guint n_planes = GST_VIDEO_INFO_N_PLANES(&out->info);

  if (receiver->knows_meta) {
    g_assert_true(
        gst_video_frame_map(&out->frame, &out->info, buffer, GST_MAP_READ));
    g_assert_cmpuint(GST_VIDEO_FRAME_N_PLANES(&out->frame), ==, n_planes);
    for (guint p = 0; p < n_planes; p++) {
      out->planes[p] = GST_VIDEO_FRAME_PLANE_DATA(&out->frame, p);
      out->strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE(&out->frame, p);
    }
    return;
  }
  g_assert_true(gst_buffer_map(buffer, &out->map, GST_MAP_READ));
  g_assert_cmpuint(out->map.size, ==, out->info.size);
  for (guint p = 0; p < n_planes; p++) {
    out->planes[p] = out->map.data + out->info.offset[p];
    out->strides[p] = out->info.stride[p];
  }
}

static void
receive(struct receiver *receiver, struct received *out)
{
  GstSample *sample = gst_app_sink_try_pull_sample(
      GST_APP_SINK(receiver->sink),
      (GstClockTime)shmvtest_deadline() * GST_MSECOND);
  GstVideoCropMeta *crop;
  GstBuffer *buffer;

  if (sample == NULL)
    fail_with_message(receiver);
  buffer = gst_sample_get_buffer(sample);
  out->owner = sample;
  out->caps = gst_sample_get_caps(sample);
  g_assert_true(gst_video_info_from_caps(&out->info, out->caps));
  map(receiver, buffer, out);
  out->pts = GST_BUFFER_PTS(buffer);
  out->duration = GST_BUFFER_DURATION(buffer);
  out->offset = GST_BUFFER_OFFSET(buffer);
  out->offset_end = GST_BUFFER_OFFSET_END(buffer);
  out->flags = GST_BUFFER_FLAGS(buffer) & job_flags_to_gst(G_MAXUINT32);
  crop = gst_buffer_get_video_crop_meta(buffer);
  if (crop != NULL) {
    out->crop_x = crop->x;
    out->crop_y = crop->y;
    out->crop_width = crop->width;
    out->crop_height = crop->height;
  }
}

static void
clear(struct received *received)
{
  GstBuffer *buffer = gst_sample_get_buffer(received->owner);

  if (received->frame.buffer != NULL)
    gst_video_frame_unmap(&received->frame);
  else
    gst_buffer_unmap(buffer, &received->map);
  gst_sample_unref(received->owner);
}

static char *
failure(struct receiver *receiver)
{
  GstMessage *message =
      shmvtest_message(receiver->pipeline, GST_MESSAGE_ERROR);
  GError *error = NULL;
  char *text;

  gst_message_parse_error(message, &error, NULL);
  text = g_strdup(error->message);
  g_error_free(error);
  gst_message_unref(message);
  return text;
}

static void
stats(struct receiver *receiver, struct receiver_stats *out)
{
  GstStructure *s;

  g_object_get(receiver->src, "transport-stats", &s, NULL);
  g_assert_true(gst_structure_get(
      s, "received", G_TYPE_UINT64, &out->received, "copied", G_TYPE_UINT64,
      &out->copied, "copied-for-layout", G_TYPE_UINT64,
      &out->copied_for_layout, NULL));
  gst_structure_free(s);
}

const struct receiver_way receiver_element = {
    create, destroy, play, caps, receive, clear, failure, stats};
