/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sessions: who may say what when. The tables of docs/protocol.md, section 4,
 * are read from the page and every cell of them is tried; then conversations.
 * What the numbers may be is for session-bounds.c.
 */

#include <errno.h>
#include <string.h>

#include "session-script.h"
#include "shmvtest.h"
#include "vectors.h"

/* ---- The tables
 * --------------------------------------------------------------- */

/* The step that a caller is told is named like the message. */
static const int steps[] = {
    [SHMV_HELLO] = SHMV_STEP_HELLO,     [SHMV_PAGE] = SHMV_STEP_PAGE,
    [SHMV_MAPPED] = SHMV_STEP_MAPPED,   [SHMV_WELCOME] = SHMV_STEP_WELCOME,
    [SHMV_FORMAT] = SHMV_STEP_FORMAT,   [SHMV_READY] = SHMV_STEP_READY,
    [SHMV_ACCEPTS] = SHMV_STEP_ACCEPTS, [SHMV_REFUSED] = SHMV_STEP_REFUSED,
    [SHMV_END] = SHMV_STEP_END,         [SHMV_BYE] = SHMV_STEP_BYE,
    [SHMV_WAKE] = SHMV_STEP_WAKE,       [SHMV_NUDGE] = SHMV_STEP_NUDGE};

/* "→ X": taken, then X. "take", "ignore": the state stays. "": forbidden. */
static int
wanted_code(const char *cell, uint32_t type)
{
  if (strcmp(cell, "") == 0)
    return -EPROTO;
  if (strcmp(cell, "ignore") == 0)
    return SHMV_STEP_NONE;
  g_assert_true(strcmp(cell, "take") == 0 || g_str_has_prefix(cell, "→ "));
  return steps[type];
}

static const char *
wanted_state(const char *cell, const char *state)
{
  return g_str_has_prefix(cell, "→ ") ? cell + strlen("→ ") : state;
}

static void
try_writer_cell(const char *state, uint32_t type, const char *cell)
{
  struct shmv_writer_session session;
  script_writer_reach(&session, state);
  g_assert_cmpstr(script_writer_state(&session), ==, state);
  int code = script_writer_take(&session, type);
  g_test_message("writer, %s in %s: '%s'", shmv_wire_type_name(type), state,
                 cell);
  g_assert_cmpint(code, ==, wanted_code(cell, type));
  if (code == SHMV_STEP_HELLO)
    shmv_writer_session_admit(&session);
  if (code >= 0)
    g_assert_cmpstr(script_writer_state(&session), ==,
                    wanted_state(cell, state));
}

static void
try_reader_cell(const char *state, uint32_t type, const char *cell)
{
  struct shmv_reader_session session;
  struct shmv_message answer;
  script_reader_reach(&session, state);
  g_assert_cmpstr(script_reader_state(&session), ==, state);
  int code = script_reader_take(&session, type);
  g_test_message("reader, %s in %s: '%s'", shmv_wire_type_name(type), state,
                 cell);
  g_assert_cmpint(code, ==, wanted_code(cell, type));
  if (code == SHMV_STEP_PAGE)
    shmv_reader_session_mapped(&session, &answer);
  if (code >= 0)
    g_assert_cmpstr(script_reader_state(&session), ==,
                    wanted_state(cell, state));
}

/* The cells of a table's line, without the empty ones before and after it. */
static char **
split_line(const char *line)
{
  char **cells = g_strsplit(line, "|", -1);
  guint n = g_strv_length(cells);
  g_assert_cmpuint(n, >=, 3);
  g_free(cells[0]);
  g_free(cells[n - 1]);
  memmove(cells, cells + 1, (n - 2) * sizeof *cells);
  cells[n - 2] = NULL;
  for (char **cell = cells; *cell != NULL; cell++)
    g_strstrip(*cell);
  return cells;
}

/* Try every cell of the table below a heading; how many there are. */
static guint
walk_table(const char *heading, const char *const *states,
           void (*try)(const char *state, uint32_t type, const char *cell))
{
  char *page = vectors_file("docs/protocol.md");
  const char *start = strstr(page, heading);
  g_assert_nonnull(start);
  start = strstr(start, "\n| message |");
  g_assert_nonnull(start);
  char **lines = g_strsplit(start + 1, "\n", 20);
  char **head = split_line(lines[0]);
  for (guint i = 0; states[i] != NULL; i++)
    g_assert_cmpstr(head[i + 1], ==, states[i]);
  guint n = 0;
  for (uint32_t type = SHMV_HELLO; type <= SHMV_NUDGE; type++) {
    char **cells = split_line(lines[type + 1]);
    g_assert_cmpstr(cells[0], ==, shmv_wire_type_name(type));
    g_assert_cmpuint(g_strv_length(cells), ==, g_strv_length(head));
    for (guint i = 1; cells[i] != NULL; i++, n++)
      try(head[i], type, cells[i]);
    g_strfreev(cells);
  }
  g_strfreev(head);
  g_strfreev(lines);
  g_free(page);
  return n;
}

static void
test_tables(void)
{
  static const char *const writer_states[] = {"NEW",   "ADMITTED", "ANSWERED",
                                              "ASKED", "LEAVING",  NULL};
  static const char *const reader_states[] = {
      "WAIT_PAGE", "WAIT_WELCOME", "ANSWERED", "ASKED", "OVER", NULL};
  g_assert_cmpuint(walk_table("### 4.1 ", writer_states, try_writer_cell), ==,
                   60);
  g_assert_cmpuint(walk_table("### 4.2 ", reader_states, try_reader_cell), ==,
                   60);
}

/* ---- Conversations
 * ------------------------------------------------------------- */

/* What happens at one end, in order: what comes in and what code that gives,
 * what is said, or what the program does. */
enum act { IN, OUT, QUIET, ADMIT, REFUSE, END };

struct line {
  enum act act;
  uint32_t type;       /* IN, OUT */
  int code;            /* IN: wanted */
  uint32_t generation; /* of the writer now; of READY */
};

struct transcript {
  const char *title;
  struct line lines[16];
};

static const struct transcript writer_transcripts[] = {
    {"a reader comes before there is a format",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 0},
      {QUIET, 0, 0, 0},
      {ADMIT, 0, 0, 0},
      {OUT, SHMV_PAGE, 0, 0},
      {QUIET, 0, 0, 0},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 0},
      {OUT, SHMV_WELCOME, 0, 0},
      {QUIET, 0, 0, 0},
      {OUT, SHMV_FORMAT, 0, 1},
      {QUIET, 0, 0, 1},
      {IN, SHMV_READY, SHMV_STEP_READY, 1},
      {IN, SHMV_NUDGE, SHMV_STEP_NUDGE, 1},
      {IN, SHMV_BYE, SHMV_STEP_BYE, 1}}},
    {"of three formats during one silence only the newest is said",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 1},
      {ADMIT, 0, 0, 1},
      {OUT, SHMV_PAGE, 0, 1},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 1},
      {OUT, SHMV_WELCOME, 0, 1},
      {OUT, SHMV_FORMAT, 0, 1},
      {QUIET, 0, 0, 2},
      {QUIET, 0, 0, 3},
      {IN, SHMV_READY, SHMV_STEP_READY, 1},
      {OUT, SHMV_FORMAT, 0, 3},
      {IN, SHMV_READY, SHMV_STEP_READY, 3},
      {QUIET, 0, 0, 3}}},
    {"a page that was never sent cannot be mapped",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 0},
      {ADMIT, 0, 0, 0},
      {IN, SHMV_MAPPED, -EPROTO, 0}}},
    {"the end waits for the answer to the newest format",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 1},
      {ADMIT, 0, 0, 1},
      {OUT, SHMV_PAGE, 0, 1},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 1},
      {OUT, SHMV_WELCOME, 0, 1},
      {OUT, SHMV_FORMAT, 0, 1},
      {END, 0, 0, 1},
      {QUIET, 0, 0, 1},
      {IN, SHMV_READY, SHMV_STEP_READY, 1},
      {OUT, SHMV_END, 0, 1},
      {QUIET, 0, 0, 1}}},
    {"the same generation is not ready twice",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 1},
      {ADMIT, 0, 0, 1},
      {OUT, SHMV_PAGE, 0, 1},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 1},
      {OUT, SHMV_WELCOME, 0, 1},
      {OUT, SHMV_FORMAT, 0, 1},
      {IN, SHMV_READY, SHMV_STEP_READY, 1},
      {IN, SHMV_READY, -EPROTO, 1}}},
    {"another generation than the one asked for is not ready",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 1},
      {ADMIT, 0, 0, 1},
      {OUT, SHMV_PAGE, 0, 1},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 1},
      {OUT, SHMV_WELCOME, 0, 1},
      {OUT, SHMV_FORMAT, 0, 1},
      {IN, SHMV_READY, -EPROTO, 2}}},
    {"who is refused says no HELLO again before it hears so",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 0},
      {REFUSE, 0, 0, 0},
      {IN, SHMV_HELLO, SHMV_STEP_NONE, 0},
      {OUT, SHMV_REFUSED, 0, 0},
      {IN, SHMV_HELLO, SHMV_STEP_NONE, 0},
      {QUIET, 0, 0, 1}}},
    {"a format that the reader cannot take is a refusal, and then silence",
     {{IN, SHMV_HELLO, SHMV_STEP_HELLO, 1},
      {ADMIT, 0, 0, 1},
      {OUT, SHMV_PAGE, 0, 1},
      {IN, SHMV_MAPPED, SHMV_STEP_MAPPED, 1},
      {OUT, SHMV_WELCOME, 0, 1},
      {REFUSE, 0, 0, 1},
      {OUT, SHMV_REFUSED, 0, 1},
      {QUIET, 0, 0, 2},
      {IN, SHMV_NUDGE, SHMV_STEP_NONE, 2}}},
};

static void
play_writer(const struct transcript *transcript)
{
  struct shmv_writer_session session;
  memset(&session, 0, sizeof session);
  g_test_message("%s", transcript->title);
  for (gsize i = 0; i < G_N_ELEMENTS(transcript->lines); i++) {
    const struct line *line = &transcript->lines[i];
    struct shmv_message message =
        script_message(line->type, session.serial_in + 1);
    switch (line->act) {
      case IN:
        if (line->type == 0)
          return; /* the rest of the array is empty */
        if (line->type == SHMV_READY)
          message.u.generation = line->generation;
        g_assert_cmpint(shmv_writer_session_take(&session, &message), ==,
                        line->code);
        break;
      case OUT:
        g_assert_cmpuint(script_writer_say(&session, line->generation), ==,
                         line->type);
        break;
      case QUIET:
        g_assert_cmpuint(script_writer_say(&session, line->generation), ==, 0);
        break;
      case ADMIT:
        session.welcome = script_welcome;
        shmv_writer_session_admit(&session);
        break;
      case REFUSE:
        session.refusal = SHMV_REFUSED_FORMAT;
        break;
      case END:
        session.say_end = true;
        break;
    }
  }
}

static void
test_writer_transcripts(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(writer_transcripts); i++)
    play_writer(&writer_transcripts[i]);
}

/* Both ends together, each saying what the other lets it. An end that comes
 * before any format, then two formats, then an end behind frames. */
static void
test_both_ends_agree(void)
{
  struct shmv_writer_session writer;
  struct shmv_reader_session reader;
  struct shmv_message message;
  memset(&writer, 0, sizeof writer);
  shmv_reader_session_init(&reader, &script_hello, &message);
  uint32_t seen = 0, generation = 0, ends = 0;
  writer.welcome = script_welcome;
  g_assert_cmpint(shmv_writer_session_take(&writer, &message), ==,
                  SHMV_STEP_HELLO);
  shmv_writer_session_admit(&writer);
  for (int turn = 0; turn < 40; turn++) {
    if (turn == 10 || turn == 30)
      writer.say_end = true;
    generation = turn >= 25 ? 2 : turn >= 15 ? 1 : 0;
    if (!shmv_writer_session_next(&writer, generation, &message))
      continue;
    if (message.type == SHMV_FORMAT)
      script_fill_format(&message, generation);
    shmv_writer_session_sent(&writer, &message);
    seen |= 1u << message.type;
    int step = shmv_reader_session_take(&reader, &message);
    g_assert_cmpint(step, ==, steps[message.type]);
    ends += step == SHMV_STEP_END;
    if (step == SHMV_STEP_PAGE)
      shmv_reader_session_mapped(&reader, &message);
    else if (step == SHMV_STEP_FORMAT)
      shmv_reader_session_ready(&reader, &message);
    else
      continue;
    g_assert_cmpint(shmv_writer_session_take(&writer, &message), >=, 0);
  }
  g_assert_cmpuint(ends, ==, 2);
  g_assert_cmpuint(writer.ready_generation, ==, 2);
  g_assert_cmpuint(seen, ==,
                   1u << SHMV_PAGE | 1u << SHMV_WELCOME | 1u << SHMV_FORMAT |
                       1u << SHMV_END);
}

static void
test_serials(void)
{
  static const uint32_t wrong[] = {0, 2, UINT32_MAX};
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
    struct shmv_writer_session writer;
    struct shmv_reader_session reader;
    memset(&writer, 0, sizeof writer);
    struct shmv_message message = script_message(SHMV_HELLO, wrong[i]);
    g_assert_cmpint(shmv_writer_session_take(&writer, &message), ==, -EPROTO);
    script_reader_reach(&reader, "WAIT_PAGE");
    message = script_message(SHMV_PAGE, wrong[i]);
    g_assert_cmpint(shmv_reader_session_take(&reader, &message), ==, -EPROTO);
  }
  /* WAKE and NUDGE do not count, and must not seem to. */
  struct shmv_writer_session writer;
  struct shmv_reader_session reader;
  script_writer_reach(&writer, "ASKED");
  script_reader_reach(&reader, "ASKED");
  for (int i = 0; i < 5; i++) {
    g_assert_cmpint(script_writer_take(&writer, SHMV_NUDGE), ==,
                    SHMV_STEP_NUDGE);
    g_assert_cmpint(script_reader_take(&reader, SHMV_WAKE), ==, SHMV_STEP_WAKE);
  }
  g_assert_cmpint(script_writer_take(&writer, SHMV_READY), ==, SHMV_STEP_READY);
  struct shmv_message message = script_message(SHMV_NUDGE, 0);
  message.serial = writer.serial_in + 1;
  g_assert_cmpint(shmv_writer_session_take(&writer, &message), ==, -EPROTO);
  message = script_message(SHMV_WAKE, 0);
  message.serial = reader.serial_in + 1;
  g_assert_cmpint(shmv_reader_session_take(&reader, &message), ==, -EPROTO);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/session/every-cell-of-the-tables-in-the-page", test_tables);
  shmvtest_add("/session/conversations-of-a-writer", test_writer_transcripts);
  shmvtest_add("/session/both-ends-agree", test_both_ends_agree);
  shmvtest_add("/session/serials-count", test_serials);
  return shmvtest_run();
}
