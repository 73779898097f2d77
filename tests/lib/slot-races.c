/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Races for slots: slot-explore and slot-litmus find nothing in slot.c, and find
 * what is wrong in each of its mutants (slot-mutate.sh), so that finding nothing means
 * something. SHMVIDEO_LITMUS_SECONDS: how long the litmus runs, 3 if not set.
 */

#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"

/* Run a program of this folder; its exit status. Its output becomes messages. */
static int
run(const char *program, const char *argument, const char *other, int seconds)
{
  char *path = g_build_filename(g_getenv("SHMVIDEO_BUILD_DIR"), "tests", "lib",
                                program, NULL);
  const char *argv[] = {path, argument, other, NULL};
  struct shmvtest_child *child = shmvtest_spawn(argv, NULL);
  int limit = seconds * 1000 + shmvtest_deadline();
  for (char *line; (line = shmvtest_child_line(child, limit)); g_free(line))
    g_test_message("%s: %s", program, line);
  int status = shmvtest_child_wait(child, limit);
  shmvtest_child_free(child);
  g_free(path);
  return status;
}

static void
judge(int status, int wanted)
{
  if (status == 77)
    g_test_skip("cannot be run on this machine or in this build");
  else
    g_assert_cmpint(status, ==, wanted);
}

static void
test_all_schedules(void)
{
  judge(run("slot-explore", NULL, NULL, 60), 0);
}

static void
test_two_processors(void)
{
  const char *seconds = g_getenv("SHMVIDEO_LITMUS_SECONDS");
  if (seconds == NULL)
    seconds = "3";
  judge(run("slot-litmus", seconds, NULL, atoi(seconds)), 0);
}

#ifdef SHMV_MUTANTS
/* Found by going through the schedules: always, and at once. */
static void
test_explored_mutants(void)
{
  static const char *const mutants[] = {"scan-first",  "no-recheck",
                                        "no-sequence", "no-restore",
                                        "early-head",  "off-by-one"};
  for (gsize i = 0; i < G_N_ELEMENTS(mutants); i++) {
    char *program = g_strdup_printf("slot-explore-%s", mutants[i]);
    judge(run(program, NULL, NULL, 60), 1);
    g_free(program);
  }
}

/* Found by running into them, which takes milliseconds or seconds. */
static void
test_relaxed_mutants(void)
{
  static const char *const mutants[][2] = {{"gen-relaxed", "holds"},
                                           {"hold-relaxed", "holds"},
                                           {"armed-relaxed", "wakes"}};
  for (gsize i = 0; i < G_N_ELEMENTS(mutants); i++) {
    char *program = g_strdup_printf("slot-litmus-%s", mutants[i][0]);
    judge(run(program, "60", mutants[i][1], 60), 1);
    g_free(program);
  }
}
#endif

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/slot/no-schedule-breaks-a-rule", test_all_schedules);
  shmvtest_add("/slot/two-processors-break-no-rule", test_two_processors);
#ifdef SHMV_MUTANTS
  shmvtest_add("/slot/each-broken-rule-is-found", test_explored_mutants);
  shmvtest_add("/slot/each-relaxed-order-is-found", test_relaxed_mutants);
#endif
  return shmvtest_run();
}
