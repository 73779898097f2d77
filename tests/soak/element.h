/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Pipelines that live for long
 *
 * Owns a child with one pipeline: a test picture into shmvideosink, whose format changes
 * and which starts anew when asked to; or shmvideosrc, which outlives all that. One rule:
 * an error on the bus is an answer, and the test's end.
 *
 * Lines for a sink: "format NAME WIDTH HEIGHT", "restart". For a source: "frames", how
 * many came so far. For both: "quit". All but "frames" are answered "ok".
 */

#ifndef ELEMENT_H
#define ELEMENT_H

#include "shmvtest.h"

struct shmvtest_child *element_sink(const char *path);
struct shmvtest_child *element_source(const char *path);

#endif
