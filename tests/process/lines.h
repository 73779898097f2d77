/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* A line that quotes the other side must not be a command to a terminal. */

#ifndef LINES_H
#define LINES_H

#include <glib.h>

static inline void
hostile_check_line(const char *line)
{
  g_assert_true(g_utf8_validate(line, -1, NULL));
  for (const char *c = line; *c != 0; c = g_utf8_next_char(c))
    g_assert_false(g_unichar_iscntrl(g_utf8_get_char(c)));
}

#endif
