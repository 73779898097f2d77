/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench: what is in a frame
 *
 * The first 24 bytes are the stamp, the last 8 the sequence again. If frames are
 * touched, all 64-bit words between are the same, another one for each sequence.
 */

#include "bench.h"

#include <string.h>

#define MAGIC UINT64_C(0x6863636e65626873)

struct stamp {
  uint64_t magic, sequence, time;
};

size_t
bench_frame_size(void)
{
  size_t pixels = (size_t)bench_options.width * bench_options.height;
  if (strcmp(bench_options.format, "NV12") == 0)
    return pixels * 3 / 2;
  if (strcmp(bench_options.format, "RGBA") == 0)
    return pixels * 4;
  return 0;
}

static uint64_t
word_of(uint64_t sequence)
{
  return (sequence + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

void
bench_frame_paint(uint8_t *data, size_t size, uint64_t sequence)
{
  uint64_t word = word_of(sequence);
  uint64_t *words = (void *)data;
  for (size_t i = 0; i < size / 8; i++)
    words[i] = word;
}

void
bench_frame_stamp(uint8_t *data, size_t size, uint64_t sequence, uint64_t time)
{
  struct stamp stamp = {MAGIC, sequence, time};
  memcpy(data + size / 8 * 8 - 8, &sequence, 8);
  memcpy(data, &stamp, sizeof stamp);
}

void
bench_frame_read(const uint8_t *data, uint64_t *sequence, uint64_t *time)
{
  struct stamp stamp;
  memcpy(&stamp, data, sizeof stamp);
  *sequence = stamp.magic == MAGIC ? stamp.sequence : 0;
  *time = stamp.time;
}

bool
bench_frame_is_whole(const uint8_t *data, size_t size, uint64_t sequence,
                     bool touch)
{
  const uint64_t *words = (const void *)data;
  size_t n = size / 8;
  uint64_t word = word_of(sequence), other = words[n - 1] ^ sequence;
  /* One word would do to know, but all are to be read. */
  if (touch)
    for (size_t i = sizeof(struct stamp) / 8; i < n - 1; i++)
      other |= words[i] ^ word;
  return other == 0;
}

bool
bench_frame_self_test(void)
{
  static const size_t places[] = {24, 25, 31, 1000, 2040, 4071, 4072, 4079,
                                  4080, 4087};
  enum { SIZE = 4088 };
  static _Alignas(64) uint8_t frame[SIZE];
  uint64_t sequence, time;
  bool good = true;
  bench_frame_paint(frame, SIZE, 7);
  bench_frame_stamp(frame, SIZE, 7, 99);
  bench_frame_read(frame, &sequence, &time);
  good &= sequence == 7 && time == 99;
  good &= bench_frame_is_whole(frame, SIZE, 7, true);
  good &= bench_frame_is_whole(frame, SIZE, 7, false);
  good &= !bench_frame_is_whole(frame, SIZE, 8, false);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    frame[places[i]] ^= 0x10;
    good &= !bench_frame_is_whole(frame, SIZE, 7, true);
    good &= bench_frame_is_whole(frame, SIZE, 7, false) ==
            (places[i] < SIZE - 8);
    frame[places[i]] ^= 0x10;
  }
  /* A frame that has been begun, over the one before. */
  bench_frame_paint(frame, SIZE / 2, 8);
  bench_frame_stamp(frame, SIZE, 8, 100);
  good &= !bench_frame_is_whole(frame, SIZE, 8, true);
  return good;
}
