/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Closing what strangers had in hand
 *
 * Owns the end of connections, and of descriptors that came through them. Whoever
 * closes the last descriptor of a file waits for as long as that file wants: a TCP
 * connection with SO_LINGER for any time that its maker chose. And who closes a
 * socket closes what lies in it unread.
 *
 * One rule: the caller never waits. What may wait is closed by a thread that does
 * nothing else. An honest peer never brings that about.
 */

#ifndef SHMV_CLOSING_H
#define SHMV_CLOSING_H

#include <stdbool.h>

/* Linux 6.16; younger than the headers of Debian 12. */
#ifndef SO_PASSRIGHTS
#if defined(__hppa__)
#define SO_PASSRIGHTS 0x4051
#elif defined(__sparc__)
#define SO_PASSRIGHTS 0x005c
#else
#define SO_PASSRIGHTS 83
#endif
#endif

/* Close a descriptor that somebody sent. */
void shmv_close_received(int fd);

/* End a connection for all who have it, and close it. False: somebody put descriptors
 * into it, and so many such are being closed already that it must wait: it is over
 * but not closed; call again. */
bool shmv_close_connection(int fd);

/* Whether the next message in a socket carries descriptors: 1, 0, or as recvmsg fails.
 * It stays there: to read it without taking them would close them, here and now. */
int shmv_carries_descriptors(int fd);

#endif
