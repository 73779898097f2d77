/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sets of formats as text
 *
 * Owns how a set is written. One rule: the text is read back as the same set,
 * by this library and by GStreamer, and is what gst_caps_to_string would write,
 * but that a flag set's type is called flagset and its flags have no names.
 * Pure.
 */

#ifndef SHMV_CAPS_PRINT_H
#define SHMV_CAPS_PRINT_H

#include "caps-set.h"

/* Write a set. Bytes without the NUL, or -ENOSPC. text may be NULL if its size
 * is 0. */
int shmv_caps_print(const struct shmv_caps *caps, char *text,
                    size_t text_size);

/* Write the values of one field, without its name and type. Results as above; what
 * fits is there. */
int shmv_caps_print_values(const struct shmv_caps *caps,
                           const struct shmv_caps_field *field, char *text,
                           size_t text_size);

#endif
