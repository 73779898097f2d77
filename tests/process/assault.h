/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Peers by hand
 *
 * Owns the honest part of a dishonest peer: the handshake, message by message, with
 * the library's own encoder and memory, up to where a test begins to lie. Writer
 * and reader live in one process and one thread, so that every order of steps can
 * be had at will.
 */

#ifndef ASSAULT_H
#define ASSAULT_H

#include <poll.h>

#include "generation.h"
#include "shmvtest.h"
#include "socket.h"
#include "wire.h"
#include "writer.h"

/* A writer at a name, with a format of 64x48 GRAY8. config may be NULL. */
struct shmvideo_writer *assault_writer(
    const char *name, const struct shmvideo_writer_config *config);
void assault_set_format(struct shmvideo_writer *writer, uint32_t width);

/* Show one frame. Its first byte is the frame's number, counted from 1. */
void assault_show(struct shmvideo_writer *writer);

/* Dispatch until the descriptor is quiet; fails if it never is. */
void assault_settle(struct shmvideo_writer *writer);

/* A library reader of a name; and one that has seen the format and a frame. */
struct shmvideo_reader *assault_reader(const char *name, uint32_t policy,
                                       uint32_t holds);
struct shmvideo_reader *assault_join(struct shmvideo_writer *writer,
                                     const char *name, uint32_t policy,
                                     uint64_t *sequence);

/* Take all that can be taken, checking that no sequence is missing after *sequence.
 * The outcomes as letters: F a frame, N a new format, E the end, L the loss. */
char *assault_take_all(struct shmvideo_reader *reader, uint64_t *sequence);
void assault_expect(struct shmvideo_reader *reader, uint64_t *sequence,
                    const char *outcomes);

/* ---- A reader without the library's reader -------------------------------- */

struct raw_reader {
  int fd;
  uint32_t serial;
  struct shmv_page *page;
  struct shmv_welcome welcome;
  struct shmv_format_message format; /* the first */
  uint32_t generation;
  int pool_fd; /* -1: none */
  const struct shmv_board *board;
};

void raw_reader_connect(struct raw_reader *reader, const char *name);
void raw_reader_say(struct raw_reader *reader, uint32_t type);
void raw_reader_hello(struct raw_reader *reader, uint32_t policy,
                      uint32_t depth, uint16_t holds);
/* All of it, up to READY. writer NULL: somebody else dispatches it. */
void raw_reader_join(struct raw_reader *reader, struct shmvideo_writer *writer,
                     const char *name, uint32_t policy, uint32_t depth,
                     uint16_t holds);
void raw_reader_leave(struct raw_reader *reader);

/* The next message but WAKEs, which must be of this type; its descriptors, as many as
 * the type has, are yours. Borrows its text until the next call. */
void raw_expect(int fd, uint32_t type, struct shmv_message *message, int *fds);

/* ---- A writer without the library's writer -------------------------------- */

/* Its stream's number. */
#define RAW_WRITER_STREAM 1u

struct raw_writer {
  struct shmv_listener listener;
  int fd;
  uint32_t serial;
  struct shmv_hello hello; /* of its reader */
  struct shmv_generation *generation;
  struct shmv_claimant readers[SHMV_MAX_READERS];
};

void raw_writer_listen(struct raw_writer *writer, const char *name);
/* Accept whoever connected. */
void raw_writer_accept(struct raw_writer *writer);
int raw_writer_say(struct raw_writer *writer, struct shmv_message *message,
                   const int *fds);
/* Step by step: read the HELLO; send a page; fill an honest WELCOME, FORMAT. */
void raw_writer_hear_hello(struct raw_writer *writer);
void raw_writer_send_page(struct raw_writer *writer);
void raw_writer_welcome(const struct raw_writer *writer,
                        struct shmv_message *message);
void raw_writer_format(const struct raw_writer *writer,
                       struct shmv_message *message);
/* Accept, and all up to FORMAT, while the library's reader is dispatched. reader NULL:
 * somebody else does that. */
void raw_writer_serve(struct raw_writer *writer,
                      struct shmvideo_reader *reader);
void raw_writer_send_format(struct raw_writer *writer);
/* Show one frame as an honest writer does. */
void raw_writer_show(struct raw_writer *writer);
void raw_writer_hang_up(struct raw_writer *writer);
void raw_writer_end(struct raw_writer *writer);

#endif
