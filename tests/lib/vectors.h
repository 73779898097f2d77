/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Vectors
 *
 * Messages as bytes, in tests/vectors, one a file. The name is the verdict: ok- is
 * a message, bad- is malformed, skip- is well-formed and of a type that is not
 * known. In a file two hexadecimal digits are a byte, "61*300" is a byte so often,
 * and # begins a comment that ends with the line.
 */

#ifndef VECTORS_H
#define VECTORS_H

#include <glib.h>

/* The names in order, without ".hex": free by g_strfreev. */
char **vectors_names(void);

/* The bytes of one; the memory is exactly as long, for AddressSanitizer to see. */
guint8 *vectors_bytes(const char *name, gsize *out_size);

/* The text of a file of the project; free it. */
char *vectors_file(const char *path);

#endif
