/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Attacks on writers: readers that speak the protocol by hand, and break off, lie or
 * stop where it hurts; and calls of the writer's own threads at the worst instants.
 */

#define SHMV_TEST_POINTS
#include "assault.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
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

/* What one side leaves is over for the other, though a child has the socket too. */
static void
leaving_after_a_fork(void)
{
  struct shmvideo_writer *writer = assault_writer("leave", NULL);
  uint64_t seen[2];
  int none = -1;
  struct shmvideo_reader *readers[2] = {
      assault_join(writer, "leave", SHMVIDEO_LATEST, &seen[0]),
      assault_join(writer, "leave", SHMVIDEO_LATEST, &seen[1])};
  struct shmvtest_child *child = shmvtest_fork(keep_descriptors, &none);
  shmvideo_reader_free(readers[0]);
  assault_settle(writer);
  g_assert_cmpuint(shmvideo_writer_get_n_readers(writer), ==, 1);
  shmvideo_writer_free(writer);
  char *outcomes = assault_take_all(readers[1], &seen[1]);
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
      assault_join(writer, "busy", SHMVIDEO_LOSSLESS, &seen[0]),
      assault_join(writer, "busy", SHMVIDEO_LATEST, &seen[1])};
  assault_expect(readers[0], &seen[0], "F");

  busy_writer = writer;
  busy_frames = 2;
  assault_set_format(writer, 128);
  busy_writer = NULL;
  assault_settle(writer);
  for (int i = 0; i < 2; i++)
    assault_expect(readers[i], &seen[i], "FFN");
  assault_settle(writer);
  assault_show(writer);
  assault_show(writer);
  for (int i = 0; i < 2; i++) {
    assault_expect(readers[i], &seen[i], "FF");
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
      assault_join(writer, "shrink", SHMVIDEO_LATEST, &sequence);
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
      assault_join(writer, "liars", SHMVIDEO_LATEST, &seen);
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
        assault_expect(honest, &seen, "F");
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
    g_assert_cmpint(shmvideo_writer_acquire_wait(writer, TRUE, -1, &slot), ==, 1);
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
  shmvtest_add("/attack/descriptors-under-way", descriptors_under_way);
  shmvtest_add("/attack/send-while-shrinking", send_while_shrinking);
  shmvtest_add("/attack/stopped-lossless-readers", stopped_lossless_readers);
  shmvtest_add("/attack/readers-full-of-junk", readers_full_of_junk);
  shmvtest_add("/attack/leaving-after-a-fork", leaving_after_a_fork);
  return shmvtest_run();
}
