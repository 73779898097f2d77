/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What writers do that die in the middle of it
 *
 * Each is the victim of a scenario of step.h. Their first format is GRAY8 of the
 * victims' width, which tells their frames from others'.
 */

#ifndef WRITER_VICTIMS_H
#define WRITER_VICTIMS_H

/* Where they open. */
extern const char *victim_path;

void victim_opens(void *user);
void victim_sets_format(void *user); /* with a reader there */
void victim_admits(void *user);      /* a reader, to a picture */

/* The others let the test act once, when the reader has taken the first frame. */
void victim_shows(void *user);
void victim_shows_a_copy(void *user);
void victim_discards(void *user);
void victim_changes(void *user); /* its format */
void victim_ends(void *user);
void victim_leaves(void *user);

/* For a lossless reader that takes one frame more: in vain, or by user until that
 * one's time is up. */
void victim_waits(void *user);

#endif
