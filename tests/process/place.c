/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Where bare names lead, and machines that are set up otherwise: each test is a
 * child with a /tmp, or a missing /proc, of its own (skipped where the system
 * gives nobody such a thing).
 */

#include "rendezvous.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define SKIP 77

static bool
write_file(const char *path, const char *format, unsigned number)
{
  char text[64];
  int n = snprintf(text, sizeof text, format, number);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && write(fd, text, (size_t)n) == n;
  if (fd >= 0)
    close(fd);
  return done;
}

/* An empty file system at a place, seen by this process alone. */
static bool
mount_empty(const char *place)
{
  uid_t uid = geteuid();
  if (uid != 0 &&
      (unshare(CLONE_NEWUSER) < 0 ||
       !write_file("/proc/self/uid_map", "%u %u 1", uid)))
    return false;
  return unshare(CLONE_NEWNS) == 0 &&
         mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("none", place, "tmpfs", 0, "mode=1777") == 0;
}

static void
in_child(int (*func)(int in, int out, void *user), void *user)
{
  struct shmvtest_child *child = shmvtest_fork(func, user);
  int status = shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  if (status == SKIP)
    g_test_skip("no namespaces here");
  else
    g_assert_cmpint(status, ==, 0);
}

/* ---- XDG_RUNTIME_DIR ----------------------------------------------------- */

static void
runtime_directory(void)
{
  struct shmv_path path;
  struct shmvideo_error error;
  struct stat info;
  const char *directory = shmvtest_path("shmvideo");
  mode_t before = umask(0);
  g_assert_cmpint(shmv_path_resolve(&path, "camera", &error), ==, 0);
  umask(before);
  g_assert_cmpstr(path.text, ==, shmvtest_path("shmvideo/camera"));
  g_assert_cmpstr(path.directory, ==, directory);
  g_assert_cmpstr(path.name, ==, "camera");
  g_assert_cmpint(lstat(directory, &info), ==, 0);
  g_assert_cmpuint(info.st_mode, ==, S_IFDIR | 0700);
  expect_success("camera");
  expect_success("camera");
  rmdir(directory);
  /* Something else is there. */
  g_assert_true(g_file_set_contents(directory, "", -1, NULL));
  expect_refusal("camera", -ENOTDIR, directory, "a regular file");
  unlink(directory);
  g_setenv("XDG_RUNTIME_DIR", shmvtest_path("none"), TRUE);
  expect_refusal("camera", -ENOENT, shmvtest_path("none"), "slash");
}

static int
try_as_other_user(int in, int out, void *user)
{
  (void)in;
  (void)out;
  expect_refusal("camera", -EPERM, user, "user 0");
  return 0;
}

static void
directory_of_another_user(void)
{
  if (geteuid() != 0) {
    g_test_skip("needs root, to be two users");
    return;
  }
  g_assert_cmpint(chmod(shmvtest_dir(), 0777), ==, 0);
  as_nobody(try_as_other_user, (void *)shmvtest_dir());
  char *names = list(shmvtest_dir());
  g_assert_cmpstr(names, ==, "");
  g_free(names);
}

/* ---- /tmp ---------------------------------------------------------------- */

static int
without_variable(int in, int out, void *user)
{
  (void)in;
  (void)out;
  (void)user;
  struct stat info;
  if (!mount_empty("/tmp"))
    return SKIP;
  char *directory = g_strdup_printf("/tmp/shmvideo-%u", (unsigned)geteuid());
  g_unsetenv("XDG_RUNTIME_DIR");
  expect_success("camera");
  g_assert_cmpint(lstat(directory, &info), ==, 0);
  g_assert_cmpuint(info.st_mode, ==, S_IFDIR | 0700);
  /* A relative one counts as none. */
  g_setenv("XDG_RUNTIME_DIR", "relative", TRUE);
  expect_success("camera");

  g_assert_cmpint(chmod(directory, 0750), ==, 0);
  expect_refusal("camera", -EPERM, directory, "mode 0750");
  g_assert_cmpint(rmdir(directory), ==, 0);

  /* A link leads where somebody else wants us, even to what is ours. */
  g_assert_cmpint(mkdir("/tmp/elsewhere", 0700), ==, 0);
  g_assert_cmpint(symlink("elsewhere", directory), ==, 0);
  expect_refusal("camera", -ENOTDIR, directory, "a symbolic link");
  unlink(directory);

  if (chown("/tmp/elsewhere", 1, 1) == 0) {
    g_assert_cmpint(rename("/tmp/elsewhere", directory), ==, 0);
    expect_refusal("camera", -EPERM, directory, "belongs to user 1,");
  }
  g_free(directory);
  return 0;
}

static void
fallback_in_tmp(void)
{
  in_child(without_variable, NULL);
}

/* ---- No /proc ------------------------------------------------------------ */

static int
without_proc(int in, int out, void *user)
{
  (void)in;
  (void)out;
  if (!mount_empty("/proc"))
    return SKIP;
  const char *path = user;
  expect_success(path);
  close(foreign_listener(path, SOCK_SEQPACKET, 1));
  expect_success(path);
  /* No room for a temporary name beside one of 107 bytes. */
  char *longest = g_strdup_printf("%s/", shmvtest_dir());
  char *rest = g_strnfill(105 - strlen(longest), 'd');
  char *directory = g_strconcat(longest, rest, NULL);
  char *text = g_strconcat(directory, "/c", NULL);
  g_assert_cmpuint(strlen(text), ==, SHMV_PATH_MAX);
  g_assert_cmpint(mkdir(directory, 0700), ==, 0);
  expect_refusal(text, -ENAMETOOLONG, "/proc", text);
  rmdir(directory);
  g_free(text);
  g_free(directory);
  g_free(rest);
  g_free(longest);
  return 0;
}

static void
no_proc(void)
{
  in_child(without_proc, (void *)shmvtest_path("camera"));
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/place/a-bare-name-is-in-the-runtime-directory",
               runtime_directory);
  shmvtest_add("/place/not-in-another-users", directory_of_another_user);
  shmvtest_add("/place/in-tmp-only-if-it-is-ours-alone", fallback_in_tmp);
  shmvtest_add("/place/without-proc-short-paths-work", no_proc);
  return shmvtest_run();
}
