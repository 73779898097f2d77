/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sets of formats, compared and intersected
 *
 * Owns set algebra on caps: what two sets have in common, whether they have
 * anything, whether one is part of the other. One rule: the answers are those
 * of GstCaps, but for the exceptions that docs/caps.md lists, where GstCaps
 * crashes or claims too much. Pure.
 *
 * Invariant: work and memory are bounded whatever the texts say, since they
 * come from other processes.
 */

#ifndef SHMV_CAPS_MEET_H
#define SHMV_CAPS_MEET_H

#include "caps-set.h"

/* An intersection has no more than this: what comes first is best. */
#define SHMV_CAPS_MAX_STRUCTURES 1024
#define SHMV_CAPS_MAX_VALUES 16384

/* What both sets take, in the order of a's structures and lists, as with
 * GST_CAPS_INTERSECT_FIRST. *out then has its own memory, and is to be cleared.
 * 0; 1: there is more, and what is left out comes last; -ENOMEM: *out is clear.
 * out is neither a nor b. */
int shmv_caps_intersect(struct shmv_caps *out, const struct shmv_caps *a,
                        const struct shmv_caps *b);

/* Whether they have anything in common. Sets that are too large to compare
 * (section 6 of docs/caps.md) have not. */
bool shmv_caps_can_intersect(const struct shmv_caps *a,
                             const struct shmv_caps *b);

/* Whether each structure of subset is part of one of superset. A field that
 * superset has must be in subset, too. Too large: false. */
bool shmv_caps_is_subset(const struct shmv_caps *subset,
                         const struct shmv_caps *superset);

/* ---- what caps-meet.c and caps-subset.c share ---------------------------- */

/* Steps that may still be taken: 0 ends the work with a "no". Of all templates of
 * GStreamer's elements no two take 60,000. */
struct shmv_caps_work {
  uint32_t left;
};
#define SHMV_CAPS_WORK (UINT32_C(1) << 20)

/* Take n steps. false: there are not so many left. */
bool shmv_caps_work_take(struct shmv_caps_work *work, uint64_t n);

/* Whether features match: the same ones, or one side takes any. */
bool shmv_caps_features_match(const struct shmv_caps *a,
                              const struct shmv_caps_structure *of_a,
                              const struct shmv_caps *b,
                              const struct shmv_caps_structure *of_b);

/* Whether one structure is part of another, of the same or of another set. */
bool shmv_caps_structure_is_subset(const struct shmv_caps *subset,
                                   const struct shmv_caps_structure *part,
                                   const struct shmv_caps *superset,
                                   const struct shmv_caps_structure *whole,
                                   struct shmv_caps_work *work);

#endif
