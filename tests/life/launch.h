/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * gst-launch-1.0 as a child whose words are read
 *
 * One rule: what it says is always read, also while its end is waited for, so that
 * it never stands still for want of a reader of its words.
 */

#ifndef LAUNCH_H
#define LAUNCH_H

#include <glib.h>

#include "shmvtest.h"

struct launch {
  struct shmvtest_child *child;
  GString *line;
  guint frames; /* that a "fakesink silent=false" or identity told of */
  guint errors; /* messages */
};

/* "gst-launch-1.0 -m -v FORMAT", with -e before if that is wanted. */
struct launch *launch_start(gboolean eos_on_ctrl_c, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Read until a line has these words. */
void launch_wait(struct launch *launch, const char *words);

/* Read until it told of so many frames more. */
void launch_wait_frames(struct launch *launch, guint more);

/* Read what has been said, without waiting. */
void launch_listen(struct launch *launch);

/* Read on until it ends: its exit status, or 128 + signal. */
int launch_end(struct launch *launch);

/* SIGINT, and launch_end: how long that took in ms. Fails the test if it ended with
 * another status. */
guint launch_ctrl_c(struct launch *launch, int status);

/* SIGKILL if it lives. NULL is allowed. */
void launch_free(struct launch *launch);

/* Until something is at this path: a writer, say. */
void launch_wait_path(const char *path);

/* Descriptors and mapped memfds of a process. */
void launch_usage(pid_t pid, guint *descriptors, guint *mappings);

#endif
