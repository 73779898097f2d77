/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Sending by the library alone. GStreamer only makes the pictures. See sender.h. */

#include <poll.h>
#include <string.h>

#include "sender.h"
#include "shmvtest.h"

struct sender {
  struct shmvideo_writer *writer; /* NULL: not started */
  guint64 copied, zero_copy;
  char *said; /* the last failure, for JOB_MESSAGE */
  struct shmvideo_format format;
};

static struct sender *
create(void)
{
  return g_new0(struct sender, 1);
}

static void
stop(struct sender *sender)
{
  shmvideo_writer_free(sender->writer);
  sender->writer = NULL;
}

static void
destroy(struct sender *sender)
{
  g_free(sender->said);
  g_free(sender);
}

static char *
fail(struct sender *sender, int code, const struct shmvideo_error *error)
{
  g_free(sender->said);
  sender->said = g_strdup_printf(
      "error: %s", error != NULL && error->message[0] != '\0'
                       ? error->message
                       : shmvideo_strerror(code));
  return g_strdup(sender->said);
}

static char *
start(struct sender *sender, const char *path)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  int code;

  config.path = path;
  config.backpressure = 1;
  sender->copied = sender->zero_copy = 0;
  code = shmvideo_writer_new(&config, &error, &sender->writer);
  return code < 0 ? fail(sender, code, &error) : NULL;
}

/* Room for a frame in whatever layout, so that the memory need not be made anew
 * for each; but large ones come in one layout, and memory takes time. */
static guint64
roomy_size(const char *text, const struct layout *own)
{
  GstCaps *caps = gst_caps_from_string(text);
  struct layout layout;
  GstVideoInfo info;
  gsize size;

  g_assert_true(gst_video_info_from_caps(&info, caps));
  size = MAX(info.size, own->size);
  for (guint kind = LAYOUT_DEFAULT; kind <= LAYOUT_SWAPPED; kind++)
    if (GST_VIDEO_INFO_WIDTH(&info) < 1000 && layout_make(kind, &info, &layout))
      size = MAX(size, layout.size);
  gst_caps_unref(caps);
  return size;
}

static char *
set_format(struct sender *sender, const struct job *job,
           const struct layout *layout)
{
  struct shmvideo_error error = {0};
  struct shmvideo_format format;
  int code = shmvideo_format_from_caps(&format, job->caps, &error);

  if (code < 0)
    return fail(sender, code, &error);
  if (layout != NULL && job->layout_of_caps)
    for (guint p = 0; p < format.n_planes; p++) {
      format.stride[p] = (guint32)layout->stride[p];
      format.offset[p] = layout->offset[p];
    }
  if (layout != NULL)
    format.size = roomy_size(job->caps, layout);
  sender->format = format;
  code = shmvideo_writer_set_format(sender->writer, &format, job->caps, &error);
  return code < 0 ? fail(sender, code, &error) : NULL;
}

static char *
set_caps(struct sender *sender, const struct job *job)
{
  return set_format(sender, job, NULL);
}

/* Of a few formats at odd sizes GStreamer's own idea of the default has changed from
 * version to version, so asking for the default layout is not enough. */
static gboolean
format_says(const struct shmvideo_format *format, const struct layout *layout)
{
  for (guint p = 0; p < format->n_planes; p++)
    if (format->stride[p] != (guint32)layout->stride[p] ||
        format->offset[p] != layout->offset[p])
      return FALSE;
  return TRUE;
}

static void
describe(struct shmvideo_frame_info *info, const struct job *job,
         const struct layout *layout, const struct shmvideo_format *format)
{
  info->pts = job->pts;
  info->duration = job->duration;
  info->offset = job->offset;
  info->offset_end = job->offset_end;
  info->flags = job->flags;
  info->crop_x = job->crop_x;
  info->crop_y = job->crop_y;
  info->crop_width = job->crop_width;
  info->crop_height = job->crop_height;
  if (format_says(format, layout))
    return;
  info->n_planes = format->n_planes;
  for (guint p = 0; p < format->n_planes; p++) {
    info->stride[p] = (guint32)layout->stride[p];
    info->plane_offset[p] = layout->offset[p];
  }
}

/* From memory of ours, its padding full of junk. */
static int
copy(struct sender *sender, const struct picture *picture,
     const struct layout *layout, const struct shmvideo_frame_info *info)
{
  const guint8 *planes[SHMVIDEO_MAX_PLANES] = {0};
  guint32 strides[SHMVIDEO_MAX_PLANES] = {0};
  struct pollfd fd = {.fd = shmvideo_writer_get_fd(sender->writer),
                      .events = POLLIN};
  guint8 *data = g_malloc(layout->size);
  int code;

  memset(data, 0xa5, layout->size);
  picture_write(picture, data, layout);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&picture->info); p++) {
    planes[p] = data + layout->offset[p];
    strides[p] = (guint32)layout->stride[p];
  }
  /* It does not wait: a lossless reader may have to follow a format first. */
  while ((code = shmvideo_writer_send(sender->writer, planes, strides, info)) ==
             0 &&
         poll(&fd, 1, 10000) > 0)
    shmvideo_writer_dispatch(sender->writer);
  g_free(data);
  sender->copied += code == 1;
  return code;
}

static int
draw_in_place(struct sender *sender, const struct picture *picture,
              const struct layout *layout,
              const struct shmvideo_frame_info *info)
{
  struct shmvideo_slot *slot = NULL;
  int code = shmvideo_writer_acquire_wait(sender->writer, TRUE, -1, &slot);

  if (code != 1)
    return code;
  g_assert_cmpuint(layout->size, <=, slot->size);
  memset(slot->data, 0xa5, slot->size);
  picture_write(picture, slot->data, layout);
  code = shmvideo_writer_publish(sender->writer, slot, info);
  if (code < 0) {
    shmvideo_slot_release(slot);
    return code;
  }
  sender->zero_copy++;
  return 1;
}

static char *
show(struct sender *sender, const struct job *job,
     const struct picture *picture, const struct layout *layout)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  char *trouble = set_format(sender, job, layout);
  int code;

  if (trouble != NULL)
    return trouble;
  describe(&info, job, layout, &sender->format);
  code = job->memory == MEMORY_LENT
             ? draw_in_place(sender, picture, layout, &info)
             : copy(sender, picture, layout, &info);
  if (code == 0)
    return g_strdup("no slot is free");
  return code < 0 ? fail(sender, code, NULL) : NULL;
}

static void
stats(struct sender *sender, struct job_stats *out)
{
  out->frames = sender->copied + sender->zero_copy;
  out->copied = sender->copied;
  out->zero_copy = sender->zero_copy;
}

static char *
message(struct sender *sender)
{
  return g_strdup(sender->said != NULL ? sender->said : "no message");
}

static int
get_fd(struct sender *sender)
{
  return sender->writer != NULL ? shmvideo_writer_get_fd(sender->writer) : -1;
}

static void
dispatch(struct sender *sender)
{
  g_assert_cmpint(shmvideo_writer_dispatch(sender->writer), ==, 0);
}

const struct sender_way sender_library = {
    create, destroy, start, stop, set_caps, show, stats, message, get_fd,
    dispatch};
