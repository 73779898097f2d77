/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What goes with a frame: times, offsets, flags, a crop, and where its planes lie,
 * which may be another place for each frame.
 *
 *   frames SENDER
 */

#include <string.h>

#include "gsttest.h"
#include "rig.h"

#define CAPS(format, width, height) \
  "video/x-raw, format=(string)" format ", width=(int)" #width \
  ", height=(int)" #height ", framerate=(fraction)25/1"

static const enum side sides[] = {ELEMENT, LIBRARY};

static struct rig *
begin(enum side from, enum side to, gboolean knows_meta)
{
  struct rig *rig = rig_new(from, to);

  rig_start(rig, shmvtest_path("share"), knows_meta);
  rig_play(rig);
  return rig;
}

/* On all four routes. */
static void
on_each_route(void (*func)(struct rig *rig, enum side from, enum side to))
{
  for (guint from = 0; from < G_N_ELEMENTS(sides); from++)
    for (guint to = 0; to < G_N_ELEMENTS(sides); to++) {
      struct rig *rig = begin(sides[from], sides[to], FALSE);

      g_test_message("from %s to %s", from ? "library" : "element",
                     to ? "library" : "element");
      func(rig, sides[from], sides[to]);
      rig_free(rig);
    }
}

static void
transfer(struct rig *rig, const struct job *job, struct received *received)
{
  rig_do(rig, job);
  rig_receive(rig, received);
}

/* One frame, so that what follows is not the first: elements call that a
 * discontinuity, the library repeats what it is told. */
static void
send_first(struct rig *rig, const char *caps, gboolean elements)
{
  struct job job = job_show(caps, 0);
  struct received received;

  transfer(rig, &job, &received);
  rig_check(&job, &received);
  g_assert_cmphex(received.flags, ==,
                   elements ? GST_BUFFER_FLAG_DISCONT : 0);
  received_clear(&received);
}

/* ---- numbers ------------------------------------------------------------------ */

static const struct {
  guint64 pts, duration, offset, offset_end;
} numbers[] = {
    {40 * GST_MSECOND, 40 * GST_MSECOND, 1, 2},
    {80 * GST_MSECOND + 1, 1, 0, 0},
    {120 * GST_MSECOND, GST_CLOCK_TIME_NONE, GST_BUFFER_OFFSET_NONE,
     GST_BUFFER_OFFSET_NONE},
    {160 * GST_MSECOND, 3 * GST_SECOND, G_MAXUINT64 - 1, G_MAXUINT64 - 1},
    {3600 * GST_SECOND, 0, 1ull << 63, 1},
    /* more than a day, in nanoseconds past 32 and 47 bits */
    {100000 * GST_SECOND + 7, GST_SECOND / 3, 1ull << 32, (1ull << 32) + 1},
};

static void
check_numbers(struct rig *rig, enum side from, enum side to)
{
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    struct job job = job_show(CAPS("I420", 33, 17), i);
    struct received received;

    job.pts = numbers[i].pts;
    job.duration = numbers[i].duration;
    job.offset = numbers[i].offset;
    job.offset_end = numbers[i].offset_end;
    transfer(rig, &job, &received);
    rig_check(&job, &received);
    g_assert_cmpuint(received.pts, ==, job.pts);
    g_assert_cmpuint(received.duration, ==, job.duration);
    g_assert_cmpuint(received.offset, ==, job.offset);
    g_assert_cmpuint(received.offset_end, ==, job.offset_end);
    g_assert_cmpuint(received.crop_width, ==, 0);
    received_clear(&received);
  }
}

static void
times_and_offsets(void)
{
  on_each_route(check_numbers);
}

/* ---- flags ---------------------------------------------------------------------- */

/* Each flag alone, none, and all. */
static void
check_flags(struct rig *rig, enum side from, enum side to)
{
  const guint32 all = (SHMVIDEO_FLAG_FIRST_IN_BUNDLE << 1) - 1;
  const char *caps = "video/x-raw, format=(string)I420, width=(int)33, "
                     "height=(int)17, framerate=(fraction)25/1, "
                     "interlace-mode=(string)mixed";

  send_first(rig, caps, from == ELEMENT || to == ELEMENT);
  for (guint32 bit = 1, i = 1; bit <= all + 1; bit <<= 1) {
    for (guint v = 0; v < 2; v++, i++) {
      struct job job = job_show(caps, i);
      struct received received;

      job.flags = v == 0 ? bit & all : all & ~bit;
      job.memory = v == 0 ? MEMORY_OWN : MEMORY_LENT;
      transfer(rig, &job, &received);
      rig_check(&job, &received);
      g_assert_cmphex(received.flags, ==, job_flags_to_gst(job.flags));
      received_clear(&received);
    }
  }
}

static void
flags(void)
{
  on_each_route(check_flags);
}

/* ---- layouts -------------------------------------------------------------------- */

/* One format whose frames lie differently each time, in place: downstream that
 * knows GstVideoMeta is told where; all else gets them as the caps say. */
static void
check_layouts(enum side from, gboolean knows_meta)
{
  static const char *const formats[] = {CAPS("I420", 33, 17),
                                        CAPS("NV12", 33, 17),
                                        CAPS("Y42B", 33, 17)};
  struct rig *rig = begin(from, ELEMENT, knows_meta);
  struct receiver_stats receiver;
  struct job_stats sender;
  guint32 seed = 0, n_strange = 0;

  for (guint f = 0; f < G_N_ELEMENTS(formats); f++)
    for (guint i = 0; i < 12; i++) {
      struct job job = job_show(formats[f], seed++);
      struct received received;

      job.memory = MEMORY_LENT;
      job.layout = i % 3 == 0   ? LAYOUT_DEFAULT
                   : i % 3 == 1 ? LAYOUT_SWAPPED
                   : from == LIBRARY ? LAYOUT_WIDE
                                     : LAYOUT_SWAPPED;
      n_strange += job.layout != LAYOUT_DEFAULT;
      transfer(rig, &job, &received);
      rig_check(&job, &received);
      /* what is not copied lies where it was put */
      if (knows_meta && job.layout != LAYOUT_DEFAULT)
        g_assert_true(received.planes[1] < received.planes[0]);
      else
        g_assert_true(received.planes[1] > received.planes[0]);
      received_clear(&received);
    }
  rig_sender_stats(rig, &sender);
  rig_receiver_stats(rig, &receiver);
  /* The sink's pool lends no slot of a format that a lossless reader has not been
   * told of yet, so the first frame of each may be a copy. */
  g_assert_cmpuint(sender.zero_copy + sender.copied, ==, seed);
  g_assert_cmpuint(sender.copied, <=,
                   from == ELEMENT ? G_N_ELEMENTS(formats) : 0);
  g_assert_cmpuint(receiver.copied, ==, 0);
  g_assert_cmpuint(receiver.copied_for_layout, ==, knows_meta ? 0 : n_strange);
  rig_free(rig);
}

static void
each_frame_has_its_layout(void)
{
  check_layouts(ELEMENT, FALSE);
  check_layouts(ELEMENT, TRUE);
  check_layouts(LIBRARY, FALSE);
  check_layouts(LIBRARY, TRUE);
}

/* ---- crops ---------------------------------------------------------------------- */

/* A buffer larger than the caps, of which a crop of the caps' size counts: that
 * part is sent. 20 x 10 of 64 x 48 at (9, 13), which is moved to whole chroma
 * samples. */
static void
check_applied_crop(struct rig *rig, const char *caps, guint x, guint y)
{
  struct job job = job_show(caps, 5);
  struct picture whole, part;
  struct received received;
  GstVideoInfo info;
  char *difference;

  job.full_width = 64;
  job.full_height = 48;
  job.crop_x = 9;
  job.crop_y = 13;
  job.crop_width = 20;
  job.crop_height = 10;
  transfer(rig, &job, &received);
  g_assert_cmpuint(received.crop_width, ==, 0);
  info = received.info;
  g_assert_true(gst_video_info_set_format(
      &info, GST_VIDEO_INFO_FORMAT(&info), 64, 48));
  picture_init(&whole, &info, job.seed);
  picture_init_cropped(&part, &received.info, &whole, x, y);
  difference = picture_compare(&part, received.planes, received.strides);
  if (difference != NULL)
    g_error("%s: %s", caps, difference);
  picture_clear(&whole);
  picture_clear(&part);
  received_clear(&received);
}

static void
a_crop_to_the_size_is_applied(void)
{
  for (guint to = 0; to < G_N_ELEMENTS(sides); to++) {
    struct rig *rig = begin(ELEMENT, sides[to], FALSE);
    struct job_stats stats;

    check_applied_crop(rig, CAPS("I420", 20, 10), 8, 12);
    check_applied_crop(rig, CAPS("NV12", 20, 10), 8, 12);
    check_applied_crop(rig, CAPS("YUY2", 20, 10), 8, 13);
    check_applied_crop(rig, CAPS("RGBA", 20, 10), 9, 13);
    check_applied_crop(rig, CAPS("RGB", 20, 10), 9, 13);
    check_applied_crop(rig, CAPS("Y444_16LE", 20, 10), 9, 13);
    check_applied_crop(rig, CAPS("P010_10LE", 20, 10), 8, 12);
    rig_sender_stats(rig, &stats);
    g_assert_cmpuint(stats.copied, ==, 7);
    g_assert_cmpuint(stats.zero_copy, ==, 0);
    rig_free(rig);
  }
}

/* A crop within a frame of the caps' size is told, and nothing is cut off. */
static void
check_told_crop(struct rig *rig, enum side from, enum side to)
{
  static const guint crops[][4] = {
      {0, 0, 33, 17}, {1, 2, 3, 4}, {32, 16, 1, 1}, {0, 3, 33, 11}};

  send_first(rig, CAPS("I420", 33, 17), from == ELEMENT || to == ELEMENT);
  for (guint i = 0; i < G_N_ELEMENTS(crops); i++) {
    struct job job = job_show(CAPS("I420", 33, 17), i + 1);
    struct received received;
    gboolean whole = crops[i][2] == 33 && crops[i][3] == 17;

    job.crop_x = crops[i][0];
    job.crop_y = crops[i][1];
    job.crop_width = crops[i][2];
    job.crop_height = crops[i][3];
    transfer(rig, &job, &received);
    rig_check(&job, &received);
    /* the sink has nothing to tell of a crop that crops nothing */
    if (!whole || from == LIBRARY) {
      g_assert_cmpuint(received.crop_x, ==, job.crop_x);
      g_assert_cmpuint(received.crop_y, ==, job.crop_y);
      g_assert_cmpuint(received.crop_width, ==, job.crop_width);
      g_assert_cmpuint(received.crop_height, ==, job.crop_height);
    } else {
      g_assert_cmpuint(received.crop_width, ==, 0);
    }
    received_clear(&received);
  }
}

static void
a_crop_within_is_told(void)
{
  on_each_route(check_told_crop);
}

/* A crop that leaves the buffer, or a buffer smaller than the caps: dropped, with
 * a warning, and the next frame arrives. */
static void
impossible_frames_are_dropped(void)
{
  static const struct {
    guint full_width, full_height, x, y, width, height;
  } bad[] = {
      {0, 0, 30, 0, 4, 4},      {0, 0, 0, 17, 1, 1},
      {0, 0, 4294967295u, 0, 2, 2}, {64, 48, 50, 0, 33, 17},
      {16, 8, 0, 0, 0, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    struct rig *rig = begin(ELEMENT, ELEMENT, FALSE);
    struct job job = job_show(CAPS("I420", 33, 17), 1);
    struct job ask = {.kind = JOB_MESSAGE};
    struct received received;
    char *answer;

    send_first(rig, job.caps, TRUE);
    job.full_width = bad[i].full_width;
    job.full_height = bad[i].full_height;
    job.crop_x = bad[i].x;
    job.crop_y = bad[i].y;
    job.crop_width = bad[i].width;
    job.crop_height = bad[i].height;
    rig_do(rig, &job);
    answer = rig_ask(rig, &ask);
    if (!g_str_has_prefix(answer, "warning: "))
      g_error("case %u: %s", i, answer);
    g_free(answer);

    job = job_show(CAPS("I420", 33, 17), 2);
    transfer(rig, &job, &received);
    rig_check(&job, &received);
    g_assert_cmpuint(received.offset, ==, 2);
    received_clear(&received);
    rig_free(rig);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  g_assert_cmpint(argc, ==, 2);
  rig_sender = argv[1];
  shmvtest_add("/fidelity/frames/times-and-offsets", times_and_offsets);
  shmvtest_add("/fidelity/frames/flags", flags);
  shmvtest_add("/fidelity/frames/each-frame-has-its-layout",
               each_frame_has_its_layout);
  shmvtest_add("/fidelity/frames/a-crop-to-the-size-is-applied",
               a_crop_to_the_size_is_applied);
  shmvtest_add("/fidelity/frames/a-crop-within-is-told", a_crop_within_is_told);
  shmvtest_add("/fidelity/frames/impossible-frames-are-dropped",
               impossible_frames_are_dropped);
  return shmvtest_run();
}
