/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's frame path: show a slot, give it back (writer-take.c: take one). Any
 * thread. Its only system calls are send(MSG_DONTWAIT) to readers that sleep.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "copy.h"
#include "format.h"
#include "testpoint.h"

/* ---- Showing ------------------------------------------------------------- */

static const uint8_t wake_message[SHMV_WIRE_HEADER] = {
    'S', 'H', 'V', 'M', SHMV_WAKE, 0, 0, 0, SHMV_WIRE_HEADER, 0, 0, 0, 0, 0, 0,
    0};

/* With the lock: who sleeps. Each peer counted as sending until woken. */
static uint32_t
collect_sleepers(struct shmvideo_writer *writer, struct shmv_peer **sleepers)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < writer->n_places; i++) {
    struct shmv_peer *peer = writer->placed[i];
    if (peer == NULL || writer->readers[i].broken ||
        !shmv_slot_must_wake(writer->readers[i].page, &peer->answered))
      continue;
    peer->senders++;
    sleepers[n++] = peer;
  }
  return n;
}

/* A full socket has unread messages in it: that reader wakes anyway. What the system
 * has no room for (-ENOMEM) is told by dispatch, in a while. */
int
shmv_writer_wake(const struct shmv_peer *peer)
{
  return shmv_socket_send(peer->fd, wake_message, sizeof wake_message, NULL, 0);
}

static void
wake(struct shmvideo_writer *writer, struct shmv_peer **sleepers, uint32_t n)
{
  bool kick = false, owed[SHMV_MAX_READERS];
  if (n == 0)
    return;
  for (uint32_t i = 0; i < n; i++) {
    int code = shmv_writer_wake(sleepers[i]);
    owed[i] = code == -ENOMEM;
  }
  pthread_mutex_lock(&writer->lock);
  for (uint32_t i = 0; i < n; i++) {
    struct shmv_peer *peer = sleepers[i];
    peer->senders--;
    peer->owed |= owed[i];
    kick |= owed[i] || peer->place == SHMV_MAX_READERS; /* waits to be reaped */
  }
  pthread_mutex_unlock(&writer->lock);
  if (kick)
    shmv_writer_kick(writer);
}

static int
fill_entry(const struct shmv_generation *generation, uint32_t index,
           const struct shmvideo_frame_info *info, uint64_t capture_time,
           uint32_t flags)
{
  struct shmv_slot_entry *entry = &generation->board->slots[index];
  const struct shmvideo_format *format = &generation->format;
  bool own = info->n_planes != 0 &&
             (info->n_planes != format->n_planes ||
              memcmp(info->stride, format->stride, sizeof info->stride) != 0 ||
              memcmp(info->plane_offset, format->offset,
                     sizeof info->plane_offset) != 0);
  uint32_t n_planes = own ? info->n_planes : format->n_planes;
  const uint32_t *stride = own ? info->stride : format->stride;
  const uint64_t *offset = own ? info->plane_offset : format->offset;
  if (own && shmv_format_check_layout(format, n_planes, stride, offset,
                                      generation->slot_size) < 0)
    return -EINVAL;
  if (info->crop_width != 0 &&
      ((uint64_t)info->crop_x + info->crop_width > format->width ||
       (uint64_t)info->crop_y + info->crop_height > format->height ||
       info->crop_height == 0))
    return -EINVAL;
  entry->flags = flags;
  entry->pts = info->pts;
  entry->duration = info->duration;
  entry->capture_time = capture_time;
  entry->offset = info->offset;
  entry->offset_end = info->offset_end;
  entry->size = own ? generation->slot_size : format->size;
  entry->n_planes = n_planes;
  for (uint32_t i = 0; i < SHMVIDEO_MAX_PLANES; i++) {
    entry->stride[i] = i < n_planes ? stride[i] : 0;
    entry->plane_offset[i] = i < n_planes ? offset[i] : 0;
  }
  entry->crop_x = info->crop_x;
  entry->crop_y = info->crop_y;
  entry->crop_width = info->crop_width;
  entry->crop_height = info->crop_height;
  return 0;
}

/* With the lock: the slot is no longer out. */
static void
put_back(struct shmv_slot_handle *handle)
{
  struct shmv_generation *generation = handle->generation;
  shmv_slot_return(&generation->claims, handle->index);
  handle->state = SHMV_SLOT_FREE;
  generation->n_out--;
  generation->refs--;
  handle->writer->refs--; /* the owner still has its own: we are in its call */
}

static int
publish(struct shmvideo_writer *writer, struct shmvideo_slot *slot,
        const struct shmvideo_frame_info *info, bool keep)
{
  static const struct shmvideo_frame_info nothing = SHMVIDEO_FRAME_INFO_INIT;
  struct shmv_slot_handle *handle = (struct shmv_slot_handle *)slot;
  struct shmv_generation *generation = handle->generation;
  struct shmv_peer *sleepers[SHMV_MAX_READERS];
  if (info == NULL)
    info = &nothing;
  if (info->size != sizeof *info || handle->writer != writer)
    return -EINVAL;
  uint64_t capture_time = info->capture_time;
  uint32_t flags = info->flags;
  if (capture_time == SHMVIDEO_TIME_NONE) {
    capture_time = shmv_now();
    flags |= SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH;
  }
  pthread_mutex_lock(&writer->lock);
  int code = 0;
  uint32_t n = 0;
  if (generation != writer->generation)
    code = -ESTALE;
  else if (handle->state != SHMV_SLOT_TAKEN)
    code = -EINVAL;
  else
    code = fill_entry(generation, handle->index, info, capture_time, flags);
  if (code == 0) {
    writer->sequence = shmv_slot_publish(&generation->claims, handle->index);
    handle->state = SHMV_SLOT_SHOWN;
    writer->n_frames++;
    writer->n_bytes += generation->format.size;
    if (!keep)
      put_back(handle);
    n = collect_sleepers(writer, sleepers);
  }
  pthread_mutex_unlock(&writer->lock);
  wake(writer, sleepers, n);
  return code;
}

int
shmvideo_writer_publish(struct shmvideo_writer *writer,
                        struct shmvideo_slot *slot,
                        const struct shmvideo_frame_info *info)
{
  return publish(writer, slot, info, false);
}

int
shmvideo_writer_publish_kept(struct shmvideo_writer *writer,
                             struct shmvideo_slot *slot,
                             const struct shmvideo_frame_info *info)
{
  return publish(writer, slot, info, true);
}

void
shmvideo_slot_release(struct shmvideo_slot *slot)
{
  if (slot == NULL)
    return;
  struct shmv_slot_handle *handle = (struct shmv_slot_handle *)slot;
  struct shmv_generation *generation = handle->generation;
  struct shmvideo_writer *writer = handle->writer;
  pthread_mutex_lock(&writer->lock);
  if (handle->state == SHMV_SLOT_TAKEN)
    shmv_slot_discard(&generation->claims, handle->index);
  put_back(handle);
  bool waiters = writer->n_waiters > 0;
  bool free_generation = generation->refs == 0;
  writer->refs += waiters; /* who waited may be done and free it any moment */
  bool free_writer = writer->refs == 0;
  pthread_mutex_unlock(&writer->lock);
  if (waiters) {
    eventfd_write(writer->wait_fd, 1);
    pthread_mutex_lock(&writer->lock);
    free_writer = --writer->refs == 0;
    pthread_mutex_unlock(&writer->lock);
  }
  if (free_generation)
    shmv_generation_free(generation);
  if (free_writer)
    shmv_writer_destroy(writer);
}

/* ---- Copying ------------------------------------------------------------- */

int
shmvideo_writer_send(struct shmvideo_writer *writer,
                     const uint8_t *const *planes, const uint32_t *strides,
                     const struct shmvideo_frame_info *info)
{
  struct shmvideo_frame_info tight = SHMVIDEO_FRAME_INFO_INIT;
  struct shmvideo_format first;
  int code = -ESTALE;
  if (info != NULL)
    tight = *info;
  tight.n_planes = 0;
  /* Meanwhile a pool that nobody read can be replaced by one of the same format. */
  for (int i = 0; code == -ESTALE && i < 3; i++) {
    struct shmvideo_slot *slot;
    bool blocked;
    code = shmv_writer_take(writer, SHMV_COPY_RESERVE, &slot, &blocked);
    if (code != 1)
      return code;
    SHMV_TEST_POINT("slot-taken");
    const struct shmvideo_format *format =
        &((struct shmv_slot_handle *)slot)->generation->format;
    if (i == 0)
      first = *format;
    else if (memcmp(&first, format, sizeof first) != 0)
      code = -ESTALE;
    if (code == 1)
      code = shmv_copy_frame(format, slot->data, planes, strides);
    if (code == 0)
      code = shmvideo_writer_publish(writer, slot, &tight);
    if (code < 0)
      shmvideo_slot_release(slot);
  }
  return code < 0 ? code : 1;
}
