/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps texts: what is read and what is refused, with GStreamer as the witness,
 * and what a hostile text can do (nothing).
 */

#include "caps.h"

#include <errno.h>
#include <gst/video/video.h>
#include <string.h>

#include "caps-set.h"

/* ---- tables ------------------------------------------------------------- */

#define RAW "video/x-raw, "

/* Read by us and by GStreamer, which both call fixed what begins with "=". */
static const char *const good[] = {
    " ANY", " EMPTY", " NONE",
    "=video/x-raw", "= \t\n\r\f video/x-raw", "=video/x-raw ;", "=video/x-raw,",
    "=video/x-raw , ;", " video/x-raw; video/x-raw", " a/b;c/d;",
    "=video/x-raw()", "=video/x-raw(memory:SystemMemory)",
    " video/x-raw(ANY)", " video/x-raw(ANY), format=I420",
    "=video/x-raw(memory:DMABuf, meta:GstVideoOverlayComposition), width=1",
    "=video/x-raw(  memory:DMABuf,  memory:DMABuf)",
    "=" RAW "format=(string)RGBA, width=(int)320, height=(int)240",
    "=" RAW "format=RGBA,width=320,height=240,framerate=30/1",
    "=" RAW "\tx\n=\r( int\f)  5 ", "=" RAW "x=(i)5", "=" RAW "x=(u)5",
    "=" RAW "x=-5", "=" RAW "x=+5", "=" RAW "x=0x1F", "=" RAW "x=010",
    "=" RAW "x=-0", "=" RAW "x=(int)-2147483648", "=" RAW "x=2147483647",
    "=" RAW "x=(uint)4294967295", "=" RAW "x=(int)MIN", "=" RAW "x=max",
    "=" RAW "x=little_endian", "=" RAW "x=BIG_ENDIAN", "=" RAW "x=byte_order",
    "=" RAW "x=08", "=" RAW "x=1.5", "=" RAW "x=.5", "=" RAW "x=1.",
    "=" RAW "x=1e+3", "=" RAW "x=(double)5", "=" RAW "x=(d)010",
    "=" RAW "x=30000/1001", "=" RAW "x=-30/-4", "=" RAW "x=1/+2",
    "=" RAW "x=010/1", "=" RAW "x=1/MAX", "=" RAW "x=(fraction)30",
    "=" RAW "x=(fraction)0/5", "=" RAW "x=(fraction)min",
    "=" RAW "x=true", "=" RAW "x=No", "=" RAW "x=T", "=" RAW "x=(b)1",
    "=" RAW "x=(bool)f", "=" RAW "x=(boolean)YES",
    "=" RAW "x=(bitmask)0xff", "=" RAW "x=(bitmask)FFFFFFFFFFFFFFFF",
    "=" RAW "x=(flagset)0:ffffffff", " " RAW "x=(flagset)1:1:/foo",
    " " RAW "x=a:b", " " RAW "x=1:2:+foo-b/bar_2",
    "=" RAW "multiview-flags=(GstVideoMultiviewFlagsSet)0:ffffffff:"
            "/right-view-first/left-flipped/left-flopped/right-flipped"
            "/right-flopped/half-aspect/mixed-mono",
    " " RAW "multiview-flags=(GstVideoMultiviewFlagsSet){ 0:1, 2:2 }",
    "=" RAW "x=bt709", "=" RAW "x=2:4:7:1", "=" RAW "x=1/2/3", "=" RAW "x=5e",
    "=" RAW "x=1:2x", "=" RAW "x=+foo", "=" RAW "x=-", "=" RAW "x=nano",
    "=" RAW "x=(s)5", "=" RAW "x=(str)true", "=" RAW "x=(string)\"\"",
    "=" RAW "x=\"hello world\"", "=" RAW "x=(string)\"a\\\"b\\\\c\\040d\\9\"",
    "=" RAW "x=\"\\065\"", "=" RAW "x=\"NULL\"", "=" RAW "x=(string)\"5;,{[(\"",
    " " RAW "x=[1,5]", " " RAW "x=(int)[ min, max ]", " " RAW "x=[ -4, 4, 2 ]",
    " " RAW "x=[ (int)1, 5 ]", " " RAW "x=(fraction)[ 0, max ]",
    " " RAW "x=[ 0/1, 1/max ]", " " RAW "x=(fraction)[ 1/2, 60/1 ]",
    " " RAW "x={1}", " " RAW "x=(int){ 1, 2 , 3 }", " " RAW "x={ 1, [ 5, 9 ] }",
    " " RAW "x=(int){ (string)b, (s)5, (string)\"c;d\" }",
};

/* Refused, and what the sentence must say. */
static const struct {
  const char *text, *says;
} bad[] = {
    {"", "at its end: expected a media type"},
    {"  ", "at its end: expected a media type"},
    {" ANY", "byte 1, at \"ANY\": expected a media type"},
    {"ANY;a/b", "expected a media type"}, {"any", "expected a media type"},
    {";a/b", "byte 0, at \";a/b\": expected a media type"},
    {"a/b;;", "byte 4, at \";\": expected a media type"},
    {"video", "expected a media type"}, {"1a/b", "expected a media type"},
    {"\"a/b\"", "expected a media type"}, {"a/b c/d", "expected ',' or ';'"},
    {"a/b x=5", "expected ',' or ';'"}, {"a/b (meta:X)", "expected ',' or ';'"},
    {"a/b(meta:X)x=5", "byte 11, at \"x=5\": expected ',' or ';'"},
    {"a/b(foo)", "expected a feature"}, {"a/b(meta:)", "expected a feature"},
    {"a/b(:X)", "expected a feature"}, {"a/b(meta:X,)", "expected a feature"},
    {"a/b( ANY )", "expected a feature"}, {"a/b(m1:X)", "expected a feature"},
    {"a/b(m:1)", "expected a feature"}, {"a/b(mX)", "expected a feature"},
    {"a/b(meta:X-Y)", "expected ',' or ')'"}, {"a/b(meta:X", "at its end"},
    {"a/b(meta:X )", "expected ',' or ')'"},
    {"a/b(", "at its end: expected a feature"},
    {"a/b,,", "expected the name of a field"},
    {"a/b, (int)5", "expected the name of a field"},
    {"a/b, x", "at its end: expected '='"}, {"a/b, x y=5", "expected '='"},
    {"a/b, x=", "at its end: expected a value"},
    {"a/b, x=;", "at \";\": expected a value"},
    {"a/b, x=5, x=6", "byte 10, at \"x=6\": this field was there before"},
    {"a/b, x=(", "expected a type"}, {"a/b, x=()5", "expected a type"},
    {"a/b, x=(int", "expected ')'"}, {"a/b, x=(int 5", "expected ')'"},
    {"a/b, x=(int)(int)5", "expected a value"},
    {"a/b, x=(gint)5", "byte 8, at \"gint)5\": this type is not supported"},
    {"a/b, x=(float)5", "this type is not supported"},
    {"a/b, x=(GstCaps)c/d", "this type is not supported"},
    {"a/b, x=(FlagsSet)0:1", "this type is not supported"},
    {"a/b, x=(int)", "expected a value"},
    {"a/b, x=(int)five", "not an integer"},
    {"a/b, x=(int)08", "not an integer"}, {"a/b, x=(int)0x", "not an integer"},
    {"a/b, x=(int)0b1", "not an integer"}, {"a/b, x=(int)1_0", "not an int"},
    {"a/b, x=(int)1.5", "not an integer"}, {"a/b, x=(int)+-5", "not an int"},
    {"a/b, x=4294967295", "byte 7, at \"4294967295\": does not fit into 32"},
    {"a/b, x=(int)-2147483649", "does not fit"},
    {"a/b, x=99999999999999999999999", "does not fit"},
    {"a/b, x=(uint)-1", "without a sign"}, {"a/b, x=(uint)4294967296", "fit"},
    {"a/b, x=inf", "finite"}, {"a/b, x=-Infinity", "finite"},
    {"a/b, x=nan", "finite"}, {"a/b, x=0x1p3", "finite"},
    {"a/b, x=1e400", "finite"}, {"a/b, x=(double)0x10", "finite"},
    {"a/b, x=(double)max", "is not a number"},
    {"a/b, x=30/0", "over 0"}, {"a/b, x=(fraction)1/0", "over 0"},
    {"a/b, x=1/99999999999", "beyond 32 bits"},
    {"a/b, x=(fraction)-2147483648/1", "beyond 32 bits"},
    {"a/b, x=(fraction)0x1/2", "not a fraction"},
    {"a/b, x=(fraction)1/2/3", "not a fraction"},
    {"a/b, x=(fraction)1/", "not a fraction"},
    {"a/b, x=(boolean)maybe", "not true or false"},
    {"a/b, x=(bitmask)zz", "not a bitmask"}, {"a/b, x=(bitmask)0x", "not a"},
    {"a/b, x=(bitmask)10000000000000000", "more than 16"},
    {"a/b, x=(flagset)5", "not a flag set"},
    {"a/b, x=(flagset)1:2:", "not a flag set"},
    {"a/b, x=(flagset)+foo", "not a flag set"},
    {"a/b, x=-1:2", "may be read as a flag set"},
    {"a/b, x=0x1:2", "may be read as a flag set"},
    {"a/b, x=fee-bad", "may be read as a flag set"},
    {"a/b, x=fffffffff:1", "may be read as a flag set"},
    {"a/b, x=NULL", "quote it"}, {"a/b, x=(string)NULL", "quote it"},
    {"a/b, x=\"5\"", "write (string)"}, {"a/b, x=\" 5\"", "write (string)"},
    {"a/b, x=\"\"", "write (string)"}, {"a/b, x=\"true\"", "write (string)"},
    {"a/b, x=\"1/ 2\"", "write (string)"}, {"a/b, x=\"a b\"", "write (string)"},
    {"a/b, x=\"nan(x)\"", "write (string)"}, {"a/b, x=\"max\"", "(string)"},
    {"a/b, x=(int)\"5\"", "is quoted"}, {"a/b, x=\"abc", "not closed"},
    {"a/b, x=\"abc\\\"", "not closed"}, {"a/b, x=\"abc\\", "not closed"},
    {"a/b, x=(string)\"\\3b\"", "three octal"},
    {"a/b, x=(string)\"\\08\"", "three octal"},
    {"a/b, x=(string)\"\\000\"", "not ASCII"},
    {"a/b, x=(string)\"caf\303\251\"", "at \"\"caf??\"\": has a character"},
    {"a/b, x=(string)caf\303\251", "expected ',' or ';'"},
    {"a/b, x=[ 5, 5 ]", "does not go upwards"},
    {"a/b, x=[ 5, 1 ]", "byte 7, at \"[ 5, 1 ]\": does not go upwards"},
    {"a/b, x=[ 1, 6, 2 ]", "no multiple"}, {"a/b, x=[ 1, 5, 0 ]", "positive"},
    {"a/b, x=[ 2, 4, -2 ]", "positive"}, {"a/b, x=[ 1 ]", "expected ','"},
    {"a/b, x=[ 1, 2", "expected ']'"}, {"a/b, x=[ 1, 2, 1, 1 ]", "step"},
    {"a/b, x=[ 1/2, 30 ]", "different types"},
    {"a/b, x=[ 0.5, 1.5 ]", "neither of ints nor of fractions"},
    {"a/b, x=(uint)[ 1, 5 ]", "neither of ints nor of fractions"},
    {"a/b, x=(string)[ a, b ]", "neither of ints nor of fractions"},
    {"a/b, x=(fraction)[ 2/1, 4/2 ]", "upwards"},
    {"a/b, x=(fraction)[ 0/1, 30/1, 1/1 ]", "step"},
    {"a/b, x=[ [ 1, 2 ], 3 ]", "expected a value"},
    {"a/b, x=[ { 1 }, 3 ]", "expected a value"},
    {"a/b, x={ }", "expected a value"}, {"a/b, x={ 1, }", "expected a value"},
    {"a/b, x={ , 1 }", "expected a value"}, {"a/b, x={ 1 2 }", "'}'"},
    {"a/b, x={ 1", "at its end: expected ',' or '}'"},
    {"a/b, x={ { 1 }, 2 }", "a list within a list"},
    {"a/b, x={ 1, a }", "byte 12, at \"a }\": a list has values of one type"},
    {"a/b, x={ 1, [ 1/2, 3/2 ] }", "one type"},
    {"a/b, x={ 5, 0.5 }", "one type"},
    {"a/b, x=< 1, 2 >", "arrays"}, {"a/b, x={ < 1 > }", "arrays"},
    {"a/b, x=[ width=5 ]", "expected"}, {"a/b, x=5\\ , y=6", "expected ','"},
    {"a/b\001\033[2J", "at \"??[2J\": expected ',' or ';'"},
};

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

/* ---- hostile texts ------------------------------------------------------ */

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
  r = shmv_caps_accept(text, SIZED, NULL);
  g_assert_true(r == 0 || r == 1 || r == -EINVAL || r == -E2BIG);
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

/* ---- memory ------------------------------------------------------------- */

/* The library's growing arrays end up here: the nth time from now fails. */
static int failing = -1;

void *
reallocarray(void *block, size_t n, size_t size)
{
  if (failing >= 0 && failing-- == 0)
    return NULL;
  return realloc(block, n * size);
}

static void
test_memory(void)
{
  char *text = repeat("a/b(meta:X)", ", f%u={ 1, 2, 3 }", 40, ";c/d");
  for (int i = 0;; i++) {
    struct shmvideo_error error = {0};
    failing = i;
    int r = shmv_caps_check(text, &error);
    gboolean failed = failing < 0;
    failing = -1;
    g_assert_cmpint(r, ==, failed ? -ENOMEM : 0);
    if (!failed) {
      g_assert_cmpint(i, >, 10);
      break;
    }
    g_assert_nonnull(strstr(error.message, "no memory"));
  }
  g_free(text);
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
  TEST("a-set-accepts-what-gstreamer-can-intersect", test_accept);
  TEST("only-one-single-format-can-be-accepted", test_not_fixed);
  TEST("limits-are-where-they-are-said-to-be", test_limits);
  TEST("every-prefix-is-survived", test_prefixes);
  TEST("random-bytes-are-survived", test_random_bytes);
  TEST("deep-and-long-texts-are-survived", test_deep_and_long);
  TEST("every-allocation-may-fail", test_memory);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
