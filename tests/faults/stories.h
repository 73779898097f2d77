/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Stories of shares: all that the library can do, in some lives and quarrels. What
 * is in them is tried with every failure; what is missing is not tried.
 */

#ifndef STORIES_H
#define STORIES_H

#include "story.h"

/* From before the writer to after it: late comers, formats, the end, a share that
 * nobody reads, a successor. */
void story_of_life(struct story *story);

/* Lossless readers make the writer wait: one lets go in time, and then does not. */
void story_of_patience(struct story *story);

/* One comes who cannot take the format, and the other agrees to another. */
void story_of_wishes(struct story *story);

/* Somebody who is no reader connects. */
void story_of_strangers(struct story *story);

/* A path that somebody has already stays his; other things in the way. */
void story_of_rivals(struct story *story);

#endif
