/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sockets
 *
 * Owns the rendezvous: who may listen at a path (listener.c), who is on the other
 * side, and how one message with its descriptors goes out and comes in (socket.c).
 * One rule: at any instant at most one living writer listens at a path, and what
 * is not a socket that everybody left is never removed. Nothing here ever blocks
 * except the bounded waits for the directory's lock: at most 2 s in
 * shmv_listener_open, 250 ms in shmv_listener_close.
 */

#ifndef SHMV_SOCKET_H
#define SHMV_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "path.h"

/* A claimed path, listening. */
struct shmv_listener {
  int fd;      /* SOCK_SEQPACKET, non-blocking, close-on-exec; poll it for input */
  int directory_fd;
  struct shmv_path path;
  dev_t device; /* the socket file as we made it: unlink only that */
  ino_t inode;
  pid_t owner; /* a forked child that closes must leave the path alone */
};

/* Claim a path and listen with the given mode (0600 say). On failure nothing is
 * left behind. Errors as shmvideo_writer_new. */
int shmv_listener_open(struct shmv_listener *listener,
                       const struct shmv_path *path, mode_t perms,
                       struct shmvideo_error *error);

/* Stop listening; remove the socket file if it is still the one we made (and the
 * directory's lock can be had: else it stays, stale and harmless). */
void shmv_listener_close(struct shmv_listener *listener);

/* Next waiting connection: 0 and a non-blocking close-on-exec descriptor (never
 * one that accepts SCM_RIGHTS where the kernel can refuse them), or -EAGAIN, or
 * -EMFILE, -ENFILE, -ENOMEM (then the connection waits on). */
int shmv_listener_accept(struct shmv_listener *listener, int *out_fd);

/* Connect without waiting. 0; -ENOENT, -ECONNREFUSED, -EAGAIN (try again later);
 * -ENOTSOCK, -EPROTOTYPE, -EACCES, ... (hopeless until a person acts). */
int shmv_socket_connect(const struct shmv_path *path, int *out_fd,
                        struct shmvideo_error *error);

/* Who is on the other side, and a descriptor readable when that process is gone
 * (pidfd, close-on-exec, @yours; -1 if the kernel cannot tell). */
struct shmv_peer_id {
  pid_t pid; /* 0: in a foreign pid namespace */
  uid_t uid;
  int pidfd;
};
/* 0, or -EMFILE, -ENFILE, -ENOMEM. */
int shmv_socket_peer(int fd, struct shmv_peer_id *out);

/* Descriptors in one message at most. */
#define SHMV_MAX_FDS 8

/* Send one message, descriptors still ours. 0, -EAGAIN, -EPIPE, ... */
int shmv_socket_send(int fd, const void *message, size_t size, const int *fds,
                     unsigned n_fds);

/* Receive one message. fds may be NULL (max_fds 0): then a message that carries
 * descriptors is -EBADMSG, stays where it is, and is the last. Received descriptors are close-on-exec and @yours;
 * more than max_fds of them: all closed, -EBADMSG. Fewer than were sent, because
 * our process may have no more: all closed, -EMFILE. A message longer than size:
 * all closed, -EMSGSIZE. End of stream and zero-length messages: *out_size = 0 (telling them
 * apart is for poll's POLLHUP). Returns 0, -EAGAIN, -ECONNRESET, ... */
int shmv_socket_recv(int fd, void *message, size_t size, size_t *out_size,
                     int *fds, unsigned max_fds, unsigned *out_n_fds);

#endif
