/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideowake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

GstShmVideoWake *
gst_shm_video_wake_new (void)
{
  GstShmVideoWake *wake;
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (fd < 0)
    return NULL;
  wake = g_atomic_rc_box_new0 (GstShmVideoWake);
  wake->fd = fd;
  return wake;
}

gboolean
gst_shm_video_wake_has_room_for_pool (void)
{
  GstShmVideoWake *first = gst_shm_video_wake_new ();
  GstShmVideoWake *second = gst_shm_video_wake_new ();
  gboolean room = first != NULL && second != NULL;

  gst_shm_video_wake_unref (first);
  gst_shm_video_wake_unref (second);
  return room;
}

GstShmVideoWake *
gst_shm_video_wake_ref (GstShmVideoWake * wake)
{
  return wake != NULL ? g_atomic_rc_box_acquire (wake) : NULL;
}

static void
close_descriptor (gpointer wake)
{
  close (((GstShmVideoWake *) wake)->fd);
}

void
gst_shm_video_wake_unref (GstShmVideoWake * wake)
{
  if (wake != NULL)
    g_atomic_rc_box_release_full (wake, close_descriptor);
}

void
gst_shm_video_wake_ring (GstShmVideoWake * wake)
{
  const uint64_t one = 1;

  /* the one failure besides a signal is EAGAIN: it has rung 2^64 - 2 times */
  if (wake == NULL)
    return;
  while (write (wake->fd, &one, sizeof one) < 0 && errno == EINTR);
  g_atomic_int_set (&wake->rung, 1);
}

void
gst_shm_video_wake_clear (GstShmVideoWake * wake)
{
  uint64_t rings;

  /* Rung, but not yet marked so: then the next wait does not wait, and we are here
   * again. */
  if (g_atomic_int_get (&wake->rung) == 0)
    return;
  g_atomic_int_set (&wake->rung, 0);
  while (read (wake->fd, &rings, sizeof rings) < 0 && errno == EINTR);
}
