/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "storm.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "delay.h"
#include "leaks.h"
#include "share-peer.h"
#include "survivors.h"

/* A frame at 60 a second. */
#define FRAME 16666667

#define MAX_OUT 6

/* Enough for 4 readers that it waits for, with 2 holds each and a depth of 2
 * (storm-reader.c). */
#define MIN_SLOTS 24

static struct storm *storm;
static struct shmvideo_writer *writer;
static struct shmvideo_slot *out[MAX_OUT];
static guint n_out;
static guint64 shown; /* by this writer */

/* ---- Calls ------------------------------------------------------------------------ */

static void
raise_to(_Atomic guint64 *most, gint64 value)
{
  guint64 seen = atomic_load(most);
  while (value > 0 && (guint64)value > seen &&
         !atomic_compare_exchange_weak(most, &seen, (guint64)value))
    ;
}

static struct delay_time call_start;

static void
call_begins(void)
{
  call_start = delay_take();
}

static void
call_ends(enum storm_call which)
{
  struct storm_calls *calls = &storm->calls[which];
  struct delay_time end = delay_take();
  gint64 own = end.own - call_start.own, idle = end.idle - call_start.idle;
  gint64 asleep = end.sleeps > call_start.sleeps ? idle : 0;
  atomic_fetch_add(&calls->n, 1);
  atomic_fetch_add(&calls->n_long, own > FRAME);
  atomic_fetch_add(&calls->n_busy, own - idle > FRAME);
  atomic_fetch_add(&calls->n_asleep, asleep > FRAME);
  raise_to(&calls->longest, own);
  raise_to(&calls->most_busy, own - idle);
  raise_to(&calls->most_asleep, asleep);
}

/* ---- Steps ------------------------------------------------------------------------ */

static void
dispatch(void)
{
  call_begins();
  int code = shmvideo_writer_dispatch(writer);
  call_ends(STORM_DISPATCH);
  if (code < 0)
    g_error("dispatch: %s", shmvideo_strerror(code));
}

static void
set_format(void)
{
  static const uint32_t formats[] = {SHMVIDEO_FORMAT_GRAY8, SHMVIDEO_FORMAT_RGBA,
                                     SHMVIDEO_FORMAT_I420};
  struct shmvideo_error error;
  struct shmvideo_format format = {
      .pixel_format = formats[delay_random(G_N_ELEMENTS(formats))],
      .width = 16 + 8 * delay_random(delay_random(8) == 0 ? 40 : 8),
      .height = 16 + 2 * delay_random(64)};
  if (storm->backpressure) { /* few slots, but enough for all */
    format.pixel_format = SHMVIDEO_FORMAT_RGBA;
    format.width = 96 + 8 * delay_random(5);
    format.height = 96 + 2 * delay_random(17);
  }
  call_begins();
  int code = shmvideo_writer_set_format(writer, &format, NULL, &error);
  call_ends(STORM_FORMAT);
  if (code < 0)
    g_error("set_format: %s", error.message);
}

/* Without backpressure there is always a slot, whoever died with how many holds. */
static struct shmvideo_slot *
take(void)
{
  struct shmvideo_slot *slot;
  int code;
  call_begins();
  if (storm->backpressure)
    code = shmvideo_writer_acquire_wait(writer, TRUE, -1, &slot);
  else
    code = shmvideo_writer_acquire(writer, &slot);
  call_ends(storm->backpressure ? STORM_WAIT : STORM_ACQUIRE);
  if (code != 1)
    g_error("acquire: %s", code == 0 ? "no slot" : shmvideo_strerror(code));
  return slot;
}

static void
release(struct shmvideo_slot *slot)
{
  call_begins();
  shmvideo_slot_release(slot);
  call_ends(STORM_RELEASE);
}

/* A slot of the format before can only be released; then it was not shown. */
static void
show(struct shmvideo_slot *slot)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  bool keep = delay_random(4) == 0;
  info.offset = (uint64_t)getpid() << 32 | (shown + 1);
  share_paint(slot->data, slot->size, info.offset);
  delay_now(300);
  call_begins();
  int code = (keep ? shmvideo_writer_publish_kept : shmvideo_writer_publish)(
      writer, slot, &info);
  call_ends(STORM_PUBLISH);
  if (code == 0) {
    shown++;
    atomic_fetch_add(&storm->shown, 1);
  } else if (code != -ESTALE) {
    g_error("publish: %s", shmvideo_strerror(code));
  }
  if (code != 0 || keep)
    release(slot);
}

/* Some slots are out for longer. */
static void
handle_out(void)
{
  if (n_out < MAX_OUT && delay_random(3) == 0) {
    out[n_out++] = take();
  } else if (n_out > 0) {
    struct shmvideo_slot *slot = out[--n_out];
    if (delay_random(2) == 0)
      show(slot);
    else
      release(slot);
  }
}

static void
end_stream(void)
{
  call_begins();
  shmvideo_writer_end(writer);
  call_ends(STORM_END);
}

static void
do_something(void)
{
  dispatch();
  show(take());
  if (delay_random(4) == 0)
    handle_out();
  if (delay_random(60) == 0)
    set_format();
  if (delay_random(200) == 0)
    end_stream();
  delay_now(delay_random(20) == 0 ? 5000 : 300);
}

/* ---- Life ------------------------------------------------------------------------- */

/* Readers that die break no rule. */
static void
hear(void *user, enum shmvideo_log_level level, const char *line)
{
  if (level <= SHMVIDEO_LOG_WARNING)
    g_error("a writer says: %s", line);
}

static void
open_writer(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_error error;
  int code;
  config.path = storm->path;
  config.backpressure = storm->backpressure;
  config.backpressure_timeout = 20000000;
  config.max_memory = storm->backpressure ? MIN_SLOTS * 65536 : 0;
  config.log = hear;
  while ((code = shmvideo_writer_new(&config, &error, &writer)) ==
             -EADDRINUSE || code == -EBUSY) {
    atomic_fetch_add(&storm->found_another, 1);
    poll(NULL, 0, 1);
  }
  if (code < 0)
    g_error("%s", error.message);
  atomic_fetch_add(&storm->opened, 1);
  shown = 0;
}

static void
close_writer(void)
{
  while (n_out > 0)
    release(out[--n_out]);
  shmvideo_writer_free(writer);
}

/* Without readers and slots out it has what it had before them, and all its slots. */
static void
settle(struct share_usage before)
{
  struct shmvideo_writer_stats stats;
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (n_out > 0)
    release(out[--n_out]);
  for (;;) {
    shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 10);
    dispatch();
    shmvideo_writer_get_stats(writer, &stats);
    struct share_usage now = share_usage(getpid());
    if (stats.n_readers == 0 && now.descriptors == before.descriptors &&
        now.mappings == before.mappings)
      break;
    if (shmvtest_now() > end)
      g_error("all are dead; %u readers, %u descriptors and %u mappings stay; "
              "before %u, %u", stats.n_readers, now.descriptors, now.mappings,
              before.descriptors, before.mappings);
  }
  g_assert_cmpuint(stats.slots_out, ==, 0);
  for (guint i = 0; i < MAX_OUT; i++)
    out[n_out++] = take();
  for (guint i = 0; i < 100; i++)
    show(take());
}

static void
live(void)
{
  guint n = 20 + delay_random(2000);
  for (guint i = 0; i < n; i++)
    do_something();
}

static void
live_to_the_end(void)
{
  set_format();
  show(take()); /* what is made once is there */
  struct share_usage usage = share_usage(getpid());
  guint64 memory = survivors_own_memory();
  while (!atomic_load(&storm->quiet))
    do_something();
  settle(usage);
  survivors_check_own_memory(memory);
}

void
storm_write(struct storm *all, guint32 seed, bool immortal)
{
  storm = all;
  GHashTable *before = leaks_take();
  delay_start(seed);
  do {
    open_writer();
    set_format();
    if (immortal)
      live_to_the_end();
    else
      live();
    close_writer();
  } while (!immortal);
  delay_stop();
  survivors_check_left(before);
}
