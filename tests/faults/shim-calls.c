/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The calls that fail. Each line has the errnos that Linux gives for the call in the
 * places where the library makes it: not those of wrong arguments, nor of what its
 * kernel does not do. The first is the one that may come many times in a row.
 */

#include "shim-calls.h"

#include <glib.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire.h"

#define PEERPIDFD 77
#define PASSRIGHTS 83

/* ---- Sockets --------------------------------------------------------------- */

FD_CALL(socket, (int family, int type, int protocol),
        (family, type, protocol), EMFILE, ENFILE, ENOBUFS, ENOMEM)
CALL(int, bind, (int fd, const void *address, socklen_t size),
     (fd, address, size), -1, ENOMEM, EADDRINUSE, EACCES, ENOSPC, EROFS, ENOENT)
/* Not ECONNREFUSED nor ENOENT: the kernel does not lie about who lives. */
CALL(int, connect, (int fd, const void *address, socklen_t size),
     (fd, address, size), -1, EINTR, EAGAIN, ENOMEM, EACCES)
CALL(int, listen, (int fd, int backlog), (fd, backlog), -1, ENOMEM)
FD_CALL(accept4, (int fd, void *address, socklen_t *size, int flags),
        (fd, address, size, flags), EMFILE, ENFILE, ENOBUFS, ENOMEM, EINTR,
     EAGAIN, ECONNABORTED)

DECLARE(int, getsockopt, (int fd, int level, int name, void *value,
                          socklen_t *size))
int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
  bool pidfd = name == PEERPIDFD;
  if ((pidfd || name == PASSRIGHTS) && is_old())
    return fail_with(ENOPROTOOPT);
  if (shim_fails(&call_getsockopt,
                 pidfd ? LIST(EMFILE, ENFILE, ENOMEM, ESRCH) : NEVER))
    return -1;
  int result = __real_getsockopt(fd, level, name, value, size);
  if (result == 0 && name == SO_PEERCRED && shim_peer_pid != 0 &&
      shim_inside() != SHIM_NOBODY)
    ((struct ucred *)value)->pid = shim_peer_pid;
  return result;
}

DECLARE(int, setsockopt, (int fd, int level, int name, const void *value,
                          socklen_t size))
int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
  if (name == PASSRIGHTS && is_old())
    return fail_with(ENOPROTOOPT);
  return shim_fails(&call_setsockopt,
                    name == PASSRIGHTS ? LIST(ENOPROTOOPT) : NEVER)
             ? -1
             : __real_setsockopt(fd, level, name, value, size);
}

/* Not EPIPE or ECONNRESET: who is there has not gone. And EAGAIN only where so much
 * can be unread: not for the few words of a reader, nor for a wake, which is sent only
 * to who has read all. */
DECLARE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))
ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
  const uint8_t *bytes = message->msg_iov->iov_base;
  bool full = shim_inside() != SHIM_READER && bytes[4] != SHMV_WAKE;
  return shim_fails(&call_sendmsg,
                    message->msg_controllen > 0
                        ? LIST(ENOBUFS, ENOMEM, EINTR, EAGAIN, ETOOMANYREFS)
                    : full ? LIST(ENOBUFS, ENOMEM, EINTR, EAGAIN)
                           : LIST(ENOBUFS, ENOMEM, EINTR))
             ? -1
             : __real_sendmsg(fd, message, flags);
}

DECLARE(int, shutdown, (int fd, int how))
/* It is done all the same. */
int
__wrap_shutdown(int fd, int how)
{
  int result = __real_shutdown(fd, how);
  return shim_fails(&call_shutdown, LIST(ENOTCONN)) ? -1 : result;
}

/* Who only looks takes nothing, so that nothing is lost on the way. */
DECLARE(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))
static bool
carries_descriptors(int fd)
{
  struct msghdr look = {0}; /* they do not fit in here, and so are only told of */
  return __real_recvmsg(fd, &look, MSG_PEEK | MSG_DONTWAIT) >= 0 &&
         (look.msg_flags & MSG_CTRUNC) != 0;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
  bool takes = message->msg_controllen > 0 && (flags & MSG_PEEK) == 0;
  if (takes && shim_inside() != SHIM_NOBODY)
    g_assert_true((flags & MSG_CMSG_CLOEXEC) != 0);
  bool cut = takes && shim_is_next() && carries_descriptors(fd);
  if (!shim_fails(&call_recvmsg,
                  cut ? LIST(ENOMEM, EAGAIN, EINTR, ENOBUFS, SHIM_CUT)
                      : LIST(ENOMEM, EAGAIN, EINTR, ENOBUFS)))
    return __real_recvmsg(fd, message, flags);
  if (errno != SHIM_CUT)
    return -1;
  message->msg_control = NULL;
  message->msg_controllen = 0;
  return __real_recvmsg(fd, message, flags);
}

CALL(ssize_t, recv, (int fd, void *data, size_t size, int flags),
     (fd, data, size, flags), -1, EINTR, ENOMEM)

/* Its thread has ended before we go on, so that what it does is not left to chance.
 * With no threads for long, what strangers leave stays open (see closing.h). */
DECLARE(int, pthread_create, (void *thread, const void *attributes,
                              void *(*func)(void *data), void *data))
int
__wrap_pthread_create(void *thread, const void *attributes,
                      void *(*func)(void *data), void *data)
{
  call_pthread_create.never_often = true;
  if (shim_fails(&call_pthread_create, LIST(EAGAIN)))
    return EAGAIN;
  if (!shim_clock_runs())
    return __real_pthread_create(thread, attributes, func, data);
  func(data);
  return 0;
}

/* ---- Descriptors ------------------------------------------------------------- */

FD_CALL(epoll_create1, (int flags),
        (flags), EMFILE, ENFILE, ENOMEM)
CALL(int, epoll_wait, (int fd, void *events, int n, int timeout),
     (fd, events, n, timeout), -1, EINTR)
FD_CALL(eventfd, (unsigned value, int flags),
        (value, flags), EMFILE,
     ENFILE, ENOMEM)
/* The elements read these only when they are rung. */
DECLARE(int, eventfd_read, (int fd, void *value))
int
__wrap_eventfd_read(int fd, void *value)
{
  return shim_fails(&call_eventfd_read,
                    shim_inside() != SHIM_ALL ? LIST(EAGAIN) : NEVER)
             ? -1
             : __real_eventfd_read(fd, value);
}

FD_CALL(timerfd_create, (int clock, int flags),
        (clock, flags), EMFILE,
     ENFILE, ENOMEM)
CALL(int, poll, (void *fds, unsigned long n, int timeout), (fds, n, timeout),
     -1, EINTR)

/* Adding makes something, changing and removing do not. */
DECLARE(int, epoll_ctl, (int poll, int operation, int fd, void *event))
int
__wrap_epoll_ctl(int poll, int operation, int fd, void *event)
{
  return shim_fails(&call_epoll_ctl, operation == EPOLL_CTL_ADD
                                         ? LIST(ENOMEM, ENOSPC)
                                         : NEVER)
             ? -1
             : __real_epoll_ctl(poll, operation, fd, event);
}

CALL(int, inotify_rm_watch, (int fd, int watch), (fd, watch), -1, EINVAL)

DECLARE(ssize_t, read, (int fd, void *data, size_t size))
ssize_t
__wrap_read(int fd, void *data, size_t size)
{
  if (shim_fails(&call_read,
                 shim_inside() != SHIM_ALL ? LIST(EAGAIN, EINTR) : LIST(EINTR)))
    return -1;
  ssize_t n = __real_read(fd, data, size);
  if (n > 0 && shim_clock_runs())
    shim_clock_expired(fd);
  return n;
}

/* The descriptor is gone, whatever it says. */
DECLARE(int, close, (int fd))
int
__wrap_close(int fd)
{
  int result = __real_close(fd);
  if (shim_clock_runs())
    shim_clock_forget(fd);
  shim_inotify_closed(fd);
  return shim_fails(&call_close, LIST(EINTR, EIO)) ? -1 : result;
}

DECLARE(long, syscall, (long number, ...))
long
__wrap_syscall(long number, ...)
{
  va_list args;
  va_start(args, number);
  long a = va_arg(args, long), b = va_arg(args, long);
  va_end(args);
  return shim_fails(&call_syscall, number == SYS_pidfd_open
                                       ? LIST(EMFILE, ENFILE, ENOMEM, ESRCH, ENOSYS)
                                       : NEVER)
             ? -1
             : __real_syscall(number, a, b);
}

/* ---- All of them ------------------------------------------------------------- */

struct shim_call *const shim_calls[] = {
    &call_socket, &call_bind, &call_connect, &call_listen, &call_accept4,
    &call_getsockopt, &call_setsockopt, &call_sendmsg, &call_shutdown,
    &call_recvmsg, &call_recv, &call_pthread_create, &call_epoll_create1, &call_epoll_wait, &call_eventfd,
    &call_eventfd_read, &call_timerfd_create, &call_poll, &call_epoll_ctl,
    &call_inotify_rm_watch, &call_read, &call_close, &call_syscall, NULL};
