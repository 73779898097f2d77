/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * look PIPELINE: run a pipeline that ends in an appsink called "sink" and read the
 * stamp of each frame. Says "ready" at the first. At end of stream, or at the end
 * of standard input, tells in one line what came: frames, how many were different,
 * how many numbers between the first and the last are missing, PTS of the first and
 * the end of the last (ns), and the longest wait between two frames (ms).
 */

#include <gst/app/gstappsink.h>
#include <poll.h>
#include <stdio.h>

#include "stamp.h"

struct result
{
  guint frames, distinct, missing, last;
  GstClockTime first_pts, last_pts, duration;
  gint64 seen, longest;
};

static void
take (GstSample * sample, struct result *r)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  gint64 now = g_get_monotonic_time ();
  GstVideoInfo info;
  GstVideoFrame frame;

  g_assert (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  guint number = stamp_read (&frame);
  gst_video_frame_unmap (&frame);
  if (r->frames == 0) {
    puts ("ready");
    fflush (stdout);
    r->first_pts = GST_BUFFER_PTS (buffer);
  } else {
    r->longest = MAX (r->longest, now - r->seen);
    if (number > r->last + 1)
      r->missing += number - r->last - 1;
  }
  if (number > r->last || r->frames == 0)
    r->distinct++;
  r->frames++;
  r->last = number;
  r->last_pts = GST_BUFFER_PTS (buffer);
  r->duration = GST_BUFFER_DURATION (buffer);
  r->seen = now;
}

int
main (int argc, char **argv)
{
  struct result r = { 0 };
  struct pollfd in = {.fd = 0,.events = POLLIN };
  GError *error = NULL;

  gst_init (&argc, &argv);
  g_assert (argc == 2);
  GstElement *pipeline = gst_parse_launch (argv[1], &error);
  g_assert_no_error (error);
  GstAppSink *sink =
      GST_APP_SINK (gst_bin_get_by_name (GST_BIN (pipeline), "sink"));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (poll (&in, 1, 0) == 0 && !gst_app_sink_is_eos (sink)) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, 100 * GST_MSECOND);

    if (sample) {
      take (sample, &r);
      gst_sample_unref (sample);
    }
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  printf ("frames=%u distinct=%u missing=%u first=%" G_GUINT64_FORMAT " end=%"
      G_GUINT64_FORMAT " longest=%" G_GINT64_FORMAT "\n", r.frames, r.distinct,
      r.missing, r.first_pts, r.last_pts + (GST_CLOCK_TIME_IS_VALID (r.duration)
          ? r.duration : 0), r.longest / 1000);
  return 0;
}
