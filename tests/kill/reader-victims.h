/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What readers do that die in the middle of it
 *
 * Each is the victim of a scenario of step.h, and its user a number.
 */

#ifndef READER_VICTIMS_H
#define READER_VICTIMS_H

/* What they read. */
extern const char *victim_path;

void victim_connects(void *policy);
void victim_releases(void *user); /* two frames */
void victim_leaves(void *user);   /* while it holds a frame */
void victim_is_refused(void *user);

/* The others let the test act once, when they are connected. */
void victim_takes(void *newest);
void victim_sleeps(void *user);
void victim_follows(void *policy); /* a new format, holding a frame of the old one */
void victim_is_waited_for(void *user);

#endif
