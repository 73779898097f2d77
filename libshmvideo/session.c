/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The two take functions are the table "state x message" of docs/protocol.md, one
 * case a row; change both together.
 */

#include "os.h"

#include "session.h"

#include <errno.h>
#include <string.h>

#include "board.h"
#include "caps.h"
#include "format.h"

static void
begin(struct shmv_message *message, uint32_t type, uint32_t serial)
{
  memset(message, 0, sizeof *message);
  message->type = type;
  message->serial = serial;
}

/* WAKE and NUDGE go out on any thread and so have no place in the count. */
static bool
serial_ok(const struct shmv_message *message, uint32_t *last)
{
  if (message->type == SHMV_WAKE || message->type == SHMV_NUDGE)
    return message->serial == 0;
  return message->serial == ++*last;
}

/* ---- Writer's end -------------------------------------------------------- */

static int
check_hello(const struct shmv_message *message)
{
  const struct shmv_hello *h = &message->u.hello;
  if (h->version_min > h->version_max)
    return -EPROTO;
  /* First of all: what the other numbers may be is for that version to say. */
  if (h->version_min > SHMV_WIRE_VERSION || h->version_max < SHMV_WIRE_VERSION)
    return -EPROTONOSUPPORT;
  if (h->policy > SHMVIDEO_LOSSLESS || h->depth < 1 ||
      h->depth > SHMV_MAX_DEPTH || h->holds_min < 1 ||
      h->holds_min > h->holds_want || h->holds_want > SHMV_MAX_HOLDS)
    return -EPROTO;
  return 0;
}

static int
writer_take_new(struct shmv_writer_session *session,
                const struct shmv_message *message)
{
  if (message->type == SHMV_BYE) {
    session->state = SHMV_W_LEAVING;
    return SHMV_STEP_BYE;
  }
  if (message->type != SHMV_HELLO)
    return -EPROTO;
  int code = check_hello(message);
  if (code < 0)
    return code;
  session->hello = message->u.hello;
  return SHMV_STEP_HELLO;
}

static int
writer_take_admitted(struct shmv_writer_session *session,
                     const struct shmv_message *message)
{
  switch (message->type) {
    case SHMV_MAPPED:
      if (session->say_page) /* mapped what was never sent */
        return -EPROTO;
      session->state = SHMV_W_LIVE;
      session->say_welcome = true;
      return SHMV_STEP_MAPPED;
    case SHMV_ACCEPTS:
      return SHMV_STEP_ACCEPTS;
    case SHMV_BYE:
      session->state = SHMV_W_LEAVING;
      return SHMV_STEP_BYE;
    default:
      return -EPROTO;
  }
}

static int
writer_take_live(struct shmv_writer_session *session,
                 const struct shmv_message *message)
{
  switch (message->type) {
    case SHMV_READY:
      if (message->u.generation != session->sent_generation ||
          message->u.generation == session->ready_generation)
        return -EPROTO;
      session->ready_generation = message->u.generation;
      return SHMV_STEP_READY;
    case SHMV_ACCEPTS:
      return SHMV_STEP_ACCEPTS;
    case SHMV_NUDGE:
      return SHMV_STEP_NUDGE;
    case SHMV_BYE:
      session->state = SHMV_W_LEAVING;
      return SHMV_STEP_BYE;
    default:
      return -EPROTO;
  }
}

int
shmv_writer_session_take(struct shmv_writer_session *session,
                         const struct shmv_message *message)
{
  if (!serial_ok(message, &session->serial_in))
    return -EPROTO;
  if (session->refusal != 0) /* we parted already, only it is not said yet */
    return SHMV_STEP_NONE;
  switch (session->state) {
    case SHMV_W_NEW:
      return writer_take_new(session, message);
    case SHMV_W_ADMITTED:
      return writer_take_admitted(session, message);
    case SHMV_W_LIVE:
      return writer_take_live(session, message);
    default: /* LEAVING: what was on its way when we parted */
      return SHMV_STEP_NONE;
  }
}

void
shmv_writer_session_admit(struct shmv_writer_session *session)
{
  session->state = SHMV_W_ADMITTED;
  session->say_page = true;
}

bool
shmv_writer_session_next(const struct shmv_writer_session *session,
                         uint32_t generation, struct shmv_message *out_message)
{
  uint32_t serial = session->serial_out + 1;
  if (session->refusal != 0) {
    begin(out_message, SHMV_REFUSED, serial);
    out_message->u.refusal = session->refusal;
    return true;
  }
  if (session->state == SHMV_W_ADMITTED && session->say_page) {
    begin(out_message, SHMV_PAGE, serial);
    out_message->u.page_holds = SHMV_MAX_HOLDS;
    return true;
  }
  if (session->state != SHMV_W_LIVE)
    return false;
  if (session->say_welcome) {
    begin(out_message, SHMV_WELCOME, serial);
    out_message->u.welcome = session->welcome;
    return true;
  }
  bool answered = session->sent_generation == session->ready_generation;
  bool say_end = session->say_end && answered;
  /* An end comes before the formats after it, and after the frames before it. */
  if (say_end && session->ready_generation == session->end_generation) {
    begin(out_message, SHMV_END, serial);
    out_message->u.end = session->end;
    return true;
  }
  /* One credit: the newest format, and only when the last one was answered. */
  if (generation != session->sent_generation && answered) {
    begin(out_message, SHMV_FORMAT, serial);
    return true;
  }
  if (say_end) {
    begin(out_message, SHMV_END, serial);
    out_message->u.end = session->end;
    return true;
  }
  return false;
}

void
shmv_writer_session_sent(struct shmv_writer_session *session,
                         const struct shmv_message *message)
{
  session->serial_out = message->serial;
  switch (message->type) {
    case SHMV_REFUSED:
      session->refusal = 0;
      session->state = SHMV_W_LEAVING;
      break;
    case SHMV_PAGE:
      session->say_page = false;
      break;
    case SHMV_WELCOME:
      session->say_welcome = false;
      break;
    case SHMV_FORMAT:
      session->sent_generation = message->u.format.generation;
      break;
    case SHMV_END:
      session->say_end = false;
      break;
    default:
      break;
  }
}

/* ---- Reader's end -------------------------------------------------------- */

void
shmv_reader_session_init(struct shmv_reader_session *session,
                         const struct shmv_hello *hello,
                         struct shmv_message *out_message)
{
  memset(session, 0, sizeof *session);
  session->hello = *hello;
  shmv_reader_session_say(session, SHMV_HELLO, out_message);
  out_message->u.hello = *hello;
}

static int
check_welcome(const struct shmv_reader_session *session,
              const struct shmv_welcome *w)
{
  const struct shmv_hello *h = &session->hello;
  if (w->version < h->version_min || w->version > h->version_max ||
      w->policy > h->policy || w->reader >= SHMV_MAX_READERS ||
      w->depth < 1 || w->depth > h->depth || w->holds < h->holds_min ||
      w->holds > h->holds_want || w->holds > session->page_holds)
    return -EPROTO;
  return 0;
}

/* The text says what the struct says, or the writer lies in one of them. */
static int
check_caps(const struct shmv_message *message)
{
  char caps[SHMV_CAPS_MAX + 1];
  struct shmvideo_format said = message->u.format.format, parsed;
  static_assert(SHMV_WIRE_TEXT_MAX <= SHMV_CAPS_MAX, "texts fit here");
  memcpy(caps, message->text, message->text_size);
  caps[message->text_size] = 0;
  int code = shmvideo_format_from_caps(&parsed, caps, NULL);
  if (code < 0)
    return code == -ENOMEM ? code : -EPROTO;
  /* The layout is the writer's choice; it is checked against the slot. */
  memcpy(parsed.stride, said.stride, sizeof parsed.stride);
  memcpy(parsed.offset, said.offset, sizeof parsed.offset);
  parsed.size = said.size;
  return memcmp(&parsed, &said, sizeof said) == 0 ? 0 : -EPROTO;
}

static int
check_format(const struct shmv_reader_session *session,
             const struct shmv_message *message)
{
  const struct shmv_format_message *f = &message->u.format;
  const struct shmvideo_format *v = &f->format;
  if (session->generation != 0 && !session->ready)
    return -EPROTO; /* no credit was left */
  if (f->generation == 0 || (session->generation != 0 &&
      shmv_serial_diff(f->generation, session->generation) <= 0))
    return -EPROTO;
  if (f->memory_kind != 0 || f->modifier != 0 || f->n_slots < 1 ||
      f->n_slots > SHMV_MAX_SLOTS || f->board_size != SHMV_BOARD_SIZE)
    return -EPROTO;
  /* A bound on what a lying writer can make us map: 4 frames' worth a slot. */
  if (v->size == 0 || v->size > (uint64_t)1 << 40 || f->slot_size < v->size ||
      f->slot_size > 4 * v->size + 65536 || f->slot_size % 4096 != 0 ||
      f->slot_size > SIZE_MAX / 2 || f->pool_size != f->slot_size * f->n_slots)
    return -EPROTO;
  if (shmv_format_check_layout(v, v->n_planes, v->stride, v->offset, v->size) <
      0)
    return -EPROTO;
  return check_caps(message);
}

static int
reader_take_live(struct shmv_reader_session *session,
                 const struct shmv_message *message)
{
  int code;
  switch (message->type) {
    case SHMV_FORMAT:
      code = check_format(session, message);
      if (code < 0)
        return code;
      session->generation = message->u.format.generation;
      session->ready = false;
      return SHMV_STEP_FORMAT;
    case SHMV_END:
      return session->generation == 0 || session->ready ? SHMV_STEP_END
                                                        : -EPROTO;
    case SHMV_WAKE:
      return SHMV_STEP_WAKE;
    default:
      return -EPROTO;
  }
}

int
shmv_reader_session_take(struct shmv_reader_session *session,
                         const struct shmv_message *message)
{
  if (!serial_ok(message, &session->serial_in))
    return -EPROTO;
  if (session->state == SHMV_R_OVER)
    return SHMV_STEP_NONE;
  if (message->type == SHMV_REFUSED || message->type == SHMV_BYE) {
    session->state = SHMV_R_OVER;
    return message->type == SHMV_BYE ? SHMV_STEP_BYE : SHMV_STEP_REFUSED;
  }
  switch (session->state) {
    case SHMV_R_WAIT_PAGE:
      if (message->type != SHMV_PAGE || message->u.page_holds < 1 ||
          message->u.page_holds > SHMV_MAX_HOLDS)
        return -EPROTO;
      session->page_holds = message->u.page_holds;
      return SHMV_STEP_PAGE;
    case SHMV_R_WAIT_WELCOME:
      if (message->type != SHMV_WELCOME ||
          check_welcome(session, &message->u.welcome) < 0)
        return -EPROTO;
      session->welcome = message->u.welcome;
      session->state = SHMV_R_LIVE;
      return SHMV_STEP_WELCOME;
    default:
      return reader_take_live(session, message);
  }
}

void
shmv_reader_session_mapped(struct shmv_reader_session *session,
                           struct shmv_message *out_message)
{
  session->state = SHMV_R_WAIT_WELCOME;
  shmv_reader_session_say(session, SHMV_MAPPED, out_message);
}

void
shmv_reader_session_ready(struct shmv_reader_session *session,
                          struct shmv_message *out_message)
{
  session->ready = true;
  shmv_reader_session_say(session, SHMV_READY, out_message);
  out_message->u.generation = session->generation;
}

void
shmv_reader_session_say(struct shmv_reader_session *session, uint32_t type,
                        struct shmv_message *out_message)
{
  begin(out_message, type, ++session->serial_out);
}
