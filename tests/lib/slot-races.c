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
  judge(run("slot-explore", NULL, NULL, 300), 0);
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
enum kind {
  RULE,  /* something is done otherwise */
  ORDER, /* a store, or a whole pair, has a weaker order */
  LOAD   /* a load has */
};

static const struct mutant {
  const char *name;
  const char *litmus; /* the test that it fails */
  enum kind kind;
} mutants[] = {
    {"scan-first", "holds", RULE},      {"no-recheck", "frames", RULE},
    {"no-sequence", "frames", RULE},    {"no-restore", "holds", RULE},
    {"early-head", "frames", RULE},     {"off-by-one", "lossless", RULE},
    {"gen-release", "holds", ORDER},    {"holds-acquire", "holds", LOAD},
    {"hold-release", "holds", ORDER},   {"gen-acquire", "holds", LOAD},
    {"head-release", "wakes", ORDER},   {"armed-acquire", "wakes", LOAD},
    {"armed-release", "wakes", ORDER},  {"head-acquire", "wakes", LOAD},
    {"unhold-release", "nudges", ORDER}, {"waits-acquire", "nudges", LOAD},
    {"waits-release", "nudges", ORDER}, {"free-acquire", "nudges", LOAD},
    {"gen-hold", "holds", ORDER},       {"head-armed", "wakes", ORDER},
    {"hold-waits", "nudges", ORDER},
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
  judge(run(program, NULL, NULL, 300), 1);
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

/* Found by running into it; but a weaker order that is the same instruction (on x86 that
 * is so for loads, on others for stores too) can only be found in the source. */
static void
test_running_mutant(void)
{
  const struct mutant *mutant = the_mutant();
  if (mutant->kind != RULE && is_same_code(mutant->name)) {
    g_test_skip("the compiler makes the same code of it as of the real source: only "
                "slot-explore sees the difference");
    return;
  }
  int seconds = mutant->kind == LOAD ? 1 : PATIENCE;
  char *program = g_strdup_printf("slot-litmus-%s", mutant->name);
  char *argument = g_strdup_printf("%d", seconds);
  int status = run(program, argument, mutant->litmus, seconds);
  if (mutant->kind == LOAD && status == 0)
    g_test_skip("the code is another one, and this processor broke no rule with it "
                "in 1 s: only slot-explore sees the difference");
  else
    judge(status, 1);
  g_free(argument);
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
