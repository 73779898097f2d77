/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* What a child of share.h does; share-writer.c and share-reader.c obey. */

#ifndef SHARE_PEER_H
#define SHARE_PEER_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

#include "shmvideo.h"

#define SHARE_MAX_KEPT 64

struct share_report {
  uint64_t frames, skipped, first, last, formats, lost, ends;
};

struct share_peer {
  FILE *out;
  /* as a writer */
  struct shmvideo_writer *writer;
  struct shmvideo_slot *slots[SHARE_MAX_KEPT];
  guint n_slots;
  guint64 shown, failed;
  int timer_fd;
  /* as a reader */
  struct shmvideo_reader *reader;
  const struct shmvideo_frame *kept[SHARE_MAX_KEPT];
  guint n_kept;
  gboolean running;
  guint delay; /* us at most */
  struct share_report report;
};

/* Both return FALSE if the line is not theirs; else they answered. */
gboolean share_writer_obey(struct share_peer *peer, const char *line);
gboolean share_reader_obey(struct share_peer *peer, const char *line);

/* What came between two lines. */
void share_writer_show_one(struct share_peer *peer);
void share_reader_take_all(struct share_peer *peer);

void share_writer_leave(struct share_peer *peer);
void share_reader_leave(struct share_peer *peer);

/* The number behind " key=" in a line, or fallback. */
uint64_t share_option(const char *line, const char *key, uint64_t fallback);

/* Answer with one line. */
void share_say(struct share_peer *peer, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Fill with, or look for, the number; a difference is the end. */
void share_paint(uint8_t *data, size_t size, uint64_t number);
void share_look(const struct shmvideo_frame *frame);

/* "error CODE sentence". */
void share_say_error(struct share_peer *peer, int code,
                     const struct shmvideo_error *error);

#endif
