/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Readers that cannot take the present format, and a writer that negotiates: all in
 * one process, which dispatches every side until nothing moves any more.
 *
 * What must happen is worked out by brute force over the few formats that the writer
 * can make: that is the oracle.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "shmvideo.h"
#include "shmvtest.h"

#define MAX_READERS 4

/* What the writer can make, the present format first. */
static const char *const formats[] = {"I420", "NV12", "RGBA", "BGRA"};
#define N_FORMATS G_N_ELEMENTS(formats)
static const char offers[] =
    "video/x-raw, format=(string){ I420, NV12, RGBA, BGRA }, width=(int)16, "
    "height=(int)16, framerate=(fraction)30/1";

struct watcher {
  struct shmvideo_reader *reader;
  bool takes[N_FORMATS];
  bool flexible;
  int refused;            /* negative errno */
  unsigned format, seen;  /* index of the one announced last; frames of any */
  unsigned n_formats;     /* announced */
};

static struct {
  struct shmvideo_writer *writer;
  struct watcher watchers[MAX_READERS];
  unsigned format; /* of the stream */
  bool deaf;       /* the writer does not do as it is asked */
  unsigned n_wishes;
  char wish[512];
} scene;

static unsigned
index_of(const char *name)
{
  for (unsigned i = 0; i < N_FORMATS; i++)
    if (strcmp(formats[i], name) == 0)
      return i;
  g_error("no such format: %s", name);
}

static void
set_format(unsigned index)
{
  struct shmvideo_format format = {
      .pixel_format = shmvideo_pixel_format_from_name(formats[index]),
      .width = 16, .height = 16, .fps_n = 30, .fps_d = 1};
  g_assert_cmpint(shmvideo_writer_set_format(scene.writer, &format, NULL, NULL),
                  ==, 0);
  scene.format = index;
}

static void
scene_open(uint32_t negotiate, uint64_t interval)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  memset(&scene, 0, sizeof scene);
  config.path = shmvtest_path("share");
  config.negotiate = negotiate;
  config.wish_interval = interval;
  g_assert_cmpint(shmvideo_writer_new(&config, NULL, &scene.writer), ==, 0);
  set_format(0);
}

static void
scene_close(void)
{
  for (unsigned i = 0; i < MAX_READERS; i++)
    shmvideo_reader_free(scene.watchers[i].reader);
  shmvideo_writer_free(scene.writer);
}

static char *
accepts_text(const struct watcher *watcher)
{
  GString *text = g_string_new("video/x-raw, format=(string){ ");
  for (unsigned i = N_FORMATS; i-- > 0;)
    if (watcher->takes[i])
      g_string_append_printf(text, "%s, ", formats[i]);
  g_string_append(text, "GRAY8 }");
  return g_string_free(text, FALSE);
}

static void
join(struct watcher *watcher)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  char *accepts = accepts_text(watcher);
  config.path = shmvtest_path("share");
  config.accepts = accepts;
  config.flexible = watcher->flexible;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &watcher->reader), ==, 0);
  g_free(accepts);
}

static void
leave(struct watcher *watcher)
{
  shmvideo_reader_free(watcher->reader);
  memset(watcher, 0, sizeof *watcher);
}

static void
publish(void)
{
  struct shmvideo_slot *slot;
  g_assert_cmpint(shmvideo_writer_acquire(scene.writer, &slot), ==, 1);
  g_assert_cmpint(shmvideo_writer_publish(scene.writer, slot, NULL), ==, 0);
}

/* Do as readers wish. */
static void
serve_wish(void)
{
  struct shmvideo_format format;
  int code = shmvideo_writer_get_wish(scene.writer, offers, scene.wish,
                                      sizeof scene.wish);
  g_assert_cmpint(code, >=, 0);
  if (code == 0)
    return;
  scene.n_wishes++;
  g_assert_cmpint(shmvideo_format_from_caps(&format, scene.wish, NULL), ==, 0);
  g_assert_cmpuint(format.width, ==, 16);
  g_assert_cmpuint(format.fps_n, ==, 30);
  if (!scene.deaf)
    set_format(index_of(shmvideo_pixel_format_name(format.pixel_format)));
}

/* Everything that this reader can be told now; whether there was anything. */
static bool
look(struct watcher *watcher)
{
  const struct shmvideo_frame *frame;
  struct shmvideo_format format;
  int code = 0;
  bool any = false;
  if (watcher->reader == NULL || watcher->refused != 0)
    return false;
  shmvideo_reader_dispatch(watcher->reader);
  while ((code = shmvideo_reader_acquire(watcher->reader, &frame)) > 0) {
    any = true;
    if (code == SHMVIDEO_NEW_FORMAT) {
      shmvideo_reader_get_format(watcher->reader, &format, NULL, 0);
      watcher->format =
          index_of(shmvideo_pixel_format_name(format.pixel_format));
      watcher->n_formats++;
      g_assert_true(watcher->takes[watcher->format]);
      g_assert_true(watcher->seen == 0 || watcher->flexible);
    } else if (code == SHMVIDEO_FRAME) {
      watcher->seen++;
      shmvideo_frame_release(frame);
    }
  }
  if (code < 0)
    watcher->refused = code;
  return any || code < 0;
}

/* Until nothing moves: no descriptor is readable and nobody has anything to tell. */
static void
settle(void)
{
  for (bool moved = true; moved;) {
    struct pollfd fds[MAX_READERS + 1] = {
        {.fd = shmvideo_writer_get_fd(scene.writer), .events = POLLIN}};
    int code = shmvideo_writer_dispatch(scene.writer);
    g_assert_cmpint(code, >=, 0);
    moved = code == SHMVIDEO_WISH;
    if (moved)
      serve_wish();
    for (unsigned i = 0; i < MAX_READERS; i++) {
      struct watcher *watcher = &scene.watchers[i];
      moved |= look(watcher);
      fds[i + 1].fd = watcher->reader != NULL && watcher->refused == 0
                          ? shmvideo_reader_get_fd(watcher->reader)
                          : -1;
      fds[i + 1].events = POLLIN;
    }
    moved |= poll(fds, MAX_READERS + 1, 0) > 0;
  }
}

/* ---- The oracle ---------------------------------------------------------- */

/* Whether all can take it who are in, and the newcomer; who keeps what he has can
 * take nothing else. */
static bool
possible(unsigned format, const struct watcher *newcomer)
{
  for (unsigned i = 0; i < MAX_READERS; i++) {
    const struct watcher *w = &scene.watchers[i];
    if (w->reader == NULL || w->refused != 0)
      continue;
    if (!w->takes[format] ||
        (w != newcomer && w->seen > 0 && !w->flexible && format != w->format))
      return false;
  }
  return true;
}

static void
join_and_check(struct watcher *newcomer)
{
  unsigned before = scene.format, wishes = scene.n_wishes;
  bool fits = newcomer->takes[before], any = false;
  join(newcomer);
  for (unsigned f = 0; f < N_FORMATS; f++)
    any |= possible(f, newcomer);
  settle();
  g_assert_cmpuint(scene.n_wishes - wishes, ==, !fits && any ? 1 : 0);
  if (fits || !any)
    g_assert_cmpuint(scene.format, ==, before);
  g_assert_cmpint(newcomer->refused, ==, fits || any ? 0 : -EMEDIUMTYPE);
  for (unsigned i = 0; i < MAX_READERS; i++) {
    const struct watcher *w = &scene.watchers[i];
    if (w->reader != NULL && w->refused == 0) {
      g_assert_cmpuint(w->n_formats, >, 0);
      g_assert_cmpuint(w->format, ==, scene.format);
    }
  }
}

/* ---- Every order --------------------------------------------------------- */

/* What a reader may take, as bits in the order of formats; 8: the writer's last. */
static const unsigned kinds[] = {15, 1, 4, 4 | 2, 8 | 4, 0};
#define N_KINDS (2 * G_N_ELEMENTS(kinds))

static void
dress(struct watcher *watcher, unsigned kind)
{
  memset(watcher, 0, sizeof *watcher);
  watcher->flexible = kind & 1;
  for (unsigned f = 0; f < N_FORMATS; f++)
    watcher->takes[f] = (kinds[kind / 2] >> f & 1) != 0;
}

/* Three readers join, one of them leaves, a fourth comes; with frames shown after each
 * of these, or only at the end. */
static void
play(const unsigned *cast, unsigned leaver, bool frames)
{
  scene_open(1, 1);
  for (unsigned i = 0; i < 3; i++) {
    dress(&scene.watchers[i], cast[i]);
    join_and_check(&scene.watchers[i]);
    if (frames) {
      publish();
      settle();
    }
  }
  leave(&scene.watchers[leaver]);
  settle();
  dress(&scene.watchers[3], cast[3]);
  join_and_check(&scene.watchers[3]);
  publish();
  settle();
  for (unsigned i = 0; i < MAX_READERS; i++)
    g_assert_true(scene.watchers[i].reader == NULL ||
                  scene.watchers[i].refused != 0 || scene.watchers[i].seen > 0);
  scene_close();
}

/* An eighth of them unless run with -m slow. */
static void
every_order(bool frames)
{
  unsigned total = N_KINDS * N_KINDS * N_KINDS, played = 0;
  for (unsigned n = 0; n < total; n++) {
    unsigned cast[4] = {n % N_KINDS, n / N_KINDS % N_KINDS,
                        n / N_KINDS / N_KINDS, (n * 7 + n / 5) % N_KINDS};
    if (!g_test_slow() && n % 8 != 0)
      continue;
    play(cast, n % 11 % 3, frames);
    played++;
  }
  g_test_message("%u plays", played);
}

static void
every_order_before_frames(void)
{
  every_order(false);
}

static void
every_order_with_frames(void)
{
  every_order(true);
}

/* ---- One at a time ------------------------------------------------------- */

static struct watcher *
add(unsigned i, unsigned takes, bool flexible)
{
  struct watcher *watcher = &scene.watchers[i];
  memset(watcher, 0, sizeof *watcher);
  watcher->flexible = flexible;
  for (unsigned f = 0; f < N_FORMATS; f++)
    watcher->takes[f] = (takes >> f & 1) != 0;
  join(watcher);
  settle();
  return watcher;
}

static void
who_does_not_negotiate_refuses(void)
{
  scene_open(0, 0);
  struct watcher *reader = add(0, 4, false);
  g_assert_cmpint(reader->refused, ==, -EMEDIUMTYPE);
  g_assert_cmpuint(scene.n_wishes, ==, 0);
  scene_close();
}

static void
what_is_not_done_is_refused(void)
{
  struct shmvideo_error error;
  scene_open(1, 1);
  scene.deaf = true;
  struct watcher *reader = add(0, 4, false);
  g_assert_cmpint(reader->refused, ==, 0);
  g_assert_cmpuint(scene.n_wishes, ==, 1);
  publish(); /* the stream goes on, and is not for him */
  settle();
  g_assert_cmpuint(reader->seen, ==, 0);
  g_assert_cmpuint(reader->n_formats, ==, 0);
  shmvideo_writer_refuse_wish(scene.writer);
  settle();
  g_assert_cmpint(reader->refused, ==, -EMEDIUMTYPE);
  shmvideo_reader_get_error(reader->reader, &error);
  g_assert_nonnull(strstr(error.message, "I420"));  /* the writer's */
  g_assert_nonnull(strstr(error.message, "GRAY8")); /* the reader's */
  g_assert_nonnull(strstr(error.message, "RGBA"));  /* what was tried */
  scene_close();
}

static void
refusals_name_who_stands_against_it(void)
{
  struct shmvideo_error error;
  scene_open(1, 1);
  publish();
  struct watcher *first = add(0, 15, false);
  g_assert_cmpuint(first->seen, ==, 1);
  struct watcher *second = add(1, 4, false);
  g_assert_cmpint(second->refused, ==, -EMEDIUMTYPE);
  shmvideo_reader_get_error(second->reader, &error);
  char *pid = g_strdup_printf("(pid %d) receives", (int)getpid());
  g_assert_nonnull(strstr(error.message, pid));
  g_free(pid);
  g_assert_cmpuint(scene.n_wishes, ==, 0);
  scene_close();
}

/* He would settle for a format that is on its way out. */
static void
nobody_comes_in_while_a_wish_is_open(void)
{
  scene_open(1, 1);
  scene.deaf = true;
  publish();
  struct watcher *asker = add(0, 4, false);
  struct watcher *other = add(1, 15, false);
  struct watcher *flexible = add(2, 15, true);
  g_assert_cmpuint(other->n_formats, ==, 0);
  g_assert_cmpuint(flexible->seen, ==, 1);
  set_format(2);
  publish();
  settle();
  g_assert_cmpuint(asker->seen, ==, 1);
  g_assert_cmpuint(other->seen, ==, 1);
  g_assert_cmpuint(other->n_formats, ==, 1);
  g_assert_cmpuint(flexible->n_formats, ==, 2);
  scene_close();
}

static void
a_wish_goes_with_its_reader(void)
{
  char wish[512];
  scene_open(1, 1);
  scene.deaf = true;
  add(0, 4, false);
  leave(&scene.watchers[0]);
  int code = 0;
  while (code != SHMVIDEO_WISH) {
    shmvtest_poll(shmvideo_writer_get_fd(scene.writer), POLLIN,
                  shmvtest_deadline());
    code = shmvideo_writer_dispatch(scene.writer);
    g_assert_cmpint(code, >=, 0);
  }
  g_assert_cmpint(shmvideo_writer_get_wish(scene.writer, offers, wish,
                                           sizeof wish), ==, 0);
  struct watcher *next = add(0, 15, false); /* nothing is open any more */
  g_assert_cmpuint(next->n_formats, ==, 1);
  scene_close();
}

static void
the_end_ends_waiting(void)
{
  scene_open(1, 1);
  scene.deaf = true;
  struct watcher *reader = add(0, 4, false);
  shmvideo_writer_end(scene.writer);
  settle();
  g_assert_cmpint(reader->refused, ==, -EMEDIUMTYPE);
  reader = add(1, 4, false); /* nor is there any use in waiting afterwards */
  g_assert_cmpint(reader->refused, ==, -EMEDIUMTYPE);
  publish(); /* but it goes on */
  reader = add(2, 4, false);
  g_assert_cmpint(reader->refused, ==, 0);
  scene_close();
}

/* The second wish comes too soon: it waits, and is told when its time has come. */
static void
wishes_keep_their_distance(void)
{
  const uint64_t interval = UINT64_C(300000000);
  scene_open(1, interval);
  guint64 start = shmvtest_now();
  struct watcher *first = add(0, 4, true);
  g_assert_cmpuint(first->format, ==, 2);
  leave(first);
  struct watcher *second = add(1, 2, true);
  while (scene.n_wishes < 2) {
    g_assert_cmpuint(second->n_formats, ==, 0);
    shmvtest_poll(shmvideo_writer_get_fd(scene.writer), POLLIN,
                  shmvtest_deadline());
    settle();
  }
  g_assert_cmpuint(shmvtest_now() - start, >=, interval);
  g_assert_cmpuint(second->format, ==, 1);
  scene_close();
}

static void
set_accepts(struct watcher *watcher, unsigned takes)
{
  for (unsigned f = 0; f < N_FORMATS; f++)
    watcher->takes[f] = (takes >> f & 1) != 0;
  char *accepts = accepts_text(watcher);
  g_assert_cmpint(shmvideo_reader_set_accepts(watcher->reader, accepts, NULL),
                  ==, 0);
  g_free(accepts);
}

/* Who says himself that he no longer takes the present format agrees to a change. */
static void
a_reader_may_change_its_mind(void)
{
  scene_open(1, 1);
  publish();
  struct watcher *reader = add(0, 1, false);
  g_assert_cmpuint(reader->seen, ==, 1);
  set_accepts(reader, 1 | 2);
  settle();
  g_assert_cmpuint(scene.format, ==, 0); /* what fits stays */
  reader->flexible = true; /* for the check in look */
  set_accepts(reader, 2);
  settle();
  g_assert_cmpuint(reader->format, ==, 1);
  struct watcher *other = add(1, 2, false);
  publish();
  settle();
  g_assert_cmpuint(other->seen, ==, 1);
  set_accepts(reader, 4); /* but the other one keeps his */
  settle();
  g_assert_cmpint(reader->refused, ==, -EMEDIUMTYPE);
  g_assert_cmpint(other->refused, ==, 0);
  g_assert_cmpint(shmvideo_reader_set_accepts(other->reader, "video", NULL), ==,
                  -EINVAL);
  g_assert_cmpint(shmvideo_reader_set_accepts(other->reader, NULL, NULL), ==, 0);
  publish();
  settle();
  g_assert_cmpuint(other->seen, ==, 2);
  scene_close();
}

/* Both have frames of a format that neither takes any more: nobody is in the way. */
static void
two_readers_may_change_their_minds(void)
{
  scene_open(1, 1);
  publish();
  struct watcher *one = add(0, 1 | 2, false), *other = add(1, 1 | 2, false);
  one->flexible = other->flexible = true; /* for the check in look */
  set_accepts(one, 4);
  set_accepts(other, 4 | 8);
  settle();
  g_assert_cmpuint(scene.format, ==, 2);
  g_assert_cmpuint(one->format, ==, 2);
  g_assert_cmpuint(other->format, ==, 2);
  scene_close();
}

/* What they have in common is found; what they have not is for who came first. */
static void
two_newcomers_at_once(void)
{
  for (unsigned common = 0; common < 2; common++) {
    scene_open(1, 1);
    dress(&scene.watchers[0], 0);
    dress(&scene.watchers[1], 0);
    for (unsigned f = 0; f < N_FORMATS; f++) {
      scene.watchers[0].takes[f] = f == 3 || (common == 1 && f == 2);
      scene.watchers[1].takes[f] = f == 2 || (common == 1 && f == 1);
    }
    join(&scene.watchers[0]);
    join(&scene.watchers[1]);
    settle();
    publish();
    settle();
    g_assert_cmpuint(scene.n_wishes, ==, 1);
    g_assert_cmpuint(scene.format, ==, common == 1 ? 2 : 3);
    g_assert_cmpuint(scene.watchers[0].seen, ==, 1);
    g_assert_cmpint(scene.watchers[1].refused, ==,
                    common == 1 ? 0 : -EMEDIUMTYPE);
    scene_close();
  }
}

/* A reader that hands planes to hardware says so, and is told what it got. */
static void
planes_lie_as_readers_wish(void)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_reader_status status;
  const struct shmvideo_frame *frame;
  struct watcher *reader = &scene.watchers[0];
  scene_open(1, 1);
  config.path = shmvtest_path("share");
  config.stride_align = 3;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader->reader), ==,
                  -EINVAL);
  config.stride_align = 256;
  g_assert_cmpint(shmvideo_reader_new(&config, NULL, &reader->reader), ==, 0);
  for (unsigned f = 0; f < N_FORMATS; f++)
    reader->takes[f] = true;
  reader->flexible = true; /* for the check in look */
  settle();
  shmvideo_reader_get_status(reader->reader, &status);
  g_assert_cmpuint(status.stride_align, ==, 8); /* what was there already */
  for (unsigned f = 1; f <= N_FORMATS; f++) {
    set_format(f % N_FORMATS);
    settle();
    publish();
    shmvtest_poll(shmvideo_reader_get_fd(reader->reader), POLLIN,
                  shmvtest_deadline());
    shmvideo_reader_dispatch(reader->reader);
    g_assert_cmpint(shmvideo_reader_acquire(reader->reader, &frame), ==,
                    SHMVIDEO_FRAME);
    shmvideo_reader_get_status(reader->reader, &status);
    g_assert_cmpuint(status.stride_align, >=, 256);
    for (unsigned p = 0; p < frame->n_planes; p++) {
      g_assert_cmpuint(frame->stride[p] % 256, ==, 0);
      g_assert_cmpuint(frame->plane_offset[p] % 256, ==, 0);
      g_assert_cmpuint((guintptr)frame->data % 256, ==, 0);
    }
    shmvideo_frame_release(frame);
  }
  scene_close();
}

static void
memory_stays_flat(void)
{
  scene_open(1, 1);
  struct watcher *reader = add(0, 15, true);
  struct shmvideo_writer_stats stats;
  unsigned descriptors = shmvtest_count_descriptors();
  for (unsigned i = 0; i < 1000; i++) {
    struct watcher *asker = add(1, i % 2 == 0 ? 4 : 1, true);
    publish();
    settle();
    g_assert_cmpuint(asker->seen, ==, 1);
    leave(asker);
    settle();
  }
  g_assert_cmpuint(scene.n_wishes, ==, 1000);
  g_assert_cmpuint(reader->n_formats, ==, 1001);
  shmvideo_writer_get_stats(scene.writer, &stats);
  g_assert_cmpuint(stats.slots_active, <, 20);
  g_assert_cmpuint(shmvtest_count_descriptors(), ==, descriptors);
  scene_close();
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/wishes/not-negotiating", who_does_not_negotiate_refuses);
  shmvtest_add("/wishes/not-done", what_is_not_done_is_refused);
  shmvtest_add("/wishes/who-stands-against-it",
               refusals_name_who_stands_against_it);
  shmvtest_add("/wishes/nobody-comes-in", nobody_comes_in_while_a_wish_is_open);
  shmvtest_add("/wishes/goes-with-its-reader", a_wish_goes_with_its_reader);
  shmvtest_add("/wishes/end", the_end_ends_waiting);
  shmvtest_add("/wishes/distance", wishes_keep_their_distance);
  shmvtest_add("/wishes/change-of-mind", a_reader_may_change_its_mind);
  shmvtest_add("/wishes/changes-of-mind", two_readers_may_change_their_minds);
  shmvtest_add("/wishes/two-at-once", two_newcomers_at_once);
  shmvtest_add("/wishes/alignment", planes_lie_as_readers_wish);
  shmvtest_add("/wishes/thousand-switches", memory_stays_flat);
  shmvtest_add("/wishes/every-order/before-frames", every_order_before_frames);
  shmvtest_add("/wishes/every-order/with-frames", every_order_with_frames);
  return shmvtest_run();
}
