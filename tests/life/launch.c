/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct launch *
launch_start(gboolean eos_on_ctrl_c, const char *format, ...)
{
  struct launch *launch = g_new0(struct launch, 1);
  va_list args;
  va_start(args, format);
  char *line = g_strdup_vprintf(format, args);
  va_end(args);
  launch->child = shmvtest_spawn_line("gst-launch-1.0 -m -v %s %s",
                                      eos_on_ctrl_c ? "-e" : "", line);
  launch->line = g_string_new(NULL);
  g_free(line);
  return launch;
}

/* One line is complete. */
static void
heed(struct launch *launch)
{
  const char *line = launch->line->str;
  launch->frames += strstr(line, "last-message = chain") != NULL;
  launch->errors += g_str_has_prefix(line, "Got message") &&
                    strstr(line, "GstMessageError") != NULL;
}

/* Read one line if there is one within ms. FALSE: no, or the end. */
static gboolean
read_line(struct launch *launch, int timeout_ms)
{
  guint64 end = shmvtest_now() + (guint64)timeout_ms * 1000000;
  if (g_str_has_suffix(launch->line->str, "\n"))
    g_string_truncate(launch->line, 0);
  for (;;) {
    guint64 now = shmvtest_now();
    int left = now < end ? (int)((end - now + 999999) / 1000000) : 0;
    char c;
    if (shmvtest_poll(launch->child->out, POLLIN, left) == 0)
      return FALSE;
    ssize_t n = read(launch->child->out, &c, 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    g_string_append_c(launch->line, c);
    if (c == '\n') {
      heed(launch);
      return TRUE;
    }
  }
}

void
launch_wait(struct launch *launch, const char *words)
{
  while (read_line(launch, 2 * shmvtest_deadline()))
    if (strstr(launch->line->str, words) != NULL)
      return;
  g_error("gst-launch-1.0 %d never said \"%s\" (last \"%s\")", launch->child->pid,
          words, launch->line->str);
}

void
launch_wait_frames(struct launch *launch, guint more)
{
  guint until = launch->frames + more;
  while (launch->frames < until)
    if (!read_line(launch, 2 * shmvtest_deadline()))
      g_error("gst-launch-1.0 %d told of %u frames only, not %u (last \"%s\")",
              launch->child->pid, launch->frames, until, launch->line->str);
}

void
launch_listen(struct launch *launch)
{
  while (read_line(launch, 0))
    ;
}

int
launch_end(struct launch *launch)
{
  /* the end of its words comes with its own: nobody else has that pipe */
  while (read_line(launch, 2 * shmvtest_deadline()))
    ;
  return shmvtest_child_wait(launch->child, shmvtest_deadline());
}

guint
launch_ctrl_c(struct launch *launch, int status)
{
  launch_listen(launch);
  guint64 start = shmvtest_now();
  shmvtest_child_signal(launch->child, SIGINT);
  g_assert_cmpint(launch_end(launch), ==, status);
  return (guint)((shmvtest_now() - start) / 1000000);
}

void
launch_free(struct launch *launch)
{
  if (launch == NULL)
    return;
  shmvtest_child_free(launch->child);
  g_string_free(launch->line, TRUE);
  g_free(launch);
}

void
launch_wait_path(const char *path)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  while (access(path, F_OK) != 0) {
    if (shmvtest_now() > end)
      g_error("nothing came to %s", path);
    shmvtest_poll(-1, 0, 5);
  }
}

void
launch_usage(pid_t pid, guint *descriptors, guint *mappings)
{
  char *fds = g_strdup_printf("/proc/%d/fd", pid), *text = NULL;
  char *maps = g_strdup_printf("/proc/%d/maps", pid);
  GDir *dir = g_dir_open(fds, 0, NULL);
  *descriptors = *mappings = 0;
  g_assert_nonnull(dir);
  while (g_dir_read_name(dir) != NULL)
    ++*descriptors;
  g_dir_close(dir);
  g_assert_true(g_file_get_contents(maps, &text, NULL, NULL));
  for (const char *at = text; (at = strstr(at, "memfd:")) != NULL; at++)
    ++*mappings;
  g_free(text);
  g_free(maps);
  g_free(fds);
}
