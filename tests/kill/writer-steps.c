/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Writers that die at any instruction
 *
 * One reader and one successor live through all deaths of a scenario: the reader is
 * told of the loss, if it knew the writer, and of nothing torn; the frame that it
 * holds stays; the successor takes the path at once, and is followed. Then it closes
 * the path, and the next one dies there.
 */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "step.h"
#include "survivors.h"
#include "writer-victims.h"

#define SUCCESSOR "GRAY8 48 32"
#define SUCCESSOR_SAYS "format GRAY8 48x32"

static struct {
  const char *path;
  struct shmvtest_child *reader, *successor;
  struct share_usage reader_usage, successor_usage;
  gboolean holds;    /* the reader, a frame of the victim's */
  gboolean knows;    /* it was told a format, */
  gboolean ended;    /* or that the stream ended */
  gboolean measured; /* the usages */
} stage;

/* ---- Survivors ----------------------------------------------------------------- */

/* What the reader was waiting for. */
static gboolean
answer_is_successors(void)
{
  const char *answer = share_answer(stage.reader);
  if (strcmp(answer, SUCCESSOR_SAYS) == 0)
    return TRUE;
  if (g_str_has_prefix(answer, "format GRAY8 ")) {
    stage.knows = TRUE;
    stage.ended = FALSE;
  } else if (g_str_has_prefix(answer, "frame ")) {
    stage.ended = FALSE;
  } else if (strcmp(answer, "end") == 0) {
    stage.ended = TRUE;
  } else if (strcmp(answer, "lost") == 0) {
    g_assert_true(stage.knows);
    g_assert_false(stage.ended);
    stage.knows = FALSE; /* told once */
  } else {
    g_error("the reader says \"%s\"", answer);
  }
  return FALSE;
}

static void
open_successor(void)
{
  share_expect(stage.successor, "ok", "writer %s backpressure=1", stage.path);
  survivors_expect_files("share");
  share_expect(stage.successor, "ok", "format " SUCCESSOR);
}

static void
close_successor(void)
{
  share_expect(stage.successor, "ok", "close");
  survivors_expect_files("");
}

static void
measure(void)
{
  if (!stage.measured) {
    stage.measured = TRUE;
    stage.reader_usage = share_usage(stage.reader->pid);
    stage.successor_usage = share_usage(stage.successor->pid);
  }
  survivors_wait_same(stage.reader->pid, stage.reader_usage);
  survivors_wait_same(stage.successor->pid, stage.successor_usage);
}

static void
before(void)
{
  stage.knows = stage.ended = stage.holds = FALSE;
  share_tell(stage.reader, "next");
}

static void
after(void)
{
  open_successor();
  while (!answer_is_successors())
    share_tell(stage.reader, "next");
  g_assert_true(!stage.knows || stage.ended);
  share_expect(stage.successor, "1 0", "show 1");
  share_expect(stage.reader, "frame 1 0", "next");
  const char *status = share_ask(stage.reader, "status");
  g_assert_cmpuint(share_get(status, "pid"), ==, (guint64)stage.successor->pid);
  g_assert_cmpuint(share_get(status, "connected"), ==, 1);
  close_successor();
  share_expect(stage.reader, "lost", "next");
  share_expect(stage.reader, stage.holds ? "1 intact" : "0 intact", "release");
  measure();
}

static void
begin(const char *options)
{
  memset(&stage, 0, sizeof stage);
  stage.path = victim_path = shmvtest_path("share");
  stage.successor = share_start();
  stage.reader = share_start();
  share_expect(stage.reader, "ok", "reader %s depth=8 holds=4 %s", stage.path,
               options);
}

static void
finish(void)
{
  survivors_check_memory(stage.reader->pid, stage.reader_usage);
  survivors_check_memory(stage.successor->pid, stage.successor_usage);
  share_finish(stage.reader);
  share_finish(stage.successor);
}

static void
run(const char *options, struct step_scenario scenario)
{
  if (!step_possible())
    return;
  begin(options);
  before();
  after(); /* nobody has died yet */
  scenario.after = after;
  if (scenario.before == NULL)
    scenario.before = before;
  step_through(&scenario);
  finish();
}

/* ---- What is done to it ---------------------------------------------------------- */

static void
before_reading(void)
{
  before();
  share_tell(stage.reader, "hold");
}

static void
arrange(guint stop)
{
  g_assert_false(answer_is_successors());
  g_assert_true(stage.knows);
  g_assert_cmpstr(share_answer(stage.reader), ==, "frame 1 0");
  stage.holds = TRUE;
  share_tell(stage.reader, "next");
}

/* It has a reader, which holds its first frame and waits for more. */
static void
run_read(const char *options, void (*victim)(void *user), void *user)
{
  run(options, (struct step_scenario){.victim = victim, .user = user,
                                      .before = before_reading,
                                      .arrange = arrange, .n_stops = 1});
}

static void
stale_socket(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, stage.path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  close(fd);
  before();
}

static void
opening(void)
{
  run("", (struct step_scenario){.victim = victim_opens});
}

static void
replacing(void)
{
  run("", (struct step_scenario){.victim = victim_opens, .before = stale_socket});
}

static void
setting_a_format(void)
{
  run("", (struct step_scenario){.victim = victim_sets_format});
}

static void
admitting(void)
{
  run("", (struct step_scenario){.victim = victim_admits});
}

static void
showing(void)
{
  run_read("", victim_shows, NULL);
}

static void
copying(void)
{
  run_read("", victim_shows_a_copy, NULL);
}

static void
discarding(void)
{
  run_read("", victim_discards, NULL);
}

static void
changing(void)
{
  run_read("", victim_changes, NULL);
}

static void
ending(void)
{
  run_read("", victim_ends, NULL);
}

static void
leaving(void)
{
  run_read("", victim_leaves, NULL);
}

static void
waiting(void)
{
  run_read("lossless=1", victim_waits, NULL);
}

static void
demoting(void)
{
  run_read("lossless=1", victim_waits, &stage);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/kill/writer/opening", opening);
  shmvtest_add("/kill/writer/replacing-a-stale-socket", replacing);
  shmvtest_add("/kill/writer/setting-a-format", setting_a_format);
  shmvtest_add("/kill/writer/admitting-a-reader", admitting);
  shmvtest_add("/kill/writer/showing", showing);
  shmvtest_add("/kill/writer/copying", copying);
  shmvtest_add("/kill/writer/discarding", discarding);
  shmvtest_add("/kill/writer/changing-the-format", changing);
  shmvtest_add("/kill/writer/ending", ending);
  shmvtest_add("/kill/writer/leaving", leaving);
  shmvtest_add("/kill/writer/waiting", waiting);
  shmvtest_add("/kill/writer/demoting", demoting);
  return shmvtest_run();
}
