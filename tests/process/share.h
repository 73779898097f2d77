/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Writers and readers as processes that obey
 *
 * Owns children that make one library call after another as a test asks: each line
 * to a child is answered by one line, and between two lines a child does what its
 * descriptors ask for, as every program does. One rule: every byte of every frame
 * is painted from its number and looked at by whoever takes it, so a torn frame or
 * one of another writer ends the child, and with it the test.
 *
 * Lines for a writer:
 *   writer PATH [backpressure=1] [timeout=MS] [memory=BYTES] [lent=N]
 *          [perms=0MODE]
 *   format NAME WIDTH HEIGHT     "ok", or "error CODE sentence"
 *   show N                       acquire, paint, publish: "SEQUENCE FAILED"
 *   wait-show N                  the same, waiting for lossless readers
 *   pace FPS                     show by a clock from now on (0: no more)
 *   take N | give                slots out: acquire them, release them
 *   await N                      until there are N readers: "ok"
 *   end | close                  end of stream; free the writer
 *   memory                       bytes of frame memory
 *
 * Lines for a reader:
 *   reader PATH [lossless=1] [depth=N] [min=N] [holds=N] [accepts=TEXT]
 *   next | newest | hold         "frame SEQUENCE SKIPPED", "format NAME WxH", "end",
 *                                "lost", "error CODE sentence"; hold keeps the frame
 *   now                          as next, but "again" at once if there is nothing
 *   drain                        all there is now: "N FIRST LAST SKIPPED"
 *   check | release | release-elsewhere   the kept frames: "N intact"
 *   run [MICROSECONDS]           take all as it comes, each after a random delay
 *   until SEQUENCE | until-end   go on so until then, then tell as report
 *   report                       "frames= skipped= first= last= ..." since run
 *   status                       "connected= policy= depth= holds= holding= ..."
 *   why                          what get_error says
 *   leave                        free the reader
 *   fork                         a child that keeps all open: its pid
 *
 * For both: quit, which frees all, "clean" or what was left, and the end;
 * user UID DESCRIPTORS, which makes it a user without rights (if it is root), with so
 * many descriptors at most.
 */

#ifndef SHARE_H
#define SHARE_H

#include "shmvtest.h"

/* A child that waits for lines. */
struct shmvtest_child *share_start(void);

/* The same, once put_on was called in it (as another user, say), which returns 0, or
 * the status to end with. */
struct shmvtest_child *share_start_as(int (*put_on)(void *user), void *user);

/* The answer to a line; borrowed until the next answer. */
const char *share_ask(struct shmvtest_child *child, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Fails the test if the answer is another. */
void share_expect(struct shmvtest_child *child, const char *answer,
                  const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The two halves of share_ask. */
void share_tell(struct shmvtest_child *child, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
const char *share_answer(struct shmvtest_child *child);

/* The number behind "key=" in an answer. */
guint64 share_get(const char *answer, const char *key);

/* Ask it to quit; it must have left nothing. Frees the child. */
void share_finish(struct shmvtest_child *child);

/* What a process uses now. */
struct share_usage {
  guint descriptors, mappings; /* mappings: of memfds */
  guint64 resident;            /* bytes of its own memory, mapped files too */
  guint64 cpu;                 /* ns */
};
struct share_usage share_usage(pid_t pid);

/* Wait until it is back to what it was; fails the test at the deadline. Memory may
 * have grown by a little. */
void share_wait_flat(pid_t pid, struct share_usage before);

#endif
