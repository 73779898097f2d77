/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The reader: follows a path through all its writers
 *
 * Owns at most one link at a time and, while there is none, the watch on the path.
 * What a caller is told, and in which order, is decided in next() alone: frames of
 * the present format, then the next format, then the end, then the loss.
 *
 * One rule: one thread at a time acquires, dispatches and waits; the lock only
 * guards what the "any thread" getters look at, never across a system call.
 */

#include "os.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "link.h"
#include "watch.h"

#define DEFAULT_DEPTH 4u
#define DEFAULT_MIN_HOLDS 1u
#define DEFAULT_MAX_HOLDS 2u

/* A writer that breaks the rules gets another chance (it may be restarted), but a
 * path where writers keep doing so is given up. */
#define MAX_VIOLATIONS 3
#define TRUSTED_FRAMES 100

struct shmvideo_reader {
  struct shmv_hello hello;
  char *accepts;
  struct shmv_path path;
  struct shmv_log log;
  int epoll_fd;
  struct shmv_watch watch;
  int fatal;      /* negative errno: this reader is at its end */
  unsigned n_violations;
  bool lost; /* SHMVIDEO_LOST is to be told */

  pthread_mutex_t lock; /* guards all that follows, for the getters */
  struct shmv_link *link; /* NULL while no writer is there */
  struct shmvideo_format format;
  char *caps; /* NULL before the first format */
  struct shmvideo_error error;
  uint64_t n_received, n_skipped, n_copied;
};

/* ---- Connecting and leaving ---------------------------------------------- */

static void
set_error(struct shmvideo_reader *reader, const struct shmvideo_error *error)
{
  pthread_mutex_lock(&reader->lock);
  reader->error = *error;
  pthread_mutex_unlock(&reader->lock);
}

static void
fail(struct shmvideo_reader *reader, const struct shmvideo_error *error)
{
  reader->fatal = error->code;
  set_error(reader, error);
  shmv_log(&reader->log, SHMVIDEO_LOG_ERROR, "%s", error->message);
}

/* The tag says whose event it is; only their number matters to dispatch. */
static int
poll_add(struct shmvideo_reader *reader, int fd)
{
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (fd < 0)
    return 0;
  return epoll_ctl(reader->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno
                                                                   : 0;
}

static void
poll_remove(struct shmvideo_reader *reader, int fd)
{
  if (fd >= 0)
    epoll_ctl(reader->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static void
drop_link(struct shmvideo_reader *reader)
{
  struct shmv_link *link = reader->link;
  if (link == NULL)
    return;
  /* The link may live on under its frames: silence its descriptors here. */
  poll_remove(reader, link->fd);
  poll_remove(reader, link->release_fd);
  poll_remove(reader, link->who.pidfd);
  pthread_mutex_lock(&reader->lock);
  reader->link = NULL;
  pthread_mutex_unlock(&reader->lock);
  shmv_link_leave(link);
}

static void
try_connect(struct shmvideo_reader *reader)
{
  struct shmvideo_error error = {0};
  struct shmv_link *link = NULL;
  int fd;
  int code = shmv_socket_connect(&reader->path, &fd, &error);
  if (code == 0) {
    code = shmv_link_new(&link, fd, &reader->hello, reader->accepts);
    if (code < 0)
      shmv_error_set(&error, code, 0, NULL, "Cannot follow %s: %s",
                     reader->path.text, strerror(-code));
  }
  if (code == 0) {
    pthread_mutex_lock(&reader->lock);
    reader->link = link;
    pthread_mutex_unlock(&reader->lock);
    code = poll_add(reader, link->fd);
    if (code == 0)
      code = poll_add(reader, link->release_fd);
    if (code == 0)
      code = poll_add(reader, link->who.pidfd);
    if (code == 0) {
      shmv_watch_disarm(&reader->watch);
      shmv_log(&reader->log, SHMVIDEO_LOG_INFO, "connected to pid %d at %s",
               (int)link->who.pid, reader->path.text);
      return;
    }
    shmv_error_set(&error, code, 0, NULL, "Cannot poll the writer at %s: %s",
                   reader->path.text, strerror(-code));
    drop_link(reader);
  }
  switch (code) {
    case -ENOENT:
    case -ECONNREFUSED:
    case -EAGAIN:
    case -EPIPE: /* it left between our connect and our HELLO */
    case -ECONNRESET:
      set_error(reader, &error);
      shmv_watch_arm(&reader->watch, code);
      break;
    default:
      fail(reader, &error);
  }
}

/* The writer broke a rule, or what it sent cannot be mapped. */
static void
violation(struct shmvideo_reader *reader, int code)
{
  struct shmvideo_error error;
  const struct shmv_link *link = reader->link;
  bool rules = code == -EPROTO || code == -EBADMSG || code == -EMSGSIZE;
  shmv_error_set(&error, code, (int)link->who.pid,
                 rules ? "Update or restart the program that writes there."
                       : "Free memory or descriptors, or raise their limits.",
                 "The writer at %s (pid %d) was left: %s", reader->path.text,
                 (int)link->who.pid, shmvideo_strerror(code));
  if (link->n_taken >= TRUSTED_FRAMES)
    reader->n_violations = 0;
  reader->lost |= link->view != NULL;
  drop_link(reader);
  if (!rules || ++reader->n_violations >= MAX_VIOLATIONS) {
    fail(reader, &error);
    return;
  }
  set_error(reader, &error);
  shmv_log(&reader->log, SHMVIDEO_LOG_WARNING, "%s", error.message);
  shmv_watch_arm(&reader->watch, -ECONNREFUSED);
}

static void
refused(struct shmvideo_reader *reader)
{
  struct shmvideo_error error;
  const struct shmv_link *link = reader->link;
  const char *advice =
      link->refusal == -EMEDIUMTYPE
          ? "Let this side take the writer's format, or convert it there (in "
            "GStreamer: videoconvert and videoscale)."
      : link->refusal == -EPROTONOSUPPORT
          ? "Use the same version of the library on both sides."
          : "Raise the writer's memory limit, or let readers keep fewer "
            "frames.";
  shmv_error_set(&error, link->refusal, (int)link->who.pid, advice,
                 "The writer at %s (pid %d) refused this reader: %s",
                 reader->path.text, (int)link->who.pid, link->refusal_text);
  drop_link(reader);
  fail(reader, &error);
}

/* ---- Life ---------------------------------------------------------------- */

static int
read_config(struct shmvideo_reader *reader,
            const struct shmvideo_reader_config *config,
            struct shmvideo_error *error)
{
  struct shmv_hello *h = &reader->hello;
  h->version_min = h->version_max = SHMV_WIRE_VERSION;
  h->policy = config->policy;
  h->depth = config->depth != 0 ? config->depth : DEFAULT_DEPTH;
  uint32_t min = config->min_holds != 0 ? config->min_holds : DEFAULT_MIN_HOLDS;
  uint32_t max = config->max_holds != 0 ? config->max_holds : DEFAULT_MAX_HOLDS;
  if (max < min)
    max = min;
  if (h->policy > SHMVIDEO_LOSSLESS || h->depth > SHMV_MAX_DEPTH ||
      max > SHMV_MAX_HOLDS)
    return shmv_error_set(error, -EINVAL, 0, "See shmvideo.h for the bounds.",
                          "A reader of %s cannot have policy %u, depth %u, %u "
                          "holds",
                          reader->path.text, h->policy, h->depth, max);
  h->holds_min = (uint16_t)min;
  h->holds_want = (uint16_t)max;
  reader->log.func = config->log;
  reader->log.user = config->log_user;
  if (config->accepts == NULL)
    return 0;
  int code = shmv_caps_check(config->accepts, error);
  if (code < 0)
    return code;
  reader->accepts = strdup(config->accepts);
  return reader->accepts != NULL
             ? 0
             : shmv_error_set(error, -ENOMEM, 0, NULL, "No memory for caps");
}

static void
destroy(struct shmvideo_reader *reader)
{
  pthread_mutex_destroy(&reader->lock);
  free(reader->accepts);
  free(reader->caps);
  free(reader);
}

static int
start_watching(struct shmvideo_reader *reader, struct shmvideo_error *error)
{
  int code = 0;
  reader->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (reader->epoll_fd < 0)
    code = -errno;
  else if ((code = shmv_watch_init(&reader->watch, &reader->path)) == 0) {
    code = poll_add(reader, reader->watch.inotify_fd);
    if (code == 0)
      code = poll_add(reader, reader->watch.timer_fd);
    if (code < 0)
      shmv_watch_fini(&reader->watch);
  }
  if (code < 0) {
    if (reader->epoll_fd >= 0)
      close(reader->epoll_fd);
    shmv_error_set(error, code, 0, "Raise the limit of open files.",
                   "Cannot make descriptors to follow %s: %s",
                   reader->path.text, strerror(-code));
  }
  return code;
}

int
shmvideo_reader_new(const struct shmvideo_reader_config *config,
                    struct shmvideo_error *error,
                    struct shmvideo_reader **out_reader)
{
  *out_reader = NULL;
  if (config->size != sizeof *config || config->path == NULL)
    return shmv_error_set(error, -EINVAL, 0, "Say which path to follow.",
                          "The reader has no path");
  struct shmvideo_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL)
    return shmv_error_set(error, -ENOMEM, 0, NULL, "No memory for a reader");
  pthread_mutex_init(&reader->lock, NULL);
  int code = shmv_path_resolve(&reader->path, config->path, error);
  if (code == 0)
    code = read_config(reader, config, error);
  if (code == 0)
    code = start_watching(reader, error);
  if (code < 0) {
    destroy(reader);
    return code;
  }
  try_connect(reader); /* what is hopeless now is told by acquire */
  *out_reader = reader;
  return 0;
}

void
shmvideo_reader_free(struct shmvideo_reader *reader)
{
  if (reader == NULL)
    return;
  drop_link(reader);
  shmv_watch_fini(&reader->watch);
  close(reader->epoll_fd);
  destroy(reader);
}

int
shmvideo_reader_get_fd(struct shmvideo_reader *reader)
{
  return reader->epoll_fd;
}

/* ---- Dispatch ------------------------------------------------------------ */

static void
receive(struct shmvideo_reader *reader, bool stop_at_wake)
{
  int code = shmv_link_receive(reader->link, stop_at_wake);
  if (code < 0)
    violation(reader, code);
}

static void
take_event(struct shmvideo_reader *reader, int fd)
{
  struct shmv_link *link = reader->link;
  eventfd_t value;
  if (link == NULL)
    return; /* the watch is looked at below */
  if (fd == link->release_fd) {
    eventfd_read(fd, &value);
  } else if (fd == link->fd) {
    receive(reader, false);
  } else if (fd == link->who.pidfd) {
    /* Its last words first; a child of it may hold the socket open. */
    receive(reader, false);
    if (reader->link == link) {
      link->hung_up = true;
      poll_remove(reader, fd);
    }
  }
}

int
shmvideo_reader_dispatch(struct shmvideo_reader *reader)
{
  struct epoll_event events[8];
  if (reader->fatal < 0)
    return reader->fatal;
  int n = epoll_wait(reader->epoll_fd, events, 8, 0);
  if (n < 0 && errno != EINTR)
    return -errno;
  for (int i = 0; i < n; i++)
    take_event(reader, events[i].data.fd);
  /* A hung-up socket stays readable: silence it, next() tells the rest. */
  if (reader->link != NULL && reader->link->hung_up)
    poll_remove(reader, reader->link->fd);
  if (shmv_watch_due(&reader->watch) && reader->link == NULL &&
      reader->fatal == 0)
    try_connect(reader);
  return reader->fatal;
}

/* ---- What is next -------------------------------------------------------- */

static int
announce_format(struct shmvideo_reader *reader)
{
  struct shmv_link *link = reader->link;
  char *caps = strdup(link->next->caps);
  if (caps == NULL)
    return -ENOMEM;
  pthread_mutex_lock(&reader->lock);
  struct shmv_view *old_view = shmv_link_advance(link);
  char *old_caps = reader->caps;
  reader->caps = caps;
  reader->format = link->view->format;
  pthread_mutex_unlock(&reader->lock);
  shmv_view_unref(old_view);
  free(old_caps);
  shmv_log(&reader->log, SHMVIDEO_LOG_INFO, "format: %s", caps);
  int code = shmv_link_say_ready(link);
  if (code < 0)
    violation(reader, code);
  return SHMVIDEO_NEW_FORMAT;
}

/* The link has nothing more to say and its writer is gone. */
static void
lose_link(struct shmvideo_reader *reader)
{
  struct shmvideo_error error;
  struct shmv_link *link = reader->link;
  shmv_error_set(&error, -EPIPE, (int)link->who.pid,
                 "A new writer at the path will be followed.",
                 "The writer at %s (pid %d) is gone", reader->path.text,
                 (int)link->who.pid);
  set_error(reader, &error);
  reader->lost = link->view != NULL && !link->ended;
  drop_link(reader);
  shmv_watch_arm(&reader->watch, 0);
}

static int
take(struct shmvideo_reader *reader, bool newest,
     const struct shmvideo_frame **out_frame)
{
  struct shmv_link *link = reader->link;
  bool demoted;
  int code = shmv_link_take(link, newest, out_frame, &demoted);
  if (demoted)
    shmv_log(&reader->log, SHMVIDEO_LOG_WARNING,
             "too slow for the writer's patience: lossless no more");
  if (code == 1) {
    pthread_mutex_lock(&reader->lock);
    reader->n_received++;
    reader->n_skipped += (*out_frame)->skipped;
    pthread_mutex_unlock(&reader->lock);
    return SHMVIDEO_FRAME;
  }
  if (code == -EPROTO) {
    violation(reader, code);
    return 0;
  }
  return code;
}

/* What the link has to tell now; 0: nothing. It may be gone after this. */
static int
next(struct shmvideo_reader *reader, bool newest,
     const struct shmvideo_frame **out_frame)
{
  struct shmv_link *link = reader->link;
  if (link->view != NULL) {
    int code = take(reader, newest, out_frame);
    if (code != 0 || reader->link == NULL || shmv_link_is_full(link))
      return code;
  }
  if (link->next != NULL)
    return announce_format(reader);
  if (shmv_link_end_is_due(link)) {
    link->ending = false;
    link->ended = true;
    return SHMVIDEO_END;
  }
  if (link->refusal != 0)
    refused(reader);
  else if (link->hung_up)
    lose_link(reader);
  return 0;
}

/* Whether next() would have something to tell, or another link is to be tried. */
static bool
has_news(const struct shmvideo_reader *reader)
{
  struct shmv_link *link = reader->link;
  if (reader->lost || reader->fatal < 0)
    return true;
  if (link == NULL)
    return false;
  if (shmv_link_is_full(link))
    return false;
  return shmv_link_has_frame(link) || link->next != NULL || link->hung_up ||
         link->refusal != 0 || shmv_link_end_is_due(link);
}

/* Ask for a wake, then look once more: no frame can slip in between. */
static bool
arm(const struct shmvideo_reader *reader)
{
  /* Before READY only messages can come, and they wake by themselves. */
  if (reader->link != NULL && reader->link->view != NULL)
    shmv_slot_arm(reader->link->page);
  return !has_news(reader);
}

static int
acquire(struct shmvideo_reader *reader, bool newest,
        const struct shmvideo_frame **out_frame)
{
  *out_frame = NULL;
  /* Frames can vanish between look and hold; a writer for which that goes on for
   * ever lies. */
  for (int i = 0; i < 1000; i++) {
    if (reader->lost) {
      reader->lost = false;
      return SHMVIDEO_LOST;
    }
    if (reader->fatal < 0)
      return reader->fatal;
    int code = reader->link != NULL ? next(reader, newest, out_frame) : 0;
    if (code != 0)
      return code;
    if (arm(reader))
      return SHMVIDEO_AGAIN;
  }
  violation(reader, -EPROTO);
  return SHMVIDEO_AGAIN;
}

int
shmvideo_reader_acquire(struct shmvideo_reader *reader,
                        const struct shmvideo_frame **out_frame)
{
  return acquire(reader, false, out_frame);
}

int
shmvideo_reader_acquire_newest(struct shmvideo_reader *reader,
                               const struct shmvideo_frame **out_frame)
{
  return acquire(reader, true, out_frame);
}

/* ---- Waiting ------------------------------------------------------------- */

/* Sleep until something happens. The common case, a wake on the socket, is taken in
 * with one receive; all else goes through dispatch. 1 woken, 0 time is up. */
static int
sleep_once(struct shmvideo_reader *reader, uint64_t timeout, int cancel_fd)
{
  const struct shmv_link *link = reader->link;
  struct pollfd fds[4] = {{.fd = cancel_fd, .events = POLLIN},
                          {.fd = reader->epoll_fd, .events = POLLIN},
                          {.fd = -1, .events = POLLIN},
                          {.fd = -1, .events = POLLIN}};
  struct timespec ts = {.tv_sec = (time_t)(timeout / 1000000000),
                        .tv_nsec = (long)(timeout % 1000000000)};
  bool direct = link != NULL && link->view != NULL && !link->hung_up;
  if (direct) {
    fds[1].fd = link->fd;
    fds[2].fd = link->release_fd;
    fds[3].fd = link->who.pidfd;
  }
  int n = ppoll(fds, 4, timeout == SHMVIDEO_TIME_NONE ? NULL : &ts, NULL);
  if (n < 0)
    return errno == EINTR ? 1 : -errno;
  if (n == 0)
    return 0;
  if (fds[0].revents != 0)
    return -ECANCELED;
  if (direct && fds[1].revents == POLLIN && fds[2].revents == 0 &&
      fds[3].revents == 0) {
    receive(reader, true);
    return 1;
  }
  int code = shmvideo_reader_dispatch(reader);
  return code < 0 ? code : 1;
}

static uint64_t
now_ns(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

int
shmvideo_reader_wait(struct shmvideo_reader *reader, uint64_t timeout,
                     int cancel_fd)
{
  uint64_t start = timeout != SHMVIDEO_TIME_NONE ? now_ns() : 0;
  for (;;) {
    if (!arm(reader))
      return 1;
    uint64_t left = timeout;
    if (timeout != SHMVIDEO_TIME_NONE) {
      uint64_t spent = now_ns() - start;
      left = spent < timeout ? timeout - spent : 0;
    }
    int code = sleep_once(reader, left, cancel_fd);
    if (code <= 0)
      return code;
  }
}

/* ---- Telling ------------------------------------------------------------- */

void
shmvideo_reader_note_copy(struct shmvideo_reader *reader)
{
  pthread_mutex_lock(&reader->lock);
  reader->n_copied++;
  if (reader->link != NULL && reader->link->page != NULL)
    shmv_store(&reader->link->page->copied,
               shmv_peek(&reader->link->page->copied) + 1);
  pthread_mutex_unlock(&reader->lock);
}

int
shmvideo_reader_get_format(struct shmvideo_reader *reader,
                           struct shmvideo_format *out_format, char *text,
                           size_t text_size)
{
  pthread_mutex_lock(&reader->lock);
  int code = reader->caps == NULL ? -ENODATA : 0;
  if (code == 0) {
    *out_format = reader->format;
    size_t size = strlen(reader->caps);
    if (text != NULL && text_size > 0) {
      size_t n = size < text_size ? size : text_size - 1;
      memcpy(text, reader->caps, n);
      text[n] = 0;
    }
  }
  pthread_mutex_unlock(&reader->lock);
  return code;
}

void
shmvideo_reader_get_status(struct shmvideo_reader *reader,
                           struct shmvideo_reader_status *out)
{
  memset(out, 0, sizeof *out);
  pthread_mutex_lock(&reader->lock);
  const struct shmv_link *link = reader->link;
  if (link != NULL && link->view != NULL) {
    out->connected = 1;
    out->writer_pid = (int)link->who.pid;
    out->writer_uid = link->who.uid;
    out->policy = link->policy;
    out->depth = link->session.welcome.depth;
    out->max_holds = link->session.welcome.holds;
    out->holding = shmv_link_n_held(link);
    out->latency = shmv_peek(&link->view->board->latency_us) * UINT64_C(1000);
  }
  out->received = reader->n_received;
  out->skipped = reader->n_skipped;
  out->copied = reader->n_copied;
  pthread_mutex_unlock(&reader->lock);
}

int
shmvideo_reader_get_error(struct shmvideo_reader *reader,
                          struct shmvideo_error *out_error)
{
  pthread_mutex_lock(&reader->lock);
  *out_error = reader->error;
  pthread_mutex_unlock(&reader->lock);
  return out_error->code == 0 ? -ENODATA : 0;
}
