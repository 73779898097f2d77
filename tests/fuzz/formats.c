/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "formats.h"

#include <errno.h>
#include <string.h>

#include "copy.h"
#include "format.h"

/* Frames up to this size are really copied. */
#define ROOM 16384u

/* How far a plane reaches, by arithmetic that cannot overflow. */
static bool
fits(const struct shmvideo_format *format, uint32_t plane, uint32_t stride,
     uint64_t offset, uint64_t size)
{
  uint64_t row, rows;
  if (shmv_format_plane_extent(format, plane, stride, &row, &rows) < 0)
    return false;
  FUZZ_CHECK(rows > 0 && row > 0);
  return (unsigned __int128)offset +
             (unsigned __int128)(rows - 1) * stride + row <= size;
}

void
formats_check_layout(const struct shmvideo_format *format)
{
  FUZZ_CHECK(format->n_planes >= 1 && format->n_planes <= SHMVIDEO_MAX_PLANES);
  FUZZ_CHECK(format->size > 0 && format->size <= UINT64_C(1) << 40);
  for (uint32_t i = 0; i < format->n_planes; i++)
    FUZZ_CHECK(fits(format, i, format->stride[i], format->offset[i],
                    format->size));
  FUZZ_CHECK(shmv_format_check_layout(format, format->n_planes, format->stride,
                                      format->offset, format->size) == 0);
}

void
formats_check_text(const struct shmvideo_format *format, bool parsed)
{
  char text[1024], other[1024];
  struct shmvideo_format again, third;
  int n = shmvideo_format_to_caps(format, text, sizeof text);
  if (!parsed && n < 0) {
    FUZZ_CHECK(n == -EINVAL);
    return;
  }
  FUZZ_CHECK(n > 0 && strlen(text) == (size_t)n);
  FUZZ_CHECK(shmvideo_format_to_caps(format, other, (size_t)n) == -ENOSPC);
  FUZZ_CHECK(shmvideo_format_to_caps(format, NULL, 0) == -ENOSPC);
  int code = shmvideo_format_from_caps(&again, text, NULL);
  if (!parsed && code == -EOVERFLOW)
    return;
  FUZZ_CHECK(code == 0);
  /* What was said once in our own words stays as it is. */
  FUZZ_CHECK(shmvideo_format_to_caps(&again, other, sizeof other) > 0);
  FUZZ_CHECK(shmvideo_format_from_caps(&third, other, NULL) == 0);
  FUZZ_CHECK(memcmp(&again, &third, sizeof third) == 0);
  if (!parsed)
    return;
  /* Not every colour and site that a text can say can be said by us. */
  third = *format;
  third.color_matrix = again.color_matrix;
  if (again.chroma_site == 0)
    third.chroma_site = 0;
  FUZZ_CHECK(memcmp(&again, &third, sizeof third) == 0);
}

/* Numbers as they come; of sizes one in two is small enough to be copied. */
static void
read_format(struct fuzz_input *in, struct shmvideo_format *f)
{
  uint32_t *words[] = {
      &f->pixel_format,   &f->width,          &f->height,
      &f->interlace_mode, &f->fps_n,          &f->fps_d,
      &f->max_fps_n,      &f->max_fps_d,      &f->par_n,
      &f->par_d,          &f->field_order,    &f->color_range,
      &f->color_matrix,   &f->color_transfer, &f->color_primaries,
      &f->chroma_site,    &f->alpha_mode,     &f->views,
      &f->n_planes};
  memset(f, 0, sizeof *f);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    *words[i] = fuzz_number(in);
}

/* Any planes: what is taken lies within the size. */
static void
try_planes(struct fuzz_input *in, const struct shmvideo_format *format)
{
  uint32_t stride[SHMVIDEO_MAX_PLANES];
  uint64_t offset[SHMVIDEO_MAX_PLANES];
  uint64_t size = fuzz_number(in);
  size |= (uint64_t)fuzz_u8(in) << (fuzz_u8(in) % 64);
  for (int i = 0; i < SHMVIDEO_MAX_PLANES; i++) {
    stride[i] = fuzz_number(in);
    offset[i] = fuzz_number(in);
    offset[i] |= (uint64_t)fuzz_u8(in) << (fuzz_u8(in) % 64);
  }
  uint32_t n_planes = shmv_pixel_format_n_planes(format->pixel_format);
  bool good = n_planes > 0;
  for (uint32_t i = 0; good && i < n_planes; i++)
    good = fits(format, i, stride[i], offset[i], size);
  FUZZ_CHECK(shmv_format_check_layout(format, n_planes, stride, offset, size) ==
             (good ? 0 : -EINVAL));
  FUZZ_CHECK(shmv_format_check_layout(format, n_planes + 1, stride, offset,
                                      size) == -EINVAL);
}

/* A layout of the slot's own, its planes after each other; false: it cannot be. */
static bool
spread(struct fuzz_input *in, struct shmvideo_format *format)
{
  uint64_t row, rows, at = 0;
  for (uint32_t i = 0; i < format->n_planes; i++) {
    format->stride[i] += fuzz_number(in) - fuzz_u8(in);
    format->offset[i] = at;
    if (shmv_format_plane_extent(format, i, format->stride[i], &row, &rows) < 0)
      return false;
    at += (rows - 1) * format->stride[i] + row;
    if (at > 4 * ROOM)
      return false;
  }
  format->size = at;
  return true;
}

/* Planes with strides of their own, each in a block of just its size, into a slot
 * likewise. */
static void
try_copy(struct fuzz_input *in, const struct shmvideo_format *format)
{
  uint32_t stride[SHMVIDEO_MAX_PLANES] = {0};
  uint8_t *planes[SHMVIDEO_MAX_PLANES] = {NULL};
  uint8_t *slot = calloc(1, (size_t)format->size);
  bool good = true;
  FUZZ_CHECK(slot != NULL);
  for (uint32_t i = 0; i < format->n_planes; i++) {
    uint64_t row = 1, rows = 1;
    stride[i] = format->stride[i] + fuzz_number(in) - fuzz_u8(in);
    bool fine = shmv_format_plane_extent(format, i, stride[i], &row, &rows) == 0;
    uint64_t extent = fine ? (rows - 1) * stride[i] + row : 1;
    good = good && fine;
    if (extent > 4 * ROOM) /* as it was, then */
      stride[i] = format->stride[i], extent = format->size;
    planes[i] = calloc(1, (size_t)extent);
    FUZZ_CHECK(planes[i] != NULL);
  }
  int code = shmv_copy_frame(format, slot, (const uint8_t *const *)planes,
                             stride);
  FUZZ_CHECK(code == 0 || code == -EINVAL);
  FUZZ_CHECK(good || code == -EINVAL);
  for (uint32_t i = 0; i < format->n_planes; i++)
    free(planes[i]);
  free(slot);
}

/* Planes moved apart: still a layout, and aligned. */
static void
try_align(struct fuzz_input *in, const struct shmvideo_format *format)
{
  struct shmvideo_format aligned = *format;
  uint32_t align = UINT32_C(1) << fuzz_u8(in) % 13;
  if (shmv_format_align(&aligned, align) < 0)
    return;
  FUZZ_CHECK(shmv_format_alignment(&aligned) >= align);
  FUZZ_CHECK(aligned.size >= format->size);
  for (uint32_t i = 0; i < format->n_planes; i++)
    FUZZ_CHECK(fits(&aligned, i, aligned.stride[i], aligned.offset[i],
                    aligned.size));
}

void
formats_try(struct fuzz_input *in)
{
  struct shmvideo_format format;
  uint8_t what = fuzz_u8(in);
  read_format(in, &format);
  /* A tile of any plane of any format; 0 if there is none. */
  uint32_t tile = shmv_format_tile_size(format.pixel_format, what >> 5);
  uint64_t index = shmv_format_tile_index(format.pixel_format, 0x20003, 2, 1);
  FUZZ_CHECK(tile <= 4096 && (index == 5 || index == 4));
  if (what & 1)
    formats_check_text(&format, false);
  if (what & 2)
    try_planes(in, &format);
  int code = shmvideo_format_set_default_layout(&format);
  if (code < 0) {
    FUZZ_CHECK(code == -EMEDIUMTYPE || code == -EINVAL || code == -EOVERFLOW);
    return;
  }
  formats_check_layout(&format);
  if (what & 8)
    try_align(in, &format);
  if (what & 4 && format.size <= ROOM && (!(what & 16) || spread(in, &format)))
    try_copy(in, &format);
}
