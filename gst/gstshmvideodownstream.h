/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What downstream takes
 *
 * Owns the answer to that question, for the writer and for people. One rule: it
 * is asked anew each time, on the streaming thread, with no lock held.
 */

#ifndef GST_SHM_VIDEO_DOWNSTREAM_H
#define GST_SHM_VIDEO_DOWNSTREAM_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* Caps that the pad's peer takes and its template allows. */
GstCaps *gst_shm_video_downstream_get_caps (GstPad * pad);

/* As text for the writer; NULL: anything, or more than can be said. */
gchar *gst_shm_video_downstream_get_accepts (GstPad * pad);

/* A sentence on why the pad's peer does not take fixed caps: the fields that stand
 * in the way, and what it takes there. */
gchar *gst_shm_video_downstream_explain (GstPad * pad, const GstCaps * caps);

G_END_DECLS

#endif
