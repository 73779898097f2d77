/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "feeder.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "gsttest.h"

struct feeder {
  struct feeder_config config;
  struct shmvideo_writer *writer;
  struct shmvideo_format format;
  GThread *thread;
  int stop_fd, timer_fd;
  GMutex lock; /* format, count, n_readers; one publisher at a time */
  GCond changed;
  guint64 count;
  guint n_readers; /* as the last dispatch left them, all else of them done */
  gboolean feeding;
};

static GstClockTime
frame_duration(struct feeder *feeder)
{
  return GST_SECOND / (feeder->config.fps != 0 ? feeder->config.fps : 50);
}

/* Under the lock. */
static void
set_format(struct feeder *feeder, guint width, guint height)
{
  struct shmvideo_format *format = &feeder->format;
  struct shmvideo_error error;

  memset(format, 0, sizeof *format);
  format->pixel_format = SHMVIDEO_FORMAT_I420;
  format->width = width;
  format->height = height;
  format->fps_n = feeder->config.fps;
  format->fps_d = 1;
  g_assert_cmpint(shmvideo_format_set_default_layout(format), ==, 0);
  if (feeder->config.padding != 0) {
    guint64 offset = 0;

    for (guint i = 0; i < 3; i++) {
      guint rows = i == 0 ? height : (height + 1) / 2;

      format->stride[i] += feeder->config.padding;
      format->offset[i] = offset;
      offset += (guint64)format->stride[i] * rows + 64;
    }
    format->size = offset;
  }
  if (shmvideo_writer_set_format(feeder->writer, format, NULL, &error) != 0)
    g_error("%s", error.message);
}

/* Under the lock. */
static void
show(struct feeder *feeder)
{
  struct shmvideo_frame_info info = SHMVIDEO_FRAME_INFO_INIT;
  struct shmvideo_slot *slot;
  int result = shmvideo_writer_acquire_wait(feeder->writer, TRUE, -1, &slot);

  g_assert_cmpint(result, >=, 0);
  if (result == 0)
    return;
  memset(slot->data, (int)(feeder->count & 0xff), slot->size);
  info.pts = feeder->count * frame_duration(feeder);
  info.duration = frame_duration(feeder);
  info.offset = feeder->count;
  info.offset_end = feeder->count + 1;
  if (!feeder->config.no_capture)
    info.capture_time = shmvtest_now() - feeder->config.latency;
  g_assert_cmpint(shmvideo_writer_publish(feeder->writer, slot, &info), ==, 0);
  feeder->count++;
  g_cond_broadcast(&feeder->changed);
}

static gpointer
run(gpointer data)
{
  struct feeder *feeder = data;
  struct pollfd fds[3] = {
      {.fd = feeder->stop_fd, .events = POLLIN},
      {.fd = shmvideo_writer_get_fd(feeder->writer), .events = POLLIN},
      {.fd = feeder->timer_fd, .events = POLLIN}};
  uint64_t ticks;

  for (;;) {
    g_assert_cmpint(poll(fds, 3, -1), >, 0);
    if (fds[0].revents)
      return NULL;
    if (fds[1].revents)
      g_assert_cmpint(shmvideo_writer_dispatch(feeder->writer), ==, 0);
    g_mutex_lock(&feeder->lock);
    if (fds[2].revents && read(feeder->timer_fd, &ticks, sizeof ticks) > 0 &&
        feeder->feeding)
      show(feeder);
    feeder->n_readers = shmvideo_writer_get_n_readers(feeder->writer);
    g_cond_broadcast(&feeder->changed);
    g_mutex_unlock(&feeder->lock);
  }
}

static void
start_timer(struct feeder *feeder)
{
  struct itimerspec when = {0};

  when.it_interval.tv_nsec = (long)frame_duration(feeder);
  when.it_value.tv_nsec = 1;
  g_assert_cmpint(timerfd_settime(feeder->timer_fd, 0, &when, NULL), ==, 0);
}

struct feeder *
feeder_new(const char *path, struct feeder_config config)
{
  struct shmvideo_writer_config writer = SHMVIDEO_WRITER_CONFIG_INIT;
  struct feeder *feeder = g_new0(struct feeder, 1);
  struct shmvideo_error error;

  if (config.width == 0) {
    config.width = 66;
    config.height = 50;
  }
  feeder->config = config;
  writer.path = path;
  writer.backpressure = config.backpressure;
  if (shmvideo_writer_new(&writer, &error, &feeder->writer) != 0)
    g_error("%s", error.message);
  g_mutex_init(&feeder->lock);
  g_cond_init(&feeder->changed);
  set_format(feeder, config.width, config.height);
  shmvideo_writer_set_latency(feeder->writer, config.latency);
  feeder->stop_fd = eventfd(0, EFD_CLOEXEC);
  feeder->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  feeder->feeding = !config.quiet;
  start_timer(feeder);
  feeder->thread = g_thread_new("feeder", run, feeder);
  return feeder;
}

void
feeder_free(struct feeder *feeder)
{
  if (feeder == NULL)
    return;
  g_assert_cmpint(eventfd_write(feeder->stop_fd, 1), ==, 0);
  g_thread_join(feeder->thread);
  shmvideo_writer_free(feeder->writer);
  close(feeder->stop_fd);
  close(feeder->timer_fd);
  g_mutex_clear(&feeder->lock);
  g_cond_clear(&feeder->changed);
  g_free(feeder);
}

void
feeder_end(struct feeder *feeder)
{
  shmvideo_writer_end(feeder->writer);
}

static void
set_feeding(struct feeder *feeder, gboolean feeding)
{
  g_mutex_lock(&feeder->lock);
  feeder->feeding = feeding;
  g_mutex_unlock(&feeder->lock);
}

void
feeder_stop(struct feeder *feeder)
{
  set_feeding(feeder, FALSE);
}

void
feeder_start(struct feeder *feeder)
{
  set_feeding(feeder, TRUE);
}

void
feeder_resize(struct feeder *feeder, guint width, guint height)
{
  g_mutex_lock(&feeder->lock);
  set_format(feeder, width, height);
  g_mutex_unlock(&feeder->lock);
}

void
feeder_set_latency(struct feeder *feeder, GstClockTime latency)
{
  shmvideo_writer_set_latency(feeder->writer, latency);
}

void
feeder_show(struct feeder *feeder)
{
  g_mutex_lock(&feeder->lock);
  show(feeder);
  g_mutex_unlock(&feeder->lock);
}

guint64
feeder_count(struct feeder *feeder)
{
  guint64 count;

  g_mutex_lock(&feeder->lock);
  count = feeder->count;
  g_mutex_unlock(&feeder->lock);
  return count;
}

/* Wait under the lock for the next change. */
static void
wait_change(struct feeder *feeder, gint64 until, const char *what)
{
  if (!g_cond_wait_until(&feeder->changed, &feeder->lock, until))
    g_error("%s: not within the deadline", what);
}

static gint64
deadline(void)
{
  return g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
}

void
feeder_wait(struct feeder *feeder, guint64 more)
{
  gint64 until = deadline();
  guint64 count;

  g_mutex_lock(&feeder->lock);
  count = feeder->count + more;
  while (feeder->count < count)
    wait_change(feeder, until, "frames shown");
  g_mutex_unlock(&feeder->lock);
}

void
feeder_wait_readers(struct feeder *feeder, guint n)
{
  gint64 until = deadline();

  g_mutex_lock(&feeder->lock);
  while (feeder->n_readers != n)
    wait_change(feeder, until, "readers");
  g_mutex_unlock(&feeder->lock);
}

gboolean
feeder_reader(struct feeder *feeder, struct shmvideo_reader_info *out)
{
  return shmvideo_writer_get_readers(feeder->writer, out, 1) >= 1;
}

struct shmvideo_writer *
feeder_writer(struct feeder *feeder)
{
  return feeder->writer;
}

guint64
feeder_check(GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer(sample);
  guint64 number = GST_BUFFER_OFFSET(buffer);
  GstVideoFrame frame;
  GstVideoInfo info;

  g_assert_true(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
  for (guint c = 0; c < 3; c++) {
    const guint8 *row = GST_VIDEO_FRAME_COMP_DATA(&frame, c);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&frame, c); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(&frame, c); x++)
        if (row[x] != (number & 0xff))
          g_error("frame %" G_GUINT64_FORMAT ", component %u, row %d, byte %d: "
                  "%d", number, c, y, x, row[x]);
      row += GST_VIDEO_FRAME_COMP_STRIDE(&frame, c);
    }
  }
  gst_video_frame_unmap(&frame);
  return number;
}
