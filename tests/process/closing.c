/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Nobody waits for a stranger's descriptor to close: not who reads, nor who closes a
 * socket in which it lies. What blocks here blocks for a minute, so a test that takes
 * less than its deadline shows it.
 */

#include "closing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lingering.h"
#include "shmvtest.h"
#include "socket.h"

static guint64 start;

static void
begin(int pair[2])
{
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
                  ==, 0);
  start = shmvtest_now();
}

static void
expect_prompt(void)
{
  g_assert_cmpuint(shmvtest_now() - start, <,
                   (guint64)shmvtest_deadline() * 1000000);
}

/* A message of size bytes with n of them, the last there are, behind some others.
 * Returns what ends it all when closed. */
static int
load(int socket, unsigned size, unsigned n, int before)
{
  int other, fd = lingering_new(&other);
  for (int i = 0; i < before; i++)
    g_assert_cmpint(send(socket, "x", (size_t)i % 2, MSG_DONTWAIT), >=, 0);
  lingering_send(socket, size, fd, n);
  close(fd);
  return other;
}

/* ---- Taking in --------------------------------------------------------------- */

/* Who wants none leaves it where it is. */
static void
not_read(void)
{
  int pair[2];
  char byte;
  size_t size;
  begin(pair);
  int other = load(pair[0], 1, 1, 0);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint(shmv_socket_recv(pair[1], &byte, 1, &size, NULL, 0, NULL),
                    ==, -EBADMSG);
  g_assert_true(shmv_close_connection(pair[1]));
  expect_prompt();
  close(pair[0]);
  close(other);
}

/* Who wants some gets them; more than wanted, or a message too long, go elsewhere. */
static void
more_than_wanted(void)
{
  static const unsigned n_sent[] = {1, 2, 3, 64, 253};
  for (gsize i = 0; i < G_N_ELEMENTS(n_sent); i++) {
    int pair[2], fds[2];
    char byte;
    size_t size;
    unsigned n = 0;
    begin(pair);
    int other = load(pair[0], i == 0 ? 2 : 1, n_sent[i], 0);
    int code = shmv_socket_recv(pair[1], &byte, 1, &size, fds, 2, &n);
    g_assert_cmpint(code, ==, i == 0 ? -EMSGSIZE : i == 1 ? 0 : -EBADMSG);
    for (unsigned k = 0; k < n; k++)
      shmv_close_received(fds[k]);
    g_assert_true(shmv_close_connection(pair[1]));
    expect_prompt();
    close(pair[0]);
    close(other);
  }
}

/* ---- Closing ----------------------------------------------------------------- */

static void
unread(void)
{
  static const struct {
    unsigned size, n;
    int before;
    bool gone;
  } cases[] = {{1, 1, 0, false},   {0, 1, 0, false},  {1, 1, 7, false},
               {1, 253, 0, false}, {0, 1, 20, true},  {1, 1, 0, true},
               {1, 1, 150, false}, {4096, 1, 1, true}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    int pair[2];
    begin(pair);
    int other = load(pair[0], cases[i].size, cases[i].n, cases[i].before);
    if (cases[i].gone)
      close(pair[0]);
    g_assert_true(shmv_close_connection(pair[1]));
    expect_prompt();
    if (!cases[i].gone)
      close(pair[0]);
    close(other);
  }
}

/* Threads of this process. */
static unsigned
count_threads(void)
{
  GDir *dir = g_dir_open("/proc/self/task", 0, NULL);
  unsigned n = 0;
  while (g_dir_read_name(dir) != NULL)
    n++;
  g_dir_close(dir);
  return n;
}

/* No thread is started for an honest peer's sake. */
static void
harmless(void)
{
  int pair[2];
  unsigned n_threads = count_threads();
  for (int i = 0; i < 60; i++) {
    begin(pair);
    for (int k = 0; k < i; k++)
      g_assert_cmpint(send(pair[0], "x", (size_t)k % 2, MSG_DONTWAIT), >=, 0);
    if (i % 3 == 0)
      close(pair[0]);
    g_assert_true(shmv_close_connection(pair[1]));
    if (i % 3 != 0)
      close(pair[0]);
    shmv_close_received(memfd_create("memory", MFD_CLOEXEC));
    g_assert_cmpuint(count_threads(), ==, n_threads);
  }
}

/* A bounded number is being closed at a time; more have to wait, and can. */
static void
many(void)
{
  enum { N = 100 };
  int pairs[N][2], others[N];
  int n_closed = 0, n_left = 0;
  for (int i = 0; i < N; i++) {
    begin(pairs[i]);
    others[i] = load(pairs[i][0], 1, 1, 0);
    close(pairs[i][0]);
    if (shmv_close_connection(pairs[i][1]))
      n_closed++;
    else
      pairs[n_left++][1] = pairs[i][1];
    expect_prompt();
  }
  g_assert_cmpint(n_closed, >, 0);
  g_assert_cmpint(n_left, >, 0);
  for (int i = 0; i < N; i++)
    close(others[i]);
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (n_left > 0) {
    if (shmv_close_connection(pairs[n_left - 1][1]))
      n_left--;
    g_assert_cmpuint(shmvtest_now(), <, end);
    g_thread_yield();
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/closing/who-wants-none-reads-none", not_read);
  shmvtest_add("/closing/more-than-wanted", more_than_wanted);
  shmvtest_add("/closing/unread", unread);
  shmvtest_add("/closing/an-honest-peer-costs-no-thread", harmless);
  shmvtest_add("/closing/so-many-at-a-time", many);
  return shmvtest_run();
}
