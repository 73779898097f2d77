/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Alignment of strides and planes, for readers that hand planes to hardware. Frames
 * themselves begin at memory pages.
 */

#include "os.h"

#include "format.h"

#include <errno.h>

#define MOST 4096u
#define FORMAT_RGB8P 35u /* the only one with a palette */

static bool
is_tiled(const struct shmvideo_format *format)
{
  return shmv_format_tile_size(format->pixel_format, 0) != 0;
}

static bool
is_palette(const struct shmvideo_format *format, uint32_t plane)
{
  return format->pixel_format == FORMAT_RGB8P && plane == 1;
}

uint32_t
shmv_format_alignment(const struct shmvideo_format *format)
{
  uint64_t bits = MOST;
  for (uint32_t i = 0; i < format->n_planes; i++) {
    bits |= format->offset[i];
    if (!is_tiled(format) && !is_palette(format, i)) /* those strides are counts */
      bits |= format->stride[i];
  }
  return (uint32_t)(bits & (~bits + 1));
}

int
shmv_format_align(struct shmvideo_format *format, uint32_t align)
{
  struct shmvideo_format aligned = *format;
  uint64_t at = 0;
  if (align <= shmv_format_alignment(format))
    return 0;
  for (uint32_t i = 0; i < format->n_planes; i++) {
    uint64_t end = i + 1 < format->n_planes ? format->offset[i + 1] : format->size;
    uint64_t bytes = end - format->offset[i]; /* default layouts have no gaps */
    uint64_t stride = format->stride[i];
    at = (at + align - 1) & ~(uint64_t)(align - 1);
    aligned.offset[i] = at;
    if (!is_tiled(format) && !is_palette(format, i)) {
      stride = (stride + align - 1) & ~(uint64_t)(align - 1);
      bytes = bytes / format->stride[i] * stride;
    }
    if (stride > INT32_MAX)
      return -EOVERFLOW;
    aligned.stride[i] = (uint32_t)stride;
    at += bytes;
  }
  aligned.size = at;
  *format = aligned;
  return 0;
}
