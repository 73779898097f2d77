/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "text.h"

#include <stdint.h>
#include <string.h>

/* The first character and how many bytes it has, 0: that is none. */
static size_t
read_character(const char *text, size_t size, uint32_t *out)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  size_t n = bytes[0] < 0x80 ? 1
             : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
             : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
             : bytes[0] >= 0xf0 && bytes[0] < 0xf5 ? 4
                                                   : 0;
  if (n == 0 || n > size)
    return 0;
  uint32_t c = n == 1 ? bytes[0] : bytes[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (bytes[i] & 0x3f);
  }
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
    return 0;
  *out = c;
  return n;
}

bool
shmv_text_is_utf8(const char *text, size_t size)
{
  uint32_t c;
  for (size_t at = 0, n; at < size; at += n)
    if ((n = read_character(text + at, size - at, &c)) == 0)
      return false;
  return true;
}

void
shmv_text_clean(char *text)
{
  size_t size = strlen(text);
  for (size_t at = 0; at < size;) {
    uint32_t c = 0;
    size_t n = read_character(text + at, size - at, &c);
    bool shown = n > 0 && c >= ' ' && (c < 0x7f || c >= 0xa0);
    if (!shown)
      memset(text + at, '?', n > 0 ? n : 1);
    at += n > 0 ? n : 1;
  }
}
