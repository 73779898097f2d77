/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "rig.h"

#include <string.h>
#include <unistd.h>

#include "receiver.h"
#include "shmvtest.h"

const char *rig_sender;

struct rig {
  struct shmvtest_child *child;
  const struct receiver_way *way;
  struct receiver *receiver; /* NULL: not started */
};

struct rig *
rig_new(enum side from, enum side to)
{
  const char *argv[] = {rig_sender, from == ELEMENT ? "element" : "library",
                        NULL};
  struct rig *rig = g_new0(struct rig, 1);

  rig->way = to == ELEMENT ? &receiver_element : &receiver_library;
  rig->child = shmvtest_spawn(argv, NULL);
  return rig;
}

void
rig_stop(struct rig *rig)
{
  struct job job = {.kind = JOB_STOP};

  if (rig->receiver != NULL)
    rig->way->destroy(rig->receiver);
  rig->receiver = NULL;
  rig_do(rig, &job);
}

void
rig_free(struct rig *rig)
{
  rig_stop(rig);
  close(rig->child->in);
  rig->child->in = -1;
  g_assert_cmpint(shmvtest_child_wait(rig->child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(rig->child);
  g_free(rig);
}

void
rig_start(struct rig *rig, const char *path, gboolean knows_meta)
{
  struct job job = {.kind = JOB_START, .path = (char *)path};

  if (rig->receiver != NULL)
    rig->way->destroy(rig->receiver);
  rig_do(rig, &job);
  rig->receiver = rig->way->create(path, knows_meta);
}

void
rig_play(struct rig *rig)
{
  rig->way->play(rig->receiver);
}

void
rig_post(struct rig *rig, const struct job *job)
{
  char *line = job_to_line(job);
  char *text = g_strconcat(line, "\n", NULL);
  gsize size = strlen(text), done = 0;

  while (done < size) {
    ssize_t n = write(rig->child->in, text + done, size - done);

    g_assert_cmpint(n, >, 0);
    done += (gsize)n;
  }
  g_free(text);
  g_free(line);
}

char *
rig_answer(struct rig *rig)
{
  char *answer = shmvtest_child_line(rig->child, 2 * shmvtest_deadline());

  if (answer == NULL)
    g_error("the sender is gone");
  return answer;
}

char *
rig_ask(struct rig *rig, const struct job *job)
{
  rig_post(rig, job);
  return rig_answer(rig);
}

void
rig_do(struct rig *rig, const struct job *job)
{
  char *answer = rig_ask(rig, job);

  if (strcmp(answer, "ok") != 0)
    g_error("%s: %s", job->caps != NULL ? job->caps : "", answer);
  g_free(answer);
}

GstCaps *
rig_caps(struct rig *rig)
{
  return rig->way->caps(rig->receiver);
}

void
rig_receive(struct rig *rig, struct received *out)
{
  memset(out, 0, sizeof *out);
  rig->way->receive(rig->receiver, out);
}

void
received_clear(struct received *received)
{
  /* only the library tells a format */
  if (received->format.pixel_format == 0)
    receiver_element.clear(received);
  else
    receiver_library.clear(received);
}

/* What the text means, which GstVideoInfo does not take where it makes no sense. */
static void
check_colors(const struct shmvideo_format *format, const char *text)
{
  GstVideoColorimetry parsed, *color = &parsed;

  g_assert_true(gst_video_colorimetry_from_string(color, text));
  g_assert_cmpuint(format->color_range, ==, color->range);
  g_assert_cmpuint(format->color_matrix, ==,
                   gst_video_color_matrix_to_iso(color->matrix));
  g_assert_cmpuint(format->color_transfer, ==,
                   gst_video_transfer_function_to_iso(color->transfer));
  g_assert_cmpuint(format->color_primaries, ==,
                   gst_video_color_primaries_to_iso(color->primaries));
}

/* What the library's struct says, compared with what the caps mean. GstVideoInfo makes
 * up colours that the caps do not tell; the library says that they are not known. */
static void
check_format(const struct received *received)
{
  const struct shmvideo_format *format = &received->format;
  const GstVideoInfo *info = &received->info;
  const GstStructure *s = gst_caps_get_structure(received->caps, 0);

  g_assert_cmpuint(format->pixel_format, ==, GST_VIDEO_INFO_FORMAT(info));
  g_assert_cmpuint(format->width, ==, (guint)GST_VIDEO_INFO_WIDTH(info));
  g_assert_cmpuint(format->height, ==, (guint)GST_VIDEO_INFO_HEIGHT(info));
  g_assert_cmpuint(format->par_n, ==, (guint)GST_VIDEO_INFO_PAR_N(info));
  g_assert_cmpuint(format->par_d, ==, (guint)GST_VIDEO_INFO_PAR_D(info));
  g_assert_cmpuint(format->interlace_mode, ==,
                   GST_VIDEO_INFO_INTERLACE_MODE(info));
  g_assert_cmpuint(format->field_order, ==, GST_VIDEO_INFO_FIELD_ORDER(info));
  g_assert_cmpuint(format->views, ==, (guint)MAX(GST_VIDEO_INFO_VIEWS(info), 1));
  if (gst_structure_has_field(s, "colorimetry"))
    check_colors(format, gst_structure_get_string(s, "colorimetry"));
  if (gst_structure_has_field(s, "chroma-site"))
    g_assert_cmpuint(format->chroma_site, ==,
                     gst_video_chroma_site_from_string(
                         gst_structure_get_string(s, "chroma-site")));
}

void
rig_check(const struct job *job, const struct received *received)
{
  GstCaps *caps = gst_caps_from_string(job->caps);
  struct picture picture;
  char *difference;

  if (!gst_caps_is_equal(caps, received->caps))
    g_error("caps sent: %s\ncaps received: %s", job->caps,
            gst_caps_to_string(received->caps));
  if (received->format.pixel_format != 0)
    check_format(received);
  picture_init(&picture, &received->info, job->seed);
  difference = picture_compare(&picture, received->planes, received->strides);
  if (difference != NULL)
    g_error("%s\n  layout %d, memory %d: %s", job->caps, job->layout,
            job->memory, difference);
  picture_clear(&picture);
  gst_caps_unref(caps);
}

char *
rig_failure(struct rig *rig)
{
  return rig->way->failure(rig->receiver);
}

void
rig_receiver_stats(struct rig *rig, struct receiver_stats *out)
{
  rig->way->stats(rig->receiver, out);
}

void
rig_sender_stats(struct rig *rig, struct job_stats *out)
{
  struct job job = {.kind = JOB_STATS};
  char *answer = rig_ask(rig, &job);

  if (!job_stats_from_line(out, answer))
    g_error("no statistics: %s", answer);
  g_free(answer);
}
