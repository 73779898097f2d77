/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "caps-scan.h"

#include <errno.h>
#include <string.h>

#include "error.h"

int
shmv_scan_fail_at(const struct shmv_scan *in, const char *at, const char *what)
{
  char found[33]; /* the text is hostile, the sentence must not be */
  size_t n = 0;
  for (; n < sizeof found - 1 && at[n] != '\0'; n++)
    found[n] = at[n] >= ' ' && at[n] <= '~' ? at[n] : '?';
  found[n] = '\0';
  if (n == 0)
    return shmv_error_set(in->error, -EINVAL, 0, NULL,
                          "caps text, at its end: %s", what);
  return shmv_error_set(in->error, -EINVAL, 0, NULL,
                        "caps text, byte %zu, at \"%s%s\": %s",
                        (size_t)(at - in->text), found,
                        at[n] != '\0' ? "..." : "", what);
}

int
shmv_scan_fail(const struct shmv_scan *in, const char *what)
{
  return shmv_scan_fail_at(in, in->at, what);
}

int
shmv_scan_no_memory(const struct shmv_scan *in)
{
  return shmv_error_set(in->error, -ENOMEM, 0, NULL,
                        "no memory to parse caps text");
}

void
shmv_scan_spaces(struct shmv_scan *in)
{
  in->at += strspn(in->at, " \t\n\r\f");
}

size_t
shmv_scan_word(const struct shmv_scan *in)
{
  return strspn(in->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_-+/:.");
}

bool
shmv_scan_is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char *
shmv_scan_keep(struct shmv_scan *in, size_t length)
{
  char *string = in->caps->strings + in->caps->n_strings;
  memcpy(string, in->at, length);
  string[length] = '\0';
  in->caps->n_strings += length + 1;
  in->at += length;
  return string;
}

ptrdiff_t
shmv_scan_quoted(const struct shmv_scan *in)
{
  const char *end = in->at + 1;
  for (; *end != '"'; end++) {
    if (*end == '\\')
      end++;
    if (*end == '\0')
      return -1;
  }
  return end - (in->at + 1);
}
