/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* What a failure may look like to who called the library. See story.h. */

#include "story.h"

#include <errno.h>
#include <string.h>

#include "shim-calls.h"

/* Words that only a peer that breaks a rule deserves. */
static void
check_blame(const char *line)
{
  static const char *const blame[] = {"broke", "break", "malformed", "no caps",
                                      "another protocol", "no HELLO",
                                      "could not be sealed"};
  for (guint i = 0; i < G_N_ELEMENTS(blame); i++)
    if (strstr(line, blame[i]) != NULL)
      g_error("nobody is to blame: %s", line);
}

void
story_log(void *user, enum shmvideo_log_level level, const char *line)
{
  const struct story *story = user;
  (void)level;
  if (!story->stranger)
    check_blame(line);
}

/* Codes that a failed call may come back as. A signal is no failure. */
static bool
is_from_failure(int code, const char *message)
{
  int cause = shim_errno();
  if (cause == 0 || cause == EINTR)
    return false;
  if (code == -ENOBUFS) /* the writer, not the system */
    return strstr(message, "refused this reader: ") != NULL;
  switch (cause) {
    case EFAULT:  /* a page that could not be made */
    case ENOBUFS: /* a message */
      return code == -ENOMEM;
    case EAGAIN: /* a queue that is full; a mapping that could not be split */
      return shim_was("connect") ? code == -EADDRINUSE || code == -EAGAIN
                                 : code == -ENOMEM;
    case SHIM_CUT:
      return code == -EMFILE;
    default:
      return code == -cause;
  }
}

/* It names a path, or what else it is about. */
static bool
says_where(const struct story *story, const char *message)
{
  const char *const places[] = {story->path, shmvtest_dir(),
                                "/tmp/shmvideo-", "caps text",
                                "No frame memory for RGBA ",
                                "No frame memory for GRAY8 "};
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    if (strstr(message, places[i]) != NULL)
      return true;
  return false;
}

static void
go_on(struct story *story)
{
  g_assert_cmpuint(story->n_errors, <=, story->max_errors);
  if (story->relieve != NULL)
    story->relieve();
  if (story->give_up != NULL)
    longjmp(*story->give_up, 1);
}

void
story_count_error(struct story *story, int code)
{
  if (code >= 0)
    return;
  story->n_errors++;
  if (!is_from_failure(code, ""))
    g_error("%s came back as %s (%d)", shim_failed(), shmvideo_strerror(code),
            code);
  go_on(story);
}

void
story_check(struct story *story, int code, const struct shmvideo_error *error)
{
  story->n_errors++;
  if (!is_from_failure(code, error->message))
    g_error("%s came back as %s (%d): %s", shim_failed(),
            shmvideo_strerror(code), code, error->message);
  g_assert_cmpint(error->code, ==, code);
  check_blame(error->message);
  if (!says_where(story, error->message) ||
      strstr(error->message, "(null)") != NULL ||
      strstr(error->message, "Success") != NULL)
    g_error("%s came back with a poor sentence: \"%s\"", shim_failed(),
            error->message);
  go_on(story);
}
