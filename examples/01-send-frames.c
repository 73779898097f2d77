/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Send frames: moving bars, RGBA, 30 frames per second, until Ctrl-C.
 *
 *     01-send-frames PATH [FRAMES]
 *     gst-launch-1.0 shmvideosrc socket-path=PATH ! videoconvert ! autovideosink
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shmvideo.h"

enum { WIDTH = 320, HEIGHT = 240, FRAME_NS = 1000000000 / 30 };

static volatile sig_atomic_t stop;

static void
on_signal(int signal)
{
  (void)signal;
  stop = 1;
}

static uint64_t
now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void
draw(uint8_t *data, uint32_t stride, uint64_t n)
{
  for (uint32_t y = 0; y < HEIGHT; y++)
    for (uint32_t x = 0; x < WIDTH; x++) {
      uint64_t bar = (x + 2 * n) / (WIDTH / 8) % 8;
      uint8_t pixel[4] = {bar & 4 ? 255 : 0, bar & 2 ? 255 : 0,
                          bar & 1 ? 255 : 0, 255};
      memcpy(data + (size_t)y * stride + (size_t)x * 4, pixel, 4);
    }
}

static int
send_frame(struct shmvideo_writer *writer, uint32_t stride, uint64_t n)
{
  struct shmvideo_slot *slot;
  int code = shmvideo_writer_acquire(writer, &slot);
  if (code != 1)
    return code; /* 0: no slot is free now, so this frame is not shown */
  draw(slot->data, stride, n);
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  info.pts = n * FRAME_NS;
  info.duration = FRAME_NS;
  return shmvideo_writer_publish(writer, slot, &info);
}

int
main(int argc, char **argv)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.path = argc > 1 ? argv[1] : "bars";
  uint64_t frames = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = WIDTH, .height = HEIGHT,
                                   .fps_n = 30, .fps_d = 1};
  struct shmvideo_error error;
  struct shmvideo_writer *writer;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  shmvideo_format_set_default_layout(&format);
  int code = shmvideo_writer_new(&config, &error, &writer);
  if (code == 0 &&
      (code = shmvideo_writer_set_format(writer, &format, NULL, &error)) < 0)
    shmvideo_writer_free(writer);
  if (code < 0)
    return fprintf(stderr, "%s. %s\n", error.message, error.advice), 1;
  uint64_t next = now();
  for (uint64_t n = 0; n < frames && !stop && code >= 0;) {
    uint64_t time = now();
    int wait_ms = time < next ? (int)((next - time + 999999) / 1000000) : 0;
    struct pollfd pollfd = {shmvideo_writer_get_fd(writer), POLLIN, 0};
    if (poll(&pollfd, 1, wait_ms) > 0)
      code = shmvideo_writer_dispatch(writer); /* readers come and go */
    if (code >= 0 && now() >= next) {
      code = send_frame(writer, format.stride[0], n++);
      next += FRAME_NS;
    }
  }
  shmvideo_writer_end(writer); /* "that was all", rather than "it is gone" */
  shmvideo_writer_free(writer);
  return code < 0 ? fprintf(stderr, "%s\n", shmvideo_strerror(code)), 1 : 0;
}
