/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Jobs
 *
 * Owns how the test tells the other process what to send: one line of text each,
 * a GstStructure. One rule: a job says everything, so that both sides can make
 * the frame from it.
 */

#ifndef JOB_H
#define JOB_H

#include "picture.h"
#include "shmvideo.h"

enum job_kind {
  JOB_START,   /* open a share at the path (after closing the one before) */
  JOB_CAPS,    /* say the caps, without a frame */
  JOB_SHOW,    /* send a frame */
  JOB_STATS,   /* tell how many frames were sent, copied, not copied */
  JOB_MESSAGE, /* wait for an error or a warning, and tell it */
  JOB_STOP,    /* close the share */
};

/* Whose memory a frame is drawn into. */
enum job_memory {
  MEMORY_OWN,  /* the sender's */
  MEMORY_LENT, /* the share's */
};

struct job {
  enum job_kind kind;
  char *path;
  char *caps;
  guint32 seed;
  enum job_memory memory;
  enum layout_kind layout; /* a lent frame has room for default and swapped */
  gboolean layout_of_caps; /* library: the layout goes with the format */
  guint64 pts, duration, offset, offset_end;
  guint32 flags; /* enum shmvideo_frame_flags */
  guint crop_x, crop_y, crop_width, crop_height;
  guint full_width, full_height; /* elements: the buffer's, if larger */
};

/* A frame with these caps: default layout, own memory, counting times. The caps
 * text is borrowed. */
struct job job_show(const char *caps, guint32 seed);

/* One line without its newline; yours. */
char *job_to_line(const struct job *job);

/* FALSE if it is not one. The strings are yours: job_clear. */
gboolean job_from_line(struct job *job, const char *line);
void job_clear(struct job *job);

/* What a sender answers after JOB_STATS, and how to read it. */
struct job_stats {
  guint64 frames, copied, zero_copy;
};
char *job_stats_to_line(const struct job_stats *stats);
gboolean job_stats_from_line(struct job_stats *stats, const char *line);

/* The library's flags as the buffer flags of GStreamer, written down here once
 * more: what is tested has its own table. */
guint32 job_flags_to_gst(guint32 flags);

#endif
