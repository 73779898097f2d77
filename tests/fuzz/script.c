/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "script.h"

#include <string.h>

#include "board.h"

const struct shmv_hello script_hello = {1, 1, SHMVIDEO_LOSSLESS, 8, 2, 4, 0};
const struct shmv_welcome script_welcome = {
    1, SHMVIDEO_LOSSLESS, 5, UINT64_C(0x8877665544332211), 8, 3, 1};

#define N_FORMATS 10u

/* Small, and of every kind: planes, tiles, fields, palettes. */
static const char *const texts[N_FORMATS] = {
    "video/x-raw, format=RGBA, width=16, height=8, framerate=25/1",
    "video/x-raw, format=I420, width=15, height=9, colorimetry=bt709",
    "video/x-raw, format=NV12, width=64, height=32, chroma-site=mpeg2",
    ("video/x-raw(format:Interlaced), format=AV12, width=33, height=17, "
     "interlace-mode=alternate, field-order=bottom-field-first"),
    "video/x-raw, format=NV12_64Z32, width=65, height=33",
    "video/x-raw, format=RGB8P, width=3, height=3",
    "video/x-raw, format=GBRA, width=5, height=7, premultiplied-alpha=true",
    "video/x-raw, format=NV12_10LE40_4L4, width=9, height=5",
    "video/x-raw, format=UYVP, width=7, height=2, views=2",
    "video/x-raw, format=v210, width=1, height=1, max-framerate=60/1",
};

/* One of these texts over and over is parsed once: texts have a target of their own,
 * and would be most of the work here. */
int __real_shmvideo_format_from_caps(struct shmvideo_format *format,
                                     const char *text,
                                     struct shmvideo_error *error);
int __wrap_shmvideo_format_from_caps(struct shmvideo_format *format,
                                     const char *text,
                                     struct shmvideo_error *error);

static struct template {
  struct shmvideo_format format;
  uint8_t bytes[SCRIPT_MAX];
  size_t size;
} templates[N_FORMATS];

static const struct template *
get_template(uint32_t which)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  struct template *t = &templates[which % N_FORMATS];
  const char *text = texts[which % N_FORMATS];
  if (t->size != 0)
    return t;
  FUZZ_CHECK(__real_shmvideo_format_from_caps(&t->format, text, NULL) == 0);
  struct shmv_message message = {.type = SHMV_FORMAT};
  message.u.format.board_size = SHMV_BOARD_SIZE;
  message.u.format.format = t->format;
  message.text = text;
  message.text_size = (uint32_t)strlen(text);
  t->size = shmv_wire_encode(&message, bytes);
  FUZZ_CHECK(t->size > 0 && t->size <= SCRIPT_MAX);
  memcpy(t->bytes, bytes, t->size);
  return t;
}

int
__wrap_shmvideo_format_from_caps(struct shmvideo_format *format,
                                 const char *text,
                                 struct shmvideo_error *error)
{
  for (uint32_t i = 0; i < N_FORMATS; i++)
    if (strcmp(texts[i], text) == 0) {
      *format = get_template(i)->format;
      return 0;
    }
  return __real_shmvideo_format_from_caps(format, text, error);
}

const struct shmvideo_format *
script_video_format(uint32_t which)
{
  return &get_template(which)->format;
}

static void
put_number(uint8_t *bytes, uint64_t number, int width)
{
  for (int i = 0; i < width; i++)
    bytes[i] = (uint8_t)(number >> 8 * i);
}

size_t
script_format(uint8_t *bytes, uint32_t which, uint32_t more, uint32_t n_slots,
              uint32_t generation, uint32_t serial)
{
  const struct template *t = get_template(which);
  uint64_t slot_size = (t->format.size + 4095) / 4096 * 4096 + 4096 * more;
  memcpy(bytes, t->bytes, t->size);
  put_number(bytes + 12, serial, 4);
  put_number(bytes + 16, generation, 4);
  put_number(bytes + 20, n_slots, 4);
  put_number(bytes + 24, slot_size, 8);
  put_number(bytes + 32, slot_size * n_slots, 8);
  return t->size;
}

/* A message of this type that is right; its size. */
static size_t
make(struct fuzz_input *in, uint32_t type, uint32_t generation, uint32_t serial,
     uint8_t *bytes)
{
  static const char caps[] = "video/x-raw, format={ RGBA, NV12 }";
  if (type == SHMV_FORMAT) {
    uint8_t which = fuzz_u8(in);
    return script_format(bytes, which & 15, which >> 4, 10, generation, serial);
  }
  struct shmv_message message = {.type = type, .serial = serial};
  if (type == SHMV_HELLO)
    message.u.hello = script_hello;
  else if (type == SHMV_PAGE)
    message.u.page_holds = SHMV_MAX_HOLDS;
  else if (type == SHMV_WELCOME)
    message.u.welcome = script_welcome;
  else if (type == SHMV_READY)
    message.u.generation = generation;
  else if (type == SHMV_REFUSED)
    message.u.refusal = SHMV_REFUSED_MEMORY;
  if (type == SHMV_HELLO || type == SHMV_ACCEPTS || type == SHMV_REFUSED) {
    message.text = caps;
    message.text_size = sizeof caps - 1;
  }
  return shmv_wire_encode(&message, bytes);
}

/* Header alone, then as many bytes of the script as it says. */
static size_t
own_body(struct fuzz_input *in, uint8_t *bytes)
{
  size_t n = fuzz_u8(in);
  for (size_t i = 0; i < n; i++)
    bytes[SHMV_WIRE_HEADER + i] = fuzz_u8(in);
  put_number(bytes + 8, SHMV_WIRE_HEADER + n, 4);
  return SHMV_WIRE_HEADER + n;
}

/* A number somewhere, as wide as it wants to be. */
static void
patch(struct fuzz_input *in, uint8_t *bytes, size_t size)
{
  size_t at = fuzz_u8(in);
  uint32_t number = fuzz_number(in);
  if (at + 4 <= size)
    put_number(bytes + at, number, 4);
}

void
script_next(struct fuzz_input *in, uint8_t name, uint32_t last,
            uint32_t generation, struct script_message *out)
{
  static uint8_t work[SHMV_WIRE_MAX], room[SCRIPT_MAX];
  uint32_t type = name & 15;
  bool outside = type == SHMV_WAKE || type == SHMV_NUDGE;
  uint32_t serial = outside ? 0 : last + 1;
  if (name & 0x40)
    serial += fuzz_u8(in);
  size_t size = make(in, type, generation, serial, work);
  FUZZ_CHECK(size >= SHMV_WIRE_HEADER && size <= SCRIPT_MAX);
  if (name & 0x80)
    size = own_body(in, work);
  for (int bit = 0x10; bit <= 0x20; bit <<= 1)
    if (name & bit)
      patch(in, work, size);
  uint8_t *bytes = room + sizeof room - size;
  memcpy(bytes, work, size);
  *out = (struct script_message){
      .type = type, .right = (name & 0xf0) == 0, .bytes = bytes, .size = size};
}
