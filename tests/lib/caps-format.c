/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Formats as caps texts and back, with GstVideoInfo as the witness of what a
 * text means.
 */

#include <errno.h>
#include <gst/video/video.h>
#include <string.h>

#include "format.h"

static int
pick(int n)
{
  return g_test_rand_int_range(0, n);
}

static struct shmvideo_format
read_format(const char *text)
{
  struct shmvideo_format format;
  struct shmvideo_error error;
  if (shmvideo_format_from_caps(&format, text, &error) != 0)
    g_error("\"%s\": %s", text, error.message);
  return format;
}

/* What GStreamer makes of a text that is canonical in its eyes too. */
static GstVideoInfo
read_info(const char *text)
{
  GstVideoInfo info;
  GstCaps *caps = gst_caps_from_string(text);
  g_assert_true(caps != NULL && gst_caps_is_fixed(caps));
  char *again = gst_caps_to_string(caps);
  g_assert_cmpstr(again, ==, text);
  if (!gst_video_info_from_caps(&info, caps))
    g_error("GStreamer finds no format in \"%s\"", text);
  g_free(again);
  gst_caps_unref(caps);
  return info;
}

/* Where GStreamers after 1.22 do otherwise: format-table.h says more. */
static gboolean
differs_later(const struct shmvideo_format *format)
{
  guint major, minor, micro, nano;
  gst_version(&major, &minor, &micro, &nano);
  return minor > 22 &&
         (format->pixel_format == GST_VIDEO_FORMAT_NV12_16L32S ||
          (format->pixel_format == GST_VIDEO_FORMAT_UYVP && format->width % 2));
}

static void
assert_layout(const struct shmvideo_format *format, const GstVideoInfo *info)
{
  g_assert_cmpuint(format->pixel_format, ==, GST_VIDEO_INFO_FORMAT(info));
  g_assert_cmpint((int)format->width, ==, GST_VIDEO_INFO_WIDTH(info));
  g_assert_cmpint((int)format->height, ==, GST_VIDEO_INFO_HEIGHT(info));
  g_assert_cmpuint(format->n_planes, ==, GST_VIDEO_INFO_N_PLANES(info));
  if (differs_later(format))
    return;
  g_assert_cmpuint(format->size, ==, GST_VIDEO_INFO_SIZE(info));
  for (guint i = 0; i < format->n_planes; i++) {
    g_assert_cmpint((int)format->stride[i], ==,
                    GST_VIDEO_INFO_PLANE_STRIDE(info, i));
    g_assert_cmpuint(format->offset[i], ==,
                     GST_VIDEO_INFO_PLANE_OFFSET(info, i));
  }
}

static void
assert_rate(const struct shmvideo_format *format, const GstVideoInfo *info)
{
  /* GstVideoInfo has one place for both rates. */
  gboolean max = format->fps_n == 0 && format->max_fps_n != 0;
  g_assert_cmpint((int)(max ? format->max_fps_n : format->fps_n), ==,
                  GST_VIDEO_INFO_FPS_N(info));
  g_assert_cmpint((int)(max ? format->max_fps_d : format->fps_d), ==,
                  GST_VIDEO_INFO_FPS_D(info));
}

static void
assert_color(const struct shmvideo_format *format,
             const GstVideoColorimetry *color)
{
  g_assert_cmpuint(format->color_range, ==, color->range);
  g_assert_cmpuint(format->color_matrix, ==,
                   gst_video_color_matrix_to_iso(color->matrix));
  g_assert_cmpuint(format->color_transfer, ==,
                   gst_video_transfer_function_to_iso(color->transfer));
  g_assert_cmpuint(format->color_primaries, ==,
                   gst_video_color_primaries_to_iso(color->primaries));
}

/* A format and GstVideoInfo say the same; colours and chroma only if said, for
 * otherwise GStreamer assumes some. */
static void
assert_same(const struct shmvideo_format *format, const GstVideoInfo *info)
{
  assert_layout(format, info);
  assert_rate(format, info);
  g_assert_cmpint((int)format->par_n, ==, GST_VIDEO_INFO_PAR_N(info));
  g_assert_cmpint((int)format->par_d, ==, GST_VIDEO_INFO_PAR_D(info));
  g_assert_cmpint((int)format->views, ==, GST_VIDEO_INFO_VIEWS(info));
  g_assert_cmpuint(format->interlace_mode, ==,
                   GST_VIDEO_INFO_INTERLACE_MODE(info));
  g_assert_cmpuint(format->field_order, ==, GST_VIDEO_INFO_FIELD_ORDER(info));
  if (format->chroma_site != 0)
    g_assert_cmpuint(format->chroma_site, ==, GST_VIDEO_INFO_CHROMA_SITE(info));
  if (format->color_range != 0)
    assert_color(format, &GST_VIDEO_INFO_COLORIMETRY(info));
}

/* ---- random formats ----------------------------------------------------- */

/* Ones that this GStreamer knows too. */
static const GstVideoFormatInfo *
random_pixel_format(void)
{
  for (;;) {
    guint id = (guint)pick(200);
    const char *name = shmvideo_pixel_format_name(id);
    if (name != NULL && gst_video_format_from_string(name) == id)
      return gst_video_format_get_info(id);
  }
}

/* Colours that GstVideoInfo does not correct; numbers that both sides have. */
static void
set_random_color(struct shmvideo_format *format, const GstVideoFormatInfo *info)
{
  static const guint matrices[] = {4, 1, 6, 7, 9};
  static const guint transfers[] = {2, 8, 4, 1, 7, 13, 5, 9, 10, 15, 14, 16, 18,
                                    6};
  static const guint primaries[] = {2, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22};
  gboolean rgb = GST_VIDEO_FORMAT_INFO_IS_RGB(info);
  format->color_matrix = format->color_transfer = format->color_primaries = 2;
  if (pick(3) == 0)
    return;
  format->color_range = 1 + (guint)pick(2);
  format->color_matrix = rgb ? 0 : matrices[pick(G_N_ELEMENTS(matrices))];
  format->color_transfer = transfers[pick(G_N_ELEMENTS(transfers))];
  format->color_primaries = primaries[pick(G_N_ELEMENTS(primaries))];
}

static void
set_random_fraction(guint *n, guint *d)
{
  static const guint fractions[][2] = {{1, 1}, {30, 1}, {30000, 1001}, {1, 3},
                                       {G_MAXINT, 2}, {60, 1}, {12, 11}};
  const guint *fraction = fractions[pick(G_N_ELEMENTS(fractions))];
  *n = fraction[0];
  *d = fraction[1];
}

static struct shmvideo_format
random_format(void)
{
  static const guint sites[] = {1, 2, 4, 6, 8, 10, 12, 14};
  const GstVideoFormatInfo *info = random_pixel_format();
  struct shmvideo_format format = {
      .pixel_format = GST_VIDEO_FORMAT_INFO_FORMAT(info),
      .width = 1 + (guint)pick(pick(2) ? 100 : 8000),
      .height = 1 + (guint)pick(pick(2) ? 100 : 5000),
      .interlace_mode = (guint)pick(5),
      .views = 1 + (guint)(pick(4) == 0),
      .fps_d = 1, .max_fps_d = 1, .par_n = 1, .par_d = 1,
  };
  if (format.interlace_mode != SHMVIDEO_PROGRESSIVE)
    format.field_order = (guint)pick(3);
  if (pick(4))
    set_random_fraction(&format.fps_n, &format.fps_d);
  else if (pick(2))
    set_random_fraction(&format.max_fps_n, &format.max_fps_d);
  if (pick(2))
    set_random_fraction(&format.par_n, &format.par_d);
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA(info))
    format.alpha_mode = pick(3) ? SHMVIDEO_ALPHA_STRAIGHT
                                : SHMVIDEO_ALPHA_PREMULTIPLIED;
  if (GST_VIDEO_FORMAT_INFO_IS_YUV(info) && pick(2))
    format.chroma_site = sites[pick(G_N_ELEMENTS(sites))];
  set_random_color(&format, info);
  g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==, 0);
  return format;
}

static void
test_round_trip(void)
{
  guint n_valid_sites = 0;
  for (int round = 0; round < 5000; round++) {
    struct shmvideo_format format = random_format();
    char text[512];
    int length = shmvideo_format_to_caps(&format, text, sizeof text);
    g_assert_cmpint(length, ==, (int)strlen(text));
    struct shmvideo_format again = read_format(text);
    g_assert_cmpmem(&format, sizeof format, &again, sizeof again);
    GstVideoInfo info = read_info(text);
    /* GStreamer corrects sites that a format's subsampling cannot have. */
    if (GST_VIDEO_INFO_CHROMA_SITE(&info) != format.chroma_site)
      format.chroma_site = 0;
    else
      n_valid_sites += format.chroma_site != 0;
    assert_same(&format, &info);
  }
  g_assert_cmpuint(n_valid_sites, >, 250);
}

/* What GStreamer writes, with all that it assumes, means the same to us. */
static void
test_gstreamers_text(void)
{
  for (int round = 0; round < 5000; round++) {
    struct shmvideo_format format = random_format();
    char text[512];
    shmvideo_format_to_caps(&format, text, sizeof text);
    GstVideoInfo info = read_info(text), again;
    GstCaps *caps = gst_video_info_to_caps(&info);
    char *theirs = gst_caps_to_string(caps);
    g_assert_true(gst_video_info_from_caps(&again, caps));
    struct shmvideo_format read = read_format(theirs);
    assert_same(&read, &again);
    g_assert_cmpuint(read.chroma_site, ==, GST_VIDEO_INFO_CHROMA_SITE(&again));
    assert_color(&read, &GST_VIDEO_INFO_COLORIMETRY(&again));
    g_free(theirs);
    gst_caps_unref(caps);
  }
}

/* ---- texts -------------------------------------------------------------- */

#define SIZED "video/x-raw, format=RGBA, width=4, height=2"

static void
test_defaults(void)
{
  struct shmvideo_format format = read_format(SIZED);
  const struct shmvideo_format expected = {
      .pixel_format = SHMVIDEO_FORMAT_RGBA, .width = 4, .height = 2,
      .fps_d = 1, .max_fps_d = 1, .par_n = 1, .par_d = 1, .views = 1,
      .color_matrix = 2, .color_transfer = 2, .color_primaries = 2,
      .alpha_mode = SHMVIDEO_ALPHA_STRAIGHT,
      .n_planes = 1, .stride = {16}, .size = 32};
  g_assert_cmpmem(&format, sizeof format, &expected, sizeof expected);
}

static void
test_canonical(void)
{
  static const struct {
    struct shmvideo_format format;
    const char *text;
  } cases[] = {
      {{.pixel_format = SHMVIDEO_FORMAT_RGBA, .width = 320, .height = 240},
       "video/x-raw, format=(string)RGBA, width=(int)320, height=(int)240, "
       "framerate=(fraction)0/1, interlace-mode=(string)progressive"},
      {{.pixel_format = SHMVIDEO_FORMAT_NV12, .width = 2, .height = 4,
        .fps_n = 60, .fps_d = 2, .par_n = 8, .par_d = 6, .color_range = 2,
        .color_matrix = 1, .color_transfer = 1, .color_primaries = 1,
        .chroma_site = 2, .views = 1},
       "video/x-raw, format=(string)NV12, width=(int)2, height=(int)4, "
       "framerate=(fraction)30/1, interlace-mode=(string)progressive, "
       "pixel-aspect-ratio=(fraction)4/3, chroma-site=(string)mpeg2, "
       "colorimetry=(string)bt709"},
      {{.pixel_format = SHMVIDEO_FORMAT_BGRA, .width = 1, .height = 1,
        .max_fps_n = 50, .max_fps_d = 1, .interlace_mode = SHMVIDEO_ALTERNATE,
        .field_order = 2, .views = 2, .color_transfer = 13,
        .alpha_mode = SHMVIDEO_ALPHA_PREMULTIPLIED},
       "video/x-raw(format:Interlaced), format=(string)BGRA, width=(int)1, "
       "height=(int)1, framerate=(fraction)0/1, max-framerate=(fraction)50/1, "
       "interlace-mode=(string)alternate, "
       "field-order=(string)bottom-field-first, colorimetry=(string)0:1:7:0, "
       "views=(int)2, premultiplied-alpha=(boolean)true"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    char text[512];
    size_t n = strlen(cases[i].text);
    g_assert_cmpint(shmvideo_format_to_caps(&cases[i].format, text, n + 1), ==,
                    (int)n);
    g_assert_cmpstr(text, ==, cases[i].text);
    read_info(text);
    for (size_t size = 0; size <= n; size++) {
      char *exact = g_malloc(size);
      g_assert_cmpint(shmvideo_format_to_caps(&cases[i].format, exact, size),
                      ==, -ENOSPC);
      g_free(exact);
    }
    g_assert_cmpint(shmvideo_format_to_caps(&cases[i].format, NULL, 0), ==,
                    -ENOSPC);
  }
}

static void
test_not_expressible(void)
{
  const struct shmvideo_format good = {.pixel_format = SHMVIDEO_FORMAT_I420,
                                       .width = 2, .height = 2};
  char text[512];
  g_assert_cmpint(shmvideo_format_to_caps(&good, text, sizeof text), >, 0);
#define REFUSED(change)                                                    \
  do {                                                                     \
    struct shmvideo_format f = good;                                       \
    change;                                                                \
    g_assert_cmpint(shmvideo_format_to_caps(&f, text, sizeof text), ==,    \
                    -EINVAL);                                              \
  } while (0)
  REFUSED(f.pixel_format = 0);
  REFUSED(f.pixel_format = 1);
  REFUSED(f.pixel_format = G_MAXUINT);
  REFUSED(f.width = 0);
  REFUSED(f.width = 1u << 31);
  REFUSED(f.height = 0);
  REFUSED(f.height = G_MAXUINT);
  REFUSED(f.fps_n = 30);
  REFUSED(f.max_fps_n = 30);
  REFUSED(f.par_n = 1);
  REFUSED(f.fps_n = f.fps_d = 1u << 31);
  REFUSED(f.views = 1u << 31);
  REFUSED(f.interlace_mode = 5);
  REFUSED(f.field_order = 3);
  REFUSED(f.color_range = 3);
  REFUSED(f.alpha_mode = 3);
#undef REFUSED
}

static void
test_refused(void)
{
  static const struct {
    int code;
    const char *text, *says;
  } cases[] = {
      {-EINVAL, "video/x-raw, ,", "expected the name of a field"},
      {-EINVAL, "ANY", "not one format"},
      {-EINVAL, SIZED ", x=[ 1, 2 ]", "not one format"},
      {-EINVAL, "a/b; " SIZED, "not one format"},
      {-EMEDIUMTYPE, "image/jpeg, width=4, height=2", "image/jpeg is not raw"},
      {-EMEDIUMTYPE, "video/x-h264", "video/x-h264 is not raw video"},
      {-EMEDIUMTYPE, "video/x-raw(memory:DMABuf), format=RGBA",
       "memory:DMABuf"},
      {-EMEDIUMTYPE, "video/x-raw(meta:X), format=RGBA", "meta:X"},
      {-EMEDIUMTYPE, "video/x-raw, format=rgba, width=4, height=2",
       "\"rgba\" is unknown"},
      {-EMEDIUMTYPE, "video/x-raw, format=ENCODED, width=4, height=2",
       "\"ENCODED\" is unknown"},
      {-EMEDIUMTYPE, "video/x-raw, format=(string)\"RGB\\033[2J\"",
       "\"RGB\" is unknown"},
      {-EINVAL, "video/x-raw, width=4, height=2", "format is missing"},
      {-EINVAL, "video/x-raw, format=5, width=4, height=2", "not a string"},
      {-EINVAL, "video/x-raw, format=RGBA, height=2", "width is missing"},
      {-EINVAL, "video/x-raw, format=RGBA, width=4", "height is missing"},
      {-EINVAL, "video/x-raw, format=RGBA, width=0, height=2", "width is less"},
      {-EINVAL, "video/x-raw, format=RGBA, width=-4, height=2", "width is"},
      {-EINVAL, "video/x-raw, format=RGBA, width=(uint)4, height=2",
       "width is not an int"},
      {-EOVERFLOW, "video/x-raw, format=RGBA, width=max, height=max",
       "too large"},
      {-EINVAL, SIZED ", framerate=30", "framerate is not a fraction"},
      {-EINVAL, SIZED ", framerate=-30/1", "framerate is negative"},
      {-EINVAL, SIZED ", max-framerate=-1/1", "max-framerate is negative"},
      {-EINVAL, SIZED ", pixel-aspect-ratio=0/1", "ratio is not positive"},
      {-EINVAL, SIZED ", interlace-mode=woven", "interlace-mode is unknown"},
      {-EINVAL, SIZED ", interlace-mode=alternate", "format:Interlaced"},
      {-EINVAL, SIZED ", views=0", "views is less"},
      {-EINVAL, SIZED ", colorimetry=5", "colorimetry is not a string"},
      {-EINVAL, SIZED ", chroma-site=true", "chroma-site is not a string"},
      {-EINVAL, SIZED ", premultiplied-alpha=1", "is not a boolean"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    struct shmvideo_error error = {0};
    struct shmvideo_format format, before;
    memset(&before, 0x5a, sizeof before);
    format = before;
    g_test_message("%s", cases[i].text);
    g_assert_cmpint(shmvideo_format_from_caps(&format, cases[i].text, &error),
                    ==, cases[i].code);
    g_assert_cmpint(error.code, ==, cases[i].code);
    if (strstr(error.message, cases[i].says) == NULL)
      g_error("\"%s\" does not say \"%s\"", error.message, cases[i].says);
    g_assert_cmpmem(&format, sizeof format, &before, sizeof before);
    g_assert_cmpint(shmvideo_format_from_caps(&format, cases[i].text, NULL), ==,
                    cases[i].code);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
#define TEST(name, function) g_test_add_func("/caps-format/" name, function)
  TEST("random-formats-survive-the-way-through-text", test_round_trip);
  TEST("what-gstreamer-writes-is-read-as-it-is-meant", test_gstreamers_text);
  TEST("fields-left-out-have-their-usual-value", test_defaults);
  TEST("texts-are-canonical-and-never-cut-off", test_canonical);
  TEST("what-gstreamer-cannot-hold-is-not-written", test_not_expressible);
  TEST("unfit-caps-are-refused-with-the-reason", test_refused);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
