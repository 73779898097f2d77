/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps values as sets
 *
 * Owns what two values or ranges have in common, and whether one is part of the
 * other. One rule: what comes out is taken by both that went in. Pure.
 */

#ifndef SHMV_CAPS_RANGE_H
#define SHMV_CAPS_RANGE_H

#include "caps-word.h"

/* What both take. false: nothing, and *out stays as it was. */
bool shmv_caps_value_meet(struct shmv_caps_value *out,
                          const struct shmv_caps_value *a,
                          const struct shmv_caps_value *b);

/* Whether they are written alike. */
bool shmv_caps_value_is_same(const struct shmv_caps_value *a,
                             const struct shmv_caps_value *b);

/* Whether all that part takes is taken by whole, which is the same value or a
 * range around it. */
bool shmv_caps_value_is_within(const struct shmv_caps_value *part,
                               const struct shmv_caps_value *whole);

#endif
