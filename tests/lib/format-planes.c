/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Where the planes of a frame lie: what a plane must hold, and which layouts
 * that others made are accepted. Nothing here trusts the default layout: the
 * samples are where GStreamer's frames have them.
 */

#include "formats.h"

/* ---- extents ------------------------------------------------------------ */

/* Plane by plane: the bytes that GStreamer's frames have samples in. */
static void
check_extent(const GstVideoInfo *info, const struct shmvideo_format *format)
{
  const GstVideoFrame frame = {.info = *info};
  guint64 wanted_row[4] = {0}, wanted_rows[4] = {0};
  for (guint c = 0; c < info->finfo->n_components; c++) {
    guint p = (guint)GST_VIDEO_FRAME_COMP_PLANE(&frame, c);
    guint64 last = (guint64)(GST_VIDEO_FRAME_COMP_WIDTH(&frame, c) - 1) *
                   (guint64)GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c);
    guint sample = (GST_VIDEO_FRAME_COMP_DEPTH(&frame, c) + 7) / 8;
    guint64 end = last + (guint)GST_VIDEO_FRAME_COMP_POFFSET(&frame, c) + sample;
    if (GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c) > 0)
      wanted_row[p] = MAX(wanted_row[p], end);
    wanted_rows[p] =
        MAX(wanted_rows[p], (guint)GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c));
  }
  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE(info->finfo))
    wanted_row[1] = 4, wanted_rows[1] = 256;
  for (guint p = 0; p < format->n_planes; p++) {
    guint64 row, rows;
    guint64 end =
        p + 1 < format->n_planes ? format->offset[p + 1] : format->size;
    g_assert_cmpint(shmv_format_plane_extent(format, p, format->stride[p], &row,
                                             &rows), ==, 0);
    if (wanted_row[p] > row || wanted_rows[p] != rows ||
        (wanted_row[p] != 0 && row > wanted_row[p] + 6) ||
        row > format->stride[p] ||
        (rows - 1) * format->stride[p] + row > end - format->offset[p])
      g_error("%s %ux%u plane %u: extent %" PRIu64 " x %" PRIu64
              ", samples %" PRIu64 " x %" PRIu64,
              info->finfo->name, format->width, format->height, p, row, rows,
              wanted_row[p], wanted_rows[p]);
  }
}

static void
test_extents(void)
{
  GArray *list = gst_formats();
  FOR_EACH_FORMAT(id, list)
    for (guint i = 0; !is_tiled(id) && i < 3000; i++) {
      guint mode = modes[i % G_N_ELEMENTS(modes)];
      guint width = i < 100 ? i + 1 : random_size(13), height = random_size(13);
      GstVideoInfo info;
      struct shmvideo_format format = make(id, mode, width, height);
      if (!gst_video_info_set_interlaced_format(&info, id, mode, width, height))
        continue;
      g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
      check_extent(&info, &format);
    }
  g_array_unref(list);
}

/* Let GStreamer write one line in the format: nothing may lie behind the extent,
 * and the last byte but 15 must have been written (a group may be padded). Not
 * for UYVP at odd widths, where GStreamer writes beyond its own rows. */
static void
check_packed_line(guint id, guint width)
{
  const GstVideoFormatInfo *info = gst_video_format_get_info(id);
  struct shmvideo_format format = make(id, 0, width, 4);
  g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
  g_autofree guint8 *source = g_malloc(8 * (width + 64) * 4);
  memset(source, 0x11, 8 * (width + 64) * 4);
  gpointer data[4] = {NULL};
  gint stride[4] = {0};
  for (guint p = 0; p < format.n_planes; p++) {
    stride[p] = (gint)format.stride[p];
    data[p] = g_malloc(format.stride[p] * 4 + 1024);
    memset(data[p], 0xa5, format.stride[p] * 4 + 1024);
  }
  info->pack_func(info, 0, source, 8 * ((gint)width + 64), data, stride,
                  GST_VIDEO_CHROMA_SITE_UNKNOWN, 0, (gint)width);
  for (guint p = 0; p < format.n_planes; p++) {
    guint64 row, rows, end = format.stride[p];
    const guint8 *bytes = data[p];
    g_assert_cmpint(shmv_format_plane_extent(&format, p, format.stride[p], &row,
                                             &rows), ==, 0);
    while (end > 0 && bytes[end - 1] == 0xa5)
      end--;
    if (end > row || end + 16 <= row)
      g_error("%s width %u plane %u: GStreamer wrote %" PRIu64
              " bytes, the extent is %" PRIu64, info->name, width, p, end, row);
    g_free(data[p]);
  }
}

static void
test_packed_lines(void)
{
  GArray *list = gst_formats();
  FOR_EACH_FORMAT(id, list)
    for (guint width = 1; width <= 200; width++)
      if (!is_tiled(id) && id != GST_VIDEO_FORMAT_RGB8P &&
          !(id == GST_VIDEO_FORMAT_UYVP && width % 2 != 0))
        check_packed_line(id, width);
  g_array_unref(list);
}

/* ---- layouts that others made --------------------------------------------- */

static void
test_default_is_accepted(void)
{
  for (guint id = 0; id < 200; id++)
    for (guint i = 0; shmvideo_pixel_format_name(id) != NULL && i < 500; i++) {
      struct shmvideo_format format = make(id, modes[i % G_N_ELEMENTS(modes)],
                                           random_size(13), random_size(13));
      g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
      if (check(&format) != 0)
        g_error("%s %ux%u: the default is refused",
                shmvideo_pixel_format_name(id), format.width, format.height);
    }
}

/* A GstVideoInfo with padding around the picture, as far as GStreamer can: to
 * the left and the top what is whole in every plane, strides aligned where a
 * pixel is a number of bytes, no top for single fields, and neither left nor top
 * for tiles. */
static void
align_randomly(GstVideoInfo *info)
{
  GstVideoAlignment align;
  gst_video_alignment_reset(&align);
  gboolean tiled = is_tiled(GST_VIDEO_INFO_FORMAT(info));
  gboolean alternate =
      GST_VIDEO_INFO_INTERLACE_MODE(info) == GST_VIDEO_INTERLACE_MODE_ALTERNATE;
  align.padding_top = tiled || alternate ? 0 : 4 * random_size(4);
  align.padding_left = tiled ? 0 : 48 * random_size(3);
  align.padding_right = random_size(7);
  align.padding_bottom = random_size(7);
  for (guint p = 0; info->finfo->pixel_stride[0] > 0 && p < 4; p++)
    align.stride_align[p] = (1u << g_test_rand_int_range(0, 6)) - 1;
  g_assert_true(gst_video_info_align(info, &align));
}

static void
test_padded_is_accepted(void)
{
  GArray *list = gst_formats();
  FOR_EACH_FORMAT(id, list)
    for (guint i = 0; i < 500; i++) {
      GstVideoInfo info;
      guint mode = modes[i % G_N_ELEMENTS(modes)];
      struct shmvideo_format format =
          make(id, mode, random_size(10), random_size(10));
      g_assert_true(gst_video_info_set_interlaced_format(
          &info, id, mode, format.width, format.height));
      align_randomly(&info);
      copy_layout(&format, &info);
      if (check(&format) != 0)
        g_error("%s %ux%u mode %u padded: refused", info.finfo->name,
                format.width, format.height, mode);
    }
  g_array_unref(list);
}

static void
test_one_byte_out_is_refused(void)
{
  for (guint id = 0; id < 200; id++)
    for (guint i = 0; shmvideo_pixel_format_name(id) != NULL && i < 100; i++) {
      struct shmvideo_format format = make(id, modes[i % G_N_ELEMENTS(modes)],
                                           random_size(13), random_size(13));
      g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
      for (guint p = 0; p < format.n_planes; p++) {
        struct shmvideo_format moved = format;
        guint64 row, rows;
        g_assert_cmpint(shmv_format_plane_extent(&format, p, format.stride[p],
                                                 &row, &rows), ==, 0);
        guint64 extent = (rows - 1) * format.stride[p] + row;
        moved.offset[p] = format.size - extent;
        g_assert_cmpint(check(&moved), ==, 0);
        moved.offset[p]++;
        g_assert_cmpint(check(&moved), ==, -EINVAL);
        moved.offset[p] = UINT64_MAX;
        g_assert_cmpint(check(&moved), ==, -EINVAL);
        moved.offset[p] = UINT64_MAX - extent + 1; /* its end is 0 again */
        g_assert_cmpint(check(&moved), ==, -EINVAL);
      }
    }
}

static void
test_wrong_strides_are_refused(void)
{
  for (guint id = 0; id < 200; id++)
    for (guint i = 0; shmvideo_pixel_format_name(id) != NULL && i < 100; i++) {
      struct shmvideo_format format =
          make(id, 0, 1280 * random_size(3), 256 * random_size(3));
      g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
      format.size = UINT64_MAX / 2;
      for (guint p = 0; p < format.n_planes; p++) {
        struct shmvideo_format bad = format;
        guint64 row, rows;
        g_assert_cmpint(shmv_format_plane_extent(&format, p, format.stride[p],
                                                 &row, &rows), ==, 0);
        gboolean tiled = rows == 1;
        bad.stride[p] = tiled ? format.stride[p] - 1 : (guint32)row;
        g_assert_cmpint(check(&bad), ==, tiled ? -EINVAL : 0);
        bad.stride[p] = tiled ? format.stride[p] - 0x10000 : (guint32)row - 1;
        g_assert_cmpint(check(&bad), ==, -EINVAL);
        bad.stride[p] = 0;
        g_assert_cmpint(check(&bad), ==, -EINVAL);
        bad.stride[p] = INT32_MAX;
        g_assert_cmpint(check(&bad), ==, 0);
        bad.stride[p] = (guint32)INT32_MAX + 1;
        g_assert_cmpint(check(&bad), ==, -EINVAL);
        bad.stride[p] = UINT32_MAX;
        g_assert_cmpint(check(&bad), ==, -EINVAL);
      }
    }
}

static void
test_wrong_formats_are_refused(void)
{
  struct shmvideo_format good = make(SHMVIDEO_FORMAT_NV12, 0, 64, 48), bad;
  guint64 row, rows;
  g_assert_cmpint(shmv_format_default_layout(&good), ==, 0);
  g_assert_cmpint(check(&good), ==, 0);
  guint n_planes[] = {0, 1, 3, 4, 5, UINT32_MAX};
  for (guint i = 0; i < G_N_ELEMENTS(n_planes); i++) {
    bad = good, bad.n_planes = n_planes[i];
    g_assert_cmpint(check(&bad), ==, -EINVAL);
  }
  guint ids[] = {0, 1, 114, 142, UINT32_MAX};
  for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
    bad = good, bad.pixel_format = ids[i];
    g_assert_cmpint(check(&bad), ==, -EINVAL);
    bad.n_planes = 0;
    g_assert_cmpint(check(&bad), ==, -EINVAL);
    g_assert_cmpint(shmv_format_default_layout(&bad), ==, -EMEDIUMTYPE);
  }
  bad = good, bad.interlace_mode = 5;
  g_assert_cmpint(check(&bad), ==, -EINVAL);
  bad = good, bad.width = 0;
  g_assert_cmpint(check(&bad), ==, -EINVAL);
  bad = good, bad.height = UINT32_MAX;
  g_assert_cmpint(check(&bad), ==, -EINVAL);
  g_assert_cmpint(shmv_format_plane_extent(&good, 2, 64, &row, &rows), ==,
                  -EINVAL);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/format-planes/" name, function)
  TEST("extents-cover-the-samples-and-no-more", test_extents);
  TEST("lines-that-gstreamer-writes-fit-the-extent", test_packed_lines);
  TEST("the-default-layout-is-accepted", test_default_is_accepted);
  TEST("padded-layouts-are-accepted", test_padded_is_accepted);
  TEST("a-plane-one-byte-out-is-refused", test_one_byte_out_is_refused);
  TEST("wrong-strides-are-refused", test_wrong_strides_are_refused);
  TEST("wrong-formats-are-refused", test_wrong_formats_are_refused);
#undef TEST
  return g_test_run();
}
