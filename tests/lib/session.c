/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Sessions: who may say what when. The tables of docs/protocol.md, section 4, are
 * read from the page and every cell of them is tried; then conversations, and each
 * number just inside and just outside its bounds.
 */

#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "shmvtest.h"
#include "vectors.h"

/* ---- Messages that are right ------------------------------------------------- */

static const struct shmv_hello hello = {1, 1, SHMVIDEO_LOSSLESS, 8, 2, 4, 0};
static const struct shmv_welcome welcome = {1, SHMVIDEO_LOSSLESS, 5, 77, 8, 3,
                                            1};
#define CAPS "video/x-raw, format=(string)RGBA, width=(int)64, height=(int)32, " \
             "framerate=(fraction)25/1"

static void
fill_format(struct shmv_message *message, uint32_t generation)
{
  struct shmv_format_message *f = &message->u.format;
  f->generation = generation;
  f->n_slots = 10;
  f->slot_size = 8192;
  f->pool_size = 81920;
  f->board_size = SHMV_BOARD_SIZE;
  g_assert_cmpint(shmvideo_format_from_caps(&f->format, CAPS, NULL), ==, 0);
  g_assert_cmpuint(f->format.size, ==, 8192);
  message->text = CAPS;
  message->text_size = sizeof CAPS - 1;
}

/* A message of this type with a body that is right for its first use. */
static struct shmv_message
make(uint32_t type, uint32_t serial)
{
  struct shmv_message message = {.type = type, .serial = serial};
  if (type == SHMV_WAKE || type == SHMV_NUDGE)
    message.serial = 0;
  if (type == SHMV_HELLO)
    message.u.hello = hello;
  else if (type == SHMV_PAGE)
    message.u.page_holds = SHMV_MAX_HOLDS;
  else if (type == SHMV_WELCOME)
    message.u.welcome = welcome;
  else if (type == SHMV_FORMAT)
    fill_format(&message, 1);
  else if (type == SHMV_READY)
    message.u.generation = 1;
  else if (type == SHMV_REFUSED)
    message.u.refusal = SHMV_REFUSED_MEMORY;
  return message;
}

static int
writer_take(struct shmv_writer_session *session, uint32_t type)
{
  struct shmv_message message = make(type, session->serial_in + 1);
  return shmv_writer_session_take(session, &message);
}

static int
reader_take(struct shmv_reader_session *session, uint32_t type)
{
  struct shmv_message message = make(type, session->serial_in + 1);
  return shmv_reader_session_take(session, &message);
}

/* The writer says what it has to say; its type, 0: nothing. */
static uint32_t
writer_say(struct shmv_writer_session *session, uint32_t generation)
{
  struct shmv_message message;
  if (!shmv_writer_session_next(session, generation, &message))
    return 0;
  g_assert_cmpuint(message.serial, ==, session->serial_out + 1);
  if (message.type == SHMV_FORMAT)
    fill_format(&message, generation);
  shmv_writer_session_sent(session, &message);
  return message.type;
}

/* ---- The states of the page -------------------------------------------------- */

static const char *
writer_state(const struct shmv_writer_session *session)
{
  switch (session->state) {
    case SHMV_W_NEW:
      return session->refusal != 0 ? "LEAVING" : "NEW";
    case SHMV_W_ADMITTED:
      return "ADMITTED";
    case SHMV_W_LIVE:
      return session->sent_generation == session->ready_generation ? "ANSWERED"
                                                                   : "ASKED";
    default:
      return "LEAVING";
  }
}

static const char *
reader_state(const struct shmv_reader_session *session)
{
  switch (session->state) {
    case SHMV_R_WAIT_PAGE:
      return "WAIT_PAGE";
    case SHMV_R_WAIT_WELCOME:
      return "WAIT_WELCOME";
    case SHMV_R_LIVE:
      return session->generation == 0 || session->ready ? "ANSWERED" : "ASKED";
    default:
      return "OVER";
  }
}

/* Bring a new session to a state, by messages only. */
static void
writer_reach(struct shmv_writer_session *session, const char *state)
{
  memset(session, 0, sizeof *session);
  if (strcmp(state, "NEW") == 0)
    return;
  g_assert_cmpint(writer_take(session, SHMV_HELLO), ==, SHMV_STEP_HELLO);
  session->welcome = welcome;
  shmv_writer_session_admit(session);
  g_assert_cmpuint(writer_say(session, 0), ==, SHMV_PAGE);
  if (strcmp(state, "ADMITTED") == 0)
    return;
  g_assert_cmpint(writer_take(session, SHMV_MAPPED), ==, SHMV_STEP_MAPPED);
  g_assert_cmpuint(writer_say(session, 0), ==, SHMV_WELCOME);
  if (strcmp(state, "ASKED") == 0)
    g_assert_cmpuint(writer_say(session, 1), ==, SHMV_FORMAT);
  if (strcmp(state, "LEAVING") == 0)
    g_assert_cmpint(writer_take(session, SHMV_BYE), ==, SHMV_STEP_BYE);
}

static void
reader_reach(struct shmv_reader_session *session, const char *state)
{
  struct shmv_message message;
  shmv_reader_session_init(session, &hello, &message);
  g_assert_cmpuint(message.type, ==, SHMV_HELLO);
  g_assert_cmpuint(message.serial, ==, 1);
  if (strcmp(state, "WAIT_PAGE") == 0)
    return;
  g_assert_cmpint(reader_take(session, SHMV_PAGE), ==, SHMV_STEP_PAGE);
  shmv_reader_session_mapped(session, &message);
  g_assert_cmpuint(message.type, ==, SHMV_MAPPED);
  g_assert_cmpuint(message.serial, ==, 2);
  if (strcmp(state, "WAIT_WELCOME") == 0)
    return;
  g_assert_cmpint(reader_take(session, SHMV_WELCOME), ==, SHMV_STEP_WELCOME);
  if (strcmp(state, "ASKED") == 0)
    g_assert_cmpint(reader_take(session, SHMV_FORMAT), ==, SHMV_STEP_FORMAT);
  if (strcmp(state, "OVER") == 0)
    g_assert_cmpint(reader_take(session, SHMV_BYE), ==, SHMV_STEP_BYE);
}

/* ---- The tables --------------------------------------------------------------- */

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
  writer_reach(&session, state);
  g_assert_cmpstr(writer_state(&session), ==, state);
  int code = writer_take(&session, type);
  g_test_message("writer, %s in %s: '%s'", shmv_wire_type_name(type), state,
                 cell);
  g_assert_cmpint(code, ==, wanted_code(cell, type));
  if (code == SHMV_STEP_HELLO)
    shmv_writer_session_admit(&session);
  if (code >= 0)
    g_assert_cmpstr(writer_state(&session), ==, wanted_state(cell, state));
}

static void
try_reader_cell(const char *state, uint32_t type, const char *cell)
{
  struct shmv_reader_session session;
  struct shmv_message answer;
  reader_reach(&session, state);
  g_assert_cmpstr(reader_state(&session), ==, state);
  int code = reader_take(&session, type);
  g_test_message("reader, %s in %s: '%s'", shmv_wire_type_name(type), state,
                 cell);
  g_assert_cmpint(code, ==, wanted_code(cell, type));
  if (code == SHMV_STEP_PAGE)
    shmv_reader_session_mapped(&session, &answer);
  if (code >= 0)
    g_assert_cmpstr(reader_state(&session), ==, wanted_state(cell, state));
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

/* ---- Conversations ------------------------------------------------------------- */

/* What happens at one end, in order: what comes in and what code that gives, what
 * is said, or what the program does. */
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
    struct shmv_message message = make(line->type, session.serial_in + 1);
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
        g_assert_cmpuint(writer_say(&session, line->generation), ==,
                         line->type);
        break;
      case QUIET:
        g_assert_cmpuint(writer_say(&session, line->generation), ==, 0);
        break;
      case ADMIT:
        session.welcome = welcome;
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

/* Both ends together, each saying what the other lets it. An end that comes before
 * any format, then two formats, then an end behind frames. */
static void
test_both_ends_agree(void)
{
  struct shmv_writer_session writer;
  struct shmv_reader_session reader;
  struct shmv_message message;
  memset(&writer, 0, sizeof writer);
  shmv_reader_session_init(&reader, &hello, &message);
  uint32_t seen = 0, generation = 0, ends = 0;
  writer.welcome = welcome;
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
      fill_format(&message, generation);
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
    struct shmv_message message = make(SHMV_HELLO, wrong[i]);
    g_assert_cmpint(shmv_writer_session_take(&writer, &message), ==, -EPROTO);
    reader_reach(&reader, "WAIT_PAGE");
    message = make(SHMV_PAGE, wrong[i]);
    g_assert_cmpint(shmv_reader_session_take(&reader, &message), ==, -EPROTO);
  }
  /* WAKE and NUDGE do not count, and must not seem to. */
  struct shmv_writer_session writer;
  struct shmv_reader_session reader;
  writer_reach(&writer, "ASKED");
  reader_reach(&reader, "ASKED");
  for (int i = 0; i < 5; i++) {
    g_assert_cmpint(writer_take(&writer, SHMV_NUDGE), ==, SHMV_STEP_NUDGE);
    g_assert_cmpint(reader_take(&reader, SHMV_WAKE), ==, SHMV_STEP_WAKE);
  }
  g_assert_cmpint(writer_take(&writer, SHMV_READY), ==, SHMV_STEP_READY);
  struct shmv_message message = make(SHMV_NUDGE, 0);
  message.serial = writer.serial_in + 1;
  g_assert_cmpint(shmv_writer_session_take(&writer, &message), ==, -EPROTO);
  message = make(SHMV_WAKE, 0);
  message.serial = reader.serial_in + 1;
  g_assert_cmpint(shmv_reader_session_take(&reader, &message), ==, -EPROTO);
}

/* ---- Bounds -------------------------------------------------------------------- */

static int
say_hello(struct shmv_hello h)
{
  struct shmv_writer_session session;
  memset(&session, 0, sizeof session);
  struct shmv_message message = make(SHMV_HELLO, 1);
  message.u.hello = h;
  return shmv_writer_session_take(&session, &message);
}

/* HELLO with one field changed. */
#define HELLO(field, value, wanted)                                            \
  do {                                                                         \
    struct shmv_hello h_ = hello;                                              \
    h_.field = (value);                                                        \
    g_assert_cmpint(say_hello(h_), ==, (wanted));                              \
  } while (0)

static void
test_hello_bounds(void)
{
  HELLO(policy, 0, SHMV_STEP_HELLO);
  HELLO(policy, 1, SHMV_STEP_HELLO);
  HELLO(policy, 2, -EPROTO);
  HELLO(policy, UINT32_MAX, -EPROTO);
  HELLO(depth, 0, -EPROTO);
  HELLO(depth, 1, SHMV_STEP_HELLO);
  HELLO(depth, SHMV_MAX_DEPTH, SHMV_STEP_HELLO);
  HELLO(depth, SHMV_MAX_DEPTH + 1, -EPROTO);
  HELLO(depth, UINT32_MAX, -EPROTO);
  HELLO(holds_min, 0, -EPROTO);
  HELLO(holds_min, 1, SHMV_STEP_HELLO);
  HELLO(holds_min, hello.holds_want, SHMV_STEP_HELLO);
  HELLO(holds_min, hello.holds_want + 1, -EPROTO);
  HELLO(holds_want, hello.holds_min, SHMV_STEP_HELLO);
  HELLO(holds_want, hello.holds_min - 1, -EPROTO);
  HELLO(holds_want, SHMV_MAX_HOLDS, SHMV_STEP_HELLO);
  HELLO(holds_want, SHMV_MAX_HOLDS + 1, -EPROTO);
  HELLO(holds_want, UINT16_MAX, -EPROTO);
  HELLO(version_min, 0, SHMV_STEP_HELLO);
  HELLO(version_min, 2, -EPROTO); /* above version_max */
  HELLO(version_max, 2, SHMV_STEP_HELLO);
  HELLO(version_max, UINT16_MAX, SHMV_STEP_HELLO);
  HELLO(version_max, 0, -EPROTO); /* below version_min */
  HELLO(flags, UINT32_MAX, SHMV_STEP_HELLO); /* of a later version */
  struct shmv_hello h = hello;
  h.version_min = h.version_max = 2;
  g_assert_cmpint(say_hello(h), ==, -EPROTONOSUPPORT);
  h.version_min = h.version_max = 0;
  g_assert_cmpint(say_hello(h), ==, -EPROTONOSUPPORT);
}

static int
say_page(uint32_t holds)
{
  struct shmv_reader_session session;
  reader_reach(&session, "WAIT_PAGE");
  struct shmv_message message = make(SHMV_PAGE, 1);
  message.u.page_holds = holds;
  return shmv_reader_session_take(&session, &message);
}

static int
say_welcome(struct shmv_welcome w, uint32_t page_holds)
{
  struct shmv_reader_session session;
  struct shmv_message message = make(SHMV_PAGE, 1);
  reader_reach(&session, "WAIT_PAGE");
  message.u.page_holds = page_holds;
  g_assert_cmpint(shmv_reader_session_take(&session, &message), ==,
                  SHMV_STEP_PAGE);
  shmv_reader_session_mapped(&session, &message);
  message = make(SHMV_WELCOME, 2);
  message.u.welcome = w;
  return shmv_reader_session_take(&session, &message);
}

#define WELCOME(field, value, page, wanted)                                    \
  do {                                                                         \
    struct shmv_welcome w_ = welcome;                                          \
    w_.field = (value);                                                        \
    g_assert_cmpint(say_welcome(w_, page), ==, (wanted));                      \
  } while (0)

static void
test_welcome_bounds(void)
{
  g_assert_cmpint(say_page(0), ==, -EPROTO);
  g_assert_cmpint(say_page(1), ==, SHMV_STEP_PAGE);
  g_assert_cmpint(say_page(SHMV_MAX_HOLDS), ==, SHMV_STEP_PAGE);
  g_assert_cmpint(say_page(SHMV_MAX_HOLDS + 1), ==, -EPROTO);
  g_assert_cmpint(say_page(UINT32_MAX), ==, -EPROTO);
  WELCOME(version, 0, 64, -EPROTO);
  WELCOME(version, 1, 64, SHMV_STEP_WELCOME);
  WELCOME(version, 2, 64, -EPROTO);
  WELCOME(policy, SHMVIDEO_LATEST, 64, SHMV_STEP_WELCOME); /* none granted */
  WELCOME(policy, 2, 64, -EPROTO);
  WELCOME(reader, 0, 64, SHMV_STEP_WELCOME);
  WELCOME(reader, SHMV_MAX_READERS - 1, 64, SHMV_STEP_WELCOME);
  WELCOME(reader, SHMV_MAX_READERS, 64, -EPROTO);
  WELCOME(reader, UINT32_MAX, 64, -EPROTO);
  WELCOME(depth, 0, 64, -EPROTO);
  WELCOME(depth, 1, 64, SHMV_STEP_WELCOME);
  WELCOME(depth, hello.depth, 64, SHMV_STEP_WELCOME);
  WELCOME(depth, hello.depth + 1, 64, -EPROTO);
  WELCOME(holds, hello.holds_min - 1u, 64, -EPROTO);
  WELCOME(holds, hello.holds_min, 64, SHMV_STEP_WELCOME);
  WELCOME(holds, hello.holds_want, 64, SHMV_STEP_WELCOME);
  WELCOME(holds, hello.holds_want + 1u, 64, -EPROTO);
  WELCOME(holds, hello.holds_want, hello.holds_want, SHMV_STEP_WELCOME);
  WELCOME(holds, hello.holds_want, hello.holds_want - 1u, -EPROTO);
  WELCOME(floor, UINT32_MAX, 64, SHMV_STEP_WELCOME); /* any serial number */
  WELCOME(stream, 0, 64, SHMV_STEP_WELCOME);
  /* What nobody asked for is not granted. */
  struct shmv_reader_session session;
  struct shmv_hello latest = hello;
  struct shmv_message message;
  latest.policy = SHMVIDEO_LATEST;
  shmv_reader_session_init(&session, &latest, &message);
  g_assert_cmpint(reader_take(&session, SHMV_PAGE), ==, SHMV_STEP_PAGE);
  shmv_reader_session_mapped(&session, &message);
  g_assert_cmpint(reader_take(&session, SHMV_WELCOME), ==, -EPROTO);
}

/* FORMAT with changes, to a reader that has read generation `before` (0: none). */
static int
say_format(const struct shmv_message *message, uint32_t before)
{
  struct shmv_reader_session session;
  reader_reach(&session, "ANSWERED");
  if (before != 0) {
    struct shmv_message first = make(SHMV_FORMAT, 3), answer;
    first.u.format.generation = before;
    g_assert_cmpint(shmv_reader_session_take(&session, &first), ==,
                    SHMV_STEP_FORMAT);
    shmv_reader_session_ready(&session, &answer);
    g_assert_cmpuint(answer.u.generation, ==, before);
  }
  struct shmv_message copy = *message;
  copy.serial = session.serial_in + 1;
  return shmv_reader_session_take(&session, &copy);
}

#define FORMAT(field, value, wanted)                                           \
  do {                                                                         \
    struct shmv_message m_ = make(SHMV_FORMAT, 3);                             \
    m_.u.format.field = (value);                                               \
    g_assert_cmpint(say_format(&m_, 0), ==, (wanted));                         \
  } while (0)

/* The pool's size follows from two others, so all three are changed. */
static int
say_pool(uint32_t n_slots, uint64_t slot_size)
{
  struct shmv_message message = make(SHMV_FORMAT, 3);
  message.u.format.n_slots = n_slots;
  message.u.format.slot_size = slot_size;
  message.u.format.pool_size = n_slots * slot_size;
  return say_format(&message, 0);
}

static void
test_format_bounds(void)
{
  FORMAT(generation, 0, -EPROTO);
  FORMAT(generation, UINT32_MAX, SHMV_STEP_FORMAT);
  FORMAT(memory_kind, 1, -EPROTO);
  FORMAT(modifier, 1, -EPROTO);
  FORMAT(board_size, SHMV_BOARD_SIZE - 1, -EPROTO);
  FORMAT(board_size, SHMV_BOARD_SIZE + 1, -EPROTO);
  FORMAT(board_size, 0, -EPROTO);
  FORMAT(pool_size, 81920 - 1, -EPROTO);
  FORMAT(pool_size, 81920 + 1, -EPROTO);
  FORMAT(format.size, 8191, -EPROTO); /* the last row sticks out */
  FORMAT(format.size, 8193, -EPROTO); /* of the slot */
  FORMAT(format.size, 0, -EPROTO);
  FORMAT(format.size, UINT64_MAX, -EPROTO);
  FORMAT(format.n_planes, 0, -EPROTO);
  FORMAT(format.n_planes, 2, -EPROTO);
  FORMAT(format.n_planes, UINT32_MAX, -EPROTO);
  FORMAT(format.stride[0], 255, -EPROTO);
  FORMAT(format.stride[0], 257, -EPROTO);
  FORMAT(format.offset[0], 1, -EPROTO);
  FORMAT(format.offset[0], UINT64_MAX, -EPROTO);
  g_assert_cmpint(say_pool(0, 8192), ==, -EPROTO);
  g_assert_cmpint(say_pool(1, 8192), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(SHMV_MAX_SLOTS, 8192), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(SHMV_MAX_SLOTS + 1, 8192), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 4096), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 8193), ==, -EPROTO);
  g_assert_cmpint(say_pool(10, 0), ==, -EPROTO);
  /* The most address space that a lying writer can have us spend on a slot. */
  g_assert_cmpint(say_pool(10, 4 * 8192 + 65536), ==, SHMV_STEP_FORMAT);
  g_assert_cmpint(say_pool(10, 4 * 8192 + 65536 + 4096), ==, -EPROTO);
  g_assert_cmpint(say_pool(2, UINT64_C(1) << 63), ==, -EPROTO);
}

/* Each number of the struct that the text says too: one that differs is a lie. */
static void
test_format_agrees_with_its_text(void)
{
  FORMAT(format.pixel_format, SHMVIDEO_FORMAT_BGRA, -EPROTO);
  FORMAT(format.pixel_format, 0, -EPROTO);
  FORMAT(format.width, 63, -EPROTO);
  FORMAT(format.height, 31, -EPROTO);
  FORMAT(format.fps_n, 24, -EPROTO);
  FORMAT(format.fps_d, 0, -EPROTO);
  FORMAT(format.max_fps_n, 1, -EPROTO);
  FORMAT(format.par_n, 2, -EPROTO);
  FORMAT(format.par_d, 0, -EPROTO);
  FORMAT(format.interlace_mode, 1, -EPROTO);
  FORMAT(format.field_order, 1, -EPROTO);
  FORMAT(format.color_range, 2, -EPROTO);
  FORMAT(format.color_matrix, 9, -EPROTO);
  FORMAT(format.color_transfer, 9, -EPROTO);
  FORMAT(format.color_primaries, 9, -EPROTO);
  FORMAT(format.chroma_site, 1, -EPROTO);
  FORMAT(format.alpha_mode, 2, -EPROTO);
  FORMAT(format.views, 2, -EPROTO);
  FORMAT(format.stride[1], 0, SHMV_STEP_FORMAT);
  struct shmv_message message = make(SHMV_FORMAT, 3);
  message.text_size = 0;
  g_assert_cmpint(say_format(&message, 0), ==, -EPROTO);
  message.text = "video/x-raw, format=(string){ RGBA, BGRA }";
  message.text_size = (uint32_t)strlen(message.text);
  g_assert_cmpint(say_format(&message, 0), ==, -EPROTO);
}

static void
test_generations_grow(void)
{
  struct shmv_message message = make(SHMV_FORMAT, 3);
  static const struct {
    uint32_t before, now;
    int code;
  } pairs[] = {{1, 2, SHMV_STEP_FORMAT},          {1, 9, SHMV_STEP_FORMAT},
               {2, 2, -EPROTO},                   {2, 1, -EPROTO},
               {UINT32_MAX, 1, SHMV_STEP_FORMAT}, {1, UINT32_MAX, -EPROTO}};
  for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
    message.u.format.generation = pairs[i].now;
    g_assert_cmpint(say_format(&message, pairs[i].before), ==, pairs[i].code);
  }
}

/* The FORMAT that docs/protocol.md prints is one that a reader believes. */
static void
test_vector_is_believed(void)
{
  struct shmv_message message;
  gsize size;
  guint8 *bytes = vectors_bytes("ok-format", &size);
  g_assert_cmpint(shmv_wire_decode(&message, bytes, size), ==, 0);
  g_assert_cmpint(say_format(&message, 0), ==, SHMV_STEP_FORMAT);
  free(bytes);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/session/every-cell-of-the-tables-in-the-page", test_tables);
  shmvtest_add("/session/conversations-of-a-writer", test_writer_transcripts);
  shmvtest_add("/session/both-ends-agree", test_both_ends_agree);
  shmvtest_add("/session/serials-count", test_serials);
  shmvtest_add("/session/bounds-of-hello", test_hello_bounds);
  shmvtest_add("/session/bounds-of-page-and-welcome", test_welcome_bounds);
  shmvtest_add("/session/bounds-of-format", test_format_bounds);
  shmvtest_add("/session/a-format-agrees-with-its-text",
               test_format_agrees_with_its_text);
  shmvtest_add("/session/generations-grow", test_generations_grow);
  shmvtest_add("/session/the-format-in-the-page-is-believed",
               test_vector_is_believed);
  return shmvtest_run();
}
