/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "closing.h"
#include "error.h"

/* Linux 6.5; younger than the headers of Debian 12. */
#ifndef SO_PEERPIDFD
#if defined(__hppa__)
#define SO_PEERPIDFD 0x404b
#elif defined(__sparc__)
#define SO_PEERPIDFD 0x0056
#else
#define SO_PEERPIDFD 77
#endif
#endif

/* ---- Connecting ---------------------------------------------------------- */

#define START_WRITER "Start the writer, or check the path."

/* The kernel says "refused" for a file of any kind with nobody behind it, and
 * "Not permitted" for everything that we may not write to. */
static int
explain_connect(const struct shmv_path *path, int code,
                struct shmvideo_error *error)
{
  struct stat info;
  bool found = stat(path->text, &info) == 0;
  const char *at = path->text;
  if (found && !S_ISSOCK(info.st_mode) &&
      (code == -ECONNREFUSED || code == -EACCES))
    return shmv_error_set(error, -ENOTSOCK, 0, "Check the path.",
                          "Cannot connect to %s: it is %s, not a socket", at,
                          shmv_path_kind(info.st_mode));
  switch (code) {
  case -ENOENT:
    if (access(path->directory, F_OK) < 0 && errno == ENOENT)
      return shmv_error_set(error, code, 0, START_WRITER,
                            "Nothing is at %s yet: there is no directory %s", at,
                            path->directory);
    return shmv_error_set(error, code, 0, START_WRITER,
                          "Nothing is at %s yet", at);
  case -ECONNREFUSED:
    return shmv_error_set(error, code, 0, START_WRITER,
                          "The writer that made %s is gone", at);
  case -EAGAIN:
    return shmv_error_set(error, code, 0, "See whether the writer hangs.",
                          "The writer at %s does not answer: too many wait there "
                          "already", at);
  case -EPROTOTYPE:
    return shmv_error_set(error, code, 0, "Check the path.",
                          "The socket at %s is of another kind: the program "
                          "behind it does not speak this protocol", at);
  case -EACCES:
    if (found)
      return shmv_error_set(error, code, 0,
                            "Run as that user, or have the writer open it to "
                            "others by its perms.",
                            "Not permitted to connect to %s: it belongs to user "
                            "%u and has mode %04o", at, (unsigned)info.st_uid,
                            (unsigned)(info.st_mode & 07777));
    return shmv_error_set(error, code, 0,
                          "Check the permissions of the directories in the path.",
                          "Not permitted to reach %s", at);
  default:
    return shmv_error_set(error, code, 0, "Check the path.",
                          "Cannot connect to %s: %s", at,
                          strerrordesc_np(-code));
  }
}

int
shmv_socket_connect(const struct shmv_path *path, int *out_fd,
                    struct shmvideo_error *error)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, path->text, strlen(path->text) + 1);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    int code = shmv_error_of_call();
    return shmv_error_set(error, code, 0, NULL,
                          "Cannot make a socket to connect to %s: %s",
                          path->text, strerrordesc_np(-code));
  }
  int result;
  do
    result = connect(fd, (struct sockaddr *)&address, sizeof address);
  while (result < 0 && errno == EINTR);
  if (result < 0) {
    int code = shmv_error_of_call();
    close(fd);
    return explain_connect(path, code, error);
  }
  *out_fd = fd;
  return 0;
}

/* ---- The other side ------------------------------------------------------ */

int
shmv_socket_peer(int fd, struct shmv_peer_id *out)
{
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
    return -errno;
  out->pid = credentials.pid > 0 ? credentials.pid : 0;
  out->uid = credentials.uid;
  out->pidfd = -1;
  if (out->pid == 0)
    return 0;
  size = sizeof out->pidfd;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &out->pidfd, &size) == 0)
    return 0;
  out->pidfd = -1;
  /* Only an older kernel is a reason to go by the number, which may have been
   * given to another process since. */
  if (errno == ENOPROTOOPT)
    out->pidfd = (int)syscall(SYS_pidfd_open, out->pid, 0);
  bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  return out->pidfd < 0 && exhausted ? -errno : 0;
}

/* ---- Messages ------------------------------------------------------------ */

/* Room for the descriptors of one message, as many as the kernel allows: those for
 * which there is no room it would close itself, and that may take any time. */
#define MOST_FDS 253

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
};

int
shmv_socket_send(int fd, const void *message, size_t size, const int *fds,
                 unsigned n_fds)
{
  union control control;
  struct iovec iovec = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
  struct msghdr header = {.msg_iov = &iovec, .msg_iovlen = 1};
  if (n_fds > SHMV_MAX_FDS)
    return -EINVAL;
  if (n_fds > 0) {
    memset(&control, 0, CMSG_SPACE(SHMV_MAX_FDS * sizeof(int)));
    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
  }
  ssize_t n;
  do
    n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return shmv_error_of_call();
  return (size_t)n == size ? 0 : -EMSGSIZE;
}

/* All descriptors that came, wherever in the control data; no more than fit. */
static unsigned
take_descriptors(struct msghdr *header, int *fds)
{
  unsigned n = 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
       part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
      continue;
    size_t bytes = part->cmsg_len - CMSG_LEN(0);
    memcpy(fds + n, CMSG_DATA(part), bytes);
    n += (unsigned)(bytes / sizeof(int));
  }
  return n;
}

static int
close_all(const int *fds, unsigned n, int code)
{
  for (unsigned i = 0; i < n; i++)
    shmv_close_received(fds[i]);
  return code;
}

int
shmv_socket_recv(int fd, void *message, size_t size, size_t *out_size, int *fds,
                 unsigned max_fds, unsigned *out_n_fds)
{
  union control control;
  int received[sizeof control / sizeof(int)];
  struct iovec iovec = {.iov_base = message, .iov_len = size};
  struct msghdr header = {.msg_iov = &iovec, .msg_iovlen = 1};
  *out_size = 0;
  if (out_n_fds != NULL)
    *out_n_fds = 0;
  if (max_fds > SHMV_MAX_FDS)
    return -EINVAL;
  if (max_fds > 0) {
    header.msg_control = &control;
    header.msg_controllen = sizeof control;
  } else {
    int code = shmv_carries_descriptors(fd);
    if (code != 0)
      return code < 0 ? code : -EBADMSG;
  }
  ssize_t n;
  do
    n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return shmv_error_of_call();
  unsigned n_received = take_descriptors(&header, received);
  if (n_received > max_fds)
    return close_all(received, n_received, -EBADMSG);
  /* The kernel gives fewer than were sent only when it cannot install them here. */
  if (header.msg_flags & MSG_CTRUNC)
    return close_all(received, n_received, -EMFILE);
  if (header.msg_flags & MSG_TRUNC)
    return close_all(received, n_received, -EMSGSIZE);
  if (n_received > 0)
    memcpy(fds, received, n_received * sizeof(int));
  if (out_n_fds != NULL)
    *out_n_fds = n_received;
  *out_size = (size_t)n;
  return 0;
}
