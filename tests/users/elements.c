/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The elements among other users and in containers: gst-launch-1.0 under setpriv, or
 * under unshare with the directory of the socket bound in at another place; here, the
 * other side.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gsttest.h"
#include "guise.h"
#include "launch.h"

#define SMALL "video/x-raw,format=RGBA,width=64,height=48,framerate=100/1"
#define WIDE "video/x-raw,format=RGBA,width=96,height=32,framerate=100/1"

/* ---- The other side ----------------------------------------------------------- */

/* What it runs is copied to where everybody can read it: the plugin, the library,
 * and a registry of its own. */
static void
copy(const char *from, const char *directory, const char *name)
{
  char *text, *to = g_build_filename(directory, name, NULL);
  gsize size;
  g_assert_true(g_file_get_contents(from, &text, &size, NULL));
  g_assert_true(g_file_set_contents(to, text, (gssize)size, NULL));
  g_assert_cmpint(chmod(to, 0755), ==, 0);
  g_free(text);
  g_free(to);
}

static char *
find_link(const char *name)
{
  char **places = g_strsplit(g_getenv("GST_PLUGIN_PATH_1_0"), ":", -1);
  char *path = NULL;
  for (char **place = places; path == NULL && *place != NULL; place++) {
    path = g_build_filename(*place, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
      g_clear_pointer(&path, g_free);
  }
  g_strfreev(places);
  g_assert_nonnull(path);
  return path;
}

static void
make_plugins(void)
{
  static const char *const names[] = {"libgstshmvideo.so", "libgstcoreelements.so",
                                      "libgstvideotestsrc.so"};
  const char *directory = shmvtest_path("plugins");
  g_assert_cmpint(mkdir(directory, 0755), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    char *path = find_link(names[i]);
    copy(path, directory, names[i]);
    g_free(path);
  }
  char *library = g_build_filename(g_getenv("SHMVIDEO_BUILD_DIR"), "libshmvideo",
                                   "libshmvideo.so.0", NULL);
  copy(library, directory, "libshmvideo.so.0");
  g_free(library);
}

static void
clear(void)
{
  char *line = g_strdup_printf("rm -rf %s %s", shmvtest_path("plugins"),
                               shmvtest_path("there"));
  g_assert_cmpint(system(line), ==, 0);
  g_free(line);
  guise_clear();
}

/* gst-launch-1.0 in a guise: Bob's, or a container's. */
static struct launch *
launch_there(bool container, const char *format, ...)
{
  static const char *const bob[] = {"setpriv", "--reuid=65532", "--regid=65532",
                                    "--clear-groups"};
  static const char *const contained[] = {
      "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child",
      "--mount", "--mount-proc", "--ipc", "--net", "--uts"};
  const char *const *prefix = container ? contained : bob;
  guint n = container ? G_N_ELEMENTS(contained) : G_N_ELEMENTS(bob);
  va_list args;
  va_start(args, format);
  char *pipeline = g_strdup_vprintf(format, args);
  va_end(args);
  char *mount = container ? g_strdup_printf("mount --bind %s %s && ",
                                            shmvtest_path("sockets"),
                                            shmvtest_path("there"))
                          : g_strdup("");
  char *script = g_strdup_printf("exec 2>&1; %sexec gst-launch-1.0 -m -v %s",
                                 mount, pipeline);
  char *plugins = g_strdup_printf("GST_PLUGIN_PATH_1_0=%s",
                                  shmvtest_path("plugins"));
  char *libraries = g_strdup_printf("LD_LIBRARY_PATH=%s",
                                    shmvtest_path("plugins"));
  /* Never a file that matters: root in a container replaces it. */
  char *registry = g_strdup_printf("GST_REGISTRY_1_0=%s/registry.bin",
                                   shmvtest_path("plugins"));
  /* Who may not trace cannot look for leaks: others of our tests do. */
  char *asan = g_strdup_printf("ASAN_OPTIONS=%s:detect_leaks=0",
                               g_getenv("ASAN_OPTIONS"));
  const char *env[] = {plugins, libraries, registry, asan, "HOME=/", NULL};
  const char *argv[20] = {NULL};
  memcpy(argv, prefix, n * sizeof *argv);
  argv[n] = "sh";
  argv[n + 1] = "-c";
  argv[n + 2] = script;
  g_test_message("%s", script);
  struct launch *launch = g_new0(struct launch, 1);
  launch->child = shmvtest_spawn(argv, env);
  launch->line = g_string_new(NULL);
  g_free(asan);
  g_free(registry);
  g_free(libraries);
  g_free(plugins);
  g_free(script);
  g_free(mount);
  g_free(pipeline);
  return launch;
}

/* ---- Tests ---------------------------------------------------------------------- */

/* Sets the scene: a directory for sockets of that user, and where it is there. */
static bool
begin(bool container, uid_t uid, char *here, char *there)
{
  if (!guise_can_be_others() || (container && !guise_can_contain(geteuid())))
    return false;
  g_snprintf(here, 128, "%s/share", guise_make_sockets(uid));
  g_assert_cmpint(mkdir(shmvtest_path("there"), 0755), ==, 0);
  g_snprintf(there, 128, "%s/share",
             container ? shmvtest_path("there") : shmvtest_path("sockets"));
  make_plugins();
  return true;
}

static GstElement *
play_sink(const char *path, const char *options)
{
  GstElement *writer = shmvtest_launch(
      "videotestsrc is-live=true ! capsfilter name=filter caps=" SMALL
      " ! shmvideosink name=sink socket-path=%s %s", path, options);
  gst_element_set_state(writer, GST_STATE_PLAYING);
  launch_wait_path(path);
  return writer;
}

static void
change_format(GstElement *writer, const char *text)
{
  GstElement *filter = gst_bin_get_by_name(GST_BIN(writer), "filter");
  GstCaps *caps = gst_caps_from_string(text);
  g_object_set(filter, "caps", caps, NULL);
  gst_caps_unref(caps);
  gst_object_unref(filter);
}

static void
wait_alone(GstElement *writer)
{
  GstElement *sink = gst_bin_get_by_name(GST_BIN(writer), "sink");
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  guint n = 1;
  while (n > 0) {
    g_object_get(sink, "num-clients", &n, NULL);
    g_assert_cmpuint(shmvtest_now(), <, end);
    shmvtest_poll(-1, 0, 5);
  }
  gst_object_unref(sink);
}

static void
source_is_served(bool container, const char *options)
{
  char here[128], there[128];
  if (!begin(container, geteuid(), here, there))
    return;
  GstElement *writer = play_sink(here, options);
  struct launch *stays = launch_there(
      container, "shmvideosrc socket-path=%s ! fakesink silent=false", there);
  launch_wait(stays, "width=(int)64");
  launch_wait_frames(stays, 5);
  change_format(writer, WIDE);
  launch_wait(stays, "width=(int)96");
  launch_wait_frames(stays, 5);
  struct launch *comes = launch_there(
      container,
      "shmvideosrc socket-path=%s num-buffers=5 ! fakesink silent=false", there);
  launch_wait(comes, "width=(int)96");
  g_assert_cmpint(launch_end(comes), ==, 0);
  g_assert_cmpuint(comes->frames, ==, 5);
  launch_free(comes);
  launch_free(stays); /* killed */
  wait_alone(writer);
  shmvtest_stop(writer);
  clear();
}

static void
source_of_another_user(void)
{
  source_is_served(false, "perms=0666");
}

static void
source_in_a_container(void)
{
  source_is_served(true, ""); /* its root is our user */
}

static void
source_is_refused(void)
{
  char here[128], there[128];
  if (!begin(false, geteuid(), here, there))
    return;
  GstElement *writer = play_sink(here, "");
  for (guint i = 0; i < 2; i++) {
    struct launch *launch = launch_there(
        false, "shmvideosrc socket-path=%s ! fakesink silent=false", there);
    launch_wait(launch, "Not permitted to connect to ");
    g_assert_nonnull(strstr(launch->line->str, there));
    g_assert_cmpint(launch_end(launch), ==, 1);
    g_assert_cmpuint(launch->frames, ==, 0);
    launch_free(launch);
    change_format(writer, WIDE);
  }
  shmvtest_stop(writer);
  clear();
}

static void
sink_serves(bool container, uid_t uid)
{
  char here[128], there[128];
  if (!begin(container, uid, here, there))
    return;
  struct launch *writer = launch_there(
      container,
      "videotestsrc is-live=true ! " SMALL " ! shmvideosink socket-path=%s", there);
  GstElement *reader = shmvtest_launch(
      "shmvideosrc socket-path=%s num-buffers=5 ! fakesink", here);
  gst_element_set_state(reader, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(reader, GST_MESSAGE_EOS));
  shmvtest_stop(reader);
  launch_free(writer); /* killed: what it leaves at the path is stale */
  unlink(here);
  clear();
}

static void
sink_of_another_user(void)
{
  sink_serves(false, GUISE_BOB);
}

static void
sink_in_a_container(void)
{
  sink_serves(true, geteuid());
}

int
main(int argc, char **argv)
{
  shmvtest_gst_init(&argc, &argv);
  shmvtest_add("/users/elements/source-is-refused", source_is_refused);
  shmvtest_add("/users/elements/source-of-another-user", source_of_another_user);
  shmvtest_add("/users/elements/source-in-a-container", source_in_a_container);
  shmvtest_add("/users/elements/sink-of-another-user", sink_of_another_user);
  shmvtest_add("/users/elements/sink-in-a-container", sink_in_a_container);
  return shmvtest_run();
}
