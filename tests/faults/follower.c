/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The readers of a story. See story.h. */

#include "story.h"

#include <string.h>

static void
check_frame(const struct shmvideo_frame *frame)
{
  uint8_t colour = frame->sequence & 0xff;
  g_assert_cmpuint(frame->size, >, 0);
  g_assert_cmpint(frame->data[0], ==, colour);
  g_assert_cmpint(memcmp(frame->data, frame->data + 1, frame->size - 1), ==, 0);
}

static void
release(const struct shmvideo_frame *frame)
{
  check_frame(frame);
  shim_enter(SHIM_READER);
  shmvideo_frame_release(frame);
  shim_leave();
}

static void
take_frame(struct follower *f, const struct shmvideo_frame *frame)
{
  check_frame(frame);
  if (frame->stream == f->stream && f->complete)
    g_assert_cmpuint(frame->sequence, ==, f->sequence + 1);
  else if (frame->stream == f->stream)
    g_assert_cmpuint(frame->sequence, >, f->sequence);
  f->stream = frame->stream;
  f->sequence = frame->sequence;
  g_assert_cmpuint(frame->format->width, ==, f->width);
  if (f->holds && f->held == NULL)
    f->held = frame;
  else
    release(frame);
}

static void
open_follower(struct story *story, struct follower *f)
{
  struct shmvideo_error error = {0};
  int code;
  do {
    shim_enter(SHIM_READER);
    code = shmvideo_reader_new(&f->config, &error, &f->reader);
    shim_leave();
    if (code < 0) {
      g_assert_null(f->reader);
      story_check(story, code, &error);
    }
  } while (code < 0);
  f->width = 0;
  f->stream = f->sequence = 0;
}

/* It said why; what it holds stays what it is. */
static void
replace(struct story *story, struct follower *f, int code)
{
  struct shmvideo_error error = {0};
  g_assert_cmpint(shmvideo_reader_get_error(f->reader, &error), ==, 0);
  story_check(story, code, &error);
  shim_enter(SHIM_READER);
  bool over = shmvideo_reader_dispatch(f->reader) < 0;
  if (over)
    shmvideo_reader_free(f->reader);
  shim_leave();
  if (!over)
    return;
  f->reader = NULL;
  f->ended = f->lost = true;
  open_follower(story, f);
}

/* All that it has to tell now. */
static void
drain(struct story *story, struct follower *f)
{
  for (;;) {
    const struct shmvideo_frame *frame;
    struct shmvideo_format format;
    shim_enter(SHIM_READER);
    int outcome = shmvideo_reader_acquire(f->reader, &frame);
    shim_leave();
    switch (outcome) {
      case SHMVIDEO_AGAIN:
        return;
      case SHMVIDEO_FRAME:
        take_frame(f, frame);
        break;
      case SHMVIDEO_NEW_FORMAT:
        g_assert_cmpint(shmvideo_reader_get_format(f->reader, &format, NULL, 0),
                        ==, 0);
        f->width = format.width;
        break;
      case SHMVIDEO_END:
        f->ended = true;
        break;
      case SHMVIDEO_LOST:
        f->lost = true;
        f->width = 0;
        f->sequence = 0;
        break;
      default:
        replace(story, f, outcome);
    }
    story_turn(story);
  }
}

bool
story_live_follower(struct story *story, struct follower *f)
{
  if (f->reader == NULL ||
      !story_is_readable(shmvideo_reader_get_fd(f->reader)))
    return false;
  shim_enter(SHIM_READER);
  int code = shmvideo_reader_dispatch(f->reader);
  shim_leave();
  if (code < 0)
    replace(story, f, code);
  drain(story, f);
  return true;
}

void
story_follow(struct story *story, unsigned i)
{
  struct follower *f = &story->followers[i];
  f->config.size = sizeof f->config;
  f->config.path = story->path;
  f->config.log = story_log;
  f->config.log_user = story;
  open_follower(story, f);
  drain(story, f);
}

void
story_leave(struct story *story, unsigned i)
{
  struct follower *f = &story->followers[i];
  shim_enter(SHIM_READER);
  shmvideo_reader_free(f->reader);
  shim_leave();
  f->reader = NULL;
}

void
story_release(struct story *story, unsigned i)
{
  struct follower *f = &story->followers[i];
  if (f->held != NULL)
    release(f->held);
  f->held = NULL;
}

void
story_accept(struct story *story, unsigned i, const char *accepts)
{
  struct follower *f = &story->followers[i];
  int code;
  f->config.accepts = accepts; /* for a successor, too */
  do {
    struct shmvideo_error error = {0};
    shim_enter(SHIM_READER);
    code = shmvideo_reader_set_accepts(f->reader, accepts, &error);
    shim_leave();
    if (code < 0)
      story_check(story, code, &error);
  } while (code < 0);
  drain(story, f);
}

void
story_sleep(struct story *story, unsigned i)
{
  struct follower *f = &story->followers[i];
  int code;
  do {
    shim_enter(SHIM_READER);
    code = shmvideo_reader_wait(f->reader, SHMVIDEO_TIME_NONE, -1);
    shim_leave();
    story_count_error(story, code);
  } while (code < 0);
  drain(story, f);
}
