/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Whether what a process uses stays the same
 *
 * Owns the samples of one process at rest, and the verdict. One rule: descriptors and
 * mappings are counted, so they must be equal; memory is measured, so its trend counts.
 * Pure.
 */

#ifndef JUDGE_H
#define JUDGE_H

#include <glib.h>

struct judge_sample {
  guint descriptors, mappings; /* mappings: of memfds */
  guint64 own, shared;         /* bytes in memory: of its heap and stacks; of files */
};

/* A reader maps a slot when it first sees a frame in it, so it has more or less of them. */
enum judge_kind { JUDGE_WRITER, JUDGE_READER };

/* NULL if all samples are alike, else what is not, for g_free. The first is the measure
 * of what is counted. */
char *judge_samples(enum judge_kind kind, const struct judge_sample *samples, guint n);

#endif
