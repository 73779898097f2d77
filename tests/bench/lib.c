/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: what the library alone costs, as JSON on standard output
 *
 *     bench-lib [--batches=N] [--wakes=N] [--gap-us=N] [--joins=N] [--small] [PART...]
 *
 * Parts: calls, wakes, joins, copies; all of them if none is named.
 */

#include "lib.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
lib_need(bool good, const char *sentence)
{
  if (good)
    return;
  fprintf(stderr, "bench-lib: %s\n", sentence);
  _exit(1);
}

static int
compare(const void *a, const void *b)
{
  const double *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

double
lib_median(double *values, unsigned n)
{
  qsort(values, n, sizeof *values, compare);
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void
lib_print_percentiles(FILE *file, const char *name,
                      const struct bench_histogram *histogram)
{
  struct bench_percentiles p = bench_histogram_read(histogram);
  fprintf(file,
          "\"%s\": {\"n\": %llu, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, "
          "\"p99.9\": %.3f, \"max\": %.3f}",
          name, (unsigned long long)p.n, p.p50 / 1000, p.p90 / 1000,
          p.p99 / 1000, p.p999 / 1000, p.max / 1000);
}

static const struct {
  const char *name;
  void (*print)(FILE *file, const struct lib_options *options);
} parts[] = {{"calls", lib_calls},
             {"wakes", lib_wakes},
             {"joins", lib_joins},
             {"copies", lib_copies}};
#define N_PARTS (sizeof parts / sizeof *parts)

static bool
is_wanted(const char *name, char **wanted)
{
  bool found = *wanted == NULL;
  for (; *wanted != NULL; wanted++)
    found |= strcmp(*wanted, name) == 0;
  return found;
}

int
main(int argc, char **argv)
{
  static const struct option long_options[] = {
      {"batches", required_argument, NULL, 'b'},
      {"wakes", required_argument, NULL, 'w'},
      {"gap-us", required_argument, NULL, 'g'},
      {"joins", required_argument, NULL, 'j'},
      {"small", no_argument, NULL, 's'},
      {NULL, 0, NULL, 0}};
  struct lib_options options = {400, 2000, 1000, 20, false};
  for (int option;
       (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    unsigned *where = option == 'b'   ? &options.batches
                      : option == 'w' ? &options.wakes
                      : option == 'g' ? &options.gap_us
                      : option == 'j' ? &options.joins
                                      : NULL;
    if (option == 's') {
      options.small = true;
      continue;
    }
    lib_need(where != NULL && atoi(optarg) > 0, "see the head of lib.c");
    *where = (unsigned)atoi(optarg);
  }
  alarm(300); /* whatever happens: nobody waits for us for ever */
  printf("{");
  bool first = true;
  for (size_t i = 0; i < N_PARTS; i++) {
    if (!is_wanted(parts[i].name, argv + optind))
      continue;
    printf("%s", first ? "" : ",\n ");
    fflush(stdout); /* children must not print it again */
    parts[i].print(stdout, &options);
    first = false;
  }
  printf("}\n");
  return 0;
}
