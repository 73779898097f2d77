/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What a switch costs: a reader joins a running share and asks for a format that it
 * does not have; how long until the first frame of that. A measurement, not a test.
 *
 *     switch-cost [ROUNDS]
 */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shmvideo.h"

#define FRAME_US (1000000 / 60)

static int
compare(const void *a, const void *b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

  return x < y ? -1 : x > y;
}

/* Microseconds from the call that joins to the first frame; -1: refused. */
static gint64
join(const char *path, const char *accepts)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_reader *reader;
  gint64 start = g_get_monotonic_time();
  int code;

  config.path = path;
  config.accepts = accepts;
  if (shmvideo_reader_new(&config, NULL, &reader) < 0)
    return -1;
  while ((code = shmvideo_reader_acquire(reader, &frame)) != SHMVIDEO_FRAME &&
         code >= 0)
    if (code == SHMVIDEO_AGAIN)
      shmvideo_reader_wait(reader, SHMVIDEO_TIME_NONE, -1);
  gint64 spent = g_get_monotonic_time() - start;

  shmvideo_frame_release(frame);
  shmvideo_reader_free(reader);
  return code == SHMVIDEO_FRAME ? spent : -1;
}

int
main(int argc, char **argv)
{
  guint rounds = argc > 1 ? (guint)atoi(argv[1]) : 60, n = 0;
  gint64 *spent = g_new0(gint64, rounds);
  char *path = g_strdup_printf("/tmp/shmvideo-switch-cost-%d", (int)getpid());

  gst_init(NULL, NULL);
  char *line = g_strdup_printf(
      "videotestsrc is-live=true ! video/x-raw,width=1280,height=720,"
      "framerate=60/1 ! videoconvert ! shmvideosink socket-path=%s "
      "negotiate-interval=1", path);
  GstElement *pipeline = gst_parse_launch(line, NULL);

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_element_get_state(pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  join(path, NULL);
  for (guint i = 0; i < rounds; i++) {
    gint64 us = join(path, i % 2 == 0 ? "video/x-raw, format=RGBA"
                                      : "video/x-raw, format=I420");
    if (us >= 0)
      spent[n++] = us;
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  qsort(spent, n, sizeof *spent, compare);
  if (n > 0)
    printf("%u switches at 720p60; join to first frame, in frame times: "
           "median %.2f, p90 %.2f, worst %.2f\n", n,
           (double)spent[n / 2] / FRAME_US, (double)spent[n * 9 / 10] / FRAME_US,
           (double)spent[n - 1] / FRAME_US);
  g_free(line);
  g_free(path);
  g_free(spent);
  return n == rounds ? 0 : 1;
}
