/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Lies in messages: numbers out of range, texts that contradict them, words out of
 * place, floods, and silence. */

#include "lies.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MALFORMED "malformed message"
#define RULES "broke the protocol"
#define FLOOD "more messages than it may"

/* ---- Step by step ---------------------------------------------------------------- */

static void
accept_it(struct liar *liar)
{
  raw_writer_accept(&liar->writer);
  raw_writer_hear_hello(&liar->writer);
}

static void
let_it_in(struct liar *liar)
{
  struct shmv_message message;
  accept_it(liar);
  raw_writer_send_page(&liar->writer);
  raw_expect(liar->writer.fd, SHMV_MAPPED, &message, NULL);
}

static void
welcome_it(struct liar *liar)
{
  struct shmv_message message;
  let_it_in(liar);
  raw_writer_welcome(&liar->writer, &message);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, NULL), ==, 0);
}

static void
serve_it(struct liar *liar)
{
  struct shmv_message message;
  raw_writer_serve(&liar->writer, NULL);
  raw_writer_show(&liar->writer);
  raw_expect(liar->writer.fd, SHMV_READY, &message, NULL);
}

/* The lie's number at its place. */
static void
alter(struct liar *liar, void *where)
{
  const struct lie *lie = liar->lie;
  memcpy((char *)where + lie->offset, &lie->value, lie->size);
}

static void
send_format(struct liar *liar, struct shmv_message *message)
{
  int fds[2] = {liar->writer.generation->pool.fd,
                liar->writer.generation->board_segment.fd};
  g_assert_cmpint(raw_writer_say(&liar->writer, message, fds), ==, 0);
}

/* ---- Numbers and texts ------------------------------------------------------------- */

static void
page(struct liar *liar)
{
  int fd = liar->writer.generation->board_segment.fd;
  struct shmv_message message = {.type = SHMV_PAGE,
                                 .u.page_holds = (uint32_t)liar->lie->value};
  accept_it(liar);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, &fd), ==, 0);
}

static void
welcome(struct liar *liar)
{
  struct shmv_message message;
  let_it_in(liar);
  raw_writer_welcome(&liar->writer, &message);
  alter(liar, &message.u.welcome);
  g_assert_cmpint(raw_writer_say(&liar->writer, &message, NULL), ==, 0);
}

static void
format(struct liar *liar)
{
  struct shmv_message message;
  welcome_it(liar);
  raw_writer_format(&liar->writer, &message);
  alter(liar, &message.u.format);
  send_format(liar, &message);
}

/* Two that overflow to what looks right. */
static void
product(struct liar *liar)
{
  struct shmv_message message;
  welcome_it(liar);
  raw_writer_format(&liar->writer, &message);
  message.u.format.n_slots = 2;
  message.u.format.slot_size = UINT64_C(1) << 63;
  message.u.format.pool_size = 0;
  send_format(liar, &message);
}

static void
caps(struct liar *liar)
{
  struct shmv_message message;
  welcome_it(liar);
  raw_writer_format(&liar->writer, &message);
  message.text = liar->lie->text;
  message.text_size = (uint32_t)strlen(liar->lie->text);
  send_format(liar, &message);
}

/* As long as a text may be, of the same all over. */
static void
long_caps(struct liar *liar)
{
  struct shmv_message message;
  GString *text = g_string_new("video/x-raw, format=GRAY8, width=64, height=48, "
                               "framerate=30/1, x=");
  while (text->len + strlen(liar->lie->text) <= SHMV_WIRE_TEXT_MAX)
    g_string_append(text, liar->lie->text);
  welcome_it(liar);
  raw_writer_format(&liar->writer, &message);
  message.text = text->str;
  message.text_size = (uint32_t)text->len;
  send_format(liar, &message);
  g_string_free(text, TRUE);
}

/* An honest FORMAT but for some bytes. */
static void
format_with(struct liar *liar, gsize at, const void *bytes, gsize n)
{
  uint8_t whole[SHMV_WIRE_MAX];
  struct shmv_message message;
  int fds[2] = {liar->writer.generation->pool.fd,
                liar->writer.generation->board_segment.fd};
  welcome_it(liar);
  raw_writer_format(&liar->writer, &message);
  message.serial = ++liar->writer.serial;
  uint32_t size = shmv_wire_encode(&message, whole);
  memcpy(whole + at, bytes, n);
  g_assert_cmpint(shmv_socket_send(liar->writer.fd, whole, size, fds, 2), ==, 0);
}

/* A text that is said to be longer than the message. */
static void
endless_text(struct liar *liar)
{
  format_with(liar, 192, &liar->lie->value, 4);
}

static void
caps_by_hand(struct liar *liar)
{
  format_with(liar, 200, &liar->lie->value, 1);
}

/* ---- Words out of place -------------------------------------------------------------- */

static void
say(struct liar *liar, uint32_t type)
{
  struct shmv_message message = {.type = type};
  int fds[2] = {liar->writer.generation->pool.fd,
                liar->writer.generation->board_segment.fd};
  message.u.format.generation = 1;
  /* There may be no room, or it may have left already. */
  if (raw_writer_say(&liar->writer, &message,
                     shmv_wire_n_fds(type) > 0 ? fds : NULL) < 0 &&
      type != SHMV_WAKE)
    liar->writer.serial--;
}

static void
say_at_once(struct liar *liar)
{
  raw_writer_accept(&liar->writer);
  say(liar, (uint32_t)liar->lie->value);
}

static void
say_later(struct liar *liar)
{
  serve_it(liar);
  say(liar, (uint32_t)liar->lie->value);
}

/* It says that it leaves, and stays: its reader leaves. */
static void
bye(struct liar *liar)
{
  say_later(liar);
  g_assert_cmpint(shmvtest_poll(liar->writer.fd, POLLHUP, shmvtest_deadline()),
                  !=, 0);
}

static void
format_unasked(struct liar *liar)
{
  struct shmv_message message;
  welcome_it(liar);
  raw_writer_send_format(&liar->writer);
  raw_writer_format(&liar->writer, &message);
  message.u.format.generation++;
  send_format(liar, &message);
}

static void
serial(struct liar *liar)
{
  serve_it(liar);
  liar->writer.serial += (uint32_t)liar->lie->value;
  say(liar, SHMV_END);
}

static void
bytes(struct liar *liar)
{
  static char junk[65536];
  memset(junk, 'S', sizeof junk);
  serve_it(liar);
  (void)!send(liar->writer.fd, junk, liar->lie->size, MSG_NOSIGNAL);
}

static void
half_close(struct liar *liar)
{
  serve_it(liar);
  shutdown(liar->writer.fd, (int)liar->lie->value);
}

/* ---- Silence, and floods --------------------------------------------------------------- */

static void
take_no_notice(struct liar *liar)
{
  raw_writer_accept(&liar->writer);
}

static void
flood(struct liar *liar)
{
  say(liar, (uint32_t)liar->lie->value);
  if (liar->lie->value == SHMV_END && g_atomic_int_get(&liar->turns) % 3 == 0)
    say(liar, SHMV_WAKE);
}

/* A new format as soon as the last was answered, and never a frame. */
static void
change_format(struct liar *liar)
{
  struct shmv_message message;
  uint8_t answer[SHMV_WIRE_MAX];
  size_t size;
  raw_writer_format(&liar->writer, &message);
  message.u.format.generation = ++liar->writer.generation->board->generation;
  int fds[2] = {liar->writer.generation->pool.fd,
                liar->writer.generation->board_segment.fd};
  if (raw_writer_say(&liar->writer, &message, fds) < 0)
    liar->writer.serial--;
  shmvtest_poll(liar->writer.fd, POLLIN, shmvtest_deadline());
  (void)shmv_socket_recv(liar->writer.fd, answer, sizeof answer, &size, NULL, 0,
                         NULL);
}

/* ---- The list -------------------------------------------------------------------- */

#define IN(type, field) \
  NULL, RULES, offsetof(struct type, field), sizeof(((struct type *)0)->field)
#define FORMAT_FIELD(field, value) \
  {"FORMAT: " #field " " #value, format, IN(shmv_format_message, field), value, NULL, false}
#define WELCOME_FIELD(field, value) \
  {"WELCOME: " #field " " #value, welcome, IN(shmv_welcome, field), value, NULL, false}
#define CAPS(text) {"caps: " text, caps, NULL, RULES, 0, 0, 0, text, false}
#define RAW "video/x-raw, format=GRAY8, width=64, height=48, framerate=30/1"

const struct lie lies_in_words[] = {
    {"no holds", page, NULL, RULES, 0, 0, 0, NULL, false},
    {"65 holds", page, NULL, RULES, 0, 0, 65, NULL, false},
    WELCOME_FIELD(version, 2),
    WELCOME_FIELD(policy, 2),
    WELCOME_FIELD(reader, 128),
    WELCOME_FIELD(depth, 0),
    WELCOME_FIELD(depth, 33),
    WELCOME_FIELD(holds, 0),
    WELCOME_FIELD(holds, 64),
    FORMAT_FIELD(generation, 0),
    FORMAT_FIELD(n_slots, 0),
    FORMAT_FIELD(n_slots, 255),
    FORMAT_FIELD(n_slots, UINT32_MAX),
    FORMAT_FIELD(slot_size, 0),
    FORMAT_FIELD(slot_size, 4095),
    FORMAT_FIELD(slot_size, UINT64_MAX),
    FORMAT_FIELD(pool_size, 0),
    FORMAT_FIELD(pool_size, UINT64_MAX),
    FORMAT_FIELD(board_size, 4096),
    FORMAT_FIELD(modifier, 1),
    FORMAT_FIELD(memory_kind, 1),
    FORMAT_FIELD(format.pixel_format, 0),
    FORMAT_FIELD(format.pixel_format, UINT32_MAX),
    FORMAT_FIELD(format.width, 0),
    FORMAT_FIELD(format.width, 65),
    FORMAT_FIELD(format.width, UINT32_MAX),
    FORMAT_FIELD(format.height, 0x80000000),
    FORMAT_FIELD(format.fps_d, 0),
    FORMAT_FIELD(format.interlace_mode, 5),
    FORMAT_FIELD(format.views, 2),
    FORMAT_FIELD(format.n_planes, 0),
    FORMAT_FIELD(format.n_planes, 2),
    FORMAT_FIELD(format.n_planes, UINT32_MAX),
    FORMAT_FIELD(format.stride[0], 0),
    FORMAT_FIELD(format.stride[0], 63),
    FORMAT_FIELD(format.stride[0], UINT32_MAX),
    FORMAT_FIELD(format.offset[0], 1 << 20),
    FORMAT_FIELD(format.offset[0], UINT64_MAX - 63),
    FORMAT_FIELD(format.size, 0),
    FORMAT_FIELD(format.size, 64 * 47),
    FORMAT_FIELD(format.size, UINT64_MAX),
    {"sizes whose product is right", product, NULL, RULES, 0, 0, 0, NULL, false},
    CAPS(""),
    CAPS("garbage"),
    CAPS("{{{{[[[[<<<<((((\"\"\"\""),
    CAPS("ANY"),
    CAPS("audio/x-raw, format=S16LE, rate=48000, channels=2"),
    CAPS("video/x-h264, width=64, height=48"),
    CAPS("video/x-raw(memory:DMABuf), format=GRAY8, width=64, height=48"),
    CAPS("video/x-raw, format=GRAY8, width=64, height=48, framerate=[ 1/1, 30/1 ]"),
    CAPS("video/x-raw, format={ GRAY8, RGBA }, width=64, height=48"),
    CAPS("video/x-raw, format=RGBA, width=64, height=48, framerate=30/1"),
    CAPS("video/x-raw, format=GRAY8, width=6400, height=4800, framerate=30/1"),
    CAPS("video/x-raw, format=GRAY8, width=64, height=48, framerate=60/1"),
    CAPS(RAW "; " RAW),
    {"caps of commands", caps, NULL, NULL, 0, 0, 0, RAW ", x=\"\x1b[2J\"", true},
    {"caps that are no UTF-8", caps_by_hand, NULL, MALFORMED, 0, 0, 0xff, NULL, false},
    {"caps with a NUL", caps_by_hand, NULL, MALFORMED, 0, 0, 0, NULL, false},
    {"caps of brackets without end", long_caps, NULL, RULES, 0, 0, 0, "{", false},
    {"caps of quotes without end", long_caps, NULL, RULES, 0, 0, 0, "\\\"", false},
    {"a text longer than its message", endless_text, NULL, MALFORMED, 0, 0,
     UINT32_MAX, NULL, false},
    {"a text shorter than its message", endless_text, NULL, MALFORMED, 0, 0, 7,
     NULL, false},
    {"FORMAT first", say_at_once, NULL, RULES, 0, 0, SHMV_FORMAT, NULL, false},
    {"WELCOME first", say_at_once, NULL, RULES, 0, 0, SHMV_WELCOME, NULL, false},
    {"END first", say_at_once, NULL, RULES, 0, 0, SHMV_END, NULL, false},
    {"the same generation again", say_later, NULL, RULES, 0, 0, SHMV_FORMAT, NULL, false},
    {"a reader's word", say_later, NULL, RULES, 0, 0, SHMV_NUDGE, NULL, false},
    {"a format before the last is answered", format_unasked, NULL, RULES, 0, 0, 0,
     NULL, false},
    {"serial of before", serial, NULL, RULES, 0, 0, UINT32_MAX, NULL, false},
    {"serial of later", serial, NULL, RULES, 0, 0, 1, NULL, false},
    {"bytes of no meaning", bytes, NULL, MALFORMED, 0, 100, 0, NULL, false},
    {"a message too long", bytes, NULL, "too long", 0, 65536, 0, NULL, false},
    {"an empty message", bytes, NULL, MALFORMED, 0, 0, 0, NULL, false},
    {"half a close", half_close, NULL, MALFORMED, 0, 0, SHUT_WR, NULL, false},
    {"the other half of it", half_close, NULL, NULL, 0, 0, SHUT_RD, NULL, false},
    {"silence", take_no_notice, NULL, NULL, 0, 0, 0, NULL, false},
    {"silence after a while", let_it_in, NULL, NULL, 0, 0, 0, NULL, false},
    {"no format", welcome_it, NULL, NULL, 0, 0, 0, NULL, false},
    {"BYE, and stays", bye, NULL, NULL, 0, 0, SHMV_BYE, NULL, false},
    {"WAKE at full speed", serve_it, flood, FLOOD, 0, 0, SHMV_WAKE, NULL, false},
    {"END at full speed", serve_it, flood, FLOOD, 0, 0, SHMV_END, NULL, false},
    {"unknown words at full speed", serve_it, flood, FLOOD, 0, 0, 4711, NULL, false},
    {"formats at full speed", serve_it, change_format, FLOOD, 0, 0, 0, NULL, false},
    {0}};
