/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The table of pixel formats against the GStreamer that is installed: every
 * format it knows, in every way to interlace, at many sizes. A format of a newer
 * GStreamer is checked against numbers worked out by hand.
 */

#include "formats.h"

/* Edges of everything the layouts round to, and sizes that people use. */
static const guint sizes[] = {
    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,  12,
    13,   14,   15,   16,   17,   18,   19,   20,   21,   22,   23,  24,
    25,   26,   27,   28,   29,   30,   31,   32,   33,   34,   35,  47,
    48,   49,   50,   63,   64,   65,   66,   95,   96,   97,   127, 128,
    129,  130,  191,  192,  193,  255,  256,  257,  258,  319,  320, 385,
    719,  720,  1080, 1088, 1919, 1920, 2160, 3840, 4320, 7680, 8191};

static void
test_names(void)
{
  GArray *list = gst_formats();
  GString *missing = g_string_new(NULL);
  FOR_EACH_FORMAT(id, list) {
    const char *name = gst_video_format_to_string(id);
    if (shmvideo_pixel_format_name(id) == NULL) {
      g_string_append_printf(missing, " %s=%u", name, id);
      continue;
    }
    g_assert_cmpstr(shmvideo_pixel_format_name(id), ==, name);
    g_assert_cmpuint(shmvideo_pixel_format_from_name(name), ==, id);
  }
  if (missing->len > 0)
    g_error("formats of GStreamer %s that are not in format-table.h:%s",
            gst_version_string(), missing->str);
  g_string_free(missing, TRUE);
  g_array_unref(list);
}

static void
test_no_other_names(void)
{
  guint n = 0;
  for (guint id = 0; id < 1000; id++) {
    const char *name = shmvideo_pixel_format_name(id);
    if (name == NULL) {
      g_assert_cmpuint(shmv_pixel_format_n_planes(id), ==, 0);
      g_assert_false(shmv_pixel_format_has_alpha(id));
      continue;
    }
    n++;
    g_assert_cmpuint(shmvideo_pixel_format_from_name(name), ==, id);
    guint gst = gst_video_format_from_string(name);
    g_assert_true(gst == id || gst == GST_VIDEO_FORMAT_UNKNOWN);
  }
  g_assert_cmpuint(n, ==, 139);
  g_assert_null(shmvideo_pixel_format_name(UINT32_MAX));
  static const char *const none[] = {"", "rgba", "RGBA ", "RGB", "UNKNOWN",
                                     "ENCODED", "DMA_DRM", NULL};
  for (guint i = 0; i < G_N_ELEMENTS(none); i++)
    g_assert_cmpuint(shmvideo_pixel_format_from_name(none[i]), ==,
                     g_strcmp0(none[i], "RGB") == 0 ? SHMVIDEO_FORMAT_RGB : 0);
}

static void
test_header_constants(void)
{
#define ENTRY(name) {SHMVIDEO_FORMAT_##name, #name}
  static const struct {
    guint id;
    const char *name;
  } constants[] = {
      ENTRY(I420), ENTRY(YV12), ENTRY(YUY2), ENTRY(UYVY), ENTRY(RGBx),
      ENTRY(BGRx), ENTRY(xRGB), ENTRY(xBGR), ENTRY(RGBA), ENTRY(BGRA),
      ENTRY(ARGB), ENTRY(ABGR), ENTRY(RGB), ENTRY(BGR), ENTRY(Y42B),
      ENTRY(YVYU), ENTRY(Y444), ENTRY(NV12), ENTRY(NV21), ENTRY(GRAY8),
      ENTRY(GRAY16_LE), ENTRY(A420), ENTRY(NV16), ENTRY(I420_10LE),
      ENTRY(P010_10LE), ENTRY(RGB10A2_LE), ENTRY(RGBA64_LE)};
#undef ENTRY
  for (guint i = 0; i < G_N_ELEMENTS(constants); i++)
    g_assert_cmpstr(shmvideo_pixel_format_name(constants[i].id), ==,
                    constants[i].name);
}

static void
test_planes_and_alpha(void)
{
  GArray *list = gst_formats();
  FOR_EACH_FORMAT(id, list) {
    const GstVideoFormatInfo *info = gst_video_format_get_info(id);
    /* Its alpha plane was always there, the flag is not before 1.24. */
    gboolean alpha =
        GST_VIDEO_FORMAT_INFO_HAS_ALPHA(info) || id == GST_VIDEO_FORMAT_AV12;
    g_assert_cmpuint(shmv_pixel_format_n_planes(id), ==, info->n_planes);
    if (shmv_pixel_format_has_alpha(id) != alpha)
      g_error("%s: alpha", info->name);
  }
  g_array_unref(list);
}

/* What GStreamer cannot represent: int strides, 16-bit tile counts. */
static gboolean
gst_overflows(const GstVideoInfo *info, guint width, guint height)
{
  gboolean tiled = is_tiled(GST_VIDEO_INFO_FORMAT(info));
  guint limit = tiled ? 4 * 32767 : G_MAXINT / 8;
  return width > limit || height > limit || info->size > G_MAXINT;
}

/* Where GStreamers after 1.22 do otherwise: format-table.h says more. */
static gboolean
differs_later(guint id, guint width)
{
  guint major, minor, micro, nano;
  gst_version(&major, &minor, &micro, &nano);
  return minor > 22 && (id == GST_VIDEO_FORMAT_NV12_16L32S ||
                        (id == GST_VIDEO_FORMAT_UYVP && width % 2 != 0));
}

/* 1: GStreamer has a layout, and it is ours. 0: it has none. */
static guint
compare_layout(guint id, guint mode, guint width, guint height)
{
  GstVideoInfo info;
  struct shmvideo_format format = make(id, mode, width, height);
  if (!gst_video_info_set_interlaced_format(&info, id, mode, width, height))
    return 0;
  memset(format.stride, 0xa5, sizeof format.stride);
  memset(format.offset, 0xa5, sizeof format.offset);
  int r = shmv_format_default_layout(&format);
  if (r == -EOVERFLOW && gst_overflows(&info, width, height))
    return 0;
  if (differs_later(id, width)) {
    copy_layout(&format, &info);
    g_assert_cmpint(check(&format), ==, 0);
    return 1;
  }
  gboolean equal = r == 0 && format.n_planes == info.finfo->n_planes &&
                   format.size == info.size;
  for (guint i = 0; equal && i < format.n_planes; i++)
    equal = format.stride[i] == (guint)info.stride[i] &&
            format.offset[i] == info.offset[i];
  for (guint i = format.n_planes; equal && i < SHMVIDEO_MAX_PLANES; i++)
    equal = format.stride[i] == 0 && format.offset[i] == 0;
  if (!equal)
    g_error("%s %ux%u mode %u: result %d; ours: strides %u %u %u %u, offsets "
            "%" PRIu64 " %" PRIu64 " %" PRIu64 ", size %" PRIu64
            "; GStreamer's: strides %d %d %d %d, offsets %zu %zu %zu, size %zu",
            info.finfo->name, width, height, mode, r, format.stride[0],
            format.stride[1], format.stride[2], format.stride[3],
            format.offset[1], format.offset[2], format.offset[3], format.size,
            info.stride[0], info.stride[1], info.stride[2], info.stride[3],
            info.offset[1], info.offset[2], info.offset[3], info.size);
  return 1;
}

static void
test_layouts(void)
{
  GArray *list = gst_formats();
  guint n = 0, asked = 0;
  FOR_EACH_FORMAT(id, list)
    for (guint m = 0; m < G_N_ELEMENTS(modes); m++)
      for (guint w = 0; w < G_N_ELEMENTS(sizes); w++)
        for (guint h = 0; h < G_N_ELEMENTS(sizes); h++, asked++)
          n += compare_layout(id, modes[m], sizes[w], sizes[h]);
  g_test_message("%u of %u layouts equal GStreamer's", n, asked);
  g_assert_cmpuint(n, ==, asked);
  g_array_unref(list);
}

static void
test_random_layouts(void)
{
  GArray *list = gst_formats();
  guint n = 0;
  FOR_EACH_FORMAT(id, list)
    for (guint i = 0; i < 5000; i++)
      n += compare_layout(id, modes[i % G_N_ELEMENTS(modes)], random_size(18),
                          random_size(18));
  g_test_message("%u random layouts equal GStreamer's", n);
  g_assert_cmpuint(n, >, 3000 * list->len);
  g_array_unref(list);
}

/* ---- formats newer than GStreamer 1.22 ------------------------------------- */

#define TILES(x, y) ((y) << 16 | (x))

/* 35 x 19 pixels, progressive and as one field (10 lines) of two. */
static const struct {
  const char *name;
  guint id, n_planes, alpha, stride[4];
  guint64 offset[4], size, alternate_size;
} newer[] = {
    {"NV12_10LE40_4L4", 113, 2, 0, {TILES(9, 5), TILES(9, 3)},
     {0, 900}, 1440, 1440},
    {"MT2110T", 115, 2, 0, {TILES(3, 1), TILES(3, 1)}, {0, 1920}, 2880, 2880},
    {"MT2110R", 116, 2, 0, {TILES(3, 1), TILES(3, 1)}, {0, 1920}, 2880, 2880},
    {"A422", 117, 4, 1, {36, 20, 20, 36}, {0, 720, 1120, 1520}, 2240, 1120},
    {"A444", 118, 4, 1, {36, 36, 36, 36}, {0, 720, 1440, 2160}, 2880, 1440},
    {"A444_12LE", 119, 4, 1, {72, 72, 72, 72},
     {0, 1368, 2736, 4104}, 5472, 2880},
    {"A444_12BE", 120, 4, 1, {72, 72, 72, 72},
     {0, 1368, 2736, 4104}, 5472, 2880},
    {"A422_12LE", 121, 4, 1, {72, 36, 36, 72},
     {0, 1440, 2160, 2880}, 4320, 2160},
    {"A422_12BE", 122, 4, 1, {72, 36, 36, 72},
     {0, 1440, 2160, 2880}, 4320, 2160},
    {"A420_12LE", 123, 4, 1, {72, 36, 36, 72},
     {0, 1440, 1800, 2160}, 3600, 1872},
    {"A420_12BE", 124, 4, 1, {72, 36, 36, 72},
     {0, 1440, 1800, 2160}, 3600, 1872},
    {"A444_16LE", 125, 4, 1, {72, 72, 72, 72},
     {0, 1368, 2736, 4104}, 5472, 2880},
    {"A444_16BE", 126, 4, 1, {72, 72, 72, 72},
     {0, 1368, 2736, 4104}, 5472, 2880},
    {"A422_16LE", 127, 4, 1, {72, 36, 36, 72},
     {0, 1440, 2160, 2880}, 4320, 2160},
    {"A422_16BE", 128, 4, 1, {72, 36, 36, 72},
     {0, 1440, 2160, 2880}, 4320, 2160},
    {"A420_16LE", 129, 4, 1, {72, 36, 36, 72},
     {0, 1440, 1800, 2160}, 3600, 1872},
    {"A420_16BE", 130, 4, 1, {72, 36, 36, 72},
     {0, 1440, 1800, 2160}, 3600, 1872},
    {"GBR_16LE", 131, 3, 0, {72, 72, 72}, {0, 1368, 2736}, 4104, 2160},
    {"GBR_16BE", 132, 3, 0, {72, 72, 72}, {0, 1368, 2736}, 4104, 2160},
    {"RBGA", 133, 1, 1, {140}, {0}, 2660, 1400},
    {"Y216_LE", 134, 1, 0, {144}, {0}, 2736, 1440},
    {"Y216_BE", 135, 1, 0, {144}, {0}, 2736, 1440},
    {"Y416_LE", 136, 1, 0, {280}, {0}, 5320, 2800},
    {"Y416_BE", 137, 1, 0, {280}, {0}, 5320, 2800},
    {"GRAY10_LE16", 138, 1, 0, {72}, {0}, 1368, 720},
    {"NV16_10LE40", 139, 2, 0, {45, 45}, {0, 900}, 1800, 900},
    {"BGR10x2_LE", 140, 1, 0, {140}, {0}, 2660, 1400},
    {"RGB10x2_LE", 141, 1, 0, {140}, {0}, 2660, 1400},
};

static void
test_newer_formats(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(newer); i++) {
    guint id = newer[i].id;
    g_test_message("%s", newer[i].name);
    struct shmvideo_format format = make(id, SHMVIDEO_PROGRESSIVE, 35, 19);
    g_assert_cmpstr(shmvideo_pixel_format_name(id), ==, newer[i].name);
    g_assert_cmpuint(shmv_pixel_format_has_alpha(id), ==, newer[i].alpha);
    g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
    g_assert_cmpuint(format.n_planes, ==, newer[i].n_planes);
    g_assert_cmpmem(format.stride, sizeof format.stride, newer[i].stride,
                    sizeof newer[i].stride);
    g_assert_cmpmem(format.offset, sizeof format.offset, newer[i].offset,
                    sizeof newer[i].offset);
    g_assert_cmpuint(format.size, ==, newer[i].size);
    format.interlace_mode = SHMVIDEO_ALTERNATE;
    g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
    g_assert_cmpuint(format.size, ==, newer[i].alternate_size);
  }
  /* Tiles that are as many for one field as for the frame: 3 x 3 of 16 x 32. */
  for (guint id = 115; id <= 116; id++) {
    struct shmvideo_format format = make(id, SHMVIDEO_ALTERNATE, 35, 67);
    g_assert_cmpint(shmv_format_default_layout(&format), ==, 0);
    g_assert_cmpuint(format.stride[1], ==, TILES(3, 3));
    g_assert_cmpuint(format.size, ==, 9 * (640 + 320));
  }
}

/* ---- the rest ------------------------------------------------------------- */

static void
test_large_sizes(void)
{
  static const struct {
    guint id, mode, width, height;
    int result;
  } cases[] = {
      {11, 0, 0, 1, -EINVAL}, {11, 0, 1, 0, -EINVAL}, {11, 5, 1, 1, -EINVAL},
      {25, 0, UINT32_MAX, 1, -EOVERFLOW}, {25, 0, 1, UINT32_MAX, -EOVERFLOW},
      {25, 4, 1, 1u << 31, -EOVERFLOW}, {25, 0, INT32_MAX - 3, 1, 0},
      {25, 0, INT32_MAX, 1, -EOVERFLOW}, /* its stride would be 2^31 */
      {25, 0, 1, INT32_MAX, 0}, {11, 0, (1u << 29) - 1, 1, 0},
      {11, 0, 1u << 29, 1, -EOVERFLOW}, {11, 0, 1u << 19, 1u << 19, 0},
      {11, 0, 1u << 19, (1u << 19) + 1, -EOVERFLOW},
      {125, 0, INT32_MAX, INT32_MAX, -EOVERFLOW},
      {97, 0, 4 * 65535, 4 * 32767, 0}, {97, 0, 4 * 65535 + 1, 1, -EOVERFLOW},
      {97, 0, 1, 4 * 32767 + 1, -EOVERFLOW},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    struct shmvideo_format format = make(cases[i].id, cases[i].mode,
                                         cases[i].width, cases[i].height);
    const struct shmvideo_format before = format;
    g_assert_cmpint(shmv_format_default_layout(&format), ==, cases[i].result);
    if (cases[i].result < 0)
      g_assert_cmpmem(&format, sizeof format, &before, sizeof before);
    else
      g_assert_cmpint(check(&format), ==, 0);
  }
}

static void
test_default_fields(void)
{
  struct shmvideo_format format = make(SHMVIDEO_FORMAT_RGBA, 0, 320, 240);
  g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==, 0);
  g_assert_cmpuint(format.size, ==, 320 * 240 * 4);
  g_assert_cmpuint(format.fps_n, ==, 0);
  g_assert_cmpuint(format.fps_d, ==, 1);
  g_assert_cmpuint(format.max_fps_d, ==, 1);
  g_assert_cmpuint(format.par_n, ==, 1);
  g_assert_cmpuint(format.par_d, ==, 1);
  g_assert_cmpuint(format.views, ==, 1);
  g_assert_cmpuint(format.alpha_mode, ==, SHMVIDEO_ALPHA_STRAIGHT);

  format = make(SHMVIDEO_FORMAT_NV12, 0, 320, 240);
  format.fps_n = 30000, format.fps_d = 1001;
  format.par_n = 4, format.par_d = 3, format.views = 2;
  g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==, 0);
  g_assert_cmpuint(format.fps_n, ==, 30000);
  g_assert_cmpuint(format.fps_d, ==, 1001);
  g_assert_cmpuint(format.par_n, ==, 4);
  g_assert_cmpuint(format.par_d, ==, 3);
  g_assert_cmpuint(format.views, ==, 2);
  g_assert_cmpuint(format.alpha_mode, ==, SHMVIDEO_ALPHA_NONE);

  format.width = 0;
  g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==, -EINVAL);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/format/" name, function)
  TEST("numbers-and-names-are-gstreamers", test_names);
  TEST("no-name-means-two-formats", test_no_other_names);
  TEST("constants-of-the-header-are-in-the-table", test_header_constants);
  TEST("planes-and-alpha-are-gstreamers", test_planes_and_alpha);
  TEST("layouts-are-gstreamers-to-the-byte", test_layouts);
  TEST("random-layouts-are-gstreamers-to-the-byte", test_random_layouts);
  TEST("formats-of-newer-gstreamers-have-the-right-layout", test_newer_formats);
  TEST("sizes-too-large-are-refused", test_large_sizes);
  TEST("fields-left-empty-get-their-usual-value", test_default_fields);
#undef TEST
  return g_test_run();
}
