/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Messages
 *
 * Owns how a message becomes bytes and bytes a message. Datagrams with a header
 * {magic, type, length, serial}, little-endian, fixed-width fields; texts at the
 * end with their length. docs/protocol.md is the norm, with every byte; its
 * examples are this file's test vectors.
 *
 * One rule: decode looks at nothing past the bytes it was given and accepts no
 * message whose length, texts or numbers contradict each other. What the numbers
 * mean is checked by session.h. Pure.
 */

#ifndef SHMV_WIRE_H
#define SHMV_WIRE_H

#include "shmvideo.h"

#define SHMV_WIRE_MAGIC 0x4d564853u /* "SHVM" */
#define SHMV_WIRE_VERSION 1u        /* of the protocol as a whole */
#define SHMV_WIRE_HEADER 16u
#define SHMV_WIRE_MAX 32768u /* bytes of a message at most */
#define SHMV_WIRE_TEXT_MAX 16384u

enum shmv_wire_type {
  SHMV_HELLO = 1,    /* reader: who I am, what I want */
  SHMV_PAGE = 2,     /* writer: your page (1 descriptor) */
  SHMV_MAPPED = 3,   /* reader: mapped it */
  SHMV_WELCOME = 4,  /* writer: what you are granted */
  SHMV_FORMAT = 5,   /* writer: a generation (2 descriptors: pool, board) */
  SHMV_READY = 6,    /* reader: mapped that generation */
  SHMV_ACCEPTS = 7,  /* reader: what I can take from now on */
  SHMV_REFUSED = 8,  /* writer: no, and why */
  SHMV_END = 9,      /* writer: the stream ends after that frame */
  SHMV_BYE = 10,     /* either: leaving */
  SHMV_WAKE = 11,    /* writer: there is a frame */
  SHMV_NUDGE = 12    /* reader: there is a slot */
};

/* Why a reader is refused. */
enum shmv_wire_refusal {
  SHMV_NOT_REFUSED = 0,     /* never on the wire */
  SHMV_REFUSED_FORMAT = 1,  /* not among those accepted */
  SHMV_REFUSED_MEMORY = 2,  /* no frame memory for one more reader */
  SHMV_REFUSED_READERS = 3, /* too many readers */
  SHMV_REFUSED_VERSION = 4, /* no common protocol version */
  SHMV_REFUSED_RULES = 5    /* the reader broke the protocol */
};

/* The reader takes other formats at any time, not only before its first frame. */
#define SHMV_HELLO_FLEXIBLE 1u

/* It wishes for strides and planes at multiples of 1 << (bits 8 to 11) bytes. */
#define SHMV_HELLO_ALIGN_SHIFT 8
#define SHMV_HELLO_ALIGN_MASK 0xfu
#define SHMV_HELLO_ALIGN_MOST 12u

struct shmv_hello {
  uint16_t version_min, version_max;
  uint32_t policy; /* enum shmvideo_policy */
  uint32_t depth;
  uint16_t holds_min, holds_want;
  uint32_t flags; /* SHMV_HELLO_ */
};

struct shmv_welcome {
  uint16_t version;
  uint16_t policy;    /* as granted */
  uint32_t reader;    /* our word on the board */
  uint64_t stream;    /* random number of this writer's run */
  uint32_t depth;     /* as granted */
  uint32_t holds;     /* as granted */
  uint32_t floor;     /* first sequence of interest, low 32 bits */
};

struct shmv_format_message {
  uint32_t generation;
  uint32_t n_slots;
  uint64_t slot_size;
  uint64_t pool_size;
  uint64_t board_size;
  uint64_t modifier;    /* layout modifier as DRM's; 0: linear */
  uint32_t memory_kind; /* 0: a sealed memfd; others are to come */
  struct shmvideo_format format;
};

/* A message. Texts point into the bytes it was decoded from, or are to be encoded;
 * they are not NUL-terminated. */
struct shmv_message {
  uint32_t type;
  uint32_t serial; /* counts a side's messages from 1; WAKE and NUDGE, which go
                      out on any thread, have 0 */
  union {
    struct shmv_hello hello;
    uint32_t page_holds; /* PAGE: hold words the page has */
    struct shmv_welcome welcome;
    struct shmv_format_message format;
    uint32_t generation; /* READY */
    uint32_t refusal;    /* REFUSED: enum shmv_wire_refusal */
    uint32_t end;        /* END: sequence of the last frame, low 32 bits */
  } u;
  const char *text; /* HELLO, ACCEPTS, FORMAT: caps; REFUSED: a sentence */
  uint32_t text_size;
};

/* Write a message to bytes (at least SHMV_WIRE_MAX); returns its size, or 0 if
 * its text is too long. */
uint32_t shmv_wire_encode(const struct shmv_message *message, uint8_t *bytes);

/* Read a message. 0; -EBADMSG: malformed; -ENOMSG: well-formed but of a type that
 * this version does not know, to be skipped. */
int shmv_wire_decode(struct shmv_message *message, const uint8_t *bytes,
                     size_t size);

/* Descriptors that a message of this type carries: exactly so many. */
unsigned shmv_wire_n_fds(uint32_t type);

/* "HELLO" and so on, for logs; "?" if unknown. */
const char *shmv_wire_type_name(uint32_t type);

#endif
