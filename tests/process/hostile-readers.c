/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Hostile readers against the library's writer. */

#include "hostile-writer.h"

static void
run(const struct attack *attack)
{
  struct writing writing;
  writing_start(&writing, "share");
  victim_join(&writing.victim, false);
  hostile_run(&writing.victim, attack);
  writing_stop_dispatching(&writing);
  writing_stop(&writing);
}

static void
messages(void)
{
  hostile_run_list(hostile_messages, run);
}

static void
pages(void)
{
  hostile_run_list(hostile_pages, run);
}

static void
crowds(void)
{
  hostile_run_list(hostile_crowds, run);
}

/* What cannot be closed in a moment lies unread in the sockets of a reader, of somebody
 * who said nothing, and of somebody who was not let in yet: the writer leaves at once. */
static void
leaving(void)
{
  struct writing writing;
  struct attacker attacker;
  writing_start(&writing, "share");
  victim_join(&writing.victim, false);
  hostile_begin(&attacker, &writing.victim, NULL);
  lingering_let_through();
  struct raw_reader *reader = hostile_join(&attacker, SHMVIDEO_LATEST, 4, 2);
  hostile_send(reader->fd, "?", 1);
  victim_await_reason(&writing.victim, "malformed");
  hostile_send_lingering(&attacker, reader->fd, 1);
  int silent = hostile_connect(&attacker);
  victim_await_reason(&writing.victim, "malformed");
  writing_stop_dispatching(&writing);
  hostile_send_lingering(&attacker, silent, 1);
  hostile_send_lingering(&attacker, hostile_connect(&attacker), 1);
  guint64 start = shmvtest_now();
  writing_stop(&writing);
  g_assert_cmpuint(shmvtest_now() - start, <,
                   (guint64)shmvtest_deadline() * 1000000);
  hostile_withdraw(&attacker);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/hostile-readers/messages", messages);
  shmvtest_add("/hostile-readers/pages", pages);
  shmvtest_add("/hostile-readers/crowds", crowds);
  shmvtest_add("/hostile-readers/leaving", leaving);
  return shmvtest_run();
}
