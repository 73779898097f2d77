/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Caps as they are in use: the templates of all elements that are installed are
 * read, written, compared and intersected, each with each, as by GstCaps.
 */

#include <gst/gst.h>
#include <string.h>

#include "caps-gst.h"
#include "caps-meet.h"
#include "caps-print.h"
#include "caps.h"

/* All different texts of raw video, but those that are too long for us. */
static GPtrArray *
list_templates(void)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
  GList *elements = gst_registry_get_feature_list(gst_registry_get(),
                                                  GST_TYPE_ELEMENT_FACTORY);
  for (GList *e = elements; e != NULL; e = e->next)
    for (const GList *t = gst_element_factory_get_static_pad_templates(e->data);
         t != NULL; t = t->next) {
      GstCaps *caps = gst_static_pad_template_get_caps(t->data);
      char *text = gst_caps_to_string(caps);
      if (strstr(text, "video/x-raw") != NULL && strlen(text) <= SHMV_CAPS_MAX &&
          !g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_ptr_array_add(texts, text);
      else
        g_free(text);
      gst_caps_unref(caps);
    }
  gst_plugin_feature_list_free(elements);
  return texts;
}

static void
check_pair(const struct shmv_caps *a, GstCaps *gst_a, const struct shmv_caps *b,
           GstCaps *gst_b)
{
  struct shmv_caps met;
  g_assert_cmpint(shmv_caps_intersect(&met, a, b), ==, 0);
  GstCaps *gst_met = gst_caps_intersect_full(gst_a, gst_b,
                                             GST_CAPS_INTERSECT_FIRST);
  char *theirs = gst_caps_to_string(gst_met), *ours = g_malloc(1 << 20);
  g_assert_cmpint(shmv_caps_print(&met, ours, 1 << 20), >, 0);
  g_assert_cmpstr(ours, ==, theirs);
  g_assert_cmpint(shmv_caps_can_intersect(a, b), ==,
                  gst_caps_can_intersect(gst_a, gst_b));
  g_assert_cmpint(shmv_caps_is_subset(a, b), ==,
                  gst_caps_is_subset(gst_a, gst_b));
  shmv_caps_clear(&met);
  gst_caps_unref(gst_met);
  g_free(theirs);
  g_free(ours);
}

static void
test_templates(void)
{
  GPtrArray *texts = list_templates();
  struct shmv_caps *ours = g_new0(struct shmv_caps, texts->len);
  GstCaps **theirs = g_new0(GstCaps *, texts->len);
  for (guint i = 0; i < texts->len; i++) {
    theirs[i] = read_alike(texts->pdata[i]);
    g_assert_cmpint(shmv_caps_parse(&ours[i], texts->pdata[i], NULL), ==, 0);
  }
  for (guint i = 0; i < texts->len; i++)
    for (guint j = 0; j < texts->len; j++)
      if (i != j)
        check_pair(&ours[i], theirs[i], &ours[j], theirs[j]);
  g_test_message("%u templates", texts->len);
  g_assert_cmpuint(texts->len, >, 5);
  for (guint i = 0; i < texts->len; i++) {
    shmv_caps_clear(&ours[i]);
    gst_caps_unref(theirs[i]);
  }
  g_free(ours);
  g_free(theirs);
  g_ptr_array_unref(texts);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  gst_init(&argc, &argv);
  g_test_add_func("/caps/templates-of-elements-are-met-as-gstreamer-does",
                  test_templates);
  int r = g_test_run();
  gst_deinit();
  return r;
}
