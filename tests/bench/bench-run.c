/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench: one run, as its parent sees it
 *
 * Owns the processes: begins them in the order that every transport can bear (the
 * writer listens before readers come), gives all of them the same window, collects
 * what they say. One rule: whatever a transport does, all processes are gone when the
 * run is over.
 */

#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 60000 /* ms, for what should take a second at most */

static bool
start(struct bench_run *run, enum bench_role role)
{
  struct bench_process *process = &run->process[run->n];
  int in[2], out[2];
  if (pipe(in) < 0 || pipe(out) < 0)
    return false;
  pid_t parent = getpid();
  process->role = role;
  process->pid = fork();
  if (process->pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(1);
    for (unsigned i = 0; i < run->n; i++) {
      close(run->process[i].in);
      close(run->process[i].out);
    }
    close(in[1]);
    close(out[0]);
    bench_child(role, in[0], out[1]);
  }
  close(in[0]);
  close(out[1]);
  process->in = in[1];
  process->out = out[0];
  run->n++;
  return process->pid > 0;
}

/* ---- Talking -------------------------------------------------------------- */

static bool
hear(struct bench_process *process, void *data, size_t size, int patience)
{
  char *bytes = data;
  while (size > 0) {
    struct pollfd pollfd = {process->out, POLLIN, 0};
    int ready = poll(&pollfd, 1, patience);
    if (ready < 0 && errno == EINTR)
      continue;
    ssize_t n = ready > 0 ? read(process->out, bytes, size) : 0;
    if (n <= 0)
      return false;
    bytes += n;
    size -= (size_t)n;
  }
  return true;
}

static const char *
name_of(const struct bench_process *process)
{
  return process->role == BENCH_READER ? "reader" : "writer";
}

/* The one word that is to come now; anything else is the end of the run. */
static bool
expect(struct bench_run *run, struct bench_process *process, char word,
       int patience)
{
  char said = 0;
  if (hear(process, &said, 1, patience) && said == word)
    return true;
  run->missing = said == BENCH_SAYS_MISSING;
  snprintf(run->error, sizeof run->error, "%s %d %s instead of '%c'",
           name_of(process), (int)process->pid,
           said != 0 ? "said something else" : "said nothing", word);
  return false;
}

static bool
tell(struct bench_process *process, const void *data, size_t size)
{
  return write(process->in, data, size) == (ssize_t)size;
}

/* ---- The course of a run -------------------------------------------------- */

static bool
start_all(struct bench_run *run)
{
  bool one = bench_options.transport == BENCH_QUEUE;
  if (!start(run, one ? BENCH_BOTH : BENCH_WRITER))
    return false;
  for (unsigned i = 0; !one && i < bench_options.readers; i++)
    if (!start(run, BENCH_READER))
      return false;
  struct bench_process *writer = &run->process[0];
  tell(writer, "g", 1); /* who is gone already has said why */
  /* A sink with frames may be warm before its pipeline is up. */
  char said[2] = {0};
  if (!one)
    return expect(run, writer, BENCH_SAYS_UP, PATIENCE);
  if (!hear(writer, said, 1, PATIENCE) || !hear(writer, said + 1, 1, PATIENCE)) {
    run->missing = said[0] == BENCH_SAYS_MISSING;
    snprintf(run->error, sizeof run->error, "the pipeline does not run");
    return false;
  }
  return true;
}

static bool
warm_all(struct bench_run *run)
{
  for (unsigned i = 1; i < run->n; i++)
    if (!tell(&run->process[i], "g", 1))
      return false;
  for (unsigned i = 1; i < run->n; i++)
    if (!expect(run, &run->process[i], BENCH_SAYS_WARM, PATIENCE))
      return false;
  for (unsigned i = 0; i < run->n; i++)
    if (!tell(&run->process[i], "s", 1))
      return false;
  for (unsigned i = 0; i < run->n; i++)
    if (!expect(run, &run->process[i], BENCH_SAYS_SETTLED, PATIENCE))
      return false;
  if (!bench_options.stop)
    return true;
  struct bench_process *last = &run->process[run->n - 1];
  int status;
  last->stopped = true;
  return kill(last->pid, SIGSTOP) == 0 &&
         waitpid(last->pid, &status, WUNTRACED) == last->pid;
}

static bool
measure_all(struct bench_run *run)
{
  uint64_t ns = 1000000000u, window[2];
  window[0] = bench_now() + (uint64_t)(bench_options.warmup * (double)ns);
  window[1] = window[0] + (uint64_t)(bench_options.seconds * (double)ns);
  for (unsigned i = 0; i < run->n; i++)
    if (!run->process[i].stopped &&
        !tell(&run->process[i], window, sizeof window))
      return false;
  int wait = (int)((bench_options.warmup + bench_options.seconds) * 1000);
  for (unsigned i = 0; i < run->n; i++) {
    struct bench_process *process = &run->process[i];
    struct bench_result *result = &process->result;
    if (process->stopped)
      continue;
    if (!expect(run, process, BENCH_SAYS_RESULT, wait + PATIENCE) ||
        !hear(process, result, sizeof *result, PATIENCE))
      return false;
    process->sinks = calloc(result->n_sinks + 1, sizeof *process->sinks);
    if (process->sinks == NULL ||
        !hear(process, process->sinks,
              result->n_sinks * sizeof *process->sinks, PATIENCE))
      return false;
  }
  return true;
}

/* ---- Its end -------------------------------------------------------------- */

/* Gone in a while by itself, or at once. */
static void
reap(const struct bench_process *process, bool gently)
{
  uint64_t end = bench_now() + UINT64_C(5000000000);
  while (gently && bench_now() < end) {
    if (waitpid(process->pid, NULL, WNOHANG) == process->pid)
      return;
    usleep(1000);
  }
  kill(process->pid, SIGKILL);
  waitpid(process->pid, NULL, 0);
}

/* A writer that had to be killed leaves its shared memory behind. */
static void
clean_up_after(pid_t pid)
{
  char start[40];
  snprintf(start, sizeof start, "shmpipe.%d.", (int)pid);
  DIR *folder = opendir("/dev/shm");
  if (folder == NULL)
    return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (strncmp(entry->d_name, start, strlen(start)) == 0)
      unlinkat(dirfd(folder), entry->d_name, 0);
  closedir(folder);
}

void
bench_run(struct bench_run *run)
{
  bool good;
  memset(run, 0, sizeof *run);
  signal(SIGPIPE, SIG_IGN);
  unlink(bench_options.path);
  good = start_all(run) && warm_all(run) && measure_all(run);
  if (!good && run->error[0] == '\0')
    snprintf(run->error, sizeof run->error, "the run broke off");
  for (unsigned i = run->n; i-- > 0;) {
    close(run->process[i].in);
    reap(&run->process[i], !run->process[i].stopped);
    close(run->process[i].out);
  }
  if (run->n > 0)
    clean_up_after(run->process[0].pid);
  unlink(bench_options.path);
}
