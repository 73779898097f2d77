/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Copying
 *
 * Owns the one copy that is left when a caller brings its own memory. One rule:
 * only the visible part of each row moves, whatever the strides. Pure.
 */

#ifndef SHMV_COPY_H
#define SHMV_COPY_H

#include "shmvideo.h"

/* Copy planes with their strides to data, laid out as the format says. 0, or
 * -EINVAL for a stride smaller than a row. */
int shmv_copy_frame(const struct shmvideo_format *format, uint8_t *data,
                    const uint8_t *const *planes, const uint32_t *strides);

#endif
