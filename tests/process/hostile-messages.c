/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Attacks with messages: malformed ones, those that are out of place, and floods of
 * ones that are quite in order. */

#include "hostile.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MALFORMED "malformed message"
#define RULES "broke the protocol"
#define FLOOD "more messages than it may"

/* ---- One message --------------------------------------------------------------- */

static void
put(uint8_t *bytes, uint32_t number)
{
  for (int i = 0; i < 4; i++)
    bytes[i] = (uint8_t)(number >> 8 * i);
}

static void
send_header(int fd, const struct attack *attack, size_t size)
{
  uint8_t bytes[65535] = {0};
  put(bytes, attack->header.magic);
  put(bytes + 4, attack->header.type);
  put(bytes + 8, attack->header.length);
  put(bytes + 12, attack->header.serial);
  hostile_send(fd, bytes, size);
}

/* The header of the attack and as many bytes as it says, at most. */
static void
header_first(struct attacker *attacker)
{
  send_header(hostile_connect(attacker), attacker->attack, attacker->attack->n);
}

static void
header_when_in(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
  send_header(reader->fd, attacker->attack, attacker->attack->n);
}

/* So many bytes that say nothing. */
static void
junk(struct attacker *attacker)
{
  uint8_t bytes[65535];
  memset(bytes, 'S', sizeof bytes);
  hostile_send(hostile_connect(attacker), bytes, attacker->attack->n);
}

/* As somebody may who takes the socket for a stream: a byte, and a while later
 * another. */
static void
drip(struct attacker *attacker)
{
  if (attacker->round % 10 == 0)
    hostile_send(g_array_index(attacker->fds, int, 0), "SHVM", 1);
}

static void
come(struct attacker *attacker)
{
  hostile_connect(attacker);
}

static void
empty_when_in(struct attacker *attacker)
{
  hostile_send(hostile_join(attacker, SHMVIDEO_LATEST, 4, 2)->fd, "", 0);
}

static void
half_close(struct attacker *attacker)
{
  shutdown(hostile_join(attacker, SHMVIDEO_LATEST, 4, 2)->fd, SHUT_WR);
}

/* The other half: it will hear nothing, and gives nothing back. */
static void
other_half_close(struct attacker *attacker)
{
  struct raw_reader *reader = hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
  shutdown(reader->fd, SHUT_RD);
  shmv_store(&reader->page->hold[0],
             shmv_hold_word(reader->generation, 0));
  shmv_store(&reader->page->armed, 1);
}

static void
hello(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = hostile_hello(bytes, false);
  bytes[16] = attacker->attack->n & 0xff;      /* version_min */
  bytes[18] = attacker->attack->n >> 8 & 0xff; /* version_max */
  bytes[20] = attacker->attack->n >> 16;       /* policy */
  hostile_send(hostile_connect(attacker), bytes, size);
}

/* What it takes it says in a terminal's commands, which the writer repeats. */
static void
commands(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message = {
      .type = SHMV_HELLO,
      .serial = 1,
      .u.hello = {.version_min = 1, .version_max = 1, .depth = 1, .holds_min = 1,
                  .holds_want = 1},
      .text = "video/x-raw, x=\"\x1b[2J\x1b]0;owned\a\x7f\", width=1"};
  struct raw_reader *reader = &attacker->readers[attacker->n_readers++];
  int fds[2];
  message.text_size = (uint32_t)strlen(message.text);
  raw_reader_connect(reader, attacker->name);
  hostile_send(reader->fd, bytes, shmv_wire_encode(&message, bytes));
  reader->serial = 1;
  raw_expect(reader->fd, SHMV_PAGE, &message, fds);
  close(fds[0]);
  raw_reader_say(reader, SHMV_MAPPED);
}

static void
say_when_in(struct attacker *attacker)
{
  raw_reader_say(hostile_join(attacker, SHMVIDEO_LATEST, 4, 2),
                 attacker->attack->n);
}

/* What was let go is let go once more, and said so. */
static void
release_twice(struct attacker *attacker)
{
  struct raw_reader *reader = attacker->n_readers > 0
                                  ? &attacker->readers[0]
                                  : hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
  shmv_store(&reader->page->hold[0], 0);
  raw_reader_say(reader, SHMV_NUDGE);
  shmv_store(&reader->page->hold[0], 0);
  raw_reader_say(reader, SHMV_NUDGE);
}

/* ---- Descriptors ---------------------------------------------------------------- */

static void
descriptors(struct attacker *attacker)
{
  int null = memfd_create("nothing", MFD_CLOEXEC);
  lingering_let_through();
  lingering_send(hostile_connect(attacker), 1, null, attacker->attack->n);
  close(null);
}

/* Where the kernel can, it says no itself; then nothing arrives. */
static void
descriptors_refused(struct attacker *attacker)
{
  lingering_send(hostile_connect(attacker), 1, STDIN_FILENO,
                 attacker->attack->n);
}

static void
lingering_when_in(struct attacker *attacker)
{
  lingering_let_through();
  hostile_send_lingering(attacker,
                         hostile_join(attacker, SHMVIDEO_LATEST, 4, 2)->fd,
                         attacker->attack->n);
}

/* So many who leave it in the socket and go, so that the writer's closing is the last:
 * also more than it closes at a time. */
static void
lingering_and_gone(struct attacker *attacker)
{
  lingering_let_through();
  for (guint i = 0; i < attacker->attack->n; i++) {
    int connection = hostile_connect(attacker);
    g_array_set_size(attacker->fds, attacker->fds->len - 1);
    hostile_send_lingering(attacker, connection, 1);
    close(connection);
  }
}

/* ---- Floods ---------------------------------------------------------------------- */

static void
join_one(struct attacker *attacker)
{
  hostile_join(attacker, SHMVIDEO_LATEST, 4, 2);
}

/* As many as there is room for, until the writer has heard enough. */
static void
flood(struct attacker *attacker)
{
  struct raw_reader *reader = &attacker->readers[0];
  uint8_t bytes[SHMV_WIRE_MAX], hello[SHMV_WIRE_MAX];
  struct shmv_message message = {.type = attacker->attack->header.type};
  uint32_t hello_size = hostile_hello(hello, attacker->attack->n > 0);
  message.text = (const char *)hello + 40;
  message.text_size = hello_size - 40;
  message.u.generation = reader->generation;
  if (message.type != SHMV_NUDGE)
    message.serial = ++reader->serial;
  uint32_t size = shmv_wire_encode(&message, bytes);
  put(bytes + 4, attacker->attack->header.type); /* also unknown ones */
  if (send(reader->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
      message.type != SHMV_NUDGE)
    reader->serial--;
}

/* Leaves, in words, and goes on talking. */
static void
flood_after_bye(struct attacker *attacker)
{
  if (g_atomic_int_get(&attacker->turns) == 0)
    raw_reader_say(&attacker->readers[0], SHMV_BYE);
  flood(attacker);
}

/* ---- The list -------------------------------------------------------------------- */

#define MAGIC SHMV_WIRE_MAGIC

const struct attack hostile_messages[] = {
    {"a byte now and then", come, drip, NULL, MALFORMED, {0}, 0},
    {"one byte", junk, NULL, NULL, MALFORMED, {0}, 1},
    {"bytes of no meaning", junk, NULL, NULL, MALFORMED, {0}, 32768},
    {"a message too long", junk, NULL, NULL, "too long", {0}, 65535},
    {"an empty message", junk, NULL, NULL, MALFORMED, {0}, 0},
    {"an empty message, later", empty_when_in, NULL, NULL, MALFORMED, {0}, 0},
    {"half a header", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, 8, 1}, 8},
    {"a header only", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, 40, 1}, 16},
    {"a body of nothing", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, 16, 1}, 16},
    {"length 0", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, 0, 1}, 40},
    {"length 65535", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, 65535, 1}, 40},
    {"length 65535, and as long", header_first, NULL, NULL, "too long",
     {MAGIC, SHMV_HELLO, 65535, 1}, 65535},
    {"length 2^32-1", header_first, NULL, NULL, MALFORMED,
     {MAGIC, SHMV_HELLO, UINT32_MAX, 1}, 40},
    {"magic", header_first, NULL, NULL, MALFORMED,
     {0x5653484d, SHMV_HELLO, 40, 1}, 40},
    {"magic, later", header_when_in, NULL, NULL, MALFORMED,
     {0, SHMV_NUDGE, 16, 0}, 16},
    {"no HELLO", header_first, NULL, NULL, RULES, {MAGIC, SHMV_NUDGE, 16, 0}, 16},
    {"unknown types are skipped", header_when_in, NULL, NULL, NULL,
     {MAGIC, UINT32_MAX, 4096, UINT32_MAX}, 4096},
    {"serial 0", header_when_in, NULL, NULL, RULES, {MAGIC, SHMV_BYE, 16, 0}, 16},
    {"serial of before", header_when_in, NULL, NULL, RULES,
     {MAGIC, SHMV_BYE, 16, 3}, 16},
    {"serial of later", header_when_in, NULL, NULL, RULES,
     {MAGIC, SHMV_BYE, 16, UINT32_MAX}, 16},
    {"versions the wrong way round", hello, NULL, NULL, RULES, {0}, 0x0102},
    {"versions of later", hello, NULL, NULL, "version", {0}, 0x0902},
    {"version 0", hello, NULL, NULL, "version", {0}, 0},
    {"policy 2", hello, NULL, NULL, RULES, {0}, 0x20101},
    {"MAPPED twice", say_when_in, NULL, NULL, RULES, {0}, SHMV_MAPPED},
    {"READY twice", say_when_in, NULL, NULL, RULES, {0}, SHMV_READY},
    {"HELLO twice", say_when_in, NULL, NULL, RULES, {0}, SHMV_HELLO},
    {"a writer's word", say_when_in, NULL, NULL, RULES, {0}, SHMV_WAKE},
    {"terminal commands", commands, NULL, NULL, "the reader takes", {0}, 0},
    {"half a close", half_close, NULL, NULL, MALFORMED, {0}, 0},
    {"the other half of it", other_half_close, NULL, NULL, NULL, {0}, 0},
    {"letting go twice", release_twice, release_twice, NULL, NULL, {0}, 0},
    {"descriptors that the kernel may refuse", descriptors_refused, NULL, NULL,
     NULL, {0}, 64},
    {"one descriptor", descriptors, NULL, NULL, MALFORMED, {0}, 1},
    {"64 descriptors", descriptors, NULL, NULL, MALFORMED, {0}, 64},
    {"as many as there may be", descriptors, NULL, NULL, MALFORMED, {0}, 253},
    {"one whose close takes a minute", lingering_when_in, NULL, NULL, MALFORMED,
     {0}, 1},
    {"64 of them", lingering_when_in, NULL, NULL, MALFORMED, {0}, 64},
    {"one that is never read", lingering_and_gone, NULL, NULL, NULL, {0}, 1},
    {"100 that are never read", lingering_and_gone, NULL, NULL, NULL, {0}, 100},
    {"NUDGE at full speed", join_one, NULL, flood, FLOOD,
     {0, SHMV_NUDGE, 0, 0}, 0},
    {"ACCEPTS at full speed", join_one, NULL, flood, FLOOD,
     {0, SHMV_ACCEPTS, 0, 0}, 0},
    {"ACCEPTS of 16 kB", join_one, NULL, flood, FLOOD, {0, SHMV_ACCEPTS, 0, 0},
     SHMV_WIRE_TEXT_MAX},
    {"unknown words at full speed", join_one, NULL, flood, FLOOD,
     {0, 4711, 0, 0}, 0},
    {"words after the last", join_one, NULL, flood_after_bye, FLOOD,
     {0, SHMV_NUDGE, 0, 0}, 0},
    {0}};
