/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Messages as bytes: the vectors, what docs/protocol.md prints of them, and bytes
 * that nobody meant to be a message.
 */

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shmvtest.h"
#include "vectors.h"

/* ---- What the ok- vectors say ---------------------------------------------- */

#define NV12_CAPS                                                              \
  "video/x-raw, format=(string)NV12, width=(int)640, height=(int)480, "        \
  "framerate=(fraction)30/1, chroma-site=(string)mpeg2, "                      \
  "colorimetry=(string)bt709"

#define TEXT(string) .text = string, .text_size = sizeof string - 1

static const struct {
  const char *name;
  struct shmv_message message;
} meanings[] = {
    {"ok-hello",
     {.type = SHMV_HELLO,
      .serial = 1,
      .u.hello = {1, 1, SHMVIDEO_LATEST, 4, 1, 2, 0},
      TEXT("video/x-raw, format=(string){ RGBA, NV12 }")}},
    {"ok-hello-any",
     {.type = SHMV_HELLO,
      .serial = 1,
      .u.hello = {1, 1, SHMVIDEO_LOSSLESS, 1, 2, 8, 0}}},
    {"ok-page", {.type = SHMV_PAGE, .serial = 1, .u.page_holds = 64}},
    {"ok-mapped", {.type = SHMV_MAPPED, .serial = 2}},
    {"ok-welcome",
     {.type = SHMV_WELCOME,
      .serial = 2,
      .u.welcome = {1, SHMVIDEO_LATEST, 3, UINT64_C(0x8877665544332211), 4, 2,
                    1042}}},
    {"ok-format",
     {.type = SHMV_FORMAT,
      .serial = 3,
      .u.format = {.generation = 1,
                   .n_slots = 254,
                   .slot_size = 462848,
                   .pool_size = 254 * 462848,
                   .board_size = 53248,
                   .format = {.pixel_format = SHMVIDEO_FORMAT_NV12,
                              .width = 640,
                              .height = 480,
                              .fps_n = 30,
                              .fps_d = 1,
                              .max_fps_d = 1,
                              .par_n = 1,
                              .par_d = 1,
                              .color_range = 2,
                              .color_matrix = 1,
                              .color_transfer = 1,
                              .color_primaries = 1,
                              .chroma_site = SHMVIDEO_CHROMA_H_COSITED,
                              .views = 1,
                              .n_planes = 2,
                              .stride = {640, 640},
                              .offset = {0, 307200},
                              .size = 460800}},
      TEXT(NV12_CAPS)}},
    {"ok-ready", {.type = SHMV_READY, .serial = 3, .u.generation = 1}},
    {"ok-accepts",
     {.type = SHMV_ACCEPTS,
      .serial = 4,
      TEXT("video/x-raw, format=(string)BGRA")}},
    {"ok-refused",
     {.type = SHMV_REFUSED,
      .serial = 1,
      .u.refusal = SHMV_REFUSED_READERS,
      TEXT("the writer has as many readers as it allows")}},
    {"ok-end", {.type = SHMV_END, .serial = 4, .u.end = 1341}},
    {"ok-bye", {.type = SHMV_BYE, .serial = 5}},
    {"ok-wake", {.type = SHMV_WAKE}},
    {"ok-nudge", {.type = SHMV_NUDGE}},
};

/* Field by field: the union's padding means nothing. */
static void
assert_same(const struct shmv_message *a, const struct shmv_message *b)
{
  const struct shmv_hello *h = &a->u.hello, *i = &b->u.hello;
  const struct shmv_welcome *w = &a->u.welcome, *x = &b->u.welcome;
  const struct shmv_format_message *f = &a->u.format, *g = &b->u.format;
  g_assert_cmpuint(a->type, ==, b->type);
  g_assert_cmpuint(a->serial, ==, b->serial);
  g_assert_cmpmem(a->text, a->text_size, b->text, b->text_size);
  switch (a->type) {
    case SHMV_HELLO:
      g_assert_cmpuint(h->version_min, ==, i->version_min);
      g_assert_cmpuint(h->version_max, ==, i->version_max);
      g_assert_cmpuint(h->policy, ==, i->policy);
      g_assert_cmpuint(h->depth, ==, i->depth);
      g_assert_cmpuint(h->holds_min, ==, i->holds_min);
      g_assert_cmpuint(h->holds_want, ==, i->holds_want);
      g_assert_cmpuint(h->flags, ==, i->flags);
      break;
    case SHMV_WELCOME:
      g_assert_cmpuint(w->version, ==, x->version);
      g_assert_cmpuint(w->policy, ==, x->policy);
      g_assert_cmpuint(w->reader, ==, x->reader);
      g_assert_cmpuint(w->stream, ==, x->stream);
      g_assert_cmpuint(w->depth, ==, x->depth);
      g_assert_cmpuint(w->holds, ==, x->holds);
      g_assert_cmpuint(w->floor, ==, x->floor);
      break;
    case SHMV_FORMAT:
      g_assert_cmpuint(f->generation, ==, g->generation);
      g_assert_cmpuint(f->n_slots, ==, g->n_slots);
      g_assert_cmpuint(f->slot_size, ==, g->slot_size);
      g_assert_cmpuint(f->pool_size, ==, g->pool_size);
      g_assert_cmpuint(f->board_size, ==, g->board_size);
      g_assert_cmpuint(f->modifier, ==, g->modifier);
      g_assert_cmpuint(f->memory_kind, ==, g->memory_kind);
      g_assert_cmpmem(&f->format, sizeof f->format, &g->format,
                      sizeof g->format);
      break;
    default: /* at most one word */
      g_assert_cmpuint(a->u.generation, ==, b->u.generation);
      break;
  }
}

static void
test_ok_vectors(void)
{
  unsigned types = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(meanings); i++) {
    struct shmv_message message;
    uint8_t again[SHMV_WIRE_MAX];
    gsize size;
    guint8 *bytes = vectors_bytes(meanings[i].name, &size);
    g_test_message("%s", meanings[i].name);
    g_assert_cmpint(shmv_wire_decode(&message, bytes, size), ==, 0);
    assert_same(&message, &meanings[i].message);
    g_assert_cmpuint(shmv_wire_encode(&message, again), ==, size);
    g_assert_cmpmem(again, size, bytes, size);
    g_assert_cmpuint(shmv_wire_encode(&meanings[i].message, again), ==, size);
    g_assert_cmpmem(again, size, bytes, size);
    types |= 1u << message.type;
    free(bytes);
  }
  g_assert_cmpuint(types, ==, ((1u << SHMV_NUDGE) - 1) * 2); /* 1 to 12 */
}

/* ---- All vectors ------------------------------------------------------------- */

/* The name's verdict as a code; the test fails if it says none. */
static int
verdict(const char *name)
{
  if (g_str_has_prefix(name, "bad-"))
    return -EBADMSG;
  if (g_str_has_prefix(name, "skip-"))
    return -ENOMSG;
  g_assert_true(g_str_has_prefix(name, "ok-"));
  return 0;
}

/* What is accepted has exactly one encoding: itself. */
static int
decode(const guint8 *bytes, gsize size)
{
  struct shmv_message message;
  static uint8_t again[SHMV_WIRE_MAX];
  int code = shmv_wire_decode(&message, bytes, size);
  if (code == 0) {
    g_assert_cmpuint(shmv_wire_encode(&message, again), ==, size);
    g_assert_cmpmem(again, size, bytes, size);
  }
  return code;
}

static void
test_names_are_verdicts(void)
{
  char **names = vectors_names();
  unsigned n = 0;
  for (char **name = names; *name != NULL; name++, n++) {
    gsize size;
    guint8 *bytes = vectors_bytes(*name, &size);
    g_test_message("%s", *name);
    g_assert_cmpint(decode(bytes, size), ==, verdict(*name));
    free(bytes);
  }
  g_assert_cmpuint(n, >=, 50);
  g_strfreev(names);
}

/* A datagram has one length, so nothing less than all of it is a message. */
static void
test_no_prefix_is_a_message(void)
{
  char **names = vectors_names();
  for (char **name = names; *name != NULL; name++) {
    gsize size;
    guint8 *bytes = vectors_bytes(*name, &size);
    gsize longest = MIN(size, 1000);
    for (gsize part = 0; verdict(*name) == 0 && part < longest; part++) {
      guint8 *prefix = malloc(part + (part == 0));
      memcpy(prefix, bytes, part);
      g_assert_cmpint(decode(prefix, part), ==, -EBADMSG);
      /* With an honest length: its fields or its text are cut. */
      if (part >= SHMV_WIRE_HEADER) {
        guint32 length = GUINT32_TO_LE((guint32)part);
        memcpy(prefix + 8, &length, 4);
        g_assert_cmpint(decode(prefix, part), ==, -EBADMSG);
      }
      free(prefix);
    }
    free(bytes);
  }
  g_strfreev(names);
}

/* A vector, or a known type with an honest length and anything behind it. */
static guint8 *
random_message(guint8 **vectors, const gsize *sizes, guint n, gsize *out_size)
{
  static const guint8 header[16] = {'S', 'H', 'V', 'M', 0, 0, 0, 0,
                                    0,   0,   0,   0,   1, 0, 0, 0};
  guint which = (guint)g_test_rand_int_range(0, (gint32)n);
  bool known = g_test_rand_bit() && sizes[which] < 1000;
  *out_size = known ? sizes[which] : 16 + (gsize)g_test_rand_int_range(0, 220);
  guint8 *bytes = malloc(*out_size + (*out_size == 0));
  if (known) {
    memcpy(bytes, vectors[which], *out_size);
  } else {
    memcpy(bytes, header, sizeof header);
    bytes[4] = (guint8)g_test_rand_int_range(0, 16);
    bytes[8] = (guint8)*out_size;
    for (gsize at = sizeof header; at < *out_size; at++)
      bytes[at] = g_test_rand_bit() ? (guint8)g_test_rand_int() : 0;
  }
  for (int k = g_test_rand_int_range(0, 4); *out_size > 0 && k > 0; k--)
    bytes[g_test_rand_int_range(0, (gint32)*out_size)] =
        (guint8)g_test_rand_int();
  return bytes;
}

static void
test_random_bytes(void)
{
  char **names = vectors_names();
  guint n = g_strv_length(names), n_accepted = 0;
  guint8 **vectors = g_new(guint8 *, n);
  gsize *sizes = g_new(gsize, n), size;
  for (guint i = 0; i < n; i++)
    vectors[i] = vectors_bytes(names[i], &sizes[i]);
  for (int i = 0; i < 200000; i++) {
    guint8 *bytes = random_message(vectors, sizes, n, &size);
    n_accepted += decode(bytes, size) == 0;
    free(bytes);
  }
  g_test_message("%u accepted", n_accepted);
  g_assert_cmpuint(n_accepted, >, 1000); /* the depths are reached */
  for (guint i = 0; i < n; i++)
    free(vectors[i]);
  g_free(vectors);
  g_free(sizes);
  g_strfreev(names);
}

/* ---- Limits ------------------------------------------------------------------ */

static void
test_encode_refuses_what_decode_would(void)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  char *text = g_strnfill(SHMV_WIRE_TEXT_MAX + 1, 'x');
  struct shmv_message message = {.type = SHMV_ACCEPTS,
                                 .serial = 1,
                                 .text = text,
                                 .text_size = SHMV_WIRE_TEXT_MAX};
  g_assert_cmpuint(shmv_wire_encode(&message, bytes), ==,
                   SHMV_WIRE_HEADER + 4 + SHMV_WIRE_TEXT_MAX);
  message.text_size++;
  g_assert_cmpuint(shmv_wire_encode(&message, bytes), ==, 0);
  message.text_size = 10;
  text[9] = 0;
  g_assert_cmpuint(shmv_wire_encode(&message, bytes), ==, 0);
  g_free(text);
}

static void
test_descriptors_and_names(void)
{
  for (uint32_t type = 0; type < 20; type++)
    g_assert_cmpuint(shmv_wire_n_fds(type), ==,
                     type == SHMV_FORMAT ? 2
                     : type == SHMV_PAGE ? 1
                                         : 0);
  g_assert_cmpstr(shmv_wire_type_name(SHMV_HELLO), ==, "HELLO");
  g_assert_cmpstr(shmv_wire_type_name(SHMV_NUDGE), ==, "NUDGE");
  g_assert_cmpstr(shmv_wire_type_name(0), ==, "?");
  g_assert_cmpstr(shmv_wire_type_name(13), ==, "?");
  g_assert_cmpstr(shmv_wire_type_name(UINT32_MAX), ==, "?");
}

/* ---- The page ---------------------------------------------------------------- */

/* Each block of docs/protocol.md that is marked hex begins with "# NAME:", and is
 * that vector, line for line. Every message type has one. */
static void
test_protocol_page_prints_the_vectors(void)
{
  char *page = vectors_file("docs/protocol.md");
  unsigned types = 0;
  for (char *at = page; (at = strstr(at, "\n```hex\n")) != NULL;) {
    at += strlen("\n```hex\n");
    char *end = strstr(at, "```\n");
    g_assert_nonnull(end);
    g_assert_true(g_str_has_prefix(at, "# "));
    char *name = g_strndup(at + 2, strcspn(at + 2, ":\n"));
    char *path = g_strdup_printf("tests/vectors/%s.hex", name);
    char *block = g_strndup(at, (gsize)(end - at));
    char *file = vectors_file(path);
    g_assert_cmpstr(block, ==, file);
    gsize size;
    guint8 *bytes = vectors_bytes(name, &size);
    if (verdict(name) == 0)
      types |= 1u << bytes[4];
    free(bytes);
    g_free(file);
    g_free(block);
    g_free(path);
    g_free(name);
    at = end;
  }
  g_assert_cmpuint(types, ==, ((1u << SHMV_NUDGE) - 1) * 2);
  g_free(page);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/wire/a-message-of-each-type-is-these-bytes", test_ok_vectors);
  shmvtest_add("/wire/names-of-vectors-are-verdicts", test_names_are_verdicts);
  shmvtest_add("/wire/no-prefix-is-a-message", test_no_prefix_is_a_message);
  shmvtest_add("/wire/random-bytes-do-no-harm", test_random_bytes);
  shmvtest_add("/wire/encode-refuses-what-decode-would",
               test_encode_refuses_what_decode_would);
  shmvtest_add("/wire/descriptors-and-names", test_descriptors_and_names);
  shmvtest_add("/wire/the-protocol-page-prints-the-vectors",
               test_protocol_page_prints_the_vectors);
  return shmvtest_run();
}
