/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Fuzzing
 *
 * A target is one function that takes any bytes and must come back. It says by
 * FUZZ_CHECK what must be true whatever the bytes are; the sanitizers say the rest.
 *
 *     fuzz-TARGET      libFuzzer and target (meson setup -Dfuzz=true, with clang)
 *     replay-TARGET    replay.c and target: the corpus once, in every build
 *
 * One rule: what a target does depends on nothing but the bytes, so that a crash
 * comes again. It makes no system call, so that 10^8 executions are soon done.
 */

#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,             \
              #condition);                                                     \
      abort();                                                                 \
    }                                                                          \
  } while (0)

/* Bytes that a target reads one after the other; zeros behind the end. */
struct fuzz_input {
  const uint8_t *at, *end;
};

static inline size_t
fuzz_left(const struct fuzz_input *in)
{
  return (size_t)(in->end - in->at);
}

static inline uint8_t
fuzz_u8(struct fuzz_input *in)
{
  return in->at < in->end ? *in->at++ : 0;
}

static inline uint32_t
fuzz_u32(struct fuzz_input *in)
{
  uint32_t value = 0;
  for (int i = 0; i < 4; i++)
    value |= (uint32_t)fuzz_u8(in) << 8 * i;
  return value;
}

/* A number that is mostly small and can be anything. */
static inline uint32_t
fuzz_number(struct fuzz_input *in)
{
  uint8_t byte = fuzz_u8(in);
  if (byte < 0xe0)
    return byte;
  if (byte < 0xf0) /* around the ends of the range */
    return (byte & 1 ? UINT32_C(1) << 31 : 0) + (byte >> 1 & 7) - 4;
  return fuzz_u32(in);
}

#endif
