/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Links
 *
 * Owns one connection of a reader to one writer: socket, page, the view of the
 * present generation and of the next, and the frames held. Counted: it lives until
 * the reader has left it and its last frame is released, so that the writer keeps
 * honouring the holds.
 *
 * One rule: frames are released on any thread, all else happens on the reader's
 * one; so what releasing touches is atomic or never changes after the frame was
 * handed out.
 */

#ifndef SHMV_LINK_H
#define SHMV_LINK_H

#include "budget.h"
#include "clock.h"
#include "error.h"
#include "session.h"
#include "socket.h"
#include "view.h"

struct shmv_link;

/* A hold word and the frame in it. */
struct shmv_held {
  struct shmvideo_frame pub; /* first: callers see only this */
  struct shmv_link *link;
  struct shmv_view *view;
  uint32_t index; /* of the hold word */
  atomic_bool used;
};

struct shmv_link {
  atomic_uint refs;
  int fd;
  int release_fd; /* eventfd: a frame came back while none could be held, or while
                     there was no memory to tell the writer so */
  struct shmv_peer_id who;
  struct shmv_page *page;
  struct shmv_reader_session session;
  struct shmv_budget budget; /* what the writer may say */
  struct shmv_view *view; /* NULL before the first format was announced */
  struct shmv_view *next; /* announced by the writer, not yet to the caller */
  uint32_t policy;        /* as it is now */
  uint32_t last;          /* latest: sequence taken last */
  uint32_t cursor;        /* lossless: sequence to take next */
  uint64_t n_taken;
  bool ending; /* END came, for after the frame `end` */
  uint32_t end;
  bool ended;   /* END was told to the caller; nothing came since */
  bool hung_up; /* the writer's process or socket is gone */
  int refusal;  /* negative errno, 0: none */
  char refusal_text[900];
  atomic_uint nudged;  /* writer's ticket that was answered last */
  atomic_bool starved; /* tell release_fd at the next release */
  struct shmv_held held[SHMV_MAX_HOLDS];
};

/* Take over a connected socket and say HELLO. 0 or -errno (fd is closed then). */
int shmv_link_new(struct shmv_link **out, int fd,
                  const struct shmv_hello *hello, const char *accepts);

/* The reader leaves: says BYE, drops its reference. */
void shmv_link_leave(struct shmv_link *link);

/* Send one message. 0, -EAGAIN, -EPIPE, … */
int shmv_link_say(struct shmv_link *link, const struct shmv_message *message);

/* Drop one reference. Any thread. */
void shmv_link_unref(struct shmv_link *link);

/* Take in what the writer sent, all of it, or up to a WAKE if that is what woke
 * us. Sets next, ending, hung_up, refusal. 0; -EPROTO, -EBADMSG: the writer broke
 * the rules; -ENOMEM, -EMFILE, … */
int shmv_link_receive(struct shmv_link *link, bool stop_at_wake);

/* Whether a frame is there but every hold word is in use. Then starved is set, and
 * checked again. */
bool shmv_link_is_blocked(struct shmv_link *link);
uint32_t shmv_link_n_held(const struct shmv_link *link);

/* Whether a newer frame than the last one taken is on the board, or a lie about it. */
bool shmv_link_has_frame(const struct shmv_link *link);

/* Whether newer frames than all of the present view are to come in another, of which
 * a living writer will tell. */
bool shmv_link_is_superseded(const struct shmv_link *link);

/* Take a frame. 1; 0: none (or, see is_blocked, none can be held); -EPROTO: the
 * writer lies; -ENOMEM, … *demoted: the writer no longer waits for us. */
int shmv_link_take(struct shmv_link *link, bool newest,
                   const struct shmvideo_frame **out_frame, bool *demoted);

/* release_fd was readable: a writer that waits may not have been told. */
void shmv_link_nudge(struct shmv_link *link);

/* Go on to the next view; returns the old one (or NULL), to be unreferenced. */
struct shmv_view *shmv_link_advance(struct shmv_link *link);

/* Tell the writer so. 0 or -errno. */
int shmv_link_say_ready(struct shmv_link *link);

/* Whether END is due: no frame up to it is to be taken any more. */
bool shmv_link_end_is_due(const struct shmv_link *link);

/* END is told: no frame up to it will be taken. */
void shmv_link_pass_end(struct shmv_link *link);

#endif
