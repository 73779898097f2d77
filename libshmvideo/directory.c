/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "closing.h"

int
shmv_directory_open(const struct shmv_path *path, int *out_fd,
                    struct shmvideo_error *error)
{
  *out_fd = open(path->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*out_fd >= 0)
    return 0;
  int code = -errno;
  const char *advice = "Check the path.";
  if (code == -ENOENT)
    advice = "Make the directory first.";
  else if (code == -EACCES)
    advice = "Choose a directory that you may read and write.";
  return shmv_error_set(error, code, 0, advice,
                        "Cannot listen at %s: directory %s: %s", path->text,
                        path->directory, strerrordesc_np(-code));
}

/* ---- The lock ------------------------------------------------------------ */

static long
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A lock cannot be polled for. Anyone who may read the directory can hold it, so
 * the wait has an end; a claim in progress takes well under a millisecond. */
int
shmv_directory_lock(int fd, int limit_ms)
{
  long start = now_ms();
  for (long pause_ms = 1;; pause_ms = pause_ms < 8 ? pause_ms * 2 : 8) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
      return 0;
    if (errno != EWOULDBLOCK && errno != EINTR)
      return -errno;
    if (now_ms() - start >= limit_ms)
      return -EBUSY;
    struct timespec pause = {.tv_nsec = pause_ms * 1000000};
    nanosleep(&pause, NULL);
  }
}

void
shmv_directory_unlock(int fd)
{
  flock(fd, LOCK_UN);
}

/* ---- Who listens --------------------------------------------------------- */

/* Through /proc a name fits that would be too long behind its directory's path.
 * Without /proc the plain path must do. */
int
shmv_directory_address(int fd, const struct shmv_path *path, const char *name,
                       struct sockaddr_un *out_address)
{
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  *out_address = (struct sockaddr_un){.sun_family = AF_UNIX};
  size_t size = sizeof out_address->sun_path;
  int n = snprintf(out_address->sun_path, size, "%s/%s", link, name);
  if ((size_t)n < size && access(link, F_OK) == 0)
    return 0;
  n = snprintf(out_address->sun_path, size, "%s/%s", path->directory, name);
  return (size_t)n < size ? 0 : -ENAMETOOLONG;
}

int
shmv_directory_probe(int fd, const struct shmv_path *path, const char *name,
                     int *out_pid)
{
  struct sockaddr_un address;
  *out_pid = 0;
  int result = shmv_directory_address(fd, path, name, &address);
  if (result < 0)
    return result;
  int probe =
      socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0)
    return shmv_error_of_call();
  do
    result = connect(probe, (struct sockaddr *)&address, sizeof address);
  while (result < 0 && errno == EINTR);
  result = result < 0 ? shmv_error_of_call() : 0;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (result == 0 && getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer,
                                &size) == 0)
    *out_pid = peer.pid;
  if (!shmv_close_connection(probe))
    close(probe);
  return result;
}

/* ---- Temporary names ----------------------------------------------------- */

#define PREFIX ".shmv-"

/* The pid is for people who find one; random, so that nobody can have the name
 * before us. */
void
shmv_directory_temporary_name(char name[SHMV_TEMPORARY_SIZE])
{
  uint32_t random = (uint32_t)now_ms();
  ssize_t n = getrandom(&random, sizeof random, GRND_NONBLOCK);
  (void)n; /* early at boot the clock must do */
  snprintf(name, SHMV_TEMPORARY_SIZE, PREFIX "%d-%08x", (int)getpid(), random);
}

static bool
is_temporary(const char *name)
{
  if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
    return false;
  name += strlen(PREFIX);
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || name[digits] != '-')
    return false;
  name += digits + 1;
  return strlen(name) == 8 && strspn(name, "0123456789abcdef") == 8;
}

/* Whether its maker lives is asked of the socket, not of the pid in the name: that
 * may be another process by now, or be of another pid namespace. */
void
shmv_directory_sweep(int fd, const struct shmv_path *path)
{
  /* Reading moves the position of a description, so use one of our own. */
  int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = own >= 0 ? fdopendir(own) : NULL;
  if (directory == NULL) {
    if (own >= 0)
      close(own);
    return;
  }
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    struct stat info;
    int pid;
    if (is_temporary(entry->d_name) &&
        fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISSOCK(info.st_mode) &&
        shmv_directory_probe(fd, path, entry->d_name, &pid) == -ECONNREFUSED)
      unlinkat(fd, entry->d_name, 0);
  }
  closedir(directory);
}
