/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A number in a picture that survives an encoder: 20 squares of 32 x 32 pixels,
 * black or white, along the top, most significant bit first. Read from grey
 * pixels by the mean of each square's middle.
 */

#ifndef STAMP_H
#define STAMP_H

#include <gst/video/video.h>

#define STAMP_BITS 20
#define STAMP_SQUARE 32

/* Write number into the picture: into luma, or into every colour of RGB. */
static inline void
stamp_write (GstVideoFrame * frame, guint number)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  guint n = GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) ? 3 : 1;

  for (guint c = 0; c < n; c++) {
    guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, c);
    gint stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, c);
    gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);

    for (gint y = 0; y < STAMP_SQUARE; y++)
      for (gint x = 0; x < STAMP_BITS * STAMP_SQUARE; x++) {
        guint bit = STAMP_BITS - 1 - (guint) (x / STAMP_SQUARE);

        data[y * stride + x * step] = (number >> bit) & 1 ? 235 : 16;
      }
  }
}

/* Read the number from component 0 (luma, grey, red). */
static inline guint
stamp_read (GstVideoFrame * frame)
{
  const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (frame, 0);
  gint stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, 0);
  gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0);
  guint number = 0;

  for (gint i = 0; i < STAMP_BITS; i++) {
    guint sum = 0;

    for (gint y = 8; y < 24; y++)
      for (gint x = 8; x < 24; x++)
        sum += data[y * stride + (i * STAMP_SQUARE + x) * step];
    number = number << 1 | (sum / 256 > 125);
  }
  return number;
}

#endif
