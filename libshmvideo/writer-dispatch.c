/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's control path: readers come, talk and go. One thread at a time, and
 * nothing here is waited for by the frame path.
 *
 * Each dispatch takes in what the descriptors announced, then looks at every peer
 * once: who is to be told something, who is gone. So nothing depends on which
 * event came first.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "closing.h"
#include "testpoint.h"

/* Connections taken in one dispatch: the others want a turn. */
#define ACCEPTS_PER_TURN 16

/* When descriptors ran out, when to try again. */
#define ACCEPT_PAUSE UINT64_C(500000000)

/* ---- Coming -------------------------------------------------------------- */

/* A free seat, if there is one; and who has sat longest without a place, if there are
 * too many of those. */
static struct shmv_peer **
find_seat(struct shmvideo_writer *writer, struct shmv_peer ***out_oldest)
{
  struct shmv_peer **seat = NULL, **oldest = NULL;
  uint32_t n_pending = 0;
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer **p = &writer->peers[i];
    if (*p == NULL) {
      seat = seat != NULL ? seat : p;
    } else if ((*p)->place == SHMV_MAX_READERS && !(*p)->gone) {
      n_pending++;
      if (oldest == NULL || (*p)->id < (*oldest)->id)
        oldest = p;
    }
  }
  *out_oldest = n_pending >= SHMV_MAX_PENDING ? oldest : NULL;
  return seat;
}

static void
free_seat(struct shmvideo_writer *writer, struct shmv_peer **seat)
{
  if (shmv_peer_free(writer, *seat, false))
    *seat = NULL;
}

/* Those who never say HELLO must not keep out those who do. What somebody has said by
 * now is heard first, and answered: he may just have been behind many. */
static struct shmv_peer **
make_seat(struct shmvideo_writer *writer)
{
  struct shmv_peer **oldest;
  struct shmv_peer **seat = find_seat(writer, &oldest);
  for (uint32_t i = 0; i < SHMV_MAX_PENDING && oldest != NULL; i++) {
    struct shmv_peer *peer = *oldest;
    shmv_peer_receive(writer, peer);
    if (peer->place == SHMV_MAX_READERS) {
      shmv_peer_say(writer, peer, NULL);
      if (!peer->gone)
        shmv_peer_silence(writer, peer, "others wait, and it says nothing");
      free_seat(writer, oldest);
    }
    seat = find_seat(writer, &oldest);
  }
  return seat;
}

/* 0, -EAGAIN: nobody waits, or why not. */
static int
accept_one(struct shmvideo_writer *writer)
{
  struct shmv_peer **oldest, **seat = find_seat(writer, &oldest);
  int fd;
  if (seat == NULL && oldest == NULL)
    return -EUSERS;
  int code = shmv_listener_accept(&writer->listener, &fd);
  if (code < 0)
    return code;
  seat = make_seat(writer);
  if (seat == NULL) {
    (void)shmv_close_connection(fd);
    return -EUSERS;
  }
  code = shmv_peer_new(writer, fd, seat);
  if (code < 0 && *seat != NULL)
    free_seat(writer, seat);
  return code;
}

static void
listen_again(struct shmvideo_writer *writer, bool listen)
{
  struct epoll_event event = {.events = listen ? EPOLLIN : 0,
                              .data.ptr = &writer->listener};
  epoll_ctl(writer->epoll_fd, EPOLL_CTL_MOD, writer->listener.fd, &event);
}

static void
accept_readers(struct shmvideo_writer *writer)
{
  for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
    int code = accept_one(writer);
    if (code == -EAGAIN)
      return;
    if (code < 0) {
      shmv_log(&writer->log, SHMVIDEO_LOG_WARNING,
               "a reader could not be let in: %s", strerror(-code));
      /* It stays in the queue; do not spin on it. */
      writer->accept_again = shmv_now() + ACCEPT_PAUSE;
      listen_again(writer, false);
      return;
    }
  }
}

/* ---- Going --------------------------------------------------------------- */

static void
mark_broken(struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer *peer = writer->peers[i];
    if (peer == NULL || peer->place == SHMV_MAX_READERS || peer->gone)
      continue;
    pthread_mutex_lock(&writer->lock);
    bool broken = writer->readers[peer->place].broken;
    pthread_mutex_unlock(&writer->lock);
    if (broken) {
      shmv_peer_log(writer, peer, SHMVIDEO_LOG_WARNING,
                    "dropped: its page breaks the rules");
      peer->gone = true;
    }
  }
}

static void
reap(struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer *peer = writer->peers[i];
    if (peer == NULL || !peer->gone)
      continue;
    bool was_reader = peer->place != SHMV_MAX_READERS;
    shmv_peer_unplace(writer, peer);
    pthread_mutex_lock(&writer->lock);
    bool busy = peer->senders > 0;
    pthread_mutex_unlock(&writer->lock);
    if (was_reader)
      shmv_peer_log(writer, peer, SHMVIDEO_LOG_INFO, "left");
    if (busy) /* the sender kicks us when it is done */
      continue;
    if (shmv_peer_free(writer, peer, false))
      writer->peers[i] = NULL;
    else
      writer->say_again = shmv_now() + SHMV_SAY_PAUSE;
  }
}

/* ---- Time ---------------------------------------------------------------- */

static void
earlier(uint64_t *next, uint64_t candidate)
{
  if (candidate != 0 && candidate < *next)
    *next = candidate;
}

/* The timer's next expiry, 0: never. */
static void
set_timer(struct shmvideo_writer *writer, uint64_t next)
{
  struct itimerspec at = {.it_value = {.tv_sec = (time_t)(next / 1000000000),
                                       .tv_nsec = (long)(next % 1000000000)}};
  if (next != writer->timer_at)
    timerfd_settime(writer->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
  writer->timer_at = next;
}

static void
act_on_time(struct shmvideo_writer *writer)
{
  uint64_t now = shmv_now(), next = UINT64_MAX;
  if (writer->accept_again != 0 && now >= writer->accept_again) {
    writer->accept_again = 0;
    listen_again(writer, true);
  }
  if (writer->shrink_at != 0 && now >= writer->shrink_at) {
    writer->shrink_at = 0;
    shmv_writer_shrink(writer);
  }
  if (writer->say_again != 0 && now >= writer->say_again)
    writer->say_again = 0; /* it was tried just now */
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer *peer = writer->peers[i];
    if (peer == NULL || peer->gone || peer->session.state != SHMV_W_NEW)
      continue;
    if (now >= peer->deadline) {
      shmv_peer_silence(writer, peer, "no HELLO in time");
      shmv_writer_kick(writer); /* to be reaped */
    } else {
      earlier(&next, peer->deadline);
    }
  }
  earlier(&next, writer->accept_again);
  earlier(&next, writer->shrink_at);
  earlier(&next, writer->say_again);
  earlier(&next, writer->grow_at);
  earlier(&next, shmv_wish_due(writer, now));
  set_timer(writer, next != UINT64_MAX ? next : 0);
}

/* ---- Dispatch ------------------------------------------------------------ */

static void
take_peer_event(struct shmvideo_writer *writer, struct shmv_peer *peer,
                const struct epoll_event *event, bool is_process)
{
  if (is_process || (event->events & (EPOLLHUP | EPOLLERR)))
    peer->gone = true;
  else if (event->events & EPOLLIN)
    shmv_peer_receive(writer, peer);
}

/* What an event belongs to: the address of a descriptor of our own; else a peer, and by
 * the low bit its socket or its process. True: somebody wants to be let in. */
static bool
take_event(struct shmvideo_writer *writer, const struct epoll_event *event)
{
  uintptr_t data = (uintptr_t)event->data.ptr;
  uint64_t count;
  if (event->data.ptr == &writer->listener)
    return true;
  if (event->data.ptr == &writer->kick_fd) {
    eventfd_read(writer->kick_fd, &count);
  } else if (event->data.ptr == &writer->timer_fd) {
    if (read(writer->timer_fd, &count, sizeof count) > 0)
      writer->timer_at = 0;
  } else {
    take_peer_event(writer, (struct shmv_peer *)(data & ~(uintptr_t)1), event,
                    data & 1);
  }
  return false;
}

/* True: the caller is to be told of a wish. */
static bool
say_all(struct shmvideo_writer *writer)
{
  struct shmv_generation *generation = shmv_writer_ref_generation(writer);
  writer->wish_turn = writer->wish_blocks = false; /* this is it; and who is? */
  pthread_mutex_lock(&writer->lock);
  uint32_t n_ends = writer->n_ends;
  uint32_t end = (uint32_t)writer->end_sequence;
  uint32_t end_generation = writer->end_generation;
  pthread_mutex_unlock(&writer->lock);
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer *peer = writer->peers[i];
    if (peer == NULL)
      continue;
    if (peer->place != SHMV_MAX_READERS && peer->ends_told != n_ends) {
      peer->ends_told = n_ends;
      peer->session.say_end = true;
      peer->session.end = end;
      peer->session.end_generation = end_generation;
    }
    shmv_peer_say(writer, peer, generation);
  }
  if (generation != NULL && shmv_writer_grow_some(writer, generation) < 0)
    shmv_peer_shed(writer, generation);
  bool news = shmv_wish_settle(writer, generation, shmv_now());
  shmv_writer_unref_generation(writer, generation);
  return news;
}

static uint32_t
count_moves(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  uint32_t n_moves = writer->n_moves;
  pthread_mutex_unlock(&writer->lock);
  return n_moves;
}

int
shmv_writer_dispatch(struct shmvideo_writer *writer, uint32_t n_self)
{
  if (atomic_exchange(&writer->dispatching, true))
    return 0;
  uint32_t n_moves = count_moves(writer);
  struct epoll_event events[64];
  int n = epoll_wait(writer->epoll_fd, events, 64, 0);
  int code = n < 0 && errno != EINTR ? -errno : 0;
  bool come = false;
  for (int i = 0; i < n; i++)
    come |= take_event(writer, &events[i]);
  mark_broken(writer);
  reap(writer);
  if (come && writer->accept_again == 0)
    accept_readers(writer);
  if (say_all(writer) && code == 0)
    code = SHMVIDEO_WISH;
  act_on_time(writer);
  pthread_mutex_lock(&writer->lock);
  bool waiters = writer->n_waiters > n_self;
  bool news = code == SHMVIDEO_WISH || writer->n_moves != n_moves;
  pthread_mutex_unlock(&writer->lock);
  atomic_store(&writer->dispatching, false);
  if (waiters)
    eventfd_write(writer->wait_fd, 1);
  if (n_self > 0 && news)
    eventfd_write(writer->news_fd, 1);
  return code;
}

int
shmvideo_writer_dispatch(struct shmvideo_writer *writer)
{
  eventfd_t value;
  eventfd_read(writer->news_fd, &value); /* first: what comes later is news again */
  return shmv_writer_dispatch(writer, 0);
}
