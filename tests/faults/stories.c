/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "stories.h"

#include <errno.h>
#include <unistd.h>

static const struct shmvideo_format small = {
    .pixel_format = SHMVIDEO_FORMAT_RGBA, .width = 32, .height = 16};
static const struct shmvideo_format wide = {
    .pixel_format = SHMVIDEO_FORMAT_RGBA, .width = 48, .height = 8,
    .fps_n = 30, .fps_d = 1};

static void
frames(struct story *story)
{
  story_show(story);
  story_settle(story);
  story_send(story);
  story_show(story);
  story_settle(story);
}

/* From before the writer to after it: late comers, formats, the end, a share that
 * nobody reads, a successor. */
void
story_of_life(struct story *story)
{
  struct follower *f = story->followers;
  f[0].holds = true;
  f[0].config.min_holds = 2;
  f[1].config.accepts = "video/x-raw, format=(string){ RGBA, NV12 }, "
                        "width=[1,4096], gamma=(double)1.5";
  f[2].config.max_holds = 1;
  f[0].config.depth = f[1].config.depth = f[2].config.depth = 2;
  f[2].config.policy = SHMVIDEO_LOSSLESS;
  f[2].complete = true;
  story_follow(story, 0);
  story_open(story);
  story_format(story, &small, NULL);
  story_settle(story);
  frames(story);
  story_follow(story, 1);
  story_follow(story, 2);
  story_settle(story);
  frames(story);
  story_show(story);
  story_sleep(story, 1);
  story_settle(story);
  story_format(story, &wide,
               "video/x-raw, format=(string)RGBA, width=(int)48, "
               "height=(int)8, framerate=(fraction)30/1");
  frames(story);
  story_end(story);
  story_settle_ended(story);
  story_release(story, 0);
  story_leave(story, 0);
  story_leave(story, 1);
  story_leave(story, 2);
  story_rest(story); /* the pool is made small again */
  story_follow(story, 1);
  story_settle(story); /* the frame that is shown */
  story_close(story);
  story_settle_lost(story);
  story_open(story);
  story_format(story, &small, NULL);
  frames(story);
  story_leave(story, 1);
  story_close(story);
}

/* Lossless readers make the writer wait: one lets go in time, and then does not. */
void
story_of_patience(struct story *story)
{
  struct follower *f = story->followers;
  f[0].config.policy = f[1].config.policy = SHMVIDEO_LOSSLESS;
  f[0].config.max_holds = f[0].config.min_holds = 1;
  f[0].holds = f[0].lets_go = true;
  f[0].complete = f[1].complete = true;
  story_open(story);
  story_format(story, &small, NULL);
  story_follow(story, 0);
  story_follow(story, 1);
  story_settle(story);
  for (int i = 0; i < 12; i++)
    story_wait_show(story);
  f[0].lets_go = f[0].complete = false;
  for (int i = 0; i < 10; i++)
    story_wait_show(story);
  f[0].holds = false;
  story_release(story, 0);
  story_settle(story);
  story_leave(story, 0);
  story_leave(story, 1);
  story_close(story);
}

/* One comes who cannot take the format, and the other agrees to another. */
void
story_of_wishes(struct story *story)
{
  struct follower *f = story->followers;
  f[0].config.flexible = 1;
  f[1].config.accepts = "video/x-raw, format=(string){ GRAY8, GRAY16_LE }, "
                        "width=[48,4096], height=(int)8";
  story_open(story);
  story_format(story, &small, NULL);
  story_follow(story, 0);
  story_show(story);
  story_settle(story);
  story_follow(story, 1);
  story_settle_told(story);
  frames(story);
  story_accept(story, 1, "video/x-raw, format=(string)RGBA, width=[1,32], "
                         "height=[1,16]");
  story_settle_width(story, 32);
  frames(story);
  story_leave(story, 1);
  story_leave(story, 0);
  story_close(story);
}

/* One who speaks another language, and leaves descriptors unread; on a kernel that
 * cannot keep him from that. */
void
story_of_strangers(struct story *story)
{
  story->stranger = true;
  story_open(story);
  story_format(story, &small, NULL);
  story_follow(story, 0);
  story_settle(story);
  for (int i = 0; i < 2; i++) {
    story_be_strange(story);
    story_show(story);
    story_settle(story);
  }
  story_leave(story, 0);
  story_close(story);
}

/* What cannot be, or only because of what failed. */
static void
refuse_writer(struct story *story, const char *path, int expected)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_writer *writer;
  struct shmvideo_error error = {0};
  config.path = path;
  shim_enter(SHIM_WRITER);
  int code = shmvideo_writer_new(&config, &error, &writer);
  shim_leave();
  g_assert_cmpint(code, <, 0);
  g_assert_null(writer);
  if (code != expected)
    story_check(story, code, &error);
}

static void
refuse_reader(struct story *story, const char *path, int expected)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  struct shmvideo_error error = {0};
  config.path = path;
  shim_enter(SHIM_READER);
  int code = shmvideo_reader_new(&config, &error, &reader);
  if (code == 0)
    shmvideo_reader_get_error(reader, &error);
  shmvideo_reader_free(reader);
  shim_leave();
  bool tries_again = error.code == -ECONNREFUSED || error.code == -ENOENT;
  if (error.code != expected && !tries_again)
    story_check(story, error.code, &error);
}

/* A path that somebody has already stays his. */
void
story_of_rivals(struct story *story)
{
  const char *file = shmvtest_path("file");
  const char *nowhere = shmvtest_path("none/share");
  g_assert_true(g_file_set_contents(file, "", 0, NULL));
  story_open(story);
  story_format(story, &small, NULL);
  story_follow(story, 0);
  refuse_writer(story, story->path, -EADDRINUSE);
  story_show(story);
  story_follow(story, 1);
  story_settle(story);
  story_leave(story, 0);
  story_leave(story, 1);
  story_close(story);
  refuse_writer(story, file, -EEXIST);
  refuse_writer(story, nowhere, -ENOENT);
  refuse_reader(story, file, -ENOTSOCK);
  refuse_reader(story, nowhere, -ENOENT);
  unlink(file);
}
