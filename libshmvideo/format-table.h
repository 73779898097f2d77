/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The table of pixel formats
 *
 * One line per format, found by its number; only format.c includes it. Where
 * GStreamer rounds in an odd way (some formats pad to an even number of rows and
 * their 10-bit brothers do not) the table says so: it is not to be tidied. Where
 * versions of GStreamer differ, it says what 1.22 does: rows of UYVP at odd widths
 * got longer later, and the room behind NV12_16L32S smaller. AV12 always had
 * alpha, but was flagged so only later.
 */

#ifndef SHMV_FORMAT_TABLE_H
#define SHMV_FORMAT_TABLE_H

#include "shmvideo.h"

/* How one plane is laid out. */
struct plane {
  uint8_t pixels, bytes; /* a group of pixels, and the bytes it takes; 0 pixels:
                            the plane has nothing to do with the size */
  uint8_t align;         /* rows are padded to a multiple of so many bytes */
  uint8_t lines;         /* picture lines per row of the plane */
  uint8_t tile;          /* bytes from side to side of a tile, which is `rows`
                            high; 0: the plane is not tiled */
  uint16_t rows;         /* the number of rows is padded to a multiple of this;
                            OR-ed with what follows */
};

#define PER_FIELD 0x8000 /* to a multiple of twice this, unless progressive */
#define CUT 0x4000       /* rows end within a group, at the next whole byte */
#define ROOMY 0x2000     /* there is room for twice the rows */
#define ROWS_MASK 0x1fff

/* Common values of rows. */
#define EXACT 1
#define EVEN 2
#define FIELDS (1 | PER_FIELD)

enum {
  ALPHA = 1, /* it has an alpha channel */
  WHOLE = 2, /* one field's layout still has room for the whole frame */
  ZIGZAG = 4, /* tiles follow each other by twos of columns and rows, like a Z */
};

/* One plane: its members in another order, with what is usual left out. */
#define PLANE(pixels, bytes, align, lines, rows) \
  { pixels, bytes, align, lines, 0, rows }
#define PACKED(pixels, bytes, align) PLANE(pixels, bytes, align, 1, EXACT)
#define PALETTE PLANE(0, 4, 4, 0, 256)
#define TILED(pixels, bytes, align, lines, tile, rows) \
  { pixels, bytes, align, lines, tile, rows }

/* Planes of formats whose samples take b bytes: luma (or alpha, or one of RGB),
 * chroma alone, chroma interleaved. */
#define Y(b, rows) PLANE(1, b, 4, 1, rows)
#define C420(b) PLANE(2, b, 4, 2, FIELDS)
#define C422(b, rows) PLANE(2, b, 4, 1, rows)
#define CC420(b, rows) PLANE(2, 2 * b, 4, 2, rows)
#define CC422(b) PLANE(2, 2 * b, 4, 1, EXACT)

/* All planes of a family. */
#define YUV420(b) Y(b, EVEN), C420(b), C420(b)
#define YUVA420(b) YUV420(b), Y(b, EVEN)
#define YUV422(b, rows) Y(b, rows), C422(b, rows), C422(b, rows)
#define YUVA422(b) YUV422(b, EVEN), Y(b, EVEN)
#define YUV444(b) Y(b, EXACT), Y(b, EXACT), Y(b, EXACT)
#define YUVA444(b, rows) Y(b, rows), Y(b, rows), Y(b, rows), Y(b, rows)
#define YUV410 Y(1, EXACT), PLANE(4, 1, 4, 4, FIELDS), PLANE(4, 1, 4, 4, FIELDS)
#define NV12(b, rows) Y(b, EVEN), CC420(b, rows)

/* 10-bit samples without padding; NV12 and its chroma in tiles. */
#define PACK10_32(lines, rows) PLANE(3, 4, 4, lines, rows)
#define PACK10_40(lines, rows) PLANE(4, 5, 1, lines, rows)
#define NV12_TILES(pixels, bytes, tile, rows, chroma_rows) \
  TILED(pixels, bytes, 1, 1, tile, rows), \
  TILED(pixels, bytes, 1, 2, tile, chroma_rows)

static const struct pixel_format {
  const char *name; /* NULL: no such format, or no memory layout of its own */
  unsigned flags;
  struct plane planes[SHMVIDEO_MAX_PLANES]; /* bytes 0: none */
} formats[] = {
  [2] = {"I420", 0, {YUV420(1)}},
  [3] = {"YV12", 0, {YUV420(1)}},
  [4] = {"YUY2", 0, {PACKED(2, 4, 4)}},
  [5] = {"UYVY", 0, {PACKED(2, 4, 4)}},
  [6] = {"AYUV", ALPHA, {PACKED(1, 4, 4)}},
  [7] = {"RGBx", 0, {PACKED(1, 4, 4)}},
  [8] = {"BGRx", 0, {PACKED(1, 4, 4)}},
  [9] = {"xRGB", 0, {PACKED(1, 4, 4)}},
  [10] = {"xBGR", 0, {PACKED(1, 4, 4)}},
  [11] = {"RGBA", ALPHA, {PACKED(1, 4, 4)}},
  [12] = {"BGRA", ALPHA, {PACKED(1, 4, 4)}},
  [13] = {"ARGB", ALPHA, {PACKED(1, 4, 4)}},
  [14] = {"ABGR", ALPHA, {PACKED(1, 4, 4)}},
  [15] = {"RGB", 0, {PACKED(1, 3, 4)}},
  [16] = {"BGR", 0, {PACKED(1, 3, 4)}},
  [17] = {"Y41B", 0, {Y(1, EXACT), PACKED(4, 1, 4), PACKED(4, 1, 4)}},
  [18] = {"Y42B", 0, {YUV422(1, EXACT)}},
  [19] = {"YVYU", 0, {PACKED(2, 4, 4)}},
  [20] = {"Y444", 0, {YUV444(1)}},
  [21] = {"v210", 0, {PACKED(6, 16, 128)}},
  [22] = {"v216", 0, {PACKED(2, 8, 8)}},
  [23] = {"NV12", 0, {NV12(1, FIELDS)}},
  [24] = {"NV21", 0, {NV12(1, FIELDS)}},
  [25] = {"GRAY8", 0, {PACKED(1, 1, 4)}},
  [26] = {"GRAY16_BE", 0, {PACKED(1, 2, 4)}},
  [27] = {"GRAY16_LE", 0, {PACKED(1, 2, 4)}},
  [28] = {"v308", 0, {PACKED(1, 3, 4)}},
  [29] = {"RGB16", 0, {PACKED(1, 2, 4)}},
  [30] = {"BGR16", 0, {PACKED(1, 2, 4)}},
  [31] = {"RGB15", 0, {PACKED(1, 2, 4)}},
  [32] = {"BGR15", 0, {PACKED(1, 2, 4)}},
  [33] = {"UYVP", 0, {PLANE(2, 5, 4, 1, EXACT | CUT)}},
  [34] = {"A420", ALPHA, {YUVA420(1)}},
  [35] = {"RGB8P", ALPHA, {PACKED(1, 1, 4), PALETTE}},
  [36] = {"YUV9", 0, {YUV410}},
  [37] = {"YVU9", 0, {YUV410}},
  [38] = {"IYU1", 0, {PACKED(4, 6, 4)}},
  [39] = {"ARGB64", ALPHA, {PACKED(1, 8, 8)}},
  [40] = {"AYUV64", ALPHA, {PACKED(1, 8, 8)}},
  [41] = {"r210", 0, {PACKED(1, 4, 4)}},
  [42] = {"I420_10BE", 0, {YUV420(2)}},
  [43] = {"I420_10LE", 0, {YUV420(2)}},
  [44] = {"I422_10BE", 0, {YUV422(2, EVEN)}},
  [45] = {"I422_10LE", 0, {YUV422(2, EVEN)}},
  [46] = {"Y444_10BE", 0, {YUV444(2)}},
  [47] = {"Y444_10LE", 0, {YUV444(2)}},
  [48] = {"GBR", 0, {YUV444(1)}},
  [49] = {"GBR_10BE", 0, {YUV444(2)}},
  [50] = {"GBR_10LE", 0, {YUV444(2)}},
  [51] = {"NV16", 0, {Y(1, EXACT), CC422(1)}},
  [52] = {"NV24", 0, {Y(1, EXACT), Y(2, EXACT)}},
  [53] = {"NV12_64Z32", ZIGZAG, {TILED(1, 1, 128, 1, 64, 32),
                                 TILED(1, 1, 128, 2, 64, 32)}},
  [54] = {"A420_10BE", ALPHA, {YUVA420(2)}},
  [55] = {"A420_10LE", ALPHA, {YUVA420(2)}},
  [56] = {"A422_10BE", ALPHA, {YUVA422(2)}},
  [57] = {"A422_10LE", ALPHA, {YUVA422(2)}},
  [58] = {"A444_10BE", ALPHA, {YUVA444(2, EXACT)}},
  [59] = {"A444_10LE", ALPHA, {YUVA444(2, EXACT)}},
  [60] = {"NV61", 0, {Y(1, EXACT), CC422(1)}},
  [61] = {"P010_10BE", 0, {NV12(2, EXACT)}},
  [62] = {"P010_10LE", 0, {NV12(2, EXACT)}},
  [63] = {"IYU2", 0, {PACKED(1, 3, 4)}},
  [64] = {"VYUY", 0, {PACKED(2, 4, 4)}},
  [65] = {"GBRA", ALPHA, {YUVA444(1, EXACT)}},
  [66] = {"GBRA_10BE", ALPHA, {YUVA444(2, EXACT)}},
  [67] = {"GBRA_10LE", ALPHA, {YUVA444(2, EXACT)}},
  [68] = {"GBR_12BE", 0, {YUV444(2)}},
  [69] = {"GBR_12LE", 0, {YUV444(2)}},
  [70] = {"GBRA_12BE", ALPHA, {YUVA444(2, EXACT)}},
  [71] = {"GBRA_12LE", ALPHA, {YUVA444(2, EXACT)}},
  [72] = {"I420_12BE", 0, {YUV420(2)}},
  [73] = {"I420_12LE", 0, {YUV420(2)}},
  [74] = {"I422_12BE", 0, {YUV422(2, EVEN)}},
  [75] = {"I422_12LE", 0, {YUV422(2, EVEN)}},
  [76] = {"Y444_12BE", 0, {YUV444(2)}},
  [77] = {"Y444_12LE", 0, {YUV444(2)}},
  [78] = {"GRAY10_LE32", 0, {PACK10_32(1, EVEN)}},
  [79] = {"NV12_10LE32", 0, {PACK10_32(1, EVEN), PACK10_32(2, FIELDS)}},
  [80] = {"NV16_10LE32", 0, {PACK10_32(1, EXACT), PACK10_32(1, EXACT)}},
  [81] = {"NV12_10LE40", 0, {PACK10_40(1, EVEN), PACK10_40(2, FIELDS)}},
  [82] = {"Y210", 0, {PACKED(2, 8, 8)}},
  [83] = {"Y410", 0, {PACKED(1, 4, 4)}},
  [84] = {"VUYA", ALPHA, {PACKED(1, 4, 4)}},
  [85] = {"BGR10A2_LE", ALPHA, {PACKED(1, 4, 4)}},
  [86] = {"RGB10A2_LE", ALPHA, {PACKED(1, 4, 4)}},
  [87] = {"Y444_16BE", 0, {YUV444(2)}},
  [88] = {"Y444_16LE", 0, {YUV444(2)}},
  [89] = {"P016_BE", 0, {NV12(2, EXACT)}},
  [90] = {"P016_LE", 0, {NV12(2, EXACT)}},
  [91] = {"P012_BE", 0, {NV12(2, EXACT)}},
  [92] = {"P012_LE", 0, {NV12(2, EXACT)}},
  [93] = {"Y212_BE", 0, {PACKED(2, 8, 8)}},
  [94] = {"Y212_LE", 0, {PACKED(2, 8, 8)}},
  [95] = {"Y412_BE", 0, {PACKED(1, 8, 8)}},
  [96] = {"Y412_LE", 0, {PACKED(1, 8, 8)}},
  [97] = {"NV12_4L4", WHOLE, {NV12_TILES(1, 1, 4, 4, 4)}},
  [98] = {"NV12_32L32", WHOLE, {NV12_TILES(1, 1, 32, 32, 32)}},
  [99] = {"RGBP", 0, {YUV444(1)}},
  [100] = {"BGRP", 0, {YUV444(1)}},
  [101] = {"AV12", ALPHA, {NV12(1, EXACT), Y(1, EVEN)}},
  [102] = {"ARGB64_LE", ALPHA, {PACKED(1, 8, 8)}},
  [103] = {"ARGB64_BE", ALPHA, {PACKED(1, 8, 8)}},
  [104] = {"RGBA64_LE", ALPHA, {PACKED(1, 8, 8)}},
  [105] = {"RGBA64_BE", ALPHA, {PACKED(1, 8, 8)}},
  [106] = {"BGRA64_LE", ALPHA, {PACKED(1, 8, 8)}},
  [107] = {"BGRA64_BE", ALPHA, {PACKED(1, 8, 8)}},
  [108] = {"ABGR64_LE", ALPHA, {PACKED(1, 8, 8)}},
  [109] = {"ABGR64_BE", ALPHA, {PACKED(1, 8, 8)}},
  [110] = {"NV12_16L32S", WHOLE, {NV12_TILES(1, 1, 16, 32, 16 | ROOMY)}},
  [111] = {"NV12_8L128", 0, {NV12_TILES(1, 1, 8, 128 | PER_FIELD, 128)}},
  [112] = {"NV12_10BE_8L128", 0,
           {NV12_TILES(4, 5, 8, 128 | CUT | PER_FIELD, 128 | CUT)}},
  [113] = {"NV12_10LE40_4L4", WHOLE, {NV12_TILES(4, 5, 5, 4, 4)}},
  /* 114, DMA_DRM, is no memory layout: it cannot be shared. */
  [115] = {"MT2110T", WHOLE, {NV12_TILES(4, 5, 20, 32, 16)}},
  [116] = {"MT2110R", WHOLE, {NV12_TILES(4, 5, 20, 32, 16)}},
  [117] = {"A422", ALPHA, {YUVA422(1)}},
  [118] = {"A444", ALPHA, {YUVA444(1, EVEN)}},
  [119] = {"A444_12LE", ALPHA, {YUVA444(2, EXACT)}},
  [120] = {"A444_12BE", ALPHA, {YUVA444(2, EXACT)}},
  [121] = {"A422_12LE", ALPHA, {YUVA422(2)}},
  [122] = {"A422_12BE", ALPHA, {YUVA422(2)}},
  [123] = {"A420_12LE", ALPHA, {YUVA420(2)}},
  [124] = {"A420_12BE", ALPHA, {YUVA420(2)}},
  [125] = {"A444_16LE", ALPHA, {YUVA444(2, EXACT)}},
  [126] = {"A444_16BE", ALPHA, {YUVA444(2, EXACT)}},
  [127] = {"A422_16LE", ALPHA, {YUVA422(2)}},
  [128] = {"A422_16BE", ALPHA, {YUVA422(2)}},
  [129] = {"A420_16LE", ALPHA, {YUVA420(2)}},
  [130] = {"A420_16BE", ALPHA, {YUVA420(2)}},
  [131] = {"GBR_16LE", 0, {YUV444(2)}},
  [132] = {"GBR_16BE", 0, {YUV444(2)}},
  [133] = {"RBGA", ALPHA, {PACKED(1, 4, 4)}},
  [134] = {"Y216_LE", 0, {PACKED(2, 8, 8)}},
  [135] = {"Y216_BE", 0, {PACKED(2, 8, 8)}},
  [136] = {"Y416_LE", 0, {PACKED(1, 8, 8)}},
  [137] = {"Y416_BE", 0, {PACKED(1, 8, 8)}},
  [138] = {"GRAY10_LE16", 0, {PACKED(1, 2, 4)}},
  [139] = {"NV16_10LE40", 0, {PACK10_40(1, EVEN), PACK10_40(1, EVEN)}},
  [140] = {"BGR10x2_LE", 0, {PACKED(1, 4, 4)}},
  [141] = {"RGB10x2_LE", 0, {PACKED(1, 4, 4)}},
};

#endif
