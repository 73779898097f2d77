/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * One format out of a set: by example, and at random, where what is chosen must
 * be one format, accepted by the set (GStreamer is asked as well), fit to be
 * shared, and as near as can be.
 */

#include "caps-choose.h"

#include <errno.h>
#include <gst/video/video.h>
#include <string.h>

#include "caps-fail.h"
#include "caps-make.h"
#include "caps.h"

#define RAW "video/x-raw, "
#define SIZE "width=(int)640, height=(int)480, "
#define PAR "pixel-aspect-ratio=(fraction)1/1"
#define PROGRESSIVE "interlace-mode=(string)progressive, " PAR
#define COLORS ", chroma-site=(string)mpeg2, colorimetry=(string)bt601"
#define RATE "framerate=(fraction)25/1, "
#define NEAR RAW "format=(string)NV12, " SIZE RATE PROGRESSIVE COLORS
#define I420 "format=(string)I420, "
#define NV12 "format=(string)NV12, "
#define HD "width=(int)1280, height=(int)720, framerate=(fraction)30/1, "

static const struct {
  const char *set, *near, *chosen;
} choices[] = {
    /* Whole sets. */
    {"ANY", NULL, RAW I420 HD PROGRESSIVE}, {"ANY", NEAR, NEAR},
    {"EMPTY", NULL, ""}, {"EMPTY", NEAR, ""}, {"image/png", NEAR, ""},
    {"video/x-raw", NULL, RAW I420 HD PROGRESSIVE}, {"video/x-raw", NEAR, NEAR},
    {"video/x-raw(memory:DMABuf); video/x-raw, width=5; video/x-raw", NEAR,
     RAW NV12 "width=(int)5, height=(int)480, " RATE PROGRESSIVE COLORS},
    {"video/x-raw(ANY)", NEAR, NEAR}, {"video/x-raw(meta:X)", NEAR, ""},
    /* Pixel formats, and the colours that go with them. */
    {RAW "format={ RGBA, NV12 }", NEAR, NEAR},
    {RAW "format={ UYVY, YUY2, BGRA, RGBA }", NEAR,
     RAW "format=(string)RGBA, " SIZE RATE PROGRESSIVE},
    {RAW "format={ UYVY, I420 }", NULL, RAW I420 HD PROGRESSIVE},
    {RAW "format={ X, GRAY8, RGB }", NEAR,
     RAW "format=(string)GRAY8, " SIZE RATE PROGRESSIVE},
    {RAW "format={ X, Y }; " RAW "format=5; " RAW "format=UYVY", NEAR,
     RAW "format=(string)UYVY, " SIZE RATE PROGRESSIVE},
    {RAW "format=I420, colorimetry={ bt709, bt601 }", NEAR,
     RAW I420 SIZE RATE PROGRESSIVE ", colorimetry=(string)bt709"},
    {RAW "colorimetry={ bt709, bt601 }, chroma-site=jpeg", NEAR,
     RAW NV12 SIZE RATE PROGRESSIVE
     ", chroma-site=(string)jpeg, colorimetry=(string)bt601"},
    /* Sizes. */
    {RAW "width=[ 16, 4096, 48 ], height=[ 1, 479 ]", NEAR, NULL},
    {RAW "width=[ 48, 4080, 48 ], height=[ 1, 479 ]", NEAR,
     RAW NV12 "width=(int)624, height=(int)479, " RATE PROGRESSIVE COLORS},
    {RAW "width=[ 0, 4500, 500 ], height=[ 500, max ]", NEAR,
     RAW NV12 "width=(int)500, height=(int)500, " RATE PROGRESSIVE COLORS},
    {RAW "width=[ 0, 4500, 1500 ], height={ -500, 0, 5000, 4000 }", NEAR,
     RAW NV12 "width=(int)1500, height=(int)4000, " RATE PROGRESSIVE COLORS},
    {RAW "width={ 630, 650, [ 645, 660 ] }, height={ 470, 490 }", NEAR,
     RAW NV12 "width=(int)645, height=(int)470, " RATE PROGRESSIVE COLORS},
    {RAW "width=[ 1, 1000 ], height=[ 1000, 2000 ]", NULL,
     RAW I420 "width=(int)1000, height=(int)1000, framerate=(fraction)30/1, "
     PROGRESSIVE},
    {RAW "width=0; " RAW "width=[ -5, 0 ]; " RAW "height=(uint)5", NEAR, ""},
    {RAW "width=[ 2147483640, max ], height=max; " RAW "height=5", NEAR,
     RAW NV12 "width=(int)640, height=(int)5, " RATE PROGRESSIVE COLORS},
    /* Rates. */
    {RAW "framerate=[ 0/1, 15/1 ]", NEAR,
     RAW NV12 SIZE "framerate=(fraction)15/1, " PROGRESSIVE COLORS},
    {RAW "framerate=(fraction)[ 30000/1001, max ]", NEAR,
     RAW NV12 SIZE "framerate=(fraction)30000/1001, " PROGRESSIVE COLORS},
    {RAW "framerate={ 0/1, 60/1 }", NEAR,
     RAW NV12 SIZE "framerate=(fraction)60/1, " PROGRESSIVE COLORS},
    {RAW "framerate={ 30/1, 20/1, 24000/1001, 24/1 }", NEAR,
     RAW NV12 SIZE "framerate=(fraction)24/1, " PROGRESSIVE COLORS},
    {RAW "framerate=0/1", NEAR,
     RAW NV12 SIZE "framerate=(fraction)0/1, " PROGRESSIVE COLORS},
    {RAW "framerate=(fraction)[ 0, max ]", NULL, RAW I420 HD PROGRESSIVE},
    {RAW "framerate=(fraction)[ 0, max ]",
     RAW "format=I420, width=5, height=5, framerate=0/1",
     RAW I420 "width=(int)5, height=(int)5, framerate=(fraction)0/1, "
     PROGRESSIVE},
    {RAW "framerate=(fraction)[ 1, max ]",
     RAW "format=I420, width=5, height=5, framerate=0/1",
     RAW I420 "width=(int)5, height=(int)5, framerate=(fraction)30/1, "
     PROGRESSIVE},
    {"video/x-raw",
     RAW "format=I420, width=5, height=5, framerate=0/1, max-framerate=60/1",
     RAW I420 "width=(int)5, height=(int)5, framerate=(fraction)0/1, "
     "max-framerate=(fraction)60/1, " PROGRESSIVE},
    {RAW "framerate=30/1",
     RAW "format=I420, width=5, height=5, framerate=0/1, max-framerate=60/1",
     RAW I420 "width=(int)5, height=(int)5, framerate=(fraction)30/1, "
     PROGRESSIVE},
    {RAW "pixel-aspect-ratio=(fraction)[ 0, 1/2 ]", NEAR,
     RAW NV12 SIZE RATE "interlace-mode=(string)progressive, "
     "pixel-aspect-ratio=(fraction)1/2" COLORS},
    /* Fields of a frame. */
    {RAW "interlace-mode={ alternate, mixed, interleaved }", NEAR,
     RAW NV12 SIZE RATE "interlace-mode=(string)mixed, " PAR COLORS},
    {RAW "interlace-mode=alternate", NEAR, ""},
    {RAW "interlace-mode=5", NEAR, ""},
    {"video/x-raw(format:Interlaced)", NEAR,
     "video/x-raw(format:Interlaced), " NV12 SIZE RATE
     "interlace-mode=(string)alternate, " PAR COLORS},
    {"video/x-raw(format:Interlaced), interlace-mode=mixed", NEAR,
     "video/x-raw(format:Interlaced), " NV12 SIZE RATE
     "interlace-mode=(string)mixed, " PAR COLORS},
    {"video/x-raw(ANY), height=480",
     "video/x-raw(format:Interlaced), format=NV12, width=5, height=5, "
     "interlace-mode=alternate",
     "video/x-raw(format:Interlaced), " NV12 "width=(int)5, height=(int)480, "
     "framerate=(fraction)30/1, interlace-mode=(string)alternate, " PAR},
    {"video/x-raw(ANY), interlace-mode=progressive",
     "video/x-raw(format:Interlaced), format=NV12, width=5, height=5, "
     "interlace-mode=alternate",
     RAW NV12 "width=(int)5, height=(int)5, framerate=(fraction)30/1, "
     PROGRESSIVE},
    {RAW "width=6", RAW "format=NV12, width=5, height=5, "
     "interlace-mode=interleaved, field-order=top-field-first",
     RAW NV12 "width=(int)6, height=(int)5, framerate=(fraction)30/1, "
     "interlace-mode=(string)interleaved, "
     "field-order=(string)top-field-first, " PAR},
    {RAW "interlace-mode=progressive", RAW "format=NV12, width=5, height=5, "
     "interlace-mode=interleaved, field-order=top-field-first",
     RAW NV12 "width=(int)5, height=(int)5, framerate=(fraction)30/1, "
     PROGRESSIVE},
    /* All other fields. */
    {RAW "views={ 1, 2 }, premultiplied-alpha={ true, false }, label=\"a-\"",
     NEAR, RAW NV12 SIZE RATE PROGRESSIVE COLORS ", views=(int)1, "
     "premultiplied-alpha=(boolean)false, label=(string)a-"},
    {RAW "format=BGRA", RAW "format=RGBA, width=5, height=5, views=2, "
     "premultiplied-alpha=true, label=x",
     RAW "format=(string)BGRA, width=(int)5, height=(int)5, "
     "framerate=(fraction)30/1, " PROGRESSIVE ", views=(int)2"},
    {RAW "x={ 5, 6 }, y=[ 7, 9 ], z=(fraction)[ 1/2, 3/4 ], "
     "f=(flagset)1:3, g=(bitmask)5",
     RAW "format=I420, width=5, height=5, x=6, y=20, z=2/3, "
     "f=(flagset)5:ffffffff, q=1",
     RAW I420 "width=(int)5, height=(int)5, framerate=(fraction)30/1, "
     PROGRESSIVE ", x=(int)6, y=(int)9, z=(fraction)2/3, "
     "f=(flagset)5:ffffffff, g=(bitmask)0x0000000000000005"},
    {RAW "x={ 5, 6 }, y=[ 7, 9 ], z=(fraction)[ 1/2, 3/4 ], f=(flagset)1:3",
     NULL, RAW I420 HD PROGRESSIVE ", x=(int)5, y=(int)7, "
     "z=(fraction)1/2, f=(flagset)1:ffffffff"},
};

static int
choose(const char *set, const char *near, char *text, size_t text_size)
{
  struct shmv_caps caps;
  if (shmv_caps_parse(&caps, set, NULL) != 0)
    return -EILSEQ;
  int r = shmv_caps_choose(&caps, near, text, text_size);
  shmv_caps_clear(&caps);
  return r;
}

static void
test_examples(void)
{
  char text[1000];
  for (gsize i = 0; i < G_N_ELEMENTS(choices); i++) {
    const char *chosen = choices[i].chosen;
    g_test_message("%s | %s", choices[i].set, choices[i].near);
    int r = choose(choices[i].set, choices[i].near, text, sizeof text);
    if (chosen == NULL) {
      g_assert_cmpint(r, ==, -EILSEQ);
      continue;
    }
    g_assert_cmpint(r, ==, strlen(chosen));
    g_assert_cmpstr(text, ==, chosen);
    char *small = g_malloc(strlen(chosen) + 1);
    if (r > 0)
      g_assert_cmpint(choose(choices[i].set, choices[i].near, small, (gsize)r),
                      ==, -ENOSPC);
    g_free(small);
  }
}

static void
test_failures(void)
{
  char text[SHMV_CAPS_MAX + 1];
  g_assert_cmpint(choose("ANY", "ANY", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint(choose("ANY", "video", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint(choose("ANY", RAW "width=[ 1, 2 ]", text, sizeof text), ==,
                  -EINVAL);
  g_assert_cmpint(choose("ANY", NULL, NULL, 0), ==, -ENOSPC);
  /* What is too long for anybody is no choice. */
  GString *set = g_string_new(RAW "x=(string)");
  while (set->len < SHMV_CAPS_MAX - 20)
    g_string_append_c(set, 'x');
  g_string_append(set, ";" RAW "y=1");
  g_assert_cmpint(choose(set->str, NULL, text, sizeof text), >, 0);
  g_assert_true(g_str_has_suffix(text, ", y=(int)1"));
  g_string_free(set, TRUE);
}

static void
test_memory(void)
{
  static const char set[] =
      "video/x-raw(ANY), interlace-mode=alternate, format=X; "
      "video/x-raw(format:Interlaced), format={ X, Y }, width=5; "
      "video/x-raw(ANY), interlace-mode=alternate, a=1, b=2, c=3, d=4, e=5";
  struct shmv_caps caps;
  char text[SHMV_CAPS_MAX + 1];
  g_assert_cmpint(shmv_caps_parse(&caps, set, NULL), ==, 0);
  for (int n = 0;; n++) {
    failing = n;
    int r = shmv_caps_choose(&caps, NEAR, text, sizeof text);
    gboolean failed = failing < 0;
    failing = -1;
    if (!failed) {
      g_assert_cmpint(r, >, 0);
      g_assert_cmpint(n, >, 10);
      break;
    }
    g_assert_cmpint(r, ==, -ENOMEM);
    g_assert_cmpstr(text, ==, "");
  }
  shmv_caps_clear(&caps);
}

/* ---- at random ---------------------------------------------------------- */

static const char *const pixels[] = {"I420", "NV12", "RGBA", "BGRA", "GRAY8",
                                     "UYVY", "RGB16", "v210", "X", "xyz"};
static const char *const modes[] = {"progressive", "interleaved", "mixed",
                                    "alternate", "fields", "x"};
static const char *const colors[] = {"bt709", "bt601", "sRGB", "2:3:5:1"};

static void
put_words(GString *text, const char *name, const char *const *words, int n)
{
  g_string_append_printf(text, ", %s=(string){ %s", name, words[pick(n)]);
  for (int i = pick(4); i > 0; i--)
    g_string_append_printf(text, ", %s", words[pick(n)]);
  g_string_append(text, " }");
}

static void
put_ints(GString *text, const char *name)
{
  int step = PICK(steps), min = pick(40) - 2, max = min + 1 + pick(60);
  switch (pick(3)) {
  case 0:
    g_string_append_printf(text, ", %s=%d", name, pick(700) - 5);
    break;
  case 1:
    g_string_append_printf(text, ", %s=[ %d, %d, %d ]", name, min * step,
                           max * step, step);
    break;
  default:
    g_string_append_printf(text, ", %s={ %d, [ %d, %d ], %d }", name, pick(700),
                           min, max, pick(700) - 350);
  }
}

static void
put_rates(GString *text, const char *name)
{
  if (pick(2))
    g_string_append_printf(text, ", %s=(fraction)[ %d/%d, %d ]", name, pick(30),
                           1 + pick(3), 30 + pick(31));
  else
    g_string_append_printf(text, ", %s={ %d/1, %d/%d }", name, pick(3),
                           pick(60), 1 + pick(2));
}

/* A structure of a set of formats. */
static void
put_formats(GString *text)
{
  static const char *const features[] = {"", "", "", "(ANY)",
                                         "(format:Interlaced)",
                                         "(memory:DMABuf)"};
  g_string_append_printf(text, "video/x-raw%s", PICK(features));
  if (pick(2))
    put_words(text, "format", pixels, G_N_ELEMENTS(pixels));
  if (pick(2))
    put_ints(text, "width");
  if (pick(2))
    put_ints(text, "height");
  if (pick(2))
    put_rates(text, "framerate");
  if (pick(4) == 0)
    put_rates(text, "pixel-aspect-ratio");
  if (pick(4) == 0)
    put_words(text, "interlace-mode", modes, G_N_ELEMENTS(modes));
  if (pick(4) == 0)
    put_words(text, "colorimetry", colors, G_N_ELEMENTS(colors));
  if (pick(8) == 0)
    g_string_append(text, pick(2) ? ", views={ 2, 1 }" : ", views=[ 2, 4 ]");
  if (pick(8) == 0)
    g_string_append(text, ", label={ a, b }");
}

/* A present format that can be shared, or NULL. */
static char *
make_near(void)
{
  struct shmvideo_format format;
  gboolean alternate = pick(4) == 0;
  if (pick(8) == 0)
    return NULL;
  GString *near = g_string_new(NULL);
  g_string_append_printf(near, "video/x-raw%s, format=%s, width=%d, height=%d",
                         alternate ? "(format:Interlaced)" : "",
                         pixels[pick(8)], 1 + pick(700), 1 + pick(700));
  if (pick(4))
    g_string_append_printf(near, ", framerate=%d/1", pick(61));
  if (alternate || pick(4) == 0)
    g_string_append_printf(near, ", interlace-mode=%s",
                           alternate ? "alternate" : modes[pick(3)]);
  if (pick(4) == 0)
    g_string_append(near, ", field-order=top-field-first");
  if (pick(4) == 0)
    g_string_append(near, ", pixel-aspect-ratio=4/3");
  if (pick(2))
    g_string_append_printf(near, ", colorimetry=%s", PICK(colors));
  if (pick(4) == 0)
    g_string_append(near, ", views=2, max-framerate=60/1");
  g_assert_cmpint(shmvideo_format_from_caps(&format, near->str, NULL), ==, 0);
  /* As a writer would write it. */
  char *text = g_malloc(SHMV_CAPS_MAX + 1);
  shmvideo_format_to_caps(&format, text, SHMV_CAPS_MAX + 1);
  g_string_free(near, TRUE);
  return text;
}

/* One format, accepted by the set, that we and GStreamer can read. */
static void
check_choice(const char *set, const char *chosen,
             struct shmvideo_format *format)
{
  struct shmvideo_error error;
  GstVideoInfo info;
  g_assert_cmpint(shmv_caps_accept(set, chosen, &error), ==, 1);
  g_assert_cmpint(shmvideo_format_from_caps(format, chosen, &error), ==, 0);
  GstCaps *gst_set = gst_caps_from_string(set);
  GstCaps *gst_chosen = gst_caps_from_string(chosen);
  g_assert_true(gst_caps_is_fixed(gst_chosen));
  g_assert_true(gst_caps_can_intersect(gst_set, gst_chosen));
  g_assert_true(gst_video_info_from_caps(&info, gst_chosen));
  g_assert_cmpint(info.width, ==, format->width);
  gst_caps_unref(gst_set);
  gst_caps_unref(gst_chosen);
}

/* No other value of the field that a one-structure set accepts is nearer. */
static void
check_nearest(const char *set, const char *name, guint chosen, guint wished)
{
  guint far = chosen > wished ? chosen - wished : wished - chosen;
  for (guint n = wished < far ? 1 : wished - far + 1; n < wished + far; n++) {
    char *other = g_strdup_printf("%s, %s=%u",
                                  g_str_has_prefix(set, "video/x-raw(f")
                                      ? "video/x-raw(format:Interlaced)"
                                      : "video/x-raw", name, n);
    if (n > 0 && shmv_caps_accept(set, other, NULL) == 1)
      g_error("\"%s\": %s %u is nearer to %u than %u", set, name, n, wished,
              chosen);
    g_free(other);
  }
}

static void
test_random(void)
{
  guint n_chosen = 0, n_stayed = 0, rounds = n_rounds(5000);
  char text[SHMV_CAPS_MAX + 1], again[SHMV_CAPS_MAX + 1];
  for (guint i = 0; i < rounds; i++) {
    GString *set = g_string_new(NULL);
    gboolean one = pick(2) == 0;
    char *near = make_near();
    struct shmvideo_format present = {0}, format;
    for (int n = one ? 1 : 1 + pick(4); n > 0; n--) {
      put_formats(set);
      g_string_append(set, n > 1 ? "; " : "");
    }
    if (near != NULL)
      shmvideo_format_from_caps(&present, near, NULL);
    int r = choose(set->str, near, text, sizeof text);
    gboolean fits = near != NULL && shmv_caps_accept(set->str, near, NULL) == 1;
    g_assert_cmpint(r, ==, strlen(text));
    if (fits && r == 0)
      g_error("\"%s\": no format near \"%s\"", set->str, near);
    if (r > 0) {
      check_choice(set->str, text, &format);
      n_chosen++;
      /* What is chosen is what it is nearest to. */
      choose(set->str, text, again, sizeof again);
      if (strcmp(text, again) != 0)
        g_error("\"%s\", \"%s\": \"%s\", then \"%s\"", set->str, near, text,
                again);
    }
    if (r > 0 && one && i % 16 == 0) {
      check_nearest(set->str, "width", format.width,
                    near != NULL ? present.width : 1280);
      check_nearest(set->str, "height", format.height,
                    near != NULL ? present.height : 720);
    }
    /* What fits stays, but what went without saying may be said. */
    if (fits && one) {
      if (strstr(near, "colorimetry=") == NULL) {
        present.color_range = format.color_range;
        present.color_matrix = format.color_matrix;
        present.color_transfer = format.color_transfer;
        present.color_primaries = format.color_primaries;
      }
      if (strstr(near, "views=") == NULL)
        present.views = format.views;
      if (memcmp(&format, &present, sizeof format) != 0)
        g_error("\"%s\": \"%s\" became \"%s\"", set->str, near, text);
      n_stayed++;
    }
    g_string_free(set, TRUE);
    g_free(near);
  }
  g_test_message("%u rounds, %u chosen, %u stayed", rounds, n_chosen, n_stayed);
  g_assert_cmpuint(n_chosen, >, rounds / 2);
  g_assert_cmpuint(n_chosen, <, rounds);
  if (rounds >= 1000)
    g_assert_cmpuint(n_stayed, >, rounds / 200);
}

/* Any two texts that can be read: nothing happens but an answer. */
static void
test_any_texts(void)
{
  char text[SHMV_CAPS_MAX + 1];
  for (guint i = 0, rounds = n_rounds(3000); i < rounds; i++) {
    char *set = make_text(FALSE), *near = make_text(TRUE);
    int r = choose(set, pick(2) ? near : NULL, text, sizeof text);
    g_assert_cmpint(r, ==, strlen(text));
    if (r > 0)
      g_assert_cmpint(shmv_caps_accept(set, text, NULL), ==, 1);
    g_free(set);
    g_free(near);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
#define TEST(name, function) g_test_add_func("/caps-choose/" name, function)
  TEST("each-field-keeps-its-value-or-takes-the-nearest", test_examples);
  TEST("failures-are-told", test_failures);
  TEST("every-allocation-may-fail", test_memory);
  TEST("what-is-chosen-is-accepted-and-can-be-shared", test_random);
  TEST("whatever-can-be-read-can-be-asked-for", test_any_texts);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
