/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the library's decoder makes of messages: a line of hexadecimal on standard
 * input is one message, a line of standard output what it says, as describe() in
 * peer.py writes it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

static void
print_words(const uint32_t *words, size_t n)
{
  for (size_t i = 0; i < n; i++)
    printf(" %" PRIu32, words[i]);
}

static void
print_format(const struct shmv_format_message *f)
{
  const struct shmvideo_format *v = &f->format;
  const uint32_t words[] = {
      f->memory_kind,   v->pixel_format, v->width,       v->height,
      v->fps_n,         v->fps_d,        v->max_fps_n,   v->max_fps_d,
      v->par_n,         v->par_d,        v->interlace_mode, v->field_order,
      v->color_range,   v->color_matrix, v->color_transfer, v->color_primaries,
      v->chroma_site,   v->alpha_mode,   v->views,       v->n_planes,
      v->stride[0],     v->stride[1],    v->stride[2],   v->stride[3]};
  printf(" %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
         f->generation, f->n_slots, f->slot_size, f->pool_size, f->board_size,
         f->modifier);
  print_words(words, sizeof words / sizeof words[0]);
  for (int i = 0; i < SHMVIDEO_MAX_PLANES; i++)
    printf(" %" PRIu64, v->offset[i]);
  printf(" %" PRIu64, v->size);
}

static void
print_body(const struct shmv_message *m)
{
  const struct shmv_hello *h = &m->u.hello;
  const struct shmv_welcome *w = &m->u.welcome;
  switch (m->type) {
    case SHMV_HELLO:
      printf(" %u %u %" PRIu32 " %" PRIu32 " %u %u %" PRIu32, h->version_min,
             h->version_max, h->policy, h->depth, h->holds_min, h->holds_want,
             h->flags);
      break;
    case SHMV_WELCOME:
      printf(" %u %u %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32,
             w->version, w->policy, w->reader, w->stream, w->depth, w->holds,
             w->floor);
      break;
    case SHMV_FORMAT:
      print_format(&m->u.format);
      break;
    case SHMV_PAGE:
      print_words(&m->u.page_holds, 1);
      break;
    case SHMV_READY:
      print_words(&m->u.generation, 1);
      break;
    case SHMV_REFUSED:
      print_words(&m->u.refusal, 1);
      break;
    case SHMV_END:
      print_words(&m->u.end, 1);
      break;
    default:
      break;
  }
}

static void
print_text(const struct shmv_message *m)
{
  if (m->type != SHMV_HELLO && m->type != SHMV_FORMAT &&
      m->type != SHMV_ACCEPTS && m->type != SHMV_REFUSED)
    return;
  fputs(m->text_size == 0 ? " -" : " ", stdout);
  for (uint32_t i = 0; i < m->text_size; i++)
    printf("%02x", (unsigned char)m->text[i]);
}

static void
decode(const uint8_t *bytes, size_t size)
{
  struct shmv_message message;
  int code = shmv_wire_decode(&message, bytes, size);
  if (code == 0) {
    printf("%" PRIu32 " %" PRIu32, message.type, message.serial);
    print_body(&message);
    print_text(&message);
  } else {
    fputs(code == -ENOMSG ? "skip" : "bad", stdout);
  }
  putchar('\n');
}

int
main(void)
{
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) >= 0) {
    size_t n = strspn(line, "0123456789abcdef") / 2;
    uint8_t *bytes = malloc(n > 0 ? n : 1); /* no byte more, for sanitizers */
    for (size_t i = 0; i < n; i++) {
      unsigned byte;
      if (sscanf(line + 2 * i, "%2x", &byte) != 1)
        return 1;
      bytes[i] = (uint8_t)byte;
    }
    decode(bytes, n);
    free(bytes);
  }
  free(line);
  return 0;
}
