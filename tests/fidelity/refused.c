/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Formats that one side does not know: refused by name, and what went before goes
 * on.
 *
 *   refused SENDER
 */

#include <errno.h>
#include <string.h>

#include "gsttest.h"
#include "rig.h"

#define CAPS(format) \
  "video/x-raw, format=(string)" format ", width=(int)33, height=(int)17, " \
  "framerate=(fraction)25/1"

static void
check_says(const char *text, const char *word)
{
  if (strstr(text, word) == NULL)
    g_error("\"%s\" does not say \"%s\"", text, word);
}

/* ---- the library ------------------------------------------------------------- */

static void
text_with_unknown_format(void)
{
  struct shmvideo_format format;
  struct shmvideo_error error = {0};

  g_assert_cmpint(shmvideo_format_from_caps(&format, CAPS("FOO"), &error), ==,
                  -EMEDIUMTYPE);
  g_assert_cmpint(error.code, ==, -EMEDIUMTYPE);
  check_says(error.message, "FOO");
}

static struct shmvideo_writer *
open_writer(void)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_writer *writer;

  config.path = shmvtest_path("share");
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &writer), ==, 0);
  return writer;
}

static void
number_of_no_format(void)
{
  static const guint32 numbers[] = {9999, 0, 1, G_MAXUINT32};
  struct shmvideo_writer *writer = open_writer();

  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    struct shmvideo_format format = {
        .pixel_format = numbers[i], .width = 33, .height = 17};
    struct shmvideo_error error = {0};
    char *number = g_strdup_printf("%u", numbers[i]);
    char text[256];

    g_assert_cmpint(
        shmvideo_writer_set_format(writer, &format, NULL, &error), ==,
        -EMEDIUMTYPE);
    check_says(error.message, number);
    g_assert_cmpint(shmvideo_writer_set_format(writer, &format, CAPS("RGBA"),
                                               &error),
                    ==, -EMEDIUMTYPE);
    g_assert_cmpint(shmvideo_format_set_default_layout(&format), ==,
                    -EMEDIUMTYPE);
    g_assert_cmpint(shmvideo_format_to_caps(&format, text, sizeof text), <, 0);
    g_assert_null(shmvideo_pixel_format_name(numbers[i]));
    g_free(number);
  }
  shmvideo_writer_free(writer);
}

/* The text and the struct say different things. */
static void
text_of_another_format(void)
{
  static const char *const texts[] = {
      CAPS("FOO"), CAPS("BGRA"),
      ("video/x-raw, format=(string)RGBA, width=(int)34, height=(int)17, "
       "framerate=(fraction)25/1")};
  struct shmvideo_writer *writer = open_writer();

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    struct shmvideo_format format = {.pixel_format = SHMVIDEO_FORMAT_RGBA,
                                     .width = 33, .height = 17, .fps_n = 25,
                                     .fps_d = 1};
    struct shmvideo_error error = {0};

    g_assert_cmpint(
        shmvideo_writer_set_format(writer, &format, texts[i], &error), <, 0);
    g_assert_cmpstr(error.message, !=, "");
  }
  shmvideo_writer_free(writer);
}

/* ---- between two processes ------------------------------------------------------ */

/* Whoever receives goes on with the format before. */
static void
sender_goes_on(void)
{
  for (guint to = ELEMENT; to <= LIBRARY; to++) {
    struct rig *rig = rig_new(LIBRARY, to);
    struct job bad = {.kind = JOB_CAPS, .caps = (char *)CAPS("FOO")};
    struct job job = job_show(CAPS("RGBA"), 1);

    rig_start(rig, shmvtest_path("share"), FALSE);
    rig_play(rig);
    for (job.seed = 1; job.seed < 4; job.seed++) {
      struct received received;
      char *answer;

      rig_do(rig, &job);
      rig_receive(rig, &received);
      rig_check(&job, &received);
      received_clear(&received);
      answer = rig_ask(rig, &bad);
      g_assert_true(g_str_has_prefix(answer, "error: "));
      check_says(answer, "FOO");
      g_free(answer);
    }
    rig_free(rig);
  }
}

static char *
output_of(const char *command)
{
  const char *argv[] = {"sh", "-c", command, NULL};
  struct shmvtest_child *child = shmvtest_spawn(argv, NULL);
  GString *output = g_string_new(NULL);

  for (char *line; (line = shmvtest_child_line(child, shmvtest_deadline()));
       g_free(line))
    g_string_append(output, line);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), !=, 0);
  shmvtest_child_free(child);
  return g_string_free(output, FALSE);
}

/* GStreamer asks the elements, and names what it could not have. */
static void
elements_refuse(void)
{
  static const char *const lines[] = {
      "fakesrc ! video/x-raw,format=FOO,width=33,height=17,framerate=25/1 ! "
      "shmvideosink",
      "shmvideosrc ! video/x-raw,format=FOO ! fakesink"};
  struct rig *rig = rig_new(ELEMENT, ELEMENT);
  struct job job = {.kind = JOB_CAPS, .caps = (char *)CAPS("FOO")};
  char *answer;

  for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
    char *command = g_strdup_printf("gst-launch-1.0 -q %s 2>&1", lines[i]);
    char *output = output_of(command);

    check_says(output, "could not link");
    check_says(output, "FOO");
    g_free(output);
    g_free(command);
  }
  rig_start(rig, shmvtest_path("share"), FALSE);
  answer = rig_ask(rig, &job);
  g_assert_cmpstr(answer, ==, "the sink refuses the caps");
  g_free(answer);
  rig_free(rig);
}

/* A format that the library knows and this GStreamer does not, or NULL. */
static const char *
format_of_the_future(void)
{
  for (guint32 id = 2; id < 1000; id++) {
    const char *name = shmvideo_pixel_format_name(id);

    if (name != NULL && gst_video_format_from_string(name) ==
                            GST_VIDEO_FORMAT_UNKNOWN)
      return name;
  }
  return NULL;
}

/* The source's GStreamer is older than the writer's. */
static void
source_refuses(void)
{
  const char *name = format_of_the_future();
  char *caps = g_strdup_printf(CAPS("%s"), name);
  struct job job = {.kind = JOB_CAPS, .caps = caps};
  struct rig *rig;
  char *failure;

  if (name == NULL) {
    g_test_skip("this GStreamer knows every format");
    g_free(caps);
    return;
  }
  rig = rig_new(LIBRARY, ELEMENT);
  rig_start(rig, shmvtest_path("share"), FALSE);
  rig_do(rig, &job);
  failure = rig_failure(rig);
  check_says(failure, name);
  g_free(failure);
  g_free(caps);
  rig_free(rig);
}

/* A writer's pipeline that changes to what the reader does not take: the reader
 * says what came, and what it would take. */
static void
reader_of_one_format(void)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct rig *rig = rig_new(ELEMENT, LIBRARY);
  struct job job = {.kind = JOB_START, .path = (char *)shmvtest_path("share")};
  const struct shmvideo_frame *frame = NULL;
  struct shmvideo_reader *reader;
  struct shmvideo_error error;
  int code;

  rig_do(rig, &job);
  job.kind = JOB_CAPS;
  job.caps = (char *)CAPS("NV12");
  rig_do(rig, &job);
  config.path = job.path;
  config.accepts = "video/x-raw, format=RGBA";
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  do
    code = shmvideo_reader_wait(
        reader, (guint64)shmvtest_deadline() * 1000000, -1);
  while (code == 1 &&
         (code = shmvideo_reader_acquire(reader, &frame)) >= 0);
  g_assert_cmpint(code, ==, -EMEDIUMTYPE);
  g_assert_cmpint(shmvideo_reader_get_error(reader, &error), ==, 0);
  check_says(error.message, "NV12");
  check_says(error.message, "RGBA");
  shmvideo_reader_free(reader);
  rig_free(rig);
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  g_assert_cmpint(argc, ==, 2);
  rig_sender = argv[1];
  shmvtest_add("/fidelity/refused/text-with-unknown-format",
               text_with_unknown_format);
  shmvtest_add("/fidelity/refused/number-of-no-format", number_of_no_format);
  shmvtest_add("/fidelity/refused/text-of-another-format",
               text_of_another_format);
  shmvtest_add("/fidelity/refused/sender-goes-on", sender_goes_on);
  shmvtest_add("/fidelity/refused/elements-refuse", elements_refuse);
  shmvtest_add("/fidelity/refused/source-refuses", source_refuses);
  shmvtest_add("/fidelity/refused/reader-of-one-format", reader_of_one_format);
  return shmvtest_run();
}
