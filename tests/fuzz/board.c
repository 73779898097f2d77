/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A reader on a hostile board
 *
 * The script is a writer that does whatever it likes, with its messages and with
 * every word it shares, between the reader's calls and between the reader's loads;
 * and a user who takes and gives back frames. Whatever the writer does, each frame
 * lies within its slot and stays as it was handed out, the reader's work is bounded,
 * and in the end nothing is left open, mapped or held. See world.h. A first byte from
 * 0xe0 to 0xef begins another script, for the other side: see pages.h.
 */

#include <errno.h>
#include <string.h>

#include "format.h"
#include "fuzz.h"
#include "liar.h"
#include "pages.h"
#include "script.h"

#define N_TAKEN 8
#define N_STEPS 32

/* A frame that is out, and what it said when it was handed out. */
struct taken {
  const struct shmvideo_frame *frame;
  struct shmvideo_frame as_taken;
};

struct game game;

static struct taken taken_frames[N_TAKEN];

/* ---- Frames --------------------------------------------------------------- */

static void
touch(const uint8_t *byte)
{
  uint8_t value = *(const volatile uint8_t *)byte;
  (void)value;
}

static void
check_frame(const struct shmvideo_frame *frame, const struct shmv_view *view)
{
  const uint8_t *end = world_pool_end();
  FUZZ_CHECK(frame->data == end - view->slot_size);
  FUZZ_CHECK(frame->size <= view->slot_size && frame->sequence != 0);
  FUZZ_CHECK(frame->format == &view->format && frame->caps == view->caps);
  FUZZ_CHECK(frame->n_planes == frame->format->n_planes);
  for (uint32_t i = 0; i < frame->n_planes; i++) {
    uint64_t row, rows;
    FUZZ_CHECK(shmv_format_plane_extent(frame->format, i, frame->stride[i],
                                        &row, &rows) == 0);
    FUZZ_CHECK((unsigned __int128)frame->plane_offset[i] +
                   (unsigned __int128)(rows - 1) * frame->stride[i] + row <=
               frame->size);
    touch(frame->data + frame->plane_offset[i]);
    touch(frame->data + frame->plane_offset[i] +
          (rows - 1) * frame->stride[i] + row - 1);
  }
  if (frame->crop_width == 0)
    return;
  FUZZ_CHECK(frame->crop_height > 0);
  FUZZ_CHECK((uint64_t)frame->crop_x + frame->crop_width <=
             frame->format->width);
  FUZZ_CHECK((uint64_t)frame->crop_y + frame->crop_height <=
             frame->format->height);
}

/* The word by which a frame is held. */
static uint32_t
hold_word(const struct shmvideo_frame *frame)
{
  const struct shmv_held *held = (const struct shmv_held *)(const void *)frame;
  return atomic_load(&world_page()->hold[held->index]);
}

static void
give_back(unsigned i)
{
  struct taken *taken = &taken_frames[i % N_TAKEN];
  if (taken->frame == NULL)
    return;
  FUZZ_CHECK(memcmp(taken->frame, &taken->as_taken, sizeof taken->as_taken) ==
             0);
  FUZZ_CHECK(hold_word(taken->frame) != 0 || game.page_touched);
  shmvideo_frame_release(taken->frame);
  taken->frame = NULL;
}

static void
keep(const struct shmvideo_frame *frame)
{
  unsigned i = 0;
  while (i < N_TAKEN && taken_frames[i].frame != NULL)
    i++;
  if (i == N_TAKEN)
    give_back(i = (unsigned)frame->sequence % N_TAKEN);
  taken_frames[i].frame = frame;
  taken_frames[i].as_taken = *frame;
}

static void
leave(void)
{
  shmv_link_leave(game.link);
  game.link = NULL;
}

/* What a reader does next (reader-next.c), with one frame or none. */
static void
take(bool newest)
{
  struct shmv_link *link = game.link;
  const struct shmvideo_frame *frame = NULL;
  bool demoted;
  uint32_t last = link->last, before = world_n_loads();
  bool first = link->n_taken == 0, lossless = link->policy != SHMVIDEO_LATEST;
  int code = shmv_link_take(link, newest, &frame, &demoted);
  FUZZ_CHECK((code == 1) == (frame != NULL) && (!demoted || lossless));
  FUZZ_CHECK(world_n_loads() - before <= 32 + 8 * SHMV_MAX_DEPTH);
  if (code == 1) {
    check_frame(frame, link->view);
    FUZZ_CHECK((world_gen_seen() & 1) == 0);
    FUZZ_CHECK(hold_word(frame) >> 8 == (link->view->generation & 0xffffff) ||
               game.page_touched);
    FUZZ_CHECK((uint32_t)frame->sequence == link->last);
    if (!first)
      FUZZ_CHECK(shmv_serial_diff(link->last, last) > 0 &&
                 frame->skipped < UINT32_C(1) << 31);
    keep(frame);
  }
  if (code == -EPROTO)
    leave();
}

static void
turn(bool newest)
{
  struct shmv_link *link = game.link;
  bool passes = newest && (link->next != NULL || shmv_link_is_superseded(link));
  if (link->view != NULL && !passes && !shmv_link_end_is_due(link)) {
    uint64_t before = link->n_taken;
    if (shmv_link_is_blocked(link))
      return;
    take(newest);
    if (game.link == NULL || link->n_taken != before)
      return;
  }
  if (link->ending) {
    shmv_link_pass_end(link);
  } else if (link->next != NULL) {
    shmv_view_unref(shmv_link_advance(link));
    if (shmv_link_say_ready(link) < 0) {
      leave();
      return;
    }
  }
  if (link->view != NULL)
    shmv_slot_arm(link->page);
  (void)shmv_link_has_frame(link);
}

/* ---- The script ------------------------------------------------------------ */

static void
receive(bool stop_at_wake)
{
  if (shmv_link_receive(game.link, stop_at_wake) < 0)
    leave();
}

static void
step(struct fuzz_input *in, uint8_t name)
{
  switch (name & 15) {
    case 0: case 1: case 2:
      turn((name & 16) != 0);
      break;
    case 3:
      give_back(name >> 4);
      break;
    case 4: case 5:
      for (int i = 0; game.newest != NULL && i <= name >> 4; i++)
        liar_publish(in, true);
      break;
    case 6:
      if (game.newest != NULL)
        liar_publish(in, false);
      break;
    case 7: case 8: case 9:
      liar_change_words(in, (name & 15) == 8);
      break;
    case 10: case 11:
      liar_announce(in);
      receive((name & 16) != 0);
      break;
    case 12:
      liar_say(in, fuzz_u8(in));
      break;
    case 13:
      receive((name & 16) != 0);
      break;
    case 14:
      liar_fail_something(in);
      break;
    default:
      (void)shmv_link_n_held(game.link);
      shmv_link_nudge(game.link);
      if (name & 16)
        break;
      if (game.link->page != NULL)
        shmv_slot_disarm(game.link->page);
      leave();
      break;
  }
}

/* HELLO, PAGE, MAPPED, WELCOME: as they should be, if nothing fails. */
static void
connect(struct fuzz_input *in)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  static const char *const accepts[] = {NULL, "ANY"};
  uint8_t how = fuzz_u8(in), grant = fuzz_u8(in);
  struct shmv_hello hello = script_hello;
  hello.depth = 1 + grant % 32;
  if (how >> 4 == 15)
    liar_fail_something(in);
  if (shmv_link_new(&game.link, world_open(WORLD_SOCKET, NULL), &hello,
                    accepts[how >> 3 & 1]) < 0) {
    game.link = NULL;
    return;
  }
  if (how & 4) /* otherwise, by script alone */
    return;
  struct shmv_message page = {.type = SHMV_PAGE, .serial = 1};
  struct shmv_message welcome = {.type = SHMV_WELCOME, .serial = 2};
  page.u.page_holds = SHMV_MAX_HOLDS;
  welcome.u.welcome = script_welcome;
  welcome.u.welcome.depth = hello.depth;
  welcome.u.welcome.holds = 2 + grant / 32 % 3;
  welcome.u.welcome.policy = how & 1;
  welcome.u.welcome.floor = how & 2 ? fuzz_number(in) : 1;
  size_t size = shmv_wire_encode(&page, bytes);
  liar_post(bytes, size, WORLD_PAGE, WORLD_PAGE, 1, NULL);
  size = shmv_wire_encode(&welcome, bytes);
  liar_post(bytes, size, WORLD_PAGE, WORLD_PAGE, 0, NULL);
  game.serial = 2;
  receive(false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, data + size};
  if (size > 0 && data[0] >> 4 == 14) {
    fuzz_u8(&in);
    pages_try(&in);
    return 0;
  }
  memset(&game, 0, sizeof game);
  memset(taken_frames, 0, sizeof taken_frames);
  world_begin();
  connect(&in);
  for (int i = 0; game.link != NULL && fuzz_left(&in) > 0 && i < N_STEPS; i++)
    step(&in, fuzz_u8(&in));
  if (game.link != NULL && size % 2 == 0)
    leave();
  for (unsigned i = 0; i < N_TAKEN; i++)
    give_back(i);
  if (game.link != NULL)
    leave();
  for (int k = 0; k < (int)SHMV_MAX_HOLDS && !game.page_touched; k++)
    FUZZ_CHECK(atomic_load(&world_page()->hold[k]) == 0);
  world_check_clean();
  return 0;
}
