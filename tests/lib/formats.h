/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the tests of format.c share: which formats there are, and frames of them.
 */

#ifndef SHMV_TEST_FORMATS_H
#define SHMV_TEST_FORMATS_H

#include "format.h"

#include <errno.h>
#include <gst/video/video.h>
#include <inttypes.h>
#include <string.h>

static const GstVideoInterlaceMode modes[] = {
    GST_VIDEO_INTERLACE_MODE_PROGRESSIVE, GST_VIDEO_INTERLACE_MODE_INTERLEAVED,
    GST_VIDEO_INTERLACE_MODE_MIXED, GST_VIDEO_INTERLACE_MODE_FIELDS,
    GST_VIDEO_INTERLACE_MODE_ALTERNATE};

/* All formats this GStreamer can lay out in memory. */
static inline GArray *
gst_formats(void)
{
  GArray *list = g_array_new(FALSE, FALSE, sizeof(guint));
  GEnumClass *klass = g_type_class_ref(GST_TYPE_VIDEO_FORMAT);
  for (guint i = 0; i < klass->n_values; i++) {
    guint id = (guint)klass->values[i].value;
    if (id > GST_VIDEO_FORMAT_ENCODED &&
        gst_video_format_get_info(id)->n_planes > 0)
      g_array_append_val(list, id);
  }
  g_type_class_unref(klass);
  g_assert_cmpuint(list->len, >=, 111);
  return list;
}

#define FOR_EACH_FORMAT(id, list) \
  for (guint i_##id = 0, id; i_##id < list->len && \
       (id = g_array_index(list, guint, i_##id), TRUE); i_##id++)

static inline struct shmvideo_format
make(guint id, guint mode, guint width, guint height)
{
  struct shmvideo_format format = {.pixel_format = id, .width = width,
                                   .height = height, .interlace_mode = mode};
  return format;
}

static inline gboolean
is_tiled(guint id)
{
  return GST_VIDEO_FORMAT_INFO_IS_TILED(gst_video_format_get_info(id));
}

static inline guint
random_size(guint bits)
{
  return 1 + (guint)g_test_rand_int() % (1u << g_test_rand_int_range(1, bits));
}

static inline int
check(const struct shmvideo_format *format)
{
  return shmv_format_check_layout(format, format->n_planes, format->stride,
                                  format->offset, format->size);
}

/* What a GstVideoInfo says of the planes. */
static inline void
copy_layout(struct shmvideo_format *format, const GstVideoInfo *info)
{
  format->n_planes = info->finfo->n_planes;
  format->size = info->size;
  for (guint p = 0; p < format->n_planes; p++) {
    format->stride[p] = (guint)info->stride[p];
    format->offset[p] = info->offset[p];
  }
}

#endif
