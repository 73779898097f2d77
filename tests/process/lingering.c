/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "lingering.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

#define MINUTE 60
#define MOST 253

int
lingering_new(int *other)
{
  static const char words[65536];
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  struct linger linger = {.l_onoff = 1, .l_linger = MINUTE};
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int small = 4096; /* or a hundred of them would have all memory for sockets */
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
  g_assert_cmpint(listen(listener, 1), ==, 0);
  g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==,
                  0);
  g_assert_cmpint(connect(fd, (struct sockaddr *)&address, size), ==, 0);
  *other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint(*other, >=, 0);
  g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
                  ==, 0);
  while (send(fd, words, sizeof words, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
    ;
  close(listener);
  return fd;
}

void
lingering_send(int socket, unsigned size, int fd, unsigned n)
{
  static const char bytes[65536];
  lingering_send_bytes(socket, bytes, size, fd, n);
}

void
lingering_send_bytes(int socket, const void *bytes, unsigned size, int fd,
                     unsigned n)
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(MOST * sizeof(int))];
  } control = {0};
  struct iovec iovec = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &iovec,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = CMSG_SPACE(n * sizeof(int))};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
  for (unsigned i = 0; i < n; i++)
    memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fd, sizeof(int));
  (void)!sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
lingering_let_through(void)
{
  int through = 1, found = 0;
  for (int fd = 3; fd < 1024; fd++) {
    struct sockaddr_un address = {0};
    socklen_t size = sizeof address, size_of_listens = sizeof(int);
    int listens = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size_of_listens) <
            0 || listens == 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
        strstr(address.sun_path, "/.shmv-") == NULL) /* bound before renamed */
      continue;
    found++;
    g_assert_true(setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &through,
                             sizeof through) == 0 || errno == ENOPROTOOPT);
  }
  g_assert_cmpint(found, ==, 1);
}
