/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Scripts of messages
 *
 * Fuzzers find no message of 300 bytes in which all numbers agree. So a script names
 * a message that is right and says what is wrong with it:
 *
 *     byte   0-3 its type, 4 and 5 a patch each, 6 a wrong serial, 7 a body of its own
 *     bytes  that these ask for, in this order: serial, body, patches
 *
 * What comes of it passes through decode, as everything from a socket does.
 */

#ifndef FUZZ_SCRIPT_H
#define FUZZ_SCRIPT_H

#include <stdbool.h>

#include "fuzz.h"
#include "wire.h"

/* Longest message of a script, and most steps of one: what is longer is no other. */
#define SCRIPT_MAX 768
#define SCRIPT_STEPS 24

/* What is asked for and granted where nothing is wrong. */
extern const struct shmv_hello script_hello;
extern const struct shmv_welcome script_welcome;

/* A FORMAT message that is right: one of several small formats, whose slots are
 * more pages larger than they must be. Its size; bytes has SCRIPT_MAX of them. */
size_t script_format(uint8_t *bytes, uint32_t which, uint32_t more,
                     uint32_t n_slots, uint32_t generation, uint32_t serial);

/* The format it names. */
const struct shmvideo_format *script_video_format(uint32_t which);

/* Bytes of a message that may be wrong. */
struct script_message {
  uint32_t type;   /* as asked for; patches may say otherwise */
  bool right;      /* nothing was done to it */
  const uint8_t *bytes; /* ends where its room ends; until the next one */
  size_t size;
};

/* Next message: what names it was read already. last: the serial of that side's last
 * message; generation: what FORMAT and READY name. */
void script_next(struct fuzz_input *in, uint8_t name, uint32_t last,
                 uint32_t generation, struct script_message *out);

#endif
