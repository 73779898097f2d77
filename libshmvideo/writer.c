/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Making, changing and describing a share. Frames: writer-take.c, writer-frames.c.
 * Readers coming and going: writer-dispatch.c. */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "caps.h"
#include "format.h"
#include "testpoint.h"

#define DEFAULT_PERMS 0600u
#define DEFAULT_MAX_LENT 16u
#define DEFAULT_WISH_INTERVAL UINT64_C(1000000000)
#define DEFAULT_BACKPRESSURE_TIMEOUT UINT64_C(5000000000)

/* ---- Life ---------------------------------------------------------------- */

static void
set_config(struct shmvideo_writer *writer,
           const struct shmvideo_writer_config *config)
{
  struct shmvideo_writer_config *c = &writer->config;
  *c = *config;
  c->path = NULL;
  if (c->perms == 0)
    c->perms = DEFAULT_PERMS;
  if (c->max_lent == 0)
    c->max_lent = DEFAULT_MAX_LENT;
  if (c->backpressure_timeout == 0)
    c->backpressure_timeout = DEFAULT_BACKPRESSURE_TIMEOUT;
  if (c->wish_interval == 0)
    c->wish_interval = DEFAULT_WISH_INTERVAL;
  if (c->max_readers == 0 || c->max_readers > SHMV_MAX_READERS)
    c->max_readers = SHMV_MAX_READERS;
  writer->log.func = c->log;
  writer->log.user = c->log_user;
}

static int
add_to_epoll(int epoll_fd, int fd, void *data)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Descriptors first: what can fail for lack of them fails before readers see us. */
static int
open_descriptors(struct shmvideo_writer *writer)
{
  int flags = EFD_CLOEXEC | EFD_NONBLOCK;
  if ((writer->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
      (writer->owner_fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
      (writer->news_fd = eventfd(0, flags)) < 0 ||
      (writer->kick_fd = eventfd(0, flags)) < 0 ||
      (writer->wait_fd = eventfd(0, flags)) < 0 ||
      (writer->timer_fd = timerfd_create(CLOCK_MONOTONIC,
                                         TFD_CLOEXEC | TFD_NONBLOCK)) < 0)
    return -errno;
  int code = add_to_epoll(writer->epoll_fd, writer->kick_fd, &writer->kick_fd);
  if (code == 0)
    code = add_to_epoll(writer->epoll_fd, writer->timer_fd, &writer->timer_fd);
  if (code == 0)
    code = add_to_epoll(writer->owner_fd, writer->epoll_fd, NULL);
  return code < 0 ? code : add_to_epoll(writer->owner_fd, writer->news_fd, NULL);
}

static void
close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void
close_descriptors(struct shmvideo_writer *writer)
{
  close_fd(&writer->owner_fd);
  close_fd(&writer->news_fd);
  close_fd(&writer->epoll_fd);
  close_fd(&writer->kick_fd);
  close_fd(&writer->timer_fd);
}

void
shmv_writer_destroy(struct shmvideo_writer *writer)
{
  close_fd(&writer->wait_fd);
  pthread_mutex_destroy(&writer->lock);
  free(writer);
}

int
shmvideo_writer_new(const struct shmvideo_writer_config *config,
                    struct shmvideo_error *error,
                    struct shmvideo_writer **out_writer)
{
  *out_writer = NULL;
  if (config->size != sizeof *config || config->path == NULL)
    return shmv_error_set(error, -EINVAL, 0, "Give the share a path.",
                          "The writer has no path");
  struct shmv_path path;
  int code = shmv_path_resolve(&path, config->path, error);
  if (code < 0)
    return code;
  struct shmvideo_writer *writer = calloc(1, sizeof *writer);
  if (writer == NULL)
    return shmv_error_set(error, -ENOMEM, 0, NULL, "No memory to share %s",
                          path.text);
  set_config(writer, config);
  writer->refs = 1;
  writer->epoll_fd = writer->kick_fd = writer->timer_fd = writer->wait_fd = -1;
  writer->owner_fd = writer->news_fd = -1;
  pthread_mutex_init(&writer->lock, NULL);
  if (getrandom(&writer->stream, sizeof writer->stream, GRND_NONBLOCK) < 0)
    writer->stream = shmv_now();
  code = open_descriptors(writer);
  if (code < 0)
    shmv_error_set(error, code, 0, "Raise the limit of open files.",
                   "Cannot make descriptors to share %s: %s", path.text,
                   strerror(-code));
  else
    code = shmv_listener_open(&writer->listener, &path,
                              (mode_t)writer->config.perms, error);
  if (code == 0) {
    code = add_to_epoll(writer->epoll_fd, writer->listener.fd, &writer->listener);
    if (code < 0) {
      shmv_error_set(error, code, 0, NULL, "Cannot poll the socket %s: %s",
                     path.text, strerror(-code));
      shmv_listener_close(&writer->listener);
    }
  }
  if (code < 0) {
    close_descriptors(writer);
    shmv_writer_destroy(writer);
    return code;
  }
  *out_writer = writer;
  return 0;
}

void
shmvideo_writer_free(struct shmvideo_writer *writer)
{
  if (writer == NULL)
    return;
  /* Last words: an END that dispatch has not come to yet. */
  shmvideo_writer_dispatch(writer);
  pthread_mutex_lock(&writer->lock);
  writer->closed = true;
  struct shmv_generation *generation = shmv_writer_install(writer, NULL);
  if (generation != NULL)
    shmv_store(&generation->board->state, SHMV_BOARD_ENDED);
  pthread_mutex_unlock(&writer->lock);
  shmv_writer_unref_generation(writer, generation);
  shmv_listener_close(&writer->listener);
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++)
    if (writer->peers[i] != NULL) {
      shmv_peer_unplace(writer, writer->peers[i]);
      (void)shmv_peer_free(writer, writer->peers[i], true);
    }
  free(writer->wish);
  close_descriptors(writer);
  pthread_mutex_lock(&writer->lock);
  bool last = --writer->refs == 0;
  pthread_mutex_unlock(&writer->lock);
  if (last)
    shmv_writer_destroy(writer);
}

int
shmvideo_writer_get_fd(struct shmvideo_writer *writer)
{
  return writer->owner_fd;
}

/* ---- Generations --------------------------------------------------------- */

struct shmv_generation *
shmv_writer_ref_generation(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  struct shmv_generation *generation = writer->generation;
  if (generation != NULL)
    generation->refs++;
  pthread_mutex_unlock(&writer->lock);
  return generation;
}

void
shmv_writer_unref_generation(struct shmvideo_writer *writer,
                             struct shmv_generation *generation)
{
  if (generation == NULL)
    return;
  pthread_mutex_lock(&writer->lock);
  bool last = --generation->refs == 0;
  pthread_mutex_unlock(&writer->lock);
  if (last)
    shmv_generation_free(generation);
}

void
shmv_writer_bound_places(struct shmvideo_writer *writer)
{
  uint32_t n = SHMV_MAX_READERS;
  while (n > 0 && writer->placed[n - 1] == NULL)
    n--;
  writer->n_places = n;
  writer->n_moves++;
  if (writer->generation != NULL)
    writer->generation->claims.n_places = n;
}

struct shmv_generation *
shmv_writer_install(struct shmvideo_writer *writer,
                    struct shmv_generation *generation)
{
  struct shmv_generation *old = writer->generation;
  writer->generation = generation;
  if (generation != NULL) {
    generation->claims.n_places = writer->n_places;
    shmv_store(&generation->board->latency_us, (uint32_t)writer->latency_us);
    for (uint32_t i = 0; i < SHMV_MAX_READERS; i++)
      if (writer->readers[i].demoted)
        shmv_store(&generation->board->readers[i], SHMV_READER_DEMOTED);
  }
  if (old != NULL) {
    shmv_slot_unwait(old->board);
    shmv_store(&old->board->state, SHMV_BOARD_SUPERSEDED);
  }
  return old;
}

/* Texts without a rate are completed: some programs take them for no video. */
static int
copy_caps(const char *caps, char *text)
{
  bool rate = strstr(caps, " framerate") != NULL ||
              strstr(caps, ",framerate") != NULL;
  int n = snprintf(text, SHMV_CAPS_MAX + 1, "%s%s", caps,
                   rate ? "" : ", framerate=(fraction)0/1");
  return n > SHMV_CAPS_MAX ? -E2BIG : 0;
}

/* Where planes lie is ours to choose, so they lie as readers wish: as far as frames do
 * not grow so much that memory ends for their sake. */
static int
choose_layout(struct shmvideo_writer *writer, struct shmvideo_format *format)
{
  int code = shmv_format_default_layout(format);
  pthread_mutex_lock(&writer->lock);
  uint32_t align = shmv_writer_alignment(writer);
  pthread_mutex_unlock(&writer->lock);
  for (; code == 0 && align > 1; align /= 2) {
    struct shmvideo_format aligned = *format;
    if (shmv_format_align(&aligned, align) < 0 ||
        !shmv_writer_may_grow(writer->config.max_memory, format->size,
                              aligned.size))
      continue;
    *format = aligned;
    break;
  }
  return code;
}

static int
complete_format(struct shmvideo_writer *writer, struct shmvideo_format *format,
                const char *caps, char *text, struct shmvideo_error *error)
{
  const char *name = shmvideo_pixel_format_name(format->pixel_format);
  if (name == NULL)
    return shmv_error_set(error, -EMEDIUMTYPE, 0,
                          "Convert the video to a known format.",
                          "Pixel format number %u is unknown",
                          format->pixel_format);
  int code = 0;
  if (format->size == 0)
    code = choose_layout(writer, format);
  if (code == 0)
    code = shmv_format_check_layout(format, format->n_planes, format->stride,
                                    format->offset, format->size);
  if (code == 0 && caps != NULL)
    code = copy_caps(caps, text);
  else if (code == 0)
    code = shmvideo_format_to_caps(format, text, SHMV_CAPS_MAX + 1);
  if (code < 0)
    return shmv_error_set(error, code, 0, NULL,
                          "The format %s %ux%u cannot be shared: %s", name,
                          format->width, format->height,
                          shmvideo_strerror(code));
  /* What readers parse from the text is what the frame says: nothing else. */
  struct shmvideo_format parsed;
  code = shmvideo_format_from_caps(&parsed, text, error);
  if (code < 0)
    return code;
  if (parsed.pixel_format != format->pixel_format ||
      parsed.width != format->width || parsed.height != format->height ||
      parsed.n_planes != format->n_planes)
    return shmv_error_set(error, -EINVAL, 0, NULL,
                          "The caps text contradicts the format: %s", text);
  memcpy(parsed.stride, format->stride, sizeof parsed.stride);
  memcpy(parsed.offset, format->offset, sizeof parsed.offset);
  parsed.size = format->size;
  *format = parsed;
  return 0;
}

static bool
same_format(struct shmvideo_writer *writer, const struct shmvideo_format *format,
            const char *caps)
{
  pthread_mutex_lock(&writer->lock);
  const struct shmv_generation *now = writer->generation;
  bool same = now != NULL &&
              memcmp(&now->format, format, sizeof *format) == 0 &&
              strcmp(now->caps, caps) == 0;
  pthread_mutex_unlock(&writer->lock);
  return same;
}

int
shmvideo_writer_set_format(struct shmvideo_writer *writer,
                           const struct shmvideo_format *format,
                           const char *caps, struct shmvideo_error *error)
{
  char text[SHMV_CAPS_MAX + 1];
  struct shmvideo_format full = *format;
  int code = complete_format(writer, &full, caps, text, error);
  if (code < 0)
    return code;
  if (same_format(writer, &full, text))
    return 0;
  struct shmv_generation *generation;
  code = shmv_generation_new(&generation, &full, text,
                             writer->config.max_memory, writer->readers);
  if (code < 0)
    return shmv_error_set(
        error, code, 0,
        code == -E2BIG ? "Allow more frame memory (max-memory)."
        : code == -EMFILE || code == -ENFILE
            ? "Raise the limit of open files."
            : "Free memory, or use smaller frames.",
        "No frame memory for %s %ux%u (%llu bytes a frame): %s",
        shmvideo_pixel_format_name(full.pixel_format), full.width, full.height,
        (unsigned long long)full.size, shmvideo_strerror(code));
  SHMV_TEST_POINT("generation-made");
  pthread_mutex_lock(&writer->lock);
  uint32_t number = ++writer->last_generation;
  shmv_generation_begin(generation, number, writer->sequence);
  struct shmv_generation *old = shmv_writer_install(writer, generation);
  pthread_mutex_unlock(&writer->lock);
  shmv_writer_unref_generation(writer, old);
  shmv_writer_kick(writer);
  shmv_log(&writer->log, SHMVIDEO_LOG_INFO, "format %u: %s", number, text);
  return 0;
}

/* ---- Telling ------------------------------------------------------------- */

void
shmvideo_writer_end(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  writer->n_ends++;
  writer->end_sequence = writer->sequence;
  writer->end_generation =
      writer->generation != NULL ? writer->generation->number : 0;
  pthread_mutex_unlock(&writer->lock);
  shmv_writer_kick(writer);
}

void
shmvideo_writer_set_latency(struct shmvideo_writer *writer, uint64_t latency)
{
  uint64_t us = (latency + 999) / 1000;
  pthread_mutex_lock(&writer->lock);
  writer->latency_us = us < UINT32_MAX ? us : UINT32_MAX;
  if (writer->generation != NULL)
    shmv_store(&writer->generation->board->latency_us,
               (uint32_t)writer->latency_us);
  pthread_mutex_unlock(&writer->lock);
}
