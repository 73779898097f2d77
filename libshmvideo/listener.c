/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Claiming a path
 *
 * Owns the order of steps by which a writer comes to listen at a path:
 *
 *   lock the directory -> look what is at the path -> nobody lives there ->
 *   bind a temporary name -> set its mode -> listen -> rename to the path ->
 *   unlock
 *
 * One rule: whoever looks also acts before anybody else may look (the lock), and
 * the path never shows a socket that would refuse (listen comes before rename).
 * Invariant: a temporary name exists only under the lock, so one that is found
 * under the lock, with nobody listening, belongs to a process that died.
 */

#include "os.h"

#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "closing.h"
#include "directory.h"
#include "testpoint.h"

#define OPEN_LOCK_MS 2000
#define CLOSE_LOCK_MS 250

/* One claim under way. */
struct claim {
  const struct shmv_path *path;
  struct shmvideo_error *error;
  int directory_fd;
  int fd;            /* our socket */
  struct stat own;   /* the file we made; st_mode 0: none yet */
  struct stat stale; /* what is to be replaced; st_mode 0: nothing */
  char temporary[SHMV_TEMPORARY_SIZE]; /* our file's name until the rename */
};

static int
fail(const struct claim *claim, int code, const char *step)
{
  return shmv_error_set(claim->error, code, 0, NULL,
                        "Cannot listen at %s: %s: %s", claim->path->text, step,
                        strerrordesc_np(-code));
}

/* Whether a name is still that very socket: 1, 0, or -errno if that is not known. */
static int
is_socket(int directory_fd, const char *name, dev_t device, ino_t inode)
{
  struct stat info;
  if (fstatat(directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : -errno;
  return S_ISSOCK(info.st_mode) && info.st_dev == device &&
         info.st_ino == inode;
}

static int
lock_for_claim(const struct claim *claim)
{
  int result = shmv_directory_lock(claim->directory_fd, OPEN_LOCK_MS);
  if (result == -EBUSY)
    return shmv_error_set(claim->error, -EBUSY, 0,
                          "See who holds it with lslocks, or choose a path in "
                          "another directory.",
                          "Cannot listen at %s: another process keeps directory "
                          "%s locked", claim->path->text,
                          claim->path->directory);
  if (result < 0)
    return fail(claim, result, "locking its directory");
  return 0;
}

/* ---- Who lives there ----------------------------------------------------- */

static int
refuse_living(const struct claim *claim, int pid)
{
  const char *at = claim->path->text;
  if (pid <= 0)
    return shmv_error_set(claim->error, -EADDRINUSE, 0,
                          "End that program, or choose another path.",
                          "Cannot listen at %s: another program already does, in "
                          "a container perhaps", at);
  if (pid == getpid())
    return shmv_error_set(claim->error, -EADDRINUSE, pid,
                          "Choose another path.",
                          "Cannot listen at %s: this program already does", at);
  if (kill(pid, 0) < 0 && errno == ESRCH)
    return shmv_error_set(claim->error, -EADDRINUSE, pid,
                          "End the programs that process started, or choose "
                          "another path.",
                          "Cannot listen at %s: process %d did, and ended, but a "
                          "process that it forked keeps the socket", at, pid);
  return shmv_error_set(claim->error, -EADDRINUSE, pid,
                        "End that process, or choose another path.",
                        "Cannot listen at %s: process %d already does", at, pid);
}

static int
explain_probe(const struct claim *claim, int code, const struct stat *info)
{
  const char *at = claim->path->text;
  switch (code) {
  case -EAGAIN:
    return shmv_error_set(claim->error, -EADDRINUSE, 0,
                          "End that program, or choose another path.",
                          "Cannot listen at %s: another program already does, and "
                          "does not answer: too many wait there already", at);
  case -EPROTOTYPE:
    return shmv_error_set(claim->error, code, 0,
                          "End that program, or choose another path.",
                          "Cannot listen at %s: it is in use by another kind of "
                          "socket", at);
  case -EACCES:
  case -EPERM:
    return shmv_error_set(claim->error, code, 0,
                          "Have its owner remove it, or choose another path.",
                          "Cannot listen at %s: the socket there belongs to user "
                          "%u (mode %04o), and whether it is in use may not be "
                          "asked", at, (unsigned)info->st_uid,
                          (unsigned)(info->st_mode & 07777));
  default:
    return fail(claim, code, "looking who is there");
  }
}

/* Under the lock. 0: the path is free, or what is there (claim->stale) may go. */
static int
look(struct claim *claim)
{
  struct stat info;
  if (fstatat(claim->directory_fd, claim->path->name, &info,
              AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? 0 : fail(claim, -errno, "looking what is there");
  if (!S_ISSOCK(info.st_mode))
    return shmv_error_set(claim->error, -EEXIST, 0,
                          "Move it away, or choose another path.",
                          "Cannot listen at %s: %s is there, and is left alone",
                          claim->path->text, shmv_path_kind(info.st_mode));
  int pid;
  int result = shmv_directory_probe(claim->directory_fd, claim->path,
                                    claim->path->name, &pid);
  if (result == 0)
    return refuse_living(claim, pid);
  if (result == -ECONNREFUSED)
    claim->stale = info;
  else if (result != -ENOENT)
    return explain_probe(claim, result, &info);
  return 0;
}

/* ---- Our own socket ------------------------------------------------------ */

static int
bind_temporary(struct claim *claim)
{
  for (int tries = 0;; tries++) {
    shmv_directory_temporary_name(claim->temporary);
    struct sockaddr_un address;
    int code = shmv_directory_address(claim->directory_fd, claim->path,
                                      claim->temporary, &address);
    if (code < 0)
      return shmv_error_set(claim->error, code, 0,
                            "Mount /proc, or choose a shorter path.",
                            "Cannot listen at %s: a path this long needs /proc",
                            claim->path->text);
    if (bind(claim->fd, (struct sockaddr *)&address, sizeof address) == 0)
      break;
    code = -errno;
    if (code != -EADDRINUSE || tries == 8)
      return shmv_error_set(claim->error, code, 0,
                            "Choose a directory that you may write to.",
                            "Cannot listen at %s: making a socket in %s: %s",
                            claim->path->text, claim->path->directory,
                            strerrordesc_np(-code));
  }
  if (fstatat(claim->directory_fd, claim->temporary, &claim->own,
              AT_SYMLINK_NOFOLLOW) == 0)
    return 0;
  int code = -errno;
  claim->own.st_mode = 0;
  unlinkat(claim->directory_fd, claim->temporary, 0); /* bound just now: ours */
  return fail(claim, code, "looking at our own socket");
}

/* The mode that the path will have from its first instant, whatever the umask. */
static int
set_mode(const struct claim *claim, mode_t perms)
{
  int fd = claim->directory_fd;
  const char *name = claim->temporary;
  /* Not following links needs /proc in some versions of the C library. */
  if (fchmodat(fd, name, perms, AT_SYMLINK_NOFOLLOW) < 0 &&
      (errno != EOPNOTSUPP || fchmodat(fd, name, perms, 0) < 0))
    return fail(claim, -errno, "setting its mode");
  return 0;
}

static int
make_socket(struct claim *claim, mode_t perms)
{
  claim->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (claim->fd < 0)
    return fail(claim, shmv_error_of_call(), "making a socket");
  /* A descriptor whose close blocks would stop whoever receives it, so senders
   * are refused. Set before listen: connections inherit it. Older kernels do not
   * know it. */
  int off = 0;
  setsockopt(claim->fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
  /* Never more open than asked, not even before set_mode. */
  fchmod(claim->fd, perms);
  int result = bind_temporary(claim);
  if (result < 0)
    return result;
  SHMV_TEST_POINT("bound");
  result = set_mode(claim, perms);
  if (result < 0)
    return result;
  if (listen(claim->fd, SOMAXCONN) < 0)
    return fail(claim, -errno, "listening");
  SHMV_TEST_POINT("listening");
  return 0;
}

/* ---- Taking the path ----------------------------------------------------- */

/* Rename as flags say, or plainly on a file system that does not know them. */
static int
rename_to(const struct claim *claim, unsigned flags, bool *out_plain)
{
  int fd = claim->directory_fd;
  const char *name = claim->path->name;
  *out_plain = false;
  if (renameat2(fd, claim->temporary, fd, name, flags) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return -errno;
  *out_plain = true;
  return renameat(fd, claim->temporary, fd, name) < 0 ? -errno : 0;
}

/* Put ourselves in the place of a stale socket, and of nothing else: programs that
 * know nothing of the lock may have put a file there since we looked. */
static int
replace_stale(struct claim *claim)
{
  bool plain;
  int result = rename_to(claim, RENAME_EXCHANGE, &plain);
  SHMV_TEST_POINT("exchanged");
  if (result < 0 || plain)
    return result;
  result = is_socket(claim->directory_fd, claim->temporary,
                     claim->stale.st_dev, claim->stale.st_ino);
  if (result == 1) {
    unlinkat(claim->directory_fd, claim->temporary, 0);
    return 0;
  }
  if (rename_to(claim, RENAME_EXCHANGE, &plain) < 0)
    claim->own.st_mode = 0; /* our name has a file of theirs: it stays */
  return result < 0 ? result : -EEXIST;
}

static int
take_path(struct claim *claim)
{
  bool plain;
  bool stale = claim->stale.st_mode != 0;
  int result = stale ? replace_stale(claim) : -ENOENT;
  if (result == -ENOENT)
    result = rename_to(claim, RENAME_NOREPLACE, &plain);
  if (result == 0)
    return 0;
  const char *at = claim->path->text;
  if (result == -EEXIST)
    return shmv_error_set(claim->error, -EEXIST, 0,
                          "Look what is there, and try again.",
                          "Cannot listen at %s: another program put something "
                          "there just now", at);
  if (result == -EPERM && stale)
    return shmv_error_set(claim->error, -EPERM, 0,
                          "Have its owner remove it, or choose another path.",
                          "Cannot listen at %s: nobody uses the socket there, but "
                          "it belongs to user %u, and only owners may remove "
                          "files in its directory", at,
                          (unsigned)claim->stale.st_uid);
  return fail(claim, result, "putting the socket in place");
}

static int
claim_locked(struct claim *claim, mode_t perms)
{
  int result = look(claim);
  if (result < 0)
    return result;
  SHMV_TEST_POINT("looked");
  shmv_directory_sweep(claim->directory_fd, claim->path);
  result = make_socket(claim, perms);
  if (result == 0)
    result = take_path(claim);
  SHMV_TEST_POINT("taken");
  if (result < 0 && claim->own.st_mode != 0 &&
      is_socket(claim->directory_fd, claim->temporary, claim->own.st_dev,
                claim->own.st_ino) != 0)
    unlinkat(claim->directory_fd, claim->temporary, 0);
  return result;
}

int
shmv_listener_open(struct shmv_listener *listener, const struct shmv_path *path,
                   mode_t perms, struct shmvideo_error *error)
{
  struct claim claim = {
      .path = path, .error = error, .directory_fd = -1, .fd = -1};
  int result = shmv_directory_open(path, &claim.directory_fd, error);
  if (result == 0)
    result = lock_for_claim(&claim);
  if (result == 0) {
    SHMV_TEST_POINT("locked");
    result = claim_locked(&claim, perms);
    shmv_directory_unlock(claim.directory_fd);
    SHMV_TEST_POINT("unlocked");
  }
  if (result < 0) {
    if (claim.fd >= 0)
      close(claim.fd);
    if (claim.directory_fd >= 0)
      close(claim.directory_fd);
    return result;
  }
  *listener = (struct shmv_listener){.fd = claim.fd,
                                     .directory_fd = claim.directory_fd,
                                     .path = *path,
                                     .device = claim.own.st_dev,
                                     .inode = claim.own.st_ino,
                                     .owner = getpid()};
  return 0;
}

/* ---- Afterwards ---------------------------------------------------------- */

int
shmv_listener_accept(struct shmv_listener *listener, int *out_fd)
{
  int fd;
  do
    fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0)
    return shmv_error_of_call();
  *out_fd = fd;
  return 0;
}

/* Closing would close those who wait to be let in, with all that they sent. */
static void
turn_away(const struct shmv_listener *listener)
{
  int fd;
  shutdown(listener->fd, SHUT_RDWR); /* no more of them */
  while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
    (void)shmv_close_connection(fd); /* or it stays open, as nothing else helps */
}

void
shmv_listener_close(struct shmv_listener *listener)
{
  if (listener->fd < 0)
    return;
  /* The file must go before the descriptor: while we have that, its inode's number
   * cannot be given to another file, and so the comparison is exact. */
  if (getpid() == listener->owner &&
      shmv_directory_lock(listener->directory_fd, CLOSE_LOCK_MS) == 0) {
    SHMV_TEST_POINT("close-locked");
    if (is_socket(listener->directory_fd, listener->path.name,
                  listener->device, listener->inode) == 1)
      unlinkat(listener->directory_fd, listener->path.name, 0);
    shmv_directory_unlock(listener->directory_fd);
  }
  if (getpid() == listener->owner)
    turn_away(listener);
  close(listener->fd);
  close(listener->directory_fd);
  listener->fd = -1;
  listener->directory_fd = -1;
}
