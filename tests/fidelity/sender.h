/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The sending process
 *
 * Owns the loop "one job in, one answer out", over one of two ways to send: the
 * element behind an appsrc, or the library. One rule: a job that cannot be done
 * is answered with the reason; only what contradicts the test itself aborts.
 */

#ifndef SENDER_H
#define SENDER_H

#include "job.h"

struct sender;

/* A way to send. Each call returns NULL if it did the job, otherwise a sentence:
 * yours. */
struct sender_way {
  struct sender *(*create)(void);
  void (*destroy)(struct sender *sender);
  char *(*start)(struct sender *sender, const char *path);
  void (*stop)(struct sender *sender); /* also if it was not started */
  char *(*caps)(struct sender *sender, const struct job *job);
  char *(*show)(struct sender *sender, const struct job *job,
                const struct picture *picture, const struct layout *layout);
  void (*stats)(struct sender *sender, struct job_stats *out);
  char *(*message)(struct sender *sender);
  int (*get_fd)(struct sender *sender); /* -1: none */
  void (*dispatch)(struct sender *sender);
};

extern const struct sender_way sender_element;
extern const struct sender_way sender_library;

#endif
