/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "copy.h"

#include <errno.h>
#include <string.h>

#include "format.h"

static uint32_t
smaller(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static uint64_t
n_tiles(uint32_t stride)
{
  return (uint64_t)(stride & 0xffff) * (stride >> 16);
}

/* Where a tile lies depends on how many there are; with an odd number of columns
 * some orders of tiles would leave the plane. */
static int
copy_tiles(const struct shmvideo_format *format, uint32_t plane, uint8_t *to,
           const uint8_t *from, uint32_t stride)
{
  uint32_t id = format->pixel_format, own = format->stride[plane];
  uint32_t x_tiles = smaller(stride & 0xffff, own & 0xffff);
  uint32_t y_tiles = smaller(stride >> 16, own >> 16);
  uint32_t size = shmv_format_tile_size(id, plane);
  for (uint32_t y = 0; y < y_tiles; y++)
    for (uint32_t x = 0; x < x_tiles; x++) {
      uint64_t there = shmv_format_tile_index(id, own, x, y);
      uint64_t here = shmv_format_tile_index(id, stride, x, y);
      if (there >= n_tiles(own) || here >= n_tiles(stride))
        return -EINVAL;
      memcpy(to + there * size, from + here * size, size);
    }
  return 0;
}

static int
copy_plane(const struct shmvideo_format *format, uint32_t plane, uint8_t *to,
           const uint8_t *from, uint32_t stride)
{
  uint64_t row_bytes, rows, own_bytes;
  int code = shmv_format_plane_extent(format, plane, stride, &row_bytes, &rows);
  if (code == 0)
    code = shmv_format_plane_extent(format, plane, format->stride[plane],
                                    &own_bytes, &rows);
  if (code < 0)
    return code;
  if (stride == format->stride[plane]) {
    /* Nothing between the rows but padding: one piece is fastest. */
    memcpy(to, from, (size_t)((rows - 1) * stride + row_bytes));
    return 0;
  }
  if (shmv_format_tile_size(format->pixel_format, plane) != 0)
    return copy_tiles(format, plane, to, from, stride);
  if (own_bytes < row_bytes)
    row_bytes = own_bytes;
  for (uint64_t y = 0; y < rows; y++)
    memcpy(to + y * format->stride[plane], from + y * stride,
           (size_t)row_bytes);
  return 0;
}

int
shmv_copy_frame(const struct shmvideo_format *format, uint8_t *data,
                const uint8_t *const *planes, const uint32_t *strides)
{
  for (uint32_t i = 0; i < format->n_planes; i++) {
    int code = copy_plane(format, i, data + format->offset[i], planes[i],
                          strides[i]);
    if (code < 0)
      return code;
  }
  return 0;
}
