/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Hostile readers against the library's writer, which lets readers in on a thread of
 * its own, as most programs do. */

#include "hostile.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct writing {
  struct victim victim; /* first */
  struct shmvideo_writer *writer;
  GThread *thread;
  int stop;
};

static void
take_log(void *user, enum shmvideo_log_level level, const char *line)
{
  victim_log(user, line);
}

static gpointer
dispatch(gpointer data)
{
  struct writing *writing = data;
  struct pollfd fds[2] = {
      {.fd = shmvideo_writer_get_fd(writing->writer), .events = POLLIN},
      {.fd = writing->stop, .events = POLLIN}};
  for (;;) {
    poll(fds, 2, -1);
    if (fds[1].revents != 0)
      return NULL;
    g_assert_cmpint(shmvideo_writer_dispatch(writing->writer), ==, 0);
  }
}

static void
show(struct victim *victim, uint8_t value)
{
  struct writing *writing = (struct writing *)victim;
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire_wait(writing->writer, -1, &slot), ==, 1);
  memset(slot->data, value, 64 * 48);
  g_assert_cmpint(shmvideo_writer_publish(writing->writer, slot, NULL), ==, 0);
}

static guint
count_readers(struct victim *victim)
{
  return shmvideo_writer_get_n_readers(((struct writing *)victim)->writer);
}

static void
start(struct writing *writing, const char *name)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  victim_init(&writing->victim, name);
  writing->victim.show = show;
  writing->victim.count_readers = count_readers;
  config.backpressure = 1;
  config.backpressure_timeout = 100000000;
  config.log = take_log;
  config.log_user = writing;
  writing->writer = assault_writer(name, &config);
  writing->stop = eventfd(0, EFD_CLOEXEC);
  writing->thread = g_thread_new("dispatch", dispatch, writing);
  victim_join(&writing->victim, false);
}

static void
stop_dispatching(struct writing *writing)
{
  eventfd_write(writing->stop, 1);
  g_thread_join(writing->thread);
  close(writing->stop);
}

static void
stop(struct writing *writing)
{
  shmvideo_writer_free(writing->writer);
  victim_fini(&writing->victim);
}

static void
run(const struct attack *attack)
{
  struct writing writing;
  start(&writing, "share");
  hostile_run(&writing.victim, attack);
  stop_dispatching(&writing);
  stop(&writing);
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
  start(&writing, "share");
  hostile_begin(&attacker, &writing.victim, NULL);
  lingering_let_through();
  struct raw_reader *reader = hostile_join(&attacker, SHMVIDEO_LATEST, 4, 2);
  hostile_send(reader->fd, "?", 1);
  victim_await_reason(&writing.victim, "malformed");
  hostile_send_lingering(&attacker, reader->fd, 1);
  int silent = hostile_connect(&attacker);
  victim_await_reason(&writing.victim, "malformed");
  stop_dispatching(&writing);
  hostile_send_lingering(&attacker, silent, 1);
  hostile_send_lingering(&attacker, hostile_connect(&attacker), 1);
  guint64 start = shmvtest_now();
  stop(&writing);
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
