/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Paths that are wrong, and paths that only look so: each is exactly one error that
 * names the path, the reason and what to do, or it works. Whatever lay there stays.
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gsttest.h"
#include "launch.h"
#include "shmvideo.h"

#define NOBODY 65534

enum side { SINK, SRC };

static const char *program;

/* ---- One element at one path -------------------------------------------------- */

static GstElement *
make(enum side side, const char *path, GstElement **out_element)
{
  GstElement *pipeline = shmvtest_launch(
      side == SINK ? "videotestsrc is-live=true ! video/x-raw,format=I420,"
                     "width=64,height=48 ! shmvideosink name=it"
                   : "shmvideosrc name=it ! fakesink name=out sync=false");
  *out_element = gst_bin_get_by_name(GST_BIN(pipeline), "it");
  g_object_set(*out_element, "socket-path", path, NULL);
  return pipeline;
}

static GString *
describe(GstMessage *message)
{
  GString *text = g_string_new(NULL);
  GError *error = NULL;
  char *debug = NULL;
  gst_message_parse_error(message, &error, &debug);
  g_string_printf(text, "%s", error->message);
  g_error_free(error);
  g_free(debug);
  gst_message_unref(message);
  return text;
}

/* Play it: the text of its one error, or NULL if it says (as an element message) or
 * does what shows that it works. A second error is a failed test. */
static char *
try(enum side side, const char *path, const char *proof)
{
  GstElement *element;
  GstElement *pipeline = make(side, path, &element);
  GstBus *bus = gst_element_get_bus(pipeline);
  g_object_set(pipeline, "auto-flush-bus", FALSE, NULL);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GString *text = NULL;
  for (gboolean works = FALSE; !works && text == NULL;) {
    GstMessage *message =
        shmvtest_message(pipeline, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT |
                                       GST_MESSAGE_STATE_CHANGED);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      text = describe(message);
      continue;
    }
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT)
      works = proof != NULL && gst_message_has_name(message, proof);
    else if (proof == NULL && GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline)) {
      GstState state;
      gst_message_parse_state_changed(message, NULL, &state, NULL);
      works = state == GST_STATE_PLAYING;
    }
    gst_message_unref(message);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  GstMessage *more;
  while ((more = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) != NULL) {
    GString *second = describe(more);
    g_error("one more error: %s", second->str);
  }
  gst_object_unref(bus);
  gst_object_unref(element);
  gst_object_unref(pipeline);
  return text != NULL ? g_string_free(text, FALSE) : NULL;
}

/* The sink plays; the source waits for a writer. */
static void
works(enum side side, const char *path)
{
  char *text = try(side, path, side == SINK ? NULL : "shmvideo-waiting");
  g_assert_cmpstr(text, ==, NULL);
  g_free(text);
}

static void
check_text(const char *text, const char *path, const char *reason)
{
  g_test_message("%s", text);
  g_assert_nonnull(text);
  if (path != NULL) { /* one that is far too long is told in part */
    char *start = g_strndup(path, 107);
    g_assert_nonnull(strstr(text, start));
    g_free(start);
  }
  g_assert_nonnull(strstr(text, reason));
  g_assert_true(g_str_has_suffix(text, ")")); /* the advice in parentheses */
}

static void
fails(enum side side, const char *path, const char *reason)
{
  char *text = try(side, path, "shmvideo-connected");
  check_text(text, path, reason);
  g_free(text);
}

/* ---- The path itself ----------------------------------------------------------- */

static void
no_path(void)
{
  fails(SINK, NULL, "path");
  fails(SRC, NULL, "path");
  fails(SINK, "", "path");
  fails(SRC, "", "path");
}

/* An absolute path of so many bytes whose folder is there. */
static char *
path_of(gsize bytes)
{
  GString *path = g_string_new(shmvtest_dir());
  while (path->len + 102 < bytes) {
    g_string_append_printf(path, "/%0100d", 0);
    g_assert_cmpint(g_mkdir_with_parents(path->str, 0700), ==, 0);
  }
  g_string_append_c(path, '/');
  while (path->len < bytes)
    g_string_append_c(path, 'x');
  return g_string_free(path, FALSE);
}

static void
length(void)
{
  char *longest = path_of(107), *longer = path_of(108), *long_one = path_of(200);
  works(SINK, longest);
  works(SRC, longest);
  fails(SINK, longer, "107");
  fails(SRC, longer, "107");
  fails(SINK, long_one, "107");
  fails(SRC, long_one, "107");
  g_free(long_one);
  g_free(longer);
  g_free(longest);
}

/* Frames go from a writer of its own process to the source under this other name. */
static void
connects(const char *sink_path, const char *src_path, const char *place)
{
  GstElement *sink, *pipeline = make(SINK, sink_path, &sink);
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  g_assert_cmpint(access(place, F_OK), ==, 0);
  char *text = try(SRC, src_path, "shmvideo-connected");
  g_assert_cmpstr(text, ==, NULL);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
  g_assert_cmpint(access(place, F_OK), !=, 0);
}

static void
relative(void)
{
  char *before = g_get_current_dir();
  char *absolute = g_build_filename(shmvtest_dir(), "sub", "share", NULL);
  char *sub = g_build_filename(shmvtest_dir(), "sub", NULL);
  char *bare = g_build_filename(shmvtest_dir(), "shmvideo", "cam", NULL);
  g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
  g_assert_cmpint(g_chdir(sub), ==, 0);
  connects("./share", absolute, absolute);
  connects(absolute, "../sub/share", absolute);
  connects("cam", bare, bare); /* a name is no relative path */
  connects(bare, "cam", bare);
  g_assert_cmpint(g_chdir(before), ==, 0);
  g_free(bare);
  g_free(sub);
  g_free(absolute);
  g_free(before);
}

/* ---- What is there -------------------------------------------------------------- */

/* A sink cannot do without; a source waits for it, with a writer in it. */
static void
missing_folder(void)
{
  char *path = g_build_filename(shmvtest_dir(), "none", "share", NULL);
  char *folder = g_path_get_dirname(path);
  fails(SINK, path, "No such file or directory");

  GstElement *src, *sink;
  GstElement *reader = make(SRC, path, &src), *writer = make(SINK, path, &sink);
  gst_element_set_state(reader, GST_STATE_PLAYING);
  for (gboolean waits = FALSE; !waits;) {
    GstMessage *message = shmvtest_message(reader, GST_MESSAGE_ELEMENT);
    waits = gst_message_has_name(message, "shmvideo-waiting");
    gst_message_unref(message);
  }
  g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
  shmvtest_state(writer, GST_STATE_PLAYING);
  for (gboolean connected = FALSE; !connected;) {
    GstMessage *message = shmvtest_message(reader, GST_MESSAGE_ELEMENT);
    connected = gst_message_has_name(message, "shmvideo-connected");
    gst_message_unref(message);
  }
  gst_object_unref(src);
  gst_object_unref(sink);
  shmvtest_stop(reader);
  shmvtest_stop(writer);
  g_free(folder);
  g_free(path);
}

static void
things_that_are_no_socket(void)
{
  char *file = g_strdup(shmvtest_output("file")), *text = NULL;
  char *folder = g_build_filename(shmvtest_dir(), "folder", NULL);
  char *in_it = g_strdup(shmvtest_output("folder/precious"));
  char *through_file = g_build_filename(file, "share", NULL);
  char *link = g_strdup(shmvtest_output("link")), *target = NULL;
  char *fifo = g_strdup(shmvtest_output("fifo"));
  struct stat status;
  g_assert_true(g_file_set_contents(file, "precious", -1, NULL));
  g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
  g_assert_true(g_file_set_contents(in_it, "precious", -1, NULL));
  g_assert_cmpint(symlink("precious-target", link), ==, 0);
  g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
  for (enum side side = SINK; side <= SRC; side++) {
    const char *verdict = side == SINK ? "left alone" : "not a socket";
    fails(side, file, verdict);
    fails(side, folder, verdict);
    fails(side, fifo, verdict);
    fails(side, through_file, "Not a directory");
  }
  fails(SINK, link, "left alone"); /* a source waits for what it points to */
  works(SRC, link);
  g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "precious");
  g_free(text);
  g_assert_true(g_file_get_contents(in_it, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "precious");
  target = g_file_read_link(link, NULL);
  g_assert_cmpstr(target, ==, "precious-target");
  g_assert_cmpint(lstat(fifo, &status), ==, 0);
  g_assert_true(S_ISFIFO(status.st_mode));
  g_free(target);
  g_free(text);
  g_free(fifo);
  g_free(link);
  g_free(through_file);
  g_free(in_it);
  g_free(folder);
  g_free(file);
}

static int
listen_at(const char *path, int type)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  g_assert_cmpint(fd, >=, 0);
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  if (type != SOCK_DGRAM)
    g_assert_cmpint(listen(fd, 5), ==, 0);
  return fd;
}

static void
sockets_of_others(void)
{
  char *path = g_strdup(shmvtest_output("other"));
  int fd = listen_at(path, SOCK_STREAM);
  for (enum side side = SINK; side <= SRC; side++)
    fails(side, path, "kind");
  g_assert_cmpint(access(path, F_OK), ==, 0);
  close(fd);
  /* left behind by whatever program: nobody listens there */
  works(SRC, path);
  works(SINK, path);
  g_assert_cmpint(access(path, F_OK), !=, 0);
  g_free(path);
}

/* ---- Writers -------------------------------------------------------------------- */

static void
writer_is_there(void)
{
  const char *path = shmvtest_path("share");
  struct launch *first = launch_start(
      FALSE, "videotestsrc is-live=true ! shmvideosink socket-path=%s", path);
  struct launch *reader = launch_start(
      FALSE, "shmvideosrc socket-path=%s ! fakesink silent=false sync=false", path);
  launch_wait_frames(reader, 3);
  char *process = g_strdup_printf("process %d", first->child->pid);
  fails(SINK, path, process);
  launch_listen(reader);
  launch_wait_frames(reader, 10); /* nobody noticed */
  g_assert_cmpuint(launch_ctrl_c(reader, 0), <, (guint)shmvtest_deadline());

  g_assert_cmpint(access(path, F_OK), ==, 0);
  g_assert_cmpuint(launch_ctrl_c(first, 0), <, (guint)shmvtest_deadline());
  g_assert_cmpint(access(path, F_OK), !=, 0);
  g_free(process);
  launch_free(first);
  launch_free(reader);
}

static void
writer_died_there(void)
{
  const char *path = shmvtest_path("share");
  struct launch *dead = launch_start(
      FALSE, "videotestsrc is-live=true ! shmvideosink socket-path=%s", path);
  launch_wait_path(path);
  launch_free(dead);
  g_assert_cmpint(access(path, F_OK), ==, 0); /* its socket stayed */
  works(SRC, path);
  g_assert_cmpint(access(path, F_OK), ==, 0); /* a source takes nothing over */
  works(SINK, path);
  g_assert_cmpint(access(path, F_OK), !=, 0);
}

/* ---- As another user ------------------------------------------------------------ */

/* The error's text of an element in a process of nobody's, "" if it works. */
static char *
as_nobody(enum side side, const char *path)
{
  const char *const argv[] = {program, side == SINK ? "--sink" : "--src", path,
                              NULL};
  struct shmvtest_child *child = shmvtest_spawn(argv, NULL);
  char *line = NULL, *text;
  do {
    g_free(line);
    line = shmvtest_child_line(child, 3 * shmvtest_deadline());
    g_assert_nonnull(line);
  } while (!g_str_has_prefix(line, "text:"));
  text = g_strdup(line + strlen("text:"));
  g_free(line);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  return text;
}

static int
be_nobody(enum side side, const char *path)
{
  GstElement *element;
  gst_init(NULL, NULL);
  gst_object_unref(make(side, path, &element)); /* plugins, while we may */
  gst_object_unref(element);
  if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
    return 1;
  char *text = try(side, path, side == SINK ? NULL : "shmvideo-waiting");
  printf("text:%s\n", text != NULL ? g_strdelimit(text, "\n", ' ') : "");
  fflush(stdout); /* not g_print: newer GLibs make a comment of it */
  g_free(text);
  return 0;
}

static void
nobody_fails(enum side side, const char *path, const char *reason)
{
  char *text = as_nobody(side, path);
  check_text(text, path, reason);
  g_free(text);
}

static void
no_permission(void)
{
  const char *path = shmvtest_path("share");
  GstElement *sink, *pipeline = make(SINK, path, &sink);
  if (getuid() != 0) {
    g_test_skip("needs root to be somebody else");
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    return;
  }
  /* a folder that it cannot look into */
  g_assert_cmpint(chmod(shmvtest_dir(), 0700), ==, 0);
  nobody_fails(SINK, path, "ermi");
  nobody_fails(SRC, path, "ermi");
  /* one that it can, but not write to; and a share for its owner only */
  g_assert_cmpint(chmod(shmvtest_dir(), 0755), ==, 0);
  nobody_fails(SINK, path, "ermi");
  shmvtest_state(pipeline, GST_STATE_PLAYING);
  nobody_fails(SRC, path, "ermi");
  /* one where it can make its own: but not on top of another's */
  g_assert_cmpint(chmod(shmvtest_dir(), 01777), ==, 0);
  char *text = as_nobody(SINK, path);
  g_test_message("%s", text);
  g_assert_cmpstr(text, !=, "");
  g_free(text);
  gst_object_unref(sink);
  shmvtest_stop(pipeline);
  g_assert_cmpint(access(path, F_OK), !=, 0);
  int fd = listen_at(path, SOCK_SEQPACKET);
  close(fd);
  nobody_fails(SINK, path, "user 0");
  /* though it may be asked, and nobody listens, it is not for others to remove */
  g_assert_cmpint(chmod(path, 0666), ==, 0);
  nobody_fails(SINK, path, "user 0");
  g_assert_cmpint(access(path, F_OK), ==, 0);
  unlink(path);
  text = as_nobody(SINK, path);
  g_assert_cmpstr(text, ==, "");
  g_assert_cmpint(access(path, F_OK), !=, 0);
  g_free(text);
  g_assert_cmpint(chmod(shmvtest_dir(), 0700), ==, 0);
}

int
main(int argc, char **argv)
{
  program = argv[0];
  if (argc == 3 && g_str_has_prefix(argv[1], "--s"))
    return be_nobody(strcmp(argv[1], "--sink") == 0 ? SINK : SRC, argv[2]);
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/paths/none", no_path);
  shmvtest_add("/paths/length", length);
  shmvtest_add("/paths/relative", relative);
  shmvtest_add("/paths/missing-folder", missing_folder);
  shmvtest_add("/paths/things-that-are-no-socket", things_that_are_no_socket);
  shmvtest_add("/paths/sockets-of-others", sockets_of_others);
  shmvtest_add("/paths/a-writer-is-there", writer_is_there);
  shmvtest_add("/paths/a-writer-died-there", writer_died_there);
  shmvtest_add("/paths/no-permission", no_permission);
  return shmvtest_run();
}
