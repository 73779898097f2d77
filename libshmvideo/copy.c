/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "copy.h"

#include <string.h>

#include "format.h"

static int
copy_plane(const struct shmvideo_format *format, uint32_t plane, uint8_t *to,
           const uint8_t *from, uint32_t stride)
{
  uint64_t row_bytes, rows, own_bytes, own_rows;
  int code = shmv_format_plane_extent(format, plane, stride, &row_bytes, &rows);
  if (code == 0)
    code = shmv_format_plane_extent(format, plane, format->stride[plane],
                                    &own_bytes, &own_rows);
  if (code < 0)
    return code;
  if (stride == format->stride[plane] && rows > 0) {
    /* Nothing between the rows but padding: one piece is fastest. */
    memcpy(to, from, (size_t)((rows - 1) * stride + row_bytes));
    return 0;
  }
  if (own_bytes < row_bytes)
    row_bytes = own_bytes;
  for (uint64_t y = 0; y < rows && y < own_rows; y++)
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
