/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * benchsrc: numbered frames, as a camera or a decoder would make them
 *
 * It draws into buffers of the pool that downstream offers. If downstream offers
 * none, it has one of its own, with downstream's allocator, which ends at "depth"
 * frames and two: that is what holds it back where the transport does not. Paced, it
 * is a live source that sleeps before the stamp.
 */

#include "bench.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>
#include <string.h>
#include <time.h>

typedef struct {
  GstPushSrc parent;
  gsize size;
  guint64 sequence;
  guint64 due;     /* paced: when the next frame is stamped */
  guint64 stamped; /* when the last one was */
} BenchSrc;

typedef struct {
  GstPushSrcClass parent_class;
} BenchSrcClass;

/* There is one source in a process, and one thread writes this. */
static struct {
  struct bench_result result;
  struct bench_histogram held;
} record;

static GType bench_src_get_type(void);
G_DEFINE_TYPE(BenchSrc, bench_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

static GstCaps *
get_caps(GstBaseSrc *src, GstCaps *filter)
{
  guint fps = bench_options.fps != 0 ? bench_options.fps : 60;
  return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING,
                             bench_options.format, "width", G_TYPE_INT,
                             (gint)bench_options.width, "height", G_TYPE_INT,
                             (gint)bench_options.height, "framerate",
                             GST_TYPE_FRACTION, (gint)fps, 1, NULL);
}

/* A pool of our own, if downstream has none or we are told not to take its. */
static gboolean
decide_allocation(GstBaseSrc *src, GstQuery *query)
{
  if (bench_options.own_memory) {
    while (gst_query_get_n_allocation_pools(query) > 0)
      gst_query_remove_nth_allocation_pool(query, 0);
    while (gst_query_get_n_allocation_params(query) > 0)
      gst_query_remove_nth_allocation_param(query, 0);
  }
  if (gst_query_get_n_allocation_pools(query) == 0) {
    GstBufferPool *pool = gst_video_buffer_pool_new();
    gst_query_add_allocation_pool(query, pool, (guint)bench_frame_size(), 0,
                                  bench_options.depth + 2);
    gst_object_unref(pool);
  }
  return GST_BASE_SRC_CLASS(bench_src_parent_class)
      ->decide_allocation(src, query);
}

/* Sleep until the frame is due. Frames that can no longer be in time are not made:
 * they count as late. */
static void
pace(BenchSrc *self)
{
  guint64 period = 1000000000u / bench_options.fps, now = bench_now();
  if (self->due == 0)
    self->due = now;
  self->due += period;
  while (self->due + period < now) {
    self->due += period;
    record.result.late += bench_in_window(now);
  }
  struct timespec due = {.tv_sec = (time_t)(self->due / 1000000000u),
                         .tv_nsec = (long)(self->due % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
    ;
}

/* Where the buffer comes from. */
static void
look_at_buffer(GstBuffer *buffer)
{
  struct bench_result *result = &record.result;
  const char *type =
      G_OBJECT_TYPE_NAME(gst_buffer_peek_memory(buffer, 0)->allocator);
  result->unpooled += buffer->pool == NULL;
  if (result->memory_type[0] == '\0') {
    g_strlcpy(result->memory_type, type, sizeof result->memory_type);
    g_strlcpy(result->pool,
              buffer->pool != NULL ? G_OBJECT_TYPE_NAME(buffer->pool) : "none",
              sizeof result->pool);
  }
  result->other_memory += strcmp(result->memory_type, type) != 0;
}

static GstFlowReturn
fill(GstPushSrc *src, GstBuffer *buffer)
{
  BenchSrc *self = (BenchSrc *)src;
  GstMapInfo map;
  guint64 entered = bench_now();

  if (bench_in_window(self->stamped)) {
    if (bench_in_window(entered))
      bench_histogram_add(&record.held, entered - self->stamped);
    record.result.frames++;
    look_at_buffer(buffer);
  }
  if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  self->sequence++;
  if (bench_options.touch)
    bench_frame_paint(map.data, self->size, self->sequence);
  if (bench_options.fps != 0)
    pace(self);
  self->stamped = bench_now();
  bench_frame_stamp(map.data, self->size, self->sequence, self->stamped);
  gst_buffer_unmap(buffer, &map);
  if (bench_options.fps == 0)
    GST_BUFFER_PTS(buffer) =
        gst_util_uint64_scale(self->sequence, GST_SECOND, 60);
  return GST_FLOW_OK;
}

void
bench_src_result(struct bench_result *result)
{
  *result = record.result;
  result->held = bench_histogram_read(&record.held);
}

static void
bench_src_init(BenchSrc *self)
{
  gboolean live = bench_options.fps != 0;
  self->size = bench_frame_size();
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_live(GST_BASE_SRC(self), live);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), live);
  gst_base_src_set_blocksize(GST_BASE_SRC(self), (guint)self->size);
}

static void
bench_src_class_init(BenchSrcClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(element_class, "bench source", "Source",
                                        "Makes numbered frames",
                                        "libshmvideo contributors");
  base_class->get_caps = get_caps;
  base_class->decide_allocation = decide_allocation;
  GST_PUSH_SRC_CLASS(klass)->fill = fill;
}

bool
bench_register_src(void)
{
  memset(&record, 0, sizeof record); /* no page fault later */
  return gst_element_register(NULL, "benchsrc", GST_RANK_NONE,
                              bench_src_get_type());
}
