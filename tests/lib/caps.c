/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps texts: what is read and what is refused, with GStreamer as the witness.
 */

#include "caps.h"

#include <errno.h>
#include <gst/video/video.h>
#include <string.h>

#include "caps-set.h"
#include "caps-texts.h"

static void
test_good(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
    const char *text = good[i] + 1;
    struct shmvideo_error error;
    struct shmv_caps caps;
    g_test_message("good: %s", text);
    if (shmv_caps_check(text, &error) != 0)
      g_error("refused \"%s\": %s", text, error.message);
    GstCaps *theirs = gst_caps_from_string(text);
    g_assert_nonnull(theirs);
    g_assert_cmpint(shmv_caps_parse(&caps, text, NULL), ==, 0);
    gboolean fixed = good[i][0] == '=';
    g_assert_cmpint(shmv_caps_is_fixed(&caps), ==, fixed);
    g_assert_cmpint(gst_caps_is_fixed(theirs) && !gst_caps_is_any(theirs), ==,
                    fixed);
    shmv_caps_clear(&caps);
    gst_caps_unref(theirs);
  }
}

static void
test_bad(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    struct shmvideo_error error = {0};
    g_test_message("bad: %s", bad[i].text);
    g_assert_cmpint(shmv_caps_check(bad[i].text, &error), ==, -EINVAL);
    g_assert_cmpint(error.code, ==, -EINVAL);
    if (strstr(error.message, bad[i].says) == NULL)
      g_error("\"%s\": \"%s\" does not say \"%s\"", bad[i].text, error.message,
              bad[i].says);
    g_assert_cmpint(shmv_caps_check(bad[i].text, NULL), ==, -EINVAL);
  }
}

/* ---- docs/caps.md ------------------------------------------------------- */

/* What a text is: as in the names of the page's blocks. */
static const char *
verdict(const char *text)
{
  struct shmv_caps caps;
  if (shmv_caps_parse(&caps, text, NULL) != 0)
    return "```caps-refused";
  const char *found = shmv_caps_is_fixed(&caps) ? "```caps-fixed"
                                                : "```caps-set";
  shmv_caps_clear(&caps);
  return found;
}

static void
test_page(void)
{
  const char *source = g_getenv("SHMVIDEO_SOURCE_DIR");
  char *path, *page;
  if (source == NULL) {
    g_test_skip("SHMVIDEO_SOURCE_DIR is not set");
    return;
  }
  path = g_build_filename(source, "docs", "caps.md", NULL);
  g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
  char **lines = g_strsplit(page, "\n", -1), *block = NULL;
  guint n_texts = 0;
  for (char **line = lines; *line != NULL; line++) {
    if (g_str_has_prefix(*line, "```")) {
      block = g_str_has_prefix(*line, "```caps-") ? *line : NULL;
    } else if (block != NULL) {
      if (strcmp(verdict(*line), block) != 0)
        g_error("the page has \"%s\" in %s", *line, block);
      n_texts++;
    }
  }
  g_assert_cmpuint(n_texts, >=, 20);
  g_strfreev(lines);
  g_free(page);
  g_free(path);
}

/* ---- accepting ---------------------------------------------------------- */

#define SIZED "video/x-raw, format=RGBA, width=320, height=240, framerate=30/1"
#define MULTIVIEW "multiview-flags=(GstVideoMultiviewFlagsSet)"

static const struct {
  int accepts;
  const char *set, *fixed;
} pairs[] = {
    {1, "ANY", SIZED}, {0, "EMPTY", SIZED}, {1, "video/x-raw", SIZED},
    {0, "video/x-bayer", SIZED}, {1, "image/png; video/x-raw", SIZED},
    {1, SIZED, SIZED}, {1, RAW "format={ I420, RGBA }", SIZED},
    {0, RAW "format={ I420, rgba }", SIZED}, {1, RAW "depth=10", SIZED},
    {1, SIZED, RAW "depth=10"}, {0, RAW "format=(string)I420; a/b", SIZED},
    {1, RAW "width=[ 1, 320 ], height=[ 240, max ]", SIZED},
    {0, RAW "width=[ 1, 319 ]", SIZED}, {1, RAW "width=[ 0, 640, 64 ]", SIZED},
    {0, RAW "width=[ 0, 600, 60 ]", SIZED}, {0, RAW "width=(uint)320", SIZED},
    {1, RAW "width={ 1, [ 300, 400 ] }", SIZED}, {0, RAW "width=320.0", SIZED},
    {1, RAW "framerate=60/2", SIZED}, {0, RAW "framerate=(int)30", SIZED},
    {1, RAW "framerate=[ 0/1, 30/1 ]", SIZED},
    {0, RAW "framerate=[ 0/1, 30000/1001 ]", SIZED},
    {1, RAW "framerate=(fraction)[ 1/max, max ]", SIZED},
    {0, "video/x-raw(memory:DMABuf)", SIZED}, {1, "video/x-raw(ANY)", SIZED},
    {1, "video/x-raw(memory:SystemMemory)", SIZED},
    {1, "video/x-raw()", "video/x-raw(memory:SystemMemory)"},
    {1, "video/x-raw(meta:X, meta:Y)", "video/x-raw(meta:Y,meta:X)"},
    {0, "video/x-raw(meta:X)", "video/x-raw(meta:X, meta:Y)"},
    {0, "video/x-raw(meta:X)", "video/x-raw(memory:SystemMemory, meta:X)"},
    {1, "video/x-raw(ANY)", "video/x-raw(meta:Y,meta:X)"},
    {1, RAW MULTIVIEW "0:1", RAW MULTIVIEW "2:ffffffff"},
    {0, RAW MULTIVIEW "0:3", RAW MULTIVIEW "2:ffffffff"},
    {1, RAW MULTIVIEW "{ 0:3, 2:2 }", RAW MULTIVIEW "2:ffffffff"},
    {1, RAW "multiview-flags=(flagset)2:2", RAW MULTIVIEW "2:ffffffff"},
    {1, RAW "x=(bitmask)3", RAW "x=(bitmask)0x03"},
    {0, RAW "x=(bitmask)3", RAW "x=(bitmask)1"}, {1, RAW "x=yes", RAW "x=TRUE"},
    {1, RAW "x=\"a\\040x\"", RAW "x=(string)\"a x\""},
};

static void
test_accept(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
    g_test_message("%d: %s | %s", pairs[i].accepts, pairs[i].set,
                   pairs[i].fixed);
    GstCaps *set = gst_caps_from_string(pairs[i].set);
    GstCaps *fixed = gst_caps_from_string(pairs[i].fixed);
    g_assert_cmpint(gst_caps_can_intersect(set, fixed), ==, pairs[i].accepts);
    g_assert_cmpint(shmv_caps_accept(pairs[i].set, pairs[i].fixed, NULL), ==,
                    pairs[i].accepts);
    gst_caps_unref(set);
    gst_caps_unref(fixed);
  }
}

static void
test_not_fixed(void)
{
  static const char *const sets[] = {
      "ANY", "EMPTY", "a/b; a/b", "a/b(ANY)", "a/b, x={ 1 }", "a/b, x=[ 1, 2 ]",
      "a/b, x=(flagset)0:1"};
  struct shmvideo_error error;
  for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
    g_assert_cmpint(shmv_caps_accept("ANY", sets[i], &error), ==, -EINVAL);
    g_assert_nonnull(strstr(error.message, "not one format"));
  }
  g_assert_cmpint(shmv_caps_accept("ANY", "a/b,", NULL), ==, 1);
  g_assert_cmpint(shmv_caps_accept("a/b, x", "a/b", NULL), ==, -EINVAL);
  g_assert_cmpint(shmv_caps_accept("a/b", "a/b, x", NULL), ==, -EINVAL);
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

static int
check_free(char *text)
{
  int r = shmv_caps_check(text, NULL);
  g_free(text);
  return r;
}

static void
test_limits(void)
{
  g_assert_cmpint(check_free(repeat("a/b", ", f%u=1", 64, "")), ==, 0);
  g_assert_cmpint(check_free(repeat("a/b", ", f%u=1", 65, "")), ==, -EINVAL);
  char *features = repeat("a/b(m:X", ", meta:F%u", 15, ")");
  g_assert_cmpint(check_free(features), ==, 0);
  features = repeat("a/b(m:X", ", meta:F%u", 16, ")");
  g_assert_cmpint(check_free(features), ==, -EINVAL);
  char *longest = g_strnfill(SHMV_CAPS_MAX, ' ');
  memcpy(longest, "a/b", 3);
  g_assert_cmpint(shmv_caps_check(longest, NULL), ==, 0);
  g_assert_cmpint(check_free(g_strconcat(longest, " ", NULL)), ==, -E2BIG);
  g_free(longest);
  g_assert_cmpint(check_free(repeat("a/b, x={ 1", ",%u", 2900, "}")), ==, 0);
  g_assert_cmpint(check_free(repeat("", "a/b%u;", 2000, "")), ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
  /* GStreamer reads a flag set only once its type is registered. */
  g_type_class_unref(g_type_class_ref(GST_TYPE_VIDEO_MULTIVIEW_FLAGSET));
#define TEST(name, function) g_test_add_func("/caps/" name, function)
  TEST("good-texts-are-read-as-gstreamer-reads-them", test_good);
  TEST("bad-texts-are-refused-with-the-reason-and-the-place", test_bad);
  TEST("examples-of-the-page-are-what-it-says", test_page);
  TEST("a-set-accepts-what-gstreamer-can-intersect", test_accept);
  TEST("only-one-single-format-can-be-accepted", test_not_fixed);
  TEST("limits-are-where-they-are-said-to-be", test_limits);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
