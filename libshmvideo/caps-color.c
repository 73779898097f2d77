/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "caps-color.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof(array)[0])

/* H.273 says "unspecified" with this in all three fields. */
#define UNSPECIFIED 2

/* GStreamer's numbers, in the order of a text. 0 is "unknown" in each. */
struct numbers {
  uint32_t range, matrix, transfer, primaries;
};

static const struct {
  const char *name;
  struct numbers numbers;
} names[] = {
    {"bt601", {2, 4, 16, 4}},      {"bt709", {2, 3, 5, 1}},
    {"smpte240m", {2, 5, 6, 5}},   {"sRGB", {1, 1, 7, 1}},
    {"bt2020", {2, 6, 11, 7}},     {"bt2020-10", {2, 6, 13, 7}},
    {"bt2100-pq", {2, 6, 14, 7}},  {"bt2100-hlg", {2, 6, 15, 7}},
};

/* The code point of each of GStreamer's numbers. */
static const uint8_t matrices[] = {2, 0, 4, 1, 6, 7, 9};
static const uint8_t transfers[] = {2, 8, 2, 2,  4,  1, 7,  13, 5,
                                    9, 10, 15, 2, 14, 16, 18, 6};
static const uint8_t primaries[] = {2, 1, 4, 5, 6, 7, 8, 9, 2, 10, 11, 12, 22};

static uint32_t
to_code_point(const uint8_t *table, size_t n, uint32_t number)
{
  return number < n ? table[number] : UNSPECIFIED;
}

static uint32_t
from_code_point(const uint8_t *table, size_t n, uint32_t code_point)
{
  for (uint32_t i = 1; i < n; i++)
    if (table[i] == code_point && code_point != UNSPECIFIED)
      return i;
  return 0;
}

/* RGB formats are those whose name has all three letters, and one more; not
 * GRAY16_BE. Their matrix is the identity, whatever a text says. */
static bool
is_rgb(uint32_t pixel_format)
{
  const char *name = shmvideo_pixel_format_name(pixel_format);
  if (name == NULL || strncmp(name, "GRAY", 4) == 0)
    return false;
  return strcmp(name, "r210") == 0 ||
         (strchr(name, 'R') && strchr(name, 'G') && strchr(name, 'B'));
}

/* One decimal number and what ends it; *at goes behind that. */
static bool
parse_number(const char **at, char end, uint32_t *out)
{
  size_t n = strspn(*at, "0123456789");
  if (n < 1 || n > 3 || (*at)[n] != end)
    return false;
  *out = 0;
  for (size_t i = 0; i < n; i++)
    *out = *out * 10 + (uint32_t)((*at)[i] - '0');
  *at += n + 1;
  return true;
}

static bool
parse_numbers(const char *text, struct numbers *out)
{
  for (size_t i = 0; i < N(names); i++)
    if (strcmp(names[i].name, text) == 0) {
      *out = names[i].numbers;
      return true;
    }
  return parse_number(&text, ':', &out->range) &&
         parse_number(&text, ':', &out->matrix) &&
         parse_number(&text, ':', &out->transfer) &&
         parse_number(&text, '\0', &out->primaries);
}

void
shmv_color_from_text(struct shmvideo_format *format, const char *text)
{
  struct numbers is = {0};
  bool said = text != NULL && parse_numbers(text, &is);
  if (!said)
    is = (struct numbers){0};
  format->color_range = is.range <= 2 ? is.range : 0;
  format->color_matrix = to_code_point(matrices, N(matrices), is.matrix);
  format->color_transfer = to_code_point(transfers, N(transfers), is.transfer);
  format->color_primaries =
      to_code_point(primaries, N(primaries), is.primaries);
  if (said && is_rgb(format->pixel_format))
    format->color_matrix = 0;
}

void
shmv_color_to_text(const struct shmvideo_format *format,
                   char text[SHMV_COLOR_TEXT_MAX])
{
  struct numbers is = {
      .range = format->color_range,
      .matrix = from_code_point(matrices, N(matrices), format->color_matrix),
      .transfer =
          from_code_point(transfers, N(transfers), format->color_transfer),
      .primaries =
          from_code_point(primaries, N(primaries), format->color_primaries),
  };
  if (format->color_matrix == 5) /* the same numbers as 6 */
    is.matrix = 4;
  /* Matrix 0 is the identity, but in a struct that nobody filled it is nothing:
   * there transfer and primaries are 0 too, which H.273 reserves. */
  bool unfilled = format->color_transfer == 0 && format->color_primaries == 0;
  if (format->color_matrix == 0 && unfilled)
    is.matrix = 0;
  if (is_rgb(format->pixel_format))
    is.matrix = is.range + is.transfer + is.primaries != 0;
  text[0] = '\0';
  if (is.range + is.matrix + is.transfer + is.primaries == 0)
    return;
  snprintf(text, SHMV_COLOR_TEXT_MAX, "%u:%u:%u:%u", is.range, is.matrix,
           is.transfer, is.primaries);
  for (size_t i = 0; i < N(names); i++)
    if (memcmp(&names[i].numbers, &is, sizeof is) == 0)
      snprintf(text, SHMV_COLOR_TEXT_MAX, "%s", names[i].name);
}

static const struct {
  const char *name;
  uint32_t bits;
} sites[] = {
    {"jpeg", SHMVIDEO_CHROMA_CENTERED},
    {"mpeg2", SHMVIDEO_CHROMA_H_COSITED},
    {"dv", SHMVIDEO_CHROMA_H_COSITED | SHMVIDEO_CHROMA_V_COSITED |
               SHMVIDEO_CHROMA_ALT_LINE},
    {"alt-line", SHMVIDEO_CHROMA_ALT_LINE},
    {"cosited", SHMVIDEO_CHROMA_H_COSITED | SHMVIDEO_CHROMA_V_COSITED},
    {"v-cosited", SHMVIDEO_CHROMA_V_COSITED},
    {"h-cosited+alt-line",
     SHMVIDEO_CHROMA_H_COSITED | SHMVIDEO_CHROMA_ALT_LINE},
    {"v-cosited+alt-line",
     SHMVIDEO_CHROMA_V_COSITED | SHMVIDEO_CHROMA_ALT_LINE},
    /* Only read: the names above are written for these. */
    {"none", SHMVIDEO_CHROMA_CENTERED},
    {"h-cosited", SHMVIDEO_CHROMA_H_COSITED},
};

uint32_t
shmv_chroma_site_from_text(const char *text)
{
  uint32_t bits = 0;
  /* Names joined by "+", in any order. */
  for (;;) {
    size_t length = strcspn(text, "+"), i = 0;
    while (i < N(sites) && (strlen(sites[i].name) != length ||
                            memcmp(sites[i].name, text, length) != 0))
      i++;
    if (i == N(sites))
      return 0;
    bits |= sites[i].bits;
    if (text[length] == '\0')
      return bits;
    text += length + 1;
  }
}

const char *
shmv_chroma_site_to_text(uint32_t chroma_site)
{
  for (size_t i = 0; i < N(sites); i++)
    if (sites[i].bits == chroma_site)
      return sites[i].name;
  return NULL;
}
