/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Two honest ends
 *
 * A writer's and a reader's session with two queues of bytes between them. The
 * script only says who acts next: whatever the order, neither may find a fault with
 * the other, and when both have said all, the reader is in the newest generation.
 */

#ifndef FUZZ_PAIR_H
#define FUZZ_PAIR_H

#include "fuzz.h"

void pair_try(struct fuzz_input *in);

#endif
