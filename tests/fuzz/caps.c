/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Any text as caps, any struct as a format
 *
 * The first byte says which: 1, a format (formats.c here); 2, four texts that are
 * negotiated (sets.c); anything else begins a text. A text with a NUL inside is two: a
 * set, and what is tried with it. No text may do more than be refused with a sentence,
 * and what is taken must mean the same when it is asked again in other words.
 */

#include "caps.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "formats.h"
#include "fuzz.h"
#include "sets.h"

/* Longer than any that is read. */
#define ROOM (SHMV_CAPS_MAX + 16)

static void
check_sentence(int code, const struct shmvideo_error *error)
{
  FUZZ_CHECK(code == -EINVAL || code == -E2BIG || code == -EMEDIUMTYPE ||
             code == -EOVERFLOW);
  FUZZ_CHECK(error->code == code && error->message[0] != '\0');
  FUZZ_CHECK(memchr(error->message, 0, sizeof error->message) != NULL);
  for (const char *c = error->message; *c != '\0'; c++)
    FUZZ_CHECK(*c >= ' ' && *c <= '~');
}

/* What a text that says one format must do. */
static void
check_fixed(const char *text)
{
  FUZZ_CHECK(shmv_caps_accept(text, text, NULL) == 1);
  FUZZ_CHECK(shmv_caps_accept("ANY", text, NULL) == 1);
  FUZZ_CHECK(shmv_caps_accept("EMPTY", text, NULL) == 0);
}

static void
try_text(const char *text)
{
  struct shmvideo_error error = {0};
  struct shmvideo_format format;
  memset(&format, 0x5a, sizeof format);
  int code = shmvideo_format_from_caps(&format, text, &error);
  if (code < 0) {
    check_sentence(code, &error);
    const uint8_t *bytes = (const uint8_t *)&format;
    for (size_t i = 0; i < sizeof format; i++)
      FUZZ_CHECK(bytes[i] == 0x5a);
    /* Caps of something else, or of many: they are caps for all that. */
    code = shmv_caps_accept(text, text, NULL);
    FUZZ_CHECK(code == 1 || code == -EINVAL || code == -E2BIG);
    return;
  }
  FUZZ_CHECK(code == 0);
  check_fixed(text);
  formats_check_layout(&format);
  formats_check_text(&format, true);
}

/* A set with one structure more takes what it took. */
static void
check_union(const char *set, const char *fixed)
{
  static char more[ROOM + 32];
  if (strcmp(set, "ANY") == 0)
    return;
  snprintf(more, sizeof more, "a/b, c=[ 1, 2 ];%s", set);
  if (strlen(more) <= SHMV_CAPS_MAX)
    FUZZ_CHECK(shmv_caps_accept(more, fixed, NULL) == 1);
}

static void
try_pair(const char *set, const char *fixed)
{
  struct shmvideo_error error = {0};
  int set_code = shmv_caps_check(set, NULL);
  int fixed_code = shmv_caps_check(fixed, NULL);
  int code = shmv_caps_accept(set, fixed, &error);
  if (code < 0)
    check_sentence(code, &error);
  if (set_code < 0) {
    FUZZ_CHECK(code == set_code);
  } else if (fixed_code < 0) {
    FUZZ_CHECK(code == fixed_code);
  } else if (code < 0) { /* not fixed: no set takes it */
    FUZZ_CHECK(code == -EINVAL);
    FUZZ_CHECK(shmv_caps_accept("ANY", fixed, NULL) == -EINVAL);
  } else {
    check_fixed(fixed);
    if (code == 1)
      check_union(set, fixed);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size > 0 && data[0] == 1) {
    struct fuzz_input in = {data + 1, data + size};
    formats_try(&in);
    return 0;
  }
  /* At the end of its room, so that one byte too far is seen. */
  static char room[2 * ROOM];
  if (size >= sizeof room)
    return 0;
  char *text = room + sizeof room - size - 1;
  memcpy(text, data, size);
  text[size] = '\0';
  size_t length = strlen(text);
  if (size > 2 && text[0] == 2) {
    sets_try_negotiation(text + 2, text + size + 1, (uint8_t)text[1]);
  } else if (length < size) {
    try_pair(text, text + length + 1);
    sets_try_pair(text, text + length + 1);
  } else {
    try_text(text);
  }
  return 0;
}
