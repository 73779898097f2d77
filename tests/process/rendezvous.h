/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the tests of paths and sockets share: claims as a writer makes them,
 * sockets that others might have put there, and a user without rights.
 */

#ifndef RENDEZVOUS_H
#define RENDEZVOUS_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "shmvtest.h"
#include "socket.h"

/* Some uid that owns nothing. */
#define NOBODY 65534

/* As a writer does: resolve and listen. */
int claim(const char *text, mode_t perms, struct shmv_listener *out,
          struct shmvideo_error *out_error);

/* Claim, expect this refusal, and these words in message or advice (each NULL: not
 * looked for). Nothing may be left but what was there. */
void expect_refusal(const char *text, int code, const char *word,
                    const char *other_word);

/* Claim, be reachable, leave nothing. */
void expect_success(const char *text);

/* As a reader does: resolve and connect. -errno or the descriptor. */
int connect_to(const char *text, struct shmvideo_error *out_error);

/* A listening socket of somebody else's make; close it and it is stale. */
int foreign_listener(const char *path, int type, int backlog);

/* Names in a directory, sorted, joined by spaces. g_free it. */
char *list(const char *directory);

/* Run func in a child that has no rights. Fails the test unless it returns 0. */
void as_nobody(int (*func)(int in, int out, void *user), void *user);

/* For a grandchild: stay until the test has closed the child's input. */
void stay(int in);

#endif
