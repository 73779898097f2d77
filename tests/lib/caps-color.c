/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Colours and alpha in caps: names and numbers against GStreamer's tables.
 */

#include "caps-color.h"

#include <gst/video/video.h>
#include <string.h>

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

static void
assert_color_text(const char *text)
{
  GstVideoColorimetry color = {0};
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_I420};
  gst_video_colorimetry_from_string(&color, text);
  shmv_color_from_text(&format, text);
  assert_color(&format, &color);
}

static void
test_color_numbers(void)
{
  static const char *const texts[] = {
      "bt601", "bt709", "smpte240m", "sRGB", "bt2020", "bt2020-10", "bt2100-pq",
      "bt2100-hlg", "BT709", "", "2:3:5", "a:b:c:d", "0:0:0:0"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    assert_color_text(texts[i]);
  for (int n = 0; n < 40; n++)
    for (int field = 0; field < 4; field++) {
      int v[4] = {1, 3, 5, 1};
      v[field] = field == 0 ? n % 3 : n;
      char *text = g_strdup_printf("%d:%d:%d:%d", v[0], v[1], v[2], v[3]);
      assert_color_text(text);
      g_free(text);
    }
}

/* All code points: the text says what GStreamer can say, no more. */
static void
test_code_points(void)
{
  for (guint i = 0; i < 300; i++)
    for (int field = 0; field < 3; field++) {
      struct shmvideo_format format = {
          .pixel_format = SHMVIDEO_FORMAT_I420, .color_range = 1,
          .color_matrix = field == 0 ? i : 1,
          .color_transfer = field == 1 ? i : 1,
          .color_primaries = field == 2 ? i : 1};
      GstVideoColorimetry expected = {
          GST_VIDEO_COLOR_RANGE_0_255,
          gst_video_color_matrix_from_iso(format.color_matrix),
          gst_video_transfer_function_from_iso(format.color_transfer),
          gst_video_color_primaries_from_iso(format.color_primaries)};
      char *theirs = gst_video_colorimetry_to_string(&expected);
      char text[SHMV_COLOR_TEXT_MAX];
      shmv_color_to_text(&format, text);
      g_assert_cmpstr(text, ==, theirs);
      g_free(theirs);
    }
}

static void
test_unfilled_colors(void)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_I420};
  char text[SHMV_COLOR_TEXT_MAX];
  shmv_color_to_text(&format, text);
  g_assert_cmpstr(text, ==, "");
  format.color_matrix = format.color_transfer = format.color_primaries = 2;
  shmv_color_to_text(&format, text);
  g_assert_cmpstr(text, ==, "");
  format.pixel_format = SHMVIDEO_FORMAT_RGBA;
  shmv_color_to_text(&format, text);
  g_assert_cmpstr(text, ==, "");
  format.color_range = 1;
  shmv_color_to_text(&format, text);
  g_assert_cmpstr(text, ==, "1:1:0:0");
}

static void
test_rgb_matrix(void)
{
  for (guint id = 2; id < 200; id++) {
    const char *name = shmvideo_pixel_format_name(id);
    if (name == NULL || gst_video_format_from_string(name) != id)
      continue;
    struct shmvideo_format format = {.pixel_format = id};
    shmv_color_from_text(&format, "bt709");
    gboolean rgb =
        GST_VIDEO_FORMAT_INFO_IS_RGB(gst_video_format_get_info(id));
    g_test_message("%s", name);
    g_assert_cmpuint(format.color_matrix, ==, rgb ? 0 : 1);
  }
}

static void
test_chroma_sites(void)
{
  static const char *const texts[] = {
      "jpeg", "mpeg2", "dv", "alt-line", "cosited", "none", "h-cosited",
      "v-cosited", "h-cosited+v-cosited", "v-cosited+alt-line", "unknown", "",
      "+", "h-cosited+", "JPEG", "h-cosited+foo", "alt-line+h-cosited"};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
    g_assert_cmpuint(shmv_chroma_site_from_text(texts[i]), ==,
                     gst_video_chroma_site_from_string(texts[i]));
  for (guint i = 0; i < 32; i++) {
    char *theirs = gst_video_chroma_site_to_string(i);
    g_assert_cmpstr(shmv_chroma_site_to_text(i), ==, theirs);
    g_free(theirs);
  }
}

static void
test_alpha(void)
{
  static const struct {
    guint mode;
    const char *text;
  } cases[] = {
      {SHMVIDEO_ALPHA_NONE, "video/x-raw,format=RGBx,width=1,height=1,"
                            "premultiplied-alpha=true"},
      {SHMVIDEO_ALPHA_STRAIGHT, "video/x-raw,format=A420,width=1,height=1,"
                                "premultiplied-alpha=false"},
      {SHMVIDEO_ALPHA_PREMULTIPLIED, "video/x-raw,format=BGRA,width=1,"
                                     "height=1,premultiplied-alpha=true"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    struct shmvideo_format format;
    g_assert_cmpint(shmvideo_format_from_caps(&format, cases[i].text, NULL), ==,
                    0);
    g_assert_cmpuint(format.alpha_mode, ==, cases[i].mode);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
#define TEST(name, function) g_test_add_func("/caps-color/" name, function)
  TEST("colours-are-gstreamers", test_color_numbers);
  TEST("code-points-become-gstreamers-numbers", test_code_points);
  TEST("colours-not-filled-in-are-not-said", test_unfilled_colors);
  TEST("rgb-has-the-identity-matrix", test_rgb_matrix);
  TEST("alpha-is-straight-unless-said", test_alpha);
  TEST("chroma-sites-are-gstreamers", test_chroma_sites);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
