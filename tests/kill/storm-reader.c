/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "storm.h"

#include <string.h>
#include <unistd.h>

#include "delay.h"
#include "leaks.h"
#include "share-peer.h"
#include "survivors.h"

#define MAX_KEPT 16

static struct storm *storm;
static struct shmvideo_reader *reader;
static const struct shmvideo_frame *kept[MAX_KEPT];
static guint n_kept;
static bool of_another; /* the frame before, reader or connection */

/* Looked at when they came, and again now. */
static void
release_one(void)
{
  guint i = delay_random(n_kept);
  const struct shmvideo_frame *frame = kept[i];
  kept[i] = kept[--n_kept];
  share_look(frame);
  delay_now(200);
  shmvideo_frame_release(frame);
}

static void
fail(const char *what, int code)
{
  struct shmvideo_error error = {0};
  shmvideo_reader_get_error(reader, &error);
  g_error("%s: %d: %s", what, code, error.message);
}

/* Each is newer than the one before, by as many as it says. */
static void
check_order(const struct shmvideo_frame *frame)
{
  static uint64_t stream, sequence;
  bool first = stream != frame->stream || of_another;
  if (!first && frame->sequence != sequence + 1 + frame->skipped)
    g_error("frame %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT
            ", %u are said to be between", frame->sequence, sequence,
            frame->skipped);
  stream = frame->stream;
  sequence = frame->sequence;
  of_another = false;
}

static void
take_one(void)
{
  const struct shmvideo_frame *frame;
  if (n_kept == MAX_KEPT)
    release_one();
  int code = (delay_random(8) == 0 ? shmvideo_reader_acquire_newest
                                   : shmvideo_reader_acquire)(reader, &frame);
  switch (code) {
    case SHMVIDEO_FRAME:
      share_look(frame);
      check_order(frame);
      kept[n_kept++] = frame;
      atomic_fetch_add(&storm->looked_at, 1);
      break;
    case SHMVIDEO_NEW_FORMAT:
      atomic_fetch_add(&storm->formats, 1);
      break;
    case SHMVIDEO_END:
      atomic_fetch_add(&storm->ends, 1);
      break;
    case SHMVIDEO_LOST:
      of_another = true;
      atomic_fetch_add(&storm->lost, 1);
      break;
    case SHMVIDEO_AGAIN:
      if (n_kept > 0 && delay_random(4) == 0)
        release_one();
      code = shmvideo_reader_wait(reader, 2000000, -1);
      if (code < 0)
        fail("wait", code);
      break;
    default:
      fail("acquire", code);
  }
}

/* Slowly enough, now and then, for a writer that waits to wait. */
static void
do_something(void)
{
  take_one();
  delay_now(delay_random(50) > 0 ? 200 : storm->backpressure ? 100000 : 5000);
  if (n_kept > 0 && delay_random(3) != 0)
    release_one();
}

/* A writer may lose its patience, but breaks no rule. */
static void
hear(void *user, enum shmvideo_log_level level, const char *line)
{
  bool demoted = strstr(line, "lossless no more") != NULL;
  atomic_fetch_add(&storm->demoted, demoted);
  if (level <= SHMVIDEO_LOG_WARNING && !demoted)
    g_error("a reader says: %s", line);
}

static void
open_reader(const char *path)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error;
  guint most = storm->backpressure ? 2 : 8;
  config.path = path;
  config.policy = delay_random(2) == 0 ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST;
  config.depth = 1 + delay_random(most);
  config.max_holds = 1 + delay_random(most);
  config.log = hear;
  if (shmvideo_reader_new(&config, &error, &reader) < 0)
    g_error("%s", error.message);
  of_another = true;
  atomic_fetch_add(&storm->connected, 1);
}

/* Frames may stay for longer than their reader. */
static void
live(void)
{
  guint n = 20 + delay_random(500);
  open_reader(storm->path);
  for (guint i = 0; i < n; i++)
    do_something();
  if (delay_random(2) == 0)
    while (n_kept > 0)
      release_one();
  shmvideo_reader_free(reader);
}

/* No writer lives any more: it is told so, and has nothing of theirs. */
static void
settle(struct share_usage before)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  struct shmvideo_reader_status status;
  struct share_usage now;
  do {
    if (shmvtest_now() > end)
      g_error("all are dead; connected %u, %u descriptors and %u mappings stay; "
              "before %u, %u", status.connected, now.descriptors, now.mappings,
              before.descriptors, before.mappings);
    take_one();
    while (n_kept > 0)
      release_one();
    shmvideo_reader_get_status(reader, &status);
    now = share_usage(getpid());
  } while (status.connected || now.descriptors != before.descriptors ||
           now.mappings != before.mappings);
}

/* One reader through all writers. */
static void
live_to_the_end(void)
{
  char *nowhere = g_strconcat(storm->path, "-of-nobody", NULL);
  open_reader(nowhere);
  struct share_usage usage = share_usage(getpid());
  shmvideo_reader_free(reader);
  g_free(nowhere);
  open_reader(storm->path);
  guint64 memory = survivors_own_memory();
  while (!atomic_load(&storm->quiet))
    do_something();
  settle(usage);
  shmvideo_reader_free(reader);
  survivors_check_own_memory(memory);
}

void
storm_read(struct storm *all, guint32 seed, bool immortal)
{
  storm = all;
  GHashTable *before = leaks_take();
  delay_start(seed);
  do {
    if (immortal)
      live_to_the_end();
    else
      live();
  } while (!immortal);
  delay_stop();
  survivors_check_left(before);
}
