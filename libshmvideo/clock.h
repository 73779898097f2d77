/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The one clock of the library. */

#ifndef SHMV_CLOCK_H
#define SHMV_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, ns. */
uint64_t shmv_now(void);

#endif
