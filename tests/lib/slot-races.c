/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Races for slots: slot-explore and slot-litmus find nothing in slot.c, and find
 * what is wrong in each of its mutants (slot-mutate.sh), so that finding nothing means
 * something. SHMVIDEO_LITMUS_SECONDS: how long frames go from one processor to the
 * other, 10 if not set.
 */

#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"

/* A mutant may need so long to be found, s. It needs milliseconds, but only of time in
 * which both of its threads have a processor. */
#define PATIENCE 120

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
  judge(run("slot-explore", NULL, NULL, 120), 0);
}

static void
test_frames(void)
{
  const char *seconds = g_getenv("SHMVIDEO_LITMUS_SECONDS");
  if (seconds == NULL)
    seconds = "10";
  judge(run("slot-litmus", seconds, "frames", atoi(seconds)), 0);
}

static void
test_rounds(void)
{
  static const char *const tests[] = {"lossless", "holds", "wakes", "nudges"};
  int status = 0;
  for (gsize i = 0; status == 0 && i < G_N_ELEMENTS(tests); i++)
    status = run("slot-litmus", "1", tests[i], 1);
  judge(status, 0);
}

#ifdef SHMV_MUTANTS
static const struct mutant {
  const char *name;
  const char *litmus; /* the test that it fails */
  bool load;          /* all that is weaker is a load */
} mutants[] = {
    {"scan-first", "holds", false},     {"no-recheck", "frames", false},
    {"no-sequence", "frames", false},   {"no-restore", "holds", false},
    {"early-head", "frames", false},    {"off-by-one", "lossless", false},
    {"gen-release", "holds", false},    {"holds-acquire", "holds", true},
    {"hold-release", "holds", false},   {"gen-acquire", "holds", true},
    {"head-release", "wakes", false},   {"armed-acquire", "wakes", true},
    {"armed-release", "wakes", false},  {"head-acquire", "wakes", true},
    {"unhold-release", "nudges", false}, {"waits-acquire", "nudges", true},
    {"waits-release", "nudges", false}, {"free-acquire", "nudges", true},
    {"gen-hold", "holds", false},       {"head-armed", "wakes", false},
    {"hold-waits", "nudges", false},
};

/* The mutant that the running test is for: the last part of its path. */
static const struct mutant *
the_mutant(void)
{
  const char *name = strrchr(g_test_get_path(), '/') + 1;
  for (gsize i = 0; i < G_N_ELEMENTS(mutants); i++)
    if (strcmp(mutants[i].name, name) == 0)
      return &mutants[i];
  g_assert_not_reached();
}

/* Found by going through the schedules: always, and at the same place. */
static void
test_explored_mutant(void)
{
  char *program = g_strdup_printf("slot-explore-%s", the_mutant()->name);
  judge(run(program, NULL, NULL, 120), 1);
  g_free(program);
}

/* Whether the compiler made of a mutant what it made of slot.c. */
static bool
is_same_code(const char *name)
{
  char *script = g_build_filename(g_getenv("SHMVIDEO_SOURCE_DIR"), "tests", "lib",
                                  "slot-same-code.sh", NULL);
  char *folder = g_build_filename(g_getenv("SHMVIDEO_BUILD_DIR"), "tests", "lib",
                                  NULL);
  struct shmvtest_child *child =
      shmvtest_spawn_line("'%s' '%s/libslot-source.a' '%s/libslot-source-%s.a'",
                          script, folder, folder, name);
  int status = shmvtest_child_wait(child, shmvtest_deadline());
  shmvtest_child_free(child);
  g_free(script);
  g_free(folder);
  return status == 0;
}

/* A load that comes after a sequentially consistent store: where it is not another
 * instruction than a weaker one, nothing can be seen of that. */
static void
test_weak_load(const struct mutant *mutant, const char *program)
{
  if (is_same_code(mutant->name)) {
    g_test_skip("the compiler makes the same code of it as of the real source: only "
                "slot-explore sees the difference");
    return;
  }
  int status = run(program, "1", mutant->litmus, 1);
  if (status == 0)
    g_test_skip("the code is another one, and this processor broke no rule with it "
                "in 1 s: only slot-explore sees the difference");
  else
    judge(status, 1);
}

/* Found by running into it. */
static void
test_running_mutant(void)
{
  const struct mutant *mutant = the_mutant();
  char *program = g_strdup_printf("slot-litmus-%s", mutant->name);
  if (mutant->load)
    test_weak_load(mutant, program);
  else
    judge(run(program, G_STRINGIFY(PATIENCE), mutant->litmus, PATIENCE), 1);
  g_free(program);
}

static void
add_mutants(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(mutants); i++) {
    char *explored = g_strdup_printf("/slot/schedules-find/%s", mutants[i].name);
    char *running = g_strdup_printf("/slot/processors-find/%s", mutants[i].name);
    shmvtest_add(explored, test_explored_mutant);
    shmvtest_add(running, test_running_mutant);
    g_free(explored);
    g_free(running);
  }
}
#endif

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/slot/no-schedule-breaks-a-rule", test_all_schedules);
  shmvtest_add("/slot/frames-that-are-held-stay", test_frames);
  shmvtest_add("/slot/two-processors-break-no-rule", test_rounds);
#ifdef SHMV_MUTANTS
  add_mutants();
#endif
  return shmvtest_run();
}
