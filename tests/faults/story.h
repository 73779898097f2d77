/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A share's life, told step by step
 *
 * Owns a writer and its readers in one thread, each of which does what any program
 * does: it dispatches when its descriptor says so, and at no other time. A step that
 * fails is tried again; a reader that says it cannot go on is replaced.
 *
 * One rule: each step ends when what it is about has come to everybody. Nobody waits
 * for time to pass: when no descriptor says anything, the library's clock jumps to
 * its next timer, and when there is none, somebody was forgotten, and that fails the
 * test. So do: an error without a sentence that says what and where, an error that
 * says anything but what failed, words in the log that blame the other side, a frame
 * that is torn, a failure that repeats itself.
 */

#ifndef STORY_H
#define STORY_H

#include <setjmp.h>

#include "shim.h"
#include "shmvideo.h"
#include "shmvtest.h"

#define STORY_FOLLOWERS 3

struct follower {
  struct shmvideo_reader *reader;
  struct shmvideo_reader_config config;
  uint32_t width;     /* of the format told last, 0: none */
  uint64_t stream, sequence; /* of the frame taken last */
  bool ended, lost;   /* told, or excused: it came later */
  bool complete;      /* misses no frame */
  bool holds;         /* keeps a frame */
  bool lets_go;       /* of it, when the writer sleeps */
  const struct shmvideo_frame *held;
};

struct story {
  const char *path;
  const char *directory; /* where a writer that failed must not leave anything */
  struct shmvideo_writer *writer;
  uint32_t width;    /* of the present format, 0: none */
  uint32_t wanted_width;
  uint64_t sequence; /* of the newest frame */
  bool shown;        /* it is of the present format */
  struct follower followers[STORY_FOLLOWERS];
  bool stranger;       /* there is somebody to blame */
  uint64_t max_memory; /* of the writer, 0: enough */
  unsigned n_errors;   /* that calls returned */
  unsigned max_errors; /* more of them have no end */
  void (*relieve)(void); /* after each error: there is a little more */
  jmp_buf *give_up;      /* after the first error, unless NULL */
  unsigned n_turns, n_jumps;
};

/* The story of the moment: what the library logs and what happens meanwhile. */
void story_begin(struct story *story, const char *path);

/* Everybody leaves, wherever the story is. */
void story_abandon(struct story *story);

/* Steps */
void story_open(struct story *story);
void story_close(struct story *story);
void story_format(struct story *story, const struct shmvideo_format *format,
                  const char *caps);
void story_show(struct story *story);   /* acquire, draw, publish */
void story_send(struct story *story);   /* copy */
void story_wait_show(struct story *story); /* waiting for lossless readers */
void story_end(struct story *story);
void story_follow(struct story *story, unsigned i);
void story_leave(struct story *story, unsigned i);
void story_release(struct story *story, unsigned i);
/* It can take something else now. */
void story_accept(struct story *story, unsigned i, const char *accepts);
/* A connection with nonsense in it, and descriptors behind. */
void story_be_strange(struct story *story);
/* Sleep in the library until there is something. */
void story_sleep(struct story *story, unsigned i);

/* Until everybody has the newest frame, or the format if there is none yet. */
void story_settle(struct story *story);
/* Until everybody was told a format, whichever. */
void story_settle_told(struct story *story);
/* Until the present format is so wide. */
void story_settle_width(struct story *story, uint32_t width);
/* Until all of those who follow were told. */
void story_settle_ended(struct story *story);
void story_settle_lost(struct story *story);
/* Until nothing happens any more, whatever timers there are. */
void story_rest(struct story *story);

/* A failed call said what failed, where and why. */
void story_check(struct story *story, int code,
                 const struct shmvideo_error *error);

/* ---- What the files of the story share ------------------------------------- */

/* A call without a sentence: if it failed, that was from the failure. */
void story_count_error(struct story *story, int code);
/* user: the story. */
void story_log(void *user, enum shmvideo_log_level level, const char *line);
void story_turn(struct story *story);
bool story_is_readable(int fd);
/* Whether its descriptor said something, which it then did. */
bool story_live_follower(struct story *story, struct follower *follower);

#endif
