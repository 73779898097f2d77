/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Lack of memory: the caps code's arrays all grow by reallocarray, and the one
 * here is taken before the C library's.
 */

#ifndef CAPS_FAIL_H
#define CAPS_FAIL_H

#include <stdlib.h>

/* The nth call from now fails; less than 0: none does. */
static int failing = -1;

void *
reallocarray(void *block, size_t n, size_t size)
{
  if (failing >= 0 && failing-- == 0)
    return NULL;
  return realloc(block, n * size);
}

#endif
