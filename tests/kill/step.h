/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Death after n instructions
 *
 * Owns victims: children whose instructions are counted one by one, and that are
 * killed after n of them. Only instructions of libshmvideo.so count; what it calls
 * in other libraries, and all of the kernel, is one step, which is either made or
 * not. One rule: a victim ends by SIGKILL and by nothing else.
 *
 * A victim does what comes before, says step_ready(), does what is stepped, and
 * returns. It may say step_ready() more often: the test acts at each.
 *
 * SHMVIDEO_KILL_SAMPLES is the number of deaths of each scenario, spread over its
 * length (0: one at every instruction). SHMVIDEO_KILL_SEED moves them. With
 * SHMVIDEO_KILL_ALL=1 every instruction of every library counts.
 */

#ifndef STEP_H
#define STEP_H

#include "shmvtest.h"

/* False (and the test is marked as skipped) where processes cannot be stepped. */
gboolean step_possible(void);

/* In a victim: stop until the test lets it go on. */
void step_ready(void);

struct step_scenario {
  void (*victim)(void *user);
  void *user;
  guint n_stops; /* before the one where the stepping begins */
  void (*arrange)(guint stop); /* what the test does at each of those */
  void (*before)(void);        /* the victim is not there yet; may be NULL */
  void (*after)(void);         /* the victim is dead: how is everybody? */
};

/* Kill it at every n-th instruction of all, or at some. */
void step_through(const struct step_scenario *scenario);

#endif
