/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What a hostile caps text can do: nothing but be refused. Run it with a
 * sanitizer, too.
 */

#include "caps.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "caps-choose.h"
#include "caps-fail.h"
#include "caps-meet.h"
#include "caps-print.h"
#include "caps-texts.h"

/* What can be read can be met, compared, written, read again, and chosen from. */
static void
survive_as_set(const char *text)
{
  static const char other_text[] =
      "video/x-raw, x=[ -8, 8, 2 ]; a/b(ANY), x={ 1, [ 5, 9 ], [ 0, 8, 4 ] }; "
      RAW "x=(string){ a, b, \"\" }; " RAW "x=(fraction){ [ 1, 2 ], 5 }";
  struct shmv_caps set, other, common;
  char out[SHMV_CAPS_MAX + 1];
  if (shmv_caps_parse(&set, text, NULL) != 0)
    return;
  g_assert_cmpint(shmv_caps_parse(&other, other_text, NULL), ==, 0);
  g_assert_cmpint(shmv_caps_intersect(&common, &set, &other), >=, 0);
  if (common.n_structures.used > 0)
    g_assert_true(shmv_caps_can_intersect(&other, &set));
  int length = shmv_caps_print(&common, out, sizeof out);
  g_assert_true(length > 0 || length == -ENOSPC);
  if (length > 0)
    g_assert_cmpint(shmv_caps_check(out, NULL), ==, 0);
  length = shmv_caps_choose(&set, NULL, out, sizeof out);
  g_assert_cmpint(length, ==, strlen(out));
  if (length > 0)
    g_assert_cmpint(shmv_caps_accept(text, out, NULL), ==, 1);
  shmv_caps_is_subset(&common, &set);
  shmv_caps_clear(&common);
  shmv_caps_clear(&other);
  shmv_caps_clear(&set);
}

/* No text may do more than be refused; a sentence must stay printable. */
static void
survive(const char *text)
{
  struct shmvideo_error error = {0};
  struct shmvideo_format format;
  int r = shmv_caps_check(text, &error);
  g_assert_true(r == 0 || r == -EINVAL || r == -E2BIG);
  for (const char *c = error.message; *c != '\0'; c++)
    g_assert_true(*c >= ' ' && *c <= '~');
  r = shmv_caps_accept(text, "video/x-raw, format=I420, width=5, x=5", NULL);
  g_assert_true(r == 0 || r == 1 || r == -EINVAL || r == -E2BIG);
  if (r >= 0)
    survive_as_set(text);
  r = shmvideo_format_from_caps(&format, text, &error);
  g_assert_cmpint(r, <=, 0);
  for (const char *c = error.message; *c != '\0'; c++)
    g_assert_true(*c >= ' ' && *c <= '~');
}

/* From a block of just that size, so that one byte too far is seen. */
static void
survive_prefixes(const char *text)
{
  for (gsize n = 0; n <= strlen(text); n++) {
    char *prefix = g_malloc(n + 1);
    memcpy(prefix, text, n);
    prefix[n] = '\0';
    survive(prefix);
    g_free(prefix);
  }
}

static void
test_prefixes(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
    survive_prefixes(good[i] + 1);
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    survive_prefixes(bad[i].text);
}

static void
test_random_bytes(void)
{
  static const char likely[] = "a/b, x={}[]<>()\";:=,\\ 0159-+.\n\"eEINFmaxt";
  for (int round = 0; round < 5000; round++) {
    char text[65];
    int n = g_test_rand_int_range(0, 64);
    for (int i = 0; i < n; i++)
      text[i] = round % 2 ? (char)g_test_rand_int_range(1, 256)
                          : likely[g_test_rand_int_range(0, sizeof likely - 1)];
    text[n] = '\0';
    char *behind = g_strconcat(RAW "x=", text, NULL);
    survive(text);
    survive(behind);
    g_free(behind);
  }
}

static void
test_deep_and_long(void)
{
  static const char *const parts[] = {
      "[", "{", "<", "(", "\"", "\\", "{[(\"", "a/b,x={", "[ 1,", "{ 1,", ";",
      ",", "(i)", "9", "9.", "a:", "1/", "\\000", "-", "0x"};
  static const char *const heads[] = {"", RAW "x=", RAW "x=(string)\"",
                                      RAW "x=(double)", "video/x-raw("};
  for (gsize h = 0; h < G_N_ELEMENTS(heads); h++)
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
      for (guint size = 16000; size <= 65536; size += 49536) {
        GString *text = g_string_new(heads[h]);
        while (text->len < size)
          g_string_append(text, parts[i]);
        survive(text->str);
        g_string_free(text, TRUE);
      }
}

static void
test_memory(void)
{
  GString *text = g_string_new("a/b(meta:X)");
  for (int i = 0; i < 40; i++)
    g_string_append_printf(text, ", f%d={ 1, 2, 3 }", i);
  g_string_append(text, "; c/d");
  for (int i = 0;; i++) {
    struct shmvideo_error error = {0};
    failing = i;
    int r = shmv_caps_check(text->str, &error);
    gboolean failed = failing < 0;
    failing = -1;
    g_assert_cmpint(r, ==, failed ? -ENOMEM : 0);
    if (!failed) {
      g_assert_cmpint(i, >, 10);
      break;
    }
    g_assert_nonnull(strstr(error.message, "no memory"));
  }
  g_string_free(text, TRUE);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/caps-hostile/" name, function)
  TEST("every-prefix-is-survived", test_prefixes);
  TEST("random-bytes-are-survived", test_random_bytes);
  TEST("deep-and-long-texts-are-survived", test_deep_and_long);
  TEST("every-allocation-may-fail", test_memory);
#undef TEST
  return g_test_run();
}
