/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Planes at multiples of a power of two, in every format: inside the frame, and apart
 * from each other.
 */

#include <gst/video/video.h>
#include <string.h>

#include "format.h"

static const uint32_t sizes[][2] = {{1, 1}, {3, 5}, {321, 241}, {1919, 1079}};
static const uint32_t aligns[] = {1, 16, 64, 256, 4096};

static void
check(uint32_t pixel_format, uint32_t width, uint32_t height, uint32_t align)
{
  struct shmvideo_format plain = {.pixel_format = pixel_format, .width = width,
                                  .height = height}, format;
  g_assert_cmpint(shmv_format_default_layout(&plain), ==, 0);
  format = plain;
  g_assert_cmpint(shmv_format_align(&format, align), ==, 0);
  g_assert_cmpuint(shmv_format_alignment(&format), >=, align);
  g_assert_cmpint(shmv_format_check_layout(&format, format.n_planes,
                                           format.stride, format.offset,
                                           format.size), ==, 0);
  for (uint32_t i = 0; i < format.n_planes; i++) {
    uint64_t was = (i + 1 < plain.n_planes ? plain.offset[i + 1] : plain.size) -
                   plain.offset[i];
    uint64_t is = (i + 1 < format.n_planes ? format.offset[i + 1] : format.size) -
                  format.offset[i];
    g_assert_cmpuint(is, >=, was);
    g_assert_cmpuint(format.offset[i] % align, ==, 0);
  }
  if (align <= shmv_format_alignment(&plain))
    g_assert_cmpmem(&plain, sizeof plain, &format, sizeof format);
}

static void
every_format(void)
{
  unsigned n = 0;
  for (uint32_t f = 2; shmvideo_pixel_format_name(f) != NULL || f < 140; f++) {
    if (shmvideo_pixel_format_name(f) == NULL ||
        gst_video_format_from_string(shmvideo_pixel_format_name(f)) ==
            GST_VIDEO_FORMAT_UNKNOWN)
      continue;
    for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++)
      for (unsigned a = 0; a < G_N_ELEMENTS(aligns); a++)
        check(f, sizes[s][0], sizes[s][1], aligns[a]);
    n++;
  }
  g_assert_cmpuint(n, >, 100);
}

static void
too_large(void)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = INT32_MAX - 5, .height = 1};
  struct shmvideo_format before = format;
  if (shmv_format_default_layout(&format) == 0) {
    before = format;
    g_assert_cmpint(shmv_format_align(&format, 4096), <, 0);
    g_assert_cmpmem(&before, sizeof before, &format, sizeof format);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/format-align/every-format", every_format);
  g_test_add_func("/format-align/too-large", too_large);
  return g_test_run();
}
