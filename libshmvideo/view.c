/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "closing.h"
#include "format.h"
#include "segment.h"

static int
map_board(struct shmv_view *view, int fd)
{
  const void *data;
  int code = shmv_segment_verify(fd, SHMV_BOARD_SIZE);
  if (code == 0)
    code = shmv_segment_map(fd, 0, SHMV_BOARD_SIZE, &data);
  if (code < 0)
    return code;
  view->board = data;
  const volatile struct shmv_board *board = view->board;
  if (board->magic != SHMV_BOARD_MAGIC || board->version != SHMV_BOARD_VERSION ||
      board->generation != view->generation || board->n_slots != view->n_slots ||
      board->slot_size != view->slot_size)
    return -EPROTO;
  view->first_sequence = (uint32_t)board->first_sequence;
  return 0;
}

/* To read where no memory is would allocate it, at our cost: a writer that lies could
 * have us take all there is. So what it says has memory, it must have paid for. */
static int
check_memory(const struct shmv_view *view, uint32_t slot)
{
  uint32_t active = shmv_load(&view->board->active);
  if (slot >= active || active > view->n_slots)
    return -EPROTO;
  return shmv_segment_verify_memory(view->pool_fd,
                                    (uint64_t)active * view->slot_size);
}

int
shmv_view_new(struct shmv_view **out, const struct shmv_message *message,
              int pool_fd, int board_fd)
{
  const struct shmv_format_message *f = &message->u.format;
  struct shmv_view *view = calloc(1, sizeof *view);
  if (view == NULL) {
    shmv_close_received(pool_fd);
    shmv_close_received(board_fd);
    return -ENOMEM;
  }
  atomic_init(&view->refs, 1);
  view->generation = f->generation;
  view->n_slots = f->n_slots;
  view->slot_size = (size_t)f->slot_size;
  view->pool_fd = pool_fd;
  view->format = f->format;
  view->caps = strndup(message->text, message->text_size);
  int code = view->caps == NULL ? -ENOMEM : 0;
  if (code == 0)
    code = shmv_segment_verify(pool_fd, f->pool_size);
  if (code == 0)
    code = map_board(view, board_fd);
  /* Frames of any size could be announced by who has memory for none, and downstream
   * would make room for them. */
  if (code == 0)
    code = check_memory(view, 0);
  shmv_close_received(board_fd);
  if (code < 0) {
    shmv_view_unref(view);
    return code;
  }
  *out = view;
  return 0;
}

void
shmv_view_unref(struct shmv_view *view)
{
  if (view == NULL || atomic_fetch_sub(&view->refs, 1) != 1)
    return;
  for (uint32_t i = 0; i < view->n_slots; i++)
    shmv_segment_unmap(view->slots[i], view->slot_size);
  shmv_segment_unmap(view->board, SHMV_BOARD_SIZE);
  shmv_close_received(view->pool_fd);
  free(view->caps);
  free(view);
}

int
shmv_view_map_slot(struct shmv_view *view, uint32_t slot,
                   const uint8_t **out_data)
{
  if (view->slots[slot] == NULL) {
    int code = check_memory(view, slot);
    if (code == 0)
      code = shmv_segment_map(view->pool_fd, (uint64_t)slot * view->slot_size,
                              view->slot_size, &view->slots[slot]);
    if (code < 0)
      return code;
  }
  *out_data = view->slots[slot];
  return 0;
}

int
shmv_view_describe(const struct shmv_view *view,
                   const struct shmv_slot_entry *entry,
                   struct shmvideo_frame *frame)
{
  const struct shmvideo_format *format = &view->format;
  if (entry->size > view->slot_size ||
      shmv_format_check_layout(format, entry->n_planes, entry->stride,
                               entry->plane_offset, entry->size) < 0)
    return -EPROTO;
  if (entry->crop_width != 0 &&
      (entry->crop_height == 0 ||
       (uint64_t)entry->crop_x + entry->crop_width > format->width ||
       (uint64_t)entry->crop_y + entry->crop_height > format->height))
    return -EPROTO;
  frame->format = format;
  frame->caps = view->caps;
  frame->size = entry->size;
  frame->n_planes = entry->n_planes;
  memcpy(frame->stride, entry->stride, sizeof frame->stride);
  memcpy(frame->plane_offset, entry->plane_offset, sizeof frame->plane_offset);
  frame->sequence = entry->sequence;
  frame->pts = entry->pts;
  frame->duration = entry->duration;
  frame->capture_time = entry->capture_time;
  frame->offset = entry->offset;
  frame->offset_end = entry->offset_end;
  frame->flags = entry->flags;
  frame->crop_x = entry->crop_x;
  frame->crop_y = entry->crop_y;
  frame->crop_width = entry->crop_width;
  frame->crop_height = entry->crop_height;
  return 0;
}
