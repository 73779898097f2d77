/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Pictures
 *
 * Owns what a picture with certain caps and a certain seed looks like: noise, the
 * same in every process, so that the one that receives it can make it again. One
 * rule: only GStreamer is asked what is visible, never what is being tested.
 */

#ifndef PICTURE_H
#define PICTURE_H

#include <gst/video/video.h>

/* Where the planes of a picture lie in its memory. */
struct layout {
  gsize size;
  gsize offset[GST_VIDEO_MAX_PLANES];
  gint stride[GST_VIDEO_MAX_PLANES];
};

enum layout_kind {
  LAYOUT_DEFAULT,
  LAYOUT_ALIGNED, /* as a decoder asks for it: gst_video_info_align */
  LAYOUT_WIDE,    /* longer rows, gaps between planes, the last plane first */
  LAYOUT_SWAPPED, /* of default size, but the last plane comes first */
};

/* FALSE where GStreamer cannot align a format. */
gboolean layout_make(enum layout_kind kind, const GstVideoInfo *info,
                     struct layout *out);

struct picture {
  GstVideoInfo info;
  guint8 *data; /* default layout */
  const guint8 *plane[GST_VIDEO_MAX_PLANES];
};

void picture_init(struct picture *picture, const GstVideoInfo *info,
                  guint32 seed);
void picture_clear(struct picture *picture);

/* Write a picture where a layout wants it. */
void picture_write(const struct picture *picture, guint8 *data,
                   const struct layout *layout);

/* The visible part of a rectangle of a larger picture, as a picture: what a crop
 * leaves. x and y are whole chroma samples. Only for formats of simple planes. */
void picture_init_cropped(struct picture *picture, const GstVideoInfo *info,
                          const struct picture *from, guint x, guint y);

/* NULL if all visible samples are those of the picture, otherwise where the first
 * difference is; yours. */
char *picture_compare(const struct picture *picture,
                      const guint8 *const *planes, const gint *strides);

#endif
