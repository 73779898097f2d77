/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* slot.c, or a mutant of it, for slot-litmus. */

#include SLOT_SOURCE
