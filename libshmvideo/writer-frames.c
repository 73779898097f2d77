/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's frame path: take a slot, show it, give it back. Any thread. Its
 * only system calls are send(MSG_DONTWAIT) to readers that sleep, and growing the
 * pool until it has all the slots that readers and holders have a right to.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "copy.h"
#include "format.h"
#include "testpoint.h"

void
shmv_writer_kick(struct shmvideo_writer *writer)
{
  eventfd_write(writer->kick_fd, 1);
}

/* ---- Taking -------------------------------------------------------------- */

int
shmv_writer_grow(struct shmvideo_writer *writer,
                 struct shmv_generation *generation, uint32_t extra_out,
                 size_t max_bytes)
{
  for (size_t bytes = 0;; bytes += generation->slot_size) {
    pthread_mutex_lock(&writer->lock);
    uint32_t wanted = shmv_generation_needs(generation, writer->readers,
                                            generation->n_out + extra_out);
    uint32_t place = shmv_generation_reserve(generation, wanted);
    pthread_mutex_unlock(&writer->lock);
    if (place == SHMV_MAX_SLOTS)
      return 0;
    SHMV_TEST_POINT("growing");
    int code = shmv_generation_grow(generation, place);
    pthread_mutex_lock(&writer->lock);
    shmv_generation_grown(generation, place, code);
    pthread_mutex_unlock(&writer->lock);
    if (code < 0) {
      shmv_log(&writer->log, SHMVIDEO_LOG_WARNING,
               "no memory for more than %u slots: %s", place,
               shmvideo_strerror(code));
      return code;
    }
    if (bytes + generation->slot_size >= max_bytes)
      return 1;
  }
}

/* A place that another thread has begun to grow may be all that keeps a claim from
 * succeeding. Nobody waits for that thread: giving memory twice does no harm. */
static void
help_growing(struct shmvideo_writer *writer, struct shmv_generation *generation)
{
  pthread_mutex_lock(&writer->lock);
  uint32_t place = generation->claims.active;
  bool begun = place < generation->next_place && place < generation->n_slots;
  pthread_mutex_unlock(&writer->lock);
  if (!begun)
    return;
  int code = shmv_generation_grow(generation, place);
  pthread_mutex_lock(&writer->lock);
  shmv_generation_grown(generation, place, code);
  pthread_mutex_unlock(&writer->lock);
}

/* With the lock: whether a lossless reader that follows us has not been sent the
 * present format. Were the format to change again, it would never see the frames
 * between. Who was not sent any format yet is still on his way in. */
static bool
is_untold(const struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < writer->n_places; i++) {
    const struct shmv_claimant *reader = &writer->readers[i];
    if (reader->page != NULL && reader->lossless && !reader->broken &&
        reader->told != 0 && reader->told != writer->generation->number)
      return true;
  }
  return false;
}

/* With the lock. 1 taken, 0 none; *blocked: lossless readers need the rest. */
static int
claim(struct shmvideo_writer *writer, struct shmvideo_slot **out_slot,
      bool *blocked)
{
  struct shmv_generation *generation = writer->generation;
  uint32_t index;
  *blocked = is_untold(writer);
  if (*blocked)
    return 0;
  switch (shmv_slot_claim(&generation->claims, &index)) {
    case SHMV_CLAIM_OK:
      break;
    case SHMV_CLAIM_LOSSLESS:
      *blocked = true;
      return 0;
    default:
      return 0;
  }
  struct shmv_slot_handle *handle = &generation->handles[index];
  handle->pub.data = generation->pool.data + index * generation->slot_size;
  handle->pub.size = generation->slot_size;
  handle->pub.generation = generation->number;
  handle->writer = writer;
  handle->generation = generation;
  handle->index = index;
  handle->state = SHMV_SLOT_TAKEN;
  generation->n_out++;
  generation->refs++;
  writer->refs++;
  *out_slot = &handle->pub;
  return 1;
}

/* Dispatch disconnects readers that a claim found to break the rules. */
static bool
any_broken(const struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < writer->n_places; i++)
    if (writer->readers[i].broken)
      return true;
  return false;
}

/* With the lock: how many slots may be out. Lent ones leave enough for the readers
 * and for our own copies, or frames would be dropped for want of a slot. */
static uint32_t
max_out(const struct shmvideo_writer *writer, uint32_t extra)
{
  const struct shmv_generation *generation = writer->generation;
  uint32_t kept =
      shmv_readers_need(writer->readers, writer->n_places, NULL, 0) +
      SHMV_COPY_RESERVE;
  uint32_t room =
      generation->n_slots > kept ? generation->n_slots - kept : 1;
  uint32_t lent = writer->config.max_lent;
  return (lent < room ? lent : room) + extra;
}

int
shmv_writer_take(struct shmvideo_writer *writer, uint32_t extra,
                 struct shmvideo_slot **out_slot, bool *blocked)
{
  *out_slot = NULL;
  *blocked = false;
  for (;;) {
    pthread_mutex_lock(&writer->lock);
    struct shmv_generation *generation = writer->generation;
    if (generation == NULL || writer->closed) {
      pthread_mutex_unlock(&writer->lock);
      return -EINVAL;
    }
    if (generation->n_out >= max_out(writer, extra)) {
      pthread_mutex_unlock(&writer->lock);
      return 0;
    }
    int code = claim(writer, out_slot, blocked);
    uint32_t n_out = generation->n_out;
    /* By the count there is a slot when all that have a right have memory. Giving it
     * is dispatch's work, and ours only if there is no slot until then. */
    bool grow = code == 0 && !*blocked &&
                generation->claims.active <
                    shmv_generation_needs(generation, writer->readers, n_out + 1);
    bool missing = generation->next_place <
                   shmv_generation_needs(generation, writer->readers, n_out);
    bool kick = any_broken(writer) || (missing && !writer->growth_asked);
    writer->growth_asked |= missing;
    if (grow)
      generation->refs++;
    pthread_mutex_unlock(&writer->lock);
    if (kick)
      shmv_writer_kick(writer);
    if (!grow)
      return code;
    if (shmv_writer_grow(writer, generation, 1, 1) == 0)
      help_growing(writer, generation);
    shmv_writer_unref_generation(writer, generation);
  }
}

int
shmvideo_writer_acquire(struct shmvideo_writer *writer,
                        struct shmvideo_slot **out_slot)
{
  bool blocked;
  return shmv_writer_take(writer, 0, out_slot, &blocked);
}

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
