/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Pipelines that share and pipelines that watch, in one process
 *
 * One rule: every wait ends with what was waited for, or fails the test at the
 * deadline; and a writer's pipeline that posts an error fails the test at once.
 */

#ifndef PARTY_H
#define PARTY_H

#include <gst/app/app.h>
#include <gst/gst.h>

#include "gsttest.h"

/* "UPSTREAM ! shmvideosink name=sink PROPERTIES", playing, at the path "s". */
GstElement *party_share(const char *upstream, const char *properties);

/* "shmvideosrc name=src PROPERTIES ! CHAIN ! appsink name=sink", playing. */
GstElement *party_watch(const char *properties, const char *chain);

/* From now on it keeps few frames: who is slower than the stream does not look at what
 * was long ago. */
void party_newest_only(GstElement *watch);

/* Its next frame. Yours. */
GstSample *party_frame(GstElement *watch);

/* The format of its next frame, "RGBA" say. */
const char *party_format(GstElement *watch);

/* Read frames until they are of this format (or its caps have this text in them). */
void party_wait_format(GstElement *watch, const char *words);

/* The error that it posts: STREAM/FORMAT, with this text in it. */
void party_expect_refusal(GstElement *watch, const char *words);

/* No ERROR message waits on the pipeline's bus. */
void party_expect_no_error(GstElement *pipeline);

/* A counter of the sink's transport-stats. */
guint64 party_count(GstElement *share, const char *counter);

/* Wait until so many readers are connected. */
void party_wait_clients(GstElement *share, guint n);

/* Wait until the share has shown so many frames more. */
void party_wait_shown(GstElement *share, guint64 more);

#endif
