/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Attacks by coming and going: silence, crowds, and all that is torn off half way. */

#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Staying ----------------------------------------------------------------------- */

/* As many as our own limit of descriptors allows, beside the writer's. */
static guint
how_many(guint wanted)
{
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur > wanted + 600 ? wanted : 200;
}

/* At once means: without waiting for any of them to be let in. */
static void
crowd(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = hostile_hello(bytes, false);
  guint n = how_many(attacker->attack->n);
  for (guint i = 0; i < n; i++) {
    int fd = hostile_connect(attacker);
    if (fd >= 0 && attacker->attack->header.type == SHMV_HELLO)
      hostile_send(fd, bytes, size);
  }
}

/* ---- Coming and going ---------------------------------------------------------------- */

static int
connect_for_a_moment(struct attacker *attacker)
{
  int fd = hostile_connect(attacker);
  if (fd >= 0)
    g_array_set_size(attacker->fds, attacker->fds->len - 1);
  return fd;
}

static void
come_and_go(struct attacker *attacker)
{
  int fd = connect_for_a_moment(attacker);
  if (fd >= 0)
    close(fd);
}

static void
greet_and_go(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = hostile_hello(bytes, attacker->attack->n > 0);
  int fd = connect_for_a_moment(attacker);
  if (fd < 0)
    return;
  hostile_send(fd, bytes, size);
  close(fd);
}

/* Goes when it has been answered: with its page under way, say. */
static void
be_let_in_and_go(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = hostile_hello(bytes, false);
  int fd = connect_for_a_moment(attacker);
  if (fd < 0)
    return;
  hostile_send(fd, bytes, size);
  shmvtest_poll(fd, POLLIN, shmvtest_deadline());
  close(fd);
}

static void
join_and_go(struct attacker *attacker)
{
  struct raw_reader reader;
  raw_reader_join(&reader, NULL, attacker->name, SHMVIDEO_LATEST, 4, 2);
  shmv_store(&reader.page->hold[0], shmv_hold_word(reader.generation, 0));
  raw_reader_leave(&reader);
}

/* ---- Heirs --------------------------------------------------------------------------- */

/* A child comes, has a child that keeps the socket, and dies. Only calls that are safe
 * after a fork in a program with threads. */
static void
leave_it_to_a_child(struct attacker *attacker)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = hostile_hello(bytes, false);
  int life[2], connection = hostile_connect(attacker), gone;
  g_array_set_size(attacker->fds, attacker->fds->len - 1);
  close(connection); /* it was only to see that there is somebody */
  g_assert_cmpint(pipe2(life, O_CLOEXEC), ==, 0);
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    int fd;
    char byte;
    close(life[1]);
    if (shmv_socket_connect(&attacker->path, &fd, NULL) < 0)
      _exit(1);
    hostile_send(fd, bytes, size);
    shmvtest_poll(fd, POLLIN, 10000); /* it has a place by now */
    if (fork() == 0)
      (void)!read(life[0], &byte, 1); /* to the end of the attack */
    _exit(0);
  }
  close(life[0]);
  g_array_append_val(attacker->fds, life[1]);
  while (waitpid(pid, &gone, 0) < 0)
    g_assert_cmpint(errno, ==, EINTR);
  g_assert_cmpint(gone, ==, 0);
}

/* ---- The list -------------------------------------------------------------------- */

const struct attack hostile_crowds[] = {
    {"40 who say nothing", crowd, NULL, NULL, "it says nothing", {0}, 40},
    {"1,000 who say nothing", crowd, NULL, NULL, "it says nothing", {0}, 1000},
    {"1,000 who want in", crowd, NULL, NULL, "refused",
     {0, SHMV_HELLO, 0, 0}, 1000},
    {"coming and going", NULL, NULL, come_and_go, NULL, {0}, 0},
    {"greeting and going", NULL, NULL, greet_and_go, NULL, {0}, 0},
    {"greeting at length and going", NULL, NULL, greet_and_go, NULL, {0},
     SHMV_WIRE_TEXT_MAX},
    {"being let in and going", NULL, NULL, be_let_in_and_go, NULL, {0}, 0},
    {"joining and going", NULL, NULL, join_and_go, NULL, {0}, 0},
    {"an heir keeps the socket", leave_it_to_a_child, NULL, NULL, "left", {0}, 0},
    {0}};
