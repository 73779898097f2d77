/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "vectors.h"

#include <stdlib.h>
#include <string.h>

static char *
project_path(const char *path)
{
  const char *source = g_getenv("SHMVIDEO_SOURCE_DIR");
  return g_build_filename(source != NULL ? source : ".", path, NULL);
}

char *
vectors_file(const char *path)
{
  char *full = project_path(path), *text = NULL;
  GError *error = NULL;
  g_file_get_contents(full, &text, NULL, &error);
  g_assert_no_error(error);
  g_free(full);
  return text;
}

static int
compare(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **
vectors_names(void)
{
  char *path = project_path("tests/vectors");
  GError *error = NULL;
  GDir *dir = g_dir_open(path, 0, &error);
  g_assert_no_error(error);
  GPtrArray *names = g_ptr_array_new();
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
    if (g_str_has_suffix(name, ".hex"))
      g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(".hex")));
  g_dir_close(dir);
  g_free(path);
  g_ptr_array_sort(names, compare);
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(names, FALSE);
}

static void
add_word(GByteArray *bytes, const char *word)
{
  g_assert_true(g_ascii_isxdigit(word[0]) && g_ascii_isxdigit(word[1]));
  g_assert_true(word[2] == 0 || word[2] == '*');
  guint8 byte = (guint8)(g_ascii_xdigit_value(word[0]) * 16 +
                         g_ascii_xdigit_value(word[1]));
  int n = word[2] == '*' ? atoi(word + 3) : 1;
  g_assert_cmpint(n, >=, 1);
  for (int i = 0; i < n; i++)
    g_byte_array_append(bytes, &byte, 1);
}

guint8 *
vectors_bytes(const char *name, gsize *out_size)
{
  char *path = g_strdup_printf("tests/vectors/%s.hex", name);
  char *text = vectors_file(path);
  GByteArray *bytes = g_byte_array_new();
  char **lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    (*line)[strcspn(*line, "#")] = 0;
    char **words = g_strsplit(*line, " ", -1);
    for (char **word = words; *word != NULL; word++)
      if (**word != 0)
        add_word(bytes, *word);
    g_strfreev(words);
  }
  g_strfreev(lines);
  g_free(text);
  g_free(path);
  *out_size = bytes->len;
  guint8 *copy = malloc(bytes->len + (bytes->len == 0));
  memcpy(copy, bytes->data != NULL ? bytes->data : (guint8 *)"", bytes->len);
  g_byte_array_free(bytes, TRUE);
  return copy;
}
