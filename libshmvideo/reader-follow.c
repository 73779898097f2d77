/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The reader follows its path: links come and go. See reader.h. */

#include "os.h"

#include "reader.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* A writer that breaks the rules gets another chance (it may be restarted), but a
 * path where writers keep doing so is given up. */
#define MAX_VIOLATIONS 3
#define TRUSTED_FRAMES 100

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
int
shmv_reader_poll(struct shmvideo_reader *reader, int fd)
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

void
shmv_reader_drop_link(struct shmvideo_reader *reader)
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

void
shmv_reader_connect(struct shmvideo_reader *reader)
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
    code = shmv_reader_poll(reader, link->fd);
    if (code == 0)
      code = shmv_reader_poll(reader, link->release_fd);
    if (code == 0)
      code = shmv_reader_poll(reader, link->who.pidfd);
    if (code == 0) {
      shmv_watch_disarm(&reader->watch);
      shmv_log(&reader->log, SHMVIDEO_LOG_INFO, "connected to pid %d at %s",
               (int)link->who.pid, reader->path.text);
      return;
    }
    shmv_error_set(&error, code, 0, NULL, "Cannot poll the writer at %s: %s",
                   reader->path.text, strerror(-code));
    shmv_reader_drop_link(reader);
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
void
shmv_reader_violation(struct shmvideo_reader *reader, int code)
{
  struct shmvideo_error error;
  const struct shmv_link *link = reader->link;
  if (code == -EAGAIN) /* our answer did not fit: it reads nothing */
    code = -EPROTO;
  bool rules = code == -EPROTO || code == -EBADMSG || code == -EMSGSIZE ||
               code == -EXFULL;
  shmv_error_set(&error, code, (int)link->who.pid,
                 rules ? "Update or restart the program that writes there."
                       : "Free memory or descriptors, or raise their limits.",
                 "The writer at %s (pid %d) was left: %s", reader->path.text,
                 (int)link->who.pid, shmvideo_strerror(code));
  if (link->n_taken >= TRUSTED_FRAMES)
    reader->n_violations = 0;
  reader->lost |= link->view != NULL;
  shmv_reader_drop_link(reader);
  if (!rules || ++reader->n_violations >= MAX_VIOLATIONS) {
    fail(reader, &error);
    return;
  }
  set_error(reader, &error);
  shmv_log(&reader->log, SHMVIDEO_LOG_WARNING, "%s", error.message);
  shmv_watch_arm(&reader->watch, -ECONNREFUSED);
}

int
shmv_reader_no_frame(struct shmvideo_reader *reader, int code)
{
  struct shmvideo_error error;
  const struct shmv_link *link = reader->link;
  shmv_error_set(&error, code, (int)link->who.pid, "Free memory, and try again.",
                 "Cannot take a frame from the writer at %s (pid %d): %s",
                 reader->path.text, (int)link->who.pid,
                 shmvideo_strerror(code));
  set_error(reader, &error);
  shmv_log(&reader->log, SHMVIDEO_LOG_WARNING, "%s", error.message);
  return code;
}

void
shmv_reader_refused(struct shmvideo_reader *reader)
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
  shmv_reader_drop_link(reader);
  fail(reader, &error);
}

/* The link has nothing more to say and its writer is gone. */
void
shmv_reader_lost(struct shmvideo_reader *reader)
{
  struct shmvideo_error error;
  struct shmv_link *link = reader->link;
  shmv_error_set(&error, -EPIPE, (int)link->who.pid,
                 "A new writer at the path will be followed.",
                 "The writer at %s (pid %d) is gone", reader->path.text,
                 (int)link->who.pid);
  set_error(reader, &error);
  reader->lost = link->view != NULL && !link->ended;
  shmv_reader_drop_link(reader);
  shmv_watch_arm(&reader->watch, 0);
}

void
shmv_reader_say_accepts(struct shmvideo_reader *reader)
{
  struct shmv_link *link = reader->link;
  struct shmv_message message;
  if (link == NULL || link->hung_up || link->session.state == SHMV_R_OVER)
    return;
  shmv_reader_session_say(&link->session, SHMV_ACCEPTS, &message);
  if (reader->accepts != NULL) {
    message.text = reader->accepts;
    message.text_size = (uint32_t)strlen(reader->accepts);
  }
  int code = shmv_link_say(link, &message);
  if (code < 0 && code != -EPIPE && code != -ECONNRESET)
    shmv_reader_violation(reader, code);
}

/* ---- Dispatch ------------------------------------------------------------ */

void
shmv_reader_receive(struct shmvideo_reader *reader, bool stop_at_wake)
{
  int code = shmv_link_receive(reader->link, stop_at_wake);
  if (code < 0)
    shmv_reader_violation(reader, code);
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
    shmv_link_nudge(link);
  } else if (fd == link->fd) {
    shmv_reader_receive(reader, false);
  } else if (fd == link->who.pidfd) {
    /* Its last words first; a child of it may hold the socket open. */
    shmv_reader_receive(reader, false);
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
    shmv_reader_connect(reader);
  return reader->fatal;
}
