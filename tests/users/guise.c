/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "guise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shmvtest.h"

#define SKIP 77

/* ---- In the child --------------------------------------------------------------- */

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

/* Who becomes another forgets that it dies with the test. */
static int
become(uid_t uid, gid_t gid)
{
  if (geteuid() == uid && getegid() == gid)
    return 0;
  if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
    return 1;
  return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Whoever we are outside, inside we are root. */
static int
leave_namespaces(void)
{
  uid_t uid = geteuid();
  gid_t gid = getegid();
  prctl(PR_SET_DUMPABLE, 1); /* /proc/self is ours again after setuid */
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
              CLONE_NEWNET | CLONE_NEWUTS) < 0)
    return SKIP;
  return write_file("/proc/self/setgroups", "deny", 0) &&
                 write_file("/proc/self/uid_map", "0 %u 1", uid) &&
                 write_file("/proc/self/gid_map", "0 %u 1", gid)
             ? 0
             : SKIP;
}

/* Only what is born after unshare is in the new pid namespace. */
static void
be_born_again(void)
{
  pid_t pid = fork();
  if (pid != 0) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
      continue;
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int
change_root(const char *root, const char *sockets)
{
  char share[256], proc[256];
  snprintf(share, sizeof share, "%s/share", root);
  snprintf(proc, sizeof proc, "%s/proc", root);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("none", root, "tmpfs", 0, "mode=0755") < 0 ||
      mkdir(share, 0755) < 0 || mkdir(proc, 0755) < 0 ||
      mount(sockets, share, NULL, MS_BIND, NULL) < 0 ||
      mount("proc", proc, "proc", 0, NULL) < 0)
    return SKIP;
  if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
      umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
    return 1;
  return access("/tmp", F_OK) < 0 && access("/share", F_OK) == 0 ? 0 : 1;
}

int
guise_put_on(void *user)
{
  const struct guise_wish *wish = user;
  int status = become(wish->uid, wish->gid);
  if (status != 0 || !wish->container)
    return status;
  if ((status = leave_namespaces()) != 0)
    return status;
  be_born_again();
  return change_root(wish->root, wish->sockets);
}

/* ---- In the test ----------------------------------------------------------------- */

bool
guise_can_be_others(void)
{
  if (geteuid() == 0)
    return true;
  g_test_skip("needs root, to be several users");
  return false;
}

static int
try_it(int in, int out, void *user)
{
  (void)in;
  (void)out;
  return guise_put_on(user);
}

bool
guise_can_contain(uid_t uid)
{
  struct guise_wish wish = {.uid = uid, .gid = (gid_t)uid, .container = true,
                            .root = guise_make_root(),
                            .sockets = guise_make_sockets(geteuid())};
  struct shmvtest_child *child = shmvtest_fork(try_it, &wish);
  int status = shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  guise_clear();
  if (status == SKIP)
    g_test_skip("this machine gives nobody namespaces");
  else
    g_assert_cmpint(status, ==, 0);
  return status == 0;
}

const char *
guise_make_sockets(uid_t uid)
{
  const char *path = shmvtest_path("sockets");
  g_assert_cmpint(chmod(shmvtest_dir(), 0755), ==, 0);
  g_assert_cmpint(mkdir(path, 0755), ==, 0);
  g_assert_cmpint(chmod(path, 0755), ==, 0);
  if (uid != geteuid())
    g_assert_cmpint(chown(path, uid, (gid_t)uid), ==, 0);
  return path;
}

const char *
guise_make_root(void)
{
  const char *path = shmvtest_path("root");
  g_assert_cmpint(mkdir(path, 0755), ==, 0);
  return path;
}

void
guise_clear(void)
{
  rmdir(shmvtest_path("root"));
  rmdir(shmvtest_path("sockets"));
}
