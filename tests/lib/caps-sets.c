/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sets of formats where GStreamer cannot be the witness: it crashes, it says what
 * is not so, or it goes on for ever. Beside these, the limits, and lack of memory.
 */

#include "caps-meet.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "caps-fail.h"
#include "caps-print.h"
#include "caps.h"

#define X "a/b, x="

static void
parse(struct shmv_caps *caps, const char *text)
{
  struct shmvideo_error error;
  if (shmv_caps_parse(caps, text, &error) != 0)
    g_error("refused \"%.200s\": %s", text, error.message);
}

/* What two texts have in common, as a text. */
static int
intersect(const char *a, const char *b, char *out, size_t out_size)
{
  struct shmv_caps of_a, of_b, met;
  parse(&of_a, a);
  parse(&of_b, b);
  int r = shmv_caps_intersect(&met, &of_a, &of_b);
  g_assert_cmpint(r, >=, 0);
  /* The result needs neither of them. */
  memset(of_a.strings, '?', of_a.n_strings);
  memset(of_b.strings, '?', of_b.n_strings);
  shmv_caps_clear(&of_a);
  shmv_caps_clear(&of_b);
  g_assert_cmpint(shmv_caps_print(&met, out, out_size), ==, strlen(out));
  shmv_caps_clear(&met);
  return r;
}

static const struct {
  const char *a, *b, *met;
} met[] = {
    {"ANY", "ANY", "ANY"}, {"ANY", "EMPTY", "EMPTY"},
    {"EMPTY", "ANY", "EMPTY"}, {"EMPTY", "EMPTY", "EMPTY"},
    {"ANY", "a/b(m:X), x={ 1, 2 }; c/d(ANY)",
     "a/b(m:X), x=(int){ 1, 2 }; c/d(ANY)"},
    {"a/b(ANY)", "a/b(m:X, n:Y); a/b", "a/b(m:X, n:Y); a/b"},
    {"a/b(m:X, n:Y)", "a/b(n:Y,m:X)", "a/b(m:X, n:Y)"},
    {"a/b(ANY), x=1", "a/b(ANY)", "a/b(ANY), x=(int)1"},
    {"a/b, x=1, y=2", "a/b, z=3, y=2", "a/b, x=(int)1, y=(int)2, z=(int)3"},
    /* Structures in the order of the first set, but none twice. */
    {"a/b, x=1; a/b, x=2; c/d", "a/b, x=2; a/b; c/d",
     "a/b, x=(int)1; a/b, x=(int)2; c/d"},
    /* Lists in the order of the first, but against a single value. */
    {X "{ 3, 1, 2 }", X "{ 1, 2, 3, 4 }", X "(int){ 3, 1, 2 }"},
    {X "[ 1, 5 ]", X "{ 9, 4, 3 }", X "(int){ 4, 3 }"},
    {X "{ a, b, b }", X "b", X "(string)b"},
    {X "{ [ 1, 9 ], [ 20, 29 ] }", X "{ [ 2, 3 ], [ 5, 6 ], [ 25, 40 ] }",
     X "(int){ [ 2, 3 ], [ 25, 29 ] }"},
    {X "{ 1, 2 }", X "{ [ 1, 5 ] }", "EMPTY"},
    {X "{ 1, [ 5, 9 ] }", X "[ 1, 6 ]", X "(int){ 1, [ 5, 6 ] }"},
    /* Rounded as numbers are, not as C divides. */
    {X "[ -8, 20, 2 ]", X "[ -16, 30, 2 ]", X "(int)[ -8, 20, 2 ]"},
    {X "[ -16, -10, 2 ]", X "[ -16, -8, 4 ]", X "(int)[ -16, -12, 4 ]"},
    {X "[ -9, 9, 3 ]", X "[ -10, 10, 2 ]", X "(int)[ -6, 6, 6 ]"},
    {X "[ -3, 3, 3 ]", X "[ -2, 2, 2 ]", X "(int)0"},
    {X "[ 1, 5 ]", X "[ 6, 12, 6 ]", "EMPTY"},
    {X "[ 2147483630, max ]", X "[ 0, 2147483600, 100 ]", "EMPTY"},
    {X "[ min, max ]", X "[ 0, 2147450879, 65537 ]",
     X "(int)[ 0, 2147450879, 65537 ]"},
    {X "[ 0, 131072, 65536 ]", X "[ 0, 131074, 65537 ]", "EMPTY"},
    {X "(flagset)1:3", X "(flagset)2:6", "EMPTY"},
    {X "(flagset)1:3", X "(flagset)5:5", X "(flagset)5:7"},
    {X "(fraction)[ 1, 30 ]", X "(fraction)[ 30, 60 ]", X "(fraction)30/1"},
    /* Here GStreamer crashes. */
    {X "(fraction){ [ 1/1, 2/1 ], 5/1 }; " X "(fraction){ [ 1/1, 3/1 ], 7/1 }",
     "a/b",
     X "(fraction){ [ 1/1, 2/1 ], 5/1 }; " X "(fraction){ [ 1/1, 3/1 ], 7/1 }"},
    {X "[ 0, 9, 3 ]; " X "{ [ 0, 4, 2 ], [ 0, 8, 4 ] }", "a/b",
     X "(int)[ 0, 9, 3 ]; " X "(int){ [ 0, 4, 2 ], [ 0, 8, 4 ] }"},
};

static void
test_met(void)
{
  char text[500];
  for (gsize i = 0; i < G_N_ELEMENTS(met); i++) {
    g_test_message("%s | %s", met[i].a, met[i].b);
    g_assert_cmpint(intersect(met[i].a, met[i].b, text, sizeof text), ==, 0);
    g_assert_cmpstr(text, ==, met[i].met);
    struct shmv_caps a, b;
    parse(&a, met[i].a);
    parse(&b, met[i].b);
    gboolean can = strcmp(met[i].met, "EMPTY") != 0;
    g_assert_cmpint(shmv_caps_can_intersect(&a, &b), ==, can);
    g_assert_cmpint(shmv_caps_can_intersect(&b, &a), ==, can);
    shmv_caps_clear(&a);
    shmv_caps_clear(&b);
  }
}

static const struct {
  gboolean is;
  const char *part, *whole;
} subsets[] = {
    {TRUE, "ANY", "ANY"}, {TRUE, "EMPTY", "ANY"}, {FALSE, "ANY", "EMPTY"},
    {TRUE, "EMPTY", "EMPTY"}, {FALSE, "ANY", "a/b"}, {FALSE, "a/b", "EMPTY"},
    {TRUE, "a/b, x=1", "a/b"}, {FALSE, "a/b", "a/b, x=1"},
    {TRUE, "a/b; c/d", "c/d; a/b"}, {FALSE, "a/b; c/d", "a/b"},
    {TRUE, "a/b(m:X)", "a/b(ANY)"}, {FALSE, "a/b(ANY)", "a/b(m:X)"},
    {TRUE, "a/b(ANY)", "a/b(ANY)"}, {FALSE, "a/b(m:X)", "a/b(m:Y)"},
    {TRUE, X "5", X "[ 1, 5 ]"}, {FALSE, X "6", X "[ 1, 5 ]"},
    {TRUE, X "6", X "[ 0, 8, 2 ]"}, {FALSE, X "5", X "[ 0, 8, 2 ]"},
    {TRUE, X "-6", X "[ -8, 8, 2 ]"}, {FALSE, X "[ 1, 5 ]", X "5"},
    {TRUE, X "[ 0, 8, 4 ]", X "[ 0, 8, 2 ]"},
    {TRUE, X "[ 1, 2 ]", X "{ 2, 1 }"}, {FALSE, X "[ 1, 2 ]", X "{ 2, 1, 3 }"},
    {FALSE, X "[ 1, 2 ]", X "{ 1, 3 }"}, {FALSE, X "[ 1, 3 ]", X "{ 1, 3 }"},
    {FALSE, X "(fraction)[ 1, 2 ]", X "{ 1/1, 2/1 }"},
    {TRUE, X "{ 1, 2 }", X "{ 2, 1, 3 }"}, {FALSE, X "{ 1, 2 }", X "{ 1, 3 }"},
    {FALSE, X "{ 1, 1 }", X "{ 1 }"}, {TRUE, X "{ 1, 1 }", X "1"},
    {FALSE, X "1", X "{ [ 1, 5 ] }"}, {FALSE, X "1", X "(uint)1"},
    {TRUE, X "(fraction)[ 1, 2 ]", X "(fraction)[ 1, 3 ]"},
    {FALSE, X "(fraction)[ 1, 4 ]", X "(fraction)[ 1, 3 ]"},
    {FALSE, X "(fraction)[ 0, 2 ]", X "(fraction)[ 1, 3 ]"},
    {TRUE, X "(flagset)1:1", X "(flagset)1:3"},
    {FALSE, X "(flagset)0:1", X "(flagset)1:1"},
    {FALSE, X "{ (flagset)1:1 }", X "(flagset)1:3"},
    /* Here GStreamer says otherwise. */
    {FALSE, X "[ 0, 8 ]", X "[ 0, 8, 2 ]"},
    {FALSE, X "[ 0, 8, 2 ]", X "[ 0, 8, 4 ]"},
    {TRUE, X "{ 1, 2, 2 }", X "[ 1, 2 ]"}, {TRUE, X "{ 1, [ 2, 3 ] }", X "[ 1, 3 ]"},
    /* Here it crashes. */
    {FALSE, X "{ [ 0, 4, 2 ], [ 0, 8, 4 ] }", X "[ 0, 9, 3 ]"},
    {TRUE, X "{ [ 0, 4, 2 ], [ 0, 8, 4 ] }", X "[ 0, 8, 2 ]"},
    {FALSE, X "(fraction){ [ 1, 2 ], 5 }", X "(fraction){ [ 1, 3 ], 7 }"},
    {FALSE, X "[ 1, 2 ]", X "{ 1, [ 5, 9 ] }"},
};

static void
test_subsets(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(subsets); i++) {
    struct shmv_caps part, whole;
    g_test_message("%s | %s", subsets[i].part, subsets[i].whole);
    parse(&part, subsets[i].part);
    parse(&whole, subsets[i].whole);
    g_assert_cmpint(shmv_caps_is_subset(&part, &whole), ==, subsets[i].is);
    shmv_caps_clear(&part);
    shmv_caps_clear(&whole);
  }
}

/* ---- limits ------------------------------------------------------------- */

/* head, then n times one of parts with its number in it, then tail. */
static char *
repeat(const char *head, const char *part, guint n, const char *tail)
{
  GString *text = g_string_new(head);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, part, i);
  return g_string_free(g_string_append(text, tail), FALSE);
}

struct shape {
  int r;
  guint structures, values;
};

/* How large the intersection is; frees the texts. */
static struct shape
measure(char *a, char *b)
{
  struct shmv_caps of_a, of_b, common;
  parse(&of_a, a);
  parse(&of_b, b);
  struct shape shape = {.r = shmv_caps_intersect(&common, &of_a, &of_b)};
  shape.structures = common.n_structures.used;
  shape.values = common.n_values.used;
  g_free(a);
  g_free(b);
  shmv_caps_clear(&of_a);
  shmv_caps_clear(&of_b);
  shmv_caps_clear(&common);
  return shape;
}

#define ASSERT_SHAPE(found, is_r, n_structures, n_values)     \
  do {                                                        \
    const struct shape is = (found);                          \
    g_assert_cmpint(is.r, ==, is_r);                          \
    g_assert_cmpuint(is.structures, ==, n_structures);        \
    g_assert_cmpuint(is.values, ==, n_values);                \
  } while (0)

static void
test_limits(void)
{
  /* Fields of one structure. */
  ASSERT_SHAPE(measure(repeat("a/b", ", f%u=1", 32, ""),
                       repeat("a/b", ", g%u=1", 32, "")), 0, 1, 64);
  ASSERT_SHAPE(measure(repeat("c/d; a/b", ", f%u=1", 32, "; e/f"),
                       repeat("c/d; a/b", ", g%u=1", 33, "; e/f")), 1, 1, 0);
  /* Structures. */
  ASSERT_SHAPE(measure(repeat("", "a/b,x=%u;", 20, ""),
                       repeat("", "a/b,y=%u;", 20, "")), 0, 400, 800);
  ASSERT_SHAPE(measure(g_strdup("ANY"), repeat("", "a/b%u;", 1024, "")), 0,
               1024, 0);
  ASSERT_SHAPE(measure(g_strdup("ANY"), repeat("", "a/b%u;", 1025, "")), 1,
               1024, 0);
  /* Values; what does not fit leaves nothing of itself. */
  ASSERT_SHAPE(measure(repeat("", "a/b,y=%u;", 8, ""),
                       repeat("a/b, x={ 1", ",%u", 2047, "}")), 1, 7, 7 * 2049);
  ASSERT_SHAPE(measure(repeat("", "a/b,y=%u;", 8, ""),
                       repeat("a/b, x={ 1", ",%u", 2046, "}")), 0, 8, 16384);
}

/* Whether one of them is part of the other, and whether they meet; frees them. */
static void
assert_compared(char *part, char *whole, gboolean is_subset, gboolean meet)
{
  struct shmv_caps p, w;
  parse(&p, part);
  parse(&w, whole);
  g_assert_cmpint(shmv_caps_is_subset(&p, &w), ==, is_subset);
  g_assert_cmpint(shmv_caps_can_intersect(&p, &w), ==, meet);
  shmv_caps_clear(&p);
  shmv_caps_clear(&w);
  g_free(part);
  g_free(whole);
}

/* Texts that are as costly as can be: it ends, and says that there is more. */
static void
test_work(void)
{
  struct shape shape = measure(repeat("", "a/b,x=%u;", 500, ""),
                               repeat("", "a/b,y=%u;", 500, ""));
  g_assert_cmpint(shape.r, ==, 1);
  g_assert_cmpuint(shape.structures, >, 300);
  ASSERT_SHAPE(measure(repeat("", "a/b;", 4096, ""),
                       repeat("", "a/b;", 4096, "")), 1, 1, 0);
  ASSERT_SHAPE(measure(repeat(X "{ 0", ",1", 8000, "}"),
                       repeat(X "{ 2", ",2", 8000, "}")), 1, 0, 0);
  shape = measure(repeat("", "a/b,x=%u;", 1000, ""),
                  repeat("", "a/b;", 4000, ""));
  g_assert_cmpint(shape.r, ==, 1);
  g_assert_cmpuint(shape.structures, >, 30);
  /* Long lists, and then lists that nobody can mean. */
  assert_compared(repeat(X "(s){ a", ",a%u", 1000, "}"),
                  repeat(X "(s){ b", ",b%u", 1000, "}"), FALSE, FALSE);
  assert_compared(repeat(X "{ 0", ",%u", 1300, "}"),
                  repeat(X "{ 0", ",%u", 1300, "}"), TRUE, TRUE);
  assert_compared(repeat(X "{ 3", ",3", 8000, ",1}"),
                  repeat(X "{ 2", ",2", 8000, ",1}"), FALSE, FALSE);
  assert_compared(repeat(X "{ 1", ",1", 8000, "}"),
                  repeat(X "{ 2", ",2", 8000, ",1}"), FALSE, TRUE);
  assert_compared(repeat("a/b(m:X)", ";a/b(m:X)", 500, ""),
                  repeat("a/b(m:Y)", ";a/b(m:Y)", 500, "; a/b(m:X)"), TRUE,
                  TRUE);
}

static void
test_memory(void)
{
  static const char *const pairs[][2] = {
      {"a/b(m:X), x={ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, y=1; c/d, z=2",
       "a/b(m:X), x={ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, w=1; c/d"},
      {"ANY", "a/b(m:X), x={ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, y=1; c/d, z=2"}};
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
    for (int n = 0;; n++) {
      struct shmv_caps a, b, common;
      parse(&a, pairs[i][0]);
      parse(&b, pairs[i][1]);
      failing = n;
      int r = shmv_caps_intersect(&common, &a, &b);
      gboolean failed = failing < 0;
      failing = -1;
      g_assert_cmpint(r, ==, failed ? -ENOMEM : 0);
      if (failed)
        g_assert_null(common.strings);
      shmv_caps_clear(&a);
      shmv_caps_clear(&b);
      shmv_caps_clear(&common);
      if (!failed) {
        g_assert_cmpint(n, >, 4);
        break;
      }
    }
}

/* ---- text --------------------------------------------------------------- */

static const struct {
  const char *from, *to;
} printed[] = {
    {"NONE", "EMPTY"}, {"ANY", "ANY"}, {"a/b;", "a/b"}, {"a/b(ANY)", "a/b(ANY)"},
    {X "-0x10", X "(int)-16"}, {X "(u)4294967295", X "(uint)4294967295"},
    {X ".1", X "(double)0.10000000000000001"}, {X "1e300", X "(double)1.0000000000000001e+300"},
    {X "30", X "(int)30"}, {X "60/2", X "(fraction)30/1"},
    {X "T", X "(boolean)true"}, {X "{ no }", X "(boolean){ false }"},
    {X "(bitmask)F", X "(bitmask)0x000000000000000f"},
    {X "f:3:/x", X "(flagset)3:3"}, {X "(s)5", X "(string)5"},
    {X "(s)\"\"", X "(string)\"\""}, {X "(s)\"NULL\"", X "(string)\"NULL\""},
    {X "(s)\"a b\\\"\\011\"", X "(string)\"a\\ b\\\"\\011\""},
    {X "[1,2]", X "(int)[ 1, 2 ]"}, {X "[0,4,2]", X "(int)[ 0, 4, 2 ]"},
    {X "(fraction)[-1/2,max]", X "(fraction)[ -1/2, 2147483647/1 ]"},
    {"a/b(m:X,m:X,n:Y),x={1,[2,3]};c/d", "a/b(m:X, n:Y), x=(int){ 1, [ 2, 3 ] }; c/d"},
};

static void
test_print(void)
{
  char text[200];
  for (gsize i = 0; i < G_N_ELEMENTS(printed); i++) {
    struct shmv_caps caps;
    const char *to = printed[i].to;
    parse(&caps, printed[i].from);
    g_assert_cmpint(shmv_caps_print(&caps, text, sizeof text), ==, strlen(to));
    g_assert_cmpstr(text, ==, to);
    /* Every smaller place is too small, and is not written beyond. */
    for (gsize size = 0; size <= strlen(to); size++) {
      char *small = g_malloc(size + 1);
      small[size] = '?';
      g_assert_cmpint(shmv_caps_print(&caps, size > 0 ? small : NULL, size),
                      ==, -ENOSPC);
      g_assert_cmpint(small[size], ==, '?');
      if (size > 0)
        g_assert_cmpuint(strlen(small), ==, size - 1);
      g_free(small);
    }
    shmv_caps_clear(&caps);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/caps-sets/" name, function)
  TEST("what-two-sets-have-in-common", test_met);
  TEST("what-is-part-of-what", test_subsets);
  TEST("limits-are-where-they-are-said-to-be", test_limits);
  TEST("work-is-bounded-whatever-the-texts-say", test_work);
  TEST("every-allocation-may-fail", test_memory);
  TEST("text-is-canonical-and-never-too-long", test_print);
#undef TEST
  return g_test_run();
}
