/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "caps-choose.h"
#include "caps-meet.h"
#include "caps-set.h"

/* Narrow *set to what it has in common with a text (NULL: anything). 1 done; 0 they
 * have nothing in common, and *set is as it was; <0 as parsing and meeting. */
static int
narrow(struct shmv_caps *set, const char *text)
{
  struct shmv_caps other, common;
  if (text == NULL)
    return 1;
  int code = shmv_caps_parse(&other, text, NULL);
  if (code < 0)
    return code;
  code = shmv_caps_intersect(&common, set, &other);
  shmv_caps_clear(&other);
  if (code < 0)
    return code;
  if (!common.any && common.n_structures.used == 0) {
    shmv_caps_clear(&common);
    return 0;
  }
  shmv_caps_clear(set);
  *set = common;
  return 1;
}

/* Bytes of texts that one negotiation looks at, beside the asker's and the writer's. What
 * two texts have in common is found out in time that grows with the product of their
 * lengths, and all of our time could be had for it. */
#define MOST_BYTES ((size_t)49152)

/* Whether the others before this one have said the same: then it changes nothing. */
static bool
is_repeated(const struct shmv_party *parties, unsigned index, unsigned asker)
{
  const char *accepts = parties[index].accepts;
  for (unsigned i = 0; accepts != NULL && i < index; i++)
    if (i != asker && parties[i].waits == parties[index].waits &&
        parties[i].accepts != NULL && strcmp(parties[i].accepts, accepts) == 0)
      return true;
  return accepts == NULL;
}

/* Whether the text is still to be looked at. */
static bool
spend(size_t *left, const char *accepts)
{
  size_t size = strlen(accepts);
  bool enough = size <= *left;
  if (enough)
    *left -= size;
  return enough;
}

/* The writer first, then who is content with the present format but could take
 * another; then those who wait as well, as far as they agree. */
static int
narrow_to_all(struct shmv_caps *set, const struct shmv_party *parties,
              unsigned n_parties, unsigned asker, const char *offers, char *why,
              size_t why_size)
{
  size_t left = MOST_BYTES;
  int code = narrow(set, offers);
  if (code == 0)
    snprintf(why, why_size, "the writer can make only %.280s", offers);
  for (unsigned i = 0; code > 0 && i < n_parties; i++) {
    if (i == asker || parties[i].waits || is_repeated(parties, i, asker))
      continue;
    bool asked = spend(&left, parties[i].accepts);
    code = asked ? narrow(set, parties[i].accepts) : 0;
    if (!asked)
      snprintf(why, why_size, "others (pid %d) say at too great length what they take",
               parties[i].pid);
    else if (code == 0)
      snprintf(why, why_size, "another reader (pid %d) takes only %.240s",
               parties[i].pid, parties[i].accepts);
  }
  for (unsigned i = 0; code > 0 && i < n_parties; i++)
    if (i != asker && parties[i].waits && !is_repeated(parties, i, asker) &&
        spend(&left, parties[i].accepts) && narrow(set, parties[i].accepts) < 0)
      code = -ENOMEM;
  return code;
}

int
shmv_negotiate(const struct shmv_party *parties, unsigned n_parties,
               unsigned asker, const char *offers, const char *present,
               char *caps, size_t caps_size, char *why, size_t why_size)
{
  struct shmv_caps set;
  for (unsigned i = 0; i < n_parties; i++)
    if (i != asker && parties[i].settled) {
      snprintf(why, why_size,
               "another reader (pid %d) receives the present format and keeps it",
               parties[i].pid);
      return 0;
    }
  const char *accepts = parties[asker].accepts;
  int code = shmv_caps_parse(&set, accepts != NULL ? accepts : "ANY", NULL);
  if (code < 0)
    return code;
  code = narrow_to_all(&set, parties, n_parties, asker, offers, why, why_size);
  if (code > 0) {
    code = shmv_caps_choose(&set, present, caps, caps_size);
    if (code == 0)
      snprintf(why, why_size, "what both sides can do is no format to share");
  }
  shmv_caps_clear(&set);
  return code;
}
