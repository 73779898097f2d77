/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Hostile readers
 *
 * Owns the attacks on a writer, whoever that is: the library's in hostile-readers.c,
 * the sink in gst/hostile-sink.c. An attack knows a path and nothing else. Beside it
 * an honest reader takes each frame before the next is shown, so that "loses nothing"
 * needs no clock.
 *
 * One rule: who breaks a rule is dropped, with the reason in the log; nobody else
 * notices anything.
 */

#ifndef HOSTILE_H
#define HOSTILE_H

#include "assault.h"
#include "lingering.h"
#include "lines.h"

/* ---- The attacked ------------------------------------------------------------ */

struct victim {
  const char *name; /* of its path in the test's directory */
  void (*show)(struct victim *victim, uint8_t value); /* one frame, all of it */
  guint (*count_readers)(struct victim *victim);
  struct shmvideo_reader *honest;
  uint64_t seen; /* the last frame that the honest one took */
  GMutex lock;
  GCond said;
  GString *log; /* under the lock: all lines since the attack began */
  guint n_lines; /* the same */
};

void victim_init(struct victim *victim, const char *name);
void victim_fini(struct victim *victim);

/* A line of the writer's log. Any thread. */
void victim_log(struct victim *victim, const char *line);

/* The honest reader comes; the share has a format by now, or soon, and perhaps the first
 * frame was shown. */
void victim_join(struct victim *victim, bool shown);

/* Show a frame, and have it taken. */
void victim_frame(struct victim *victim);

/* Frames until the log has the text, or this many readers are there. */
void victim_await_reason(struct victim *victim, const char *text);
void victim_await_readers(struct victim *victim, guint n);

/* ---- The attackers ----------------------------------------------------------- */

#define HOSTILE_READERS 8

struct attack;

struct attacker {
  const char *name;
  struct shmv_path path;
  const struct attack *attack;
  struct raw_reader readers[HOSTILE_READERS];
  guint n_readers; /* so many of them came */
  GArray *fds;     /* whatever else is to be closed in the end */
  GPtrArray *aside; /* threads that close what it may take long to close */
  GRand *rand;
  guint round;     /* frames shown since it began */
  gint turns;      /* of the storm; atomic */
  gint stop;       /* atomic */
};

struct attack {
  const char *name;
  void (*begin)(struct attacker *attacker);   /* NULL: nothing */
  void (*between)(struct attacker *attacker); /* after each frame; NULL: nothing */
  void (*storm)(struct attacker *attacker);   /* on its own thread, over and over */
  const char *reason; /* in the log; NULL: it breaks no rule, or not surely */
  /* For attacks of one shape: a message, or a number of whatever. */
  struct {
    uint32_t magic, type, length, serial;
  } header;
  guint n;
};

extern const struct attack hostile_messages[], hostile_pages[], hostile_crowds[];

/* Make the attack while frames are shown, and see that only the attacker pays. */
void hostile_run(struct victim *victim, const struct attack *attack);

/* A list of attacks, each on a victim of its own, twice: the second time, all memory
 * must be there again that the first left. once makes one of them. */
void hostile_run_list(const struct attack *attacks,
                      void (*once)(const struct attack *attack));

/* One attack in pieces. */
void hostile_begin(struct attacker *attacker, struct victim *victim,
                   const struct attack *attack);
void hostile_withdraw(struct attacker *attacker);

/* ---- What attacks are made of -------------------------------------------------- */

/* A connection, kept to the end; -1 if there is no room for it, or nobody. */
int hostile_connect(struct attacker *attacker);

/* A reader with all honours. */
struct raw_reader *hostile_join(struct attacker *attacker, uint32_t policy,
                                uint32_t depth, uint16_t holds);

/* Send what there is room for. */
void hostile_send(int fd, const void *bytes, size_t size);

/* A reader's HELLO, with no caps or as many as may be. Returns its size. */
uint32_t hostile_hello(uint8_t *bytes, bool at_length);

/* Send a message with so many descriptors whose closing takes a minute, or to the
 * attack's end (lingering.h). The writer's copy is the only one then. */
void hostile_send_lingering(struct attacker *attacker, int connection, guint n);

#endif
