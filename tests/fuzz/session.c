/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Scripts of messages through the session machines
 *
 * The first byte says which end the script is for: 0 mod 3 the writer's, 1 the
 * reader's, 2 both together (pair.c). Each end is watched by the tables of
 * docs/protocol.md, section 4, written down a second time.
 */

#include "session.h"

#include <errno.h>
#include <string.h>

#include "board.h"
#include "format.h"
#include "pair.h"
#include "script.h"

/* ---- The writer's end ---------------------------------------------------- */

/* The session, and what an onlooker remembers of it. */
struct writer {
  struct shmv_writer_session session;
  uint32_t n_said, n_taken;
  uint32_t generation, asked; /* newest; of the FORMAT not answered, 0: none */
  bool hello, page, mapped, welcome, refused, bye;
};

static bool
writer_may_take(const struct writer *w, uint32_t type)
{
  if (w->refused || w->bye || w->session.refusal != 0)
    return true; /* and ignores it */
  if (type == SHMV_BYE)
    return true;
  if (!w->hello)
    return type == SHMV_HELLO;
  if (type == SHMV_MAPPED)
    return w->page && !w->mapped;
  if (type == SHMV_READY)
    return w->asked != 0;
  return type == SHMV_ACCEPTS || (type == SHMV_NUDGE && w->mapped);
}

static bool
hello_is_right(const struct shmv_hello *h)
{
  return h->version_min <= 1 && h->version_max >= 1 && h->policy <= 1 &&
         h->depth >= 1 && h->depth <= 32 && h->holds_min >= 1 &&
         h->holds_min <= h->holds_want && h->holds_want <= 64;
}

static bool
writer_take(struct fuzz_input *in, struct writer *w, uint8_t name)
{
  struct script_message script;
  struct shmv_message message;
  script_next(in, name, w->session.serial_in, w->session.sent_generation,
              &script);
  int code = shmv_wire_decode(&message, script.bytes, script.size);
  if (code < 0)
    return code == -ENOMSG; /* skipped; else this reader is dropped */
  bool may = writer_may_take(w, message.type);
  bool ignored = w->refused || w->bye || w->session.refusal != 0;
  bool outside = message.type == SHMV_WAKE || message.type == SHMV_NUDGE;
  bool counted = message.serial == (outside ? 0 : w->n_taken + 1);
  code = shmv_writer_session_take(&w->session, &message);
  FUZZ_CHECK(!script.right || !may || code >= 0);
  FUZZ_CHECK(code < 0 || (may && counted));
  FUZZ_CHECK(code >= 0 || code == -EPROTO || code == -EPROTONOSUPPORT);
  if (code < 0)
    return false;
  w->n_taken += !outside;
  FUZZ_CHECK((code == SHMV_STEP_NONE) == ignored);
  if (ignored)
    return true;
  if (message.type == SHMV_HELLO)
    FUZZ_CHECK(code == SHMV_STEP_HELLO && hello_is_right(&message.u.hello));
  if (message.type == SHMV_READY) {
    FUZZ_CHECK(code == SHMV_STEP_READY && message.u.generation == w->asked);
    w->asked = 0;
  }
  w->hello = w->hello || message.type == SHMV_HELLO;
  w->mapped = w->mapped || message.type == SHMV_MAPPED;
  w->bye = w->bye || message.type == SHMV_BYE;
  if (code == SHMV_STEP_HELLO) {
    w->session.welcome = script_welcome;
    if (fuzz_u8(in) % 8 == 7)
      w->session.refusal = SHMV_REFUSED_READERS;
    else
      shmv_writer_session_admit(&w->session);
  }
  return true;
}

/* What is said must be what the other end waits for. */
static void
writer_check_said(struct writer *w, const struct shmv_message *message)
{
  FUZZ_CHECK(!w->refused && message->serial == w->n_said + 1);
  w->n_said++;
  switch (message->type) {
    case SHMV_REFUSED:
      w->refused = true;
      break;
    case SHMV_PAGE:
      FUZZ_CHECK(w->hello && !w->page && !w->bye);
      w->page = true;
      break;
    case SHMV_WELCOME:
      FUZZ_CHECK(w->mapped && !w->welcome && !w->bye);
      w->welcome = true;
      break;
    case SHMV_FORMAT:
      FUZZ_CHECK(w->welcome && w->asked == 0 && !w->bye);
      w->asked = w->generation;
      break;
    case SHMV_END:
      FUZZ_CHECK(w->welcome && w->asked == 0 && !w->bye);
      break;
    default:
      FUZZ_CHECK(false);
  }
}

static bool
writer_say(struct writer *w, bool unacceptable)
{
  struct shmv_message message;
  if (!shmv_writer_session_next(&w->session, w->generation, &message))
    return false;
  if (message.type == SHMV_FORMAT) {
    if (unacceptable) {
      w->session.refusal = SHMV_REFUSED_FORMAT;
      return true;
    }
    message.u.format.generation = w->generation;
  }
  writer_check_said(w, &message);
  shmv_writer_session_sent(&w->session, &message);
  return true;
}

static void
writer_act(struct fuzz_input *in, struct writer *w)
{
  uint8_t what = fuzz_u8(in);
  switch (what % 4) {
    case 0:
      w->generation++;
      break;
    case 1:
      w->session.say_end = true;
      w->session.end_generation = w->generation - (what >> 7);
      break;
    case 2:
      if (what >> 2 == 0 && !w->refused) /* nobody is refused twice */
        w->session.refusal = SHMV_REFUSED_MEMORY;
      break;
    default:
      writer_say(w, what >> 2 == 0);
      break;
  }
}

static void
try_writer(struct fuzz_input *in)
{
  struct writer w = {0};
  bool going = true;
  for (int i = 0; going && fuzz_left(in) > 0 && i < SCRIPT_STEPS; i++) {
    uint8_t name = fuzz_u8(in);
    if ((name & 15) == 13)
      writer_act(in, &w);
    else if ((name & 15) == 14)
      while (writer_say(&w, false))
        ;
    else
      going = writer_take(in, &w, name);
  }
}

/* ---- The reader's end ---------------------------------------------------- */

struct reader {
  struct shmv_reader_session session;
  uint32_t n_taken, generation;
  bool page, welcome, asked, over;
};

static bool
reader_may_take(const struct reader *r, uint32_t type)
{
  if (r->over || type == SHMV_BYE || type == SHMV_REFUSED)
    return true;
  if (!r->page)
    return type == SHMV_PAGE;
  if (!r->welcome)
    return type == SHMV_WELCOME;
  return type == SHMV_WAKE ||
         (!r->asked && (type == SHMV_FORMAT || type == SHMV_END));
}

/* What was taken as a format: all numbers that memory is mapped by. */
static void
check_format(const struct reader *r, const struct shmv_message *message)
{
  const struct shmv_format_message *f = &message->u.format;
  const struct shmvideo_format *v = &f->format;
  FUZZ_CHECK(f->generation != 0);
  FUZZ_CHECK(r->generation == 0 ||
             (int32_t)(f->generation - r->generation) > 0);
  FUZZ_CHECK(f->n_slots >= 1 && f->n_slots <= 254);
  FUZZ_CHECK(f->slot_size % 4096 == 0 && f->slot_size >= v->size);
  FUZZ_CHECK(v->size >= 1 && v->size <= UINT64_C(1) << 40);
  FUZZ_CHECK(f->slot_size <= 4 * v->size + 65536);
  FUZZ_CHECK((unsigned __int128)f->slot_size * f->n_slots == f->pool_size);
  FUZZ_CHECK(f->board_size == 53248 && f->modifier == 0 && f->memory_kind == 0);
  FUZZ_CHECK(v->n_planes == shmv_pixel_format_n_planes(v->pixel_format));
  for (uint32_t i = 0; i < v->n_planes; i++) {
    uint64_t row, rows;
    FUZZ_CHECK(shmv_format_plane_extent(v, i, v->stride[i], &row, &rows) == 0);
    FUZZ_CHECK((unsigned __int128)v->offset[i] +
                   (unsigned __int128)(rows - 1) * v->stride[i] + row <=
               v->size);
  }
}

static void
check_welcome(const struct reader *r, const struct shmv_welcome *w)
{
  const struct shmv_hello *h = &r->session.hello;
  FUZZ_CHECK(w->version == 1 && w->policy <= h->policy && w->reader < 128);
  FUZZ_CHECK(w->depth >= 1 && w->depth <= h->depth);
  FUZZ_CHECK(w->holds >= h->holds_min && w->holds <= h->holds_want);
  FUZZ_CHECK(w->holds <= SHMV_MAX_HOLDS && w->holds <= r->session.page_holds);
}

static void
reader_taken(struct reader *r, int step, const struct shmv_message *message)
{
  struct shmv_message answer;
  switch (message->type) {
    case SHMV_PAGE:
      FUZZ_CHECK(step == SHMV_STEP_PAGE);
      r->page = true;
      shmv_reader_session_mapped(&r->session, &answer);
      break;
    case SHMV_WELCOME:
      FUZZ_CHECK(step == SHMV_STEP_WELCOME);
      check_welcome(r, &r->session.welcome);
      r->welcome = true;
      break;
    case SHMV_FORMAT:
      FUZZ_CHECK(step == SHMV_STEP_FORMAT);
      check_format(r, message);
      r->generation = message->u.format.generation;
      r->asked = true;
      break;
    case SHMV_REFUSED: case SHMV_BYE:
      r->over = true;
      break;
    default:
      FUZZ_CHECK(step == SHMV_STEP_END || step == SHMV_STEP_WAKE);
      break;
  }
}

static bool
reader_take(struct fuzz_input *in, struct reader *r, uint8_t name)
{
  struct script_message script;
  struct shmv_message message;
  uint32_t next = r->generation + 1 != 0 ? r->generation + 1 : 1;
  script_next(in, name, r->session.serial_in, next, &script);
  int code = shmv_wire_decode(&message, script.bytes, script.size);
  if (code < 0)
    return code == -ENOMSG;
  bool may = reader_may_take(r, message.type), ignored = r->over;
  bool outside = message.type == SHMV_WAKE || message.type == SHMV_NUDGE;
  bool counted = message.serial == (outside ? 0 : r->n_taken + 1);
  bool granted = message.type != SHMV_WELCOME || /* fits HELLO and page */
                 (script_welcome.holds <= r->session.page_holds &&
                  memcmp(&r->session.hello, &script_hello,
                         sizeof script_hello) == 0);
  code = shmv_reader_session_take(&r->session, &message);
  FUZZ_CHECK(!script.right || !may || !granted || code >= 0);
  FUZZ_CHECK(code < 0 ? code == -EPROTO : (may && counted));
  if (code < 0)
    return false;
  r->n_taken += !outside;
  FUZZ_CHECK((code == SHMV_STEP_NONE) == ignored);
  if (!ignored)
    reader_taken(r, code, &message);
  return true;
}

static void
try_reader(struct fuzz_input *in, uint8_t kind)
{
  struct reader r = {0};
  struct shmv_hello hello = script_hello;
  struct shmv_message message;
  if (kind != 0) { /* asks for less, or for more */
    hello.policy = kind & 1;
    hello.depth = 1 + (kind >> 1 & 31);
    hello.holds_want = (uint16_t)(hello.holds_min + (kind & 31));
  }
  shmv_reader_session_init(&r.session, &hello, &message);
  FUZZ_CHECK(message.type == SHMV_HELLO && message.serial == 1);
  bool going = true;
  for (int i = 0; going && fuzz_left(in) > 0 && i < SCRIPT_STEPS; i++) {
    uint8_t name = fuzz_u8(in);
    if ((name & 15) == 14) {
      if (!r.asked)
        continue;
      shmv_reader_session_ready(&r.session, &message);
      FUZZ_CHECK(message.u.generation == r.generation);
      r.asked = false;
    } else {
      going = reader_take(in, &r, name);
    }
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, data + size};
  uint8_t kind = fuzz_u8(&in);
  if (kind % 3 == 0)
    try_writer(&in);
  else if (kind % 3 == 1)
    try_reader(&in, kind / 3);
  else
    pair_try(&in);
  return 0;
}
