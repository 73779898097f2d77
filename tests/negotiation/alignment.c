/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A reader that wishes for strides at multiples of 256 gets them from the sink: from
 * buffers that upstream draws in place, and from copies; the picture stays right.
 */

#include "party.h"
#include "shmvideo.h"

static struct shmvideo_reader *
join(void)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;

  config.path = shmvtest_path("s");
  config.stride_align = 256;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  return reader;
}

/* The next frame of that width. */
static const struct shmvideo_frame *
next_frame(struct shmvideo_reader *reader, guint width)
{
  guint64 until = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  const struct shmvideo_frame *frame;

  while (shmvtest_now() < until) {
    int code = shmvideo_reader_acquire(reader, &frame);

    g_assert_cmpint(code, >=, 0);
    if (code == SHMVIDEO_FRAME && frame->format->width == width)
      return frame;
    shmvideo_frame_release(frame);
    if (code == SHMVIDEO_AGAIN)
      shmvideo_reader_wait(reader, 1000000000, -1);
  }
  g_error("no frame of width %u", width);
}

/* White, in every row. */
static void
check_luma(const struct shmvideo_frame *frame)
{
  for (guint y = 0; y < frame->format->height; y++) {
    const guint8 *row =
        frame->data + frame->plane_offset[0] + (gsize)y * frame->stride[0];

    for (guint x = 0; x < frame->format->width; x++)
      g_assert_cmpuint(row[x], ==, 235);
  }
}

static void
check(const char *upstream, gboolean zero_copy)
{
  GstElement *share = party_share(upstream, "");
  GstElement *filter = gst_bin_get_by_name(GST_BIN(share), "filter");
  struct shmvideo_reader *reader = join();
  struct shmvideo_reader_status status;

  /* what was there before is as it was */
  shmvideo_frame_release(next_frame(reader, 100));
  for (guint i = 0; i < 4; i++) {
    gint width = 102 + (gint)i;
    GstCaps *caps = gst_caps_new_simple("video/x-raw", "width", G_TYPE_INT,
                                        width, "height", G_TYPE_INT, 51, NULL);
    const struct shmvideo_frame *frame;
    guint64 copied;

    g_object_set(filter, "caps", caps, NULL);
    gst_caps_unref(caps);
    shmvideo_frame_release(next_frame(reader, (guint)width));
    copied = party_count(share, "copied");
    for (guint n = 0; n < 5; n++) {
      frame = next_frame(reader, (guint)width);
      for (guint p = 0; p < frame->n_planes; p++) {
        g_assert_cmpuint(frame->stride[p] % 256, ==, 0);
        g_assert_cmpuint(frame->plane_offset[p] % 256, ==, 0);
      }
      check_luma(frame);
      shmvideo_frame_release(frame);
    }
    shmvideo_reader_get_status(reader, &status);
    g_assert_cmpuint(status.stride_align, >=, 256);
    if (zero_copy)
      g_assert_cmpuint(party_count(share, "copied"), ==, copied);
    else
      g_assert_cmpuint(party_count(share, "copied"), >, copied);
  }
  gst_object_unref(filter);
  shmvideo_reader_free(reader);
  party_expect_no_error(share);
  shmvtest_stop(share);
}

#define WHITE "videotestsrc is-live=true pattern=white ! video/x-raw,format=I420"
#define FILTER "capsfilter name=filter caps=video/x-raw,width=100,height=50"

static void
drawn_in_place(void)
{
  check(WHITE " ! " FILTER, TRUE);
}

static void
converted_in_place(void)
{
  check(WHITE " ! videoscale ! " FILTER, TRUE);
}

static void
copied(void)
{
  check(WHITE " ! " FILTER " ! tee", FALSE);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/alignment/drawn-in-place", drawn_in_place);
  shmvtest_add("/alignment/converted-in-place", converted_in_place);
  shmvtest_add("/alignment/copied", copied);
  return shmvtest_run();
}
