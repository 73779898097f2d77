/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Formats under fuzzing: what must be true of every one, wherever it came from.
 */

#ifndef FUZZ_FORMATS_H
#define FUZZ_FORMATS_H

#include <stdbool.h>

#include "fuzz.h"
#include "shmvideo.h"

/* A format whose layout was filled in by us: no plane leaves it. */
void formats_check_layout(const struct shmvideo_format *format);

/* It becomes a text, and the text the same format again, as far as texts can say
 * what it is. parsed: it came from a text. */
void formats_check_text(const struct shmvideo_format *format, bool parsed);

/* A format of any numbers; rows and planes of it; a copy of its planes. */
void formats_try(struct fuzz_input *in);

#endif
