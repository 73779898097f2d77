/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A writer on hostile pages
 *
 * The other side of board.c: the writer's half of slot.c, and readers whose pages say
 * anything, also between its loads. Some are honest. Whatever the others do, no slot
 * is claimed that an honest one holds, no honest one is blamed, a claim takes so many
 * loads at most, and with as many slots as the rules ask for it finds one.
 */

#ifndef FUZZ_PAGES_H
#define FUZZ_PAGES_H

#include "fuzz.h"

void pages_try(struct fuzz_input *in);

#endif
