/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "job.h"

#include <stdio.h>
#include <string.h>

struct job
job_show(const char *caps, guint32 seed)
{
  struct job job = {.kind = JOB_SHOW, .caps = (char *)caps, .seed = seed};

  job.pts = seed * 40 * GST_MSECOND;
  job.duration = 40 * GST_MSECOND;
  job.offset = seed;
  job.offset_end = seed + 1;
  return job;
}

char *
job_to_line(const struct job *job)
{
  GstStructure *s = gst_structure_new(
      "job", "kind", G_TYPE_UINT, (guint)job->kind, "path", G_TYPE_STRING,
      job->path ? job->path : "", "caps", G_TYPE_STRING,
      job->caps ? job->caps : "", "seed", G_TYPE_UINT, job->seed, "memory",
      G_TYPE_UINT, (guint)job->memory, "layout", G_TYPE_UINT,
      (guint)job->layout, "layout-of-caps", G_TYPE_BOOLEAN,
      job->layout_of_caps, "pts", G_TYPE_UINT64, job->pts, "duration",
      G_TYPE_UINT64, job->duration, "offset", G_TYPE_UINT64, job->offset,
      "offset-end", G_TYPE_UINT64, job->offset_end, "flags", G_TYPE_UINT,
      job->flags, "crop-x", G_TYPE_UINT, job->crop_x, "crop-y", G_TYPE_UINT,
      job->crop_y, "crop-width", G_TYPE_UINT, job->crop_width, "crop-height",
      G_TYPE_UINT, job->crop_height, "full-width", G_TYPE_UINT,
      job->full_width, "full-height", G_TYPE_UINT, job->full_height, NULL);
  char *line = gst_structure_to_string(s);

  g_assert_null(strchr(line, '\n'));
  gst_structure_free(s);
  return line;
}

gboolean
job_from_line(struct job *job, const char *line)
{
  GstStructure *s = gst_structure_from_string(line, NULL);
  guint kind, memory, layout;
  gboolean ok;

  memset(job, 0, sizeof *job);
  if (s == NULL)
    return FALSE;
  ok = gst_structure_get(
      s, "kind", G_TYPE_UINT, &kind, "path", G_TYPE_STRING, &job->path, "caps",
      G_TYPE_STRING, &job->caps, "seed", G_TYPE_UINT, &job->seed, "memory",
      G_TYPE_UINT, &memory, "layout", G_TYPE_UINT, &layout, "layout-of-caps",
      G_TYPE_BOOLEAN, &job->layout_of_caps, "pts", G_TYPE_UINT64, &job->pts,
      "duration", G_TYPE_UINT64, &job->duration, "offset", G_TYPE_UINT64,
      &job->offset, "offset-end", G_TYPE_UINT64, &job->offset_end, "flags",
      G_TYPE_UINT, &job->flags, "crop-x", G_TYPE_UINT, &job->crop_x, "crop-y",
      G_TYPE_UINT, &job->crop_y, "crop-width", G_TYPE_UINT, &job->crop_width,
      "crop-height", G_TYPE_UINT, &job->crop_height, "full-width", G_TYPE_UINT,
      &job->full_width, "full-height", G_TYPE_UINT, &job->full_height, NULL);
  gst_structure_free(s);
  if (ok) {
    job->kind = kind;
    job->memory = memory;
    job->layout = layout;
  }
  return ok;
}

void
job_clear(struct job *job)
{
  g_free(job->path);
  g_free(job->caps);
  memset(job, 0, sizeof *job);
}

char *
job_stats_to_line(const struct job_stats *stats)
{
  return g_strdup_printf("stats %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                         " %" G_GUINT64_FORMAT,
                         stats->frames, stats->copied, stats->zero_copy);
}

gboolean
job_stats_from_line(struct job_stats *stats, const char *line)
{
  return sscanf(line,
                "stats %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                " %" G_GUINT64_FORMAT,
                &stats->frames, &stats->copied, &stats->zero_copy) == 3;
}

guint32
job_flags_to_gst(guint32 flags)
{
  static const struct {
    guint32 ours, gst;
  } pairs[] = {
      {SHMVIDEO_FLAG_DISCONT, GST_BUFFER_FLAG_DISCONT},
      {SHMVIDEO_FLAG_GAP, GST_BUFFER_FLAG_GAP},
      {SHMVIDEO_FLAG_CORRUPTED, GST_BUFFER_FLAG_CORRUPTED},
      {SHMVIDEO_FLAG_DROPPABLE, GST_BUFFER_FLAG_DROPPABLE},
      {SHMVIDEO_FLAG_MARKER, GST_BUFFER_FLAG_MARKER},
      {SHMVIDEO_FLAG_RESYNC, GST_BUFFER_FLAG_RESYNC},
      {SHMVIDEO_FLAG_NON_DROPPABLE, GST_BUFFER_FLAG_NON_DROPPABLE},
      {SHMVIDEO_FLAG_DELTA_UNIT, GST_BUFFER_FLAG_DELTA_UNIT},
      {SHMVIDEO_FLAG_INTERLACED, GST_VIDEO_BUFFER_FLAG_INTERLACED},
      {SHMVIDEO_FLAG_TFF, GST_VIDEO_BUFFER_FLAG_TFF},
      {SHMVIDEO_FLAG_RFF, GST_VIDEO_BUFFER_FLAG_RFF},
      {SHMVIDEO_FLAG_ONEFIELD, GST_VIDEO_BUFFER_FLAG_ONEFIELD},
      {SHMVIDEO_FLAG_MULTIPLE_VIEW, GST_VIDEO_BUFFER_FLAG_MULTIPLE_VIEW},
      {SHMVIDEO_FLAG_FIRST_IN_BUNDLE, GST_VIDEO_BUFFER_FLAG_FIRST_IN_BUNDLE},
  };
  guint32 gst = 0;

  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++)
    if (flags & pairs[i].ours)
      gst |= pairs[i].gst;
  return gst;
}
