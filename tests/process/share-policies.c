/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What each reader has a right to: the last frames, or every frame, and the end.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "share.h"

static struct shmvtest_child *
start_writer(const char *path, const char *options)
{
  struct shmvtest_child *writer = share_start();
  share_expect(writer, "ok", "writer %s %s", path, options);
  share_expect(writer, "ok", "format RGBA 64 48");
  return writer;
}

static struct shmvtest_child *
start_reader(const char *path, const char *options)
{
  struct shmvtest_child *reader = share_start();
  share_expect(reader, "ok", "reader %s %s", path, options);
  share_expect(reader, "format RGBA 64x48", "next");
  return reader;
}

/* Until that many are admitted: the writer dispatches while it waits. */
static void
await(struct shmvtest_child *writer, guint n)
{
  share_expect(writer, "ok", "await %u", n);
}

/* ---- Latest ------------------------------------------------------------------ */

static void
the_last_frames(void)
{
  static const guint depths[] = {1, 2, 4, 8, 32};
  struct shmvtest_child *readers[G_N_ELEMENTS(depths)];
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "");
  for (guint i = 0; i < G_N_ELEMENTS(depths); i++) {
    char *options = g_strdup_printf("depth=%u", depths[i]);
    readers[i] = start_reader(path, options);
    g_free(options);
  }
  await(writer, G_N_ELEMENTS(depths));
  share_expect(writer, "1 0", "show 1");
  for (guint i = 0; i < G_N_ELEMENTS(depths); i++)
    share_expect(readers[i], "frame 1 0", "next");
  share_expect(writer, "101 0", "show 100");
  for (guint i = 0; i < G_N_ELEMENTS(depths); i++) {
    char *drained = g_strdup_printf("%u %u 101 %u", depths[i],
                                    102 - depths[i], 100 - depths[i]);
    share_expect(readers[i], drained, "drain");
    g_free(drained);
  }
  share_expect(writer, "102 0", "show 1");
  for (guint i = 0; i < G_N_ELEMENTS(depths); i++) {
    share_expect(readers[i], "frame 102 0", "next");
    share_expect(readers[i], "again", "now");
    share_finish(readers[i]);
  }
  share_finish(writer);
}

/* ---- Lossless ---------------------------------------------------------------- */

#define N 3000

static void
expect_all(struct shmvtest_child *reader)
{
  const char *report = share_answer(reader);
  g_test_message("%s", report);
  g_assert_cmpuint(share_get(report, "first"), ==, 1);
  g_assert_cmpuint(share_get(report, "frames"), ==, N);
  g_assert_cmpuint(share_get(report, "last"), ==, N);
  g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
}

/* Two that dawdle get all, though a third is killed in the middle. */
static void
every_frame(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer =
      start_writer(path, "backpressure=1 timeout=60000");
  struct shmvtest_child *readers[3];
  for (guint i = 0; i < 3; i++) {
    readers[i] = start_reader(path, "lossless=1");
    share_expect(readers[i], "ok", "run %u", 300 + 400 * i);
  }
  await(writer, 3);
  share_tell(writer, "wait-show %u", N);
  for (guint i = 0; i < 2; i++)
    share_tell(readers[i], "until %u", N);
  g_assert_cmpuint(share_get(share_ask(readers[2], "until %u", N / 2), "frames"),
                   >=, N / 2);
  shmvtest_child_signal(readers[2], SIGKILL);
  shmvtest_child_free(readers[2]);
  for (guint i = 0; i < 2; i++)
    expect_all(readers[i]);
  g_assert_cmpstr(share_answer(writer), ==, G_STRINGIFY(N) " 0");
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint(share_get(share_ask(readers[i], "status"), "policy"), ==, 1);
    share_finish(readers[i]);
  }
  share_finish(writer);
}

/* One stands still for too long: it goes on as latest, and knows what it missed. */
static void
demoted(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer =
      start_writer(path, "backpressure=1 timeout=500");
  struct shmvtest_child *quick = start_reader(path, "lossless=1");
  struct shmvtest_child *stopped = start_reader(path, "lossless=1 depth=4");
  share_expect(quick, "ok", "run");
  await(writer, 2);
  share_expect(writer, "1 0", "wait-show 1");
  share_expect(stopped, "frame 1 0", "hold");
  g_assert_cmpuint(share_get(share_ask(stopped, "status"), "policy"), ==, 1);
  shmvtest_child_signal(stopped, SIGSTOP);
  guint64 start = shmvtest_now();
  share_tell(writer, "wait-show %u", N - 1);
  share_tell(quick, "until %u", N);
  expect_all(quick);
  g_assert_cmpstr(share_answer(writer), ==, G_STRINGIFY(N) " 0");
  g_assert_cmpuint(shmvtest_now() - start, >=, 500000000);
  shmvtest_child_signal(stopped, SIGCONT);
  const char *drained = share_ask(stopped, "drain");
  guint64 n = 0, first = 0, last = 0, skipped = 0;
  g_assert_cmpint(sscanf(drained,
                         "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                         " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                         &n, &first, &last, &skipped), ==, 4);
  g_test_message("%s", drained);
  g_assert_cmpuint(n, ==, 4);
  g_assert_cmpuint(last, ==, N);
  g_assert_cmpuint(n + skipped, ==, N - 1);
  g_assert_cmpuint(share_get(share_ask(stopped, "status"), "policy"), ==, 0);
  g_assert_cmpuint(share_get(share_ask(stopped, "status"), "skipped"), ==,
                   skipped);
  share_expect(stopped, "1 intact", "release");
  share_expect(writer, "3001 0", "wait-show 1"); /* without waiting for it */
  share_expect(stopped, "frame 3001 0", "next");
  share_finish(stopped);
  share_finish(quick);
  share_finish(writer);
}

/* A writer that does not wait says so: the reader is a latest one. */
/* By a writer whose formats went by faster than it followed them: what it missed in
 * the one that it never saw counts too. */
static void
demoted_formats_ago(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "backpressure=1 timeout=1");
  struct shmvtest_child *reader = start_reader(path, "lossless=1 depth=2");
  await(writer, 1);
  share_expect(writer, "1 0", "wait-show 1");
  share_expect(reader, "frame 1 0", "next");
  share_expect(writer, "ok", "format RGBA 32 24");
  share_expect(writer, "2 0", "wait-show 1");
  share_expect(writer, "ok", "format RGBA 48 36");
  share_expect(writer, "4 0", "wait-show 2"); /* not told of it, demoted */
  share_expect(writer, "ok", "format RGBA 64 24");
  share_expect(writer, "44 0", "wait-show 40");
  share_expect(reader, "format RGBA 32x24", "next");
  share_expect(reader, "frame 2 0", "next");
  share_expect(reader, "format RGBA 64x24", "next");
  share_expect(reader, "frame 43 40", "next");
  share_expect(reader, "frame 44 0", "next");
  g_assert_cmpuint(share_get(share_ask(reader, "status"), "skipped"), ==, 40);
  share_finish(reader);
  share_finish(writer);
}

static void
not_granted(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "");
  struct shmvtest_child *reader = start_reader(path, "lossless=1 depth=2");
  await(writer, 1);
  share_expect(writer, "1 0", "wait-show 1");
  share_expect(reader, "frame 1 0", "next");
  g_assert_cmpuint(share_get(share_ask(reader, "status"), "policy"), ==, 0);
  share_expect(writer, "51 0", "wait-show 50");
  share_expect(reader, "2 50 51 48", "drain");
  share_finish(reader);
  share_finish(writer);
}

/* Frames of the earlier format come first, all of them. */
static void
every_frame_through_a_new_format(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer =
      start_writer(path, "backpressure=1 timeout=60000");
  struct shmvtest_child *reader = start_reader(path, "lossless=1");
  await(writer, 1);
  share_expect(writer, "3 0", "wait-show 3");
  share_expect(writer, "ok", "format I420 130 98");
  share_expect(writer, "5 0", "wait-show 2");
  share_expect(reader, "frame 1 0", "next");
  share_expect(reader, "frame 2 0", "next");
  share_expect(reader, "frame 3 0", "next");
  share_expect(reader, "format I420 130x98", "next");
  share_expect(reader, "frame 4 0", "next");
  share_expect(reader, "frame 5 0", "next");
  share_finish(reader);
  share_finish(writer);
}

/* ---- The end ----------------------------------------------------------------- */

static void
end_and_go(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer =
      start_writer(path, "backpressure=1 timeout=60000");
  struct shmvtest_child *readers[4];
  for (guint i = 0; i < 4; i++)
    readers[i] = start_reader(path, i < 2 ? "lossless=1" : "depth=8");
  await(writer, 4);
  share_expect(writer, "5 0", "wait-show 5");
  share_expect(writer, "ok", "end");
  share_finish(writer);
  for (guint i = 0; i < 4; i++) {
    for (guint n = 1; n <= 5; n++) {
      char *frame = g_strdup_printf("frame %u 0", n);
      share_expect(readers[i], frame, "next");
      g_free(frame);
    }
    share_expect(readers[i], "end", "next");
    share_expect(readers[i], "again", "now"); /* and no LOST after it */
    share_expect(readers[i], "again", "now");
    share_finish(readers[i]);
  }
}

static void
frames_after_the_end(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "");
  struct shmvtest_child *reader = start_reader(path, "depth=8");
  await(writer, 1);
  for (guint round = 0; round < 3; round++) {
    share_ask(writer, "show 2");
    share_expect(writer, "ok", "end");
    share_expect(writer, "ok", "await 1"); /* it dispatches */
    for (guint n = 1; n <= 2; n++) {
      char *frame = g_strdup_printf("frame %u 0", 2 * round + n);
      share_expect(reader, frame, "next");
      g_free(frame);
    }
    share_expect(reader, "end", "next");
    share_expect(reader, "again", "now");
  }
  /* one that comes after the end sees the picture, and no end of before */
  struct shmvtest_child *late = start_reader(path, "");
  share_expect(late, "frame 6 0", "next");
  share_expect(late, "again", "now");
  share_ask(writer, "show 1");
  share_expect(late, "frame 7 0", "next");
  share_expect(reader, "frame 7 0", "next");
  share_finish(writer); /* gone without an end after these frames */
  share_expect(reader, "lost", "next");
  share_expect(late, "lost", "next");
  share_finish(late);
  share_finish(reader);
}

/* The end has its place among frames that were shown before and after it, for all
 * who dispatch before they take. */
static void
end_in_its_place(void)
{
  static const char *const options[] = {"depth=8", "lossless=1"};
  const char *path = shmvtest_path("share");
  for (guint i = 0; i < 2; i++) {
    struct shmvtest_child *writer =
        start_writer(path, "backpressure=1 timeout=60000");
    struct shmvtest_child *reader = start_reader(path, options[i]);
    await(writer, 1);
    share_expect(writer, "2 0", "wait-show 2");
    share_expect(writer, "ok", "end");
    await(writer, 1); /* it dispatches */
    share_expect(writer, "4 0", "wait-show 2");
    share_expect(reader, "frame 1 0", "now");
    share_expect(reader, "frame 2 0", "now");
    share_expect(reader, "end", "now");
    share_expect(reader, "frame 3 0", "now");
    share_expect(reader, "frame 4 0", "now");
    share_expect(reader, "again", "now");
    share_finish(reader);
    share_finish(writer);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/share/latest/the-last-frames", the_last_frames);
  shmvtest_add("/share/lossless/every-frame", every_frame);
  shmvtest_add("/share/lossless/demoted", demoted);
  shmvtest_add("/share/lossless/demoted-formats-ago", demoted_formats_ago);
  shmvtest_add("/share/lossless/not-granted", not_granted);
  shmvtest_add("/share/lossless/every-frame-through-a-new-format",
               every_frame_through_a_new_format);
  shmvtest_add("/share/end/end-and-go", end_and_go);
  shmvtest_add("/share/end/frames-after-the-end", frames_after_the_end);
  shmvtest_add("/share/end/in-its-place", end_in_its_place);
  return shmvtest_run();
}
