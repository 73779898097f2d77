/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Pixel formats
 *
 * Owns the table of pixel formats: names, planes, how rows and planes are sized.
 * One rule: sizes are GStreamer's, to the byte (a test compares every format).
 * Pure: no I/O, no allocation; every number is checked for overflow, since widths
 * and strides come from other processes.
 */

#ifndef SHMV_FORMAT_H
#define SHMV_FORMAT_H

#include <stdbool.h>

#include "shmvideo.h"

/* Number of planes, 0 if the pixel format is unknown. */
uint32_t shmv_pixel_format_n_planes(uint32_t pixel_format);

/* Whether it has an alpha channel. */
bool shmv_pixel_format_has_alpha(uint32_t pixel_format);

/* Fill n_planes, stride, offset, size as GStreamer lays frames out by default;
 * with interlace_mode ALTERNATE one field's height counts.
 * 0, -EMEDIUMTYPE, -EINVAL, -EOVERFLOW. */
int shmv_format_default_layout(struct shmvideo_format *format);

/* The visible part of a plane: rows, and bytes per row without padding (for tiled
 * formats: rows = 1, row_bytes = the whole plane at that stride). 0, or -EINVAL
 * for a plane the format lacks or a stride smaller than a row. */
int shmv_format_plane_extent(const struct shmvideo_format *format,
                             uint32_t plane, uint32_t stride,
                             uint64_t *out_row_bytes, uint64_t *out_rows);

/* Bytes of one tile of a plane, 0 if the plane is not made of tiles. */
uint32_t shmv_format_tile_size(uint32_t pixel_format, uint32_t plane);

/* How many tiles lie before the one in a column and a row, at a stride. */
uint64_t shmv_format_tile_index(uint32_t pixel_format, uint32_t stride,
                                uint32_t column, uint32_t row);

/* The largest power of 2, up to 4096, whose multiples all offsets are, and (unless the
 * format is tiled) all strides. */
uint32_t shmv_format_alignment(const struct shmvideo_format *format);

/* Move the planes of a default layout apart so that its alignment is at least that
 * power of 2; a palette's stride stays. 0, -EINVAL, -EOVERFLOW. */
int shmv_format_align(struct shmvideo_format *format, uint32_t align);

/* Whether planes at these offsets and strides all lie within size bytes, with
 * strides no smaller than a row. 0 or -EINVAL. */
int shmv_format_check_layout(const struct shmvideo_format *format,
                             uint32_t n_planes, const uint32_t *stride,
                             const uint64_t *offset, uint64_t size);

#endif
