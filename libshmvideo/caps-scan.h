/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Scanning caps text
 *
 * Owns the place in a text that the parser has reached, what a word is, and how
 * a failure is told. One rule: only the parser's functions move on.
 *
 * Invariant: what is kept in the set's strings was followed in the text by a
 * character that is not kept, or by the end. So each string's NUL has room, and
 * the strings never outgrow the text plus one byte.
 */

#ifndef SHMV_CAPS_SCAN_H
#define SHMV_CAPS_SCAN_H

#include "caps-set.h"

struct shmv_scan {
  struct shmv_caps *caps;
  const char *text;
  const char *at; /* what comes next */
  struct shmvideo_error *error;
};

/* Say what is wrong, and where: at the next byte or an earlier one. -EINVAL. */
int shmv_scan_fail(const struct shmv_scan *in, const char *what);
int shmv_scan_fail_at(const struct shmv_scan *in, const char *at,
                      const char *what);

/* Say that there is no memory. -ENOMEM. */
int shmv_scan_no_memory(const struct shmv_scan *in);

/* Go past spaces, tabs and line ends. */
void shmv_scan_spaces(struct shmv_scan *in);

/* Length of the bare word that comes next; 0: none does. */
size_t shmv_scan_word(const struct shmv_scan *in);

/* Bytes between the quote that comes next and the one that ends it, or -1. */
ptrdiff_t shmv_scan_quoted(const struct shmv_scan *in);

/* Keep the next bytes as a string, and go past them. */
char *shmv_scan_keep(struct shmv_scan *in, size_t length);

bool shmv_scan_is_letter(char c);

#endif
