/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A corpus, once through a target
 *
 *   replay-TARGET FILE...
 *
 * A file is inputs with empty lines between them. In an input two hexadecimal digits
 * are a byte, "61*300" is a byte so often, spaces and line ends say nothing, and #
 * begins a comment that ends with the line. So a vector of tests/vectors is a file
 * with one input. Prints TAP; a target that fails dies.
 */

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#define LONGEST 65536

static uint8_t input[LONGEST];
static size_t n_bytes;

static int
hex_digit(int c)
{
  return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* One byte and how often; where it ends, or NULL if it is none. */
static const char *
add(const char *at)
{
  char *end = (char *)(uintptr_t)(at + 2);
  if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]))
    return NULL;
  int byte = hex_digit(at[0]) << 4 | hex_digit(at[1]);
  unsigned long times = 1;
  if (*end == '*')
    times = strtoul(end + 1, &end, 10);
  if (times > LONGEST - n_bytes)
    return NULL;
  memset(input + n_bytes, byte, times);
  n_bytes += times;
  return end;
}

static bool
add_line(const char *line)
{
  for (const char *at = line; *at != '\0' && *at != '#';) {
    at = isspace((unsigned char)*at) ? at + 1 : add(at);
    if (at == NULL)
      return false;
  }
  return true;
}

/* From a block of just that size, so that one byte too far is seen. */
static void
run(void)
{
  uint8_t *copy = malloc(n_bytes > 0 ? n_bytes : 1);
  FUZZ_CHECK(copy != NULL);
  memcpy(copy, input, n_bytes);
  LLVMFuzzerTestOneInput(copy, n_bytes);
  free(copy);
  n_bytes = 0;
}

/* How many inputs it had, -1: it cannot be read. */
static int
replay(const char *path)
{
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return -1;
  char *line = NULL;
  size_t room = 0;
  bool open = false, good = true;
  int n = 0;
  while (good && getline(&line, &room, file) >= 0) {
    bool empty = line[strspn(line, " \t\r\n")] == '\0';
    if (empty && open) {
      run();
      n++;
    }
    open = !empty;
    good = add_line(line);
  }
  if (good && open) {
    run();
    n++;
  }
  free(line);
  fclose(file);
  return good ? n : -1;
}

int
main(int argc, char **argv)
{
  bool failed = argc < 2;
  printf("1..%d\n", argc - 1);
  for (int i = 1; i < argc; i++) {
    const char *name = strrchr(argv[i], '/');
    int n = replay(argv[i]);
    printf("%sok %d - %s: %d inputs\n", n > 0 ? "" : "not ", i,
           name != NULL ? name + 1 : argv[i], n);
    failed = failed || n <= 0;
  }
  return failed;
}
