/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Leaks
 *
 * Owns what a process has at one moment: descriptors, mappings of memfds,
 * children. One rule: what is there after a test and was not before, is a leak.
 */

#ifndef LEAKS_H
#define LEAKS_H

#include <glib.h>

/* A set of text lines, one per thing that the process has; free by
 * g_hash_table_unref. */
GHashTable *leaks_take(void);

/* What is in after but not in before, one line each; NULL if nothing. */
char *leaks_compare(GHashTable *before, GHashTable *after);

#endif
