/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Any bytes as a message
 *
 * What decode takes is told apart from what it must refuse by a second opinion,
 * written from docs/protocol.md; and what it took becomes the same bytes again.
 */

#include "wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

/* Bytes of each type's body before its text; whether it has a text. */
static const struct {
  uint8_t fixed;
  bool text;
} bodies[] = {
    [SHMV_HELLO] = {20, true},  [SHMV_PAGE] = {4, false},
    [SHMV_MAPPED] = {0, false}, [SHMV_WELCOME] = {28, false},
    [SHMV_FORMAT] = {176, true}, [SHMV_READY] = {4, false},
    [SHMV_ACCEPTS] = {0, true}, [SHMV_REFUSED] = {4, true},
    [SHMV_END] = {4, false},    [SHMV_BYE] = {0, false},
    [SHMV_WAKE] = {0, false},   [SHMV_NUDGE] = {0, false},
};

static uint32_t
number_at(const uint8_t *data, size_t at)
{
  return data[at] | (uint32_t)data[at + 1] << 8 | (uint32_t)data[at + 2] << 16 |
         (uint32_t)data[at + 3] << 24;
}

/* Each code point taken apart and put together: the shortest form, no surrogates. */
static bool
is_utf8(const uint8_t *data, size_t size)
{
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < size;) {
    uint8_t first = data[i++];
    size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = more == 0 ? first : first & (0x3fu >> more);
    if ((first >= 0x80 && first < 0xc0) || first > 0xf7 || more > size - i)
      return false;
    for (size_t k = 0; k < more; k++, i++) {
      if ((data[i] & 0xc0) != 0x80)
        return false;
      point = point << 6 | (data[i] & 0x3fu);
    }
    if (point < least[more] || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000))
      return false;
  }
  return true;
}

/* What docs/protocol.md says of these bytes. */
static int
verdict(const uint8_t *data, size_t size)
{
  if (size < 16 || size > 32768 || memcmp(data, "SHVM", 4) != 0 ||
      number_at(data, 8) != size)
    return -EBADMSG;
  uint32_t type = number_at(data, 4);
  if (type < SHMV_HELLO || type > SHMV_NUDGE)
    return -ENOMSG;
  size_t fixed = 16 + (size_t)bodies[type].fixed;
  if (!bodies[type].text)
    return size == fixed ? 0 : -EBADMSG;
  if (size < fixed + 4 || number_at(data, fixed) > 16384 ||
      number_at(data, fixed) != size - fixed - 4 ||
      memchr(data + fixed + 4, 0, size - fixed - 4) != NULL ||
      !is_utf8(data + fixed + 4, size - fixed - 4))
    return -EBADMSG;
  return 0;
}

static void
decode(const uint8_t *data, size_t size)
{
  static uint8_t again[SHMV_WIRE_MAX];
  struct shmv_message message;
  int code = shmv_wire_decode(&message, data, size);
  FUZZ_CHECK(code == verdict(data, size));
  FUZZ_CHECK(shmv_wire_type_name(message.type) != NULL);
  FUZZ_CHECK(shmv_wire_n_fds(message.type) <= 2);
  if (code < 0)
    return;
  FUZZ_CHECK(message.serial == number_at(data, 12));
  const uint8_t *text = (const uint8_t *)message.text;
  FUZZ_CHECK((text != NULL) == bodies[message.type].text);
  FUZZ_CHECK(text == NULL || text + message.text_size == data + size);
  FUZZ_CHECK(shmv_wire_encode(&message, again) == size);
  FUZZ_CHECK(memcmp(again, data, size) == 0);
}

static void
put_number(uint8_t *data, size_t at, size_t number)
{
  for (int i = 0; i < 4; i++)
    data[at + i] = (uint8_t)(number >> 8 * i);
}

/* The same with a header that is right, and perhaps a text size that is, for most
 * bytes would never get past them; at the end of its room, so that one byte too far
 * is seen. */
static void
decode_body(const uint8_t *data, size_t size)
{
  static uint8_t room[SHMV_WIRE_MAX];
  uint8_t *copy = room + sizeof room - size;
  memcpy(copy, data, size);
  memcpy(copy, "SHVM", 4);
  uint32_t type = copy[4];
  bool right_text = (copy[5] & 1) != 0;
  if (type != 0xff)
    put_number(copy, 4, type);
  put_number(copy, 8, size);
  if (right_text && type >= SHMV_HELLO && type <= SHMV_NUDGE) {
    size_t end = 16 + (size_t)bodies[type].fixed + 4;
    if (bodies[type].text && size >= end)
      put_number(copy, end - 4, size - end);
  }
  decode(copy, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  decode(data, size);
  if (size >= SHMV_WIRE_HEADER && size <= SHMV_WIRE_MAX)
    decode_body(data, size);
  return 0;
}
