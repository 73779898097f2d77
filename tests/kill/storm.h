/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Writers and readers that may be killed at any moment
 *
 * Owns what a process of the storm does until it is killed: the most that its API
 * allows, in random order and with random delays (delay.h). One rule: whatever is
 * wrong ends the process by another signal than SIGKILL.
 *
 * Some are not killed. When all is to be quiet they give all back, compare what
 * they have with what they had, and end.
 */

#ifndef STORM_H
#define STORM_H

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

/* How calls of one kind took their time (see delay.h), ns. What is neither busy nor
 * asleep was taken by interrupts, or by who has the whole machine. */
struct storm_calls {
  _Atomic guint64 n, n_long, n_busy, n_asleep; /* all; for longer than a frame */
  _Atomic guint64 longest, most_busy, most_asleep;
};

enum storm_call { STORM_DISPATCH, STORM_FORMAT, STORM_ACQUIRE, STORM_PUBLISH,
                  STORM_RELEASE, STORM_END, STORM_WAIT, STORM_N_CALLS };

/* In memory that all processes of a storm have. */
struct storm {
  char path[108];
  atomic_bool quiet;
  bool backpressure;
  struct storm_calls calls[STORM_N_CALLS]; /* of writers */
  _Atomic guint64 shown, looked_at, formats, lost, ends, demoted;
  _Atomic guint64 opened, found_another; /* writers, when they came */
  _Atomic guint64 connected;             /* readers */
};

/* Return only who is immortal, when all is to be quiet and the others are dead. */
void storm_write(struct storm *storm, guint32 seed, bool immortal);
void storm_read(struct storm *storm, guint32 seed, bool immortal);

#endif
