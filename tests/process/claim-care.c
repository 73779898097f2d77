/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What a claim does and leaves: modes, files of others, our own file, descriptors
 * after exec, temporary names.
 */

#define SHMV_TEST_POINTS
#include "rendezvous.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testpoint.h"

static void (*at_point)(const char *name);

void
shmv_test_point(const char *name)
{
  if (at_point != NULL)
    at_point(name);
}

/* ---- What is at the path already ----------------------------------------- */

static void
expect_left_alone(const char *path, const char *kind)
{
  struct stat before, after;
  g_assert_cmpint(lstat(path, &before), ==, 0);
  expect_refusal(path, -EEXIST, kind, path);
  g_assert_cmpint(lstat(path, &after), ==, 0);
  g_assert_true(before.st_ino == after.st_ino);
  g_assert_true(before.st_mode == after.st_mode);
  g_assert_true(before.st_size == after.st_size);
}

static void
other_files(void)
{
  const char *path = shmvtest_path("camera");
  struct shmvideo_error error;
  g_assert_true(g_file_set_contents(path, "holiday", -1, NULL));
  expect_left_alone(path, "a regular file");
  g_assert_cmpint(connect_to(path, &error), ==, -ENOTSOCK);
  g_assert_nonnull(strstr(error.message, "a regular file"));
  unlink(path);

  g_assert_cmpint(mkdir(path, 0700), ==, 0);
  expect_left_alone(path, "a directory");
  g_assert_cmpint(connect_to(path, &error), ==, -ENOTSOCK);
  rmdir(path);

  g_assert_cmpint(mkfifo(path, 0600), ==, 0);
  expect_left_alone(path, "a named pipe");
  g_assert_cmpint(connect_to(path, &error), ==, -ENOTSOCK);
  unlink(path);

  g_assert_cmpint(symlink("nowhere", path), ==, 0);
  expect_left_alone(path, "a symbolic link");
  unlink(path);
  /* Not even one that leads to a stale socket: it is what the user made. */
  const char *target = shmvtest_path("target");
  close(foreign_listener(target, SOCK_SEQPACKET, 1));
  g_assert_cmpint(symlink("target", path), ==, 0);
  expect_left_alone(path, "a symbolic link");
  unlink(path);
  unlink(target);
}

/* ---- What is put there while we claim ------------------------------------ */

static const char *contested;

static void
put_file(const char *name)
{
  if (strcmp(name, "listening") != 0)
    return;
  unlink(contested);
  g_assert_true(g_file_set_contents(contested, "holiday", -1, NULL));
}

static void
expect_file_survives(void)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  char *text;
  at_point = put_file;
  g_assert_cmpint(claim(contested, 0600, &listener, &error), ==, -EEXIST);
  at_point = NULL;
  g_assert_true(g_file_get_contents(contested, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "holiday");
  g_free(text);
  g_assert_cmpint(unlink(contested), ==, 0);
  char *names = list(shmvtest_dir());
  g_assert_cmpstr(names, ==, "");
  g_free(names);
}

static void
sudden_file(void)
{
  contested = shmvtest_path("camera");
  expect_file_survives();
  close(foreign_listener(contested, SOCK_SEQPACKET, 1));
  expect_file_survives();
}

static void
remove_stale(const char *name)
{
  if (strcmp(name, "listening") == 0)
    g_assert_cmpint(unlink(contested), ==, 0);
}

static void
vanished_stale(void)
{
  contested = shmvtest_path("camera");
  close(foreign_listener(contested, SOCK_SEQPACKET, 1));
  at_point = remove_stale;
  expect_success(contested);
  at_point = NULL;
}

/* ---- Modes --------------------------------------------------------------- */

static mode_t asked;
static unsigned points_with_socket;

/* No socket in the directory is ever more open than asked. */
static void
check_modes(const char *name)
{
  (void)name;
  GDir *dir = g_dir_open(shmvtest_dir(), 0, NULL);
  for (const char *entry; (entry = g_dir_read_name(dir)) != NULL;) {
    char *path = g_build_filename(shmvtest_dir(), entry, NULL);
    struct stat info;
    g_assert_cmpint(lstat(path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 0777 & ~asked, ==, 0);
    points_with_socket++;
    g_free(path);
  }
  g_dir_close(dir);
}

static void
modes(void)
{
  const mode_t umasks[] = {0, 022, 077, 0777};
  const mode_t perms[] = {0600, 0660, 0666, 0777};
  const char *path = shmvtest_path("camera");
  mode_t before = umask(0);
  for (unsigned i = 0; i < 16; i++) {
    struct shmv_listener listener;
    struct shmvideo_error error;
    struct stat info;
    umask(umasks[i / 4]);
    asked = perms[i % 4];
    at_point = check_modes;
    g_assert_cmpint(claim(path, asked, &listener, &error), ==, 0);
    g_assert_cmpint(lstat(path, &info), ==, 0);
    g_assert_cmpuint(info.st_mode & 07777, ==, asked);
    shmv_listener_close(&listener);
    at_point = NULL;
  }
  umask(before);
  g_assert_cmpuint(points_with_socket, >=, 16 * 3);
}

/* ---- Leaving ------------------------------------------------------------- */

static void
only_our_file(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener, second;
  struct shmvideo_error error;
  /* A file in our place, made at once so that it could get our inode's number. */
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  unlink(path);
  g_assert_true(g_file_set_contents(path, "holiday", -1, NULL));
  shmv_listener_close(&listener);
  g_assert_cmpint(unlink(path), ==, 0);
  /* A writer in our place. */
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  unlink(path);
  g_assert_cmpint(claim(path, 0600, &second, &error), ==, 0);
  shmv_listener_close(&listener);
  int fd = connect_to(path, &error);
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  shmv_listener_close(&second);
  /* Nothing in our place, and closing twice. */
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  unlink(path);
  shmv_listener_close(&listener);
  shmv_listener_close(&listener);
}

static int
close_in_child(int in, int out, void *user)
{
  (void)in;
  (void)out;
  shmv_listener_close(user);
  return 0;
}

static void
closing_child(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  struct shmvtest_child *child = shmvtest_fork(close_in_child, &listener);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  int fd = connect_to(path, &error);
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  shmv_listener_close(&listener);
}

static void
removed_directory(void)
{
  const char *directory = shmvtest_path("sub");
  const char *path = shmvtest_path("sub/camera");
  struct shmv_listener listener, second;
  struct shmvideo_error error;
  g_assert_cmpint(mkdir(directory, 0700), ==, 0);
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  unlink(path);
  rmdir(directory);
  g_assert_cmpint(mkdir(directory, 0700), ==, 0);
  g_assert_cmpint(claim(path, 0600, &second, &error), ==, 0);
  shmv_listener_close(&listener);
  int fd = connect_to(path, &error);
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  shmv_listener_close(&second);
  rmdir(directory);
}

/* ---- Descriptors --------------------------------------------------------- */

static void
nothing_inherited(void)
{
  const char *path = shmvtest_path("camera");
  struct shmv_listener listener;
  struct shmvideo_error error;
  struct shmv_peer_id peer;
  g_assert_cmpint(claim(path, 0600, &listener, &error), ==, 0);
  int client = connect_to(path, &error);
  int accepted;
  g_assert_cmpint(shmv_listener_accept(&listener, &accepted), ==, 0);
  g_assert_cmpint(shmv_socket_peer(accepted, &peer), ==, 0);
  /* Lists the descriptors of the program that runs, past its pipes and stderr. */
  const char *script = "for f in /proc/$$/fd/*; do readlink $f; done |"
                       " grep -c -e socket -e pidfd -e $XDG_RUNTIME_DIR";
  const char *const command[] = {"sh", "-c", script, NULL};
  struct shmvtest_child *child = shmvtest_spawn(command, NULL);
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpstr(line, ==, "0");
  g_free(line);
  shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  /* The same look finds one that is to be inherited: it is not blind. */
  fcntl(client, F_SETFD, 0);
  child = shmvtest_spawn(command, NULL);
  line = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpstr(line, ==, "1");
  g_free(line);
  shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  close(peer.pidfd);
  close(accepted);
  close(client);
  shmv_listener_close(&listener);
}

/* ---- Temporary names ----------------------------------------------------- */

static void
leftovers(void)
{
  const char *dead = shmvtest_path(".shmv-1-0badcafe");
  const char *file = shmvtest_path(".shmv-1-0badf11e");
  const char *live = shmvtest_path(".shmv-1-01101100");
  const char *other = shmvtest_path(".shmv-notes");
  const char *similar = shmvtest_path(".shmv-1-0badcafex");
  close(foreign_listener(dead, SOCK_SEQPACKET, 1));
  close(foreign_listener(other, SOCK_SEQPACKET, 1));
  close(foreign_listener(similar, SOCK_SEQPACKET, 1));
  int fd = foreign_listener(live, SOCK_SEQPACKET, 8);
  g_assert_true(g_file_set_contents(file, "holiday", -1, NULL));
  expect_success(shmvtest_path("camera"));
  g_assert_cmpint(access(dead, F_OK), ==, -1);
  g_assert_cmpint(unlink(file), ==, 0);
  g_assert_cmpint(unlink(live), ==, 0);
  g_assert_cmpint(unlink(other), ==, 0);
  g_assert_cmpint(unlink(similar), ==, 0);
  close(fd);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/claim/what-is-no-socket-is-left-alone", other_files);
  shmvtest_add("/claim/a-file-that-appears-meanwhile-survives", sudden_file);
  shmvtest_add("/claim/a-stale-socket-that-vanishes-is-no-obstacle",
               vanished_stale);
  shmvtest_add("/claim/the-mode-is-as-asked-whatever-the-umask", modes);
  shmvtest_add("/claim/closing-removes-only-our-own-file", only_our_file);
  shmvtest_add("/claim/a-forked-child-cannot-remove-the-path", closing_child);
  shmvtest_add("/claim/a-new-directory-of-the-same-name-is-not-ours",
               removed_directory);
  shmvtest_add("/claim/exec-inherits-nothing", nothing_inherited);
  shmvtest_add("/claim/what-dead-claimants-left-is-swept", leftovers);
  return shmvtest_run();
}
