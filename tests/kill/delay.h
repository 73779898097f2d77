/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Delays anywhere, and time without them
 *
 * Owns a timer that interrupts the program at random instants, wherever it is, and
 * keeps it there: by spinning, by yielding, by sleeping; and the test points of the
 * library, which do the same. One rule: the time of a call is told without what was
 * put into it, and without the time for which another process had the processor.
 */

#ifndef DELAY_H
#define DELAY_H

#include <glib.h>

/* Once in a process. */
void delay_start(guint32 seed);
void delay_stop(void);

/* Below n; one sequence of numbers for the process. */
guint delay_random(guint n);

/* Spin, yield or sleep, for this long at most, or not at all. */
void delay_now(guint max_us);

/* What a thread did with its time, ns; without the delays that were put in. Who takes
 * the whole machine's time shows in own and idle, so what did not sleep slept 0. */
struct delay_time {
  gint64 own;  /* not waiting for a processor */
  gint64 idle; /* of that, neither running */
  gint64 sleeps;
};
struct delay_time delay_take(void);

#endif
