/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the C library must be asked for: Linux's calls, and 64-bit file offsets on
 * every machine. Included first by every file, so that the sources compile with
 * no -D on the command line.
 */

#ifndef SHMV_OS_H
#define SHMV_OS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#endif
