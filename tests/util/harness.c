/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The house-keeper is tested too: a test that leaves something behind fails, one
 * that leaves nothing passes. The leaving is done by this program, run again.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shmvtest.h"

static const char *program;

static void
leave_nothing(void)
{
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint(fd, >=, 0);
  close(fd);
  g_assert_true(g_file_set_contents(shmvtest_output("allowed"), "x", 1, NULL));
}

static void
leave_descriptor(void)
{
  g_assert_cmpint(open("/dev/null", O_RDONLY | O_CLOEXEC), >=, 0);
}

static void
leave_mapping(void)
{
  int fd = memfd_create("left", MFD_CLOEXEC);
  g_assert_cmpint(ftruncate(fd, 4096), ==, 0);
  g_assert_true(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
  close(fd);
}

static int
wait_for_input_end(int in, int out, void *user)
{
  (void)out;
  (void)user;
  char c;
  return read(in, &c, 1) == 0 ? 7 : 1;
}

static void
leave_child(void)
{
  shmvtest_fork(wait_for_input_end, NULL);
}

static void
leave_file(void)
{
  g_assert_true(g_file_set_contents(shmvtest_path("forgotten"), "x", 1, NULL));
}

static const struct {
  const char *name;
  void (*func)(void);
  const char *complaint;
} leavings[] = {
    {"/nothing", leave_nothing, NULL},
    {"/descriptor", leave_descriptor, "/dev/null"},
    {"/mapping", leave_mapping, "/memfd:left"},
    {"/child", leave_child, "child "},
    {"/file", leave_file, "/forgotten"},
};

static void
leaks_are_found(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(leavings); i++) {
    const char *argv[] = {program, "-p", leavings[i].name, NULL};
    const char *env[] = {"HARNESS_LEAVE=1", "ASAN_OPTIONS=detect_leaks=0", NULL};
    struct shmvtest_child *child = shmvtest_spawn(argv, env);
    bool complained = false;
    for (char *line; (line = shmvtest_child_line(child, shmvtest_deadline()));
         g_free(line))
      complained |= leavings[i].complaint != NULL &&
                    strstr(line, leavings[i].complaint) != NULL;
    int status = shmvtest_child_wait(child, shmvtest_deadline());
    shmvtest_child_free(child);
    g_assert_cmpint(status != 0, ==, leavings[i].complaint != NULL);
    g_assert_cmpint(complained, ==, leavings[i].complaint != NULL);
  }
}

static void
children_speak_stop_and_end(void)
{
  struct shmvtest_child *child =
      shmvtest_spawn_line("printf '%%s\\n' one 'two  words'");
  char *one = shmvtest_child_line(child, shmvtest_deadline());
  char *two = shmvtest_child_line(child, shmvtest_deadline());
  g_assert_cmpstr(one, ==, "one");
  g_assert_cmpstr(two, ==, "two  words");
  g_assert_null(shmvtest_child_line(child, shmvtest_deadline()));
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  g_free(one);
  g_free(two);

  child = shmvtest_fork(wait_for_input_end, NULL);
  shmvtest_child_signal(child, SIGSTOP);
  g_assert_cmpint(shmvtest_poll(child->pidfd, POLLIN, 0), ==, 0);
  shmvtest_child_signal(child, SIGCONT);
  close(child->in);
  child->in = open("/dev/null", O_WRONLY | O_CLOEXEC);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 7);
  shmvtest_child_free(child);

  child = shmvtest_fork(wait_for_input_end, NULL);
  shmvtest_child_signal(child, SIGKILL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==,
                  128 + SIGKILL);
  shmvtest_child_free(child);
}

int
main(int argc, char **argv)
{
  program = argv[0];
  shmvtest_init(&argc, &argv);
  if (g_getenv("HARNESS_LEAVE") != NULL) {
    for (gsize i = 0; i < G_N_ELEMENTS(leavings); i++)
      shmvtest_add(leavings[i].name, leavings[i].func);
  } else {
    shmvtest_add("/harness/leaks-are-found", leaks_are_found);
    shmvtest_add("/harness/children-speak-stop-and-end",
                 children_speak_stop_and_end);
  }
  return shmvtest_run();
}
