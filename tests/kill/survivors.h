/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * How the living are after a death
 *
 * What the campaigns of deaths ask of survivors (children of ../process/share.h):
 * that every descriptor, mapping and file of the dead is gone. One rule: exactly as
 * before, not about.
 */

#ifndef SURVIVORS_H
#define SURVIVORS_H

#include "share.h"

/* A number from the environment. */
guint64 survivors_setting(const char *name, guint64 otherwise);

/* Wait until a process has as many descriptors and mappings of frame memory as
 * before; fails the test at the deadline, or if it has fewer. */
void survivors_wait_same(pid_t pid, struct share_usage before);

/* Its own memory may have grown by a little in all. */
void survivors_check_memory(pid_t pid, struct share_usage before);

/* The same of this very process: bytes that it alone has, and how it has no more than
 * leaks.h told before (which is freed). */
guint64 survivors_own_memory(void);
void survivors_check_own_memory(guint64 before);
void survivors_check_left(GHashTable *before);

/* The names in the test's directory, sorted, joined by spaces, are these. */
void survivors_expect_files(const char *names);

#endif
