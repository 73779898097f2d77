/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "leaks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
take_descriptors(GHashTable *set)
{
  DIR *dir = opendir("/proc/self/fd");
  g_assert_nonnull(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char target[256];
    ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
    if (n < 0 || atoi(entry->d_name) == dirfd(dir))
      continue;
    target[n] = '\0';
    g_hash_table_add(set, g_strdup_printf("descriptor %s -> %s", entry->d_name,
                                          target));
  }
  closedir(dir);
}

static void
take_mappings(GHashTable *set)
{
  FILE *maps = fopen("/proc/self/maps", "re");
  g_assert_nonnull(maps);
  char line[512];
  while (fgets(line, sizeof line, maps) != NULL) {
    const char *memfd = strstr(line, "/memfd:");
    if (memfd != NULL)
      g_hash_table_add(set, g_strdup_printf("mapping %.*s %s",
                                            (int)strcspn(line, " "), line,
                                            g_strchomp((char *)memfd)));
  }
  fclose(maps);
}

/* Looks without reaping. */
static void
take_children(GHashTable *set)
{
  DIR *dir = opendir("/proc/self/task");
  g_assert_nonnull(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char *path = g_strdup_printf("/proc/self/task/%s/children", entry->d_name);
    char *text = NULL;
    if (entry->d_name[0] != '.' && g_file_get_contents(path, &text, NULL, NULL)) {
      char **pids = g_strsplit(text, " ", -1);
      for (char **pid = pids; *pid != NULL; pid++)
        if (**pid != '\0')
          g_hash_table_add(set, g_strdup_printf("child %s", *pid));
      g_strfreev(pids);
    }
    g_free(text);
    g_free(path);
  }
  closedir(dir);
}

GHashTable *
leaks_take(void)
{
  GHashTable *set =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  take_descriptors(set);
  take_mappings(set);
  take_children(set);
  return set;
}

char *
leaks_compare(GHashTable *before, GHashTable *after)
{
  GString *text = g_string_new(NULL);
  GHashTableIter iter;
  gpointer line;
  g_hash_table_iter_init(&iter, after);
  while (g_hash_table_iter_next(&iter, &line, NULL))
    if (!g_hash_table_contains(before, line))
      g_string_append_printf(text, "  %s\n", (const char *)line);
  return g_string_free(text, text->len == 0);
}
