/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "hostile.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Frames that are shown during an attack, and turns of its storm, at least. */
#define FRAMES 30
#define TURNS 100

/* ---- The attacked ------------------------------------------------------------ */

void
victim_init(struct victim *victim, const char *name)
{
  memset(victim, 0, sizeof *victim);
  victim->name = name;
  g_mutex_init(&victim->lock);
  g_cond_init(&victim->said);
  victim->log = g_string_new(NULL);
}

void
victim_fini(struct victim *victim)
{
  shmvideo_reader_free(victim->honest);
  g_string_free(victim->log, TRUE);
  g_cond_clear(&victim->said);
  g_mutex_clear(&victim->lock);
}

void
victim_log(struct victim *victim, const char *line)
{
  hostile_check_line(line);
  g_mutex_lock(&victim->lock);
  g_string_append_printf(victim->log, "%s\n", line);
  victim->n_lines++;
  g_cond_broadcast(&victim->said);
  g_mutex_unlock(&victim->lock);
}

static bool
has_said(struct victim *victim, const char *text)
{
  g_mutex_lock(&victim->lock);
  bool found = strstr(victim->log->str, text) != NULL;
  if (!found) /* a moment, for the writer's own thread */
    g_cond_wait_until(&victim->said, &victim->lock,
                      g_get_monotonic_time() + 2000);
  g_mutex_unlock(&victim->lock);
  return found;
}

/* The next outcome, which is to be this one. */
static const struct shmvideo_frame *
await_outcome(struct victim *victim, int outcome)
{
  const struct shmvideo_frame *frame;
  int code;
  while ((code = shmvideo_reader_acquire(victim->honest, &frame)) ==
         SHMVIDEO_AGAIN)
    g_assert_cmpint(shmvideo_reader_wait(
                        victim->honest,
                        (uint64_t)shmvtest_deadline() * 1000000, -1), ==, 1);
  g_assert_cmpint(code, ==, outcome);
  return frame;
}

static void
take_frame(struct victim *victim)
{
  const struct shmvideo_frame *frame = await_outcome(victim, SHMVIDEO_FRAME);
  g_assert_cmpuint(frame->sequence, ==, victim->seen + 1);
  g_assert_cmpuint(frame->skipped, ==, 0);
  for (gsize i = 0; i < 64 * 48; i += 63)
    g_assert_cmpuint(frame->data[i], ==, (uint8_t)frame->sequence);
  victim->seen = frame->sequence;
  shmvideo_frame_release(frame);
}

void
victim_join(struct victim *victim, bool shown)
{
  victim->honest = assault_reader(victim->name, SHMVIDEO_LATEST, 2);
  (void)await_outcome(victim, SHMVIDEO_NEW_FORMAT);
  if (shown)
    take_frame(victim);
  victim_frame(victim);
}

void
victim_frame(struct victim *victim)
{
  victim->show(victim, (uint8_t)(victim->seen + 1));
  take_frame(victim);
}

void
victim_await_reason(struct victim *victim, const char *text)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (!has_said(victim, text)) {
    victim_frame(victim);
    if (shmvtest_now() > end)
      g_error("nobody said \"%s\", but:\n%s", text, victim->log->str);
  }
}

void
victim_await_readers(struct victim *victim, guint n)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (victim->count_readers(victim) != n) {
    victim_frame(victim);
    g_thread_yield();
    if (shmvtest_now() > end)
      g_error("%u readers, not %u:\n%s", victim->count_readers(victim), n,
              victim->log->str);
  }
}

/* ---- The attack ---------------------------------------------------------------- */

static gpointer
storm(gpointer data)
{
  struct attacker *attacker = data;
  while (!g_atomic_int_get(&attacker->stop)) {
    attacker->attack->storm(attacker);
    g_atomic_int_inc(&attacker->turns);
  }
  return NULL;
}

void
hostile_begin(struct attacker *attacker, struct victim *victim,
              const struct attack *attack)
{
  *attacker = (struct attacker){.name = victim->name,
                                .attack = attack,
                                .fds = g_array_new(FALSE, FALSE, sizeof(int)),
                                .aside = g_ptr_array_new(),
                                .rand = g_rand_new_with_seed(1)};
  g_assert_cmpint(shmv_path_resolve(&attacker->path,
                                    shmvtest_path(victim->name), NULL), ==, 0);
  g_mutex_lock(&victim->lock);
  g_string_truncate(victim->log, 0);
  victim->n_lines = 0;
  g_mutex_unlock(&victim->lock);
  if (attack != NULL && attack->begin != NULL)
    attack->begin(attacker);
}

void
hostile_withdraw(struct attacker *attacker)
{
  for (guint i = 0; i < attacker->n_readers; i++)
    raw_reader_leave(&attacker->readers[i]);
  for (guint i = 0; i < attacker->fds->len; i++)
    close(g_array_index(attacker->fds, int, i));
  for (guint i = 0; i < attacker->aside->len; i++)
    g_thread_join(attacker->aside->pdata[i]);
  g_ptr_array_unref(attacker->aside);
  g_array_unref(attacker->fds);
  g_rand_free(attacker->rand);
}

static guint
count_descriptors(void)
{
  GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
  guint n = 0;
  while (g_dir_read_name(dir) != NULL)
    n++;
  g_dir_close(dir);
  return n;
}

/* What the attack left to be closed is, in its own time. */
static void
await_descriptors(struct victim *victim, guint n)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (count_descriptors() > n) {
    victim_frame(victim);
    if (shmvtest_now() > end)
      g_error("%u descriptors, not %u:\n%s", count_descriptors(), n,
              victim->log->str);
  }
}

void
hostile_run(struct victim *victim, const struct attack *attack)
{
  struct attacker attacker;
  GThread *thread = NULL;
  guint64 start = shmvtest_now();
  guint n_descriptors = count_descriptors();
  hostile_begin(&attacker, victim, attack);
  if (attack->storm != NULL)
    thread = g_thread_new("storm", storm, &attacker);
  while (attacker.round < FRAMES ||
         (thread != NULL && g_atomic_int_get(&attacker.turns) < TURNS)) {
    victim_frame(victim);
    attacker.round++;
    if (attack->between != NULL)
      attack->between(&attacker);
    g_assert_cmpuint(shmvtest_now() - start, <,
                     (guint64)shmvtest_deadline() * 1000000);
  }
  if (attack->reason != NULL)
    victim_await_reason(victim, attack->reason);
  g_atomic_int_set(&attacker.stop, 1);
  if (thread != NULL)
    g_thread_join(thread);
  hostile_withdraw(&attacker);
  victim_await_readers(victim, 1);
  await_descriptors(victim, n_descriptors);
  victim_frame(victim);
  guint ms = (guint)((shmvtest_now() - start) / 1000000);
  g_test_message("%s: %u frames, %d turns, %u lines, %u ms", attack->name,
                 attacker.round, attacker.turns, victim->n_lines, ms);
  /* A log that fills a disk hurts, too. */
  g_assert_cmpuint(victim->n_lines, <, 250 + ms / 25);
}

void
hostile_run_list(const struct attack *attacks,
                 void (*once)(const struct attack *attack))
{
  size_t used[2];
  for (int lap = 0; lap < 2; lap++) {
    for (const struct attack *attack = attacks; attack->name != NULL; attack++)
      once(attack);
    used[lap] = mallinfo2().uordblks;
  }
  g_test_message("%zu bytes in use after the first lap, %zu after the second",
                 used[0], used[1]);
  g_assert_cmpuint(used[1], <, used[0] + 100000);
}

/* ---- What attacks are made of -------------------------------------------------- */

int
hostile_connect(struct attacker *attacker)
{
  int fd;
  int code = shmv_socket_connect(&attacker->path, &fd, NULL);
  if (code == -EAGAIN || code == -ECONNREFUSED || code == -ENOENT)
    return -1;
  g_assert_cmpint(code, ==, 0);
  g_array_append_val(attacker->fds, fd);
  return fd;
}

struct raw_reader *
hostile_join(struct attacker *attacker, uint32_t policy, uint32_t depth,
             uint16_t holds)
{
  g_assert_cmpuint(attacker->n_readers, <, HOSTILE_READERS);
  struct raw_reader *reader = &attacker->readers[attacker->n_readers++];
  raw_reader_join(reader, NULL, attacker->name, policy, depth, holds);
  return reader;
}

void
hostile_send(int fd, const void *bytes, size_t size)
{
  (void)!send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Caps as long as may be, made once. */
static const char *
long_caps(void)
{
  static char caps[SHMV_WIRE_TEXT_MAX + 1];
  static gsize made;
  if (g_once_init_enter(&made)) {
    char *c = caps + sprintf(caps, "video/x-raw, width={ 1");
    for (guint i = 0; c - caps + 8 < SHMV_WIRE_TEXT_MAX; i++)
      c += sprintf(c, ", %u", i % 1000);
    strcpy(c, " }");
    g_once_init_leave(&made, 1);
  }
  return caps;
}

uint32_t
hostile_hello(uint8_t *bytes, bool at_length)
{
  struct shmv_message message = {.type = SHMV_HELLO, .serial = 1};
  message.u.hello = (struct shmv_hello){.version_min = SHMV_WIRE_VERSION,
                                        .version_max = SHMV_WIRE_VERSION,
                                        .depth = 1,
                                        .holds_min = 1,
                                        .holds_want = 1};
  message.text = at_length ? long_caps() : "";
  message.text_size = (uint32_t)strlen(message.text);
  return shmv_wire_encode(&message, bytes);
}

static gpointer
close_it(gpointer data)
{
  close(GPOINTER_TO_INT(data));
  return NULL;
}

void
hostile_send_lingering(struct attacker *attacker, int connection, guint n)
{
  int other, fd = lingering_new(&other);
  g_array_append_val(attacker->fds, other);
  lingering_send(connection, 1, fd, n);
  /* If ours is the last by now, the attacker has attacked himself. */
  g_ptr_array_add(attacker->aside,
                  g_thread_new("close", close_it, GINT_TO_POINTER(fd)));
}
