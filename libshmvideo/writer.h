/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer, seen from inside
 *
 * Owns a share. Two kinds of threads meet here: those on the frame path (acquire,
 * publish, release: writer-take.c, writer-frames.c) and the one that dispatches
 * (writer-dispatch.c and peer.c: accept, receive, close).
 *
 * One rule: the lock guards the fields that say so, is held for a few hundred
 * nanoseconds, and never across a system call. What dispatch takes away (a peer's
 * socket) it first hides under the lock, and destroys only when no frame-path
 * thread is sending through it.
 */

#ifndef SHMV_WRITER_H
#define SHMV_WRITER_H

#include <pthread.h>

#include "budget.h"
#include "clock.h"
#include "error.h"
#include "generation.h"
#include "session.h"
#include "socket.h"

/* Connections that have not said HELLO yet, beside the readers. */
#define SHMV_MAX_PENDING 32u
#define SHMV_MAX_PEERS (SHMV_MAX_READERS + SHMV_MAX_PENDING)

/* When the last reader left: how long until its memory is given back, ns. */
#define SHMV_SHRINK_TIME UINT64_C(1000000000)

/* When the system has no room for what is to be said, when to try again, ns. */
#define SHMV_SAY_PAUSE UINT64_C(100000000)

/* Slots beyond max_lent that our own copies may have out. */
#define SHMV_COPY_RESERVE 2u

/* A reader as its writer sees it. Dispatch's own, but for what the lock guards. */
struct shmv_peer {
  uint64_t id;
  struct shmv_peer_id who;
  int fd, page_fd;
  const struct shmv_page *page;
  struct shmv_writer_session session;
  struct shmv_budget budget; /* what it may say */
  char *accepts;      /* caps text, NULL: any */
  uint32_t place;     /* in readers[], SHMV_MAX_READERS: not admitted */
  uint64_t deadline;  /* for its HELLO, CLOCK_MONOTONIC ns */
  uint32_t ends_told; /* of the writer's n_ends */
  char *refusal;      /* sentence to go with session.refusal, may be NULL */
  uint32_t judged;    /* generation for which waits was found out, 0: none */
  bool waits;         /* it cannot take that generation's format */
  bool may_choose;    /* it has not said what it accepts since the last READY */
  bool wants_output;  /* EPOLLOUT is asked for */
  bool silenced;      /* broke a rule: we listen no more, but honour its holds */
  bool gone;          /* reap it */
  /* Under the lock: */
  uint32_t answered; /* wake ticket */
  bool owed;         /* a wake that the system had no room for */
  unsigned senders;  /* frame-path threads that use fd right now */
};

struct shmvideo_writer {
  struct shmvideo_writer_config config; /* path is not kept */
  struct shmv_log log;
  struct shmv_listener listener;
  int epoll_fd, kick_fd, timer_fd; /* timer: earliest deadline of any kind */
  int owner_fd; /* an epoll of epoll_fd, but while a waiter dispatches, and of news_fd */
  int news_fd;  /* eventfd: a waiter's dispatch had something to tell the owner */
  int wait_fd; /* eventfd: something changed for waiters; open until destroyed */
  uint64_t stream;
  atomic_bool dispatching;

  /* Dispatch's own: */
  struct shmv_peer *peers[SHMV_MAX_PEERS]; /* all connections */
  uint64_t next_id;
  struct shmv_budget lines; /* of the log, about readers */
  uint32_t n_unsaid;        /* since the last that was said */
  uint64_t accept_again; /* when descriptors ran out: not before then, ns */
  uint64_t shrink_at;    /* give memory back then, 0: no */
  uint64_t say_again;    /* the system was out of something: then, 0: no */
  uint64_t grow_at;      /* memory waits for who joins until then, 0: no */
  uint64_t timer_at;     /* when timer_fd expires, 0: never */
  char *wish;        /* fixed caps that the caller was asked for; NULL: none */
  uint64_t wish_for; /* by the reader with this id */
  uint64_t wish_at;  /* nothing else is asked for before then, ns */
  uint64_t wish_since; /* when it was told */
  bool wish_blocks;  /* somebody who takes the present format is kept out for it */
  bool wish_news;    /* the caller has not seen the last change of this */
  bool wish_turn;    /* others have their turn before the next wish */

  pthread_mutex_t lock; /* guards all that follows */
  unsigned refs;        /* the owner's, and one per slot that is out */
  bool closed;
  struct shmv_generation *generation; /* NULL: no format yet */
  uint32_t last_generation;
  uint64_t sequence; /* of the newest frame of all generations */
  struct shmv_claimant readers[SHMV_MAX_READERS];
  struct shmv_peer *placed[SHMV_MAX_READERS]; /* whose readers[] places are */
  bool growth_asked; /* dispatch was told that slots are missing */
  uint32_t n_places; /* all places from this one on are empty */
  uint32_t n_readers, n_waiters, ticket;
  uint32_t n_moves; /* times a place was taken or left */
  bool hidden; /* epoll_fd is, from the owner: waiters dispatch */
  uint64_t counted_at; /* when readers' lateness was counted last, ns */
  bool wish_refused;   /* by the caller; dispatch has not come to it */
  uint32_t n_ends; /* times the stream was said to end */
  uint64_t end_sequence;
  uint32_t end_generation; /* the present one then, 0: none */
  uint64_t latency_us;
  uint64_t n_frames, n_bytes, n_refused;
};

/* Frame path */
void shmv_writer_kick(struct shmvideo_writer *writer);

/* Wake a reader that sleeps. 0 or -errno. Without the lock. */
int shmv_writer_wake(const struct shmv_peer *peer);

/* Take a slot if one is free and less than max_lent + extra are out. 1 taken, 0
 * none; *blocked: lossless readers need the rest. -EINVAL: no format. */
int shmv_writer_take(struct shmvideo_writer *writer, uint32_t extra,
                     struct shmvideo_slot **out_slot, bool *blocked);

/* With the lock: a place was taken or left: see how far they reach. */
void shmv_writer_bound_places(struct shmvideo_writer *writer);

/* With the lock: the alignment of strides and planes that readers wish for. */
uint32_t shmv_writer_alignment(const struct shmvideo_writer *writer);

/* Whether a frame of this size may be of that one for the sake of an alignment. */
bool shmv_writer_may_grow(uint64_t max_memory, uint64_t size, uint64_t aligned);

/* The last reference is gone: free it, without the lock. */
void shmv_writer_destroy(struct shmvideo_writer *writer);

/* The present generation with a reference, or NULL; and giving it back. */
struct shmv_generation *shmv_writer_ref_generation(
    struct shmvideo_writer *writer);
void shmv_writer_unref_generation(struct shmvideo_writer *writer,
                                  struct shmv_generation *generation);

/* Swap the generation; returns the old one, whose reference the caller drops. The
 * lock is held. */
struct shmv_generation *shmv_writer_install(struct shmvideo_writer *writer,
                                            struct shmv_generation *generation);

/* Dispatch, on a thread that is n_self (0 or 1) of those that wait for a slot: only the
 * others are told that something may have changed. What the owner should know of a
 * waiter's dispatch goes to news_fd. */
int shmv_writer_dispatch(struct shmvideo_writer *writer, uint32_t n_self);

/* writer-memory.c: slots for all. */

/* Grow the generation towards what is needed for as many slots out as there are, and
 * some extra, by a slot and as many more as max_bytes allows. Takes the lock. 0: nothing
 * is missing; 1: there may be; or why memory ended. The caller has a reference. */
int shmv_writer_grow(struct shmvideo_writer *writer,
                     struct shmv_generation *generation, uint32_t extra_out,
                     size_t max_bytes);

/* On the dispatching thread: give readers some of the slots that they were granted, and
 * see to it that the next dispatch goes on. 0, or why memory ended. */
int shmv_writer_grow_some(struct shmvideo_writer *writer,
                          struct shmv_generation *generation);

/* On the dispatching thread: nobody reads any more. Seals forbid giving pages back; so a
 * pool of the least size takes the place of this. */
void shmv_writer_shrink(struct shmvideo_writer *writer);

/* peer*.c: one reader's connection. All on the dispatching thread. */

/* Take over an accepted connection. 0, -ENOMEM, … (it is closed then, or gone). */
int shmv_peer_new(struct shmvideo_writer *writer, int fd,
                  struct shmv_peer **out);

/* Take its place away: no claim looks at it, no new wake goes to it. */
void shmv_peer_unplace(struct shmvideo_writer *writer, struct shmv_peer *peer);

/* Close and free an unplaced peer that no thread sends to. False: its connection cannot
 * be closed yet (closing.h), try again; the last time, it stays open instead. */
bool shmv_peer_free(struct shmvideo_writer *writer, struct shmv_peer *peer,
                    bool last);

/* Take in what it sent. */
void shmv_peer_receive(struct shmvideo_writer *writer, struct shmv_peer *peer);

/* Say what is to be said to it, generation (NULL: none) being the present one. */
void shmv_peer_say(struct shmvideo_writer *writer, struct shmv_peer *peer,
                   const struct shmv_generation *generation);

/* Stop listening to a reader that broke a rule; its holds still count. */
void shmv_peer_silence(struct shmvideo_writer *writer, struct shmv_peer *peer,
                       const char *why);

/* It reads no more, but frames may still be held: its holds count to its end. */
void shmv_peer_leave(struct shmvideo_writer *writer, struct shmv_peer *peer);

/* A line about a reader, "reader 7 (pid 4711) …"; not said if there are too many. */
void shmv_peer_log(struct shmvideo_writer *writer, const struct shmv_peer *peer,
                   enum shmvideo_log_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* After HELLO: a place and a grant, or a refusal. */
void shmv_peer_admit(struct shmvideo_writer *writer, struct shmv_peer *peer);

/* Memory ended before the pool had the slots that readers were granted: refuse who
 * came last, until the rest is covered. */
void shmv_peer_shed(struct shmvideo_writer *writer,
                    const struct shmv_generation *generation);

/* REFUSED is to be said to it, with this sentence. */
void shmv_peer_refuse(struct shmvideo_writer *writer, struct shmv_peer *peer,
                      enum shmv_wire_refusal refusal, const char *sentence);

/* writer-wish.c: what readers ask for. All on the dispatching thread. */

/* Whether the generation's format may go to it now. If not it waits for another, or
 * for the end of a wish, or it was refused. */
bool shmv_peer_fits(struct shmvideo_writer *writer, struct shmv_peer *peer,
                    const struct shmv_generation *generation);

/* See what became of the wish; whether the caller is to be told something. */
bool shmv_wish_settle(struct shmvideo_writer *writer,
                      const struct shmv_generation *generation, uint64_t now);

/* When the next wish may be told, or this one has kept others out for long enough; 0:
 * nobody waits, or it may be now. */
uint64_t shmv_wish_due(const struct shmvideo_writer *writer, uint64_t now);

/* Forget the wish. */
void shmv_wish_drop(struct shmvideo_writer *writer);

/* Which epoll events its socket is polled for. */
void shmv_peer_poll(struct shmvideo_writer *writer, struct shmv_peer *peer,
                    uint32_t events);

#endif
