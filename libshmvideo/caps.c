/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A set accepts a format if it has anything in common with it, for one single
 * format has nothing else.
 */

#include "os.h"

#include "caps.h"

#include <errno.h>

#include "caps-meet.h"
#include "error.h"

int
shmv_caps_check(const char *text, struct shmvideo_error *error)
{
  struct shmv_caps caps;
  int r = shmv_caps_parse(&caps, text, error);
  if (r == 0)
    shmv_caps_clear(&caps);
  return r;
}

int
shmv_caps_accept(const char *set, const char *fixed,
                 struct shmvideo_error *error)
{
  struct shmv_caps parsed_set, parsed_fixed;
  int r = shmv_caps_parse(&parsed_set, set, error);
  if (r < 0)
    return r;
  r = shmv_caps_parse(&parsed_fixed, fixed, error);
  if (r == 0) {
    if (shmv_caps_is_fixed(&parsed_fixed))
      r = shmv_caps_can_intersect(&parsed_set, &parsed_fixed);
    else
      r = shmv_error_set(error, -EINVAL, 0, NULL,
                         "these caps are a set of formats, not one format");
    shmv_caps_clear(&parsed_fixed);
  }
  shmv_caps_clear(&parsed_set);
  return r;
}
