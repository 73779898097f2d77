/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "reader-victims.h"

#include <errno.h>
#include <glib.h>

#include "shmvideo.h"
#include "step.h"

const char *victim_path;

static struct shmvideo_reader *reader;
static const struct shmvideo_frame *frame, *second;

static void
make(uint32_t policy, const char *accepts)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  config.path = victim_path;
  config.policy = policy;
  config.depth = 8;
  config.max_holds = 4;
  config.accepts = accepts;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
}

static int
next(const struct shmvideo_frame **out_frame)
{
  int code;
  while ((code = shmvideo_reader_acquire(reader, out_frame)) == SHMVIDEO_AGAIN)
    g_assert_cmpint(shmvideo_reader_wait(reader, SHMVIDEO_TIME_NONE, -1), ==, 1);
  return code;
}

static void
connect_as(uint32_t policy)
{
  make(policy, NULL);
  g_assert_cmpint(next(&frame), ==, SHMVIDEO_NEW_FORMAT);
}

void
victim_connects(void *user)
{
  step_ready();
  connect_as(GPOINTER_TO_UINT(user));
  next(&frame); /* of a moving picture the newest */
}

void
victim_takes(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  step_ready();
  step_ready();
  if (user == NULL) {
    next(&frame);
    next(&second);
  } else {
    shmvideo_reader_acquire_newest(reader, &second);
  }
}

void
victim_releases(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  step_ready();
  next(&frame);
  next(&second);
  step_ready();
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
}

/* Armed, woken, taken, armed again. */
void
victim_sleeps(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  next(&frame);
  while (shmvideo_reader_acquire(reader, &second) != SHMVIDEO_AGAIN)
    shmvideo_frame_release(second);
  step_ready();
  step_ready();
  next(&second);
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
  while (shmvideo_reader_acquire(reader, &second) != SHMVIDEO_AGAIN)
    shmvideo_frame_release(second);
  shmvideo_reader_wait(reader, 0, -1);
}

/* The old format's frame is held into the new one. */
void
victim_follows(void *user)
{
  connect_as(GPOINTER_TO_UINT(user));
  next(&frame);
  step_ready();
  step_ready();
  while (next(&second) == SHMVIDEO_FRAME)
    shmvideo_frame_release(second);
  next(&second);
  shmvideo_frame_release(frame);
  shmvideo_frame_release(second);
}

void
victim_leaves(void *user)
{
  connect_as(SHMVIDEO_LATEST);
  next(&frame);
  step_ready();
  shmvideo_reader_free(reader);
  shmvideo_frame_release(frame);
}

/* The writer waits for it in every step. */
void
victim_is_waited_for(void *user)
{
  connect_as(SHMVIDEO_LOSSLESS);
  step_ready();
  step_ready();
  for (guint i = 0; i < 3; i++) {
    next(&frame);
    shmvideo_frame_release(frame);
  }
}

void
victim_is_refused(void *user)
{
  step_ready();
  make(SHMVIDEO_LATEST, "video/x-raw, format=RGBA");
  g_assert_cmpint(next(&frame), ==, -EMEDIUMTYPE);
  shmvideo_reader_free(reader);
}
