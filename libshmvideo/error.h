/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Errors and log lines
 *
 * Owns how a failure becomes a sentence. One rule: a sentence names what failed,
 * where, and why; the advice says what to do. Nothing here prints. Pure.
 */

#ifndef SHMV_ERROR_H
#define SHMV_ERROR_H

#include "shmvideo.h"

/* Where an object's log lines go. */
struct shmv_log {
  shmvideo_log_func func; /* NULL: silent */
  void *user;
};

/* Fill an error (which may be NULL) and return code, so that a caller can write
 * "return shmv_error_set(...)". advice may be NULL. */
int shmv_error_set(struct shmvideo_error *error, int code, int pid,
                   const char *advice, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The negative errno of a system call on a socket that failed just now. -ENOBUFS has
 * a meaning of its own here: what the kernel means by it is -ENOMEM. */
int shmv_error_of_call(void);

/* Send one formatted line to the log function, if there is one. */
void shmv_log(const struct shmv_log *log, enum shmvideo_log_level level,
              const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
