/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench: one of the measured processes
 *
 * The pipeline's threads do the work; the main thread waits for commands, sleeps to
 * the two ends of the window and looks there at what the process has used.
 */

#include "bench.h"

#include <errno.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint64_t window_start, window_end;
static atomic_bool leaving;
static int out_fd;

/* ---- The window ----------------------------------------------------------- */

void
bench_set_window(uint64_t start, uint64_t end)
{
  atomic_store(&window_end, end);
  atomic_store(&window_start, start);
}

bool
bench_in_window(uint64_t now)
{
  uint64_t start =
      atomic_load_explicit(&window_start, memory_order_relaxed);
  return start != 0 && now >= start &&
         now < atomic_load_explicit(&window_end, memory_order_relaxed);
}

static void
sleep_until(uint64_t time)
{
  struct timespec ts = {.tv_sec = (time_t)(time / 1000000000u),
                        .tv_nsec = (long)(time % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
    ;
}

/* ---- Talking to the parent ------------------------------------------------ */

static void
say(const void *data, size_t size)
{
  const char *bytes = data;
  while (size > 0) {
    ssize_t n = write(out_fd, bytes, size);
    if (n < 0 && errno != EINTR)
      _exit(1);
    if (n > 0) {
      bytes += n;
      size -= (size_t)n;
    }
  }
}

static void
say_byte(char byte)
{
  say(&byte, 1);
}

/* Exactly so much, or the parent is gone, or wants us to leave. */
static bool
hear(int in, void *data, size_t size)
{
  char *bytes = data;
  while (size > 0) {
    ssize_t n = read(in, bytes, size);
    if (n == 0 || (n < 0 && errno != EINTR))
      return false;
    if (n > 0) {
      bytes += n;
      size -= (size_t)n;
    }
  }
  return true;
}

static void
on_warm(void)
{
  say_byte(BENCH_SAYS_WARM);
}

/* ---- The pipeline --------------------------------------------------------- */

static GstBusSyncReply
on_message(GstBus *bus, GstMessage *message, gpointer user)
{
  GError *error = NULL;
  char *debug = NULL;
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR || atomic_load(&leaving))
    return GST_BUS_DROP;
  gst_message_parse_error(message, &error, &debug);
  fprintf(stderr, "bench: %s: %s\n%s\n", GST_MESSAGE_SRC_NAME(message),
          error->message, debug != NULL ? debug : "");
  _exit(1);
}

static char *
describe_writer(void)
{
  const struct bench_options *o = &bench_options;
  size_t frame = (bench_frame_size() + 8191) / 4096 * 4096;
  uint64_t area = (uint64_t)frame * (o->depth + 4);
  switch (o->transport) {
    case BENCH_SHM:
      return g_strdup_printf("benchsrc ! shmsink name=end socket-path=%s "
                             "sync=false shm-size=%u",
                             o->path,
                             (unsigned)(area < G_MAXUINT ? area : G_MAXUINT));
    case BENCH_UNIXFD:
      return g_strdup_printf("benchsrc ! unixfdsink name=end socket-path=%s "
                             "sync=false",
                             o->path);
    case BENCH_OURS:
      return g_strdup_printf(
          "benchsrc ! shmvideosink name=end socket-path=%s sync=false "
          "max-memory=%" G_GUINT64_FORMAT " backpressure=%d "
          "wait-for-connection=%d",
          o->path, o->max_memory, o->lossless, o->lossless);
    default:
      break;
  }
  GString *line = g_string_new("benchsrc ! ");
  if (o->readers > 1)
    g_string_append(line, "tee name=t ");
  for (unsigned i = 0; i < o->readers; i++)
    g_string_append_printf(line,
                           "%s queue max-size-buffers=%u max-size-bytes=0 "
                           "max-size-time=0 ! benchsink ",
                           o->readers > 1 ? "t. !" : "", o->depth);
  return g_string_free(line, FALSE);
}

static char *
describe_reader(void)
{
  const struct bench_options *o = &bench_options;
  switch (o->transport) {
    case BENCH_SHM:
      return g_strdup_printf("shmsrc socket-path=%s is-live=true ! benchsink",
                             o->path);
    case BENCH_UNIXFD:
      return g_strdup_printf("unixfdsrc socket-path=%s ! benchsink", o->path);
    default:
      return g_strdup_printf("shmvideosrc name=end socket-path=%s policy=%s "
                             "max-buffers=%u max-holds=%u ! benchsink",
                             o->path, o->lossless ? "lossless" : "latest",
                             o->depth, o->holds != 0 ? o->holds : 8);
  }
}

static GstElement *
make_pipeline(enum bench_role role)
{
  static const char *const needed[] = {"queue", "shmsink", "unixfdsink",
                                       "shmvideosink"};
  const char *name = needed[bench_options.transport];
  GstElementFactory *factory = gst_element_factory_find(name);
  if (factory == NULL) {
    say_byte(BENCH_SAYS_MISSING);
    _exit(0);
  }
  gst_object_unref(factory);
  char *line = role == BENCH_READER ? describe_reader() : describe_writer();
  GError *error = NULL;
  GstElement *pipeline =
      gst_parse_launch_full(line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == NULL) {
    fprintf(stderr, "bench: %s: %s\n", line, error->message);
    _exit(1);
  }
  g_free(line);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_bus_set_sync_handler(bus, on_message, NULL, NULL);
  gst_object_unref(bus);
  return pipeline;
}

/* ---- What our elements count ---------------------------------------------- */

static const char *const counters[] = {"copied", "zero-copy", "dropped",
                                       "skipped", "received"};
#define N_COUNTERS G_N_ELEMENTS(counters)

/* -1 where this element has no such count. */
static void
read_counters(GstElement *pipeline, int64_t *values)
{
  GstElement *end = gst_bin_get_by_name(GST_BIN(pipeline), "end");
  GstStructure *stats = NULL;
  guint64 value;

  for (guint i = 0; i < N_COUNTERS; i++)
    values[i] = -1;
  if (end == NULL)
    return;
  if (bench_options.transport == BENCH_OURS)
    g_object_get(end, "transport-stats", &stats, NULL);
  for (guint i = 0; stats != NULL && i < N_COUNTERS; i++)
    if (gst_structure_get_uint64(stats, counters[i], &value))
      values[i] = (int64_t)value;
  if (stats != NULL)
    gst_structure_free(stats);
  gst_object_unref(end);
}

static void
fill_counters(struct bench_result *result, const int64_t *before,
              const int64_t *after)
{
  int64_t *const fields[N_COUNTERS] = {&result->copied, &result->zero_copy,
                                       &result->dropped, &result->skipped,
                                       &result->received};
  for (guint i = 0; i < N_COUNTERS; i++)
    *fields[i] = after[i] < 0 ? -1 : after[i] - before[i];
}

/* ---- Being a process ------------------------------------------------------ */

static void
measure(GstElement *pipeline, enum bench_role role, const uint64_t *window)
{
  static struct bench_sink_result sinks[BENCH_MAX_READERS];
  int64_t before[N_COUNTERS], after[N_COUNTERS];
  struct bench_result result;

  bench_set_window(window[0], window[1]);
  sleep_until(window[0]);
  read_counters(pipeline, before);
  struct bench_usage usage = bench_usage_now();
  sleep_until(window[1]);
  usage = bench_usage_since(usage);
  read_counters(pipeline, after);

  bench_src_result(&result);
  result.usage = usage;
  result.memory = bench_memory_now();
  result.pid = getpid();
  fill_counters(&result, before, after);
  result.n_sinks = role == BENCH_WRITER ? 0
                   : role == BENCH_BOTH ? bench_options.readers
                                        : 1;
  for (uint32_t i = 0; i < result.n_sinks; i++)
    bench_sink_result(i, &sinks[i]);
  say_byte(BENCH_SAYS_RESULT);
  say(&result, sizeof result);
  say(sinks, result.n_sinks * sizeof *sinks);
}

/* Memory is given to new readers for a while, and each place of a pool is seen for
 * the first time once: until this process has no more page faults. Whom frames cost
 * page faults for ever, that is the transport's own. */
static void
settle(void)
{
  uint64_t interval = 50000000u, end = bench_now() + 200 * interval;
  unsigned quiet = 0;
  if (bench_options.transport == BENCH_UNIXFD)
    end = bench_now() + 6 * interval;
  while (quiet < 2 && bench_now() < end) {
    struct bench_usage usage = bench_usage_now();
    sleep_until(bench_now() + interval);
    usage = bench_usage_since(usage);
    quiet = usage.minor_faults == 0 ? quiet + 1 : 0;
  }
  say_byte(BENCH_SAYS_SETTLED);
}

void
bench_child(enum bench_role role, int in, int out)
{
  uint64_t window[2];
  char go;

  out_fd = out;
  signal(SIGPIPE, SIG_IGN);
  /* Whatever a transport does: nobody waits for this process for ever. */
  alarm(180 + (unsigned)(bench_options.seconds + bench_options.warmup));
  gst_init(NULL, NULL);
  g_assert(bench_register_src() && bench_register_sink());
  bench_on_warm = on_warm;
  GstElement *pipeline = make_pipeline(role);

  if (!hear(in, &go, 1))
    _exit(1);
  if (gst_element_set_state(pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE)
    _exit(1);
  if (role != BENCH_READER)
    say_byte(BENCH_SAYS_UP);
  if (hear(in, &go, 1))
    settle();
  if (hear(in, window, sizeof window))
    measure(pipeline, role, window);
  while (hear(in, &go, 1))
    ;
  atomic_store(&leaving, true);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  _exit(0);
}
