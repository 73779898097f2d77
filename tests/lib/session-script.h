/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What tests of sessions are written with: messages that are right, and sessions
 * that are brought to a state by messages alone. States are named as in the tables
 * of docs/protocol.md, section 4.
 */

#ifndef SESSION_SCRIPT_H
#define SESSION_SCRIPT_H

#include "session.h"

/* What the reader asks for, and what it is granted. */
extern const struct shmv_hello script_hello;
extern const struct shmv_welcome script_welcome;

/* A message of this type with a body that is right for its first use. */
struct shmv_message script_message(uint32_t type, uint32_t serial);
void script_fill_format(struct shmv_message *message, uint32_t generation);

/* Such a message comes in; what take says. */
int script_writer_take(struct shmv_writer_session *session, uint32_t type);
int script_reader_take(struct shmv_reader_session *session, uint32_t type);

/* The writer says what it has to say; its type, 0: nothing. */
uint32_t script_writer_say(struct shmv_writer_session *session,
                           uint32_t generation);

/* The name of a session's state, and a new session in that state. */
const char *script_writer_state(const struct shmv_writer_session *session);
const char *script_reader_state(const struct shmv_reader_session *session);
void script_writer_reach(struct shmv_writer_session *session,
                         const char *state);
void script_reader_reach(struct shmv_reader_session *session,
                         const char *state);

#endif
