/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Attacks on writers: readers that speak the protocol by hand, and break off, lie
 * or flood where it hurts; and calls of the writer's own threads at the worst
 * instants.
 */

#include "assault.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "testpoint.h"

/* ---- What a fork keeps open ----------------------------------------------- */

static int
keep_descriptors(int in, int out, void *user)
{
  char byte;
  close(*(int *)user);
  (void)!write(out, "+", 1);
  return read(in, &byte, 1) < 0;
}

/* A child of the writer's process keeps the files of all connections: what is
 * closed and freed must not be heard of any more. */
static void
fork_of_the_writer(void)
{
  struct shmvideo_writer *writer = assault_writer("fork", NULL);
  struct raw_reader reader;
  char byte;

  raw_reader_join(&reader, writer, "fork", SHMVIDEO_LATEST, 4, 2);
  struct shmvtest_child *child = shmvtest_fork(keep_descriptors, &reader.fd);
  g_assert_cmpint(shmvtest_poll(child->out, POLLIN, shmvtest_deadline()), !=, 0);
  g_assert_cmpint(read(child->out, &byte, 1), ==, 1);
  raw_reader_leave(&reader);
  assault_settle(writer);
  g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 0);
  shmvideo_writer_free(writer);
  shmvtest_child_free(child);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/attack/fork-of-the-writer", fork_of_the_writer);
  return shmvtest_run();
}
