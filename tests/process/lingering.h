/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Descriptors that are awkward to have
 *
 * Owns one whose closing blocks, and how to put descriptors into a socket where none
 * are wanted.
 */

#ifndef LINGERING_H
#define LINGERING_H

/* A TCP connection with words under way and SO_LINGER: who closes the last descriptor
 * of it waits a minute, or until *other, where nobody reads, is closed. Both yours. */
int lingering_new(int *other);

/* Send a message of size bytes, of no meaning, with so many times this descriptor (253
 * at most); quietly not if it does not go. And the same with a meaning. */
void lingering_send(int socket, unsigned size, int fd, unsigned n);
void lingering_send_bytes(int socket, const void *bytes, unsigned size, int fd,
                          unsigned n);

/* Have the one socket of this process that listens for readers let descriptors through,
 * as all do before Linux 6.16. */
void lingering_let_through(void);

#endif
