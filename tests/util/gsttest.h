/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Tests of the elements: what they share
 *
 * One rule: waiting is waiting for a message on a bus, with a deadline.
 */

#ifndef GSTTEST_H
#define GSTTEST_H

#include <gst/gst.h>

#include "shmvtest.h"

/* gst_init, and all that GStreamer makes once and keeps (clock, main context,
 * plugins), so that the leak check of the first test does not see it come. */
void shmvtest_gst_init(int *argc, char ***argv);

/* gst_parse_launch of a formatted line; fails the test on a syntax error or a
 * missing element. Yours. */
GstElement *shmvtest_launch(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Wait for a message of these types. An ERROR nobody asked for fails the test with
 * its text, as does the deadline. Yours. */
GstMessage *shmvtest_message(GstElement *pipeline, GstMessageType types);

/* To a state and wait until it is reached (NO_PREROLL is fine). */
void shmvtest_state(GstElement *pipeline, GstState state);

/* To NULL, and unref. NULL is allowed. */
void shmvtest_stop(GstElement *pipeline);

#endif
