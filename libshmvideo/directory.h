/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The directory of a socket
 *
 * Owns how writers keep out of each other's way in a directory: its lock, the
 * question whether anybody listens at a name, and temporary names. One rule: the
 * directory is named by its descriptor, so that neither a chdir nor a changed
 * symbolic link makes us act elsewhere.
 *
 * The lock is the directory's own (flock): no lock file is left, and the kernel
 * drops it when its holder dies.
 */

#ifndef SHMV_DIRECTORY_H
#define SHMV_DIRECTORY_H

#include <stdbool.h>
#include <sys/un.h>

#include "path.h"

/* Open the path's directory: 0 and a close-on-exec descriptor, @yours. */
int shmv_directory_open(const struct shmv_path *path, int *out_fd,
                        struct shmvideo_error *error);

/* Lock it, waiting limit_ms at most. 0, -EBUSY, or what flock says. */
int shmv_directory_lock(int fd, int limit_ms);
void shmv_directory_unlock(int fd);

/* The address of a name in the open directory of path. 0, -ENAMETOOLONG. */
int shmv_directory_address(int fd, const struct shmv_path *path,
                           const char *name, struct sockaddr_un *out_address);

/* Whether somebody listens at the name: 0 and the pid (0: unknown), -ECONNREFUSED
 * if it is a socket with nobody behind it, or whatever connect says. */
int shmv_directory_probe(int fd, const struct shmv_path *path, const char *name,
                         int *out_pid);

/* A new temporary name. */
#define SHMV_TEMPORARY_SIZE 32
void shmv_directory_temporary_name(char name[SHMV_TEMPORARY_SIZE]);

/* Under the lock: remove temporary names whose makers died. */
void shmv_directory_sweep(int fd, const struct shmv_path *path);

#endif
