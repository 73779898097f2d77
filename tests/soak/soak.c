/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A long time
 *
 * Two shares live as long as the test, one of the library and one of the elements, each
 * with a reader that stays. Others come, take frames, are stopped, leave or are killed,
 * at random; formats change; the sink's pipeline starts anew. Now and then all is brought
 * to rest: the guests are gone, the format is that of the beginning. Then the four who
 * stayed use what they used at the first rest.
 *
 * SHMVIDEO_SOAK_SECONDS says how long, SHMVIDEO_SOAK_CSV where a curve goes,
 * SHMVIDEO_SOAK_SEED which one of all the possible lives it is.
 */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "element.h"
#include "judge.h"
#include "share.h"
#include "survivors.h"
#include "usage.h"

#define SECOND UINT64_C(1000000000)

/* How often all rests; and for how long things settle before the first. */
#define REST_EVERY (8 * SECOND)
#define N_RESTS 1000

enum who { WRITER, READER, SINK, SOURCE, N_STAYING };

static const struct {
  const char *name;
  enum judge_kind kind;
} staying[] = {{"writer", JUDGE_WRITER},
               {"reader", JUDGE_READER},
               {"shmvideosink", JUDGE_WRITER},
               {"shmvideosrc", JUDGE_READER}};

static const char *const formats[] = {
    "RGBA 320 240", "I420 160 120", "NV12 640 480", "GRAY8 64 48", "YUY2 322 242",
    "BGRx 128 96"};
#define AT_REST "I420 176 144" /* none of them: a new pool, of the size for who stayed */

enum guest_kind { LATEST, LOSSLESS, LAUNCHED };

struct guest {
  enum guest_kind kind;
  struct shmvtest_child *child; /* NULL: nobody is there */
  bool stopped;
  guint64 until; /* when something happens to it */
};

static struct {
  const char *path, *element_path;
  struct shmvtest_child *child[N_STAYING];
  struct guest guests[5];
  GRand *chance;
  guint64 start, end, next_format, next_row;
  struct judge_sample rests[N_STAYING][N_RESTS];
  guint n_rests;
  FILE *csv;
  guint64 n_frames;
  guint n_joins, n_kills, n_stops, n_leaves, n_formats;
} stage;

static gint
below(gint n)
{
  return g_rand_int_range(stage.chance, 0, n);
}

static guint64
in_ms(gint least, gint most)
{
  return shmvtest_now() + (guint64)(least + below(most - least)) * 1000000;
}

/* ---- What is used -------------------------------------------------------------- */

static struct judge_sample
sample(enum who who)
{
  return usage_sample(stage.child[who]->pid);
}

/* One row of the curve, each second. */
static void
write_row(bool rest)
{
  guint n_guests = 0;
  guint64 now = shmvtest_now();
  if (stage.csv == NULL || (now < stage.next_row && !rest))
    return;
  stage.next_row = now + SECOND;
  for (guint i = 0; i < G_N_ELEMENTS(stage.guests); i++)
    n_guests += stage.guests[i].child != NULL;
  fprintf(stage.csv, "%.1f,%d,%u", (double)(now - stage.start) / 1e9, rest,
          n_guests);
  for (enum who who = 0; who < N_STAYING; who++) {
    struct judge_sample s = sample(who);
    fprintf(stage.csv, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%u,%u",
            s.own, s.shared, s.descriptors, s.mappings);
  }
  fprintf(stage.csv, "\n");
  fflush(stage.csv);
}

static void
open_curve(void)
{
  const char *name = g_getenv("SHMVIDEO_SOAK_CSV");
  if (name == NULL)
    return;
  stage.csv = fopen(name, "w");
  g_assert_nonnull(stage.csv);
  fprintf(stage.csv, "seconds,rest,guests");
  for (enum who who = 0; who < N_STAYING; who++)
    fprintf(stage.csv, ",%s own,%s shared,%s descriptors,%s mappings",
            staying[who].name, staying[who].name, staying[who].name,
            staying[who].name);
  fprintf(stage.csv, "\n");
}

/* ---- Guests -------------------------------------------------------------------- */

static void
join(struct guest *guest)
{
  if (guest->kind == LAUNCHED) {
    guest->child = shmvtest_spawn_line(
        "gst-launch-1.0 -q shmvideosrc socket-path=%s ! fakesink sync=false",
        stage.element_path);
  } else {
    guest->child = share_start();
    share_expect(guest->child, "ok", "reader %s lossless=%d depth=%d holds=%d",
                 stage.path, guest->kind == LOSSLESS, 1 + below(8), 1 + below(4));
    share_expect(guest->child, "ok", "run %d", below(5000));
  }
  guest->until = in_ms(200, 3000);
  stage.n_joins++;
}

static void
kill_guest(struct guest *guest)
{
  shmvtest_child_signal(guest->child, SIGKILL);
  g_assert_cmpint(shmvtest_child_wait(guest->child, shmvtest_deadline()), ==,
                  128 + SIGKILL);
  shmvtest_child_free(guest->child);
  stage.n_kills++;
}

/* What it saw was whole, or it would not be there to tell; and who wanted all frames had
 * all. */
static void
see_off(struct guest *guest)
{
  if (guest->kind == LAUNCHED) {
    shmvtest_child_signal(guest->child, SIGINT);
    int code = shmvtest_child_wait(guest->child, shmvtest_deadline());
    g_assert_true(code == 0 || code == 128 + SIGINT); /* it may just have begun */
    shmvtest_child_free(guest->child);
  } else {
    const char *report = share_ask(guest->child, "report");
    stage.n_frames += share_get(report, "frames");
    g_assert_cmpuint(share_get(report, "lost"), ==, 0);
    if (guest->kind == LOSSLESS)
      g_assert_cmpuint(share_get(report, "skipped"), ==, 0);
    share_finish(guest->child);
  }
  stage.n_leaves++;
}

static void
go_on(struct guest *guest)
{
  if (guest->stopped)
    shmvtest_child_signal(guest->child, SIGCONT);
  guest->stopped = false;
}

static void
part(struct guest *guest, bool politely)
{
  if (politely)
    go_on(guest);
  (politely ? see_off : kill_guest)(guest);
  guest->child = NULL;
  guest->stopped = false;
  guest->until = in_ms(50, 1500);
}

/* Its time has come. */
static void
happen(struct guest *guest)
{
  gint what = below(4);
  if (guest->child == NULL) {
    join(guest);
  } else if (what == 0 && !guest->stopped) {
    shmvtest_child_signal(guest->child, SIGSTOP);
    guest->stopped = true;
    guest->until = in_ms(100, 2000);
    stage.n_stops++;
  } else if (what == 1) {
    go_on(guest);
    guest->until = in_ms(200, 2000);
  } else {
    part(guest, what == 2);
  }
}

/* ---- Formats and rests ----------------------------------------------------------- */

static void
change_format(void)
{
  guint n = G_N_ELEMENTS(formats);
  share_expect(stage.child[WRITER], "ok", "format %s", formats[below((gint)n)]);
  share_expect(stage.child[SINK], "ok", "format %s", formats[below((gint)n)]);
  stage.n_formats++;
  stage.next_format = in_ms(500, 3000);
}

static guint64
frames_of(enum who who)
{
  return who == READER
             ? share_get(share_ask(stage.child[READER], "report"), "frames")
             : g_ascii_strtoull(share_ask(stage.child[SOURCE], "frames"), NULL, 10);
}

/* They are well: more frames come. */
static void
see_frames(void)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  for (enum who who = READER; who < N_STAYING; who += SOURCE - READER) {
    guint64 before = frames_of(who);
    while (frames_of(who) < before + 10) {
      g_assert_cmpuint(shmvtest_now(), <, end);
      shmvtest_poll(-1, 0, 20);
    }
  }
}

/* Give back takes a second, and what is on its way may come late. */
static void
settle(enum who who)
{
  guint64 end = shmvtest_now() + (stage.n_rests == 0 ? 3 : 10) * SECOND;
  struct judge_sample now[2] = {stage.rests[who][0], sample(who)};
  char *found = NULL;
  while (stage.n_rests == 0 ||
         (found = judge_samples(staying[who].kind, now, 2)) != NULL) {
    g_free(found);
    if (shmvtest_now() > end)
      break;
    shmvtest_poll(-1, 0, 50);
    now[1] = sample(who);
  }
  stage.rests[who][stage.n_rests] = now[1];
}

static void
rest(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(stage.guests); i++)
    if (stage.guests[i].child != NULL)
      part(&stage.guests[i], true);
  share_expect(stage.child[WRITER], "ok", "format %s", AT_REST);
  share_expect(stage.child[SINK], "ok", "format %s", AT_REST);
  share_expect(stage.child[SINK], "ok", "restart");
  see_frames();
  for (enum who who = 0; who < N_STAYING; who++)
    settle(who);
  write_row(true);
  if (stage.n_rests < N_RESTS - 1)
    stage.n_rests++;
}

/* ---- The test ------------------------------------------------------------------- */

static void
begin(void)
{
  guint32 seed = (guint32)survivors_setting("SHMVIDEO_SOAK_SEED",
                                            (guint64)g_test_rand_int());
  g_test_message("seed %u", seed);
  stage.chance = g_rand_new_with_seed(seed);
  stage.path = shmvtest_path("share");
  stage.element_path = shmvtest_path("element");
  stage.guests[1].kind = LOSSLESS;
  stage.guests[3].kind = stage.guests[4].kind = LAUNCHED;
  stage.child[SINK] = element_sink(stage.element_path);
  stage.child[SOURCE] = element_source(stage.element_path);
  stage.child[WRITER] = share_start();
  share_expect(stage.child[WRITER], "ok", "writer %s backpressure=1", stage.path);
  share_expect(stage.child[WRITER], "ok", "format %s", AT_REST);
  share_ask(stage.child[WRITER], "pace 30");
  stage.child[READER] = share_start();
  share_expect(stage.child[READER], "ok", "reader %s", stage.path);
  share_expect(stage.child[READER], "ok", "run");
  open_curve();
  stage.start = shmvtest_now();
  stage.end = stage.start +
              survivors_setting("SHMVIDEO_SOAK_SECONDS", 60) * SECOND;
}

static void
end(void)
{
  for (enum who who = 0; who < N_STAYING; who++) {
    char *found = judge_samples(staying[who].kind, stage.rests[who],
                                stage.n_rests);
    const struct judge_sample *last = &stage.rests[who][stage.n_rests - 1];
    if (found != NULL)
      g_error("%s: %s", staying[who].name, found);
    g_test_message("%s: %u descriptors, %u mappings, %" G_GUINT64_FORMAT
                   " kB of its own, at first %" G_GUINT64_FORMAT, staying[who].name,
                   last->descriptors, last->mappings, last->own / 1024,
                   stage.rests[who][0].own / 1024);
  }
  g_test_message("%u rests, %u joins, %u left, %u killed, %u stops, %u formats, %"
                 G_GUINT64_FORMAT " frames looked at by guests", stage.n_rests,
                 stage.n_joins, stage.n_leaves, stage.n_kills, stage.n_stops,
                 stage.n_formats, stage.n_frames);
  share_finish(stage.child[READER]);
  share_finish(stage.child[WRITER]);
  for (enum who who = SINK; who <= SOURCE; who++) {
    share_expect(stage.child[who], "ok", "quit");
    g_assert_cmpint(shmvtest_child_wait(stage.child[who], shmvtest_deadline()),
                    ==, 0);
    shmvtest_child_free(stage.child[who]);
  }
  if (stage.csv != NULL)
    fclose(stage.csv);
  g_rand_free(stage.chance);
}

static void
soak(void)
{
  begin();
  rest();
  guint64 next_rest = shmvtest_now() + REST_EVERY;
  while (shmvtest_now() < stage.end) {
    guint64 now = shmvtest_now();
    for (guint i = 0; i < G_N_ELEMENTS(stage.guests); i++)
      if (now >= stage.guests[i].until)
        happen(&stage.guests[i]);
    if (now >= stage.next_format)
      change_format();
    if (now >= next_rest) {
      rest();
      next_rest = shmvtest_now() + REST_EVERY;
    }
    write_row(false);
    shmvtest_poll(-1, 0, 20);
  }
  rest();
  end();
}

/* ---- The judge -------------------------------------------------------------------- */

/* A soak that could not fail would be no test. */
static void
judge_sees_leaks(void)
{
  struct judge_sample samples[60];
  for (guint leak = 0; leak < 4; leak++) {
    for (guint i = 0; i < G_N_ELEMENTS(samples); i++)
      samples[i] = (struct judge_sample){
          20 + (leak == 1 && i == 59), 9 + (leak == 2 && i > 30),
          (1 << 20) + (i * 7919 % 60) * 1024 + (leak == 3 ? i * 32768 : 0), 0};
    char *writer = judge_samples(JUDGE_WRITER, samples, G_N_ELEMENTS(samples));
    char *reader = judge_samples(JUDGE_READER, samples, G_N_ELEMENTS(samples));
    g_assert_true((writer == NULL) == (leak == 0));
    g_assert_true((reader == NULL) == (leak == 0 || leak == 2));
    g_free(writer);
    g_free(reader);
  }
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/soak/the-judge-sees-leaks", judge_sees_leaks);
  shmvtest_add("/soak/nothing-grows", soak);
  return shmvtest_run();
}
