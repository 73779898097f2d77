/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Every pixel format that this GStreamer has and system memory can hold, from
 * process to process, every visible sample compared: at awkward sizes, in the
 * sender's memory and in the share's, with padding, gaps and planes in another
 * order; by the elements, and by the library on either side. Each of these is one
 * pair of processes that changes its format for every frame.
 *
 *   formats SENDER
 *
 * The largest size, of which each format costs a tenth of a second of memory, goes
 * from element to element in one layout only, unless SHMVIDEO_TEST_FULL is set; not at
 * all if SHMVIDEO_TEST_SMALL is.
 */

#include <string.h>

#include "gsttest.h"
#include "rig.h"

struct size {
  gint width, height;
};
static const struct size sizes[] = {{1, 1}, {3, 5}, {321, 241}, {1919, 1079}};

/* How a frame is drawn. The first of a list is sent at every size. */
struct variant {
  enum job_memory memory;
  enum layout_kind layout;
  gboolean layout_of_caps;
};
static const struct variant of_element[] = {
    {MEMORY_OWN, LAYOUT_DEFAULT, FALSE},  {MEMORY_LENT, LAYOUT_DEFAULT, FALSE},
    {MEMORY_OWN, LAYOUT_ALIGNED, FALSE},  {MEMORY_OWN, LAYOUT_WIDE, FALSE},
    {MEMORY_LENT, LAYOUT_SWAPPED, FALSE},
};
static const struct variant of_library[] = {
    {MEMORY_LENT, LAYOUT_DEFAULT, FALSE}, {MEMORY_OWN, LAYOUT_DEFAULT, FALSE},
    {MEMORY_OWN, LAYOUT_ALIGNED, FALSE},  {MEMORY_OWN, LAYOUT_WIDE, FALSE},
    {MEMORY_LENT, LAYOUT_ALIGNED, FALSE}, {MEMORY_LENT, LAYOUT_WIDE, FALSE},
    {MEMORY_LENT, LAYOUT_SWAPPED, FALSE}, {MEMORY_LENT, LAYOUT_ALIGNED, TRUE},
    {MEMORY_LENT, LAYOUT_WIDE, TRUE},
};

/* Formats with a layout: not encoded, not handles of a graphics card. */
static const GstVideoFormat *
all_formats(guint *n)
{
  const GstVideoFormat *formats = gst_video_formats_raw(n);

  g_assert_cmpuint(*n, >=, 111);
  for (guint i = 0; i < *n; i++)
    g_assert_cmpuint(gst_video_format_get_info(formats[i])->n_planes, >, 0);
  return formats;
}

static char *
make_caps(GstVideoFormat format, struct size size)
{
  GstVideoInfo info;
  GstCaps *caps;
  char *text;

  g_assert_true(gst_video_info_set_format(&info, format, (guint)size.width,
                                          (guint)size.height));
  info.fps_n = 25;
  info.fps_d = 1;
  caps = gst_video_info_to_caps(&info);
  text = gst_caps_to_string(caps);
  gst_caps_unref(caps);
  return text;
}

/* ---- the comparison itself ------------------------------------------------- */

/* Bits of all samples of a picture. */
static guint
sample_bits(const GstVideoInfo *info)
{
  guint bits = 0;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(info); c++)
    bits += (guint)GST_VIDEO_INFO_COMP_DEPTH(info, c) *
            (guint)GST_VIDEO_INFO_COMP_WIDTH(info, c) *
            (guint)GST_VIDEO_INFO_COMP_HEIGHT(info, c);
  return bits;
}

/* Flip each bit of a picture: at least as many flips are noticed as its samples
 * have bits. */
static void
flip_every_bit(GstVideoFormat format, struct size size)
{
  struct picture one, other;
  GstVideoInfo info;
  guint noticed = 0;

  g_assert_true(gst_video_info_set_format(&info, format, (guint)size.width,
                                          (guint)size.height));
  picture_init(&one, &info, format);
  picture_init(&other, &info, format);
  for (gsize bit = 0; bit < 8 * info.size; bit++) {
    char *difference = picture_compare(&one, other.plane, info.stride);

    if (difference != NULL)
      g_error("%s: %s", gst_video_format_to_string(format), difference);
    other.data[bit / 8] ^= (guint8)(1 << bit % 8);
    difference = picture_compare(&one, other.plane, info.stride);
    noticed += difference != NULL;
    g_free(difference);
    other.data[bit / 8] ^= (guint8)(1 << bit % 8);
  }
  if (noticed < sample_bits(&info))
    g_error("%s: %u of %u bits are compared",
            gst_video_format_to_string(format), noticed, sample_bits(&info));
  picture_clear(&one);
  picture_clear(&other);
}

/* 12 x 4 is made of whole groups of samples; elsewhere some formats have less room
 * in GStreamer's own layout than their samples need. */
static void
comparison_sees_every_sample(void)
{
  guint n;
  const GstVideoFormat *formats = all_formats(&n);

  for (guint i = 0; i < n; i++) {
    const GstVideoFormatInfo *finfo = gst_video_format_get_info(formats[i]);

    flip_every_bit(formats[i], (struct size){12, 4});
    if (finfo->pixel_stride[0] > 0)
      flip_every_bit(formats[i], (struct size){3, 5});
  }
}

/* ---- the matrix ------------------------------------------------------------- */

struct route {
  enum side from, to;
  gboolean knows_meta;
  gboolean large; /* the largest size, too */
  const struct variant *variants;
  guint n_variants;
};

struct tally {
  guint sent, copied, strange, unalignable;
  guint32 seed;
};

static gboolean
is_default(const GstVideoInfo *info, const struct layout *layout)
{
  guint n = GST_VIDEO_INFO_N_PLANES(info);

  return memcmp(info->offset, layout->offset, n * sizeof *layout->offset) == 0 &&
         memcmp(info->stride, layout->stride, n * sizeof *layout->stride) == 0;
}

static void
send_one(struct rig *rig, const char *caps, const struct variant *variant,
         struct tally *tally)
{
  struct job job = job_show(caps, tally->seed++);
  struct received received;
  struct layout layout;
  GstVideoInfo info;
  GstCaps *parsed = gst_caps_from_string(caps);

  g_assert_true(gst_video_info_from_caps(&info, parsed));
  gst_caps_unref(parsed);
  if (!layout_make(variant->layout, &info, &layout)) {
    tally->unalignable++;
    return;
  }
  job.memory = variant->memory;
  job.layout = variant->layout;
  job.layout_of_caps = variant->layout_of_caps;
  rig_do(rig, &job);
  rig_receive(rig, &received);
  rig_check(&job, &received);
  g_assert_cmpuint(received.pts, ==, job.pts);
  g_assert_cmpuint(received.offset, ==, job.offset);
  received_clear(&received);
  tally->sent++;
  tally->copied += variant->memory == MEMORY_OWN;
  tally->strange +=
      variant->memory == MEMORY_LENT && !is_default(&info, &layout);
}

/* No frame is copied that need not be, and none is copied twice. */
static void
check_copies(struct rig *rig, const struct route *route,
             const struct tally *tally)
{
  struct receiver_stats receiver;
  struct job_stats sender;

  rig_sender_stats(rig, &sender);
  rig_receiver_stats(rig, &receiver);
  g_test_message("%u frames: sender copied %" G_GUINT64_FORMAT
                 ", receiver copied %" G_GUINT64_FORMAT " for their layout, %"
                 G_GUINT64_FORMAT " for want of holds; %u not alignable",
                 tally->sent, sender.copied, receiver.copied_for_layout,
                 receiver.copied, tally->unalignable);
  g_assert_cmpuint(sender.frames, ==, tally->sent);
  g_assert_cmpuint(sender.copied, ==, tally->copied);
  g_assert_cmpuint(sender.zero_copy, ==, tally->sent - tally->copied);
  g_assert_cmpuint(receiver.received, ==, tally->sent);
  g_assert_cmpuint(receiver.copied, ==, 0);
  g_assert_cmpuint(receiver.copied_for_layout, ==,
                   route->to == ELEMENT && !route->knows_meta ? tally->strange
                                                              : 0);
}

static void
run_route(const struct route *route)
{
  gboolean full = g_getenv("SHMVIDEO_TEST_FULL") != NULL;
  gboolean small = g_getenv("SHMVIDEO_TEST_SMALL") != NULL;
  struct rig *rig = rig_new(route->from, route->to);
  struct tally tally = {0};
  guint n;
  const GstVideoFormat *formats = all_formats(&n);

  rig_start(rig, shmvtest_path("share"), route->knows_meta);
  rig_play(rig);
  for (guint s = 0; s < G_N_ELEMENTS(sizes) - (small ? 1 : 0); s++)
    for (guint i = 0; i < n; i++) {
      char *caps = make_caps(formats[i], sizes[s]);
      gboolean large = s + 1 == G_N_ELEMENTS(sizes);
      guint n_variants =
          full || !large ? route->n_variants : (guint)route->large;

      for (guint v = 0; v < n_variants; v++)
        send_one(rig, caps, &route->variants[v], &tally);
      g_free(caps);
    }
  check_copies(rig, route, &tally);
  rig_free(rig);
}

static void
element_to_element(void)
{
  run_route(&(struct route){ELEMENT, ELEMENT, FALSE, TRUE, of_element,
                            G_N_ELEMENTS(of_element)});
}

static void
element_to_library(void)
{
  run_route(&(struct route){ELEMENT, LIBRARY, FALSE, FALSE, of_element,
                            G_N_ELEMENTS(of_element)});
}

static void
library_to_element(void)
{
  run_route(&(struct route){LIBRARY, ELEMENT, FALSE, FALSE, of_library,
                            G_N_ELEMENTS(of_library)});
}

static void
library_to_element_with_meta(void)
{
  run_route(&(struct route){LIBRARY, ELEMENT, TRUE, FALSE, of_library,
                            G_N_ELEMENTS(of_library)});
}

static void
library_to_library(void)
{
  run_route(&(struct route){LIBRARY, LIBRARY, FALSE, FALSE, of_library,
                            G_N_ELEMENTS(of_library)});
}

/* ---- each as the first ------------------------------------------------------ */

/* Nothing may depend on what came before. The second frame is of another format:
 * nothing may depend on its being the only one either. */
static void
each_format_first(void)
{
  struct rig *rig = rig_new(ELEMENT, ELEMENT);
  guint n;
  const GstVideoFormat *formats = all_formats(&n);

  for (guint i = 0; i < n; i++) {
    struct tally tally = {.seed = i};
    char *first = make_caps(formats[i], sizes[1]);
    char *second = make_caps(formats[(i + 1) % n], sizes[1]);

    rig_start(rig, shmvtest_path("share"), FALSE);
    rig_play(rig);
    send_one(rig, first, &of_element[i % 2], &tally);
    send_one(rig, second, &of_element[i % 2], &tally);
    g_free(first);
    g_free(second);
  }
  rig_free(rig);
}

/* ---- changes in flight ------------------------------------------------------- */

/* Lossless means that the format may change while frames of the one before are on
 * their way: of three of each, two are unread when the next three are sent. */
static void
post_three(struct rig *rig, struct job *jobs, guint first)
{
  static const GstVideoFormat formats[] = {
      GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_v210,
      GST_VIDEO_FORMAT_GRAY8};

  for (guint i = first; i < first + 3; i++) {
    jobs[i] = job_show(make_caps(formats[i / 3 % 4], sizes[i / 12 % 3]), i);
    rig_post(rig, &jobs[i]);
  }
}

static void
check_changes(enum side from, enum side to)
{
  char *first = make_caps(GST_VIDEO_FORMAT_NV12, sizes[1]);
  struct rig *rig = rig_new(from, to);
  struct job jobs[72];

  rig_start(rig, shmvtest_path("share"), FALSE);
  rig_play(rig);
  /* who is not there yet misses something */
  send_one(rig, first, &of_element[0], &(struct tally){0});
  g_free(first);
  post_three(rig, jobs, 0);
  for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
    struct received received;
    char *answer;

    rig_receive(rig, &received);
    if (i % 3 == 0 && i + 3 < G_N_ELEMENTS(jobs))
      post_three(rig, jobs, i + 3);
    rig_check(&jobs[i], &received);
    received_clear(&received);
    answer = rig_answer(rig);
    g_assert_cmpstr(answer, ==, "ok");
    g_free(answer);
    g_free(jobs[i].caps);
  }
  rig_free(rig);
}

static void
changes_in_flight(void)
{
  check_changes(ELEMENT, ELEMENT);
  check_changes(ELEMENT, LIBRARY);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  g_assert_cmpint(argc, ==, 2);
  rig_sender = argv[1];
  shmvtest_add("/fidelity/formats/comparison-sees-every-sample",
               comparison_sees_every_sample);
  shmvtest_add("/fidelity/formats/each-format-first", each_format_first);
  shmvtest_add("/fidelity/formats/changes-in-flight", changes_in_flight);
  shmvtest_add("/fidelity/formats/element-to-element", element_to_element);
  shmvtest_add("/fidelity/formats/element-to-library", element_to_library);
  shmvtest_add("/fidelity/formats/library-to-element", library_to_element);
  shmvtest_add("/fidelity/formats/library-to-element-that-knows-meta",
               library_to_element_with_meta);
  shmvtest_add("/fidelity/formats/library-to-library", library_to_library);
  return shmvtest_run();
}
