/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench: one run, told as JSON on standard output
 *
 *     bench --transport=queue|shm|unixfd|ours [OPTION...]
 *     bench --self-test
 *
 *   --format=NV12|RGBA --size=WIDTHxHEIGHT   default NV12, 1920x1080
 *   --fps=N          paced; 0, the default: as fast as it goes
 *   --touch          every byte written and read
 *   --own-memory     the source brings its own memory: ours copies it once
 *   --readers=N      1 to 64; with queue that many branches of a tee
 *   --stop           the last of the readers is stopped by SIGSTOP
 *   --lossless       ours: policy=lossless, backpressure=true (others always are)
 *   --depth=N        of the queue, of policy=latest, of a rival's pool; default 2
 *   --holds=N        ours: max-holds of the readers
 *   --max-memory=N   ours: bytes
 *   --seconds=S --warmup=S                   default 2, 0.2
 *
 * Exit status 0: measured; 1: it broke off; 77: GStreamer has not got the transport.
 */

#include "bench.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench_options bench_options;

static const char *const transports[] = {"queue", "shm", "unixfd", "ours"};

/* ---- The command line ----------------------------------------------------- */

enum {
  OPT_TRANSPORT = 1, OPT_FORMAT, OPT_SIZE, OPT_FPS, OPT_TOUCH, OPT_OWN,
  OPT_READERS, OPT_STOP, OPT_LOSSLESS, OPT_DEPTH, OPT_HOLDS, OPT_MAX_MEMORY,
  OPT_SECONDS, OPT_WARMUP, OPT_SELF_TEST
};

static const struct option long_options[] = {
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"size", required_argument, NULL, OPT_SIZE},
    {"fps", required_argument, NULL, OPT_FPS},
    {"touch", no_argument, NULL, OPT_TOUCH},
    {"own-memory", no_argument, NULL, OPT_OWN},
    {"readers", required_argument, NULL, OPT_READERS},
    {"stop", no_argument, NULL, OPT_STOP},
    {"lossless", no_argument, NULL, OPT_LOSSLESS},
    {"depth", required_argument, NULL, OPT_DEPTH},
    {"holds", required_argument, NULL, OPT_HOLDS},
    {"max-memory", required_argument, NULL, OPT_MAX_MEMORY},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"self-test", no_argument, NULL, OPT_SELF_TEST},
    {NULL, 0, NULL, 0}};

static bool
set_transport(const char *name)
{
  for (unsigned i = 0; i < sizeof transports / sizeof *transports; i++)
    if (strcmp(name, transports[i]) == 0) {
      bench_options.transport = (enum bench_transport)i;
      return true;
    }
  return false;
}

static bool
set_option(int option, const char *text)
{
  struct bench_options *o = &bench_options;
  unsigned n = text != NULL ? (unsigned)atoi(text) : 0;
  switch (option) {
    case OPT_TRANSPORT:
      return set_transport(text);
    case OPT_FORMAT:
      return snprintf(o->format, sizeof o->format, "%s", text) > 0;
    case OPT_SIZE:
      return sscanf(text, "%ux%u", &o->width, &o->height) == 2;
    case OPT_FPS:
      o->fps = n;
      return true;
    case OPT_TOUCH:
      return o->touch = true;
    case OPT_OWN:
      return o->own_memory = true;
    case OPT_READERS:
      o->readers = n;
      return n >= 1 && n <= BENCH_MAX_READERS;
    case OPT_STOP:
      return o->stop = true;
    case OPT_LOSSLESS:
      return o->lossless = true;
    case OPT_DEPTH:
      o->depth = n;
      return n >= 1;
    case OPT_HOLDS:
      o->holds = n;
      return n >= 1;
    case OPT_MAX_MEMORY:
      o->max_memory = strtoull(text, NULL, 0);
      return true;
    case OPT_SECONDS:
      o->seconds = atof(text);
      return o->seconds > 0;
    case OPT_WARMUP:
      o->warmup = atof(text);
      return true;
    case OPT_SELF_TEST:
      exit(bench_frame_self_test() ? 0 : 1);
    default:
      return false;
  }
}

static bool
read_options(int argc, char **argv)
{
  bool transport = false;
  bench_options = (struct bench_options){.format = "NV12", .width = 1920,
                                         .height = 1080, .readers = 1,
                                         .depth = 2, .seconds = 2,
                                         .warmup = 0.2};
  for (int option;
       (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    if (!set_option(option, optarg)) {
      fprintf(stderr, "bench: what is wrong is \"%s\"\n", argv[optind - 1]);
      return false;
    }
    transport |= option == OPT_TRANSPORT;
  }
  const char *folder = getenv("XDG_RUNTIME_DIR");
  snprintf(bench_options.path, sizeof bench_options.path, "%.70s/bench-%d",
           folder != NULL ? folder : "/tmp", (int)getpid());
  /* Who stops one reader wants to see what becomes of another. */
  return transport && optind == argc && bench_frame_size() >= 4096 &&
         (!bench_options.stop ||
          (bench_options.readers > 1 && bench_options.transport != BENCH_QUEUE));
}

/* ---- JSON ----------------------------------------------------------------- */

static void
print_percentiles(FILE *file, const char *name, struct bench_percentiles p)
{
  fprintf(file,
          "\"%s\": {\"n\": %llu, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
          "\"p99.9\": %.3f, \"max\": %.3f}",
          name, (unsigned long long)p.n, p.p50 / 1000, p.p90 / 1000,
          p.p99 / 1000, p.p999 / 1000, p.max / 1000);
}

static void
print_usage(FILE *file, const struct bench_result *result)
{
  const struct bench_usage *u = &result->usage;
  fprintf(file,
          "\"pid\": %d, \"cpu_us\": %.1f, \"user_us\": %.1f, \"system_us\": "
          "%.1f, \"minor_faults\": %llu, \"waits\": %llu, \"preemptions\": "
          "%llu,\n    \"pss\": %llu, \"pss_shared\": %llu, \"pss_own\": %llu, "
          "\"files\": %llu, ",
          result->pid, (double)u->cpu / 1000, (double)u->user / 1000,
          (double)u->system / 1000, (unsigned long long)u->minor_faults,
          (unsigned long long)u->waits, (unsigned long long)u->preemptions,
          (unsigned long long)result->memory.pss,
          (unsigned long long)result->memory.pss_shared,
          (unsigned long long)result->memory.pss_own,
          (unsigned long long)result->memory.files);
  fprintf(file,
          "\"copied\": %lld, \"zero_copy\": %lld, \"dropped\": %lld, "
          "\"skipped\": %lld, \"received\": %lld",
          (long long)result->copied, (long long)result->zero_copy,
          (long long)result->dropped, (long long)result->skipped,
          (long long)result->received);
}

static void
print_process(FILE *file, const struct bench_process *process)
{
  const struct bench_result *result = &process->result;
  fprintf(file, "{");
  print_usage(file, result);
  if (process->role != BENCH_READER) {
    fprintf(file,
            ",\n    \"frames\": %llu, \"late\": %llu, \"unpooled\": %llu, "
            "\"other_memory\": %llu, \"pool\": \"%s\", \"memory_type\": \"%s\", ",
            (unsigned long long)result->frames,
            (unsigned long long)result->late,
            (unsigned long long)result->unpooled,
            (unsigned long long)result->other_memory, result->pool,
            result->memory_type);
    print_percentiles(file, "held_us", result->held);
  }
  fprintf(file, ",\n    \"sinks\": [");
  for (uint32_t i = 0; i < result->n_sinks; i++) {
    const struct bench_sink_result *sink = &process->sinks[i];
    fprintf(file,
            "%s{\"frames\": %llu, \"lost\": %llu, \"repeated\": %llu, "
            "\"torn\": %llu, ",
            i > 0 ? ",\n     " : "", (unsigned long long)sink->frames,
            (unsigned long long)sink->lost, (unsigned long long)sink->repeated,
            (unsigned long long)sink->torn);
    print_percentiles(file, "latency_us", sink->latency);
    fprintf(file, "}");
  }
  fprintf(file, "]}");
}

void
bench_print(const struct bench_run *run, FILE *file)
{
  const struct bench_options *o = &bench_options;
  fprintf(file,
          "{\"transport\": \"%s\", \"format\": \"%s\", \"width\": %u, "
          "\"height\": %u, \"frame_bytes\": %zu, \"fps\": %u, \"touch\": %s, "
          "\"own_memory\": %s,\n \"readers\": %u, \"stop\": %s, \"lossless\": "
          "%s, \"depth\": %u, \"holds\": %u, \"seconds\": %g, \"error\": "
          "\"%s\", \"missing\": %s",
          transports[o->transport], o->format, o->width, o->height,
          bench_frame_size(), o->fps, o->touch ? "true" : "false",
          o->own_memory ? "true" : "false", o->readers,
          o->stop ? "true" : "false",
          o->lossless || o->transport != BENCH_OURS ? "true" : "false",
          o->depth, o->holds, o->seconds, run->error,
          run->missing ? "true" : "false");
  if (run->error[0] == '\0') {
    bool one = o->transport == BENCH_QUEUE;
    fprintf(file, ",\n \"%s\":\n   ", one ? "both" : "writer");
    print_process(file, &run->process[0]);
    fprintf(file, ",\n \"readers_each\": [");
    for (unsigned i = 1; i < run->n; i++)
      if (!run->process[i].stopped) {
        fprintf(file, "%s\n   ", i > 1 ? "," : "");
        print_process(file, &run->process[i]);
      }
    fprintf(file, "]");
  }
  fprintf(file, "}\n");
}

int
main(int argc, char **argv)
{
  static struct bench_run run;
  if (!read_options(argc, argv)) {
    fprintf(stderr, "usage: see the head of tests/bench/bench.c\n");
    return 2;
  }
  bench_run(&run);
  bench_print(&run, stdout);
  return run.missing ? 77 : run.error[0] != '\0' ? 1 : 0;
}
