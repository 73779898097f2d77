/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "sets.h"

#include <errno.h>
#include <string.h>

#include "caps-choose.h"
#include "caps-meet.h"
#include "caps-print.h"
#include "caps-set.h"
#include "caps.h"
#include "negotiate.h"

#define ROOM 65536

/* What a set is written as is the same set. */
static void
check_print(const struct shmv_caps *set)
{
  static char text[ROOM], other[ROOM];
  struct shmv_caps again;
  int n = shmv_caps_print(set, text, sizeof text);
  if (n == -ENOSPC)
    return;
  FUZZ_CHECK(n > 0 && strlen(text) == (size_t)n);
  FUZZ_CHECK(shmv_caps_print(set, other, (size_t)n) == -ENOSPC);
  if (n > SHMV_CAPS_MAX)
    return;
  FUZZ_CHECK(shmv_caps_parse(&again, text, NULL) == 0);
  FUZZ_CHECK(shmv_caps_is_fixed(&again) == shmv_caps_is_fixed(set));
  FUZZ_CHECK(shmv_caps_print(&again, other, sizeof other) == n);
  FUZZ_CHECK(strcmp(text, other) == 0);
  shmv_caps_clear(&again);
}

/* A format chosen from a set is one that can be shared; and being there already, it
 * is chosen again. */
static bool
choose(const struct shmv_caps *set, char text[SHMV_CAPS_MAX + 1])
{
  static char again[SHMV_CAPS_MAX + 1];
  struct shmvideo_format format;
  int n = shmv_caps_choose(set, NULL, text, SHMV_CAPS_MAX + 1);
  FUZZ_CHECK(n >= 0);
  if (n == 0)
    return false;
  FUZZ_CHECK(strlen(text) == (size_t)n);
  FUZZ_CHECK(shmvideo_format_from_caps(&format, text, NULL) == 0);
  FUZZ_CHECK(shmv_caps_choose(set, text, again, sizeof again) == n);
  FUZZ_CHECK(strcmp(text, again) == 0);
  return true;
}

static bool
is_empty(const struct shmv_caps *set)
{
  return !set->any && set->n_structures.used == 0;
}

static void
check_common(const char *a, const struct shmv_caps *of_a, const char *b,
             const struct shmv_caps *of_b)
{
  static char chosen[SHMV_CAPS_MAX + 1];
  struct shmv_caps common;
  int code = shmv_caps_intersect(&common, of_a, of_b);
  FUZZ_CHECK(code == 0 || code == 1);
  check_print(&common);
  if (code == 0) {
    bool any = !is_empty(&common);
    FUZZ_CHECK(shmv_caps_can_intersect(of_a, of_b) == any);
    FUZZ_CHECK(shmv_caps_can_intersect(of_b, of_a) == any);
    if (shmv_caps_is_fixed(of_b))
      FUZZ_CHECK(shmv_caps_accept(a, b, NULL) == any);
  }
  if (choose(&common, chosen)) {
    FUZZ_CHECK(shmv_caps_accept(a, chosen, NULL) == 1);
    FUZZ_CHECK(shmv_caps_accept(b, chosen, NULL) == 1);
  }
  (void)shmv_caps_is_subset(&common, of_a);
  (void)shmv_caps_is_subset(of_a, of_b);
  shmv_caps_clear(&common);
}

void
sets_try_pair(const char *a, const char *b)
{
  struct shmv_caps of_a, of_b;
  char why[256];
  shmv_caps_explain(a, b, why, sizeof why);
  FUZZ_CHECK(memchr(why, 0, sizeof why) != NULL);
  if (shmv_caps_parse(&of_a, a, NULL) < 0)
    return;
  if (shmv_caps_parse(&of_b, b, NULL) == 0) {
    check_print(&of_a);
    check_common(a, &of_a, b, &of_b);
    shmv_caps_clear(&of_b);
  }
  shmv_caps_clear(&of_a);
}

/* The next text, or NULL if there is none or it is not to be there. */
static const char *
next_text(const char **texts, const char *end, bool wanted, bool *good)
{
  const char *text = *texts;
  if (text >= end)
    return NULL;
  *texts = text + strlen(text) + 1;
  if (wanted)
    *good = *good && shmv_caps_check(text, NULL) == 0;
  return wanted ? text : NULL;
}

void
sets_try_negotiation(const char *texts, const char *end, uint8_t how)
{
  static char chosen[SHMV_CAPS_MAX + 1];
  char why[300] = "";
  struct shmvideo_format format;
  struct shmv_party parties[2] = {{.pid = 1, .waits = true}, {.pid = 2}};
  bool good = true;
  parties[0].accepts = next_text(&texts, end, (how & 1) == 0, &good);
  parties[1].accepts = next_text(&texts, end, (how & 2) == 0, &good);
  parties[1].waits = how & 4;
  parties[1].settled = (how & 0x18) == 0x18;
  const char *offers = next_text(&texts, end, (how & 0x20) == 0, &good);
  const char *present = next_text(&texts, end, texts < end, &good);
  if (present != NULL && shmvideo_format_from_caps(&format, present, NULL) < 0)
    present = NULL; /* it is always a format */
  int n = shmv_negotiate(parties, how & 0x40 ? 2 : 1, 0, offers, present,
                         chosen, sizeof chosen, why, sizeof why);
  FUZZ_CHECK(memchr(why, 0, sizeof why) != NULL);
  FUZZ_CHECK(n >= 0 || (!good && (n == -EINVAL || n == -E2BIG || n == -ENOMEM)));
  FUZZ_CHECK(n != 0 || why[0] != '\0');
  if (n <= 0)
    return;
  FUZZ_CHECK(shmvideo_format_from_caps(&format, chosen, NULL) == 0);
  const char *takers[] = {parties[0].accepts, offers,
                          how & 0x40 && !parties[1].waits ? parties[1].accepts
                                                          : NULL};
  for (int i = 0; i < 3; i++)
    FUZZ_CHECK(takers[i] == NULL ||
               shmv_caps_accept(takers[i], chosen, NULL) == 1);
}
