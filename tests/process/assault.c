/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "assault.h"

#include <string.h>
#include <unistd.h>

#include "segment.h"

/* More turns than any honest exchange takes: beyond, somebody spins. */
#define TURNS 200

static void
fill_format(struct shmvideo_format *format, uint32_t width)
{
  memset(format, 0, sizeof *format);
  format->pixel_format = SHMVIDEO_FORMAT_GRAY8;
  format->width = width;
  format->height = 48;
  format->fps_n = 30;
  format->fps_d = 1;
  g_assert_cmpint(shmvideo_format_set_default_layout(format), ==, 0);
}

void
assault_set_format(struct shmvideo_writer *writer, uint32_t width)
{
  struct shmvideo_format format;
  struct shmvideo_error error = {0};
  fill_format(&format, width);
  int code = shmvideo_writer_set_format(writer, &format, NULL, &error);
  g_assert_cmpstr(error.message, ==, "");
  g_assert_cmpint(code, ==, 0);
}

struct shmvideo_writer *
assault_writer(const char *name, const struct shmvideo_writer_config *config)
{
  struct shmvideo_writer_config own = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  struct shmvideo_writer *writer;
  if (config != NULL)
    own = *config;
  own.path = shmvtest_path(name);
  int code = shmvideo_writer_new(&own, &error, &writer);
  g_assert_cmpstr(error.message, ==, "");
  g_assert_cmpint(code, ==, 0);
  assault_set_format(writer, 64);
  return writer;
}

void
assault_show(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
  slot->data[0] = (uint8_t)(writer->sequence + 1);
  g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
}

void
assault_settle(struct shmvideo_writer *writer)
{
  int turns = 0;
  if (writer == NULL)
    return;
  do {
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
    g_assert_cmpint(turns++, <, TURNS);
  } while (shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 0) != 0);
}

struct shmvideo_reader *
assault_reader(const char *name, uint32_t policy, uint32_t holds)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  struct shmvideo_reader *reader;
  config.path = shmvtest_path(name);
  config.policy = policy;
  config.max_holds = holds;
  int code = shmvideo_reader_new(&config, &error, &reader);
  g_assert_cmpstr(error.message, ==, "");
  g_assert_cmpint(code, ==, 0);
  return reader;
}

char *
assault_take_all(struct shmvideo_reader *reader, uint64_t *sequence)
{
  GString *outcomes = g_string_new(NULL);
  const struct shmvideo_frame *frame;
  int code;
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  while ((code = shmvideo_reader_acquire(reader, &frame)) != SHMVIDEO_AGAIN) {
    g_assert_cmpint(code, >, 0);
    g_string_append_c(outcomes, "?FNEL"[code]);
    if (code != SHMVIDEO_FRAME)
      continue;
    if (*sequence != 0)
      g_assert_cmpuint(frame->sequence, ==, *sequence + 1);
    g_assert_cmpuint(frame->data[0], ==, (uint8_t)frame->sequence);
    *sequence = frame->sequence;
    shmvideo_frame_release(frame);
  }
  return g_string_free(outcomes, FALSE);
}

void
assault_expect(struct shmvideo_reader *reader, uint64_t *sequence,
                const char *expected)
{
  char *outcomes = assault_take_all(reader, sequence);
  g_assert_cmpstr(outcomes, ==, expected);
  g_free(outcomes);
}

struct shmvideo_reader *
assault_join(struct shmvideo_writer *writer, const char *name, uint32_t policy,
     uint64_t *sequence)
{
  struct shmvideo_reader *reader = assault_reader(name, policy, 2);
  *sequence = 0;
  for (int i = 0; i < 3; i++) {
    assault_settle(writer);
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  }
  assault_show(writer);
  char *outcomes = assault_take_all(reader, sequence);
  g_assert_true(g_str_has_prefix(outcomes, "NF"));
  g_free(outcomes);
  assault_settle(writer);
  return reader;
}

/* ---- Messages -------------------------------------------------------------- */

static int
send_message(int fd, const struct shmv_message *message, const int *fds)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  uint32_t size = shmv_wire_encode(message, bytes);
  g_assert_cmpuint(size, >, 0);
  return shmv_socket_send(fd, bytes, size, fds,
                          fds != NULL ? shmv_wire_n_fds(message->type) : 0);
}

void
raw_expect(int fd, uint32_t type, struct shmv_message *message, int *fds)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  unsigned n;
  do {
    size_t size;
    g_assert_cmpint(shmvtest_poll(fd, POLLIN, shmvtest_deadline()), !=, 0);
    g_assert_cmpint(shmv_socket_recv(fd, bytes, sizeof bytes, &size, fds,
                                     fds != NULL ? 2 : 0, &n), ==, 0);
    g_assert_cmpint(shmv_wire_decode(message, bytes, size), ==, 0);
  } while (message->type == SHMV_WAKE && type != SHMV_WAKE);
  g_assert_cmpstr(shmv_wire_type_name(message->type), ==,
                  shmv_wire_type_name(type));
  g_assert_cmpuint(n, ==, shmv_wire_n_fds(type));
}

/* ---- A reader -------------------------------------------------------------- */

void
raw_reader_connect(struct raw_reader *reader, const char *name)
{
  struct shmv_path path;
  memset(reader, 0, sizeof *reader);
  reader->pool_fd = -1;
  g_assert_cmpint(shmv_path_resolve(&path, shmvtest_path(name), NULL), ==, 0);
  g_assert_cmpint(shmv_socket_connect(&path, &reader->fd, NULL), ==, 0);
}

static void
say(struct raw_reader *reader, struct shmv_message *message)
{
  message->serial = message->type == SHMV_NUDGE ? 0 : ++reader->serial;
  g_assert_cmpint(send_message(reader->fd, message, NULL), ==, 0);
}

void
raw_reader_say(struct raw_reader *reader, uint32_t type)
{
  struct shmv_message message = {.type = type};
  message.u.generation = reader->generation;
  say(reader, &message);
}

void
raw_reader_hello(struct raw_reader *reader, uint32_t policy, uint32_t depth,
                 uint16_t holds)
{
  struct shmv_message message = {.type = SHMV_HELLO};
  message.u.hello = (struct shmv_hello){.version_min = SHMV_WIRE_VERSION,
                                        .version_max = SHMV_WIRE_VERSION,
                                        .policy = policy,
                                        .depth = depth,
                                        .holds_min = 1,
                                        .holds_want = holds};
  say(reader, &message);
}

void
raw_reader_join(struct raw_reader *reader, struct shmvideo_writer *writer,
                const char *name, uint32_t policy, uint32_t depth,
                uint16_t holds)
{
  struct shmv_message message;
  int fds[2];
  void *page;
  const void *board;
  raw_reader_connect(reader, name);
  raw_reader_hello(reader, policy, depth, holds);
  assault_settle(writer);
  raw_expect(reader->fd, SHMV_PAGE, &message, fds);
  g_assert_cmpint(shmv_segment_map_page(fds[0], &page), ==, 0);
  close(fds[0]);
  reader->page = page;
  raw_reader_say(reader, SHMV_MAPPED);
  assault_settle(writer);
  raw_expect(reader->fd, SHMV_WELCOME, &message, NULL);
  reader->welcome = message.u.welcome;
  raw_expect(reader->fd, SHMV_FORMAT, &message, fds);
  reader->format = message.u.format;
  reader->generation = message.u.format.generation;
  g_assert_cmpint(shmv_segment_map(fds[1], 0, SHMV_BOARD_SIZE, &board), ==, 0);
  close(fds[1]);
  reader->board = board;
  reader->pool_fd = fds[0];
  raw_reader_say(reader, SHMV_READY);
  assault_settle(writer);
}

void
raw_reader_leave(struct raw_reader *reader)
{
  shmv_segment_unmap(reader->page, SHMV_PAGE_SIZE);
  shmv_segment_unmap(reader->board, SHMV_BOARD_SIZE);
  if (reader->pool_fd >= 0)
    close(reader->pool_fd);
  close(reader->fd);
}

/* ---- A writer -------------------------------------------------------------- */

void
raw_writer_listen(struct raw_writer *writer, const char *name)
{
  struct shmv_path path;
  struct shmvideo_format format;
  char caps[1024];
  memset(writer, 0, sizeof *writer);
  writer->fd = -1;
  fill_format(&format, 64);
  g_assert_cmpint(shmvideo_format_to_caps(&format, caps, sizeof caps), >, 0);
  g_assert_cmpint(shmvideo_format_from_caps(&format, caps, NULL), ==, 0);
  g_assert_cmpint(shmv_generation_new(&writer->generation, &format, caps, 0,
                                      writer->readers),
                  ==, 0);
  shmv_generation_begin(writer->generation, 1, 0);
  g_assert_cmpint(shmv_path_resolve(&path, shmvtest_path(name), NULL), ==, 0);
  g_assert_cmpint(shmv_listener_open(&writer->listener, &path, 0600, NULL), ==,
                  0);
}

void
raw_writer_accept(struct raw_writer *writer)
{
  int listener = writer->listener.fd;
  g_assert_cmpint(shmvtest_poll(listener, POLLIN, shmvtest_deadline()), !=, 0);
  g_assert_cmpint(shmv_listener_accept(&writer->listener, &writer->fd), ==, 0);
  writer->serial = 0;
}

int
raw_writer_say(struct raw_writer *writer, struct shmv_message *message,
               const int *fds)
{
  message->serial = message->type == SHMV_WAKE ? 0 : ++writer->serial;
  return send_message(writer->fd, message, fds);
}

void
raw_writer_format(const struct raw_writer *writer, struct shmv_message *message)
{
  const struct shmv_generation *generation = writer->generation;
  *message = (struct shmv_message){.type = SHMV_FORMAT};
  message->u.format = (struct shmv_format_message){
      .generation = generation->number,
      .n_slots = generation->board->n_slots,
      .slot_size = generation->slot_size,
      .pool_size = generation->pool.size,
      .board_size = SHMV_BOARD_SIZE,
      .format = generation->format};
  message->text = generation->caps;
  message->text_size = (uint32_t)strlen(generation->caps);
}

void
raw_writer_send_format(struct raw_writer *writer)
{
  int fds[2] = {writer->generation->pool.fd,
                writer->generation->board_segment.fd};
  struct shmv_message message;
  raw_writer_format(writer, &message);
  g_assert_cmpint(raw_writer_say(writer, &message, fds), ==, 0);
}

void
raw_writer_hear_hello(struct raw_writer *writer)
{
  struct shmv_message message;
  raw_expect(writer->fd, SHMV_HELLO, &message, NULL);
  writer->hello = message.u.hello;
}

void
raw_writer_send_page(struct raw_writer *writer)
{
  struct shmv_message message = {.type = SHMV_PAGE,
                                 .u.page_holds = SHMV_MAX_HOLDS};
  const void *page;
  int fd;
  g_assert_cmpint(shmv_segment_create_page(&page, &fd), ==, 0);
  g_assert_cmpint(raw_writer_say(writer, &message, &fd), ==, 0);
  close(fd);
  shmv_segment_unmap(page, SHMV_PAGE_SIZE);
}

void
raw_writer_welcome(const struct raw_writer *writer, struct shmv_message *message)
{
  *message = (struct shmv_message){.type = SHMV_WELCOME};
  message->u.welcome = (struct shmv_welcome){
      .version = SHMV_WIRE_VERSION,
      .policy = (uint16_t)writer->hello.policy,
      .stream = RAW_WRITER_STREAM,
      .depth = writer->hello.depth,
      .holds = writer->hello.holds_want,
      .floor = 1};
}

static void
turn(struct shmvideo_reader *reader)
{
  if (reader != NULL)
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
}

void
raw_writer_serve(struct raw_writer *writer, struct shmvideo_reader *reader)
{
  struct shmv_message message;
  raw_writer_accept(writer);
  raw_writer_hear_hello(writer);
  raw_writer_send_page(writer);
  turn(reader);
  raw_expect(writer->fd, SHMV_MAPPED, &message, NULL);
  raw_writer_welcome(writer, &message);
  g_assert_cmpint(raw_writer_say(writer, &message, NULL), ==, 0);
  raw_writer_send_format(writer);
  turn(reader);
}

void
raw_writer_show(struct raw_writer *writer)
{
  struct shmv_generation *generation = writer->generation;
  uint32_t slot;
  g_assert_cmpint(shmv_slot_claim(&generation->claims, &slot), ==,
                  SHMV_CLAIM_OK);
  struct shmv_slot_entry *entry = &generation->board->slots[slot];
  entry->size = generation->format.size;
  entry->n_planes = 1;
  entry->stride[0] = generation->format.stride[0];
  entry->pts = entry->duration = entry->capture_time = SHMVIDEO_TIME_NONE;
  shmv_slot_publish(&generation->claims, slot);
  shmv_slot_return(&generation->claims, slot);
}

void
raw_writer_hang_up(struct raw_writer *writer)
{
  close(writer->fd);
  writer->fd = -1;
}

void
raw_writer_end(struct raw_writer *writer)
{
  if (writer->fd >= 0)
    close(writer->fd);
  shmv_generation_free(writer->generation);
  shmv_listener_close(&writer->listener);
}
