/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Attacks: peers that speak the protocol by hand, and break off, lie or flood where
 * it hurts; and calls of a process' own threads at the worst instants.
 */

#include "assault.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testpoint.h"

/* ---- What a fork keeps open ----------------------------------------------- */

static int
keep_descriptors(int in, int out, void *user)
{
  char byte;
  close(*(int *)user);
  (void)!write(out, "+", 1);
  return read(in, &byte, 1) < 0;
}

/* A child of the writer's process keeps the files of all connections: what is
 * closed and freed must not be heard of any more. */
static void
fork_of_the_writer(void)
{
  struct shmvideo_writer *writer = assault_writer("fork", NULL);
  struct raw_reader reader;
  char byte;

  raw_reader_join(&reader, writer, "fork", SHMVIDEO_LATEST, 4, 2);
  struct shmvtest_child *child = shmvtest_fork(keep_descriptors, &reader.fd);
  g_assert_cmpint(shmvtest_poll(child->out, POLLIN, shmvtest_deadline()), !=, 0);
  g_assert_cmpint(read(child->out, &byte, 1), ==, 1);
  raw_reader_leave(&reader);
  assault_settle(writer);
  g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 0);
  shmvideo_writer_free(writer);
  shmvtest_child_free(child);
}

/* ---- Frames shown while memory is made ------------------------------------ */

static struct shmvideo_writer *busy_writer;
static unsigned busy_frames; /* to be shown at each test point */

void
shmv_test_point(const char *name)
{
  if (busy_writer == NULL)
    return;
  if (strcmp(name, "slot-taken") == 0 && busy_writer->shrink_at != 0) {
    busy_writer->shrink_at = 1; /* long past */
    assault_settle(busy_writer);
  }
  if (strcmp(name, "generation-made") != 0)
    return;
  for (unsigned i = 0; i < busy_frames; i++)
    assault_show(busy_writer);
}

/* Take all that can be taken, checking that no sequence is missing. The outcomes
 * as letters: F a frame, N a new format, E the end, L the loss. */
static char *
take_all(struct shmvideo_reader *reader, uint64_t *sequence)
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

static void
expect_outcomes(struct shmvideo_reader *reader, uint64_t *sequence,
                const char *expected)
{
  char *outcomes = take_all(reader, sequence);
  g_assert_cmpstr(outcomes, ==, expected);
  g_free(outcomes);
}

static struct shmvideo_reader *
join(struct shmvideo_writer *writer, const char *name, uint32_t policy,
     uint64_t *sequence)
{
  struct shmvideo_reader *reader = assault_reader(name, policy, 2);
  *sequence = 0;
  for (int i = 0; i < 3; i++) {
    assault_settle(writer);
    g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  }
  assault_show(writer);
  char *outcomes = take_all(reader, sequence);
  g_assert_true(g_str_has_prefix(outcomes, "NF"));
  g_free(outcomes);
  assault_settle(writer);
  return reader;
}

/* What one side leaves is over for the other, though a child has the socket too. */
static void
leaving_after_a_fork(void)
{
  struct shmvideo_writer *writer = assault_writer("leave", NULL);
  uint64_t seen[2];
  int none = -1;
  struct shmvideo_reader *readers[2] = {
      join(writer, "leave", SHMVIDEO_LATEST, &seen[0]),
      join(writer, "leave", SHMVIDEO_LATEST, &seen[1])};
  struct shmvtest_child *child = shmvtest_fork(keep_descriptors, &none);
  shmvideo_reader_free(readers[0]);
  assault_settle(writer);
  g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 1);
  shmvideo_writer_free(writer);
  char *outcomes = take_all(readers[1], &seen[1]);
  g_assert_true(g_str_has_suffix(outcomes, "L"));
  g_free(outcomes);
  shmvideo_reader_free(readers[1]);
  shmvtest_child_free(child);
}

/* A new format's memory takes time to make: what another thread shows meanwhile
 * is neither lost nor told twice, and a lossless reader has done nothing wrong. */
static void
format_while_showing(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("busy", &config);
  uint64_t seen[2];
  struct shmvideo_reader *readers[2] = {
      join(writer, "busy", SHMVIDEO_LOSSLESS, &seen[0]),
      join(writer, "busy", SHMVIDEO_LATEST, &seen[1])};
  expect_outcomes(readers[0], &seen[0], "F");

  busy_writer = writer;
  busy_frames = 2;
  assault_set_format(writer, 128);
  busy_writer = NULL;
  assault_settle(writer);
  for (int i = 0; i < 2; i++)
    expect_outcomes(readers[i], &seen[i], "FFN");
  assault_settle(writer);
  assault_show(writer);
  assault_show(writer);
  for (int i = 0; i < 2; i++) {
    expect_outcomes(readers[i], &seen[i], "FF");
    shmvideo_reader_free(readers[i]);
  }
  g_assert_cmpuint(seen[0], ==, 6);
  shmvideo_writer_free(writer);
}

/* Memory is given back when the last reader has left, also when frames are shown
 * faster than one can be copied; who comes then sees where the count stands. */
static void
shrink_while_showing(void)
{
  struct shmvideo_writer *writer = assault_writer("shrink", NULL);
  struct raw_reader hoarder;
  struct shmvideo_writer_stats stats;
  uint64_t sequence;

  raw_reader_join(&hoarder, writer, "shrink", SHMVIDEO_LATEST, 8, 8);
  assault_show(writer);
  raw_reader_leave(&hoarder);
  assault_settle(writer);
  shmvideo_writer_get_stats(writer, &stats);
  g_assert_cmpuint(stats.slots_active, >=, 18);
  busy_writer = writer;
  busy_frames = 1;
  g_assert_cmpint(shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN,
                                shmvtest_deadline()), !=, 0);
  assault_settle(writer);
  busy_writer = NULL;
  shmvideo_writer_get_stats(writer, &stats);
  g_assert_cmpuint(stats.slots_active, <, 18);
  struct shmvideo_reader *reader =
      join(writer, "shrink", SHMVIDEO_LATEST, &sequence);
  g_assert_cmpuint(sequence, ==, stats.frames + 1);
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
}

/* A frame that is copied while the pool is replaced is shown all the same. */
static void
send_while_shrinking(void)
{
  struct shmvideo_writer *writer = assault_writer("send", NULL);
  struct raw_reader hoarder;
  struct shmvideo_writer_stats before, after;
  static const uint8_t pixels[64 * 48];
  const uint8_t *planes[SHMVIDEO_MAX_PLANES] = {pixels};
  uint32_t strides[SHMVIDEO_MAX_PLANES] = {64};

  raw_reader_join(&hoarder, writer, "send", SHMVIDEO_LATEST, 8, 8);
  assault_show(writer);
  raw_reader_leave(&hoarder);
  assault_settle(writer);
  shmvideo_writer_get_stats(writer, &before);
  busy_writer = writer;
  busy_frames = 0;
  g_assert_cmpint(shmvideo_writer_send(writer, planes, strides, NULL), ==, 1);
  busy_writer = NULL;
  shmvideo_writer_get_stats(writer, &after);
  g_assert_cmpuint(after.slots_active, <, before.slots_active);
  g_assert_cmpuint(after.frames, ==, before.frames + 1);
  g_assert_cmpuint(after.slots_out, ==, 0);
  shmvideo_writer_free(writer);
}

/* ---- Last words ------------------------------------------------------------ */

/* A writer that says no without reading what was said to it: the kernel tells of
 * the connection's reset before it gives out the refusal. */
static void
refusal_before_reset(void)
{
  struct raw_writer writer;
  struct shmv_message message = {.type = SHMV_REFUSED,
                                 .u.refusal = SHMV_REFUSED_FORMAT,
                                 .text = "no",
                                 .text_size = 2};
  const struct shmvideo_frame *frame;
  raw_writer_listen(&writer, "refusal");
  struct shmvideo_reader *reader =
      assault_reader("refusal", SHMVIDEO_LATEST, 2);
  raw_writer_accept(&writer);
  g_assert_cmpint(raw_writer_say(&writer, &message, NULL), ==, 0);
  raw_writer_end(&writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==, -EMEDIUMTYPE);
  shmvideo_reader_free(reader);
}

/* A new format follows the end so closely that both are read at once. */
static void
end_before_format(void)
{
  struct shmvideo_writer *writer = assault_writer("end", NULL);
  uint64_t seen;
  struct shmvideo_reader *reader = join(writer, "end", SHMVIDEO_LATEST, &seen);
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  assault_set_format(writer, 128);
  assault_settle(writer);
  assault_show(writer);
  expect_outcomes(reader, &seen, "FENF");
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  assault_show(writer);
  expect_outcomes(reader, &seen, "FEF");
  shmvideo_reader_free(reader);
  shmvideo_writer_free(writer);
}

/* Who keeps all the frames he may keep, still hears that none will follow. */
static void
loss_with_full_hands(void)
{
  struct shmvideo_writer *writer = assault_writer("full", NULL);
  const struct shmvideo_frame *frames[3];
  uint64_t seen;
  struct shmvideo_reader *reader =
      join(writer, "full", SHMVIDEO_LATEST, &seen);
  assault_show(writer);
  assault_show(writer);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[i]), ==,
                    SHMVIDEO_FRAME);
  assault_show(writer);
  shmvideo_writer_end(writer);
  shmvideo_writer_free(writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  /* One more frame than hands: that comes first. */
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[2]), ==,
                  SHMVIDEO_AGAIN);
  shmvideo_frame_release(frames[0]);
  g_assert_cmpint(shmvideo_reader_wait(reader, 0, -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[0]), ==,
                  SHMVIDEO_FRAME);
  g_assert_cmpint(shmvideo_reader_wait(reader, 0, -1), ==, 1);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frames[2]), ==,
                  SHMVIDEO_END);
  shmvideo_frame_release(frames[1]);
  shmvideo_frame_release(frames[0]);
  shmvideo_reader_free(reader);
}

/* ---- Writers that lie ------------------------------------------------------ */

/* A writer that never reads, and asks to be nudged at every turn, fills its own
 * socket. That is its fault, not the end of its reader. */
static void
writer_that_never_reads(void)
{
  struct raw_writer writer;
  const struct shmvideo_frame *frame;
  uint64_t seen = 0;
  raw_writer_listen(&writer, "deaf");
  struct shmvideo_reader *reader = assault_reader("deaf", SHMVIDEO_LATEST, 2);
  raw_writer_serve(&writer, reader);
  g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                  SHMVIDEO_NEW_FORMAT);
  for (uint32_t i = 1; i < 2000; i++) {
    shmv_store(&writer.generation->board->writer_waits, i);
    raw_writer_show(&writer);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_FRAME);
    shmvideo_frame_release(frame);
  }
  shmv_generation_begin(writer.generation, 2, 2000);
  raw_writer_send_format(&writer);
  g_assert_cmpint(shmvideo_reader_dispatch(reader), ==, 0);
  expect_outcomes(reader, &seen, "NL");
  raw_writer_end(&writer);
  struct shmvideo_writer *successor = assault_writer("deaf", NULL);
  assault_show(successor);
  while (seen == 0) {
    assault_settle(successor);
    g_assert_cmpint(shmvideo_reader_wait(reader, 100000000, -1), >=, 0);
    g_free(take_all(reader, &seen));
  }
  shmvideo_reader_free(reader);
  shmvideo_writer_free(successor);
}

static void
scribble(struct raw_writer *writer, GRand *rand)
{
  struct shmv_board *board = writer->generation->board;
  struct shmv_slot_entry *entry =
      &board->slots[g_rand_int_range(rand, 0, 4)];
  uint32_t junk = g_rand_boolean(rand) ? g_rand_int(rand)
                                       : (uint32_t)g_rand_int_range(rand, 0, 300);
  switch (g_rand_int_range(rand, 0, 12)) {
    case 0:
      shmv_store(&board->head, junk);
      break;
    case 1:
      shmv_store(&board->ring[junk % SHMV_RING_SIZE],
                 (uint32_t)g_rand_int_range(rand, 0, 260));
      break;
    case 2:
      shmv_store(&entry->gen, junk);
      break;
    case 3:
      entry->sequence = junk;
      break;
    case 4:
      entry->n_planes = junk;
      break;
    case 5:
      entry->stride[0] = junk;
      break;
    case 6:
      entry->plane_offset[0] = (uint64_t)junk << (junk % 33);
      break;
    case 7:
      entry->size = (uint64_t)junk << (junk % 33);
      break;
    case 8:
      entry->crop_x = entry->crop_width = entry->crop_height = junk;
      break;
    case 9:
      board->n_slots = board->generation = junk;
      board->slot_size = board->first_sequence = junk;
      break;
    case 10:
      shmv_store(&board->state, junk);
      shmv_store(&board->active, junk);
      shmv_store(&board->writer_waits, junk);
      break;
    default:
      raw_writer_show(writer);
      break;
  }
}

/* Whatever is on the board: each acquire ends, each frame lies within its slot. */
static void
board_full_of_junk(void)
{
  for (uint32_t seed = 0; seed < 60; seed++) {
    GRand *rand = g_rand_new_with_seed(seed);
    struct raw_writer writer;
    const struct shmvideo_frame *frame;
    int code = 0;
    raw_writer_listen(&writer, "junk");
    struct shmvideo_reader *reader = assault_reader(
        "junk", seed % 2 ? SHMVIDEO_LOSSLESS : SHMVIDEO_LATEST, 3);
    raw_writer_serve(&writer, reader);
    for (int i = 0; i < 300 && code != SHMVIDEO_LOST; i++) {
      scribble(&writer, rand);
      code = i % 3 ? shmvideo_reader_acquire(reader, &frame)
                   : shmvideo_reader_acquire_newest(reader, &frame);
      g_assert_cmpint(code, >=, 0);
      if (code == SHMVIDEO_FRAME) {
        for (uint32_t y = 0; y < frame->format->height; y++)
          g_assert_cmpuint(frame->data[frame->plane_offset[0] +
                                       (uint64_t)y * frame->stride[0] +
                                       frame->format->width - 1],
                           <=, 255);
        shmvideo_frame_release(frame);
      }
    }
    raw_writer_end(&writer);
    shmvideo_reader_free(reader);
    g_rand_free(rand);
  }
}

/* ---- Readers that lie ------------------------------------------------------- */

static void
scribble_on_page(struct raw_reader *reader, GRand *rand,
                 const struct shmvideo_writer *writer)
{
  struct shmv_page *page = reader->page;
  uint32_t generation = writer->generation->number;
  for (int i = 0; i < 20; i++)
    shmv_store(&page->hold[g_rand_int_range(rand, 0, SHMV_MAX_HOLDS)],
               g_rand_boolean(rand)
                   ? shmv_hold_word(generation,
                                    (uint32_t)g_rand_int_range(rand, 0, 256))
                   : g_rand_int(rand));
  if (g_rand_int_range(rand, 0, 8) == 0)
    shmv_store(&page->cursor, g_rand_int(rand));
  shmv_store(&page->armed, g_rand_int(rand));
}

static void
send_junk(struct raw_reader *reader, GRand *rand)
{
  uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message = {
      .type = (uint32_t)g_rand_int_range(rand, 1, 14),
      .serial = ++reader->serial,
      .u.generation = reader->generation};
  uint32_t size = shmv_wire_encode(&message, bytes);
  if (g_rand_int_range(rand, 0, 4) == 0)
    bytes[g_rand_int_range(rand, 0, (gint32)size)] = (uint8_t)g_rand_int(rand);
  if (g_rand_int_range(rand, 0, 10) == 0)
    size = (uint32_t)g_rand_int_range(rand, 0, (gint32)size + 1);
  /* It may be silenced or gone by now: then it fails. */
  (void)shmv_socket_send(reader->fd, bytes, size, NULL, 0);
}

/* Readers whose pages and messages are junk: an honest reader beside them gets
 * every frame, the writer always has a slot, and is quiet afterwards. */
static void
readers_full_of_junk(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("liars", &config);
  GRand *rand = g_rand_new_with_seed(1);
  struct raw_reader liars[4];
  struct shmvideo_slot *slot;
  uint64_t seen;
  struct shmvideo_reader *honest =
      join(writer, "liars", SHMVIDEO_LATEST, &seen);
  for (int round = 0; round < 40; round++) {
    for (int i = 0; i < 4; i++)
      raw_reader_join(&liars[i], writer, "liars", i == 3, 2, 4);
    for (int i = 0; i < 50; i++) {
      struct raw_reader *liar = &liars[g_rand_int_range(rand, 0, 4)];
      if (g_rand_boolean(rand))
        scribble_on_page(liar, rand, writer);
      if (g_rand_int_range(rand, 0, 5) == 0)
        send_junk(liar, rand);
      /* Not to wait: as the fourth may be a lossless reader that takes nothing. */
      if (shmvideo_writer_acquire(writer, &slot) != 1)
        shmv_store(&liars[3].page->cursor, (uint32_t)writer->sequence + 1);
      else {
        slot->data[0] = (uint8_t)(writer->sequence + 1);
        g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
        expect_outcomes(honest, &seen, "F");
      }
      if (g_rand_int_range(rand, 0, 4) == 0)
        assault_settle(writer);
    }
    for (int i = 0; i < 4; i++)
      raw_reader_leave(&liars[i]);
    assault_settle(writer);
    g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 1);
  }
  g_assert_cmpuint(seen, >, 1000);
  g_rand_free(rand);
  shmvideo_reader_free(honest);
  shmvideo_writer_free(writer);
}

/* ---- Limits of the system -------------------------------------------------- */

static void
drop_rights(rlim_t n_files)
{
  struct rlimit limit = {n_files, n_files};
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  if (geteuid() != 0)
    return;
  g_assert_cmpint(setresgid(65534, 65534, 65534), ==, 0);
  g_assert_cmpint(setresuid(65534, 65534, 65534), ==, 0);
}

/* Another program of the same user has as many descriptors under way as the kernel
 * allows. The reader waits for better times; the writer does not spin. */
static int
too_many_under_way(int in, int out, void *user)
{
  int pair[2], turns = 0, fds[4];
  struct shmvideo_writer *writer = assault_writer("limit", NULL);
  struct raw_reader reader;
  (void)in;
  (void)out;
  (void)user;
  raw_reader_connect(&reader, "limit");
  drop_rights(64);
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
                  ==, 0);
  for (int i = 0; i < 4; i++)
    fds[i] = pair[0];
  while (shmv_socket_send(pair[0], "x", 1, fds, 4) == 0)
    g_assert_cmpint(turns++, <, 1000);
  raw_reader_hello(&reader, SHMVIDEO_LATEST, 4, 2);
  guint64 end = shmvtest_now() + 300000000;
  for (turns = 0; shmvtest_now() < end; turns++) {
    shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 50);
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
  }
  g_assert_cmpint(turns, <, 30);
  close(pair[0]);
  close(pair[1]);
  g_assert_cmpint(shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN,
                                shmvtest_deadline()), !=, 0);
  assault_settle(writer);
  g_assert_cmpint(shmvtest_poll(reader.fd, POLLIN, 0), !=, 0);
  raw_reader_leave(&reader);
  shmvideo_writer_free(writer);
  return 0;
}

static void
descriptors_under_way(void)
{
  struct shmvtest_child *child = shmvtest_fork(too_many_under_way, NULL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  unlink(shmvtest_path("limit")); /* for which the child had no right any more */
}

/* ---- Long runs ------------------------------------------------------------- */

static void
skip_to(struct shmvideo_writer *writer, uint64_t sequence)
{
  writer->sequence = writer->generation->claims.sequence = sequence;
  shmv_store(&writer->generation->board->head, (uint32_t)sequence);
}

/* More than 2^31 frames after it joined, a lossless reader still gets them all,
 * and 32 bits overflow on the way. */
static void
lossless_for_ever(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("ever", &config);
  struct shmvideo_slot *slot;
  struct raw_reader reader;
  raw_reader_join(&reader, writer, "ever", SHMVIDEO_LOSSLESS, 4, 2);
  for (int i = 0; i < 7; i++) {
    uint64_t sequence = writer->sequence + 0x30000000;
    skip_to(writer, sequence);
    shmv_store(&reader.page->cursor, (uint32_t)sequence + 1);
    int shown = 0;
    while (shmvideo_writer_acquire(writer, &slot) == 1) {
      g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
      g_assert_cmpint(shown++, <, 20); /* else it overtakes its reader */
    }
    g_assert_cmpint(shown, >, 2);
    g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 1);
  }
  g_assert_cmpuint(writer->sequence, >, UINT32_MAX);
  raw_reader_leave(&reader);
  shmvideo_writer_free(writer);
}

/* Frames, format changes and the end, while 32 bits overflow. */
static void
overflow(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  struct shmvideo_writer *writer = assault_writer("overflow", &config);
  skip_to(writer, UINT32_MAX - 5);
  assault_show(writer);
  uint64_t seen[2];
  struct shmvideo_reader *readers[2] = {
      join(writer, "overflow", SHMVIDEO_LOSSLESS, &seen[0]),
      join(writer, "overflow", SHMVIDEO_LATEST, &seen[1])};
  expect_outcomes(readers[0], &seen[0], "F");
  for (int i = 0; i < 8; i++) {
    assault_show(writer);
    for (int k = 0; k < 2; k++)
      expect_outcomes(readers[k], &seen[k], "F");
    if (i % 2) {
      assault_set_format(writer, 64 + 2 * (uint32_t)i);
      assault_settle(writer);
      for (int k = 0; k < 2; k++)
        expect_outcomes(readers[k], &seen[k], "N");
      assault_settle(writer);
    }
  }
  assault_show(writer);
  shmvideo_writer_end(writer);
  assault_settle(writer);
  shmvideo_writer_free(writer);
  for (int k = 0; k < 2; k++) {
    expect_outcomes(readers[k], &seen[k], "FE");
    g_assert_cmpuint(seen[k], ==, (uint64_t)UINT32_MAX + 7);
    shmvideo_reader_free(readers[k]);
  }
}

/* A pool with holes: memory that the reader would have to pay for. */
static void
holes(void)
{
  for (int lie = 0; lie < 2; lie++) {
    struct raw_writer writer;
    struct stat before, after;
    const struct shmvideo_frame *frame;
    raw_writer_listen(&writer, "holes");
    struct shmvideo_reader *reader =
        assault_reader("holes", SHMVIDEO_LATEST, 2);
    raw_writer_serve(&writer, reader);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_NEW_FORMAT);
    raw_writer_show(&writer);
    struct shmv_board *board = writer.generation->board;
    uint32_t sequence = shmv_load(&board->head);
    memcpy(&board->slots[9], &board->slots[0], sizeof board->slots[0]);
    board->slots[9].sequence = sequence;
    shmv_store(&board->ring[sequence % SHMV_RING_SIZE], 9);
    if (lie == 1)
      shmv_store(&board->active, 10);
    g_assert_cmpint(fstat(writer.generation->pool.fd, &before), ==, 0);
    g_assert_cmpint(shmvideo_reader_acquire(reader, &frame), ==,
                    SHMVIDEO_LOST);
    g_assert_cmpint(fstat(writer.generation->pool.fd, &after), ==, 0);
    g_assert_cmpint(after.st_blocks, ==, before.st_blocks);
    raw_writer_end(&writer);
    shmvideo_reader_free(reader);
  }
}

/* ---- Stopped readers -------------------------------------------------------- */

/* Several that are stopped at once cost the writer one wait, not one each. */
static void
stopped_lossless_readers(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.backpressure = 1;
  config.backpressure_timeout = 300000000;
  struct shmvideo_writer *writer = assault_writer("stopped", &config);
  struct raw_reader readers[8];
  struct shmvideo_slot *slot;
  int code;
  for (int i = 0; i < 8; i++) {
    raw_reader_join(&readers[i], writer, "stopped", SHMVIDEO_LOSSLESS, 4, 1);
    assault_show(writer); /* each has stopped at another frame */
  }
  while ((code = shmvideo_writer_acquire(writer, &slot)) == 1)
    g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
  g_assert_cmpint(code, ==, 0);
  guint64 start = shmvtest_now();
  for (int i = 0; i < 40; i++) {
    g_assert_cmpint(shmvideo_writer_acquire_wait(writer, -1, &slot), ==, 1);
    g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
  }
  guint64 spent = (shmvtest_now() - start) / 1000000;
  g_test_message("%d ms for eight readers of 300 ms each", (int)spent);
  g_assert_cmpuint(spent, >=, 300);
  g_assert_cmpuint(spent, <, 900);
  for (int i = 0; i < 8; i++)
    raw_reader_leave(&readers[i]);
  shmvideo_writer_free(writer);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/attack/fork-of-the-writer", fork_of_the_writer);
  shmvtest_add("/attack/format-while-showing", format_while_showing);
  shmvtest_add("/attack/shrink-while-showing", shrink_while_showing);
  shmvtest_add("/attack/refusal-before-reset", refusal_before_reset);
  shmvtest_add("/attack/end-before-format", end_before_format);
  shmvtest_add("/attack/loss-with-full-hands", loss_with_full_hands);
  shmvtest_add("/attack/writer-that-never-reads", writer_that_never_reads);
  shmvtest_add("/attack/board-full-of-junk", board_full_of_junk);
  shmvtest_add("/attack/lossless-for-ever", lossless_for_ever);
  shmvtest_add("/attack/overflow", overflow);
  shmvtest_add("/attack/descriptors-under-way", descriptors_under_way);
  shmvtest_add("/attack/send-while-shrinking", send_while_shrinking);
  shmvtest_add("/attack/holes", holes);
  shmvtest_add("/attack/stopped-lossless-readers", stopped_lossless_readers);
  shmvtest_add("/attack/readers-full-of-junk", readers_full_of_junk);
  shmvtest_add("/attack/leaving-after-a-fork", leaving_after_a_fork);
  return shmvtest_run();
}
