/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Each message body is written once, as one walk over its fields; the same walk
 * encodes and decodes, so the two cannot disagree.
 */

#include "os.h"

#include "wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "text.h"

/* A place in the bytes, and which way values go. */
struct walk {
  uint8_t *out;      /* encoding, or NULL */
  const uint8_t *in; /* decoding, or NULL */
  size_t size, at;
  bool bad;
};

static uint64_t
field(struct walk *walk, uint64_t value, unsigned n_bytes)
{
  if (walk->bad || walk->size - walk->at < n_bytes) {
    walk->bad = true;
    return 0;
  }
  uint64_t result = 0;
  for (unsigned i = 0; i < n_bytes; i++, walk->at++) {
    if (walk->out != NULL)
      walk->out[walk->at] = (uint8_t)(value >> 8 * i);
    else
      result |= (uint64_t)walk->in[walk->at] << 8 * i;
  }
  return walk->out != NULL ? value : result;
}

static void
u16(struct walk *walk, uint16_t *value)
{
  *value = (uint16_t)field(walk, *value, 2);
}

static void
u32(struct walk *walk, uint32_t *value)
{
  *value = (uint32_t)field(walk, *value, 4);
}

static void
u64(struct walk *walk, uint64_t *value)
{
  *value = field(walk, *value, 8);
}

/* A length, then the text, which ends the message. */
static void
text(struct walk *walk, struct shmv_message *message)
{
  u32(walk, &message->text_size);
  uint32_t size = message->text_size;
  if (walk->bad || size > SHMV_WIRE_TEXT_MAX || walk->size - walk->at < size) {
    walk->bad = true;
    return;
  }
  if (walk->in != NULL)
    message->text = (const char *)walk->in + walk->at;
  if (size == 0)
    return;
  /* A NUL inside would make the same text mean two things. */
  if (memchr(message->text, 0, size) != NULL ||
      !shmv_text_is_utf8(message->text, size))
    walk->bad = true;
  if (walk->out != NULL)
    memcpy(walk->out + walk->at, message->text, size);
  walk->at += size;
}

static void
hello(struct walk *walk, struct shmv_message *message)
{
  struct shmv_hello *h = &message->u.hello;
  u16(walk, &h->version_min);
  u16(walk, &h->version_max);
  u32(walk, &h->policy);
  u32(walk, &h->depth);
  u16(walk, &h->holds_min);
  u16(walk, &h->holds_want);
  u32(walk, &h->flags);
  text(walk, message);
}

static void
welcome(struct walk *walk, struct shmv_message *message)
{
  struct shmv_welcome *w = &message->u.welcome;
  u16(walk, &w->version);
  u16(walk, &w->policy);
  u32(walk, &w->reader);
  u64(walk, &w->stream);
  u32(walk, &w->depth);
  u32(walk, &w->holds);
  u32(walk, &w->floor);
}

static void
video_format(struct walk *walk, struct shmvideo_format *f)
{
  uint32_t *words[] = {
      &f->pixel_format,   &f->width,          &f->height,
      &f->fps_n,          &f->fps_d,          &f->max_fps_n,
      &f->max_fps_d,      &f->par_n,          &f->par_d,
      &f->interlace_mode, &f->field_order,    &f->color_range,
      &f->color_matrix,   &f->color_transfer, &f->color_primaries,
      &f->chroma_site,    &f->alpha_mode,     &f->views,
      &f->n_planes,       &f->stride[0],      &f->stride[1],
      &f->stride[2],      &f->stride[3]};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    u32(walk, words[i]);
  for (int i = 0; i < SHMVIDEO_MAX_PLANES; i++)
    u64(walk, &f->offset[i]);
  u64(walk, &f->size);
}

static void
format(struct walk *walk, struct shmv_message *message)
{
  struct shmv_format_message *f = &message->u.format;
  u32(walk, &f->generation);
  u32(walk, &f->n_slots);
  u64(walk, &f->slot_size);
  u64(walk, &f->pool_size);
  u64(walk, &f->board_size);
  u64(walk, &f->modifier);
  u32(walk, &f->memory_kind);
  video_format(walk, &f->format);
  text(walk, message);
}

static void
body(struct walk *walk, struct shmv_message *message)
{
  switch (message->type) {
    case SHMV_HELLO:
      hello(walk, message);
      break;
    case SHMV_PAGE:
      u32(walk, &message->u.page_holds);
      break;
    case SHMV_WELCOME:
      welcome(walk, message);
      break;
    case SHMV_FORMAT:
      format(walk, message);
      break;
    case SHMV_READY:
      u32(walk, &message->u.generation);
      break;
    case SHMV_ACCEPTS:
      text(walk, message);
      break;
    case SHMV_REFUSED:
      u32(walk, &message->u.refusal);
      text(walk, message);
      break;
    case SHMV_END:
      u32(walk, &message->u.end);
      break;
    default: /* MAPPED, BYE, WAKE, NUDGE: nothing but the header */
      break;
  }
}

uint32_t
shmv_wire_encode(const struct shmv_message *message, uint8_t *bytes)
{
  struct shmv_message copy = *message;
  uint32_t magic = SHMV_WIRE_MAGIC, length;
  struct walk walk = {.out = bytes, .size = SHMV_WIRE_MAX, .at = 16};
  body(&walk, &copy);
  if (walk.bad)
    return 0;
  length = (uint32_t)walk.at;
  walk.at = 0;
  u32(&walk, &magic);
  u32(&walk, &copy.type);
  u32(&walk, &length);
  u32(&walk, &copy.serial);
  return length;
}

int
shmv_wire_decode(struct shmv_message *message, const uint8_t *bytes,
                 size_t size)
{
  struct walk walk = {.in = bytes, .size = size};
  uint32_t magic = 0, length = 0;
  memset(message, 0, sizeof *message);
  u32(&walk, &magic);
  u32(&walk, &message->type);
  u32(&walk, &length);
  u32(&walk, &message->serial);
  if (walk.bad || magic != SHMV_WIRE_MAGIC || length != size ||
      size > SHMV_WIRE_MAX)
    return -EBADMSG;
  if (message->type < SHMV_HELLO || message->type > SHMV_NUDGE)
    return -ENOMSG;
  body(&walk, message);
  return walk.bad || walk.at != size ? -EBADMSG : 0;
}

unsigned
shmv_wire_n_fds(uint32_t type)
{
  return type == SHMV_FORMAT ? 2 : type == SHMV_PAGE ? 1 : 0;
}

const char *
shmv_wire_type_name(uint32_t type)
{
  static const char *const names[] = {
      "?",      "HELLO",   "PAGE",    "MAPPED", "WELCOME", "FORMAT", "READY",
      "ACCEPTS", "REFUSED", "END",     "BYE",    "WAKE",    "NUDGE"};
  return type < sizeof names / sizeof names[0] ? names[type] : names[0];
}
