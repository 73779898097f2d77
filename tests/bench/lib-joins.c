/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: a reader joins a writer that is running
 *
 * The writer shows a 1080p RGBA frame every millisecond, touching each page of it, and
 * lets readers in from another thread, as shmvideosink does. When it has done so for a
 * while, a process joins, takes one frame, stays a while and leaves. Each join is to a
 * writer of its own, which has no memory yet for that reader. Told is, for each join,
 * how long it took from connecting to the frame; the longest that the writer had a
 * frame in hand meanwhile and for a while after (memory may be given then); and the
 * longest in as long a time just before.
 *
 *   first    nobody else reads
 *   further  another reader is there
 */

#include "lib.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOINS 100
#define STAY_NS UINT64_C(20000000) /* also how long a join counts as going on */
#define PERIOD_NS UINT64_C(1000000) /* of frames */
#define SETTLE 150                  /* frames before a join */
#define MAX_FRAMES 20000

/* Shared with the processes that read. */
static struct shared {
  atomic_bool resident, go;
  uint64_t start, end;
} *shared;

static struct {
  uint64_t time, spent;
} frames[MAX_FRAMES];
static unsigned n_frames;
static atomic_bool stop;

/* Of one join, ns. */
struct join {
  double connect, during, before;
};

static void
rest(uint64_t ns)
{
  struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
  nanosleep(&ts, NULL);
}

/* ---- The processes that read ---------------------------------------------- */

static void
be_guest(void)
{
  while (!atomic_load(&shared->go))
    rest(200000);
  shared->start = bench_now();
  struct shmvideo_reader *reader = lib_reader(SHMVIDEO_LATEST, 0);
  const struct shmvideo_frame *frame = lib_take(reader);
  shared->end = bench_now();
  shmvideo_frame_release(frame);
  rest(STAY_NS);
  shmvideo_reader_free(reader);
}

static void
be_resident(void)
{
  struct shmvideo_reader *reader = lib_reader(SHMVIDEO_LATEST, 0);
  for (;;) {
    shmvideo_frame_release(lib_take(reader));
    atomic_store(&shared->resident, true);
  }
}

static pid_t
fork_child(void (*func)(void))
{
  pid_t pid = fork();
  lib_need(pid >= 0, "fork");
  if (pid > 0)
    return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  func();
  _exit(0);
}

/* ---- The writer's two threads --------------------------------------------- */

static void *
dispatch(void *user)
{
  struct shmvideo_writer *writer = user;
  struct pollfd pollfd = {shmvideo_writer_get_fd(writer), POLLIN, 0};
  while (!atomic_load(&stop)) {
    poll(&pollfd, 1, 20);
    lib_need(shmvideo_writer_dispatch(writer) >= 0, "dispatch");
  }
  return NULL;
}

static void
show_one(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  uint64_t start = bench_now();
  if (shmvideo_writer_acquire(writer, &slot) != 1)
    return;
  for (size_t i = 0; i < slot->size; i += 4096)
    slot->data[i] = (uint8_t)start;
  /* Between the two, the last reader may leave, and its memory with it. */
  if (shmvideo_writer_publish(writer, slot, NULL) < 0)
    shmvideo_slot_release(slot);
  frames[n_frames].time = start;
  frames[n_frames].spent = bench_now() - start;
  n_frames++;
}

/* Until the guest has left. */
static void
show_all(struct shmvideo_writer *writer, pid_t guest, bool alone)
{
  int status;
  unsigned settled = alone ? SETTLE : 0; /* after so many frames */
  while (waitpid(guest, &status, WNOHANG) == 0 && n_frames < MAX_FRAMES) {
    rest(PERIOD_NS);
    show_one(writer);
    if (settled == 0 && atomic_load(&shared->resident))
      settled = n_frames + SETTLE;
    if (settled != 0 && n_frames >= settled)
      atomic_store(&shared->go, true);
  }
  lib_need(n_frames < MAX_FRAMES && status == 0, "the joining process failed");
}

static double
longest(uint64_t start, uint64_t end)
{
  uint64_t found = 0;
  for (unsigned i = 0; i < n_frames; i++)
    if (frames[i].time + frames[i].spent >= start && frames[i].time < end &&
        frames[i].spent > found)
      found = frames[i].spent;
  return (double)found;
}

static struct join
join_once(bool alone, const struct lib_options *options)
{
  struct shmvideo_writer *writer = lib_usual_writer("RGBA", options);
  pthread_t thread;
  memset(shared, 0, sizeof *shared);
  pid_t resident = alone ? -1 : fork_child(be_resident);
  pid_t guest = fork_child(be_guest);
  n_frames = 0;
  atomic_store(&stop, false);
  lib_need(pthread_create(&thread, NULL, dispatch, writer) == 0, "thread");
  show_all(writer, guest, alone);
  atomic_store(&stop, true);
  pthread_join(thread, NULL);
  if (resident > 0) {
    kill(resident, SIGKILL);
    waitpid(resident, NULL, 0);
  }
  shmvideo_writer_free(writer);

  uint64_t start = shared->start, end = shared->end + STAY_NS;
  uint64_t length = end - start, half = SETTLE * PERIOD_NS / 2;
  if (length > half)
    length = half; /* what was before that was not settled */
  return (struct join){.connect = (double)(shared->end - start),
                       .during = longest(start, end),
                       .before = longest(start - length, start)};
}

static void
measure(FILE *file, const char *name, bool alone,
        const struct lib_options *options)
{
  unsigned n = options->joins < MAX_JOINS ? options->joins : MAX_JOINS;
  fprintf(file, "\n  \"%s\": [", name);
  for (unsigned i = 0; i < n; i++) {
    struct join join = join_once(alone, options);
    fprintf(file, "%s{\"connect_us\": %.1f, \"during_us\": %.1f, "
            "\"before_us\": %.1f}", i > 0 ? ",\n   " : "", join.connect / 1000,
            join.during / 1000, join.before / 1000);
    fflush(file); /* children must not print it again */
  }
  fprintf(file, "]");
}

void
lib_joins(FILE *file, const struct lib_options *options)
{
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  lib_need(shared != MAP_FAILED, "mmap");
  for (unsigned i = 0; i < MAX_FRAMES; i += 64)
    frames[i].spent = 1; /* no page fault while it counts */
  fprintf(file, "\"joins\": {");
  fflush(file);
  measure(file, "first", true, options);
  fprintf(file, ",");
  fflush(file);
  measure(file, "further", false, options);
  fprintf(file, "}");
  munmap(shared, sizeof *shared);
}
