/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The library's writer as a victim: it lets readers in on a thread of its own, as most
 * programs do. */

#ifndef HOSTILE_WRITER_H
#define HOSTILE_WRITER_H

#include <pthread.h>

#include "hostile.h"

struct writing {
  struct victim victim; /* first */
  struct shmvideo_writer *writer;
  GThread *thread;
  pthread_t control; /* the same */
  int stop;
  gint started; /* atomic */
};

void writing_start(struct writing *writing, const char *name);

/* The thread ends; then all of it. */
void writing_stop_dispatching(struct writing *writing);
void writing_stop(struct writing *writing);

#endif
