/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers of other users: refused unless the writer's perms let them in, and then
 * served like anybody. Before and after a change of format, since each format is
 * memory of its own.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "guise.h"
#include "share.h"
#include "shmvtest.h"

/* A writer of Alice's. */
static struct shmvtest_child *
start_writer(const char *path, const char *options)
{
  struct guise_wish alice = {.uid = GUISE_ALICE, .gid = GUISE_ALICE};
  struct shmvtest_child *writer = share_start_as(guise_put_on, &alice);
  share_expect(writer, "ok", "writer %s %s", path, options);
  share_expect(writer, "ok", "format RGBA 64 48");
  return writer;
}

static struct shmvtest_child *
start_reader(uid_t uid, gid_t gid, const char *path)
{
  struct guise_wish wish = {.uid = uid, .gid = gid};
  struct shmvtest_child *reader = share_start_as(guise_put_on, &wish);
  share_expect(reader, "ok", "reader %s holds=4 depth=4", path);
  return reader;
}

static void
is_refused(uid_t uid, gid_t gid, const char *path)
{
  struct shmvtest_child *reader = start_reader(uid, gid, path);
  const char *answer = share_ask(reader, "next");
  char *code = g_strdup_printf("error %d ", -EACCES);
  char *owner = g_strdup_printf("user %u", GUISE_ALICE);
  g_test_message("%s", answer);
  g_assert_true(g_str_has_prefix(answer, code));
  g_assert_nonnull(strstr(answer, path));
  g_assert_nonnull(strstr(answer, owner));
  g_free(owner);
  g_free(code);
  share_finish(reader);
}

/* All that a reader can do, through a change of format and the writer's end. */
static void
is_served(struct shmvtest_child *writer, uid_t uid, gid_t gid, const char *path)
{
  guint64 frames = g_ascii_strtoull(share_ask(writer, "show 0"), NULL, 10);
  struct shmvtest_child *reader = start_reader(uid, gid, path);
  const char *const formats[] = {"RGBA 64 48", "I420 130 98", "RGBA 64 48"};
  for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
    char name[16];
    guint width, height;
    g_assert_cmpint(sscanf(formats[i], "%15s %u %u", name, &width, &height), ==,
                    3);
    share_expect(writer, "ok", "format %s", formats[i]);
    char *told = g_strdup_printf("format %s %ux%u", name, width, height);
    share_expect(reader, told, "next");
    share_ask(writer, "show 1");
    char *frame = g_strdup_printf("frame %" G_GUINT64_FORMAT " ", ++frames);
    g_assert_true(g_str_has_prefix(share_ask(reader, "newest"), frame));
    g_free(frame);
    share_ask(writer, "show 1");
    frame = g_strdup_printf("frame %" G_GUINT64_FORMAT " 0", ++frames);
    share_expect(reader, frame, "hold");
    g_free(frame);
    g_free(told);
  }
  share_expect(reader, "3 intact", "check");
  share_expect(reader, "3 intact", "release");
  share_finish(reader);
  share_expect(writer, "ok", "await 0");
}

static void
refused_by_default(void)
{
  if (!guise_can_be_others())
    return;
  const char *sockets = guise_make_sockets(GUISE_ALICE);
  char *path = g_build_filename(sockets, "share", NULL);
  struct shmvtest_child *writer = start_writer(path, "");
  struct stat info;
  g_assert_cmpint(stat(path, &info), ==, 0);
  g_assert_cmpuint(info.st_mode, ==, S_IFSOCK | 0600);
  is_refused(GUISE_BOB, GUISE_BOB, path);
  is_refused(GUISE_BOB, GUISE_ALICE, path); /* of her group */
  is_served(writer, GUISE_ALICE, GUISE_ALICE, path);
  is_refused(GUISE_BOB, GUISE_BOB, path);
  is_served(writer, 0, 0, path);
  share_finish(writer);
  g_free(path);
  guise_clear();
}

static void
served_with_perms(void)
{
  if (!guise_can_be_others())
    return;
  const char *sockets = guise_make_sockets(GUISE_ALICE);
  char *path = g_build_filename(sockets, "share", NULL);
  struct shmvtest_child *writer = start_writer(path, "perms=0660");
  is_served(writer, GUISE_BOB, GUISE_ALICE, path);
  is_refused(GUISE_BOB, GUISE_BOB, path);
  share_finish(writer);

  writer = start_writer(path, "perms=0666");
  is_served(writer, GUISE_BOB, GUISE_BOB, path);
  is_served(writer, GUISE_ALICE, GUISE_ALICE, path);
  share_finish(writer);
  g_free(path);
  guise_clear();
}

/* One who may not be signalled, traced or looked at dies with frames in hand. */
static void
killed_among_strangers(void)
{
  if (!guise_can_be_others())
    return;
  const char *sockets = guise_make_sockets(GUISE_ALICE);
  char *path = g_build_filename(sockets, "share", NULL);
  struct shmvtest_child *writer = start_writer(path, "perms=0666");
  share_ask(writer, "show 1");
  struct share_usage before = share_usage(writer->pid);
  for (guint i = 0; i < 5; i++) {
    struct shmvtest_child *reader = start_reader(GUISE_BOB, GUISE_BOB, path);
    share_expect(reader, "format RGBA 64x48", "next");
    for (guint j = 0; j < 4; j++) {
      g_assert_true(g_str_has_prefix(share_ask(reader, "hold"), "frame "));
      share_ask(writer, "show 1");
    }
    g_assert_cmpuint(share_get(share_ask(reader, "status"), "holding"), ==, 4);
    shmvtest_child_free(reader); /* by SIGKILL */
    share_expect(writer, "ok", "await 0");
  }
  g_assert_true(g_str_has_suffix(share_ask(writer, "show 1000"), " 0"));
  share_wait_flat(writer->pid, before);
  /* and the other way round */
  struct shmvtest_child *reader = start_reader(GUISE_BOB, GUISE_BOB, path);
  share_expect(reader, "format RGBA 64x48", "next");
  g_assert_true(g_str_has_prefix(share_ask(reader, "hold"), "frame "));
  shmvtest_child_free(writer);
  share_expect(reader, "lost", "next");
  share_expect(reader, "1 intact", "check");
  writer = start_writer(path, "perms=0666"); /* takes over what the dead one left */
  share_expect(reader, "format RGBA 64x48", "next");
  share_expect(reader, "1 intact", "release");
  share_finish(reader);
  share_finish(writer);
  g_free(path);
  guise_clear();
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/users/refused-by-default", refused_by_default);
  shmvtest_add("/users/served-with-perms", served_with_perms);
  shmvtest_add("/users/killed-among-strangers", killed_among_strangers);
  return shmvtest_run();
}
