/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Races for slots: slot-explore and slot-litmus find nothing in slot.c, and find
 * what is wrong in each of its mutants (slot-mutate.sh), so that finding nothing means
 * something. SHMVIDEO_LITMUS_SECONDS: how long frames are read at full speed, 10 if not
 * set; SHMVIDEO_LITMUS_FRAMES: how many frames are read, nothing else being tested then.
 */

#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"

/* Run a program of this folder; its exit status. Its output becomes messages. */
static int
run(const char *program, const char *argument, const char *other,
    const char *third, int seconds)
{
  char *path = g_build_filename(g_getenv("SHMVIDEO_BUILD_DIR"), "tests", "lib",
                                program, NULL);
  const char *argv[] = {path, argument, other, third, NULL};
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
  judge(run("slot-explore", NULL, NULL, NULL, 60), 0);
}

static void
test_two_processors(void)
{
  const char *seconds = g_getenv("SHMVIDEO_LITMUS_SECONDS");
  if (seconds == NULL)
    seconds = "10";
  judge(run("slot-litmus", seconds, "frames", NULL, atoi(seconds)), 0);
  judge(run("slot-litmus", "2", NULL, NULL, 2), 0); /* the others, and frames again */
}

/* Takes as long as it takes. */
static void
test_many_frames(void)
{
  judge(run("slot-litmus", "1", "frames", g_getenv("SHMVIDEO_LITMUS_FRAMES"),
            100000), 0);
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
    judge(run(program, NULL, NULL, NULL, 60), 1);
    g_free(program);
  }
}

/* Found by running into them, which takes milliseconds. Loads with and without order are
 * the same instruction on x86: what is found there is the weaker store. */
static void
test_released_mutants(void)
{
  static const char *const mutants[][2] = {
      {"scan-first", "holds"},    {"no-recheck", "holds"},
      {"gen-release", "holds"},   {"hold-release", "holds"},
      {"head-release", "wakes"},  {"armed-release", "wakes"},
      {"waits-release", "nudges"}, {"unhold-release", "nudges"}};
  for (gsize i = 0; i < G_N_ELEMENTS(mutants); i++) {
    char *program = g_strdup_printf("slot-litmus-%s", mutants[i][0]);
    judge(run(program, "60", mutants[i][1], NULL, 60), 1);
    g_free(program);
  }
}
#endif

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  if (g_getenv("SHMVIDEO_LITMUS_FRAMES") != NULL) {
    shmvtest_add("/slot/many-frames", test_many_frames);
    return shmvtest_run();
  }
  shmvtest_add("/slot/no-schedule-breaks-a-rule", test_all_schedules);
  shmvtest_add("/slot/two-processors-break-no-rule", test_two_processors);
#ifdef SHMV_MUTANTS
  shmvtest_add("/slot/each-broken-rule-is-found", test_explored_mutants);
  shmvtest_add("/slot/each-weaker-order-is-found", test_released_mutants);
#endif
  return shmvtest_run();
}
