/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideolive.h"

void
gst_shm_video_live_invalidate (GstShmVideoLive * live)
{
  g_atomic_int_inc (&live->wanted);
}

gboolean
gst_shm_video_live_update (GstShmVideoLive * live, GstPad * sinkpad)
{
  gint wanted = g_atomic_int_get (&live->wanted);
  GstClockTime min = 0;
  GstQuery *query;
  gboolean ok;

  if (live->answered == wanted)
    return FALSE;
  query = gst_query_new_latency ();
  ok = gst_pad_peer_query (sinkpad, query);
  live->live = FALSE;
  if (ok)
    gst_query_parse_latency (query, &live->live, &min, NULL);
  gst_query_unref (query);
  live->latency = live->live && GST_CLOCK_TIME_IS_VALID (min) ? min : 0;
  if (ok)
    live->answered = wanted;
  return ok;
}
