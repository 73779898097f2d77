/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: from publishing in one process to the frame in another
 *
 * Four readers in processes of their own, each woken by its own means, in turns:
 *
 *   frame    shmvideo_reader_wait and acquire
 *   futex    FUTEX_WAIT on a word in shared memory
 *   socket   ppoll and recv on a SEQPACKET socket
 *   spin     shmvideo_reader_acquire again and again, without sleeping
 *
 * Each is told the time in what it gets, and counts how old that is. The gap between
 * two is long enough for the reader to have gone to sleep.
 */

#include "lib.h"

#include <linux/futex.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum kind { FRAME, FUTEX, SOCKET, SPIN, N_KINDS };
static const char *const names[N_KINDS] = {"frame", "futex", "socket", "spin"};

/* Shared with the readers. */
struct shared {
  _Atomic uint32_t word;
  _Atomic uint64_t time;
  struct {
    _Atomic uint32_t ready;
    struct bench_histogram latency;
    uint64_t allocations, faults, sleeps;
  } reader[N_KINDS];
};
static struct shared *shared;
static int sockets[2];

#define WARM 10  /* not counted */
#define ROUNDS 4 /* of all kinds */

/* ---- Readers -------------------------------------------------------------- */

static uint32_t seen; /* of the word */

static uint64_t
get_futex(void)
{
  while (atomic_load(&shared->word) == seen)
    syscall(SYS_futex, &shared->word, FUTEX_WAIT, seen, NULL, NULL, 0);
  seen++;
  return atomic_load(&shared->time);
}

static uint64_t
get_message(void)
{
  uint64_t message[2];
  struct pollfd pollfd = {sockets[1], POLLIN, 0};
  while (ppoll(&pollfd, 1, NULL, NULL) != 1)
    ;
  lib_need(recv(sockets[1], message, sizeof message, MSG_DONTWAIT) ==
               sizeof message,
           "no message");
  return message[0];
}

static uint64_t
get_frame(struct shmvideo_reader *reader, enum kind kind)
{
  const struct shmvideo_frame *frame;
  uint64_t time;
  if (kind == FRAME)
    frame = lib_take(reader);
  else
    for (int code, i = 1;
         (code = shmvideo_reader_acquire(reader, &frame)) != SHMVIDEO_FRAME; i++) {
      lib_need(code >= 0, "a spinning reader gets no frames");
      if (i % 1000 == 0)
        shmvideo_reader_dispatch(reader);
    }
  memcpy(&time, frame->data, sizeof time);
  shmvideo_frame_release(frame);
  return time;
}

/* No page fault of ours while the library's are counted. */
static void
touch(struct bench_histogram *histogram)
{
  volatile uint8_t *bytes = (void *)histogram;
  for (size_t i = 0; i < sizeof *histogram; i += 64)
    bytes[i] = bytes[i];
}

static void
be_reader(enum kind kind, unsigned wakes)
{
  struct bench_histogram *latency = &shared->reader[kind].latency;
  touch(latency);
  struct shmvideo_reader *reader = NULL;
  struct rusage before, after;
  uint64_t allocations = 0;
  seen = atomic_load(&shared->word);
  if (kind == FRAME || kind == SPIN) {
    reader = lib_reader(SHMVIDEO_LATEST, 4);
    shmvideo_frame_release(lib_take(reader));
  }
  atomic_store(&shared->reader[kind].ready, 1);
  for (unsigned i = 0; i < wakes + WARM; i++) {
    uint64_t time = kind == FUTEX    ? get_futex()
                    : kind == SOCKET ? get_message()
                                     : get_frame(reader, kind);
    uint64_t now = bench_now();
    if (i == WARM) {
      allocations = lib_allocations();
      getrusage(RUSAGE_SELF, &before);
    }
    if (i >= WARM)
      bench_histogram_add(latency, now - time);
    atomic_store(&shared->reader[kind].ready, i + 2);
  }
  getrusage(RUSAGE_SELF, &after);
  shared->reader[kind].allocations += lib_allocations() - allocations;
  shared->reader[kind].faults += (uint64_t)(after.ru_minflt - before.ru_minflt);
  shared->reader[kind].sleeps += (uint64_t)(after.ru_nvcsw - before.ru_nvcsw);
  shmvideo_reader_free(reader);
}

/* ---- The writer ----------------------------------------------------------- */

static void
show(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  lib_need(shmvideo_writer_acquire(writer, &slot) == 1, "no slot was free");
  uint64_t time = bench_now();
  memcpy(slot->data, &time, sizeof time);
  lib_need(shmvideo_writer_publish(writer, slot, NULL) == 0, "publish");
}

static void
wake(enum kind kind, struct shmvideo_writer *writer)
{
  uint64_t message[2] = {bench_now(), 0};
  switch (kind) {
    case FUTEX:
      atomic_store(&shared->time, message[0]);
      atomic_fetch_add(&shared->word, 1);
      syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
      break;
    case SOCKET:
      lib_need(send(sockets[0], message, sizeof message, MSG_DONTWAIT) ==
                   sizeof message,
               "send");
      break;
    default:
      show(writer);
      break;
  }
}

static void
rest(unsigned us)
{
  struct timespec ts = {.tv_nsec = (long)us * 1000};
  nanosleep(&ts, NULL);
}

/* Until the reader has got all that it was sent. */
static void
wait_for(enum kind kind, uint32_t ready, struct shmvideo_writer *writer)
{
  uint64_t end = bench_now() + UINT64_C(20000000000);
  while (atomic_load(&shared->reader[kind].ready) < ready) {
    lib_need(bench_now() < end, "a reader does not answer");
    if (writer != NULL)
      shmvideo_writer_dispatch(writer);
    if (ready == 1 && writer != NULL)
      lib_show(writer); /* its first frame */
    rest(100);
  }
}

static pid_t
start_reader(enum kind kind, unsigned wakes)
{
  pid_t pid = fork();
  lib_need(pid >= 0, "fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    be_reader(kind, wakes);
    _exit(0);
  }
  return pid;
}

/* So many wakes of one kind. There is no other reader then: frames would wake it as
 * well. */
static void
measure(enum kind kind, const struct lib_options *options)
{
  unsigned wakes = options->wakes / ROUNDS;
  struct shmvideo_writer *writer = NULL;
  atomic_store(&shared->reader[kind].ready, 0);
  if (kind == FRAME || kind == SPIN)
    writer = lib_usual_writer("NV12", options);
  pid_t pid = start_reader(kind, wakes);
  int status;
  wait_for(kind, 1, writer);
  for (unsigned i = 0; i < wakes + WARM; i++) {
    rest(options->gap_us);
    wake(kind, writer);
    wait_for(kind, i + 2, writer);
  }
  lib_need(waitpid(pid, &status, 0) == pid && status == 0, "a reader failed");
  shmvideo_writer_free(writer);
}

static void
print(FILE *file, enum kind kind)
{
  fprintf(file, "%s\n  \"%s\": {\"allocations\": %llu, \"minor_faults\": %llu, "
          "\"sleeps\": %llu, ", kind > 0 ? "," : "", names[kind],
          (unsigned long long)shared->reader[kind].allocations,
          (unsigned long long)shared->reader[kind].faults,
          (unsigned long long)shared->reader[kind].sleeps);
  lib_print_percentiles(file, "latency_us", &shared->reader[kind].latency);
  fprintf(file, "}");
}

void
lib_wakes(FILE *file, const struct lib_options *options)
{
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  lib_need(shared != MAP_FAILED, "mmap");
  lib_need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) == 0, "socketpair");
  for (unsigned round = 0; round < ROUNDS; round++)
    for (enum kind kind = 0; kind < N_KINDS; kind++)
      measure(kind, options);
  fprintf(file, "\"wakes\": {\"gap_us\": %u, \"wakes\": %u,", options->gap_us,
          options->wakes);
  for (enum kind kind = 0; kind < N_KINDS; kind++)
    print(file, kind);
  fprintf(file, "}");
  close(sockets[0]);
  close(sockets[1]);
  munmap(shared, sizeof *shared);
}
