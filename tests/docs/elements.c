/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * docs/elements.md has a row for each property of each element, with its default
 * and, where a number has one, its unit; and no row for anything else.
 */

#include <gst/gst.h>
#include <string.h>

static char *page;

/* The part of the page about an element. */
static char *
section_of(const char *element)
{
  char *title = g_strdup_printf("\n## %s\n", element);
  const char *start = strstr(page, title);
  g_assert_nonnull(start);
  start += strlen(title);
  const char *end = strstr(start, "\n## ");
  g_free(title);
  return end != NULL ? g_strndup(start, (gsize)(end - start)) : g_strdup(start);
}

static char *
default_text(GParamSpec *spec)
{
  const GValue *value = g_param_spec_get_default_value(spec);
  if (G_VALUE_HOLDS_STRING(value) && g_value_get_string(value) == NULL)
    return g_strdup("none");
  if (G_VALUE_HOLDS_BOXED(value))
    return g_strdup("NULL");
  if (G_VALUE_HOLDS_ENUM(value))
    return g_strdup(
        g_enum_get_value(g_type_class_peek(spec->value_type),
                         g_value_get_enum(value))->value_nick);
  return gst_value_serialize(value);
}

static void
check_row(const char *section, GParamSpec *spec)
{
  char *start = g_strdup_printf("\n| `%s` | ", spec->name);
  const char *row = strstr(section, start);
  if (row == NULL)
    g_error("docs/elements.md does not have %s", spec->name);
  char **cells = g_strsplit(row + strlen(start), "|", 4);
  char *value = default_text(spec);
  g_test_message("%s", spec->name);
  g_assert_cmpstr(g_strstrip(cells[0]), ==, value);
  if (G_IS_PARAM_SPEC_UINT(spec) || G_IS_PARAM_SPEC_UINT64(spec))
    g_assert_cmpint((int)strlen(g_strstrip(cells[1])), >, 0);
  g_free(value);
  g_strfreev(cells);
  g_free(start);
}

static int
count_rows(const char *section)
{
  int n = 0;
  for (const char *row = section; (row = strstr(row, "\n| `")); row++)
    n++;
  return n;
}

static void
check_element(const char *name)
{
  GstElement *element = gst_element_factory_make(name, NULL);
  g_assert_nonnull(element);
  gst_object_ref_sink(element);
  char *section = section_of(name);
  guint n = 0;
  int own = 0;
  GParamSpec **specs =
      g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &n);
  for (guint i = 0; i < n; i++)
    if (specs[i]->owner_type == G_OBJECT_TYPE(element)) {
      check_row(section, specs[i]);
      own++;
    }
  g_assert_cmpint(own, >=, 5);
  g_assert_cmpint(count_rows(section), ==, own);
  g_free(specs);
  g_free(section);
  gst_object_unref(element);
}

static void
sink(void)
{
  check_element("shmvideosink");
}

static void
source(void)
{
  check_element("shmvideosrc");
}

int
main(int argc, char **argv)
{
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, NULL);
  char *path = g_build_filename(g_getenv("SHMVIDEO_SOURCE_DIR"),
                                "docs/elements.md", NULL);
  GError *error = NULL;
  g_file_get_contents(path, &page, NULL, &error);
  g_assert_no_error(error);
  g_free(path);
  g_test_add_func("/docs/elements/every-property-of-the-sink", sink);
  g_test_add_func("/docs/elements/every-property-of-the-source", source);
  int failed = g_test_run();
  g_free(page);
  return failed;
}
