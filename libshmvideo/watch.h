/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Watching a path
 *
 * Owns when a reader tries (again) to connect: when something appears at the path
 * (inotify on its directory), soon after a refusal (a writer may be on its way),
 * and slowly where inotify cannot help. One rule: waiting costs about no CPU, and
 * no appearance of a writer is ever missed for longer than the slow poll.
 */

#ifndef SHMV_WATCH_H
#define SHMV_WATCH_H

#include "socket.h"

struct shmv_watch {
  int inotify_fd; /* -1 if there is none; poll for input */
  int timer_fd;   /* poll for input */
  int directory_watch; /* inotify's descriptor of the directory, -1: none */
  unsigned delay_ms;   /* waited before the last try; 0: begin anew */
  int code;            /* of the try before */
  int64_t connected_ms; /* when disarmed: a short connection is no success */
  struct shmv_path path;
};

/* 0 or -errno. Without inotify (limits) it works by the timer alone. */
int shmv_watch_init(struct shmv_watch *watch, const struct shmv_path *path);
void shmv_watch_fini(struct shmv_watch *watch);

/* A try failed with this code (-ENOENT, -ECONNREFUSED, -EAGAIN or any other; 0 for
 * "we were connected and lost it"): arrange for the next. */
void shmv_watch_arm(struct shmv_watch *watch, int code);

/* Connected: no more tries, both descriptors fall silent. */
void shmv_watch_disarm(struct shmv_watch *watch);

/* Read both descriptors empty; whether a try is due now. */
bool shmv_watch_due(struct shmv_watch *watch);

#endif
