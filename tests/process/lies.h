/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Hostile writers
 *
 * Owns the lies of a writer to its reader, whoever that is: the library's in
 * hostile-writers.c, the source in gst/hostile-src.c. Each writer lies once; then an
 * honest one takes its path.
 *
 * One rule: a reader that finds a lie leaves, says why, with the liar's pid, and follows
 * the next writer. What it was shown meanwhile it could read without harm.
 */

#ifndef LIES_H
#define LIES_H

#include "assault.h"
#include "lingering.h"
#include "lines.h"

/* ---- Who is lied to ------------------------------------------------------------ */

struct believer {
  const char *name; /* of the path in the test's directory */
  void (*start)(struct believer *believer, uint32_t policy);
  void (*stop)(struct believer *believer);
  GMutex lock;
  GCond said;
  GString *log;        /* under the lock, as all below */
  guint64 n_frames;    /* of honest writers */
  guint64 n_doubtful;  /* of the liar */
  guint n_errors;      /* after which it was at its end */
  bool is_element;     /* and may take caps for none that the library believes */
};

void believer_init(struct believer *believer, const char *name);
void believer_fini(struct believer *believer);

/* A reason, or an error's text. Any thread. */
void believer_log(struct believer *believer, const char *line);

/* The error that ends it. */
void believer_error(struct believer *believer, const char *line);

/* A frame of somebody; honest ones have their number's low byte everywhere. */
void believer_frame(struct believer *believer, bool honest);

/* Wait until the log has the text. */
void believer_await_reason(struct believer *believer, const char *text);

/* ---- Who lies -------------------------------------------------------------------- */

struct lie;

struct liar {
  struct raw_writer writer;
  const struct lie *lie;
  GArray *fds; /* to be closed in the end */
  GThread *aside;
  gint turns;  /* of the storm; atomic */
  gint stop;   /* atomic */
};

struct lie {
  const char *name;
  void (*tell)(struct liar *liar);  /* all of it, from accepting on */
  void (*storm)(struct liar *liar); /* on a thread, over and over; NULL: none */
  const char *reason; /* the reader's for leaving; NULL: it has none, or not surely */
  /* For lies of one shape: a number somewhere, or a text. */
  gsize offset, size;
  guint64 value;
  const char *text;
  bool ends_elements; /* they do not wait for a better writer */
};

extern const struct lie lies_in_words[], lies_in_segments[], lies_on_boards[];

/* Tell all of a list, each to a new reader of this policy. */
void lies_run(struct believer *believer, const struct lie *lies, uint32_t policy);

/* Twice, to latest readers: the second time leaves no more memory in use. */
void lies_run_twice(struct believer *believer, const struct lie *lies);

/* Three liars in a row: the reader gives up, with an error that names the last. */
void lies_run_thrice(struct believer *believer);

#endif
