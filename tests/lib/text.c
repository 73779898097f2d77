/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Texts: what is UTF-8, as GLib sees it, and what is left of one that is to be shown. */

#include "text.h"

#include <string.h>

#include "shmvtest.h"

static void
check(const char *bytes, gsize n)
{
  g_assert_cmpint(shmv_text_is_utf8(bytes, n), ==,
                  g_utf8_validate(bytes, (gssize)n, NULL));
  char *text = g_strndup(bytes, n);
  gsize size = strlen(text);
  shmv_text_clean(text);
  g_assert_cmpuint(strlen(text), ==, size);
  g_assert_true(g_utf8_validate(text, -1, NULL));
  for (const char *c = text; *c != 0; c = g_utf8_next_char(c))
    g_assert_false(g_unichar_iscntrl(g_utf8_get_char(c)));
  g_free(text);
}

/* All of one and two bytes, and those of three and four where something ends. */
static void
all_short_ones(void)
{
  static const guint8 edges[] = {0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0};
  for (guint first = 1; first < 256; first++) {
    char bytes[4] = {(char)first};
    check(bytes, 1);
    for (guint second = 1; second < 256; second++) {
      bytes[1] = (char)second;
      check(bytes, 2);
      if (first < 0xc0)
        continue;
      for (gsize i = 0; i < G_N_ELEMENTS(edges); i++) {
        bytes[2] = (char)edges[i];
        check(bytes, 3);
        bytes[3] = (char)edges[7 - i];
        if (first >= 0xf0)
          check(bytes, 4);
      }
    }
  }
}

static void
at_random(void)
{
  static const char *const parts[] = {"a", "ü", "€", "𝄞", "\x1b[2J", "\x9b",
                                      "\xc2\x9b", "\x7f", "\n", "\xff", "\xe2\x82",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80"};
  for (int round = 0; round < 5000; round++) {
    GString *text = g_string_new(NULL);
    for (int n = g_test_rand_int_range(0, 12); n > 0; n--)
      g_string_append(text, parts[g_test_rand_int_range(
                                0, G_N_ELEMENTS(parts))]);
    check(text->str, text->len);
    g_string_free(text, TRUE);
  }
}

static void
what_is_left(void)
{
  static const char *const pairs[][2] = {
      {"/tmp/Küche is gone", "/tmp/Küche is gone"},
      {"a\x1b[2Jb\tc\r\n", "a?[2Jb?c??"},
      {"\xc2\x9b" "2J \xff\xfe €", "??2J ?? €"},
      {"cut \xe2\x82", "cut ??"}};
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
    char *text = g_strdup(pairs[i][0]);
    shmv_text_clean(text);
    g_assert_cmpstr(text, ==, pairs[i][1]);
    g_free(text);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/text/all-short-ones", all_short_ones);
  shmvtest_add("/text/at-random", at_random);
  shmvtest_add("/text/what-is-left", what_is_left);
  return shmvtest_run();
}
