/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* What a process uses now, from /proc. */

#ifndef USAGE_H
#define USAGE_H

#include <sys/types.h>

#include "judge.h"

struct judge_sample usage_sample(pid_t pid);

#endif
