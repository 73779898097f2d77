/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Guises: other users, and containers
 *
 * Owns how a child of a test becomes another user, or shuts itself into a container:
 * user, pid, mount, IPC, net and UTS namespaces of its own, and a root directory in
 * which there are /proc and the directory of the sockets, and nothing else.
 *
 * One rule: a machine that gives nobody such a thing skips the test; whatever else
 * fails, fails it.
 */

#ifndef GUISE_H
#define GUISE_H

#include <stdbool.h>
#include <sys/types.h>

/* Neither has rights, nor do they know each other. */
#define GUISE_ALICE 65533
#define GUISE_BOB 65532

struct guise_wish {
  uid_t uid;
  gid_t gid;
  bool container;
  const char *root;    /* an empty directory for its root */
  const char *sockets; /* a directory that becomes /share in there */
};

/* For share_start_as. In a container, the child itself only waits for the one that
 * goes on, ends as it ends, and takes it along when it is killed. */
int guise_put_on(void *wish);

/* Whether this machine lets us; otherwise the test is skipped. */
bool guise_can_be_others(void);
bool guise_can_contain(uid_t uid);

/* A directory in the test's for sockets, of that user, which others can read; it is
 * empty and removed at the end by guise_clear. */
const char *guise_make_sockets(uid_t uid);
/* And one for a root. */
const char *guise_make_root(void);
void guise_clear(void);

#endif
