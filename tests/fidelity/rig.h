/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The rig: a sending process, and a receiver here
 *
 * Owns the way of a frame from one process to the other, by elements or by the
 * library on either side, missing none. One rule: every wait is for an answer, a
 * frame or a message, with a deadline.
 */

#ifndef RIG_H
#define RIG_H

#include "job.h"

enum side { ELEMENT, LIBRARY };

/* Path of the sending program; main sets it. */
extern const char *rig_sender;

struct rig;

/* Start the process. Reads and writes whole pictures later. */
struct rig *rig_new(enum side from, enum side to);
void rig_free(struct rig *rig);

/* Open a share at a path, and a receiver of it (after closing those before), in
 * PAUSED. knows_meta: elements downstream of the source know GstVideoMeta. */
void rig_start(struct rig *rig, const char *path, gboolean knows_meta);
void rig_play(struct rig *rig);
void rig_stop(struct rig *rig);

/* Have a job done; the answer is yours: "ok", or what the sender says. */
char *rig_ask(struct rig *rig, const struct job *job);

/* The same, and fail the test at any answer but "ok". */
void rig_do(struct rig *rig, const struct job *job);

/* Give a job without waiting; then its answer, of which several may be due. */
void rig_post(struct rig *rig, const struct job *job);
char *rig_answer(struct rig *rig);

/* Caps that arrived, in PAUSED too; yours. */
GstCaps *rig_caps(struct rig *rig);

/* One frame as it arrived. */
struct received {
  GstCaps *caps;
  GstVideoInfo info; /* of the caps */
  const guint8 *planes[GST_VIDEO_MAX_PLANES];
  gint strides[GST_VIDEO_MAX_PLANES];
  guint64 pts, duration, offset, offset_end;
  guint32 flags; /* buffer flags, those that can be sent */
  guint crop_x, crop_y, crop_width, crop_height;
  struct shmvideo_format format; /* of the library's receiver only */
  gpointer owner;                /* what keeps it */
  GstMapInfo map;
  GstVideoFrame frame;
};

/* The next frame; fails the test if none comes. */
void rig_receive(struct rig *rig, struct received *out);
void received_clear(struct received *received);

/* Fail the test unless the caps, and each visible sample, are those of the job. */
void rig_check(const struct job *job, const struct received *received);

/* Wait for the receiver to give up: what it says; yours. */
char *rig_failure(struct rig *rig);

/* The receiver's: frames received, copied for want of holds, and for layout. */
struct receiver_stats {
  guint64 received, copied, copied_for_layout;
};
void rig_receiver_stats(struct rig *rig, struct receiver_stats *out);
void rig_sender_stats(struct rig *rig, struct job_stats *out);

#endif
