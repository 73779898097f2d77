/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A program that a writer or a reader starts inherits nothing of the share: no
 * descriptor, and no mapping. A child that is only forked has the descriptors, as
 * it must, but not the frames; and its end, or its exec, changes nothing for anybody.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"

struct pair {
  struct shmvideo_writer *writer;
  struct shmvideo_reader *reader;
  struct shmvideo_slot *slot;          /* out */
  const struct shmvideo_frame *frame;  /* held */
};

static void
go_on(struct pair *pair)
{
  const struct shmvideo_frame *frame = NULL;
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(pair->writer, &slot), ==, 1);
  memset(slot->data, 7, slot->size);
  g_assert_cmpint(shmvideo_writer_publish(pair->writer, slot, NULL), ==, 0);
  while (frame == NULL) {
    g_assert_cmpint(shmvideo_writer_dispatch(pair->writer), ==, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(pair->reader), ==, 0);
    g_assert_cmpint(shmvideo_reader_acquire(pair->reader, &frame), >=, 0);
    g_assert_cmpuint(shmvtest_now(), <, end);
  }
  g_assert_cmpint(frame->data[frame->size - 1], ==, 7);
  if (pair->frame == NULL)
    pair->frame = frame;
  else
    shmvideo_frame_release(frame);
}

static void
open_pair(struct pair *pair)
{
  struct shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                   .width = 64, .height = 48};
  memset(pair, 0, sizeof *pair);
  w.path = r.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_reader_new(&r, NULL, &pair->reader), ==, 0);
  g_assert_cmpint(shmvideo_writer_new(&w, NULL, &pair->writer), ==, 0);
  g_assert_cmpint(shmvideo_writer_set_format(pair->writer, &format, NULL, NULL),
                  ==, 0);
  go_on(pair);
  g_assert_cmpint(shmvideo_writer_acquire(pair->writer, &pair->slot), ==, 1);
}

static void
close_pair(struct pair *pair)
{
  g_assert_cmpint(pair->frame->data[0], ==, 7);
  shmvideo_frame_release(pair->frame);
  shmvideo_slot_release(pair->slot);
  shmvideo_reader_free(pair->reader);
  shmvideo_writer_free(pair->writer);
}

/* ---- What a child has -------------------------------------------------------------- */

/* Descriptors and mapped files of a program that we start: "3 -> /x" and "/lib/y". */
static GHashTable *
ask_program(void)
{
  const char *const argv[] = {
      "sh", "-c",
      "for fd in /proc/$$/fd/*; do echo \"${fd##*/} -> $(readlink $fd)\"; done;"
      "while read -r range rights offset device inode path; do"
      "  echo \"$path\"; done </proc/$$/maps", NULL};
  GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  struct shmvtest_child *child = shmvtest_spawn(argv, NULL);
  for (char *line; (line = shmvtest_child_line(child, shmvtest_deadline()));) {
    if (strstr(line, "pipe:[") == NULL) /* how the test speaks with it */
      g_hash_table_add(set, g_strdup(line));
    g_free(line);
  }
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  g_assert_true(g_hash_table_contains(set, "[stack]"));
  return set;
}

/* The first thing that a program has now and had not before, or NULL. */
static const char *
find_news(GHashTable *before, GHashTable *after)
{
  GHashTableIter iter;
  gpointer line;
  g_hash_table_iter_init(&iter, after);
  while (g_hash_table_iter_next(&iter, &line, NULL))
    if (!g_hash_table_contains(before, line))
      return line;
  return NULL;
}

static void
programs_inherit_nothing(void)
{
  struct pair pair;
  GHashTable *before = ask_program();
  open_pair(&pair);
  GHashTable *after = ask_program();
  if (find_news(before, after) != NULL)
    g_error("a program that we started has %s", find_news(before, after));
  g_hash_table_unref(after);
  /* It would have been seen. */
  int copy = dup(shmvideo_writer_get_fd(pair.writer));
  after = ask_program();
  g_assert_nonnull(find_news(before, after));
  close(copy);
  go_on(&pair);
  close_pair(&pair);
  g_hash_table_unref(before);
  g_hash_table_unref(after);
}

/* As the one above, but it looks at itself, before it becomes another program. */
static int
look_at_maps(int in, int out, void *user)
{
  char *maps = NULL;
  if (!g_file_get_contents("/proc/self/maps", &maps, NULL, NULL))
    return 2;
  bool found = strstr(maps, "memfd:") != NULL;
  g_free(maps);
  return found ? 1 : 0;
}

static void
forks_have_no_frames(void)
{
  struct pair pair;
  open_pair(&pair);
  struct shmvtest_child *child = shmvtest_fork(look_at_maps, NULL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  go_on(&pair);
  close_pair(&pair);
}

/* A child that stays, with all descriptors, while both sides end: they end all the
 * same, and the path is free for another. */
static int
stay(int in, int out, void *user)
{
  char c;
  return read(in, &c, 1) == 0 ? 0 : 1;
}

static void
forks_keep_nothing_up(void)
{
  struct pair pair;
  open_pair(&pair);
  struct shmvtest_child *child = shmvtest_fork(stay, NULL);
  go_on(&pair);
  const struct shmvideo_frame *frame;
  int outcome;
  shmvideo_writer_free(pair.writer);
  do {
    g_assert_cmpint(shmvideo_reader_wait(pair.reader,
                        (uint64_t)shmvtest_deadline() * 1000000, -1), ==, 1);
    outcome = shmvideo_reader_acquire(pair.reader, &frame);
  } while (outcome == SHMVIDEO_AGAIN);
  g_assert_cmpint(outcome, ==, SHMVIDEO_LOST);
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &pair.writer), ==, 0);
  close_pair(&pair);
  close(child->in);
  child->in = open("/dev/null", O_WRONLY | O_CLOEXEC);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/inherit/programs-inherit-nothing", programs_inherit_nothing);
  shmvtest_add("/inherit/forks-have-no-frames", forks_have_no_frames);
  shmvtest_add("/inherit/forks-keep-nothing-up", forks_keep_nothing_up);
  return shmvtest_run();
}
