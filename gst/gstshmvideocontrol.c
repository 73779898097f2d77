/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideocontrol.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* As many readers as a share ever has. */
#define MAX_READERS 128

/* How often to look at readers whom other threads may have let in, ms. */
#define LOOK_PERIOD 200

/* When to look again at what another thread was just dispatching, ms. */
#define SOON 5

struct _GstShmVideoControl
{
  struct shmvideo_writer *writer;
  GstShmVideoControlFuncs funcs;
  GThread *thread;
  int stop_fd;
  int period;                   /* ms, -1: look only when there is an event */

  /* The readers that were told as connected. */
  struct shmvideo_reader_info known[MAX_READERS];
  guint n_known;
};

static gboolean
contains (const struct shmvideo_reader_info *readers, guint n, guint64 id)
{
  for (guint i = 0; i < n; i++)
    if (readers[i].id == id)
      return TRUE;
  return FALSE;
}

/* Tell the difference between the readers there are now and those known. */
static void
tell_changes (GstShmVideoControl * self,
    const struct shmvideo_reader_info *now, guint n_now)
{
  struct shmvideo_reader_info before[MAX_READERS];
  const GstShmVideoControlFuncs *funcs = &self->funcs;
  guint n_before = self->n_known;

  memcpy (before, self->known, n_before * sizeof before[0]);
  if (n_now > 0)
    memcpy (self->known, now, n_now * sizeof now[0]);
  self->n_known = n_now;

  if (n_now != n_before)
    funcs->count (funcs->user, n_now);
  for (guint i = 0; i < n_before; i++)
    if (!contains (now, n_now, before[i].id))
      funcs->disconnected (funcs->user, &before[i]);
  for (guint i = 0; i < n_now; i++)
    if (!contains (before, n_before, now[i].id))
      funcs->connected (funcs->user, &now[i]);
}

static void
look_at_readers (GstShmVideoControl * self)
{
  struct shmvideo_reader_info now[MAX_READERS];
  guint n = shmvideo_writer_get_readers (self->writer, now, MAX_READERS);

  tell_changes (self, now, MIN (n, MAX_READERS));
}

static gpointer
run (gpointer data)
{
  GstShmVideoControl *self = data;
  struct pollfd fds[2] = {
    {.fd = shmvideo_writer_get_fd (self->writer),.events = POLLIN},
    {.fd = self->stop_fd,.events = POLLIN},
  };

  gboolean again = FALSE;

  for (;;) {
    int code;

    if (poll (fds, 2, again ? SOON : self->period) < 0 && errno != EINTR) {
      self->funcs.broken (self->funcs.user, -errno);
      break;
    }
    if (fds[1].revents)
      break;
    code = shmvideo_writer_dispatch (self->writer);
    if (code < 0) {
      self->funcs.broken (self->funcs.user, code);
      break;
    }
    look_at_readers (self);
    again = code == SHMVIDEO_WISH
        && !self->funcs.wish (self->funcs.user, self->writer);
  }
  tell_changes (self, NULL, 0);
  return NULL;
}

GstShmVideoControl *
gst_shm_video_control_start (struct shmvideo_writer *writer, gboolean shared,
    const GstShmVideoControlFuncs * funcs, int *out_code)
{
  GstShmVideoControl *self = g_new0 (GstShmVideoControl, 1);

  self->writer = writer;
  self->period = shared ? LOOK_PERIOD : -1;
  self->funcs = *funcs;
  *out_code = 0;
  self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->stop_fd < 0)
    *out_code = -errno;
  else
    self->thread = g_thread_try_new ("shmvideosink", run, self, NULL);
  if (self->thread)
    return self;

  if (*out_code == 0) {
    *out_code = -EAGAIN;
    close (self->stop_fd);
  }
  g_free (self);
  return NULL;
}

void
gst_shm_video_control_stop (GstShmVideoControl * self)
{
  if (self == NULL)
    return;
  eventfd_write (self->stop_fd, 1);
  g_thread_join (self->thread);
  close (self->stop_fd);
  g_free (self);
}
