/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Hostile wishes: readers that would have the writer make what harms it, or keep others
 * out with what they wish, or ask at such length that nobody else is heard.
 */

#include <errno.h>
#include <string.h>

#include "assault.h"
#include "negotiate.h"

static struct shmvideo_reader *
ask(const char *accepts)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader *reader;
  config.path = shmvtest_path("share");
  config.accepts = accepts;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
  return reader;
}

static struct shmvideo_writer *
offer(uint64_t max_memory)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.negotiate = 1;
  config.wish_interval = 1;
  config.max_memory = max_memory;
  return assault_writer("share", &config);
}

/* Dispatch both until the reader is told something: its outcome. */
static int
outcome(struct shmvideo_writer *writer, struct shmvideo_reader *reader,
        char *wish, size_t size)
{
  const struct shmvideo_frame *frame;
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  int code;
  wish[0] = 0;
  while ((code = shmvideo_reader_acquire(reader, &frame)) == SHMVIDEO_AGAIN) {
    if (shmvideo_writer_dispatch(writer) == SHMVIDEO_WISH &&
        shmvideo_writer_get_wish(writer, NULL, wish, size) == 1)
      return SHMVIDEO_WISH;
    (void)shmvideo_reader_dispatch(reader);
    g_assert_cmpuint(shmvtest_now(), <, end);
  }
  return code;
}

/* ---- What may be asked for ----------------------------------------------------- */

static void
modesty(void)
{
  static const struct {
    uint64_t max_memory;
    const char *accepts;
    bool granted;
  } cases[] = {
      {0, "video/x-raw, width=20000, height=20000", false},
      {0, "video/x-raw, format=ARGB64, width=7680, height=4320", false},
      {0, "video/x-raw, format=RGBA, width=7680, height=4320", true},
      {0, "video/x-raw, width=[ 5000, 20000 ], height=[ 5000, 20000 ]", true},
      {0, "video/x-raw, framerate=0/1", false},
      {0, "video/x-raw, framerate=1/2", false},
      {0, "video/x-raw, framerate=1/2147483647", false},
      {0, "video/x-raw, framerate=1/1", true},
      {0, "video/x-raw, framerate=1000/1", true},
      {0, "video/x-raw, framerate=1002/1", false},
      {0, "video/x-raw, framerate=2147483647/1", false},
      {0, "video/x-raw, framerate=60/2, format=NV12", true},
      {1000000, "video/x-raw, width=640, height=480", false},
      {1000000, "video/x-raw, width=320, height=240", true},
      {60000, "video/x-raw, format=RGBA", false},
      {60000, "video/x-raw, width=32", true}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    struct shmvideo_writer *writer = offer(cases[i].max_memory);
    struct shmvideo_reader *reader = ask(cases[i].accepts);
    struct shmvideo_error error;
    char wish[1024];
    int code = outcome(writer, reader, wish, sizeof wish);
    g_test_message("%s: %d %s", cases[i].accepts, code, wish);
    g_assert_cmpint(code, ==, cases[i].granted ? SHMVIDEO_WISH : -EMEDIUMTYPE);
    if (!cases[i].granted) {
      g_assert_cmpint(shmvideo_reader_get_error(reader, &error), ==, 0);
      g_assert_nonnull(strstr(error.message, "no reader may ask for"));
    }
    shmvideo_reader_free(reader);
    shmvideo_writer_free(writer);
  }
}

/* ---- Others' turn --------------------------------------------------------------- */

#define VAIN 20

/* There is always one who wishes in vain; who takes what is there gets in all the same,
 * and sees its frames. */
static void
turns(void)
{
  struct shmvideo_writer *writer = offer(0);
  struct shmvideo_reader *vain[VAIN], *honest = NULL;
  const struct shmvideo_frame *frame;
  char wish[1024];
  unsigned n_wishes = 0, n_since = 0;
  int code = SHMVIDEO_AGAIN;
  for (int i = 0; i < VAIN; i++)
    vain[i] = ask("video/x-raw, format=NV12");
  while (code != SHMVIDEO_NEW_FORMAT) {
    if (shmvideo_writer_dispatch(writer) == SHMVIDEO_WISH &&
        shmvideo_writer_get_wish(writer, NULL, wish, sizeof wish) == 1) {
      n_wishes++;
      shmvideo_writer_refuse_wish(writer);
    }
    if (n_wishes == 2 && honest == NULL)
      honest = ask(NULL);
    for (int i = 0; i < VAIN; i++)
      if (shmvideo_reader_dispatch(vain[i]) < 0 ||
          shmvideo_reader_acquire(vain[i], &frame) < 0) {
        shmvideo_reader_free(vain[i]);
        vain[i] = ask("video/x-raw, format=NV12");
      }
    if (honest == NULL)
      continue;
    g_assert_cmpint(shmvideo_reader_dispatch(honest), ==, 0);
    code = shmvideo_reader_acquire(honest, &frame);
    g_assert_cmpint(code, >=, 0);
    g_assert_cmpuint(n_since++, <, 1000);
  }
  g_test_message("in after %u wishes, %u turns", n_wishes, n_since);
  for (int i = 0; i < VAIN; i++)
    shmvideo_reader_free(vain[i]);
  shmvideo_reader_free(honest);
  shmvideo_writer_free(writer);
}

/* A writer that does nothing about a wish, as one whose pipeline is paused: others come
 * in when it has kept them out for long. */
static void
nobody_serves(void)
{
  struct shmvideo_writer *writer = offer(0);
  struct shmvideo_reader *vain = ask("video/x-raw, format=NV12");
  const struct shmvideo_frame *frame;
  char wish[1024];
  g_assert_cmpint(outcome(writer, vain, wish, sizeof wish), ==, SHMVIDEO_WISH);
  /* It waits, if it is for its own sake alone. */
  writer->wish_since = 1;
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint(shmvideo_writer_dispatch(writer), >=, 0);
    g_assert_cmpint(shmvideo_reader_acquire(vain, &frame), ==, SHMVIDEO_AGAIN);
  }
  writer->wish_since = shmv_now();
  struct shmvideo_reader *honest = ask(NULL);
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint(shmvideo_writer_dispatch(writer), >=, 0);
    g_assert_cmpint(shmvideo_reader_dispatch(honest), ==, 0);
    g_assert_cmpint(shmvideo_reader_acquire(honest, &frame), ==, SHMVIDEO_AGAIN);
  }
  writer->wish_since = 1; /* long past */
  g_assert_cmpint(outcome(writer, honest, wish, sizeof wish), ==,
                  SHMVIDEO_NEW_FORMAT);
  g_assert_cmpint(outcome(writer, vain, wish, sizeof wish), ==, -EMEDIUMTYPE);
  shmvideo_reader_free(vain);
  shmvideo_reader_free(honest);
  shmvideo_writer_free(writer);
}

/* Strides as far apart as a reader may wish: frames stay such as fit. */
static void
alignment(void)
{
  static const struct {
    uint64_t max_memory;
    uint32_t width, most;
  } cases[] = {{60000, 66, 8192}, {0, 66, 65536}, {0, 1920, 184320}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    struct shmvideo_writer *writer = offer(cases[i].max_memory);
    struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
    struct shmvideo_reader *reader;
    struct shmvideo_writer_stats stats;
    char wish[64];
    config.path = shmvtest_path("share");
    config.stride_align = 4096;
    g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader), ==, 0);
    g_assert_cmpint(outcome(writer, reader, wish, sizeof wish), ==,
                    SHMVIDEO_NEW_FORMAT);
    assault_set_format(writer, cases[i].width);
    shmvideo_writer_get_stats(writer, &stats);
    g_assert_cmpuint(stats.stride_align, ==, 4096);
    g_assert_cmpuint(writer->generation->slot_size, <=, cases[i].most);
    assault_show(writer);
    shmvideo_reader_free(reader);
    shmvideo_writer_free(writer);
  }
}

/* ---- Length ---------------------------------------------------------------------- */

static char *
long_caps(unsigned first, unsigned size)
{
  GString *text = g_string_new("video/x-raw, format=NV12; video/x-raw, width={ 64");
  while (text->len + 20 < size)
    g_string_append_printf(text, ", %u", first++);
  g_string_append(text, " }");
  return g_string_free(text, FALSE);
}

/* Many who say at length the same are asked; who say at length each his own are not, and
 * keep what they have. */
static void
length(void)
{
  static const char present[] = "video/x-raw, format=(string)GRAY8, width=(int)64, "
                                "height=(int)48, framerate=(fraction)30/1";
  struct shmv_party parties[100] = {
      {.accepts = "video/x-raw, format=NV12", .waits = true}};
  char caps[1024], why[360] = "";
  for (unsigned same = 0; same < 2; same++)
    for (unsigned waits = 0; waits < 2; waits++) {
      for (unsigned i = 1; i < 100; i++)
        parties[i] = (struct shmv_party){
            .accepts = long_caps(same ? 100 : 100 * i, 16000),
            .waits = waits,
            .pid = (int)i};
      guint64 start = shmvtest_now();
      int code = shmv_negotiate(parties, 100, 0, NULL, present, caps, sizeof caps,
                                why, sizeof why);
      g_test_message("%s, %s: %d in %d ms %s", same ? "same" : "different",
                     waits ? "waiting" : "content", code,
                     (int)((shmvtest_now() - start) / 1000000), why);
      if (same || waits)
        g_assert_cmpint(code, >, 0);
      else
        g_assert_cmpint(code, ==, 0);
      if (code == 0)
        g_assert_nonnull(strstr(why, "at too great length"));
      for (unsigned i = 1; i < 100; i++)
        g_free((char *)parties[i].accepts);
    }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/hostile-wishes/modesty", modesty);
  shmvtest_add("/hostile-wishes/turns", turns);
  shmvtest_add("/hostile-wishes/nobody-serves", nobody_serves);
  shmvtest_add("/hostile-wishes/alignment", alignment);
  shmvtest_add("/hostile-wishes/length", length);
  return shmvtest_run();
}
