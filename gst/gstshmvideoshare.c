/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideoshare.h"

#include <sys/eventfd.h>
#include <unistd.h>

struct _GstShmVideoShare
{
  gatomicrefcount refcount;
  struct shmvideo_writer *writer;
  gint users;                   /* atomic: those within, and 1 while open */
  int interrupt_fd;             /* counts interrupts; -1: nobody ever waits */

  GMutex lock;
  GCond left;                   /* users has become 0 */
};

GstShmVideoShare *
gst_shm_video_share_new (struct shmvideo_writer *writer)
{
  GstShmVideoShare *share = g_new0 (GstShmVideoShare, 1);

  g_atomic_ref_count_init (&share->refcount);
  share->writer = writer;
  share->users = 1;
  share->interrupt_fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  g_mutex_init (&share->lock);
  g_cond_init (&share->left);
  return share;
}

GstShmVideoShare *
gst_shm_video_share_ref (GstShmVideoShare * share)
{
  g_atomic_ref_count_inc (&share->refcount);
  return share;
}

void
gst_shm_video_share_unref (GstShmVideoShare * share)
{
  if (!g_atomic_ref_count_dec (&share->refcount))
    return;
  shmvideo_writer_free (share->writer);
  if (share->interrupt_fd >= 0)
    close (share->interrupt_fd);
  g_mutex_clear (&share->lock);
  g_cond_clear (&share->left);
  g_free (share);
}

void
gst_shm_video_share_close (GstShmVideoShare * share)
{
  gst_shm_video_share_interrupt (share);
  gst_shm_video_share_leave (share);
  g_mutex_lock (&share->lock);
  while (g_atomic_int_get (&share->users) > 0)
    g_cond_wait (&share->left, &share->lock);
  g_mutex_unlock (&share->lock);
  shmvideo_writer_free (share->writer);
  share->writer = NULL;
}

struct shmvideo_writer *
gst_shm_video_share_writer (GstShmVideoShare * share)
{
  return share->writer;
}

struct shmvideo_writer *
gst_shm_video_share_enter (GstShmVideoShare * share)
{
  gint users;

  do {
    users = g_atomic_int_get (&share->users);
    if (users == 0)
      return NULL;
  } while (!g_atomic_int_compare_and_exchange (&share->users, users,
          users + 1));
  return share->writer;
}

/* The share outlives this: who leaves has a reference. */
void
gst_shm_video_share_leave (GstShmVideoShare * share)
{
  if (!g_atomic_int_dec_and_test (&share->users))
    return;
  g_mutex_lock (&share->lock);
  g_cond_broadcast (&share->left);
  g_mutex_unlock (&share->lock);
}

struct shmvideo_slot *
gst_shm_video_share_take (GstShmVideoShare * share, gsize size)
{
  struct shmvideo_writer *writer = gst_shm_video_share_enter (share);
  struct shmvideo_slot *slot = NULL;
  int code;

  if (writer == NULL)
    return NULL;
  if (share->interrupt_fd < 0)
    code = shmvideo_writer_acquire (writer, &slot);
  else
    code = shmvideo_writer_acquire_wait (writer, FALSE, share->interrupt_fd,
        &slot);
  gst_shm_video_share_leave (share);
  if (code != 1)
    return NULL;
  if (slot->size >= size)
    return slot;
  shmvideo_slot_release (slot);
  return NULL;
}

void
gst_shm_video_share_interrupt (GstShmVideoShare * share)
{
  if (share->interrupt_fd >= 0)
    eventfd_write (share->interrupt_fd, 1);
}

void
gst_shm_video_share_resume (GstShmVideoShare * share)
{
  eventfd_t one;

  if (share->interrupt_fd >= 0)
    eventfd_read (share->interrupt_fd, &one);
}
