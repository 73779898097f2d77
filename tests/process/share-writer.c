/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* A child that writes: see share.h for its lines. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "share-peer.h"
#include "shmvtest.h"

static void
open_writer(struct share_peer *peer, const char *line)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  char path[256];
  g_assert_cmpint(sscanf(line, "writer %255s", path), ==, 1);
  config.path = path;
  config.backpressure = (uint32_t)share_option(line, "backpressure", 0);
  config.backpressure_timeout = share_option(line, "timeout", 0) * 1000000;
  config.max_memory = share_option(line, "memory", 0);
  config.max_lent = (uint32_t)share_option(line, "lent", 0);
  config.perms = (uint32_t)share_option(line, "perms", 0);
  int code = shmvideo_writer_new(&config, &error, &peer->writer);
  if (code < 0)
    share_say_error(peer, code, &error);
  else
    share_say(peer, "ok");
}

static void
set_format(struct share_peer *peer, const char *line)
{
  struct shmvideo_format format = {.fps_n = 25, .fps_d = 1};
  struct shmvideo_error error = {0};
  char name[32];
  g_assert_cmpint(sscanf(line, "format %31s %u %u", name, &format.width,
                         &format.height), ==, 3);
  format.pixel_format = shmvideo_pixel_format_from_name(name);
  int code = shmvideo_writer_set_format(peer->writer, &format, NULL, &error);
  if (code < 0)
    share_say_error(peer, code, &error);
  else
    share_say(peer, "ok");
}

static void
paint_and_publish(struct share_peer *peer, struct shmvideo_slot *slot)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  peer->shown++;
  info.offset = (uint64_t)getpid() << 32 | peer->shown;
  info.pts = peer->shown * 1000000;
  share_paint(slot->data, slot->size, info.offset);
  int code = shmvideo_writer_publish(peer->writer, slot, &info);
  if (code != 0)
    g_error("publish: %s", shmvideo_strerror(code));
}

void
share_writer_show_one(struct share_peer *peer)
{
  struct shmvideo_slot *slot;
  int code = shmvideo_writer_acquire(peer->writer, &slot);
  if (code < 0)
    g_error("acquire: %s", shmvideo_strerror(code));
  if (code == 0)
    peer->failed++;
  else
    paint_and_publish(peer, slot);
}

/* Readers come and go in between, as they would. */
static void
show(struct share_peer *peer, guint64 n, gboolean wait)
{
  peer->failed = 0;
  for (guint64 i = 0; i < n; i++) {
    struct shmvideo_slot *slot;
    g_assert_cmpint(shmvideo_writer_dispatch(peer->writer), ==, 0);
    if (!wait) {
      share_writer_show_one(peer);
      continue;
    }
    int code = shmvideo_writer_acquire_wait(peer->writer, TRUE, -1, &slot);
    if (code != 1)
      g_error("acquire_wait: %d", code);
    paint_and_publish(peer, slot);
  }
  share_say(peer, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, peer->shown,
            peer->failed);
}

static void
pace(struct share_peer *peer, guint64 fps)
{
  struct itimerspec when = {{0, 0}, {0, 0}};
  if (fps > 0) {
    when.it_interval.tv_nsec = (long)(999999999 / fps);
    when.it_value.tv_nsec = 1;
  }
  peer->failed = 0;
  g_assert_cmpint(timerfd_settime(peer->timer_fd, 0, &when, NULL), ==, 0);
  share_say(peer, "%" G_GUINT64_FORMAT, peer->shown);
}

static void
await_readers(struct share_peer *peer, guint64 n)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (shmvideo_writer_get_n_readers(peer->writer) != n) {
    if (shmvtest_now() > end) {
      share_say(peer, "%u readers", shmvideo_writer_get_n_readers(peer->writer));
      return;
    }
    shmvtest_poll(shmvideo_writer_get_fd(peer->writer), POLLIN, 50);
    g_assert_cmpint(shmvideo_writer_dispatch(peer->writer), ==, 0);
  }
  share_say(peer, "ok");
}

static void
take_slots(struct share_peer *peer, guint64 n)
{
  guint got = 0;
  while (got < n && peer->n_slots < SHARE_MAX_KEPT) {
    struct shmvideo_slot **slot = &peer->slots[peer->n_slots];
    if (shmvideo_writer_acquire(peer->writer, slot) != 1)
      break;
    peer->n_slots++;
    got++;
  }
  share_say(peer, "%u", got);
}

static void
give_slots(struct share_peer *peer)
{
  for (guint i = 0; i < peer->n_slots; i++) {
    share_paint(peer->slots[i]->data, peer->slots[i]->size, 0); /* still ours */
    shmvideo_slot_release(peer->slots[i]);
  }
  peer->n_slots = 0;
}

void
share_writer_leave(struct share_peer *peer)
{
  struct itimerspec never = {{0, 0}, {0, 0}};
  timerfd_settime(peer->timer_fd, 0, &never, NULL);
  shmvideo_writer_free(peer->writer);
  peer->writer = NULL;
  peer->shown = 0; /* the next one counts from 1 again */
}

static void
say_memory(struct share_peer *peer)
{
  struct shmvideo_writer_stats stats;
  shmvideo_writer_get_stats(peer->writer, &stats);
  share_say(peer, "%" G_GUINT64_FORMAT, stats.memory);
}

gboolean
share_writer_obey(struct share_peer *peer, const char *line)
{
  guint64 n = 0;
  if (g_str_has_prefix(line, "writer "))
    open_writer(peer, line);
  else if (g_str_has_prefix(line, "format "))
    set_format(peer, line);
  else if (sscanf(line, "show %" G_GUINT64_FORMAT, &n) == 1)
    show(peer, n, FALSE);
  else if (sscanf(line, "wait-show %" G_GUINT64_FORMAT, &n) == 1)
    show(peer, n, TRUE);
  else if (sscanf(line, "pace %" G_GUINT64_FORMAT, &n) == 1)
    pace(peer, n);
  else if (sscanf(line, "await %" G_GUINT64_FORMAT, &n) == 1)
    await_readers(peer, n);
  else if (sscanf(line, "take %" G_GUINT64_FORMAT, &n) == 1)
    take_slots(peer, n);
  else if (strcmp(line, "memory") == 0)
    say_memory(peer);
  else if (strcmp(line, "give") == 0 || strcmp(line, "end") == 0 ||
           strcmp(line, "close") == 0) {
    if (line[0] == 'g')
      give_slots(peer);
    else if (line[0] == 'e')
      shmvideo_writer_end(peer->writer);
    else
      share_writer_leave(peer);
    share_say(peer, "ok");
  } else
    return FALSE;
  return TRUE;
}
