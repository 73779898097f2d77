/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Random caps texts inside the subset, in all spellings, against GstCaps: both
 * must read the same set, and agree on what it takes. Then the same texts with
 * some bytes changed: whatever we still read, GStreamer must read, and alike.
 *
 * SHMVIDEO_TEST_ROUNDS asks for more rounds; --seed repeats a run.
 */

#include <string.h>

#include "caps-make.h"
#include "caps.h"

/* ---- tests -------------------------------------------------------------- */

static void
test_agreement(void)
{
  guint rounds = n_rounds(20000), n_accepted = 0;
  for (guint i = 0; i < rounds; i++) {
    char *set = make_text(FALSE), *fixed = make_text(TRUE);
    GstCaps *gst_set = read_alike(set), *gst_fixed = read_alike(fixed);
    int theirs = gst_caps_can_intersect(gst_set, gst_fixed);
    int ours = shmv_caps_accept(set, fixed, NULL);
    if (ours != theirs)
      g_error("\"%s\" takes \"%s\": we say %d, GStreamer %d", set, fixed, ours,
              theirs);
    n_accepted += (guint)ours;
    gst_caps_unref(gst_set);
    gst_caps_unref(gst_fixed);
    g_free(set);
    g_free(fixed);
  }
  g_test_message("%u rounds, %u accepted", rounds, n_accepted);
  g_assert_cmpuint(n_accepted, >, rounds / 10);
  g_assert_cmpuint(n_accepted, <, rounds - rounds / 10);
}

/* Change, insert or remove a byte behind the first ones. */
static void
mutate(GString *text, int first)
{
  static const char bytes[] = "aefxANUL019/:;,=+-._ []{}()<>\"\\\t\n";
  gssize at = first + pick((int)text->len + 1 - first);
  int how = pick(3);
  if (how > 0 && (gsize)at < text->len)
    g_string_erase(text, at, 1);
  if (how < 2)
    g_string_insert_c(text, at, bytes[pick(sizeof bytes - 1)]);
}

static void
test_mutation(void)
{
  guint rounds = n_rounds(10000), n_read = 0;
  for (guint i = 0; i < rounds; i++) {
    /* GLib never forgets a name it has seen once: damage mostly values. */
    GString *text = g_string_new("video/x-raw, x=");
    int first = (int)text->len;
    if (i % 16 == 0) {
      char *original = make_text(pick(2));
      g_string_assign(text, original);
      g_free(original);
      first = 0;
    } else {
      put_value(text, (enum kind)pick(N_KINDS), pick(2));
    }
    for (int n = 1 + pick(3); n > 0; n--)
      mutate(text, first);
    /* GStreamer warns about media types that begin with "video/x-raw-". */
    if (strstr(text->str, "x-raw-") == NULL &&
        shmv_caps_check(text->str, NULL) == 0) {
      gst_caps_unref(read_alike(text->str));
      n_read++;
    }
    g_string_free(text, TRUE);
  }
  g_test_message("%u rounds, %u read", rounds, n_read);
  g_assert_cmpuint(n_read, >, rounds / 20);
  g_assert_cmpuint(n_read, <, rounds - rounds / 20);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
  g_test_add_func("/caps/random-texts-mean-what-gstreamer-says",
                  test_agreement);
  g_test_add_func("/caps/damaged-texts-mean-the-same-or-are-refused",
                  test_mutation);
  int r = g_test_run();
  gst_deinit();
  return r;
}
