/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer waits for lossless readers
 *
 * Owns backpressure: only for readers that asked, only if the writer allows it,
 * each only for so long; then it is demoted, never killed.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* With the lock, now and then while somebody waits: for how long each lossless reader
 * has left a frame that it needs, or a format that it must follow. All at once, so that
 * many readers that stopped cost no more time than one. */
static void
count_lateness(struct shmvideo_writer *writer, uint64_t now)
{
  uint64_t waited = writer->n_waiters > 0 ? now - writer->counted_at : 0;
  struct shmv_claims *claims = &writer->generation->claims;
  writer->counted_at = now;
  for (uint32_t i = 0; i < writer->n_places; i++) {
    struct shmv_claimant *reader = &writer->readers[i];
    if (reader->page == NULL || reader->broken || !reader->lossless)
      continue;
    uint32_t from = shmv_slot_needed_from(claims, reader);
    bool has_all = shmv_serial_diff(from, (uint32_t)claims->sequence) > 0 &&
                   (reader->told == 0 ||
                    reader->told == writer->generation->number);
    reader->late = from == reader->late_for && !has_all ? reader->late + waited
                                                        : 0;
    reader->late_for = from;
  }
}

/* With the lock: the lossless reader that has been late for longest, or NULL. */
static struct shmv_claimant *
find_slowest(struct shmvideo_writer *writer)
{
  struct shmv_claimant *slowest = NULL;
  for (uint32_t i = 0; i < writer->n_places; i++) {
    struct shmv_claimant *reader = &writer->readers[i];
    if (reader->page != NULL && !reader->broken && reader->lossless &&
        (slowest == NULL || reader->late > slowest->late))
      slowest = reader;
  }
  return slowest;
}

/* With the lock: who has had his time is demoted, slowest first. The board says so
 * before any claim takes his frame. Returns when the next one's time is up. */
static uint64_t
demote_slowest(struct shmvideo_writer *writer, uint64_t now)
{
  uint64_t patience = writer->config.backpressure_timeout;
  struct shmv_board *board = writer->generation->board;
  struct shmv_claimant *slowest = find_slowest(writer);
  if (slowest != NULL && slowest->late >= patience) {
    shmv_store(&board->readers[slowest - writer->readers],
               SHMV_READER_DEMOTED);
    slowest->lossless = false;
    slowest->demoted = true;
    return now; /* perhaps that was all: look */
  }
  return now + patience - (slowest != NULL ? slowest->late : 0);
}

/* One wait, until something may have changed: 0, or -ECANCELED. */
static int
wait_once(struct shmvideo_writer *writer, int cancel_fd, uint64_t deadline)
{
  struct pollfd fds[3] = {{.fd = writer->wait_fd, .events = POLLIN},
                          {.fd = cancel_fd, .events = POLLIN},
                          {.fd = writer->epoll_fd, .events = POLLIN}};
  if (atomic_load(&writer->dispatching))
    fds[2].fd = -1; /* another thread is at it, and tells wait_fd when done */
  uint64_t now = shmv_now();
  uint64_t left = deadline > now ? deadline - now : 0;
  struct timespec ts = {.tv_sec = (time_t)(left / 1000000000),
                        .tv_nsec = (long)(left % 1000000000)};
  if (ppoll(fds, 3, &ts, NULL) < 0 && errno != EINTR)
    return -errno;
  if (fds[1].revents != 0)
    return -ECANCELED;
  eventfd_t value;
  if (fds[0].revents != 0)
    eventfd_read(writer->wait_fd, &value);
  if (fds[2].revents != 0)
    shmv_writer_dispatch(writer, 1);
  return 0;
}

/* Whether the owner is told of events. While a thread waits, that thread takes them in: to
 * wake two for each frame that a reader lets go would cost more than all else. */
static void
show_events(struct shmvideo_writer *writer, bool show)
{
  struct epoll_event event = {.events = show ? EPOLLIN : 0};
  epoll_ctl(writer->owner_fd, EPOLL_CTL_MOD, writer->epoll_fd, &event);
}

/* With a ticket on the board for readers to see. Returns until when to wait. */
static uint64_t
begin_to_wait(struct shmvideo_writer *writer)
{
  uint64_t now = shmv_now(), deadline = now;
  pthread_mutex_lock(&writer->lock);
  struct shmv_generation *generation = writer->generation;
  if (++writer->ticket == 0)
    writer->ticket = 1;
  if (generation != NULL) {
    count_lateness(writer, now);
    deadline = demote_slowest(writer, now);
    shmv_slot_wait(generation->board, writer->ticket);
  }
  writer->n_waiters++;
  pthread_mutex_unlock(&writer->lock);
  return deadline;
}

/* True: others wait still. */
static bool
end_to_wait(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  if (writer->generation != NULL)
    count_lateness(writer, shmv_now());
  bool others = --writer->n_waiters > 0, show = !others && writer->hidden;
  if (writer->generation != NULL && !others)
    shmv_slot_unwait(writer->generation->board);
  if (show)
    writer->hidden = false;
  pthread_mutex_unlock(&writer->lock);
  if (show)
    show_events(writer, true);
  return others;
}

/* Between begin and end, so that the last who ends finds it done. */
static void
hide_events(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  bool hide = !writer->hidden;
  writer->hidden = true;
  pthread_mutex_unlock(&writer->lock);
  if (hide)
    show_events(writer, false);
}

int
shmvideo_writer_acquire_wait(struct shmvideo_writer *writer, int to_copy,
                             int cancel_fd, struct shmvideo_slot **out_slot)
{
  uint32_t extra = to_copy != 0 ? SHMV_COPY_RESERVE : 0;
  bool blocked, others = false;
  int code = shmv_writer_take(writer, extra, out_slot, &blocked);
  while (code == 0 && blocked) {
    uint64_t deadline = begin_to_wait(writer);
    int result = 0;
    /* The whole claim again: a reader that let go before it could see the ticket
     * is seen by this claim. */
    code = shmv_writer_take(writer, extra, out_slot, &blocked);
    if (code == 0 && blocked) {
      hide_events(writer);
      result = wait_once(writer, cancel_fd, deadline);
    }
    others = end_to_wait(writer);
    if (result < 0)
      return result;
    if (code == 0 && blocked)
      code = shmv_writer_take(writer, extra, out_slot, &blocked);
  }
  /* What woke us may have woken nobody else: there may be a slot for him too. */
  if (others && code == 1)
    eventfd_write(writer->wait_fd, 1);
  return code;
}
