/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Texts
 *
 * Owns what a text may be made of. Sentences quote what other processes said, and end in
 * terminals and logs. One rule: what is shown is UTF-8 without control characters, which
 * terminals take for commands. Pure.
 */

#ifndef SHMV_TEXT_H
#define SHMV_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool shmv_text_is_utf8(const char *text, size_t size);

/* Make of it, in place, what can be shown: '?' for each byte that cannot. */
void shmv_text_clean(char *text);

#endif
