/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "picture.h"

#include <string.h>

#define FINFO(info) ((info)->finfo)

/* What a plane is made of: rows of so many visible bytes; or rows whose bytes are
 * not all visible, at most so many; or tiles. */
enum plane_kind { ROWS, PACKED_BITS, TILES };

static gboolean
is_palette(const GstVideoInfo *info, guint plane)
{
  return GST_VIDEO_FORMAT_INFO_HAS_PALETTE(FINFO(info)) && plane == 1;
}

static enum plane_kind
plane_extent(const GstVideoInfo *info, guint plane, gsize *bytes, guint *rows)
{
  const GstVideoFormatInfo *finfo = FINFO(info);
  enum plane_kind kind = ROWS;

  *bytes = *rows = 0;
  if (GST_VIDEO_FORMAT_INFO_IS_TILED(finfo))
    return TILES;
  if (is_palette(info, plane)) {
    *bytes = 256 * 4;
    *rows = 1;
    return ROWS;
  }
  for (guint c = 0; c < finfo->n_components; c++) {
    if (finfo->plane[c] != plane)
      continue;
    if (finfo->pixel_stride[c] <= 0)
      kind = PACKED_BITS;
    *bytes = MAX(*bytes, (gsize)GST_VIDEO_INFO_COMP_WIDTH(info, c) *
                             (gsize)MAX(finfo->pixel_stride[c], 0));
    *rows = MAX(*rows, (guint)GST_VIDEO_INFO_COMP_HEIGHT(info, c));
  }
  if (kind == PACKED_BITS)
    *bytes = (gsize)info->stride[plane];
  return kind;
}

/* ---- layouts -------------------------------------------------------------- */

/* Bytes of a tile. */
static gsize
tile_size(const GstVideoInfo *info, guint plane)
{
  return (gsize)FINFO(info)->tile_info[plane].size;
}

static gsize
plane_size(const GstVideoInfo *info, guint plane, gint stride)
{
  gsize bytes;
  guint rows;

  if (plane_extent(info, plane, &bytes, &rows) != TILES)
    return MAX((gsize)stride * rows, bytes);
  return (gsize)GST_VIDEO_TILE_X_TILES(stride) *
         (gsize)GST_VIDEO_TILE_Y_TILES(stride) *
         tile_size(info, plane);
}

/* The last plane first, with a gap of so many bytes between planes. */
static void
stack_backwards(struct layout *layout, const GstVideoInfo *info, gsize gap)
{
  layout->size = 0;
  for (guint p = GST_VIDEO_INFO_N_PLANES(info); p-- > 0;) {
    layout->offset[p] = layout->size;
    layout->size += plane_size(info, p, layout->stride[p]) + gap;
  }
}

/* Where the visible part of a plane ends. */
static gsize
plane_end(const GstVideoInfo *info, const struct layout *layout, guint plane)
{
  gsize bytes;
  guint rows;

  if (plane_extent(info, plane, &bytes, &rows) == TILES)
    return layout->offset[plane] +
           plane_size(info, plane, layout->stride[plane]);
  return layout->offset[plane] +
         (gsize)layout->stride[plane] * (rows - 1) + bytes;
}

/* GStreamer 1.22 aligns a palette to where the indices are. */
static gboolean
planes_are_apart(const GstVideoInfo *info, const struct layout *layout)
{
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
    if (plane_end(info, layout, p) > layout->size)
      return FALSE;
    for (guint q = 0; q < p; q++)
      if (plane_end(info, layout, p) > layout->offset[q] &&
          plane_end(info, layout, q) > layout->offset[p])
        return FALSE;
  }
  return TRUE;
}

/* Tiles have no padding before them, and no alignment of a part of them. */
static gboolean
align(const GstVideoInfo *info, struct layout *out)
{
  GstVideoInfo aligned = *info;
  GstVideoAlignment alignment;

  gst_video_alignment_reset(&alignment);
  alignment.padding_right = 12;
  alignment.padding_bottom = 6;
  if (!GST_VIDEO_FORMAT_INFO_IS_TILED(FINFO(info))) {
    alignment.padding_top = 4;
    alignment.padding_left = 8;
    for (guint p = 0; p < GST_VIDEO_MAX_PLANES; p++)
      alignment.stride_align[p] = 63;
  }
  if (!gst_video_info_align(&aligned, &alignment))
    return FALSE;
  memcpy(out->stride, aligned.stride, sizeof out->stride);
  memcpy(out->offset, aligned.offset, sizeof out->offset);
  out->size = aligned.size;
  return planes_are_apart(info, out);
}

static void
widen(const GstVideoInfo *info, struct layout *out)
{
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
    gint stride = info->stride[p];

    if (GST_VIDEO_FORMAT_INFO_IS_TILED(FINFO(info)))
      out->stride[p] = GST_VIDEO_TILE_MAKE_STRIDE(
          GST_VIDEO_TILE_X_TILES(stride) + 2, GST_VIDEO_TILE_Y_TILES(stride));
    else if (!is_palette(info, p))
      out->stride[p] = stride + 16 * (gint)(p + 1);
  }
  stack_backwards(out, info, 48);
}

gboolean
layout_make(enum layout_kind kind, const GstVideoInfo *info, struct layout *out)
{
  memset(out, 0, sizeof *out);
  memcpy(out->stride, info->stride, sizeof out->stride);
  memcpy(out->offset, info->offset, sizeof out->offset);
  out->size = info->size;
  switch (kind) {
    case LAYOUT_DEFAULT:
      return TRUE;
    case LAYOUT_ALIGNED:
      return align(info, out);
    case LAYOUT_WIDE:
      widen(info, out);
      return TRUE;
    case LAYOUT_SWAPPED:
      stack_backwards(out, info, 0);
      out->size = MAX(out->size, info->size);
      return TRUE;
  }
  g_assert_not_reached();
}

/* ---- pictures ------------------------------------------------------------- */

/* Noise by xorshift64*, eight bytes at a time. */
static void
fill(guint8 *data, gsize size, guint32 seed)
{
  guint64 state = ((guint64)seed + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);

  for (gsize i = 0; i < size; i += 8) {
    guint64 word;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    word = GUINT64_TO_LE(state * G_GUINT64_CONSTANT(0x2545f4914f6cdd1d));
    memcpy(data + i, &word, MIN(8, size - i));
  }
}

void
picture_init(struct picture *picture, const GstVideoInfo *info, guint32 seed)
{
  picture->info = *info;
  picture->data = g_malloc(info->size);
  fill(picture->data, info->size, seed);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++)
    picture->plane[p] = picture->data + info->offset[p];
}

void
picture_clear(struct picture *picture)
{
  g_free(picture->data);
  memset(picture, 0, sizeof *picture);
}

void
picture_init_cropped(struct picture *picture, const GstVideoInfo *info,
                     const struct picture *from, guint x, guint y)
{
  const GstVideoFormatInfo *finfo = FINFO(info);

  picture_init(picture, info, 0);
  for (guint c = 0; c < finfo->n_components; c++) {
    guint plane = finfo->plane[c];
    gsize step = (gsize)finfo->pixel_stride[c], bytes;
    guint rows;

    g_assert_true(plane_extent(info, plane, &bytes, &rows) == ROWS);
    for (guint row = 0; row < rows; row++)
      memcpy(picture->data + info->offset[plane] +
                 (gsize)row * (gsize)info->stride[plane],
             from->plane[plane] +
                 (gsize)(row + (y >> finfo->h_sub[c])) *
                     (gsize)from->info.stride[plane] +
                 (x >> finfo->w_sub[c]) * step,
             bytes);
  }
}

static void
write_tiles(const struct picture *picture, guint plane, guint8 *to, gint stride)
{
  const GstVideoFormatInfo *finfo = FINFO(&picture->info);
  gint own = picture->info.stride[plane];
  gsize size = tile_size(&picture->info, plane);
  gint x_tiles = GST_VIDEO_TILE_X_TILES(own);
  gint y_tiles = GST_VIDEO_TILE_Y_TILES(own);

  for (gint y = 0; y < y_tiles; y++)
    for (gint x = 0; x < x_tiles; x++) {
      gsize at = gst_video_tile_get_index(finfo->tile_mode, x, y, x_tiles,
                                          y_tiles);
      gsize there = gst_video_tile_get_index(finfo->tile_mode, x, y,
                                             GST_VIDEO_TILE_X_TILES(stride),
                                             GST_VIDEO_TILE_Y_TILES(stride));
      memcpy(to + there * size, picture->plane[plane] + at * size, size);
    }
}

void
picture_write(const struct picture *picture, guint8 *data,
              const struct layout *layout)
{
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&picture->info); p++) {
    guint8 *to = data + layout->offset[p];
    const guint8 *from = picture->plane[p];
    gsize bytes;
    guint rows;

    if (plane_extent(&picture->info, p, &bytes, &rows) == TILES) {
      write_tiles(picture, p, to, layout->stride[p]);
      continue;
    }
    for (guint row = 0; row < rows; row++) {
      memcpy(to, from, bytes);
      to += layout->stride[p];
      from += picture->info.stride[p];
    }
  }
}

/* ---- comparing ------------------------------------------------------------ */

static char *
compare_rows(const struct picture *picture, guint plane, const guint8 *data,
             gint stride)
{
  const guint8 *own = picture->plane[plane];
  gsize bytes;
  guint rows;

  plane_extent(&picture->info, plane, &bytes, &rows);
  for (guint row = 0; row < rows; row++) {
    if (memcmp(own, data, bytes) != 0) {
      gsize i = 0;

      while (own[i] == data[i])
        i++;
      return g_strdup_printf("plane %u, row %u, byte %" G_GSIZE_FORMAT
                             ": 0x%02x instead of 0x%02x",
                             plane, row, i, data[i], own[i]);
    }
    own += picture->info.stride[plane];
    data += stride;
  }
  return NULL;
}

/* A picture as it lies here or there, for GStreamer to take apart. At odd widths it
 * reads some formats beyond the end of a row of its own layout, so rows are given
 * a longer one: of zeros. */
struct view {
  guint8 *memory; /* NULL: nothing had to be moved */
  gpointer planes[GST_VIDEO_MAX_PLANES];
  gint strides[GST_VIDEO_MAX_PLANES];
};

#define ROW_END 64

static void
view_init(struct view *view, const GstVideoInfo *info,
          const guint8 *const *planes, const gint *strides)
{
  gsize size = 0;

  view->memory = NULL;
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
    view->planes[p] = (gpointer)planes[p];
    view->strides[p] = strides[p];
    size += (gsize)(info->stride[p] + ROW_END) *
            (gsize)GST_VIDEO_INFO_HEIGHT(info);
  }
  if (GST_VIDEO_FORMAT_INFO_IS_TILED(FINFO(info)))
    return;
  view->memory = g_malloc0(size);
  for (guint p = 0, used = 0; p < GST_VIDEO_INFO_N_PLANES(info); p++) {
    gsize bytes = (gsize)MIN(info->stride[p], strides[p]), unused;
    guint rows;

    plane_extent(info, p, &unused, &rows);
    view->strides[p] = info->stride[p] + ROW_END;
    view->planes[p] = view->memory + used;
    for (guint row = 0; row < rows; row++, used += (guint)view->strides[p])
      memcpy(view->memory + used, planes[p] + (gsize)row * (gsize)strides[p],
             bytes);
  }
}

/* Where bytes and samples do not coincide: as GStreamer reads them, which takes
 * them apart without loss. */
static char *
compare_unpacked(const struct picture *picture, const guint8 *const *planes,
                 const gint *strides)
{
  const GstVideoFormatInfo *finfo = FINFO(&picture->info);
  const GstVideoFormatInfo *unpacked =
      gst_video_format_get_info(finfo->unpack_format);
  gint width = GST_VIDEO_INFO_WIDTH(&picture->info);
  gint height = GST_VIDEO_INFO_HEIGHT(&picture->info);
  gsize bytes = (gsize)width * (gsize)unpacked->pixel_stride[0];
  guint8 *own = g_malloc0(2 * (bytes + 256)), *other = own + bytes + 256;
  struct view here, there;
  gint y;

  view_init(&here, &picture->info, picture->plane, picture->info.stride);
  view_init(&there, &picture->info, planes, strides);
  for (y = 0; y < height; y++) {
    finfo->unpack_func(finfo, GST_VIDEO_PACK_FLAG_NONE, own, here.planes,
                       here.strides, 0, y, width);
    finfo->unpack_func(finfo, GST_VIDEO_PACK_FLAG_NONE, other, there.planes,
                       there.strides, 0, y, width);
    if (memcmp(own, other, bytes) != 0)
      break;
  }
  g_free(here.memory);
  g_free(there.memory);
  g_free(own);
  return y < height ? g_strdup_printf("line %d", y) : NULL;
}

/* GStreamer 1.26 knows MT2110R and MT2110T, but reads nothing of them. */
static gboolean
is_unpackable(const GstVideoFormatInfo *finfo)
{
  return !g_str_has_prefix(finfo->name, "MT2110");
}

static char *
compare_tiles(const struct picture *picture, const guint8 *const *planes,
              const gint *strides)
{
  const GstVideoFormatInfo *finfo = FINFO(&picture->info);

  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&picture->info); p++) {
    gsize size = tile_size(&picture->info, p);
    gint x_tiles = GST_VIDEO_TILE_X_TILES(picture->info.stride[p]);
    gint y_tiles = GST_VIDEO_TILE_Y_TILES(picture->info.stride[p]);

    for (gint i = 0; i < x_tiles * y_tiles; i++) {
      gint x = i % x_tiles, y = i / x_tiles;
      gsize at = gst_video_tile_get_index(finfo->tile_mode, x, y, x_tiles,
                                          y_tiles);
      gsize there = gst_video_tile_get_index(
          finfo->tile_mode, x, y, GST_VIDEO_TILE_X_TILES(strides[p]),
          GST_VIDEO_TILE_Y_TILES(strides[p]));

      if (memcmp(picture->plane[p] + at * size, planes[p] + there * size,
                 size) != 0)
        return g_strdup_printf("plane %u: tile %d, %d differs", p, x, y);
    }
  }
  return NULL;
}

char *
picture_compare(const struct picture *picture, const guint8 *const *planes,
                const gint *strides)
{
  gboolean whole = TRUE;

  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&picture->info); p++) {
    gsize bytes;
    guint rows;

    if (plane_extent(&picture->info, p, &bytes, &rows) == ROWS) {
      char *difference = compare_rows(picture, p, planes[p], strides[p]);

      if (difference != NULL)
        return difference;
    } else {
      whole = FALSE;
    }
  }
  if (whole)
    return NULL;
  return is_unpackable(FINFO(&picture->info))
             ? compare_unpacked(picture, planes, strides)
             : compare_tiles(picture, planes, strides);
}
