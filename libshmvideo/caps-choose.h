/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One format out of a set
 *
 * Owns which format is taken where many would do. One rule: what stays as it is
 * costs nothing, so each field keeps its present value if it may, else takes
 * the nearest (docs/caps.md, section 9). Pure.
 *
 * Invariant: what is chosen is fixed, accepted by the set, and can be shared.
 */

#ifndef SHMV_CAPS_CHOOSE_H
#define SHMV_CAPS_CHOOSE_H

#include "caps-set.h"

/* Choose a format of the set: of the first structure that has one which can be
 * shared, the one nearest to near, the fixed caps of the present format (NULL:
 * there is none). Write it as complete, canonical text. Bytes without the NUL;
 * 0: the set has no such format; -EINVAL, -E2BIG: near is not fixed caps;
 * -ENOSPC, -ENOMEM. The text is empty unless the result is more than 0. */
int shmv_caps_choose(const struct shmv_caps *set, const char *near, char *text,
                     size_t text_size);

#endif
