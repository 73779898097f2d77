/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "lies.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

/* Turns of a storm at least, and frames of an honest writer that must come after. */
#define TURNS 200
#define FRAMES 3

/* ---- Who is lied to ------------------------------------------------------------ */

void
believer_init(struct believer *believer, const char *name)
{
  memset(believer, 0, sizeof *believer);
  believer->name = name;
  g_mutex_init(&believer->lock);
  g_cond_init(&believer->said);
  believer->log = g_string_new(NULL);
}

void
believer_fini(struct believer *believer)
{
  g_string_free(believer->log, TRUE);
  g_cond_clear(&believer->said);
  g_mutex_clear(&believer->lock);
}

void
believer_log(struct believer *believer, const char *line)
{
  hostile_check_line(line);
  g_mutex_lock(&believer->lock);
  g_string_append_printf(believer->log, "%s\n", line);
  g_cond_broadcast(&believer->said);
  g_mutex_unlock(&believer->lock);
}

void
believer_frame(struct believer *believer, bool honest)
{
  g_mutex_lock(&believer->lock);
  if (honest)
    believer->n_frames++;
  else
    believer->n_doubtful++;
  g_cond_broadcast(&believer->said);
  g_mutex_unlock(&believer->lock);
}

void
believer_await_reason(struct believer *believer, const char *text)
{
  gint64 end = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  g_mutex_lock(&believer->lock);
  while (strstr(believer->log->str, text) == NULL)
    if (!g_cond_wait_until(&believer->said, &believer->lock, end))
      g_error("nobody said \"%s\", but:\n%s", text, believer->log->str);
  g_mutex_unlock(&believer->lock);
}

void
believer_error(struct believer *believer, const char *line)
{
  believer_log(believer, line);
  g_mutex_lock(&believer->lock);
  believer->n_errors++;
  g_cond_broadcast(&believer->said);
  g_mutex_unlock(&believer->lock);
}

static void
believer_await_error(struct believer *believer)
{
  gint64 end = g_get_monotonic_time() + (gint64)shmvtest_deadline() * 1000;
  g_mutex_lock(&believer->lock);
  while (believer->n_errors == 0)
    g_assert_true(g_cond_wait_until(&believer->said, &believer->lock, end));
  g_mutex_unlock(&believer->lock);
}

static guint64
count_frames(struct believer *believer)
{
  g_mutex_lock(&believer->lock);
  guint64 n = believer->n_frames;
  g_mutex_unlock(&believer->lock);
  return n;
}

/* ---- Who lies -------------------------------------------------------------------- */

static gpointer
storm(gpointer data)
{
  struct liar *liar = data;
  while (!g_atomic_int_get(&liar->stop)) {
    liar->lie->storm(liar);
    g_atomic_int_inc(&liar->turns);
  }
  return NULL;
}

static void
rage(struct liar *liar, struct believer *believer)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  GThread *thread = g_thread_new("storm", storm, liar);
  while (g_atomic_int_get(&liar->turns) < TURNS) {
    g_assert_cmpuint(shmvtest_now(), <, end);
    g_thread_yield();
  }
  if (liar->lie->reason != NULL)
    believer_await_reason(believer, liar->lie->reason);
  g_atomic_int_set(&liar->stop, 1);
  g_thread_join(thread);
}

static void
be_honest(struct believer *believer)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  guint64 before = count_frames(believer);
  struct shmvideo_writer *writer = assault_writer(believer->name, NULL);
  for (guint8 n = 1; count_frames(believer) < before + FRAMES; n++) {
    struct shmvideo_slot *slot;
    g_assert_cmpint(shmvideo_writer_acquire(writer, &slot), ==, 1);
    memset(slot->data, n, 64 * 48);
    g_assert_cmpint(shmvideo_writer_publish(writer, slot, NULL), ==, 0);
    shmvtest_poll(shmvideo_writer_get_fd(writer), POLLIN, 1);
    g_assert_cmpint(shmvideo_writer_dispatch(writer), ==, 0);
    g_assert_cmpuint(believer->n_errors, ==, 0);
    if (shmvtest_now() > end)
      g_error("the honest writer was not followed:\n%s", believer->log->str);
  }
  shmvideo_writer_free(writer);
}

static void
begin(struct liar *liar, struct believer *believer, const struct lie *lie)
{
  memset(liar, 0, sizeof *liar);
  liar->lie = lie;
  liar->fds = g_array_new(FALSE, FALSE, sizeof(int));
  raw_writer_listen(&liar->writer, believer->name);
}

static void
leave(struct liar *liar)
{
  raw_writer_end(&liar->writer);
  for (guint i = 0; i < liar->fds->len; i++)
    close(g_array_index(liar->fds, int, i));
  g_array_unref(liar->fds);
  if (liar->aside != NULL)
    g_thread_join(liar->aside);
}

static void
run(struct believer *believer, const struct lie *lie, uint32_t policy)
{
  struct liar liar;
  guint64 start = shmvtest_now();
  g_string_truncate(believer->log, 0);
  believer->n_doubtful = 0;
  begin(&liar, believer, lie);
  believer->start(believer, policy);
  lie->tell(&liar);
  if (lie->storm != NULL)
    rage(&liar, believer);
  else if (lie->reason != NULL)
    believer_await_reason(believer, lie->reason);
  if (lie->reason != NULL) {
    char *pid = g_strdup_printf("(pid %d)", getpid());
    believer_await_reason(believer, pid);
    g_free(pid);
  }
  bool ends = lie->ends_elements && believer->is_element;
  if (ends)
    believer_await_error(believer);
  leave(&liar);
  if (!ends)
    be_honest(believer);
  believer->stop(believer);
  believer->n_errors = 0;
  g_test_message("%s: %" G_GUINT64_FORMAT " frames of the liar, %d turns, %d ms",
                 lie->name, believer->n_doubtful, liar.turns,
                 (int)((shmvtest_now() - start) / 1000000));
}

void
lies_run(struct believer *believer, const struct lie *lies, uint32_t policy)
{
  for (; lies->name != NULL; lies++)
    run(believer, lies, policy);
}

void
lies_run_twice(struct believer *believer, const struct lie *lies)
{
  size_t used[2];
  for (int lap = 0; lap < 2; lap++) {
    lies_run(believer, lies, SHMVIDEO_LATEST);
    used[lap] = mallinfo2().uordblks;
  }
  g_test_message("%zu bytes in use after the first lap, %zu after the second",
                 used[0], used[1]);
  g_assert_cmpuint(used[1], <, used[0] + 100000);
}

void
lies_run_thrice(struct believer *believer)
{
  static const struct lie lie = {.name = "no words"};
  struct liar liar;
  g_string_truncate(believer->log, 0);
  begin(&liar, believer, &lie);
  believer->start(believer, SHMVIDEO_LATEST);
  for (int i = 0; i < 3; i++) {
    struct shmv_message message;
    raw_writer_accept(&liar.writer);
    raw_writer_hear_hello(&liar.writer);
    message = (struct shmv_message){.type = SHMV_PAGE, .u.page_holds = 0};
    int fds[1] = {liar.writer.generation->board_segment.fd};
    g_assert_cmpint(raw_writer_say(&liar.writer, &message, fds), ==, 0);
    shmvtest_poll(liar.writer.fd, 0, shmvtest_deadline()); /* it hangs up */
    raw_writer_hang_up(&liar.writer);
  }
  believer_await_error(believer);
  char *pid = g_strdup_printf("(pid %d)", getpid());
  believer_await_reason(believer, pid);
  g_free(pid);
  leave(&liar);
  believer->stop(believer);
  believer->n_errors = 0;
}
