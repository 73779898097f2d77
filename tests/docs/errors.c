/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * docs/errors.md names each code of the header, with the text that
 * shmvideo_strerror has for it.   errors SOURCE-DIR
 */

#include <glib.h>
#include <string.h>

#include "shmvideo.h"

static char *header, *page;

static char *
load(const char *source, const char *name)
{
  char *path = g_build_filename(source, name, NULL);
  char *text = NULL;
  GError *error = NULL;
  g_file_get_contents(path, &text, NULL, &error);
  g_assert_no_error(error);
  g_free(path);
  return text;
}

static int
code_of(const char *name)
{
  for (int code = 1; code < 140; code++)
    if (g_strcmp0(strerrorname_np(code), name) == 0)
      return -code;
  return 0;
}

static void
header_codes_are_explained(void)
{
  GRegex *regex = g_regex_new("-(E[A-Z0-9]+)\\b", 0, 0, NULL);
  GMatchInfo *match = NULL;
  int n = 0;
  for (g_regex_match(regex, header, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL)) {
    char *name = g_match_info_fetch(match, 1);
    char *row = g_strdup_printf("\n| `-%s` | ", name);
    if (strstr(page, row) == NULL)
      g_error("docs/errors.md does not explain -%s", name);
    n++;
    g_free(row);
    g_free(name);
  }
  g_assert_cmpint(n, >, 20);
  g_match_info_free(match);
  g_regex_unref(regex);
}

static void
texts_are_those_of_strerror(void)
{
  GRegex *regex = g_regex_new("^\\| `-(E[A-Z0-9]+)` \\| ([^|]+) \\|",
                              G_REGEX_MULTILINE, 0, NULL);
  GMatchInfo *match = NULL;
  int n = 0;
  for (g_regex_match(regex, page, 0, &match); g_match_info_matches(match);
       g_match_info_next(match, NULL)) {
    char *name = g_match_info_fetch(match, 1);
    char *text = g_match_info_fetch(match, 2);
    int code = code_of(name);
    g_test_message("%s", name);
    g_assert_cmpint(code, <, 0);
    g_assert_cmpstr(text, ==, shmvideo_strerror(code));
    n++;
    g_free(text);
    g_free(name);
  }
  g_assert_cmpint(n, >, 20);
  g_match_info_free(match);
  g_regex_unref(regex);
}

/* A code with a text of the library's own must be in the page's first table. */
static void
own_meanings_are_all_there(void)
{
  for (int code = 1; code < 140; code++) {
    const char *name = strerrorname_np(code);
    if (name == NULL ||
        g_strcmp0(shmvideo_strerror(-code), strerrordesc_np(code)) == 0)
      continue;
    char *row = g_strdup_printf("\n| `-%s` | %s | ", name,
                                shmvideo_strerror(-code));
    if (strstr(page, row) == NULL)
      g_error("docs/errors.md lacks%s", row);
    g_free(row);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  const char *source = g_getenv("SHMVIDEO_SOURCE_DIR");
  header = load(source, "libshmvideo/shmvideo.h");
  page = load(source, "docs/errors.md");
  g_test_add_func("/docs/errors/header-codes-are-explained",
                  header_codes_are_explained);
  g_test_add_func("/docs/errors/texts-are-those-of-strerror",
                  texts_are_those_of_strerror);
  g_test_add_func("/docs/errors/own-meanings-are-all-there",
                  own_meanings_are_all_there);
  int failed = g_test_run();
  g_free(header);
  g_free(page);
  return failed;
}
