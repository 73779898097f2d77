/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "writer-victims.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "share-peer.h"
#include "step.h"

#define VICTIM_WIDTH 32
#define VICTIM_OTHER_WIDTH 40

const char *victim_path;

static struct shmvideo_writer *writer;
static uint64_t shown, patience;

static void
set_format(uint32_t width)
{
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = width,
                                   .height = 32,
                                   .fps_n = 25,
                                   .fps_d = 1};
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==, 0);
}

static void
open_writer(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.path = victim_path;
  config.backpressure = 1;
  config.max_memory = 32 * 4096;
  config.backpressure_timeout = patience;
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
}

/* Seen by the reader, which comes when the path is there. */
static void
open_and_set_format(void)
{
  open_writer();
  set_format(VICTIM_WIDTH);
}

static void
wait_for_reader(void)
{
  while (shmvideo_writer_get_n_readers(writer) == 0) {
    shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, -1);
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
  }
}

static void
publish(struct shmvideo_slot *slot)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  info.offset = ++shown;
  share_paint(slot->data, slot->size, info.offset);
  g_assert_cmpint(shmvideo_writer_publish(writer, slot, &info), ==, 0);
}

static void
show_one(void)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
  publish(slot);
}

/* Until the reader has taken so many frames, and holds none but the first. */
static void
wait_for_received(uint32_t n)
{
  struct shmvideo_reader_info info = {0};
  while (info.received < n || info.holding > 1) {
    shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 1);
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
    shmvideo_writer_get_readers(writer, &info, 1);
  }
}

/* Until the reader has the first frame. */
static void
open_and_be_read(void)
{
  open_and_set_format();
  wait_for_reader();
  show_one();
  wait_for_received(1);
  step_ready();
}

void
victim_opens(void *user)
{
  step_ready();
  open_writer();
}

void
victim_sets_format(void *user)
{
  open_writer();
  wait_for_reader();
  step_ready();
  set_format(VICTIM_WIDTH);
  g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
}

void
victim_admits(void *user)
{
  open_and_set_format();
  show_one();
  step_ready();
  wait_for_reader();
  while (shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 0) == 0)
    ; /* READY is on its way */
  g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
}

void
victim_shows(void *user)
{
  open_and_be_read();
  step_ready();
  show_one();
}

void
victim_shows_a_copy(void *user)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  static uint64_t pixels[VICTIM_WIDTH * 32 / 8];
  const uint8_t *plane = (const uint8_t *)pixels;
  const uint32_t stride = VICTIM_WIDTH;
  share_paint((uint8_t *)pixels, sizeof pixels, info.offset = 2);
  open_and_be_read();
  step_ready();
  g_assert_cmpint(shmvideo_writer_send(writer, &plane, &stride, &info), ==, 1);
}

void
victim_discards(void *user)
{
  struct shmvideo_slot *slot;
  open_and_be_read();
  step_ready();
  g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
  share_paint(slot->data, slot->size, 99);
  shmvideo_slot_release(slot);
}

void
victim_changes(void *user)
{
  open_and_be_read();
  step_ready();
  set_format(VICTIM_OTHER_WIDTH);
  g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
  show_one();
}

void
victim_ends(void *user)
{
  open_and_be_read();
  step_ready();
  shmvideo_writer_end(writer);
  g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
}

void
victim_leaves(void *user)
{
  open_and_be_read();
  step_ready();
  shmvideo_writer_free(writer);
}

/* Until the lossless reader, which takes no more, keeps all slots. */
static void
fill_all(int cancel_fd)
{
  struct shmvideo_slot *slot;
  int code;
  while ((code = shmvideo_writer_acquire_wait(writer, TRUE, cancel_fd, &slot)) == 1)
    publish(slot);
  g_assert_cmpint(code, ==, -ECANCELED);
}

void
victim_waits(void *user)
{
  struct shmvideo_slot *slot;
  int cancel_fd = eventfd(1, EFD_CLOEXEC);
  patience = user != NULL ? 1000000 : 0;
  open_and_be_read();
  fill_all(cancel_fd);
  wait_for_received(2);
  fill_all(cancel_fd);
  step_ready();
  int code = shmvideo_writer_acquire_wait(writer, TRUE, user != NULL ? -1 : cancel_fd,
                                          &slot);
  g_assert_cmpint(code, ==, user != NULL ? 1 : -ECANCELED);
  if (code == 1)
    publish(slot);
}
