/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* Making a reader, and telling how it stands. See reader.h. */

#include "os.h"

#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "caps.h"
#include "format.h"

#define DEFAULT_DEPTH 4u
#define DEFAULT_MIN_HOLDS 1u
#define DEFAULT_MAX_HOLDS 2u
#define MOST_SPIN UINT64_C(100000000)

/* ---- Life ---------------------------------------------------------------- */

/* NULL: anything. */
static int
set_accepts(struct shmvideo_reader *reader, const char *accepts,
            struct shmvideo_error *error)
{
  char *copy = NULL;
  int code = accepts != NULL ? shmv_caps_check(accepts, error) : 0;
  if (code < 0)
    return code;
  if (accepts != NULL && (copy = strdup(accepts)) == NULL)
    return shmv_error_set(error, -ENOMEM, 0, NULL, "No memory to follow %s",
                          reader->path.text);
  free(reader->accepts);
  reader->accepts = copy;
  return 0;
}

static int
read_config(struct shmvideo_reader *reader,
            const struct shmvideo_reader_config *config,
            struct shmvideo_error *error)
{
  struct shmv_hello *h = &reader->hello;
  h->version_min = h->version_max = SHMV_WIRE_VERSION;
  h->policy = config->policy;
  h->depth = config->depth != 0 ? config->depth : DEFAULT_DEPTH;
  uint32_t min = config->min_holds != 0 ? config->min_holds : DEFAULT_MIN_HOLDS;
  uint32_t max = config->max_holds != 0 ? config->max_holds : DEFAULT_MAX_HOLDS;
  if (max < min)
    max = min;
  if (h->policy > SHMVIDEO_LOSSLESS || h->depth > SHMV_MAX_DEPTH ||
      max > SHMV_MAX_HOLDS)
    return shmv_error_set(error, -EINVAL, 0, "See shmvideo.h for the bounds.",
                          "A reader of %s cannot have policy %u, depth %u, %u "
                          "holds",
                          reader->path.text, h->policy, h->depth, max);
  uint32_t align = config->stride_align != 0 ? config->stride_align : 1;
  if (align > 4096 || (align & (align - 1)) != 0)
    return shmv_error_set(error, -EINVAL, 0, "See shmvideo.h for the bounds.",
                          "A reader of %s cannot have strides at multiples of %u",
                          reader->path.text, align);
  h->flags = (uint32_t)__builtin_ctz(align) << SHMV_HELLO_ALIGN_SHIFT |
             (config->flexible != 0 ? SHMV_HELLO_FLEXIBLE : 0);
  h->holds_min = (uint16_t)min;
  h->holds_want = (uint16_t)max;
  reader->spin = config->spin < MOST_SPIN ? config->spin : MOST_SPIN;
  reader->log.func = config->log;
  reader->log.user = config->log_user;
  return set_accepts(reader, config->accepts, error);
}

static void
destroy(struct shmvideo_reader *reader)
{
  pthread_mutex_destroy(&reader->lock);
  free(reader->accepts);
  free(reader->caps);
  free(reader);
}

static int
start_watching(struct shmvideo_reader *reader, struct shmvideo_error *error)
{
  int code = 0;
  reader->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (reader->epoll_fd < 0)
    code = -errno;
  else if ((code = shmv_watch_init(&reader->watch, &reader->path)) == 0) {
    code = shmv_reader_poll(reader, reader->watch.inotify_fd);
    if (code == 0)
      code = shmv_reader_poll(reader, reader->watch.timer_fd);
    if (code < 0)
      shmv_watch_fini(&reader->watch);
  }
  if (code < 0) {
    if (reader->epoll_fd >= 0)
      close(reader->epoll_fd);
    shmv_error_set(error, code, 0, "Raise the limit of open files.",
                   "Cannot make descriptors to follow %s: %s",
                   reader->path.text, strerror(-code));
  }
  return code;
}

int
shmvideo_reader_new(const struct shmvideo_reader_config *config,
                    struct shmvideo_error *error,
                    struct shmvideo_reader **out_reader)
{
  *out_reader = NULL;
  if (config->size != sizeof *config || config->path == NULL)
    return shmv_error_set(error, -EINVAL, 0, "Say which path to follow.",
                          "The reader has no path");
  struct shmvideo_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL)
    return shmv_error_set(error, -ENOMEM, 0, NULL, "No memory to follow %.200s",
                          config->path);
  pthread_mutex_init(&reader->lock, NULL);
  int code = shmv_path_resolve(&reader->path, config->path, error);
  if (code == 0)
    code = read_config(reader, config, error);
  if (code == 0)
    code = start_watching(reader, error);
  if (code < 0) {
    destroy(reader);
    return code;
  }
  shmv_reader_connect(reader); /* what is hopeless now is told by acquire */
  *out_reader = reader;
  return 0;
}

void
shmvideo_reader_free(struct shmvideo_reader *reader)
{
  if (reader == NULL)
    return;
  shmv_reader_drop_link(reader);
  shmv_watch_fini(&reader->watch);
  close(reader->epoll_fd);
  destroy(reader);
}

int
shmvideo_reader_set_accepts(struct shmvideo_reader *reader, const char *accepts,
                            struct shmvideo_error *error)
{
  int code = set_accepts(reader, accepts, error);
  if (code < 0)
    return code;
  shmv_reader_say_accepts(reader);
  return 0;
}

int
shmvideo_reader_get_fd(struct shmvideo_reader *reader)
{
  return reader->epoll_fd;
}

/* ---- Telling ------------------------------------------------------------- */

void
shmvideo_reader_note_copy(struct shmvideo_reader *reader)
{
  pthread_mutex_lock(&reader->lock);
  reader->n_copied++;
  if (reader->link != NULL && reader->link->page != NULL)
    shmv_store(&reader->link->page->copied,
               shmv_peek(&reader->link->page->copied) + 1);
  pthread_mutex_unlock(&reader->lock);
}

int
shmvideo_reader_get_format(struct shmvideo_reader *reader,
                           struct shmvideo_format *out_format, char *text,
                           size_t text_size)
{
  pthread_mutex_lock(&reader->lock);
  int code = reader->caps == NULL ? -ENODATA : 0;
  if (code == 0) {
    *out_format = reader->format;
    size_t size = strlen(reader->caps);
    if (text != NULL && text_size > 0) {
      size_t n = size < text_size ? size : text_size - 1;
      memcpy(text, reader->caps, n);
      text[n] = 0;
    }
  }
  pthread_mutex_unlock(&reader->lock);
  return code;
}

void
shmvideo_reader_get_status(struct shmvideo_reader *reader,
                           struct shmvideo_reader_status *out)
{
  memset(out, 0, sizeof *out);
  pthread_mutex_lock(&reader->lock);
  const struct shmv_link *link = reader->link;
  if (link != NULL && link->view != NULL) {
    out->connected = 1;
    out->writer_pid = (int)link->who.pid;
    out->writer_uid = link->who.uid;
    out->policy = link->policy;
    out->depth = link->session.welcome.depth;
    out->max_holds = link->session.welcome.holds;
    out->holding = shmv_link_n_held(link);
    out->stride_align = shmv_format_alignment(&link->view->format);
    out->latency = shmv_peek(&link->view->board->latency_us) * UINT64_C(1000);
  }
  out->received = reader->n_received;
  out->skipped = reader->n_skipped;
  out->copied = reader->n_copied;
  pthread_mutex_unlock(&reader->lock);
}

int
shmvideo_reader_get_error(struct shmvideo_reader *reader,
                          struct shmvideo_error *out_error)
{
  pthread_mutex_lock(&reader->lock);
  *out_error = reader->error;
  pthread_mutex_unlock(&reader->lock);
  return out_error->code == 0 ? -ENODATA : 0;
}
