/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "survivors.h"

#include <string.h>
#include <unistd.h>

#include "leaks.h"

/* What the C library may keep for later, bytes. */
#define KEPT_MEMORY (1 << 20)

guint64
survivors_setting(const char *name, guint64 otherwise)
{
  const char *text = g_getenv(name);
  return text != NULL ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

void
survivors_wait_same(pid_t pid, struct share_usage before)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  for (;;) {
    struct share_usage now = share_usage(pid);
    if (now.descriptors == before.descriptors && now.mappings == before.mappings)
      return;
    if (shmvtest_now() > end)
      g_error("process %d: %u descriptors, %u mappings; before %u, %u", pid,
              now.descriptors, now.mappings, before.descriptors, before.mappings);
    shmvtest_poll(-1, 0, 1);
  }
}

void
survivors_check_memory(pid_t pid, struct share_usage before)
{
  struct share_usage now = share_usage(pid);
  g_test_message("process %d: %" G_GUINT64_FORMAT " kB, before %" G_GUINT64_FORMAT,
                 pid, now.resident / 1024, before.resident / 1024);
  if (g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL) /* sanitizers keep memory */
    g_assert_cmpuint(now.resident, <=, before.resident + KEPT_MEMORY);
}

guint64
survivors_own_memory(void)
{
  char *status = NULL;
  g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
  const char *at = strstr(status, "RssAnon:");
  g_assert_nonnull(at);
  guint64 bytes = g_ascii_strtoull(at + strlen("RssAnon:"), NULL, 10) * 1024;
  g_free(status);
  return bytes;
}

void
survivors_check_own_memory(guint64 before)
{
  guint64 now = survivors_own_memory();
  if (now > before + KEPT_MEMORY / 8 && g_getenv("SHMVIDEO_TEST_SLOWNESS") == NULL)
    g_error("process %d has %" G_GUINT64_FORMAT " bytes, before %" G_GUINT64_FORMAT,
            getpid(), now, before);
}

void
survivors_check_left(GHashTable *before)
{
  GHashTable *after = leaks_take();
  char *left = leaks_compare(before, after);
  if (left != NULL)
    g_error("process %d leaves %s", getpid(), left);
  g_hash_table_unref(after);
  g_hash_table_unref(before);
}

static int
compare(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
survivors_expect_files(const char *names)
{
  GDir *dir = g_dir_open(shmvtest_dir(), 0, NULL);
  GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir)) != NULL)
    g_ptr_array_add(all, g_strdup(name));
  g_dir_close(dir);
  g_ptr_array_sort(all, compare);
  g_ptr_array_add(all, NULL);
  char *text = g_strjoinv(" ", (char **)all->pdata);
  g_assert_cmpstr(text, ==, names);
  g_free(text);
  g_ptr_array_unref(all);
}
