/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sessions: each number that a message says, just inside and just outside of
 * its bounds (docs/protocol.md, 3 and 11).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "session-script.h"
#include "shmvtest.h"
#include "vectors.h"

/* ---- Bounds
 * -------------------------------------------------------------------- */

static int
say_hello(struct shmv_hello h)
{
  struct shmv_writer_session session;
  memset(&session, 0, sizeof session);
  struct shmv_message message = script_message(SHMV_HELLO, 1);
  message.u.hello = h;
  return shmv_writer_session_take(&session, &message);
}

/* HELLO with one field changed. */
#define HELLO(field, value, wanted)                                            \
  do {                                                                         \
    struct shmv_hello h_ = script_hello;                                       \
    h_.field = (value);                                                        \
    g_assert_cmpint(say_hello(h_), ==, (wanted));                              \
  } while (0)

static void
test_hello_bounds(void)
{
  HELLO(policy, 0, SHMV_STEP_HELLO);
  HELLO(policy, 1, SHMV_STEP_HELLO);
  HELLO(policy, 2, -EPROTO);
  HELLO(policy, UINT32_MAX, -EPROTO);
  HELLO(depth, 0, -EPROTO);
  HELLO(depth, 1, SHMV_STEP_HELLO);
  HELLO(depth, SHMV_MAX_DEPTH, SHMV_STEP_HELLO);
  HELLO(depth, SHMV_MAX_DEPTH + 1, -EPROTO);
  HELLO(depth, UINT32_MAX, -EPROTO);
  HELLO(holds_min, 0, -EPROTO);
  HELLO(holds_min, 1, SHMV_STEP_HELLO);
  HELLO(holds_min, script_hello.holds_want, SHMV_STEP_HELLO);
  HELLO(holds_min, script_hello.holds_want + 1, -EPROTO);
  HELLO(holds_want, script_hello.holds_min, SHMV_STEP_HELLO);
  HELLO(holds_want, script_hello.holds_min - 1, -EPROTO);
  HELLO(holds_want, SHMV_MAX_HOLDS, SHMV_STEP_HELLO);
  HELLO(holds_want, SHMV_MAX_HOLDS + 1, -EPROTO);
  HELLO(holds_want, UINT16_MAX, -EPROTO);
  HELLO(version_min, 0, SHMV_STEP_HELLO);
  HELLO(version_min, 2, -EPROTO); /* above version_max */
  HELLO(version_max, 2, SHMV_STEP_HELLO);
  HELLO(version_max, UINT16_MAX, SHMV_STEP_HELLO);
  HELLO(version_max, 0, -EPROTO); /* below version_min */
  HELLO(flags, UINT32_MAX, SHMV_STEP_HELLO); /* of a later version */
  struct shmv_hello h = script_hello;
  h.version_min = h.version_max = 2;
  g_assert_cmpint(say_hello(h), ==, -EPROTONOSUPPORT);
  h.version_min = h.version_max = 0;
  g_assert_cmpint(say_hello(h), ==, -EPROTONOSUPPORT);
  h.version_min = h.version_max = 2; /* its wishes may be of a new kind */
  h.policy = 2;
  h.depth = h.holds_want = 1000;
  g_assert_cmpint(say_hello(h), ==, -EPROTONOSUPPORT);
}

static int
say_page(uint32_t holds)
{
  struct shmv_reader_session session;
  script_reader_reach(&session, "WAIT_PAGE");
  struct shmv_message message = script_message(SHMV_PAGE, 1);
  message.u.page_holds = holds;
  return shmv_reader_session_take(&session, &message);
}

static int
say_welcome(struct shmv_welcome w, uint32_t page_holds)
{
  struct shmv_reader_session session;
  struct shmv_message message = script_message(SHMV_PAGE, 1);
  script_reader_reach(&session, "WAIT_PAGE");
  message.u.page_holds = page_holds;
  g_assert_cmpint(shmv_reader_session_take(&session, &message), ==,
                  SHMV_STEP_PAGE);
  shmv_reader_session_mapped(&session, &message);
  message = script_message(SHMV_WELCOME, 2);
  message.u.welcome = w;
  return shmv_reader_session_take(&session, &message);
}

#define WELCOME(field, value, page, wanted)                                    \
  do {                                                                         \
    struct shmv_welcome w_ = script_welcome;                                   \
    w_.field = (value);                                                        \
    g_assert_cmpint(say_welcome(w_, page), ==, (wanted));                      \
  } while (0)

static void
test_welcome_bounds(void)
{
  g_assert_cmpint(say_page(0), ==, -EPROTO);
  g_assert_cmpint(say_page(1), ==, SHMV_STEP_PAGE);
  g_assert_cmpint(say_page(SHMV_MAX_HOLDS), ==, SHMV_STEP_PAGE);
  g_assert_cmpint(say_page(SHMV_MAX_HOLDS + 1), ==, -EPROTO);
  g_assert_cmpint(say_page(UINT32_MAX), ==, -EPROTO);
  WELCOME(version, 0, 64, -EPROTO);
  WELCOME(version, 1, 64, SHMV_STEP_WELCOME);
  WELCOME(version, 2, 64, -EPROTO);
  WELCOME(policy, SHMVIDEO_LATEST, 64, SHMV_STEP_WELCOME); /* none granted */
  WELCOME(policy, 2, 64, -EPROTO);
  WELCOME(reader, 0, 64, SHMV_STEP_WELCOME);
  WELCOME(reader, SHMV_MAX_READERS - 1, 64, SHMV_STEP_WELCOME);
  WELCOME(reader, SHMV_MAX_READERS, 64, -EPROTO);
  WELCOME(reader, UINT32_MAX, 64, -EPROTO);
  WELCOME(depth, 0, 64, -EPROTO);
  WELCOME(depth, 1, 64, SHMV_STEP_WELCOME);
  WELCOME(depth, script_hello.depth, 64, SHMV_STEP_WELCOME);
  WELCOME(depth, script_hello.depth + 1, 64, -EPROTO);
  WELCOME(holds, script_hello.holds_min - 1u, 64, -EPROTO);
  WELCOME(holds, script_hello.holds_min, 64, SHMV_STEP_WELCOME);
  WELCOME(holds, script_hello.holds_want, 64, SHMV_STEP_WELCOME);
  WELCOME(holds, script_hello.holds_want + 1u, 64, -EPROTO);
  WELCOME(holds, script_hello.holds_want, script_hello.holds_want,
          SHMV_STEP_WELCOME);
  WELCOME(holds, script_hello.holds_want, script_hello.holds_want - 1u,
          -EPROTO);
  WELCOME(floor, UINT32_MAX, 64, SHMV_STEP_WELCOME); /* any serial number */
  WELCOME(stream, 0, 64, SHMV_STEP_WELCOME);
  /* What nobody asked for is not granted. */
  struct shmv_reader_session session;
  struct shmv_hello latest = script_hello;
  struct shmv_message message;
  latest.policy = SHMVIDEO_LATEST;
  shmv_reader_session_init(&session, &latest, &message);
  g_assert_cmpint(script_reader_take(&session, SHMV_PAGE), ==, SHMV_STEP_PAGE);
  shmv_reader_session_mapped(&session, &message);
  g_assert_cmpint(script_reader_take(&session, SHMV_WELCOME), ==, -EPROTO);
}

/* FORMAT with changes, to a reader that has read generation `before` (0: none).
 */
static int
say_format(const struct shmv_message *message, uint32_t before)
{
  struct shmv_reader_session session;
  script_reader_reach(&session, "ANSWERED");
  if (before != 0) {
    struct shmv_message first = script_message(SHMV_FORMAT, 3), answer;
    first.u.format.generation = before;
    g_assert_cmpint(shmv_reader_session_take(&session, &first), ==,
                    SHMV_STEP_FORMAT);
    shmv_reader_session_ready(&session, &answer);
    g_assert_cmpuint(answer.u.generation, ==, before);
  }
  struct shmv_message copy = *message;
  copy.serial = session.serial_in + 1;
  return shmv_reader_session_take(&session, &copy);
}

#define FORMAT(field, value, wanted)                                           \
  do {                                                                         \
    struct shmv_message m_ = script_message(SHMV_FORMAT, 3);                   \
    m_.u.format.field = (value);                                               \
    g_assert_cmpint(say_format(&m_, 0), ==, (wanted));                         \
  } while (0)

/* The pool's size follows from two others, so all three are changed. */
static int
say_pool(uint32_t n_slots, uint64_t slot_size)
{
  struct shmv_message message = script_message(SHMV_FORMAT, 3);
  message.u.format.n_slots = n_slots;
  message.u.format.slot_size = slot_size;
  message.u.format.pool_size = n_slots * slot_size;
  return say_format(&message, 0);
}

static void
test_format_bounds(void)
{
  FORMAT(generation, 0, -EPROTO);
  FORMAT(generation, UINT32_MAX, SHMV_STEP_FORMAT);
  FORMAT(memory_kind, 1, -EPROTO);
  FORMAT(modifier, 1, -EPROTO);
  FORMAT(board_size, SHMV_BOARD_SIZE - 1, -EPROTO);
  FORMAT(board_size, SHMV_BOARD_SIZE + 1, -EPROTO);
  FORMAT(board_size, 0, -EPROTO);
  FORMAT(pool_size, 81920 - 1, -EPROTO);
  FORMAT(pool_size, 81920 + 1, -EPROTO);
  FORMAT(format.size, 8191, -EPROTO); /* the last row sticks out */
  FORMAT(format.size, 8193, -EPROTO); /* of the slot */
  FORMAT(format.size, 0, -EPROTO);
  FORMAT(format.size, UINT64_MAX, -EPROTO);
  FORMAT(format.n_planes, 0, -EPROTO);
  FORMAT(format.n_planes, 2, -EPROTO);
  FORMAT(format.n_planes, UINT32_MAX, -EPROTO);
  FORMAT(format.stride[0], 255, -EPROTO);
  FORMAT(format.stride[0], 257, -EPROTO);
  FORMAT(format.offset[0], 1, -EPROTO);
  FORMAT(format.offset[0], UINT64_MAX, -EPROTO);
  g_assert_cmpint(say_pool(0, 8192), ==, -EPROTO);
  g_assert_cmpint(say_pool(1, 8192), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(SHMV_MAX_SLOTS, 8192), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(SHMV_MAX_SLOTS + 1, 8192), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 4096), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 8193), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 0), ==, -EPROTO);
  /* The most address space that a lying writer can have us spend on a slot. */
  g_assert_cmpint(say_pool(10, 4 * 8192 + 65536), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(10, 4 * 8192 + 65536 + 4096), ==, -EPROTO);
  g_assert_cmpint(say_pool(2, UINT64_C(1) << 63), ==, -EPROTO);
}

/* Each number of the struct that the text says too: one that differs is a lie.
 */
static void
test_format_agrees_with_its_text(void)
{
  FORMAT(format.pixel_format, SHMVIDEO_FORMAT_BGRA, -EPROTO);
  FORMAT(format.pixel_format, 0, -EPROTO);
  FORMAT(format.width, 63, -EPROTO);
  FORMAT(format.height, 31, -EPROTO);
  FORMAT(format.fps_n, 24, -EPROTO);
  FORMAT(format.fps_d, 0, -EPROTO);
  FORMAT(format.max_fps_n, 1, -EPROTO);
  FORMAT(format.par_n, 2, -EPROTO);
  FORMAT(format.par_d, 0, -EPROTO);
  FORMAT(format.interlace_mode, 1, -EPROTO);
  FORMAT(format.field_order, 1, -EPROTO);
  FORMAT(format.color_range, 2, -EPROTO);
  FORMAT(format.color_matrix, 9, -EPROTO);
  FORMAT(format.color_transfer, 9, -EPROTO);
  FORMAT(format.color_primaries, 9, -EPROTO);
  FORMAT(format.chroma_site, 1, -EPROTO);
  FORMAT(format.alpha_mode, 2, -EPROTO);
  FORMAT(format.views, 2, -EPROTO);
  FORMAT(format.stride[1], 0, SHMV_STEP_FORMAT);
  struct shmv_message message = script_message(SHMV_FORMAT, 3);
  message.text_size = 0;
  g_assert_cmpint(say_format(&message, 0), ==, -EPROTO);
  message.text = "video/x-raw, format=(string){ RGBA, BGRA }";
  message.text_size = (uint32_t)strlen(message.text);
  g_assert_cmpint(say_format(&message, 0), ==, -EPROTO);
}

static void
test_generations_grow(void)
{
  struct shmv_message message = script_message(SHMV_FORMAT, 3);
  static const struct {
    uint32_t before, now;
    int code;
  } pairs[] = {{1, 2, SHMV_STEP_FORMAT},          {1, 9, SHMV_STEP_FORMAT},
               {2, 2, -EPROTO},                   {2, 1, -EPROTO},
               {UINT32_MAX, 1, SHMV_STEP_FORMAT}, {1, UINT32_MAX, -EPROTO}};
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
    message.u.format.generation = pairs[i].now;
    g_assert_cmpint(say_format(&message, pairs[i].before), ==, pairs[i].code);
  }
}

/* The FORMAT that docs/protocol.md prints is one that a reader believes. */
static void
test_vector_is_believed(void)
{
  struct shmv_message message;
  gsize size;
  guint8 *bytes = vectors_bytes("ok-format", &size);
  g_assert_cmpint(shmv_wire_decode(&message, bytes, size), ==, 0);
  g_assert_cmpint(say_format(&message, 0), ==, SHMV_STEP_FORMAT);
  free(bytes);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/session/bounds-of-hello", test_hello_bounds);
  shmvtest_add("/session/bounds-of-page-and-welcome", test_welcome_bounds);
  shmvtest_add("/session/bounds-of-format", test_format_bounds);
  shmvtest_add("/session/a-format-agrees-with-its-text",
               test_format_agrees_with_its_text);
  shmvtest_add("/session/generations-grow", test_generations_grow);
  shmvtest_add("/session/the-format-in-the-page-is-believed",
               test_vector_is_believed);
  return shmvtest_run();
}
