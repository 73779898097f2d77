/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Random caps texts inside the subset, in all spellings. Names, values and
 * features are few, so that what is made often has something in common.
 */

#ifndef CAPS_MAKE_H
#define CAPS_MAKE_H

#include <string.h>

#include "caps-gst.h"

static int
pick(int n)
{
  return g_test_rand_int_range(0, n);
}

#define PICK(array) ((array)[pick(G_N_ELEMENTS(array))])

/* How often to try: as asked for, or the usual, less on slow machines. */
static guint
n_rounds(guint usual)
{
  const char *asked = g_getenv("SHMVIDEO_TEST_ROUNDS");
  const char *slowness = g_getenv("SHMVIDEO_TEST_SLOWNESS");
  if (asked != NULL)
    return (guint)g_ascii_strtoull(asked, NULL, 10);
  if (slowness != NULL)
    usual /= (guint)g_ascii_strtoull(slowness, NULL, 10);
  return g_getenv("SHMVIDEO_TEST_VALGRIND") != NULL ? usual / 4 : usual;
}

static void
put(GString *text, const char *string)
{
  static const char *const spaces[] = {"", "", "", " ", "  ", "\t", "\n "};
  g_string_append(text, PICK(spaces));
  g_string_append(text, string);
  g_string_append(text, PICK(spaces));
}

static void
put_type(GString *text, const char *name)
{
  g_string_append_c(text, '(');
  put(text, name);
  g_string_append_c(text, ')');
}

/* Numbers are few, so that sets and formats often meet. */
static void
put_int(GString *text, gboolean typed, int value)
{
  if (!typed && pick(2))
    put_type(text, pick(2) ? "int" : "i");
  g_string_append_printf(text, value < 0 || pick(3) ? "%d" : "0x%x", value);
}

static void
put_fraction(GString *text, gboolean typed, int n, int d)
{
  int times = pick(3) ? 1 : 1 + pick(4);
  gboolean own = !typed && pick(2);
  if (own)
    put_type(text, "fraction");
  if ((own || typed) && d == 1 && pick(3) == 0)
    g_string_append_printf(text, "%d", n);
  else
    g_string_append_printf(text, "%d/%d", n * times, d * times);
}

/* The first ones mean themselves when nothing is written around them. */
static const char *const strings[] = {"I420", "RGBA", "NV12", "bt709", "mixed",
                                      "2:3:5:1", "a b", "5", "true", "x;y,z",
                                      "q\"\\", "", "]}", "30/1", "a:b"};

static void
put_string(GString *text, gboolean typed)
{
  int i = pick(3) ? pick(4) : pick(G_N_ELEMENTS(strings));
  gboolean plain = i <= 5, own = !typed && (!plain || pick(2));
  if (own)
    put_type(text, pick(2) ? "string" : pick(2) ? "str" : "s");
  if ((plain || (own && strcmp(strings[i], "30/1") == 0)) && pick(2)) {
    g_string_append(text, strings[i]);
    return;
  }
  g_string_append_c(text, '"');
  for (const char *c = strings[i]; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\' || (!g_ascii_isdigit(*c) && pick(9) == 0))
      g_string_append_printf(text, "\\%c", *c);
    else if (pick(9) == 0)
      g_string_append_printf(text, "\\%03o", (guint)*c);
    else
      g_string_append_c(text, *c);
  }
  g_string_append_c(text, '"');
}

static const int widths[] = {-64, -1, 0, 1, 8, 9, 64, 320, 640, 2147483647};
static const int rates[][2] = {{0, 1}, {1, 2}, {30, 1}, {30000, 1001},
                               {60, 1}, {-1, 3}, {2147483647 / 8, 7}};
static const int steps[] = {1, 2, 8, 32};

/* One value of a kind; typed: its type has been written already. */
enum kind { INT, UINT, FRACTION, STRING, BOOLEAN, DOUBLE, BITMASK, FLAGS,
            N_KINDS };
static const char *const types[N_KINDS] = {"int",     "uint",   "fraction",
                                           "string",  "boolean", "double",
                                           "bitmask", "flagset"};

static void
put_scalar(GString *text, enum kind kind, gboolean typed, gboolean fixed)
{
  static const char *const truths[] = {"true", "false", "yes", "NO", "T", "f"};
  static const char *const doubles[] = {"1.5", "1.50", "15e-1", "-2.", ".25"};
  const int *rate = PICK(rates);
  switch (kind) {
  case INT:
    put_int(text, typed, PICK(widths));
    return;
  case FRACTION:
    put_fraction(text, typed, rate[0], rate[1]);
    return;
  case STRING:
    put_string(text, typed);
    return;
  case BOOLEAN:
    if (!typed && pick(2))
      put_type(text, pick(2) ? "bool" : "b");
    g_string_append(text, PICK(truths));
    return;
  case DOUBLE:
    if (!typed && pick(2))
      put_type(text, "d");
    g_string_append(text, PICK(doubles));
    return;
  case UINT:
  case BITMASK:
    if (!typed)
      put_type(text, types[kind]);
    g_string_append_printf(text, kind == UINT ? "%d" : "0x%x", pick(3));
    return;
  default:
    if (!typed)
      put_type(text, pick(2) ? "flagset" : "GstFlagSet");
    g_string_append_printf(text, "%x:%x", (guint)pick(4),
                           fixed ? G_MAXUINT : (guint)pick(5));
  }
}

static void
put_range(GString *text, enum kind kind, gboolean typed)
{
  int step = pick(2) ? PICK(steps) : 1, from = pick(20) - 10;
  int min = from * step, max = (from + 1 + pick(30)) * step;
  g_string_append_c(text, '[');
  put(text, "");
  if (kind == INT) {
    put_int(text, typed, min);
    put(text, ",");
    put_int(text, typed, max);
    if (step != 1) {
      put(text, ",");
      put_int(text, typed, step);
    }
  } else {
    put_fraction(text, typed, pick(30), 1 + pick(3));
    put(text, ",");
    put_fraction(text, typed, 30 + pick(31), 1);
  }
  put(text, "]");
}

static void
put_value(GString *text, enum kind kind, gboolean fixed)
{
  gboolean typed = pick(2);
  gboolean ranges = !fixed && (kind == INT || kind == FRACTION);
  if (typed)
    put_type(text, types[kind]);
  put(text, "");
  if (ranges && pick(3) == 0) {
    put_range(text, kind, typed);
  } else if (!fixed && pick(2)) {
    gboolean some_ranges = ranges && pick(4) == 0;
    g_string_append_c(text, '{');
    for (int n = 1 + pick(4); n > 0; n--) {
      put(text, "");
      if (some_ranges && pick(2))
        put_range(text, kind, typed);
      else
        put_scalar(text, kind, typed, FALSE);
      put(text, n > 1 ? "," : "}");
    }
  } else {
    put_scalar(text, kind, typed, fixed);
  }
}

static void
put_features(GString *text, gboolean fixed)
{
  static const char *const features[] = {
      "(memory:SystemMemory)", "()", "(memory:DMABuf)", "(format:Interlaced)",
      "(memory:DMABuf, meta:X)", "( meta:X,memory:DMABuf)",
      "(memory:SystemMemory,  meta:X)", "(meta:X,meta:X)", "(meta:X)"};
  if (pick(3) == 0)
    g_string_append(text, PICK(features));
  else if (!fixed && pick(6) == 0)
    g_string_append(text, "(ANY)");
}

/* One structure; its fields are of the kind their name says, mostly. */
static void
put_structure(GString *text, gboolean fixed)
{
  static const struct {
    const char *name;
    enum kind kind;
  } fields[] = {{"format", STRING},  {"width", INT},      {"height", INT},
                {"framerate", FRACTION}, {"views", UINT}, {"live", BOOLEAN},
                {"gamma", DOUBLE},   {"mask", BITMASK},   {"flags", FLAGS}};
  put(text, "");
  g_string_append(text, pick(8) ? "video/x-raw" : "image/x-y+z.1");
  put_features(text, fixed);
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    if (pick(fixed ? 3 : 4))
      continue;
    enum kind kind = pick(20) ? fields[i].kind : (enum kind)pick(N_KINDS);
    put(text, ",");
    put(text, fields[i].name);
    put(text, "=");
    put_value(text, kind, fixed);
  }
  if (pick(8) == 0)
    put(text, ",");
}

static char *
make_text(gboolean fixed)
{
  GString *text = g_string_new(NULL);
  if (!fixed && pick(50) == 0)
    return g_string_free(g_string_append(text, pick(2) ? "ANY" : "NONE"),
                         FALSE);
  for (int n = fixed ? 1 : 1 + pick(4); n > 0; n--) {
    put_structure(text, fixed);
    if (n > 1 || pick(4) == 0)
      put(text, ";");
  }
  return g_string_free(text, FALSE);
}

#endif
