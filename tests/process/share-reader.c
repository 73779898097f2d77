/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* A child that reads: see share.h for its lines. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "share-peer.h"
#include "shmvtest.h"

static void
open_reader(struct share_peer *peer, const char *line)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  const char *accepts = strstr(line, " accepts=");
  char path[256];
  g_assert_cmpint(sscanf(line, "reader %255s", path), ==, 1);
  config.path = path;
  config.policy = share_option(line, "lossless", 0) ? SHMVIDEO_LOSSLESS
                                                    : SHMVIDEO_LATEST;
  config.depth = (uint32_t)share_option(line, "depth", 0);
  config.min_holds = (uint32_t)share_option(line, "min", 0);
  config.max_holds = (uint32_t)share_option(line, "holds", 0);
  config.accepts = accepts != NULL ? accepts + strlen(" accepts=") : NULL;
  int code = shmvideo_reader_new(&config, &error, &peer->reader);
  if (code < 0)
    share_say_error(peer, code, &error);
  else
    share_say(peer, "ok");
}

/* ---- One at a time ---------------------------------------------------------- */

typedef int (*acquire_func)(struct shmvideo_reader *reader,
                            const struct shmvideo_frame **out_frame);

static int
wait_next(struct share_peer *peer, acquire_func acquire,
          const struct shmvideo_frame **out_frame)
{
  uint64_t timeout = (uint64_t)shmvtest_deadline() * 1000000;
  for (;;) {
    int code = acquire(peer->reader, out_frame);
    if (code != SHMVIDEO_AGAIN)
      return code;
    code = shmvideo_reader_wait(peer->reader, timeout, -1);
    if (code <= 0)
      return code;
  }
}

static void
say_format(struct share_peer *peer)
{
  struct shmvideo_format format;
  g_assert_cmpint(shmvideo_reader_get_format(peer->reader, &format, NULL, 0), ==,
                  0);
  share_say(peer, "format %s %ux%u",
            shmvideo_pixel_format_name(format.pixel_format), format.width,
            format.height);
}

static void
say_outcome(struct share_peer *peer, int code,
            const struct shmvideo_frame *frame, gboolean keep)
{
  struct shmvideo_error error = {0};
  switch (code) {
    case SHMVIDEO_FRAME:
      share_look(frame);
      share_say(peer, "frame %" G_GUINT64_FORMAT " %u", frame->sequence,
                frame->skipped);
      if (keep)
        peer->kept[peer->n_kept++] = frame;
      else
        shmvideo_frame_release(frame);
      break;
    case SHMVIDEO_NEW_FORMAT:
      say_format(peer);
      break;
    case SHMVIDEO_END:
      share_say(peer, "end");
      break;
    case SHMVIDEO_LOST:
      share_say(peer, "lost");
      break;
    case SHMVIDEO_AGAIN:
      share_say(peer, "again");
      break;
    default:
      shmvideo_reader_get_error(peer->reader, &error);
      share_say_error(peer, code, &error);
  }
}

static void
next(struct share_peer *peer, acquire_func acquire, gboolean keep)
{
  const struct shmvideo_frame *frame = NULL;
  g_assert_cmpuint(peer->n_kept, <, SHARE_MAX_KEPT);
  int code = wait_next(peer, acquire, &frame);
  say_outcome(peer, code, frame, keep);
}

static void
now(struct share_peer *peer)
{
  const struct shmvideo_frame *frame = NULL;
  int code = shmvideo_reader_dispatch(peer->reader);
  if (code == 0)
    code = shmvideo_reader_acquire(peer->reader, &frame);
  say_outcome(peer, code, frame, FALSE);
}

static void
drain(struct share_peer *peer)
{
  const struct shmvideo_frame *frame;
  uint64_t n = 0, first = 0, last = 0, skipped = 0;
  shmvideo_reader_dispatch(peer->reader);
  while (shmvideo_reader_acquire(peer->reader, &frame) == SHMVIDEO_FRAME) {
    share_look(frame);
    if (n++ == 0)
      first = frame->sequence;
    last = frame->sequence;
    skipped += frame->skipped;
    shmvideo_frame_release(frame);
  }
  share_say(peer,
            "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
            " %" G_GUINT64_FORMAT, n, first, last, skipped);
}

/* ---- All as it comes -------------------------------------------------------- */

static void
take(struct share_peer *peer, const struct shmvideo_frame *frame)
{
  struct share_report *report = &peer->report;
  if (peer->delay > 0)
    usleep((useconds_t)(random() % peer->delay)); /* work, not waiting */
  share_look(frame);
  if (report->frames++ == 0)
    report->first = frame->sequence;
  report->last = frame->sequence;
  report->skipped += frame->skipped;
  shmvideo_frame_release(frame);
}

void
share_reader_take_all(struct share_peer *peer)
{
  const struct shmvideo_frame *frame;
  int code;
  while ((code = shmvideo_reader_acquire(peer->reader, &frame)) > 0) {
    if (code == SHMVIDEO_FRAME)
      take(peer, frame);
    peer->report.formats += code == SHMVIDEO_NEW_FORMAT;
    peer->report.ends += code == SHMVIDEO_END;
    peer->report.lost += code == SHMVIDEO_LOST;
  }
  if (code < 0)
    g_error("acquire: %s", shmvideo_strerror(code));
}

static void
say_report(struct share_peer *peer)
{
  const struct share_report *report = &peer->report;
  share_say(peer,
            "frames=%" G_GUINT64_FORMAT " skipped=%" G_GUINT64_FORMAT
            " first=%" G_GUINT64_FORMAT " last=%" G_GUINT64_FORMAT
            " formats=%" G_GUINT64_FORMAT " lost=%" G_GUINT64_FORMAT
            " ends=%" G_GUINT64_FORMAT,
            report->frames, report->skipped, report->first, report->last,
            report->formats, report->lost, report->ends);
}

static void
run_until(struct share_peer *peer, guint64 sequence, gboolean until_end)
{
  guint64 deadline = (guint64)shmvtest_deadline() * 1000000;
  guint64 end = shmvtest_now() + 2 * deadline;
  for (;;) {
    share_reader_take_all(peer);
    if (until_end ? peer->report.ends > 0 : peer->report.last >= sequence)
      break;
    if (shmvtest_now() > end ||
        shmvideo_reader_wait(peer->reader, deadline, -1) <= 0)
      break; /* the report tells */
  }
  say_report(peer);
}

/* ---- Kept frames ------------------------------------------------------------ */

static void *
release_kept(void *data)
{
  struct share_peer *peer = data;
  for (guint i = 0; i < peer->n_kept; i++)
    shmvideo_frame_release(peer->kept[i]);
  return NULL;
}

static void
handle_kept(struct share_peer *peer, const char *line)
{
  guint n = peer->n_kept;
  pthread_t thread;
  for (guint i = 0; i < n; i++)
    share_look(peer->kept[i]);
  if (strcmp(line, "release-elsewhere") == 0) {
    g_assert_cmpint(pthread_create(&thread, NULL, release_kept, peer), ==, 0);
    pthread_join(thread, NULL);
    peer->n_kept = 0;
  } else if (strcmp(line, "release") == 0) {
    release_kept(peer);
    peer->n_kept = 0;
  }
  share_say(peer, "%u intact", n);
}

/* ---- The rest --------------------------------------------------------------- */

static void
say_status(struct share_peer *peer)
{
  struct shmvideo_reader_status s;
  shmvideo_reader_get_status(peer->reader, &s);
  share_say(peer,
            "connected=%u pid=%d policy=%u depth=%u holds=%u holding=%u "
            "received=%" G_GUINT64_FORMAT " skipped=%" G_GUINT64_FORMAT,
            s.connected, s.writer_pid, s.policy, s.depth, s.max_holds, s.holding,
            s.received, s.skipped);
}

static void
say_why(struct share_peer *peer)
{
  struct shmvideo_error error = {0};
  int code = shmvideo_reader_get_error(peer->reader, &error);
  share_say_error(peer, code == 0 ? error.code : code, &error);
}

/* A child that has all that is open, and does nothing. */
static void
fork_holder(struct share_peer *peer)
{
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    alarm((unsigned)(6 * shmvtest_deadline() / 1000)); /* should the test die */
    for (;;)
      pause();
  }
  share_say(peer, "%d", pid);
}

void
share_reader_leave(struct share_peer *peer)
{
  shmvideo_reader_free(peer->reader);
  peer->reader = NULL;
  peer->running = FALSE;
}

static void
run(struct share_peer *peer, guint delay)
{
  peer->running = TRUE;
  peer->delay = delay;
  memset(&peer->report, 0, sizeof peer->report);
  srandom((unsigned)getpid());
  share_reader_take_all(peer);
  share_say(peer, "ok");
}

gboolean
share_reader_obey(struct share_peer *peer, const char *line)
{
  guint64 n = 0;
  guint delay = 0;
  if (g_str_has_prefix(line, "reader "))
    open_reader(peer, line);
  else if (strcmp(line, "next") == 0 || strcmp(line, "hold") == 0)
    next(peer, shmvideo_reader_acquire, line[0] == 'h');
  else if (strcmp(line, "newest") == 0)
    next(peer, shmvideo_reader_acquire_newest, FALSE);
  else if (strcmp(line, "now") == 0)
    now(peer);
  else if (strcmp(line, "drain") == 0)
    drain(peer);
  else if (strcmp(line, "run") == 0 || sscanf(line, "run %u", &delay) == 1)
    run(peer, delay);
  else if (sscanf(line, "until %" G_GUINT64_FORMAT, &n) == 1)
    run_until(peer, n, FALSE);
  else if (strcmp(line, "until-end") == 0)
    run_until(peer, 0, TRUE);
  else if (strcmp(line, "report") == 0)
    say_report(peer);
  else if (strcmp(line, "check") == 0 || g_str_has_prefix(line, "release"))
    handle_kept(peer, line);
  else if (strcmp(line, "status") == 0)
    say_status(peer);
  else if (strcmp(line, "why") == 0)
    say_why(peer);
  else if (strcmp(line, "fork") == 0)
    fork_holder(peer);
  else if (strcmp(line, "leave") == 0) {
    share_reader_leave(peer);
    share_say(peer, "ok");
  } else
    return FALSE;
  return TRUE;
}
