/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* After a refusal a writer may be about to listen, or just busy. */
#define REFUSED_FIRST_MS 10u
#define REFUSED_MOST_MS 500u
/* Where inotify does not help. */
#define SLOW_FIRST_MS 250u
#define SLOW_MOST_MS 1000u
/* Where it does: only for what it cannot see, such as a directory mounted over
 * ours, or removed while a program has it open. */
#define WATCHED_MS 5000u
/* A writer that ends our connections sooner than this is not tried faster than one
 * that refuses them. */
#define SHORT_CONNECTION_MS 1000

#define MASK                                                                   \
  (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |      \
   IN_EXCL_UNLINK)

static int64_t
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
shmv_watch_init(struct shmv_watch *watch, const struct shmv_path *path)
{
  *watch = (struct shmv_watch){
      .inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
      .timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
      .directory_watch = -1,
      .path = *path};
  if (watch->timer_fd >= 0)
    return 0;
  int code = -errno;
  shmv_watch_fini(watch);
  return code;
}

void
shmv_watch_fini(struct shmv_watch *watch)
{
  if (watch->inotify_fd >= 0)
    close(watch->inotify_fd);
  if (watch->timer_fd >= 0)
    close(watch->timer_fd);
  watch->inotify_fd = -1;
  watch->timer_fd = -1;
  watch->directory_watch = -1;
}

/* ---- The directory ------------------------------------------------------- */

static void
end_watch(struct shmv_watch *watch)
{
  if (watch->directory_watch >= 0)
    inotify_rm_watch(watch->inotify_fd, watch->directory_watch);
  watch->directory_watch = -1;
}

/* Whether the directory is watched from now on and was not before. Asked again of
 * a watched one, the kernel gives the same watch, unless the path leads to another
 * directory by now. */
static bool
begin_watch(struct shmv_watch *watch)
{
  if (watch->inotify_fd < 0)
    return false;
  int wd = inotify_add_watch(watch->inotify_fd, watch->path.directory, MASK);
  if (wd == watch->directory_watch)
    return false;
  end_watch(watch);
  watch->directory_watch = wd;
  return wd >= 0;
}

/* Whether the event says that something may have appeared at the path. */
static bool
take_event(struct shmv_watch *watch, const struct inotify_event *event)
{
  if (event->mask & IN_Q_OVERFLOW)
    return true;
  /* What is left in the queue of a watch that ended. */
  if (event->wd != watch->directory_watch)
    return false;
  if (event->mask & IN_MOVE_SELF)
    end_watch(watch);
  else if (event->mask & (IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED))
    watch->directory_watch = -1;
  else
    return event->len > 0 && strcmp(event->name, watch->path.name) == 0;
  return true;
}

/* Reads so many buffers at most: a directory in which others make files faster
 * than we read must not keep us here. */
static bool
take_events(struct shmv_watch *watch)
{
  union {
    struct inotify_event event;
    char bytes[4096];
  } buffer;
  bool appeared = false;
  for (int reads = 0; watch->inotify_fd >= 0 && reads < 64; reads++) {
    ssize_t n = read(watch->inotify_fd, buffer.bytes, sizeof buffer);
    if (n <= 0)
      break;
    const struct inotify_event *event;
    for (size_t at = 0; at + sizeof *event <= (size_t)n;
         at += sizeof *event + event->len) {
      event = (const struct inotify_event *)(const void *)(buffer.bytes + at);
      appeared |= take_event(watch, event);
    }
  }
  return appeared;
}

/* ---- The timer ----------------------------------------------------------- */

/* delay 0: at once. */
static void
set_timer(const struct shmv_watch *watch, unsigned delay_ms)
{
  struct itimerspec time = {
      .it_value = {.tv_sec = delay_ms / 1000,
                   .tv_nsec = (long)(delay_ms % 1000) * 1000000 + 1}};
  timerfd_settime(watch->timer_fd, 0, &time, NULL);
}

static unsigned
longer(unsigned delay_ms, unsigned first, unsigned most)
{
  if (delay_ms < first)
    return first;
  return delay_ms < most / 2 ? delay_ms * 2 : most;
}

/* ---- Tries --------------------------------------------------------------- */

void
shmv_watch_arm(struct shmv_watch *watch, int code)
{
  bool began = begin_watch(watch);
  bool lost = code == 0;
  if (lost && now_ms() - watch->connected_ms >= SHORT_CONNECTION_MS)
    watch->delay_ms = 0;
  else if (!lost && code != watch->code && watch->code != 0)
    watch->delay_ms = 0;
  watch->code = code;

  if (lost && watch->delay_ms == 0) {
    /* Its successor may be there already; else we hear of it. But the next loss
     * counts as a refusal. */
    watch->delay_ms = 1;
    set_timer(watch, 0);
  } else if (lost || code == -ECONNREFUSED || code == -EAGAIN) {
    watch->delay_ms =
        longer(watch->delay_ms, REFUSED_FIRST_MS, REFUSED_MOST_MS);
    set_timer(watch, watch->delay_ms);
  } else if (began) {
    /* What appeared before the watch began was not told. */
    set_timer(watch, 0);
  } else if (code == -ENOENT && watch->directory_watch >= 0) {
    set_timer(watch, WATCHED_MS);
  } else {
    watch->delay_ms = longer(watch->delay_ms, SLOW_FIRST_MS, SLOW_MOST_MS);
    set_timer(watch, watch->delay_ms);
  }
}

void
shmv_watch_disarm(struct shmv_watch *watch)
{
  struct itimerspec never = {0};
  timerfd_settime(watch->timer_fd, 0, &never, NULL);
  end_watch(watch);
  take_events(watch);
  watch->connected_ms = now_ms();
}

bool
shmv_watch_due(struct shmv_watch *watch)
{
  uint64_t expirations;
  bool due = read(watch->timer_fd, &expirations, sizeof expirations) ==
             (ssize_t)sizeof expirations;
  if (take_events(watch)) {
    /* Something happened there: another try is worth its while soon. */
    watch->delay_ms = 0;
    due = true;
  }
  return due;
}
