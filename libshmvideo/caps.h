/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps
 *
 * Owns the text form of formats and of sets of formats: a documented subset of
 * GStreamer's caps syntax (docs/caps.md). One rule: inside the subset it agrees
 * with GstCaps, outside it says -EINVAL and why.
 * Pure: text in, answer out. The text may come from a hostile process.
 */

#ifndef SHMV_CAPS_H
#define SHMV_CAPS_H

#include "shmvideo.h"

/* Longest caps text, in bytes without the NUL; longer is -E2BIG. */
#define SHMV_CAPS_MAX 16384

/* Whether text is caps (fixed or a set, "ANY" included). 0, -EINVAL, -E2BIG,
 * -ENOMEM. error may be NULL. */
int shmv_caps_check(const char *text, struct shmvideo_error *error);

/* Whether the set accepts the fixed caps: 1 yes, 0 no, <0 as shmv_caps_check. A
 * field that one side lacks is no obstacle, as in gst_caps_can_intersect. */
int shmv_caps_accept(const char *set, const char *fixed,
                     struct shmvideo_error *error);

/* Say why the set does not accept the fixed caps, as "width is 98, not 66"; empty if
 * no field stands against them. */
void shmv_caps_explain(const char *set, const char *fixed, char *text,
                       size_t text_size);

#endif
