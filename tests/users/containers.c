/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A share between containers that have nothing in common but the directory of its
 * socket: other users, pids, mounts, IPC and network (guise.h).
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guise.h"
#include "share.h"
#include "shmvideo.h"
#include "shmvtest.h"

/* Where the share is, in a container or not. */
struct place {
  struct guise_wish wish;
  char path[128];
};

static struct place
outside(const char *sockets)
{
  struct place place = {.wish = {.uid = geteuid(), .gid = getegid()}};
  g_snprintf(place.path, sizeof place.path, "%s/share", sockets);
  return place;
}

static struct place
inside(const char *sockets, const char *root, uid_t uid)
{
  return (struct place){.wish = {.uid = uid, .gid = (gid_t)uid,
                                 .container = true, .root = root,
                                 .sockets = sockets},
                        .path = "/share/share"};
}

static struct shmvtest_child *
start_writer(const struct place *place)
{
  struct guise_wish wish = place->wish;
  struct shmvtest_child *writer = share_start_as(guise_put_on, &wish);
  share_expect(writer, "ok", "writer %s perms=0666", place->path);
  share_expect(writer, "ok", "format RGBA 64 48");
  share_expect(writer, "1 0", "show 1");
  return writer;
}

static struct shmvtest_child *
start_reader(const struct place *place)
{
  struct guise_wish wish = place->wish;
  struct shmvtest_child *reader = share_start_as(guise_put_on, &wish);
  share_expect(reader, "ok", "reader %s holds=4", place->path);
  return reader;
}

/* The process that shares: in a container, the child of ours has it as its child. */
static pid_t
find_pid(const struct shmvtest_child *child, const struct place *place)
{
  char *path = g_strdup_printf("/proc/%d/task/%d/children", child->pid,
                               child->pid);
  char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  pid_t pid = place->wish.container ? (pid_t)atoi(text) : child->pid;
  g_assert_cmpint(pid, >, 0);
  g_free(text);
  g_free(path);
  return pid;
}

/* SIGKILL, and wait for the end of all of it: who was its child ends a moment later, and
 * would still have the path. */
static void
kill_writer(struct shmvtest_child *writer, const struct place *place)
{
  int pidfd = (int)syscall(SYS_pidfd_open, find_pid(writer, place), 0);
  g_assert_cmpint(pidfd, >=, 0);
  shmvtest_child_free(writer);
  g_assert_cmpint(shmvtest_poll(pidfd, POLLIN, shmvtest_deadline()) & POLLIN, ==,
                  POLLIN);
  close(pidfd);
}

/* From here to there: frames, formats, both kinds of sudden ends, and a successor. */
static void
share_between(const struct place *of_writer, const struct place *of_reader)
{
  struct shmvtest_child *reader = start_reader(of_reader);
  struct shmvtest_child *writer = start_writer(of_writer);
  share_expect(reader, "format RGBA 64x48", "next");
  share_expect(reader, "frame 1 0", "hold");
  share_expect(writer, "ok", "format NV12 130 98");
  share_expect(writer, "2 0", "show 1");
  share_expect(reader, "format NV12 130x98", "next");
  share_expect(reader, "frame 2 0", "hold");
  share_expect(reader, "2 intact", "check");

  /* The kernel tells of each other's end, whoever may see whose pid. */
  struct share_usage before = share_usage(find_pid(writer, of_writer));
  for (guint i = 0; i < 3; i++) {
    struct shmvtest_child *victim = start_reader(of_reader);
    share_expect(victim, "format NV12 130x98", "next");
    g_assert_true(g_str_has_prefix(share_ask(victim, "hold"), "frame "));
    share_ask(writer, "show 1");
    g_assert_true(g_str_has_prefix(share_ask(victim, "hold"), "frame "));
    shmvtest_child_free(victim); /* by SIGKILL */
    share_expect(writer, "ok", "await 1");
  }
  share_expect(writer, "1005 0", "show 1000");
  share_wait_flat(find_pid(writer, of_writer), before);
  share_expect(reader, "2 intact", "release");
  share_expect(reader, "frame 1005 1002", "newest");

  share_expect(writer, "1006 0", "show 1");
  share_expect(reader, "frame 1006 0", "hold");
  kill_writer(writer, of_writer);
  share_expect(reader, "lost", "next");
  writer = start_writer(of_writer);
  share_expect(reader, "format RGBA 64x48", "next");
  share_expect(reader, "frame 1 0", "next");
  share_expect(reader, "1 intact", "release");
  share_finish(writer);
  share_expect(reader, "lost", "next");
  share_finish(reader);
}

static void
with_container(uid_t uid, bool writer_in, bool reader_in)
{
  if ((uid != geteuid() && !guise_can_be_others()) || !guise_can_contain(uid))
    return;
  const char *sockets = guise_make_sockets(writer_in ? uid : geteuid());
  struct place out = outside(sockets);
  struct place in = inside(sockets, guise_make_root(), uid);
  share_between(writer_in ? &in : &out, reader_in ? &in : &out);
  guise_clear();
}

static void
reader_inside(void)
{
  with_container(geteuid(), false, true);
}

static void
stranger_inside(void)
{
  with_container(GUISE_BOB, false, true);
}

static void
writer_inside(void)
{
  with_container(geteuid(), true, false);
}

static void
strange_writer_inside(void)
{
  with_container(GUISE_BOB, true, false);
}

/* Each in one of its own. */
static void
both_inside(void)
{
  with_container(geteuid(), true, true);
}

/* ---- Nothing at all -------------------------------------------------------------- */

/* As small as a world can be: no /proc, no /tmp, only the socket. */
static int
read_in_void(int in, int out, void *sockets)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  const struct shmvideo_frame *frame;
  uint64_t wait = (uint64_t)shmvtest_deadline() * 1000000;
  guint n = 0;
  int code = chroot(sockets) == 0 && chdir("/") == 0 ? 0 : -1;
  config.path = "/share";
  if (code == 0)
    code = shmvideo_reader_new(&config, NULL, &reader);
  while (code >= 0 && n < 10) {
    code = shmvideo_reader_acquire(reader, &frame);
    if (code == SHMVIDEO_FRAME) {
      n += frame->size == 64 * 48 * 4;
      shmvideo_frame_release(frame);
    } else if (code == SHMVIDEO_AGAIN &&
               (dprintf(out, "waits\n") < 0 ||
                shmvideo_reader_wait(reader, wait, -1) != 1)) {
      return 2;
    }
  }
  if (code >= 0)
    shmvideo_reader_free(reader);
  return n == 10 ? 0 : 1;
}

static void
nothing_but_the_socket(void)
{
  if (!guise_can_be_others())
    return;
  const char *sockets = guise_make_sockets(geteuid());
  struct place place = outside(sockets);
  struct shmvtest_child *writer = start_writer(&place);
  struct shmvtest_child *reader = shmvtest_fork(read_in_void, (void *)sockets);
  char *line;
  while ((line = shmvtest_child_line(reader, shmvtest_deadline())) != NULL) {
    share_ask(writer, "show 1");
    g_free(line);
  }
  g_assert_cmpint(shmvtest_child_wait(reader, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(reader);
  share_finish(writer);
  guise_clear();
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/containers/reader", reader_inside);
  shmvtest_add("/containers/reader-of-another-user", stranger_inside);
  shmvtest_add("/containers/writer", writer_inside);
  shmvtest_add("/containers/writer-of-another-user", strange_writer_inside);
  shmvtest_add("/containers/both", both_inside);
  shmvtest_add("/containers/nothing-but-the-socket", nothing_but_the_socket);
  return shmvtest_run();
}
