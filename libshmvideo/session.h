/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sessions
 *
 * Owns who may say what when, for both ends of one connection:
 *
 *     reader                      writer
 *     HELLO          ----->       admitted? else REFUSED
 *                    <-----       PAGE
 *     MAPPED         ----->
 *                    <-----       WELCOME
 *                    <-----       FORMAT   as soon as there is one
 *     READY          ----->                now frames flow
 *                    <-----       FORMAT   only after READY for the one before
 *     ACCEPTS, NUDGE ----->
 *                    <-----       WAKE, END, REFUSED
 *     BYE            <---->
 *
 * One rule: a message that its table does not allow in the present state, or whose
 * numbers are out of bounds, is -EPROTO and ends the session. The writer queues
 * nothing: per reader there are flags of what is still to be said, and at most one
 * unanswered FORMAT. Pure: message in, step out; flags in, message out.
 */

#ifndef SHMV_SESSION_H
#define SHMV_SESSION_H

#include <stdbool.h>

#include "wire.h"

/* What a received message asks the caller to do. Its content is in the message. */
enum shmv_step {
  SHMV_STEP_NONE,    /* nothing */
  SHMV_STEP_HELLO,   /* writer: admit or refuse */
  SHMV_STEP_PAGE,    /* reader: map the page, then shmv_reader_session_mapped */
  SHMV_STEP_MAPPED,  /* writer: seal the page */
  SHMV_STEP_WELCOME, /* reader: the grants are valid */
  SHMV_STEP_FORMAT,  /* reader: map the generation, then ..._ready */
  SHMV_STEP_READY,   /* writer: the reader is in this generation */
  SHMV_STEP_ACCEPTS, /* writer: check the current format against it */
  SHMV_STEP_REFUSED, /* reader: say so */
  SHMV_STEP_END,     /* reader: the stream ends after a frame */
  SHMV_STEP_BYE,     /* either: the other side leaves */
  SHMV_STEP_WAKE,    /* reader: look at the head */
  SHMV_STEP_NUDGE    /* writer: look for slots */
};

/* ---- Writer's end -------------------------------------------------------- */

enum shmv_writer_state {
  SHMV_W_NEW,      /* waits for HELLO, not for ever */
  SHMV_W_ADMITTED, /* waits for MAPPED */
  SHMV_W_LIVE,
  SHMV_W_LEAVING /* said or was told BYE or REFUSED: only holds count */
};

struct shmv_writer_session {
  enum shmv_writer_state state;
  uint32_t serial_in, serial_out; /* of the last message */
  struct shmv_hello hello;        /* as received */
  struct shmv_welcome welcome;    /* as granted */
  uint32_t sent_generation;       /* of the last FORMAT, 0: none */
  uint32_t ready_generation;      /* of the last READY, 0: none */
  bool say_page, say_welcome, say_end; /* still to be said */
  uint32_t end, end_generation;        /* END's sequence, and whose frame it is */
  uint32_t refusal;                    /* not 0: REFUSED is to be said */
};

/* Take a message in. An enum shmv_step, or -EPROTO; -EPROTONOSUPPORT for a HELLO
 * without a version we speak. */
int shmv_writer_session_take(struct shmv_writer_session *session,
                             const struct shmv_message *message);

/* After STEP_HELLO: let the reader in, granted what is in session->welcome. */
void shmv_writer_session_admit(struct shmv_writer_session *session);

/* What is to be said next, generation being the newest (0: none): fills type,
 * serial and the small bodies; the caller adds FORMAT's body, texts, descriptors.
 * False: nothing. */
bool shmv_writer_session_next(const struct shmv_writer_session *session,
                              uint32_t generation,
                              struct shmv_message *out_message);

/* That message went out. */
void shmv_writer_session_sent(struct shmv_writer_session *session,
                              const struct shmv_message *message);

/* ---- Reader's end -------------------------------------------------------- */

enum shmv_reader_state {
  SHMV_R_WAIT_PAGE,    /* HELLO is said */
  SHMV_R_WAIT_WELCOME, /* MAPPED is said */
  SHMV_R_LIVE,
  SHMV_R_OVER /* REFUSED or BYE came */
};

struct shmv_reader_session {
  enum shmv_reader_state state;
  uint32_t serial_in, serial_out;
  struct shmv_hello hello; /* as sent */
  struct shmv_welcome welcome;
  uint32_t page_holds;
  uint32_t generation; /* of the last FORMAT */
  bool ready;          /* READY was said for it */
};

/* Begin: fills the HELLO to send (but its text). */
void shmv_reader_session_init(struct shmv_reader_session *session,
                              const struct shmv_hello *hello,
                              struct shmv_message *out_message);

/* Take a message in. An enum shmv_step, or -EPROTO, or -ENOMEM. FORMAT's numbers have
 * been checked against each other and against its caps text. */
int shmv_reader_session_take(struct shmv_reader_session *session,
                             const struct shmv_message *message);

/* The page, or the announced generation, is mapped: fills the answer to send. */
void shmv_reader_session_mapped(struct shmv_reader_session *session,
                                struct shmv_message *out_message);
void shmv_reader_session_ready(struct shmv_reader_session *session,
                               struct shmv_message *out_message);

/* Any other message of ours (BYE, ACCEPTS): gives it its serial. */
void shmv_reader_session_say(struct shmv_reader_session *session, uint32_t type,
                             struct shmv_message *out_message);

#endif
