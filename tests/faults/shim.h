/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A system that fails when it is told to
 *
 * Owns what the library sees of the operating system in these tests. The linker
 * leads each of its calls here (--wrap, see meson.build), and here the n-th of them
 * can be made to fail with each errno that the real one might give.
 *
 * One rule: only calls made between shim_enter and shim_leave are counted, made to
 * fail, or told another time; the test itself lives in the real world. Invariant: a
 * failure is one that the kernel could have caused: nothing is done when the call
 * says that nothing was, and what cannot fail never does (each wrapper says why).
 */

#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Whose call the library is in. SHIM_ALL: every thread's, until shim_leave. */
enum shim_side { SHIM_NOBODY, SHIM_WRITER, SHIM_READER, SHIM_ALL };

void shim_enter(enum shim_side side);
void shim_leave(void);
/* Called at both, with true at the first; NULL: nothing is. */
extern void (*shim_border)(bool inside);
enum shim_side shim_inside(void);

/* Make the n-th call (from 1) of a side fail with the variant-th (from 0) of its
 * errnos; the last variant is many failures of that function in a row. 0: none. */
void shim_arm(enum shim_side side, unsigned n, unsigned variant);

/* From now on count all calls, or only those from places in the library where none
 * was made to fail before. */
void shim_only_unknown(bool only);

/* What came of it: nothing (there are fewer calls), or "sendmsg: ENOBUFS". */
const char *shim_failed(void);
int shim_errno(void);          /* 0: nothing failed */
unsigned shim_n_variants(void); /* of the call that failed */

/* Something else is what calls fail from. */
void shim_blame(const char *what, int error);

/* Whether a failure of this function was caused since shim_arm. */
bool shim_was(const char *function);

/* The machine: an old kernel, without what the library can do without. */
extern bool shim_old_kernel;
/* Somebody else's pid is what credentials say, 0: the truth. */
extern int shim_peer_pid;
/* XDG_RUNTIME_DIR is not set. */
extern bool shim_no_environment;
/* What the library allocated and did not free. */
extern long shim_n_allocated;

/* Functions that never failed in any run, one per line, or NULL; free it. */
char *shim_never_failed(void);

/* ---- Time (shim-clock.c) -------------------------------------------------------- */

/* From now on the library's clock stands still but for what follows; its timers
 * expire when it is told that their time has come. */
void shim_clock_start(void);

/* To the time of the timer that expires next, or to limit (ns of that clock) if
 * that is earlier. False: there is none to come, and no limit. */
bool shim_clock_jump(uint64_t limit);

/* Instances of inotify are used again (shim-inotify.c). Before any is made. */
void shim_inotify_start(void);

uint64_t shim_clock_now(void);

/* No timer is armed that anybody could be waiting for. */
void shim_clock_reset(void);

/* What happens while a thread of the library sleeps in ppoll: false if nothing. */
extern bool (*shim_meanwhile)(void);

#endif
