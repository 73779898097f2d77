/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "usage.h"

#include <string.h>

#include "share.h"

/* Bytes. */
static guint64
status_of(pid_t pid, const char *key)
{
  char *path = g_strdup_printf("/proc/%d/status", pid), *text = NULL;
  guint64 value = 0;
  if (g_file_get_contents(path, &text, NULL, NULL)) {
    const char *at = strstr(text, key);
    value = at != NULL ? g_ascii_strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
  }
  g_free(text);
  g_free(path);
  return value;
}

struct judge_sample
usage_sample(pid_t pid)
{
  struct share_usage usage = share_usage(pid);
  return (struct judge_sample){usage.descriptors, usage.mappings,
                               status_of(pid, "RssAnon:"),
                               status_of(pid, "RssShmem:")};
}
