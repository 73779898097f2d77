/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What the reader tells next: frames of the present format, then the next format,
 * then the loss; the end after the last frame before it. See reader.h.
 */

#include "os.h"

#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
announce_format(struct shmvideo_reader *reader)
{
  struct shmv_link *link = reader->link;
  char *caps = strdup(link->next->caps);
  if (caps == NULL)
    return shmv_reader_no_frame(reader, -ENOMEM);
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
    shmv_reader_violation(reader, code);
  return SHMVIDEO_NEW_FORMAT;
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
    shmv_reader_violation(reader, code);
    return 0;
  }
  return code < 0 ? shmv_reader_no_frame(reader, code) : code;
}

/* Who wants the newest frame does not want the last one of an old format, which may
 * be as old as a pause was long. */
static bool
passes_by(const struct shmvideo_reader *reader)
{
  const struct shmv_link *link = reader->link;
  return reader->newest &&
         (link->next != NULL || shmv_link_is_superseded(link));
}

/* What the link has to tell now; 0: nothing. It may be gone after this. */
static int
next(struct shmvideo_reader *reader, const struct shmvideo_frame **out_frame)
{
  struct shmv_link *link = reader->link;
  if (link->view != NULL && !passes_by(reader) && !shmv_link_end_is_due(link)) {
    /* Asked first: a hold that comes back just after a vain look for one must not
     * have us go on to an end or a format past the frame that it was for. */
    if (shmv_link_is_blocked(link))
      return 0;
    int code = take(reader, reader->newest, out_frame);
    if (code != 0 || reader->link == NULL)
      return code;
  }
  if (link->ending) { /* before the frames and formats after it */
    shmv_link_pass_end(link);
    return SHMVIDEO_END;
  }
  if (link->next != NULL)
    return announce_format(reader);
  if (link->refusal != 0)
    shmv_reader_refused(reader);
  else if (link->hung_up)
    shmv_reader_lost(reader);
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
  if (shmv_link_end_is_due(link))
    return true;
  if (passes_by(reader)) {
    if (link->ending)
      return true;
  } else {
    if (shmv_link_is_blocked(link))
      return false;
    if (shmv_link_has_frame(link))
      return true;
  }
  return link->next != NULL || link->hung_up || link->refusal != 0;
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
  reader->newest = newest;
  /* Frames can vanish between look and hold; a writer for which that goes on for
   * ever lies. */
  for (int i = 0; i < 1000; i++) {
    if (reader->lost) {
      reader->lost = false;
      return SHMVIDEO_LOST;
    }
    if (reader->fatal < 0)
      return reader->fatal;
    int code = reader->link != NULL ? next(reader, out_frame) : 0;
    if (code != 0)
      return code;
    if (arm(reader))
      return SHMVIDEO_AGAIN;
  }
  if (reader->link != NULL) /* it may have gone in the last of those turns */
    shmv_reader_violation(reader, -EPROTO);
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

/* How often to look at the head before looking at the clock. */
#define LOOKS_PER_TIME 16

/* ---- Waiting ------------------------------------------------------------- */

/* Sleep until something happens. The common case, a wake on the socket, is taken in
 * with one receive, perhaps later; all else goes through dispatch. 1 woken, 0 time is up. */
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
    /* The frame first: its caller has no use for the message. */
    if (has_news(reader))
      reader->unread = true;
    else
      shmv_reader_receive(reader, true);
    return 1;
  }
  int code = shmvideo_reader_dispatch(reader);
  return code < 0 ? code : 1;
}

/* Look for a frame for a while, without having asked to be woken: the writer makes no
 * system call for us, and we see its frame as soon as it is there. All other news come
 * as messages, for which we look afterwards. */
static bool
spin(const struct shmvideo_reader *reader)
{
  const struct shmv_link *link = reader->link;
  if (link == NULL || link->view == NULL || shmv_link_is_blocked(reader->link))
    return false;
  shmv_slot_disarm(link->page);
  uint64_t end = shmv_now() + reader->spin;
  do
    for (int i = 0; i < LOOKS_PER_TIME; i++) {
      if (shmv_link_has_frame(link))
        return true;
      shmv_relax();
    }
  while (shmv_now() < end);
  return false;
}

int
shmvideo_reader_wait(struct shmvideo_reader *reader, uint64_t timeout,
                     int cancel_fd)
{
  uint64_t start = timeout != SHMVIDEO_TIME_NONE ? shmv_now() : 0;
  if (reader->unread && reader->link != NULL)
    shmv_reader_receive(reader, true);
  reader->unread = false;
  if (reader->spin > 0 && !has_news(reader) && spin(reader))
    return 1;
  for (;;) {
    if (!arm(reader))
      return 1;
    uint64_t left = timeout;
    if (timeout != SHMVIDEO_TIME_NONE) {
      uint64_t spent = shmv_now() - start;
      left = spent < timeout ? timeout - spent : 0;
    }
    int code = sleep_once(reader, left, cancel_fd);
    if (code <= 0)
      return code;
  }
}
