/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideoclock.h"

#include <time.h>

/* Reading two clocks takes time; of so many tries the quickest counts. */
#define READ_TRIES 3
/* A try as quick as this (ns) is taken without another. */
#define READ_GOOD 2000

/* a + b - c on clock times, each below 2^63, without wrapping. */
static gboolean
add_sub (GstClockTime a, GstClockTime b, GstClockTime c, gint64 * out)
{
  if (a > G_MAXINT64 || b > G_MAXINT64 || c > G_MAXINT64)
    return FALSE;
  /* the difference first: it cannot overflow, and is mostly small */
  return !__builtin_add_overflow ((gint64) a - (gint64) c, (gint64) b, out);
}

GstClockTime
gst_shm_video_clock_map_to_monotonic (const GstShmVideoClockReading * reading,
    GstClockTime running_time)
{
  gint64 instant, result;

  if (!GST_CLOCK_TIME_IS_VALID (running_time)
      || !add_sub (running_time, reading->base_time, 0, &instant)
      || !add_sub ((GstClockTime) instant, reading->monotonic, reading->clock,
          &result)
      || result < 0)
    return GST_CLOCK_TIME_NONE;
  return (GstClockTime) result;
}

gboolean
gst_shm_video_clock_map_from_monotonic (const GstShmVideoClockReading * reading,
    GstClockTime monotonic, GstClockTimeDiff * out_running_time)
{
  gint64 instant;

  if (!GST_CLOCK_TIME_IS_VALID (monotonic)
      || reading->base_time > G_MAXINT64
      || !add_sub (monotonic, reading->clock, reading->monotonic, &instant))
    return FALSE;
  return !__builtin_sub_overflow (instant, (gint64) reading->base_time,
      out_running_time);
}

GstClockTime
gst_shm_video_clock_monotonic_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return GST_TIMESPEC_TO_TIME (now);
}

/* Whether a clock can show CLOCK_MONOTONIC itself. Subclasses of the system clock
 * (network clocks), and one that was slaved to another clock, do not. */
static gboolean
may_be_monotonic (GstClock * clock)
{
  GstClockTime internal, external, numerator, denominator;

  if (G_OBJECT_TYPE (clock) != GST_TYPE_SYSTEM_CLOCK)
    return FALSE;
  gst_clock_get_calibration (clock, &internal, &external, &numerator,
      &denominator);
  return internal == external && numerator == denominator;
}

/* Read both clocks at as nearly one instant as can be had. What a system clock shows
 * lies between two looks at CLOCK_MONOTONIC if, and only if, that is what it shows: then
 * the instant is the same. (To ask for its "clock-type" costs more than all of this.) */
static gboolean
read_both (GstClock * clock, GstShmVideoClockReading * reading)
{
  GstClockTime shortest = GST_CLOCK_TIME_NONE;
  gboolean same = may_be_monotonic (clock);
  guint i;

  for (i = 0; i < READ_TRIES && shortest > READ_GOOD; i++) {
    GstClockTime before = gst_shm_video_clock_monotonic_now ();
    GstClockTime now = gst_clock_get_time (clock);
    GstClockTime after = gst_shm_video_clock_monotonic_now ();

    if (!GST_CLOCK_TIME_IS_VALID (now))
      return FALSE;
    if (same && before <= now && now <= after) {
      reading->clock = reading->monotonic = now;
      return TRUE;
    }
    if (after - before < shortest) {
      shortest = after - before;
      reading->clock = now;
      reading->monotonic = before + shortest / 2;
    }
  }
  return TRUE;
}

gboolean
gst_shm_video_clock_read (GstElement * element,
    GstShmVideoClockReading * out_reading)
{
  GstClock *clock = NULL;
  gboolean ok;

  /* NEXT: elements run while they are being brought to PLAYING */
  GST_OBJECT_LOCK (element);
  if (GST_STATE (element) == GST_STATE_PLAYING
      || GST_STATE_NEXT (element) == GST_STATE_PLAYING)
    clock = GST_ELEMENT_CLOCK (element);
  if (clock != NULL)
    gst_object_ref (clock);
  out_reading->base_time = (GstClockTime) element->base_time;
  GST_OBJECT_UNLOCK (element);
  if (clock == NULL || !GST_CLOCK_TIME_IS_VALID (out_reading->base_time)) {
    gst_clear_object (&clock);
    return FALSE;
  }

  ok = read_both (clock, out_reading);
  gst_object_unref (clock);
  return ok;
}

GstClockTime
gst_shm_video_clock_to_monotonic (GstElement * element,
    GstClockTime running_time)
{
  GstShmVideoClockReading reading;

  if (!gst_shm_video_clock_read (element, &reading))
    return GST_CLOCK_TIME_NONE;
  return gst_shm_video_clock_map_to_monotonic (&reading, running_time);
}

GstClockTime
gst_shm_video_clock_from_monotonic (GstElement * element,
    GstClockTime monotonic)
{
  GstShmVideoClockReading reading;
  GstClockTimeDiff running_time;

  if (!gst_shm_video_clock_read (element, &reading)
      || !gst_shm_video_clock_map_from_monotonic (&reading, monotonic,
          &running_time))
    return GST_CLOCK_TIME_NONE;
  return (GstClockTime) MAX (running_time, 0);
}
