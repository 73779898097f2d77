/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "hostile-writer.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void
take_log(void *user, enum shmvideo_log_level level, const char *line)
{
  victim_log(user, line);
}

static gpointer
dispatch(gpointer data)
{
  struct writing *writing = data;
  writing->control = pthread_self();
  g_atomic_int_set(&writing->started, 1);
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
  g_assert_cmpint(shmvideo_writer_acquire_wait(writing->writer, TRUE, -1, &slot), ==, 1);
  memset(slot->data, value, 64 * 48);
  g_assert_cmpint(shmvideo_writer_publish(writing->writer, slot, NULL), ==, 0);
}

static guint
count_readers(struct victim *victim)
{
  return shmvideo_writer_get_n_readers(((struct writing *)victim)->writer);
}

void
writing_start(struct writing *writing, const char *name)
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
  writing->started = 0;
  writing->thread = g_thread_new("dispatch", dispatch, writing);
  while (!g_atomic_int_get(&writing->started))
    g_thread_yield();
}

void
writing_stop_dispatching(struct writing *writing)
{
  eventfd_write(writing->stop, 1);
  g_thread_join(writing->thread);
  close(writing->stop);
}

void
writing_stop(struct writing *writing)
{
  shmvideo_writer_free(writing->writer);
  victim_fini(&writing->victim);
}
