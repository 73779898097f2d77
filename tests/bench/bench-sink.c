/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * benchsink: takes frames as they come, and judges them
 *
 * It reads the stamp first, then the time; only then it looks whether the frame is
 * whole. It offers upstream a pool of ordinary video buffers, as a display would, and
 * keeps no frame.
 */

#include "bench.h"

#include <gst/base/gstbasesink.h>
#include <gst/video/video.h>
#include <string.h>

#define WARM_FRAMES 5

typedef struct {
  GstBaseSink parent;
  gsize size;
  guint64 last; /* sequence of the frame before, 0: none */
  guint seen;   /* up to WARM_FRAMES */
  struct bench_sink_result *result;
  struct bench_histogram *latency;
} BenchSink;

typedef struct {
  GstBaseSinkClass parent_class;
} BenchSinkClass;

/* All the sinks of this process, in order of their making. Each is written by its
 * own thread. */
static struct bench_sink_result results[BENCH_MAX_READERS];
static struct bench_histogram *latencies[BENCH_MAX_READERS];
static guint n_sinks, n_warm;

void (*bench_on_warm)(void);

static GType bench_sink_get_type(void);
G_DEFINE_TYPE(BenchSink, bench_sink, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static gboolean
propose_allocation(GstBaseSink *sink, GstQuery *query)
{
  GstCaps *caps;
  gboolean need_pool;

  gst_query_parse_allocation(query, &caps, &need_pool);
  if (need_pool && caps != NULL) {
    GstBufferPool *pool = gst_video_buffer_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);
    guint size = (guint)bench_frame_size();
    gst_buffer_pool_config_set_params(config, caps, size, 0, 0);
    if (gst_buffer_pool_set_config(pool, config))
      gst_query_add_allocation_pool(query, pool, size, 0, 0);
    gst_object_unref(pool);
  }
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static void
count(BenchSink *self, guint64 sequence, guint64 latency)
{
  struct bench_sink_result *result = self->result;
  result->frames++;
  if (self->last != 0 && sequence > self->last)
    result->lost += sequence - self->last - 1;
  else if (self->last != 0)
    result->repeated++;
  bench_histogram_add(self->latency, latency);
}

static void
became_warm(BenchSink *self)
{
  if (++self->seen == WARM_FRAMES &&
      (guint)g_atomic_int_add((gint *)&n_warm, 1) + 1 == n_sinks)
    bench_on_warm();
}

static GstFlowReturn
render(GstBaseSink *sink, GstBuffer *buffer)
{
  BenchSink *self = (BenchSink *)sink;
  guint64 sequence = 0, stamped = 0, now;
  GstMapInfo map;

  if (!gst_buffer_map(buffer, &map, GST_MAP_READ) || map.size < self->size)
    return GST_FLOW_ERROR;
  bench_frame_read(map.data, &sequence, &stamped);
  now = bench_now();
  bool whole = bench_frame_is_whole(map.data, self->size, sequence,
                                    bench_options.touch);
  gst_buffer_unmap(buffer, &map);

  if (bench_in_window(now)) {
    count(self, sequence, now - stamped);
    self->result->torn += !whole;
  }
  self->last = sequence;
  if (self->seen < WARM_FRAMES)
    became_warm(self);
  return GST_FLOW_OK;
}

void
bench_sink_result(unsigned n, struct bench_sink_result *result)
{
  *result = results[n];
  result->latency = bench_histogram_read(latencies[n]);
}

static void
bench_sink_init(BenchSink *self)
{
  GstBaseSink *base = GST_BASE_SINK(self);
  guint n = n_sinks++;
  g_assert(n < BENCH_MAX_READERS);
  latencies[n] = g_malloc(sizeof **latencies);
  memset(latencies[n], 0, sizeof **latencies); /* no page fault later */
  self->latency = latencies[n];
  self->result = &results[n];
  self->size = bench_frame_size();
  gst_base_sink_set_sync(base, FALSE);
  gst_base_sink_set_async_enabled(base, FALSE);
  gst_base_sink_set_qos_enabled(base, FALSE);
  gst_base_sink_set_last_sample_enabled(base, FALSE);
}

static void
bench_sink_class_init(BenchSinkClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_set_static_metadata(element_class, "bench sink", "Sink",
                                        "Judges numbered frames",
                                        "libshmvideo contributors");
  base_class->propose_allocation = propose_allocation;
  base_class->render = render;
}

bool
bench_register_sink(void)
{
  return gst_element_register(NULL, "benchsink", GST_RANK_NONE,
                              bench_sink_get_type());
}
