/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The example programs do what they say: with each other, with the elements in both
 * directions, and in the quick start.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"

static char *
example(const char *name)
{
  return g_build_filename(g_getenv("SHMVIDEO_BUILD_DIR"), "examples", name, NULL);
}

static struct shmvtest_child *
spawn_example(const char *name, const char *path, const char *arguments)
{
  char *program = example(name);
  struct shmvtest_child *child =
      shmvtest_spawn_line("'%s' '%s' %s", program, path, arguments);
  g_free(program);
  return child;
}

/* Its last line of output; the program must end well. */
static char *
last_line(struct shmvtest_child *child)
{
  char *last = g_strdup("");
  for (char *line; (line = shmvtest_child_line(child, shmvtest_deadline()));
       g_free(line)) {
    g_test_message("%s", line);
    g_free(last);
    last = g_strdup(line);
  }
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  return last;
}

static void
end_well(struct shmvtest_child *child)
{
  shmvtest_child_signal(child, SIGINT);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

static void
sender_to_receiver(void)
{
  const char *path = shmvtest_path("share");
  /* The receiver first: it waits. It would take more than there will be. */
  struct shmvtest_child *receiver =
      spawn_example("02-receive-frames", path, "1000");
  struct shmvtest_child *sender = spawn_example("01-send-frames", path, "60");
  char *format = shmvtest_child_line(receiver, shmvtest_deadline());
  g_assert_true(g_str_has_prefix(format, "format video/x-raw, "
                                         "format=(string)RGBA, "));
  g_free(format);
  g_free(last_line(sender));
  char *said = last_line(receiver);
  int n = atoi(said);
  g_assert_true(g_str_has_suffix(said, " frames"));
  /* A receiver may skip on a busy machine, but not much. */
  g_assert_cmpint(n, >=, 20);
  g_assert_cmpint(n, <=, 60);
  g_free(said);
}

static void
sender_to_element(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *sender = spawn_example("01-send-frames", path, "");
  struct shmvtest_child *element = shmvtest_spawn_line(
      "gst-launch-1.0 -q shmvideosrc socket-path=%s num-buffers=30 ! "
      "video/x-raw,format=RGBA,width=320,height=240,framerate=30/1 ! "
      "fakesink sync=true", path);
  g_free(last_line(element));
  end_well(sender);
}

/* Next line of its output, which says this. */
static void
expect_line(struct shmvtest_child *child, const char *words)
{
  char *line = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpstr(line, ==, words);
  g_free(line);
}

static void
on_demand(void)
{
  const char *path = shmvtest_path("share");
  struct shmvtest_child *share = spawn_example("03-on-demand", path, "");
  expect_line(share, "asleep");
  for (int i = 0; i < 2; i++) {
    struct shmvtest_child *watcher = shmvtest_spawn_line(
        "gst-launch-1.0 -q shmvideosrc socket-path=%s num-buffers=10 ! "
        "fakesink", path);
    expect_line(share, "awake");
    g_free(last_line(watcher));
    expect_line(share, "asleep");
  }
  end_well(share);
}

static void
check_picture(const char *path)
{
  char *data = NULL;
  gsize size = 0;
  g_assert_true(g_file_get_contents(path, &data, &size, NULL));
  const char *header = "P6\n160 120\n255\n";
  g_assert_cmpint(size, ==, strlen(header) + 160 * 120 * 3);
  g_assert_cmpint(memcmp(data, header, strlen(header)), ==, 0);
  /* The first bar of the test picture is white, the next yellow. */
  const guint8 *row = (guint8 *)data + strlen(header);
  g_assert_cmpint(row[0], >, 180);
  g_assert_cmpint(row[2], >, 180);
  g_assert_cmpint(row[3 * 30 + 0], >, 180);
  g_assert_cmpint(row[3 * 30 + 2], <, 60);
  g_free(data);
}

static void
element_to_receiver(void)
{
  const char *path = shmvtest_path("share");
  const char *picture = shmvtest_output("picture.ppm");
  struct shmvtest_child *element = shmvtest_spawn_line(
      "gst-launch-1.0 -q videotestsrc is-live=true ! "
      "video/x-raw,format=RGBA,width=160,height=120,framerate=30/1 ! "
      "shmvideosink socket-path=%s", path);
  char *arguments = g_strdup_printf("30 '%s'", picture);
  char *said = last_line(spawn_example("02-receive-frames", path, arguments));
  g_assert_cmpstr(said, ==, "30 frames");
  check_picture(picture);
  end_well(element);
  g_free(said);
  g_free(arguments);
}

static void
quick_start(void)
{
  char *script = g_build_filename(g_getenv("SHMVIDEO_SOURCE_DIR"), "examples",
                                  "quickstart.sh", NULL);
  char *out = g_strdup_printf("%s/out", shmvtest_dir());
  const char *recording = shmvtest_output("out/recording.mkv");
  const char *picture = shmvtest_output("out/picture.png");
  /* Twice, as people do. */
  for (int i = 0; i < 2; i++) {
    struct shmvtest_child *child = shmvtest_spawn_line("'%s' '%s'", script, out);
    gboolean duration = FALSE;
    for (char *line;
         (line = shmvtest_child_line(child, 3 * shmvtest_deadline()));
         g_free(line)) {
      g_test_message("%s", line);
      duration |= strstr(line, "Duration: 0:00:02.9") != NULL ||
                  strstr(line, "Duration: 0:00:03.0") != NULL;
    }
    g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
    shmvtest_child_free(child);
    g_assert_true(duration);
    g_assert_true(g_file_test(recording, G_FILE_TEST_IS_REGULAR));
    g_assert_true(g_file_test(picture, G_FILE_TEST_IS_REGULAR));
  }
  g_free(script);
  g_free(out);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/examples/sender-to-receiver", sender_to_receiver);
  shmvtest_add("/examples/sender-to-element", sender_to_element);
  shmvtest_add("/examples/element-to-receiver", element_to_receiver);
  shmvtest_add("/examples/on-demand", on_demand);
  shmvtest_add("/examples/quick-start", quick_start);
  return shmvtest_run();
}
