/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What can happen before the first frame: a writer and those who connect to it, in
 * one process, the rude ones with a bare socket.
 */

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"
#include "wire.h"

static struct shmvideo_writer *
writer_new(const char *path, uint32_t max_readers)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_writer *writer;
  struct shmvideo_error error;
  config.path = path;
  config.max_readers = max_readers;
  if (shmvideo_writer_new(&config, &error, &writer) < 0)
    g_error("%s", error.message);
  return writer;
}

static struct shmvideo_reader *
reader_new(const char *path)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  struct shmvideo_error error;
  config.path = path;
  if (shmvideo_reader_new(&config, &error, &reader) < 0)
    g_error("%s", error.message);
  return reader;
}

static int
connect_to(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==,
                  0);
  return fd;
}

/* Dispatch the writer whenever it asks for it, until fd has one of the events:
 * those, or 0 when it takes too long. */
static int
serve_until(struct shmvideo_writer *writer, int fd, short events, int limit_ms)
{
  guint64 end = shmvtest_now() + (guint64)limit_ms * 1000000;
  struct pollfd fds[2] = {{.fd = shmvideo_writer_get_fd(writer),
                           .events = POLLIN},
                          {.fd = fd, .events = events}};
  for (;;) {
    guint64 now = shmvtest_now();
    int left = now < end ? (int)((end - now) / 1000000) : 0;
    poll(fds, 2, left);
    if (fds[1].revents != 0)
      return fds[1].revents;
    if (fds[0].revents == 0 && now >= end)
      return 0;
    if (fds[0].revents != 0)
      g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
  }
}

/* Acquire until there is an outcome, dispatching both. */
static int
next_outcome(struct shmvideo_writer *writer, struct shmvideo_reader *reader)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  const struct shmvideo_frame *frame;
  for (;;) {
    int code = shmvideo_reader_acquire(reader, &frame);
    if (code != SHMVIDEO_AGAIN)
      return code;
    g_assert_cmpuint(shmvtest_now(), <, end);
    serve_until(writer, shmvideo_reader_get_fd(reader), POLLIN, 1000);
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  }
}

static void
test_silence_is_closed(void)
{
  const char *path = shmvtest_path("share");
  struct shmvideo_writer *writer = writer_new(path, 0);
  int fd = connect_to(path);
  guint64 start = shmvtest_now();
  int events = serve_until(writer, fd, 0, 5000 + shmvtest_deadline());
  g_assert_cmpint(events & POLLHUP, ==, POLLHUP);
  g_assert_cmpuint(shmvtest_now() - start, >, 4000000000u);
  close(fd);
  shmvideo_writer_free(writer);
}

/* Each HELLO more would have the writer make another page. The harness sees it. */
static void
test_one_hello_is_enough(void)
{
  const char *path = shmvtest_path("share");
  struct shmvideo_writer *writer = writer_new(path, 1);
  struct shmvideo_reader *reader = reader_new(path);
  while (shmvideo_writer_get_n_readers(writer) == 0)
    g_assert_cmpint(serve_until(writer, -1, 0, 10), ==, 0);
  int fd = connect_to(path);
  struct shmv_message message = {.type = SHMV_HELLO,
                                 .u.hello = {1, 1, 0, 1, 1, 1, 0}};
  uint8_t bytes[SHMV_WIRE_MAX];
  for (message.serial = 1; message.serial <= 10; message.serial++) {
    uint32_t size = shmv_wire_encode(&message, bytes);
    g_assert_cmpint(send(fd, bytes, size, 0), ==, size);
  }
  g_assert_cmpint(serve_until(writer, fd, POLLIN, shmvtest_deadline()), ==,
                  POLLIN);
  ssize_t size = recv(fd, bytes, sizeof bytes, 0);
  g_assert_cmpint(shmv_wire_decode(&message, bytes, (size_t)size), ==, 0);
  g_assert_cmpuint(message.type, ==, SHMV_REFUSED);
  g_assert_cmpuint(message.u.refusal, ==, SHMV_REFUSED_READERS);
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
  g_assert_cmpint(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), <=, 0);
  close(fd);
}

/* A stream that ends before it has a format ends for its readers too, and what comes
 * then is not lost on them. */
static void
test_end_before_any_format(void)
{
  const char *path = shmvtest_path("share");
  struct shmvideo_writer *writer = writer_new(path, 0);
  struct shmvideo_reader *reader = reader_new(path);
  while (shmvideo_writer_get_n_readers(writer) == 0)
    g_assert_cmpint(serve_until(writer, -1, 0, 10), ==, 0);
  shmvideo_writer_end(writer);
  g_assert_cmpint(next_outcome(writer, reader), ==, SHMVIDEO_END);
  struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_GRAY8,
                                   .width = 16,
                                   .height = 16};
  g_assert_cmpint(shmvideo_writer_set_format(writer, &format, NULL, NULL), ==,
                  0);
  g_assert_cmpint(next_outcome(writer, reader), ==, SHMVIDEO_NEW_FORMAT);
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/early/who-says-nothing-is-not-kept", test_silence_is_closed);
  shmvtest_add("/early/one-hello-is-enough", test_one_hello_is_enough);
  shmvtest_add("/early/the-end-before-any-format", test_end_before_any_format);
  return shmvtest_run();
}
