/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Frames held through everything, slots out when the writer leaves, and what is
 * refused for lack of memory or a common format.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "share.h"
#include "shmvideo.h"

static struct shmvtest_child *
start_writer(const char *path, const char *options, const char *format)
{
  struct shmvtest_child *writer = share_start();
  share_expect(writer, "ok", "writer %s %s", path, options);
  share_expect(writer, "ok", "format %s", format);
  return writer;
}

/* Connected, and told the format. */
static struct shmvtest_child *
start_reader(const char *path, const char *options)
{
  struct shmvtest_child *reader = share_start();
  share_expect(reader, "ok", "reader %s %s", path, options);
  g_assert_true(g_str_has_prefix(share_ask(reader, "next"), "format "));
  return reader;
}

/* ---- Held frames -------------------------------------------------------------- */

static void
held_through_everything(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "", "RGBA 64 48");
  struct shmvtest_child *stays = start_reader(path, "holds=8");
  struct shmvtest_child *leaves = start_reader(path, "holds=8");
  share_expect(writer, "ok", "await 2");
  share_expect(writer, "1 0", "show 1");
  share_expect(stays, "frame 1 0", "hold");
  share_expect(leaves, "frame 1 0", "hold");
  share_expect(leaves, "ok", "leave");
  share_expect(writer, "1001 0", "show 1000");
  share_expect(leaves, "1 intact", "check"); /* its reader is gone, not it */

  share_expect(stays, "frame 1001 999", "newest");
  share_expect(writer, "1002 0", "show 1");
  share_expect(stays, "frame 1002 0", "hold");
  share_expect(writer, "ok", "format I420 642 482");
  share_expect(writer, "2002 0", "show 1000");
  share_expect(stays, "format I420 642x482", "next");
  share_expect(stays, "frame 2002 999", "newest");
  share_expect(writer, "2003 0", "show 1");
  share_expect(stays, "frame 2003 0", "hold");
  share_expect(stays, "3 intact", "check");
  share_finish(writer); /* frees it */
  share_expect(stays, "lost", "next");
  share_expect(leaves, "1 intact", "check");
  share_expect(stays, "3 intact", "check");

  writer = start_writer(path, "", "RGBA 64 48");
  share_expect(stays, "format RGBA 64x48", "next");
  share_expect(writer, "500 0", "show 500");
  share_expect(stays, "frame 500 0", "newest");
  share_expect(leaves, "1 intact", "release-elsewhere");
  share_expect(stays, "ok", "leave");
  share_expect(writer, "1000 0", "show 500");
  share_expect(stays, "3 intact", "release-elsewhere");
  share_finish(writer);
  share_finish(leaves);
  share_finish(stays);
}

/* All holds in use: nothing new, until one is released on any thread. */
static void
holds_run_out(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "", "RGBA 64 48");
  struct shmvtest_child *reader = start_reader(path, "holds=3 depth=1");
  share_expect(writer, "ok", "await 1");
  for (guint i = 1; i <= 3; i++) {
    char *frame = g_strdup_printf("frame %u 0", i);
    share_ask(writer, "show 1");
    share_expect(reader, frame, "hold");
    g_free(frame);
  }
  share_expect(writer, "1003 0", "show 1000");
  share_expect(reader, "again", "now");
  g_assert_cmpuint(share_get(share_ask(reader, "status"), "holding"), ==, 3);
  share_expect(reader, "3 intact", "release-elsewhere");
  share_expect(reader, "frame 1003 999", "next");
  share_finish(reader);
  share_finish(writer);
}

/* ---- Slots out ----------------------------------------------------------------- */

static void
slots_out_when_the_writer_leaves(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "lent=4", "RGBA 64 48");
  struct shmvtest_child *reader = start_reader(path, "");
  share_expect(writer, "ok", "await 1");
  share_expect(writer, "1 0", "show 1");
  share_expect(reader, "frame 1 0", "hold");
  share_expect(writer, "4", "take 10"); /* so many may be out */
  share_expect(writer, "ok", "format NV12 130 98");
  share_expect(writer, "4", "take 10"); /* those of before do not count */
  share_expect(writer, "ok", "close");
  share_expect(reader, "format NV12 130x98", "next");
  share_expect(reader, "lost", "next");
  share_expect(writer, "ok", "give"); /* written to, then released */
  share_expect(reader, "1 intact", "release");
  share_finish(writer);
  share_finish(reader);
}

/* The same in one process, where a sanitizer sees what is touched and left. */
static void
slots_out_in_one_process(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config wanted = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = 64, .height = 48};
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
  struct shmvideo_slot *slots[4];
  const struct shmvideo_frame *frame = NULL;
  config.path = wanted.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==, 0);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint(shmvideo_writer_acquire(writer, &slots[i]), ==, 1);
  memset(slots[0]->data, 42, slots[0]->size);
  g_assert_cmpint(shmvideo_writer_publish_kept(writer, slots[0], NULL), ==, 0);
  g_assert_cmpint(shmvideo_writer_publish(writer, slots[0], NULL), ==, -EINVAL);
  g_assert_cmpint(shmvideo_reader_new(&wanted, NULL, &reader), ==, 0);
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (frame == NULL) {
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), >=, 0);
    g_assert_cmpuint(shmvtest_now(), <, end);
  }
  shmvideo_writer_free(writer);
  shmvideo_reader_free(reader);
  memset(slots[1]->data, 1, slots[1]->size); /* taken: still to be written */
  g_assert_cmpint(slots[0]->data[100], ==, 42);
  for (guint i = 0; i < 4; i++)
    shmvideo_slot_release(slots[i]);
  g_assert_cmpint(frame->data[100], ==, 42);
  shmvideo_frame_release(frame);
}

/* ---- Refused ------------------------------------------------------------------- */

static void
memory_is_limited(void)
{
  const char *path = shmvtest_path("share");
  /* ten frames: one for the writer, newest, spare, depth 4; leaves three holds */
  struct shmvtest_child *writer =
      start_writer(path, "memory=122880", "RGBA 64 48");
  struct shmvtest_child *first = start_reader(path, "holds=2 depth=4");
  g_assert_cmpuint(share_get(share_ask(first, "status"), "holds"), ==, 2);
  struct shmvtest_child *second = start_reader(path, "holds=8 depth=4");
  g_assert_cmpuint(share_get(share_ask(second, "status"), "holds"), ==, 1);
  struct shmvtest_child *third = share_start();
  share_expect(third, "ok", "reader %s", path);
  const char *refusal = share_ask(third, "next");
  char *code = g_strdup_printf("error %d ", -ENOBUFS);
  g_test_message("%s", refusal);
  g_assert_true(g_str_has_prefix(refusal, code));
  g_assert_nonnull(strstr(refusal, path));
  g_assert_nonnull(strstr(refusal, "max-memory"));
  /* what they have, they have: all frames, all holds, no failed acquire */
  share_expect(writer, "1 0", "show 1");
  share_expect(first, "frame 1 0", "hold");
  share_expect(second, "frame 1 0", "hold");
  share_expect(writer, "1001 0", "show 1000");
  share_expect(first, "frame 998 996", "hold");
  share_expect(writer, "11001 0", "show 10000");
  share_expect(second, "again", "now");
  share_expect(first, "2 intact", "release");
  share_expect(second, "1 intact", "release");
  share_expect(second, "4 10998 11001 10996", "drain");
  g_assert_cmpuint(g_ascii_strtoull(share_ask(writer, "memory"), NULL, 10), <=,
                   122880);
  /* one that needs more than is left, and one that can do with what came back */
  share_finish(second);
  share_expect(writer, "ok", "await 1");
  struct shmvtest_child *greedy = share_start();
  share_expect(greedy, "ok", "reader %s min=2 holds=2 depth=4", path);
  g_assert_true(g_str_has_prefix(share_ask(greedy, "next"), code));
  share_finish(greedy);
  struct shmvtest_child *modest = start_reader(path, "min=1 depth=4");
  share_finish(modest);
  g_free(code);
  share_finish(third);
  share_finish(first);

  code = g_strdup_printf("error %d ", -E2BIG);
  const char *too_big = share_ask(writer, "format RGBA 1920 1080");
  g_assert_true(g_str_has_prefix(too_big, code));
  g_assert_nonnull(strstr(too_big, "1920x1080"));
  g_free(code);
  share_expect(writer, "11002 0", "show 1"); /* the format of before stays */
  share_finish(writer);
}

static void
accepts_are_asked(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *writer = start_writer(path, "", "RGBA 64 48");
  struct shmvtest_child *reader = share_start();
  char *code = g_strdup_printf("error %d ", -EMEDIUMTYPE);
  share_expect(reader, "ok", "reader %s accepts=video/x-raw, format=(string)I420",
               path);
  const char *refusal = share_ask(reader, "next");
  g_test_message("%s", refusal);
  g_assert_true(g_str_has_prefix(refusal, code));
  g_assert_nonnull(strstr(refusal, path));
  g_assert_nonnull(strstr(refusal, "RGBA"));
  g_assert_nonnull(strstr(refusal, "I420"));
  share_finish(reader);

  /* one that takes both follows; and is told when the next is none of these */
  reader = start_reader(
      path, "accepts=video/x-raw, format=(string){ RGBA, NV12 }, width=64");
  share_expect(writer, "1 0", "show 1");
  share_expect(reader, "frame 1 0", "next");
  share_expect(writer, "ok", "format NV12 64 48");
  share_expect(reader, "format NV12 64x48", "next");
  share_expect(writer, "ok", "format NV12 128 48");
  share_expect(writer, "2 0", "show 1");
  refusal = share_ask(reader, "next");
  g_test_message("%s", refusal);
  g_assert_true(g_str_has_prefix(refusal, code));
  g_assert_nonnull(strstr(refusal, "128"));
  share_finish(reader);
  g_free(code);
  share_finish(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/share/held/through-everything", held_through_everything);
  shmvtest_add("/share/held/holds-run-out", holds_run_out);
  shmvtest_add("/share/slots/out-when-the-writer-leaves",
               slots_out_when_the_writer_leaves);
  shmvtest_add("/share/slots/out-in-one-process", slots_out_in_one_process);
  shmvtest_add("/share/refused/memory", memory_is_limited);
  shmvtest_add("/share/refused/accepts", accepts_are_asked);
  return shmvtest_run();
}
