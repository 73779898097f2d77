/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideotiming.h"

/* Instants of capture further off than this are not believed: the writer lives
 * in another time namespace, say, or lies. */
#define BELIEVED_AGE (10 * GST_SECOND)
#define BELIEVED_LEAD GST_SECOND

/* A writer's PTS that steps back further than this has started anew. */
#define RESTART (1 * GST_SECOND)

/* Larger times than this are not believed either, so that no sum overflows. */
#define LARGEST ((GstClockTime) G_MAXINT64 / 4)

void
gst_shm_video_timing_reset (GstShmVideoTiming * timing)
{
  timing->last = GST_CLOCK_TIME_NONE;
  timing->stream = 0;
  timing->shift = 0;
  timing->joining = TRUE;
}

void
gst_shm_video_timing_join (GstShmVideoTiming * timing)
{
  timing->joining = TRUE;
}

/* Where a frame goes whose own time is of no use. */
static GstClockTimeDiff
after_last (const GstShmVideoTiming * timing,
    const GstShmVideoTimingFrame * frame)
{
  if (!GST_CLOCK_TIME_IS_VALID (timing->last))
    return 0;
  return (GstClockTimeDiff) (timing->last + MIN (frame->duration, GST_SECOND));
}

static GstClockTimeDiff
passthrough (GstShmVideoTiming * timing, const GstShmVideoTimingFrame * frame)
{
  GstClockTimeDiff pts, last = (GstClockTimeDiff) timing->last;

  if (frame->pts > LARGEST)
    return after_last (timing, frame);
  if (!GST_CLOCK_TIME_IS_VALID (timing->last))
    return (GstClockTimeDiff) frame->pts;

  /* a new run may go on where the old one ended; then nothing is shifted */
  if (frame->stream != timing->stream)
    timing->shift = 0;
  pts = (GstClockTimeDiff) frame->pts + timing->shift;
  if (pts <= last && (frame->stream != timing->stream
          || last - pts > (GstClockTimeDiff) RESTART)) {
    timing->shift = after_last (timing, frame) - (GstClockTimeDiff) frame->pts;
    pts = after_last (timing, frame);
  }
  return pts > (GstClockTimeDiff) LARGEST ? after_last (timing, frame) : pts;
}

static GstClockTimeDiff
by_clock (const GstShmVideoTiming * timing,
    const GstShmVideoTimingFrame * frame)
{
  GstClockTimeDiff age, now = (GstClockTimeDiff) frame->now;

  if (frame->now > LARGEST)
    return after_last (timing, frame);
  if (frame->mode == GST_SHM_VIDEO_TIMESTAMP_ARRIVAL
      || !GST_CLOCK_STIME_IS_VALID (frame->capture)
      || frame->capture > (GstClockTimeDiff) LARGEST
      || frame->capture < -(GstClockTimeDiff) LARGEST)
    return now;

  age = now - frame->capture;
  if (age > (GstClockTimeDiff) BELIEVED_AGE
      || age < -(GstClockTimeDiff) BELIEVED_LEAD)
    return now;
  /* A picture that was there before we came counts from when we see it: its own
   * time may be long past, and a synchronised sink would drop it. */
  if (timing->joining && GST_CLOCK_TIME_IS_VALID (frame->max_age)
      && age > (GstClockTimeDiff) frame->max_age)
    return now;
  return MAX (frame->capture, 0);
}

/* A PTS later than the last. Half a frame at a time: whoever was put after its
 * time (above) gets back to it, without two frames at one instant; but not ahead
 * of the clock, however fast they come. */
static GstClockTime
keep_order (const GstShmVideoTiming * timing,
    const GstShmVideoTimingFrame * frame, GstClockTimeDiff wanted)
{
  GstClockTime next;

  if (!GST_CLOCK_TIME_IS_VALID (timing->last)
      || wanted > (GstClockTimeDiff) timing->last)
    return (GstClockTime) MAX (wanted, 0);
  next = timing->last + MAX (MIN (frame->duration, GST_SECOND) / 2, 1);
  if (GST_CLOCK_TIME_IS_VALID (frame->now)
      && frame->mode != GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH)
    next = MIN (next, MAX (frame->now, timing->last + 1));
  return next;
}

GstClockTime
gst_shm_video_timing_next (GstShmVideoTiming * timing,
    const GstShmVideoTimingFrame * frame, gboolean * out_discont)
{
  GstClockTimeDiff wanted;

  if (frame->stream != timing->stream)
    timing->joining = TRUE;
  *out_discont = timing->joining;
  if (frame->mode == GST_SHM_VIDEO_TIMESTAMP_PASSTHROUGH)
    wanted = passthrough (timing, frame);
  else
    wanted = by_clock (timing, frame);

  timing->last = keep_order (timing, frame, wanted);
  timing->stream = frame->stream;
  timing->joining = FALSE;
  return timing->last;
}
