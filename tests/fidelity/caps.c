/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps arrive as they were sent, every field of them: before any frame, while the
 * receiver is only PAUSED, and again with each frame.
 *
 *   caps SENDER
 */

#include <string.h>

#include "gsttest.h"
#include "rig.h"

#define RANDOM_COLORS 60

/* What every case begins with: a format, a size and a rate. */
#define CAPS(format, rest) \
  "video/x-raw, format=(string)" format ", width=(int)16, height=(int)8, " rest
#define I420(rest) CAPS("I420", "framerate=(fraction)25/1, " rest)
#define RGBA(rest) CAPS("RGBA", "framerate=(fraction)25/1, " rest)
#define VIEWS(mode, n) \
  I420("multiview-mode=(string)" mode ", views=(int)" #n)
#define FLAGS(flags) \
  "multiview-flags=(GstVideoMultiviewFlagsSet)" flags

static const char *const cases[] = {
    /* rates */
    CAPS("I420", "framerate=(fraction)0/1"),
    CAPS("I420", "framerate=(fraction)0/1, max-framerate=(fraction)30/1"),
    CAPS("I420", "framerate=(fraction)0/1, max-framerate=(fraction)60000/1001"),
    CAPS("I420", "framerate=(fraction)30000/1001"),
    CAPS("I420", "framerate=(fraction)1/60"),
    CAPS("I420", "framerate=(fraction)2147483647/1"),
    /* shapes of pixels */
    I420("pixel-aspect-ratio=(fraction)1/1"),
    I420("pixel-aspect-ratio=(fraction)16/11"),
    I420("pixel-aspect-ratio=(fraction)1/2"),
    I420("pixel-aspect-ratio=(fraction)2147483647/2147483646"),
    /* colours by name */
    I420("colorimetry=(string)bt601"), I420("colorimetry=(string)bt709"),
    I420("colorimetry=(string)smpte240m"), I420("colorimetry=(string)bt2020"),
    I420("colorimetry=(string)bt2020-10"),
    I420("colorimetry=(string)bt2100-pq"),
    I420("colorimetry=(string)bt2100-hlg"), RGBA("colorimetry=(string)sRGB"),
    RGBA("colorimetry=(string)1:1:5:1"), RGBA("colorimetry=(string)2:1:7:1"),
    /* scan types */
    I420("interlace-mode=(string)progressive"),
    I420("interlace-mode=(string)interleaved"),
    I420("interlace-mode=(string)mixed"), I420("interlace-mode=(string)fields"),
    I420("interlace-mode=(string)interleaved, "
         "field-order=(string)top-field-first"),
    I420("interlace-mode=(string)interleaved, "
         "field-order=(string)bottom-field-first"),
    I420("interlace-mode=(string)interleaved, field-order=(string)unknown"),
    I420("interlace-mode=(string)mixed, field-order=(string)top-field-first"),
    /* more than one picture */
    VIEWS("mono", 1), VIEWS("left", 1), VIEWS("right", 1),
    VIEWS("side-by-side", 2), VIEWS("side-by-side-quincunx", 2),
    VIEWS("column-interleaved", 2), VIEWS("row-interleaved", 2),
    VIEWS("top-bottom", 2), VIEWS("checkerboard", 2),
    VIEWS("frame-by-frame", 2), VIEWS("multiview-frame-by-frame", 5),
    VIEWS("side-by-side", 2) ", " FLAGS("0:ffffffff"),
    VIEWS("side-by-side", 2) ", " FLAGS("1:ffffffff"),
    VIEWS("top-bottom", 2) ", " FLAGS("4001:ffffffff"),
    VIEWS("frame-by-frame", 2) ", " FLAGS("8000:ffffffff"),
    /* all at once */
    CAPS("NV12", "framerate=(fraction)0/1, max-framerate=(fraction)50/1, "
         "pixel-aspect-ratio=(fraction)12/11, colorimetry=(string)2:4:16:3, "
         "chroma-site=(string)dv, interlace-mode=(string)interleaved, "
         "field-order=(string)bottom-field-first, "
         "multiview-mode=(string)side-by-side, views=(int)2, "
         FLAGS("4000:ffffffff")),
    /* what nobody here has heard of */
    I420("answer=(int)42, really=(boolean)true, much=(double)1.5, "
         "name=(string)\"a b\\;\\,c\\=d\\ \""),
    I420("text=(string)\"\", other=(string)\"\\\"quoted\\\"\", "
         "part=(fraction)3/7"),
};

/* ---- one case ---------------------------------------------------------------- */

static void
check_equal(const char *sent, GstCaps *received)
{
  GstCaps *caps = gst_caps_from_string(sent);

  g_assert_nonnull(caps);
  if (!gst_caps_is_equal(caps, received))
    g_error("caps sent: %s\ncaps received: %s", sent,
            gst_caps_to_string(received));
  gst_caps_unref(caps);
}

/* What GStreamer calls these caps. */
static char *
canonical(const char *text)
{
  GstCaps *caps = gst_caps_from_string(text);
  char *canonical;

  if (caps == NULL || !gst_caps_is_fixed(caps))
    g_error("not fixed caps: %s", text);
  canonical = gst_caps_to_string(caps);
  gst_caps_unref(caps);
  return canonical;
}

static void
check_case(struct rig *rig, const char *case_text)
{
  char *text = canonical(case_text);
  struct job job = {.kind = JOB_CAPS, .caps = text};
  struct received received;
  GstCaps *caps;

  rig_start(rig, shmvtest_path("share"), FALSE);
  rig_do(rig, &job);
  caps = rig_caps(rig);
  check_equal(text, caps);
  gst_caps_unref(caps);

  rig_play(rig);
  job = job_show(text, 1);
  rig_do(rig, &job);
  rig_receive(rig, &received);
  rig_check(&job, &received);
  received_clear(&received);
  g_free(text);
}

/* ---- cases that GStreamer has to list ----------------------------------------- */

static gint
random_enum(GEnumClass *klass)
{
  return klass->values[g_test_rand_int_range(0, (gint)klass->n_values)].value;
}

/* Colours by number, from all that can be said. */
static void
check_random_colors(struct rig *rig)
{
  GEnumClass *range = g_type_class_ref(GST_TYPE_VIDEO_COLOR_RANGE);
  GEnumClass *matrix = g_type_class_ref(GST_TYPE_VIDEO_COLOR_MATRIX);
  GEnumClass *transfer = g_type_class_ref(GST_TYPE_VIDEO_TRANSFER_FUNCTION);
  GEnumClass *primaries = g_type_class_ref(GST_TYPE_VIDEO_COLOR_PRIMARIES);

  for (guint i = 0; i < RANDOM_COLORS; i++) {
    char *text = g_strdup_printf(
        I420("colorimetry=(string)%d:%d:%d:%d"), random_enum(range),
        random_enum(matrix), random_enum(transfer), random_enum(primaries));

    check_case(rig, text);
    g_free(text);
  }
  g_type_class_unref(range);
  g_type_class_unref(matrix);
  g_type_class_unref(transfer);
  g_type_class_unref(primaries);
}

static void
check_chroma_sites(struct rig *rig)
{
  guint n = 0;

  for (guint flags = 0; flags < 16; flags++) {
    char *name = gst_video_chroma_site_to_string(flags), *text;

    if (name == NULL)
      continue;
    n++;
    text = g_strdup_printf(I420("chroma-site=(string)%s"), name);
    check_case(rig, text);
    g_free(text);
    text = g_strdup_printf(I420("chroma-site=(string)%s, "
                                "colorimetry=(string)bt709"), name);
    check_case(rig, text);
    g_free(text);
    g_free(name);
  }
  g_assert_cmpuint(n, >=, 6);
}

/* Fields one after the other need a feature: the library takes them, the elements
 * if their templates do, and otherwise they say no. */
static gboolean
elements_take(const char *text)
{
  GstElementFactory *factory = gst_element_factory_find("shmvideosink");
  GstCaps *caps = gst_caps_from_string(text);
  gboolean take;

  g_assert_nonnull(factory);
  g_assert_nonnull(caps);
  take = gst_element_factory_can_sink_all_caps(factory, caps);
  gst_caps_unref(caps);
  gst_object_unref(factory);
  return take;
}

#define ALTERNATE \
  "video/x-raw(format:Interlaced), format=(string)I420, width=(int)16, " \
  "height=(int)8, framerate=(fraction)25/1, interlace-mode=(string)alternate"

static void
check_route(enum side from, enum side to)
{
  struct rig *rig = rig_new(from, to);

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    check_case(rig, cases[i]);
  check_chroma_sites(rig);
  check_random_colors(rig);
  if ((from == LIBRARY && to == LIBRARY) || elements_take(ALTERNATE))
    check_case(rig, ALTERNATE);
  rig_free(rig);
}

static void
element_to_element(void)
{
  check_route(ELEMENT, ELEMENT);
}

static void
element_to_library(void)
{
  check_route(ELEMENT, LIBRARY);
}

static void
library_to_element(void)
{
  check_route(LIBRARY, ELEMENT);
}

static void
library_to_library(void)
{
  check_route(LIBRARY, LIBRARY);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  g_assert_cmpint(argc, ==, 2);
  rig_sender = argv[1];
  shmvtest_add("/fidelity/caps/element-to-element", element_to_element);
  shmvtest_add("/fidelity/caps/element-to-library", element_to_library);
  shmvtest_add("/fidelity/caps/library-to-element", library_to_element);
  shmvtest_add("/fidelity/caps/library-to-library", library_to_library);
  return shmvtest_run();
}
