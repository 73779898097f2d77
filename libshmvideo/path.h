/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Paths
 *
 * Owns what a user's path means: where a bare name leads, which directory and
 * which name in it are meant, what is too long for a socket's address. One rule:
 * a path is used as it was given or refused, never shortened.
 */

#ifndef SHMV_PATH_H
#define SHMV_PATH_H

#include "error.h"

/* Longest path of a socket, in bytes without the NUL (sun_path). */
#define SHMV_PATH_MAX 107

/* A path, resolved: bare names expanded, split into directory and name. */
struct shmv_path {
  char text[SHMV_PATH_MAX + 1];      /* given to connect and shown to users */
  char directory[SHMV_PATH_MAX + 1]; /* "." if the path has no directory part */
  char name[SHMV_PATH_MAX + 1];      /* last component */
};

/* Resolve a user's path. For a bare name (no slash) the runtime directory is
 * used, and made (0700) when it is missing; it is refused if it belongs to
 * somebody else or, in /tmp, is a symbolic link or open to others. A relative path
 * becomes absolute where that fits, so that it means the same after a chdir.
 * 0, -EINVAL (empty, ends in a slash, "." or ".."), -ENAMETOOLONG, or why the
 * directory cannot be made. */
int shmv_path_resolve(struct shmv_path *path, const char *text,
                      struct shmvideo_error *error);

/* What kind of file a mode says, with its article: "a regular file". */
const char *shmv_path_kind(unsigned mode);

#endif
