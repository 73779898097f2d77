/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The reader, seen from inside
 *
 * Owns at most one link at a time and, while there is none, the watch on the path.
 * Links come and go in reader-follow.c; what the caller is told, and in which
 * order, is decided in reader-next.c alone.
 *
 * One rule: one thread at a time acquires, dispatches and waits; the lock only
 * guards what the "any thread" getters look at, never across a system call.
 */

#ifndef SHMV_READER_H
#define SHMV_READER_H

#include <pthread.h>

#include "link.h"
#include "watch.h"

struct shmvideo_reader {
  struct shmv_hello hello;
  char *accepts;
  uint64_t spin; /* ns to look for a frame before sleeping */
  struct shmv_path path;
  struct shmv_log log;
  int epoll_fd;
  struct shmv_watch watch;
  int fatal;      /* negative errno: this reader is at its end */
  unsigned n_violations;
  bool lost;   /* SHMVIDEO_LOST is to be told */
  bool newest; /* the last acquire asked for no other frame */
  bool unread; /* the wake for a frame that is there: read it before the next wait */

  pthread_mutex_t lock; /* guards all that follows, for the getters */
  struct shmv_link *link; /* NULL while no writer is there */
  struct shmvideo_format format;
  char *caps; /* NULL before the first format */
  struct shmvideo_error error;
  uint64_t n_received, n_skipped, n_copied;
};

/* Have the epoll descriptor tell of fd (-1: nothing). 0 or -errno. */
int shmv_reader_poll(struct shmvideo_reader *reader, int fd);

/* Try to connect; arranges for another try, or fails for good. */
void shmv_reader_connect(struct shmvideo_reader *reader);

/* Tell the writer, if there is one, what is accepted from now on. */
void shmv_reader_say_accepts(struct shmvideo_reader *reader);

/* Take in what the link has; a broken rule ends it. */
void shmv_reader_receive(struct shmvideo_reader *reader, bool stop_at_wake);

/* What the writer has cannot be shown for want of something here: says so and returns
 * code. The link stays, and the next acquire tries again. */
int shmv_reader_no_frame(struct shmvideo_reader *reader, int code);

/* Part from the writer: it broke a rule or cannot be mapped; it refused us; it is
 * gone and everything it said was told; we leave. */
void shmv_reader_violation(struct shmvideo_reader *reader, int code);
void shmv_reader_refused(struct shmvideo_reader *reader);
void shmv_reader_lost(struct shmvideo_reader *reader);
void shmv_reader_drop_link(struct shmvideo_reader *reader);

#endif
