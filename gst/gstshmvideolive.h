/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Whether what comes from upstream is live
 *
 * Owns the answer to the LATENCY query upstream, which is asked again only when
 * it may have changed. One rule: it is asked from the streaming thread only.
 */

#ifndef GST_SHM_VIDEO_LIVE_H
#define GST_SHM_VIDEO_LIVE_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  gint wanted;                  /* atomic: counts reasons to ask again */
  gint answered;                /* the count that the answer belongs to */
  gboolean live;
  GstClockTime latency;         /* of live upstream, at least; else 0 */
} GstShmVideoLive;

/* The answer may have changed. Any thread. */
void gst_shm_video_live_invalidate (GstShmVideoLive * live);

/* Ask again if need be. TRUE if there is a new answer. A query that fails (not
 * all is linked or configured yet) is repeated next time: not live until then. */
gboolean gst_shm_video_live_update (GstShmVideoLive * live, GstPad * sinkpad);

G_END_DECLS

#endif
