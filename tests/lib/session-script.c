/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "session-script.h"

#include <string.h>

#include "board.h"
#include "shmvtest.h"

/* ---- Messages that are right
 * ------------------------------------------------- */

const struct shmv_hello script_hello = {1, 1, SHMVIDEO_LOSSLESS, 8, 2, 4, 0};
const struct shmv_welcome script_welcome = {1, SHMVIDEO_LOSSLESS, 5, 77, 8, 3,
                                            1};
#define CAPS                                                                   \
  "video/x-raw, format=(string)RGBA, width=(int)64, height=(int)32, "          \
  "framerate=(fraction)25/1"

void
script_fill_format(struct shmv_message *message, uint32_t generation)
{
  struct shmv_format_message *f = &message->u.format;
  f->generation = generation;
  f->n_slots = 10;
  f->slot_size = 8192;
  f->pool_size = 81920;
  f->board_size = SHMV_BOARD_SIZE;
  g_assert_cmpint(shmvideo_format_from_caps(&f->format, CAPS, NULL), ==, 0);
  g_assert_cmpuint(f->format.size, ==, 8192);
  message->text = CAPS;
  message->text_size = sizeof CAPS - 1;
}

/* A message of this type with a body that is right for its first use. */
struct shmv_message
script_message(uint32_t type, uint32_t serial)
{
  struct shmv_message message = {.type = type, .serial = serial};
  if (type == SHMV_WAKE || type == SHMV_NUDGE)
    message.serial = 0;
  if (type == SHMV_HELLO)
    message.u.hello = script_hello;
  else if (type == SHMV_PAGE)
    message.u.page_holds = SHMV_MAX_HOLDS;
  else if (type == SHMV_WELCOME)
    message.u.welcome = script_welcome;
  else if (type == SHMV_FORMAT)
    script_fill_format(&message, 1);
  else if (type == SHMV_READY)
    message.u.generation = 1;
  else if (type == SHMV_REFUSED)
    message.u.refusal = SHMV_REFUSED_MEMORY;
  return message;
}

int
script_writer_take(struct shmv_writer_session *session, uint32_t type)
{
  struct shmv_message message = script_message(type, session->serial_in + 1);
  return shmv_writer_session_take(session, &message);
}

int
script_reader_take(struct shmv_reader_session *session, uint32_t type)
{
  struct shmv_message message = script_message(type, session->serial_in + 1);
  return shmv_reader_session_take(session, &message);
}

/* The writer says what it has to say; its type, 0: nothing. */
uint32_t
script_writer_say(struct shmv_writer_session *session, uint32_t generation)
{
  struct shmv_message message;
  if (!shmv_writer_session_next(session, generation, &message))
    return 0;
  g_assert_cmpuint(message.serial, ==, session->serial_out + 1);
  if (message.type == SHMV_FORMAT)
    script_fill_format(&message, generation);
  shmv_writer_session_sent(session, &message);
  return message.type;
}

/* ---- The states of the page
 * -------------------------------------------------- */

const char *
script_writer_state(const struct shmv_writer_session *session)
{
  switch (session->state) {
    case SHMV_W_NEW:
      return session->refusal != 0 ? "LEAVING" : "NEW";
    case SHMV_W_ADMITTED:
      return "ADMITTED";
    case SHMV_W_LIVE:
      return session->sent_generation == session->ready_generation ? "ANSWERED"
                                                                   : "ASKED";
    default:
      return "LEAVING";
  }
}

const char *
script_reader_state(const struct shmv_reader_session *session)
{
  switch (session->state) {
    case SHMV_R_WAIT_PAGE:
      return "WAIT_PAGE";
    case SHMV_R_WAIT_WELCOME:
      return "WAIT_WELCOME";
    case SHMV_R_LIVE:
      return session->generation == 0 || session->ready ? "ANSWERED" : "ASKED";
    default:
      return "OVER";
  }
}

/* Bring a new session to a state, by messages only. */
void
script_writer_reach(struct shmv_writer_session *session, const char *state)
{
  memset(session, 0, sizeof *session);
  if (strcmp(state, "NEW") == 0)
    return;
  g_assert_cmpint(script_writer_take(session, SHMV_HELLO), ==, SHMV_STEP_HELLO);
  session->welcome = script_welcome;
  shmv_writer_session_admit(session);
  g_assert_cmpuint(script_writer_say(session, 0), ==, SHMV_PAGE);
  if (strcmp(state, "ADMITTED") == 0)
    return;
  g_assert_cmpint(script_writer_take(session, SHMV_MAPPED), ==,
                  SHMV_STEP_MAPPED);
  g_assert_cmpuint(script_writer_say(session, 0), ==, SHMV_WELCOME);
  if (strcmp(state, "ASKED") == 0)
    g_assert_cmpuint(script_writer_say(session, 1), ==, SHMV_FORMAT);
  if (strcmp(state, "LEAVING") == 0)
    g_assert_cmpint(script_writer_take(session, SHMV_BYE), ==, SHMV_STEP_BYE);
}

void
script_reader_reach(struct shmv_reader_session *session, const char *state)
{
  struct shmv_message message;
  shmv_reader_session_init(session, &script_hello, &message);
  g_assert_cmpuint(message.type, ==, SHMV_HELLO);
  g_assert_cmpuint(message.serial, ==, 1);
  if (strcmp(state, "WAIT_PAGE") == 0)
    return;
  g_assert_cmpint(script_reader_take(session, SHMV_PAGE), ==, SHMV_STEP_PAGE);
  shmv_reader_session_mapped(session, &message);
  g_assert_cmpuint(message.type, ==, SHMV_MAPPED);
  g_assert_cmpuint(message.serial, ==, 2);
  if (strcmp(state, "WAIT_WELCOME") == 0)
    return;
  g_assert_cmpint(script_reader_take(session, SHMV_WELCOME), ==,
                  SHMV_STEP_WELCOME);
  if (strcmp(state, "ASKED") == 0)
    g_assert_cmpint(script_reader_take(session, SHMV_FORMAT), ==,
                    SHMV_STEP_FORMAT);
  if (strcmp(state, "OVER") == 0)
    g_assert_cmpint(script_reader_take(session, SHMV_BYE), ==, SHMV_STEP_BYE);
}
