/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Random sets of formats, intersected and compared, against GstCaps: the results
 * must be the same to the letter, but for the exceptions of caps-excuse.h, which
 * are counted and must stay rare.
 *
 * SHMVIDEO_TEST_ROUNDS asks for more rounds; --seed repeats a run.
 */

#include "caps-meet.h"

#include <string.h>

#include "caps-excuse.h"
#include "caps-make.h"
#include "caps-print.h"
#include "caps.h"

/* A random set, as we and as GStreamer read it. */
struct both {
  char *text;
  struct shmv_caps ours;
  GstCaps *theirs;
};

static void
both_read(struct both *both, char *text)
{
  both->text = text;
  both->theirs = read_alike(text);
  g_assert_cmpint(shmv_caps_parse(&both->ours, text, NULL), ==, 0);
}

static void
both_clear(struct both *both)
{
  shmv_caps_clear(&both->ours);
  gst_caps_unref(both->theirs);
  g_free(both->text);
}

/* The set's structure i alone; it borrows all from the set. */
static struct shmv_caps
nth(const struct shmv_caps *caps, guint i)
{
  struct shmv_caps one = *caps;
  one.structures += i;
  one.n_structures.used = 1;
  return one;
}

static char *
print(const struct shmv_caps *caps)
{
  char *text = g_malloc(SHMV_CAPS_MAX + 1);
  int length = shmv_caps_print(caps, text, SHMV_CAPS_MAX + 1);
  g_assert_cmpint(length, ==, strlen(text));
  return text;
}

/* ---- text --------------------------------------------------------------- */

/* What is written is what GStreamer writes, and is read as the same again. */
static void
check_print(const struct shmv_caps *ours, const GstCaps *theirs)
{
  char *text = print(ours), *expected = gst_caps_to_string(theirs);
  g_assert_cmpstr(text, ==, expected);
  struct both again;
  both_read(&again, text);
  g_assert_true(same_caps(again.theirs, theirs));
  g_free(expected);
  both_clear(&again);
}

static void
test_print(void)
{
  for (guint i = 0, rounds = n_rounds(1000); i < rounds; i++) {
    struct both set;
    both_read(&set, make_text(pick(4) == 0));
    check_print(&set.ours, set.theirs);
    both_clear(&set);
  }
}

/* ---- subsets ------------------------------------------------------------ */

struct count {
  guint asked, yes, excused, crashing;
};

/* Whether what is said of each structure with each is the same, or excused. */
static gboolean
is_each_excused(const struct both *part, const struct both *whole)
{
  gboolean excused = FALSE;
  for (guint i = 0; i < part->ours.n_structures.used; i++)
    for (guint j = 0; j < whole->ours.n_structures.used; j++) {
      struct shmv_caps p = nth(&part->ours, i), w = nth(&whole->ours, j);
      GstCaps *gst_p = gst_caps_copy_nth(part->theirs, i);
      GstCaps *gst_w = gst_caps_copy_nth(whole->theirs, j);
      gboolean ours = shmv_caps_is_subset(&p, &w);
      if (ours != gst_caps_is_subset(gst_p, gst_w)) {
        if (!is_subset_excused(&p, &w, ours))
          g_error("\"%s\" is part of \"%s\": we say %d, GStreamer %d",
                  gst_caps_to_string(gst_p), gst_caps_to_string(gst_w), ours,
                  !ours);
        excused = TRUE;
      }
      gst_caps_unref(gst_p);
      gst_caps_unref(gst_w);
    }
  return excused;
}

static void
check_subset(const struct both *part, const struct both *whole,
             struct count *count)
{
  count->asked++;
  if (would_crash(&part->ours, &whole->ours) ||
      would_crash(&whole->ours, &part->ours)) {
    count->crashing++;
    return;
  }
  gboolean ours = shmv_caps_is_subset(&part->ours, &whole->ours);
  gboolean theirs = gst_caps_is_subset(part->theirs, whole->theirs);
  count->yes += (guint)ours;
  if (ours != theirs) {
    count->excused++;
    if (!is_each_excused(part, whole))
      g_error("\"%s\" is part of \"%s\": we say %d, GStreamer %d", part->text,
              whole->text, ours, theirs);
  }
}

static void
test_subset(void)
{
  struct count count = {0};
  for (guint i = 0, rounds = n_rounds(3000); i < rounds; i++) {
    struct both a, b, common;
    struct shmv_caps met;
    both_read(&a, make_text(FALSE));
    both_read(&b, make_text(pick(4) == 0));
    /* Random sets are rarely parts of each other, but what they have in common
     * often is part of both. */
    g_assert_cmpint(shmv_caps_intersect(&met, &a.ours, &b.ours), ==, 0);
    both_read(&common, print(&met));
    check_subset(&a, &b, &count);
    check_subset(&common, pick(2) ? &a : &b, &count);
    check_subset(pick(2) ? &a : &b, &common, &count);
    shmv_caps_clear(&met);
    both_clear(&a);
    both_clear(&b);
    both_clear(&common);
  }
  g_test_message("%u asked, %u yes, %u excused, %u not to be asked",
                 count.asked, count.yes, count.excused, count.crashing);
  g_assert_cmpuint(count.yes, >, count.asked / 10);
  g_assert_cmpuint(count.yes, <, count.asked / 2);
  g_assert_cmpuint(count.excused, <, 10 + count.asked / 1000);
  g_assert_cmpuint(count.crashing, <, count.asked / 3);
}

/* ---- intersections ------------------------------------------------------ */

/* Of each structure with each, where GStreamer compares no lists. */
static void
check_each(const struct both *a, const struct both *b)
{
  for (guint i = 0; i < a->ours.n_structures.used; i++)
    for (guint j = 0; j < b->ours.n_structures.used; j++) {
      struct shmv_caps one = nth(&a->ours, i), other = nth(&b->ours, j), met;
      GstCaps *gst_one = gst_caps_copy_nth(a->theirs, i);
      GstCaps *gst_other = gst_caps_copy_nth(b->theirs, j);
      GstCaps *gst_met = gst_caps_intersect_full(gst_one, gst_other,
                                                 GST_CAPS_INTERSECT_FIRST);
      g_assert_cmpint(shmv_caps_intersect(&met, &one, &other), ==, 0);
      check_print(&met, gst_met);
      g_assert_cmpint(shmv_caps_can_intersect(&one, &other), ==,
                      !gst_caps_is_empty(gst_met));
      shmv_caps_clear(&met);
      gst_caps_unref(gst_one);
      gst_caps_unref(gst_other);
      gst_caps_unref(gst_met);
    }
}

/* All that each has in common with each, with repetitions. */
static void
both_products(struct both *products, const struct both *a, const struct both *b)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < a->ours.n_structures.used; i++)
    for (guint j = 0; j < b->ours.n_structures.used; j++) {
      struct shmv_caps one = nth(&a->ours, i), other = nth(&b->ours, j), met;
      g_assert_cmpint(shmv_caps_intersect(&met, &one, &other), ==, 0);
      char *part = print(&met);
      if (met.n_structures.used > 0)
        g_string_append_printf(text, "%s;", part);
      g_free(part);
      shmv_caps_clear(&met);
    }
  both_read(products, g_string_free(text, FALSE));
}

/* The same, in the same order; or a structure is left out, or not, because it is
 * part of another in our eyes only, or in GStreamer's. */
static void
check_intersection(const struct both *a, const struct both *b,
                   const struct shmv_caps *met, struct count *count)
{
  GstCaps *theirs = gst_caps_intersect_full(a->theirs, b->theirs,
                                            GST_CAPS_INTERSECT_FIRST);
  GstCaps *ours = to_gst(met);
  char *our_text = print(met), *their_text = gst_caps_to_string(theirs);
  gboolean can = shmv_caps_can_intersect(&a->ours, &b->ours);
  g_assert_cmpint(can, ==, met->any || met->n_structures.used > 0);
  g_assert_cmpint(can, ==, gst_caps_can_intersect(a->theirs, b->theirs));
  count->yes += (guint)can;
  if (!same_caps(ours, theirs) || strcmp(our_text, their_text) != 0) {
    struct both products;
    both_products(&products, a, b);
    count->excused++;
    if (!is_each_excused(&products, &products))
      g_error("\"%s\" and \"%s\": we find \"%s\", GStreamer \"%s\"", a->text,
              b->text, our_text, their_text);
    both_clear(&products);
  }
  g_free(our_text);
  g_free(their_text);
  gst_caps_unref(ours);
  gst_caps_unref(theirs);
}

/* Whatever GStreamer says, what the result takes is taken by both. */
static void
check_soundness(const struct both *a, const struct both *b,
                const struct shmv_caps *met)
{
  char *common = print(met);
  for (int i = 0; i < 2; i++) {
    char *fixed = make_text(TRUE);
    if (shmv_caps_accept(common, fixed, NULL)) {
      g_assert_cmpint(shmv_caps_accept(a->text, fixed, NULL), ==, 1);
      g_assert_cmpint(shmv_caps_accept(b->text, fixed, NULL), ==, 1);
    }
    g_free(fixed);
  }
  g_free(common);
}

static void
test_intersection(void)
{
  struct count count = {0};
  for (guint i = 0, rounds = n_rounds(20000); i < rounds; i++) {
    struct both a, b;
    struct shmv_caps met;
    both_read(&a, make_text(pick(8) == 0));
    both_read(&b, make_text(pick(8) == 0));
    g_assert_cmpint(shmv_caps_intersect(&met, &a.ours, &b.ours), ==, 0);
    check_soundness(&a, &b, &met);
    count.asked++;
    if (fields_are_rounded_wrongly(&a.ours, &b.ours)) {
      count.excused++;
    } else if (would_crash(&a.ours, &b.ours) ||
               would_crash(&b.ours, &a.ours)) {
      count.crashing++;
      check_each(&a, &b);
    } else {
      check_intersection(&a, &b, &met, &count);
    }
    shmv_caps_clear(&met);
    both_clear(&a);
    both_clear(&b);
  }
  g_test_message("%u asked, %u yes, %u excused, %u not to be asked",
                 count.asked, count.yes, count.excused, count.crashing);
  g_assert_cmpuint(count.yes, >, count.asked / 10);
  g_assert_cmpuint(count.excused, <, 10 + count.asked / 30);
  g_assert_cmpuint(count.crashing, <, count.asked / 3);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE); /* no plugin is needed */
  gst_init(&argc, &argv);
#define TEST(name, function) g_test_add_func("/caps-meet/" name, function)
  TEST("a-set-is-written-as-gstreamer-writes-it", test_print);
  TEST("a-set-is-part-of-another-as-gstreamer-says", test_subset);
  TEST("sets-are-intersected-as-gstreamer-does", test_intersection);
#undef TEST
  int r = g_test_run();
  gst_deinit();
  return r;
}
