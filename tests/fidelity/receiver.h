/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Receivers of the rig: shmvideosrc before an appsink, or the library
 *
 * One rule: what a receiver hands out is read from what arrived alone, never from
 * the job.
 */

#ifndef RECEIVER_H
#define RECEIVER_H

#include "rig.h"

struct receiver;

struct receiver_way {
  struct receiver *(*create)(const char *path, gboolean knows_meta);
  void (*destroy)(struct receiver *receiver);
  void (*play)(struct receiver *receiver);
  GstCaps *(*caps)(struct receiver *receiver);
  void (*receive)(struct receiver *receiver, struct received *out);
  void (*clear)(struct received *received);
  char *(*failure)(struct receiver *receiver);
  void (*stats)(struct receiver *receiver, struct receiver_stats *out);
};

extern const struct receiver_way receiver_element;
extern const struct receiver_way receiver_library;

#endif
