/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The sending process: sender element|library. See sender.h. */

#include "sender.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Info and layout of the buffer that a job sends, which may be larger than what
 * the caps say. */
static char *
plan(const struct job *job, GstVideoInfo *info, struct layout *layout)
{
  GstCaps *caps = gst_caps_from_string(job->caps);
  gboolean ok = caps != NULL && gst_video_info_from_caps(info, caps);

  gst_clear_caps(&caps);
  if (!ok)
    return g_strdup("these are no video caps");
  if (job->full_width != 0)
    ok = gst_video_info_set_format(info, GST_VIDEO_INFO_FORMAT(info),
                                   job->full_width, job->full_height);
  g_assert_true(ok);
  if (!layout_make(job->layout, info, layout))
    return g_strdup("GStreamer cannot align this format");
  return NULL;
}

static char *
show(const struct sender_way *way, struct sender *sender, const struct job *job)
{
  struct picture picture;
  struct layout layout;
  GstVideoInfo info;
  char *trouble = plan(job, &info, &layout);

  if (trouble != NULL)
    return trouble;
  picture_init(&picture, &info, job->seed);
  trouble = way->show(sender, job, &picture, &layout);
  picture_clear(&picture);
  return trouble;
}

static char *
answer(const struct sender_way *way, struct sender *sender,
       const struct job *job)
{
  struct job_stats stats = {0};

  switch (job->kind) {
    case JOB_START:
      way->stop(sender);
      return way->start(sender, job->path);
    case JOB_CAPS:
      return way->caps(sender, job);
    case JOB_SHOW:
      return show(way, sender, job);
    case JOB_STATS:
      way->stats(sender, &stats);
      return job_stats_to_line(&stats);
    case JOB_MESSAGE:
      return way->message(sender);
    case JOB_STOP:
      way->stop(sender);
      return NULL;
  }
  return g_strdup("what job is that?");
}

static void
work(const struct sender_way *way, struct sender *sender, const char *line)
{
  struct job job;
  char *text;

  if (!job_from_line(&job, line))
    g_error("no job: %s", line);
  text = answer(way, sender, &job);
  if (text != NULL)
    g_strdelimit(text, "\n", ' ');
  printf("%s\n", text != NULL ? text : "ok");
  fflush(stdout);
  g_free(text);
  job_clear(&job);
}

/* Take the first line out of what was read; NULL while it is incomplete. Yours. */
static char *
take_line(GString *input)
{
  char *end = memchr(input->str, '\n', input->len);
  char *line;

  if (end == NULL)
    return NULL;
  line = g_strndup(input->str, (gsize)(end - input->str));
  g_string_erase(input, 0, end - input->str + 1);
  return line;
}

static void
run(const struct sender_way *way, struct sender *sender)
{
  GString *input = g_string_new(NULL);
  char *line, piece[4096];
  ssize_t n = 1;

  while (n > 0) {
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = way->get_fd(sender), .events = POLLIN}};

    g_assert_cmpint(poll(fds, 2, -1), >, 0);
    if (fds[1].revents)
      way->dispatch(sender);
    if (fds[0].revents == 0)
      continue;
    n = read(STDIN_FILENO, piece, sizeof piece);
    g_assert_cmpint(n, >=, 0);
    g_string_append_len(input, piece, n);
    while ((line = take_line(input)) != NULL) {
      work(way, sender, line);
      g_free(line);
    }
  }
  g_string_free(input, TRUE);
}

int
main(int argc, char **argv)
{
  const struct sender_way *way = &sender_element;
  struct sender *sender;

  gst_init(&argc, &argv);
  if (argc == 2 && strcmp(argv[1], "library") == 0)
    way = &sender_library;
  else
    g_assert_true(argc == 2 && strcmp(argv[1], "element") == 0);
  sender = way->create();
  run(way, sender);
  way->stop(sender);
  way->destroy(sender);
  return 0;
}
