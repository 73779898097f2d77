/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A format is its planes, and a plane is how its rows are counted and rounded:
 * that is in format-table.h, this file only does the arithmetic.
 *
 * Invariant: no product is formed before its factors are known to fit: widths,
 * heights and strides are at most INT32_MAX, everything is 64 bits wide.
 */

#include "os.h"

#include "format.h"

#include <errno.h>
#include <string.h>

#include "format-table.h"

/* Nothing larger is a frame; sums of a few such sizes cannot overflow. */
#define SIZE_LIMIT (UINT64_C(1) << 40)

#define N_FORMATS (sizeof formats / sizeof formats[0])

static const struct pixel_format *
pixel_format_get(uint32_t id)
{
  return id < N_FORMATS && formats[id].name != NULL ? &formats[id] : NULL;
}

static uint64_t
divide_up(uint64_t n, uint64_t by)
{
  return (n + by - 1) / by;
}

static uint64_t
round_up(uint64_t n, uint64_t multiple)
{
  return divide_up(n, multiple) * multiple;
}

/* Bytes of the picture in one row. */
static uint64_t
row_bytes(const struct plane *plane, uint64_t width)
{
  if (plane->pixels == 0)
    return plane->bytes;
  if ((plane->rows & CUT) != 0)
    return divide_up(width * plane->bytes, plane->pixels);
  return divide_up(width, plane->pixels) * plane->bytes;
}

/* What the number of rows is padded to; how high a tile is. */
static uint64_t
row_step(const struct plane *plane)
{
  return plane->rows & ROWS_MASK;
}

/* Rows of the picture. */
static uint64_t
row_count(const struct plane *plane, uint64_t height)
{
  return plane->lines == 0 ? row_step(plane)
                           : divide_up(height, plane->lines);
}

/* Lines of the picture in one buffer. */
static uint64_t
visible_height(const struct shmvideo_format *format)
{
  bool field = format->interlace_mode == SHMVIDEO_ALTERNATE;
  return field ? divide_up(format->height, 2) : format->height;
}

/* Look the format up and see that its numbers can be reckoned with. */
static int
check_geometry(const struct shmvideo_format *format,
               const struct pixel_format **out_pixel_format)
{
  *out_pixel_format = pixel_format_get(format->pixel_format);
  if (*out_pixel_format == NULL)
    return -EMEDIUMTYPE;
  if (format->width == 0 || format->height == 0 ||
      format->interlace_mode > SHMVIDEO_ALTERNATE)
    return -EINVAL;
  if (format->width > INT32_MAX || format->height > INT32_MAX)
    return -EOVERFLOW;
  return 0;
}

/* One plane's stride and bytes in the default layout. */
static int
default_plane(const struct plane *plane, uint64_t width, uint64_t height,
              bool fields, uint32_t *out_stride, uint64_t *out_size)
{
  uint64_t row = round_up(row_bytes(plane, width), plane->align);
  bool twice = fields && (plane->rows & PER_FIELD) != 0;
  uint64_t rows = round_up(row_count(plane, height),
                           row_step(plane) << twice);
  uint64_t stride = row;
  if (plane->tile != 0) {
    uint64_t x_tiles = divide_up(row, plane->tile);
    uint64_t y_tiles = rows / row_step(plane);
    if (x_tiles > UINT16_MAX)
      return -EOVERFLOW;
    row = x_tiles * plane->tile;
    stride = y_tiles << 16 | x_tiles;
  }
  if (stride > INT32_MAX)
    return -EOVERFLOW;
  *out_stride = (uint32_t)stride;
  *out_size = row * rows << ((plane->rows & ROOMY) != 0);
  return 0;
}

int
shmv_format_default_layout(struct shmvideo_format *format)
{
  const struct pixel_format *info;
  int r = check_geometry(format, &info);
  if (r < 0)
    return r;
  struct shmvideo_format out = *format;
  bool fields = format->interlace_mode != SHMVIDEO_PROGRESSIVE;
  uint64_t height = (info->flags & WHOLE) != 0 ? format->height
                                               : visible_height(format);
  out.n_planes = shmv_pixel_format_n_planes(format->pixel_format);
  out.size = 0;
  memset(out.stride, 0, sizeof out.stride);
  memset(out.offset, 0, sizeof out.offset);
  for (uint32_t i = 0; i < out.n_planes; i++) {
    uint64_t plane_size;
    r = default_plane(&info->planes[i], format->width, height, fields,
                      &out.stride[i], &plane_size);
    if (r < 0)
      return r;
    out.offset[i] = out.size;
    out.size += plane_size;
    if (out.size > SIZE_LIMIT)
      return -EOVERFLOW;
  }
  *format = out;
  return 0;
}

int
shmv_format_plane_extent(const struct shmvideo_format *format, uint32_t plane,
                         uint32_t stride, uint64_t *out_row_bytes,
                         uint64_t *out_rows)
{
  const struct pixel_format *info;
  if (check_geometry(format, &info) < 0 || stride > INT32_MAX ||
      plane >= shmv_pixel_format_n_planes(format->pixel_format))
    return -EINVAL;
  const struct plane *p = &info->planes[plane];
  uint64_t row = row_bytes(p, format->width);
  uint64_t rows = row_count(p, visible_height(format));
  if (p->tile == 0) {
    if (stride < row)
      return -EINVAL;
    /* A group that is cut has samples beyond what GStreamer counts as the row's
     * end: they are part of the picture as far as there is room. */
    uint64_t whole = row;
    if ((p->rows & CUT) != 0)
      whole = divide_up(format->width, p->pixels) * p->bytes;
    *out_row_bytes = whole < stride ? whole : stride;
    *out_rows = rows;
    return 0;
  }
  uint64_t x_tiles = stride & 0xffff, y_tiles = stride >> 16;
  if (x_tiles * p->tile < row || y_tiles * row_step(p) < rows)
    return -EINVAL;
  *out_row_bytes = x_tiles * p->tile * y_tiles * row_step(p);
  *out_rows = 1;
  return 0;
}

uint32_t
shmv_format_tile_size(uint32_t pixel_format, uint32_t plane)
{
  if (plane >= shmv_pixel_format_n_planes(pixel_format))
    return 0;
  const struct plane *p = &pixel_format_get(pixel_format)->planes[plane];
  return p->tile * (uint32_t)row_step(p);
}

uint64_t
shmv_format_tile_index(uint32_t pixel_format, uint32_t stride, uint32_t column,
                       uint32_t row)
{
  const struct pixel_format *info = pixel_format_get(pixel_format);
  uint64_t x_tiles = stride & 0xffff, y_tiles = stride >> 16, x = column;
  bool zigzag = info != NULL && (info->flags & ZIGZAG) != 0;
  /* a last row without a partner is in plain order */
  if (!zigzag || (row % 2 == 0 && row + 1 == y_tiles))
    return row * x_tiles + x;
  if (row % 2 == 0)
    return row * x_tiles + x + ((x + 2) & ~UINT64_C(3));
  return (row - 1) * x_tiles + x + (x & ~UINT64_C(3)) + 2;
}

int
shmv_format_check_layout(const struct shmvideo_format *format,
                         uint32_t n_planes, const uint32_t *stride,
                         const uint64_t *offset, uint64_t size)
{
  if (n_planes == 0 ||
      n_planes != shmv_pixel_format_n_planes(format->pixel_format))
    return -EINVAL;
  for (uint32_t i = 0; i < n_planes; i++) {
    uint64_t row, rows;
    if (shmv_format_plane_extent(format, i, stride[i], &row, &rows) < 0)
      return -EINVAL;
    uint64_t extent = (rows - 1) * stride[i] + row;
    if (offset[i] > size || extent > size - offset[i])
      return -EINVAL;
  }
  return 0;
}

uint32_t
shmv_pixel_format_n_planes(uint32_t pixel_format)
{
  const struct pixel_format *info = pixel_format_get(pixel_format);
  uint32_t n = 0;
  while (info != NULL && n < SHMVIDEO_MAX_PLANES && info->planes[n].bytes != 0)
    n++;
  return n;
}

bool
shmv_pixel_format_has_alpha(uint32_t pixel_format)
{
  const struct pixel_format *info = pixel_format_get(pixel_format);
  return info != NULL && (info->flags & ALPHA) != 0;
}

const char *
shmvideo_pixel_format_name(uint32_t pixel_format)
{
  const struct pixel_format *info = pixel_format_get(pixel_format);
  return info != NULL ? info->name : NULL;
}

uint32_t
shmvideo_pixel_format_from_name(const char *name)
{
  for (uint32_t i = 0; name != NULL && i < N_FORMATS; i++)
    if (formats[i].name != NULL && strcmp(formats[i].name, name) == 0)
      return i;
  return SHMVIDEO_FORMAT_UNKNOWN;
}

/* What a program that filled only the pixel format and the size means. Colours
 * are left alone: 0 is a value of its own there. */
static void
fill_defaults(struct shmvideo_format *format)
{
  if (format->fps_d == 0)
    format->fps_d = 1;
  if (format->max_fps_d == 0)
    format->max_fps_d = 1;
  if (format->par_n == 0 || format->par_d == 0)
    format->par_n = format->par_d = 1;
  if (format->views == 0)
    format->views = 1;
  if (format->alpha_mode == SHMVIDEO_ALPHA_NONE &&
      shmv_pixel_format_has_alpha(format->pixel_format))
    format->alpha_mode = SHMVIDEO_ALPHA_STRAIGHT;
}

int
shmvideo_format_set_default_layout(struct shmvideo_format *format)
{
  int r = shmv_format_default_layout(format);
  if (r == 0)
    fill_defaults(format);
  return r;
}
