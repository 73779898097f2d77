/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The offsets that docs/protocol.md prints: those of shared memory are the
 * compiler's, those of messages are where the vectors have their fields. (That
 * programs of 32 and of 64 bits agree is seen by tests/checks/layout.sh.)
 */

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "shmvtest.h"
#include "vectors.h"

/* ---- Shared memory ------------------------------------------------------------ */

struct field {
  const char *name;
  size_t offset, size;
};

#define FIELD(type, name)                                                      \
  {                                                                            \
    #name, offsetof(struct type, name), sizeof(((struct type *)0)->name)       \
  }

static const struct field board[] = {
    FIELD(shmv_board, magic),      FIELD(shmv_board, version),
    FIELD(shmv_board, generation), FIELD(shmv_board, n_slots),
    FIELD(shmv_board, slot_size),  FIELD(shmv_board, first_sequence),
    FIELD(shmv_board, state),      FIELD(shmv_board, active),
    FIELD(shmv_board, latency_us), FIELD(shmv_board, head),
    FIELD(shmv_board, writer_waits), FIELD(shmv_board, readers),
    FIELD(shmv_board, ring),       FIELD(shmv_board, slots)};

static const struct field entry[] = {
    FIELD(shmv_slot_entry, gen),          FIELD(shmv_slot_entry, flags),
    FIELD(shmv_slot_entry, sequence),     FIELD(shmv_slot_entry, pts),
    FIELD(shmv_slot_entry, duration),     FIELD(shmv_slot_entry, capture_time),
    FIELD(shmv_slot_entry, offset),       FIELD(shmv_slot_entry, offset_end),
    FIELD(shmv_slot_entry, size),         FIELD(shmv_slot_entry, plane_offset),
    FIELD(shmv_slot_entry, stride),       FIELD(shmv_slot_entry, n_planes),
    FIELD(shmv_slot_entry, crop_x)};

static const struct field page[] = {
    FIELD(shmv_page, hold),     FIELD(shmv_page, cursor),
    FIELD(shmv_page, armed),    FIELD(shmv_page, received),
    FIELD(shmv_page, skipped),  FIELD(shmv_page, copied)};

/* "4", "word", "4 × 8", "128 words": bytes. */
static size_t
size_of(const char *text)
{
  size_t n = strtoul(text, NULL, 10);
  const char *times = strstr(text, "× ");
  if (strstr(text, "word") != NULL)
    return n == 0 ? 4 : n * 4;
  return times != NULL ? n * strtoul(times + strlen("× "), NULL, 10) : n;
}

/* The lines of the next table with offsets below a place in the page. */
static char **
table_lines(const char *from)
{
  const char *start = strstr(from, "\n| offset | bytes | field |");
  g_assert_nonnull(start);
  start = strstr(start + 1, "\n|---");
  start = strchr(start + 1, '\n');
  const char *end = strstr(start, "\n\n");
  g_assert_nonnull(end);
  char *text = g_strndup(start + 1, (gsize)(end - start - 1));
  char **lines = g_strsplit(text, "\n", -1);
  g_free(text);
  return lines;
}

static void
compare_table(const char *text, const char *heading, const struct field *fields,
              guint n)
{
  const char *from = strstr(text, heading);
  g_assert_nonnull(from);
  char **lines = table_lines(from);
  guint i = 0;
  for (; lines[i] != NULL; i++) {
    g_assert_cmpuint(i, <, n);
    char **cells = g_strsplit(lines[i], "|", 5);
    char *name = g_strstrip(cells[3]);
    name[strcspn(name, ",")] = 0; /* of several alike the first counts */
    g_assert_cmpstr(name, ==, fields[i].name);
    g_assert_cmpuint(strtoul(cells[1], NULL, 10), ==, fields[i].offset);
    if (strcmp(name, "crop_x") == 0)
      g_assert_cmpuint(size_of(g_strstrip(cells[2])), ==, 16);
    else
      g_assert_cmpuint(size_of(g_strstrip(cells[2])), ==, fields[i].size);
    g_strfreev(cells);
  }
  g_assert_cmpuint(i, ==, n);
  g_strfreev(lines);
}

static void
test_memory(void)
{
  char *text = vectors_file("docs/protocol.md");
  compare_table(text, "### 5.2 Board", board, G_N_ELEMENTS(board));
  compare_table(text, "\nAn entry:", entry, G_N_ELEMENTS(entry));
  compare_table(text, "### 5.3 Page", page, G_N_ELEMENTS(page));
  /* What the tables leave out. */
  g_assert_cmpuint(sizeof(struct shmv_slot_entry), ==, 192);
  g_assert_cmpuint(offsetof(struct shmv_slot_entry, crop_height), ==, 128);
  g_assert_cmpuint(SHMV_BOARD_SIZE, ==, 53248);
  g_assert_cmpuint(SHMV_PAGE_SIZE, ==, 4096);
  g_assert_cmpuint(SHMV_BOARD_MAGIC, ==, 0x42564853);
  g_assert_cmpuint(SHMV_BOARD_VERSION, ==, 1);
  g_assert_cmpuint(shmv_hold_word(0xab000001, 0), ==, 256 + 1);
  g_assert_cmpuint(shmv_hold_word(0xabffffff, 253), ==, 0xfffffffe);
  g_free(text);
}

/* ---- Messages ------------------------------------------------------------------- */

/* What a vector's comments say lies at each offset; and they count right. */
static GHashTable *
vector_fields(const char *name)
{
  char *path = g_strdup_printf("tests/vectors/%s.hex", name);
  char *text = vectors_file(path);
  char **lines = g_strsplit(text, "\n", -1);
  GHashTable *fields =
      g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
  gsize at = 0;
  for (char **line = lines + 1; *line != NULL; line++) {
    char *comment = strchr(*line, '#');
    if (comment != NULL) {
      char *end;
      g_assert_cmpuint(strtoul(comment + 1, &end, 10), ==, at);
      g_hash_table_insert(fields, GSIZE_TO_POINTER(at), g_strdup(end + 1));
      *comment = 0;
    }
    for (const char *c = *line; *c != 0; c++)
      at += g_ascii_isxdigit(c[0]) && g_ascii_isxdigit(c[1]);
  }
  g_strfreev(lines);
  g_free(text);
  g_free(path);
  return fields;
}

static void
compare_message(const char *text, const char *type, const char *vector)
{
  char *heading = g_strdup_printf(" %s\n", type);
  const char *from = strstr(strstr(text, "\n### 3.1 "), heading);
  char **lines = table_lines(from);
  GHashTable *fields = vector_fields(vector);
  for (char **line = lines; *line != NULL; line++) {
    char **cells = g_strsplit(*line, "|", 5);
    gsize at = strtoul(cells[1], NULL, 10);
    const char *there = g_hash_table_lookup(fields, GSIZE_TO_POINTER(at));
    char *name = g_strstrip(cells[3]);
    name[strcspn(name, ",")] = 0;
    g_test_message("%s: %zu %s", type, at, name);
    if (strcmp(g_strstrip(cells[2]), "text") == 0)
      name = (char *)"text size";
    g_assert_nonnull(there);
    g_assert_true(g_str_has_prefix(there, name));
    g_strfreev(cells);
  }
  g_hash_table_unref(fields);
  g_strfreev(lines);
  g_free(heading);
}

static void
test_messages(void)
{
  static const char *const messages[][2] = {
      {"HELLO", "ok-hello"},     {"PAGE", "ok-page"},
      {"WELCOME", "ok-welcome"}, {"FORMAT", "ok-format"},
      {"READY", "ok-ready"},     {"ACCEPTS", "ok-accepts"},
      {"REFUSED", "ok-refused"}, {"END", "ok-end"}};
  char *text = vectors_file("docs/protocol.md");
  for (gsize i = 0; i < G_N_ELEMENTS(messages); i++)
    compare_message(text, messages[i][0], messages[i][1]);
  g_free(text);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/layout/shared-memory-is-as-the-page-says", test_memory);
  shmvtest_add("/layout/messages-are-as-the-page-says", test_messages);
  return shmvtest_run();
}
