/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sets of formats under fuzzing: what two have in common, and which format comes of
 * it.
 */

#ifndef FUZZ_SETS_H
#define FUZZ_SETS_H

#include "fuzz.h"

/* Two texts: intersected, compared, printed, chosen from. */
void sets_try_pair(const char *a, const char *b);

/* Four texts with a NUL behind each: what two readers accept, what the writer offers,
 * what it makes now. how: which of them there are. */
void sets_try_negotiation(const char *texts, const char *end, uint8_t how);

#endif
