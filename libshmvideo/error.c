/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

int
shmv_error_set(struct shmvideo_error *error, int code, int pid,
               const char *advice, const char *format, ...)
{
  if (error == NULL)
    return code;
  error->code = code;
  error->pid = pid;
  va_list args;
  va_start(args, format);
  vsnprintf(error->message, sizeof error->message, format, args);
  va_end(args);
  shmv_text_clean(error->message);
  snprintf(error->advice, sizeof error->advice, "%s", advice ? advice : "");
  return code;
}

int
shmv_error_of_call(void)
{
  return errno == ENOBUFS ? -ENOMEM : -errno;
}

void
shmv_log(const struct shmv_log *log, enum shmvideo_log_level level,
         const char *format, ...)
{
  if (log->func == NULL)
    return;
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  shmv_text_clean(line);
  log->func(log->user, level, line);
}

/* The errnos that mean something particular here; docs/errors.md explains each.
 * All others keep the text of the C library. */
static const struct {
  int code;
  const char *text;
} meanings[] = {
    {-EADDRINUSE, "a living writer has this path"},
    {-EBADMSG, "the other side sent a malformed message"},
    {-ECANCELED, "the wait was cancelled"},
    {-ECONNREFUSED, "nobody listens at this path"},
    {-EEXIST, "something that is no socket is at this path"},
    {-EMEDIUMTYPE, "no common video format"},
    {-ENOBUFS, "the writer has no frame memory for one more reader"},
    {-ENODATA, "nothing there yet"},
    {-ENOTSOCK, "what is at this path is not a socket"},
    {-EPROTO, "the other side broke the protocol"},
    {-EPROTONOSUPPORT, "the other side speaks another protocol version"},
    {-EPROTOTYPE, "another kind of socket is at this path"},
    {-ESTALE, "the slot belongs to an earlier format"},
    {-EXFULL, "the other side sends more messages than it may"},
};

const char *
shmvideo_strerror(int code)
{
  for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
    if (meanings[i].code == code)
      return meanings[i].text;
  const char *text = code < 0 ? strerrordesc_np(-code) : NULL;
  return text != NULL ? text : code < 0 ? "unknown error" : "no error";
}
