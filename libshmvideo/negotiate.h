/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Negotiation
 *
 * Owns the choice of a format for a reader that cannot take the present one: what
 * the writer can make, and all readers that are there can still take. One rule: who
 * has settled for the present format is never asked to give it up.
 * Pure: texts in, a text out. The texts may come from hostile processes.
 */

#ifndef SHMV_NEGOTIATE_H
#define SHMV_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>

/* One reader. */
struct shmv_party {
  const char *accepts; /* caps text, NULL: anything */
  bool settled;        /* it must keep the present format */
  bool waits;          /* it cannot take the present format */
  int pid;
};

/* Find a format for parties[asker]: in the order of its own structures, nearest to
 * present (fixed caps text), within offers (what the writer can make; NULL:
 * anything). Others that wait are thought of too, if that is possible.
 * Returns the length of the fixed caps text written to caps; 0: there is none, and
 * why says in a part of a sentence what stands against it; -ENOSPC, -ENOMEM, and
 * -EINVAL: offers is not caps text. */
int shmv_negotiate(const struct shmv_party *parties, unsigned n_parties,
                   unsigned asker, const char *offers, const char *present,
                   char *caps, size_t caps_size, char *why, size_t why_size);

#endif
