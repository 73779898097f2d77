/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "story.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A failure may come three times in a row; what still fails then fails for ever. */
#define MAX_ERRORS 10
#define MAX_TURNS 3000 /* of one step: more is turning in circles */
#define MAX_JUMPS 600
#define SECOND UINT64_C(1000000000)

static struct story *now;

static bool live(struct story *story);
static bool meanwhile(void);

void
story_begin(struct story *story, const char *path)
{
  memset(story, 0, sizeof *story);
  story->path = path;
  story->max_errors = MAX_ERRORS;
  now = story;
  shim_meanwhile = meanwhile;
}

void
story_abandon(struct story *story)
{
  for (unsigned i = 0; i < STORY_FOLLOWERS; i++) {
    story_leave(story, i);
    story_release(story, i);
  }
  story_close(story);
}

/* ---- The writer ---------------------------------------------------------------- */

bool
story_is_readable(int fd)
{
  return shmvtest_poll(fd, POLLIN, 0) != 0;
}

static void
check_no_rest(const struct story *story)
{
  char *ours = g_strdup_printf(".shmv-%d-", (int)getpid());
  GDir *directory = g_dir_open(story->directory, 0, NULL);
  for (const char *name; directory && (name = g_dir_read_name(directory));)
    if (g_str_has_prefix(name, ours))
      g_error("%s left %s/%s", shim_failed(), story->directory, name);
  if (directory != NULL)
    g_dir_close(directory);
  g_free(ours);
}

void
story_open(struct story *story)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  config.path = story->path;
  config.backpressure = 1;
  config.max_memory = story->max_memory != 0 ? story->max_memory : 4 << 20;
  config.negotiate = 1;
  config.log = story_log;
  config.log_user = story;
  for (;;) {
    struct shmvideo_error error = {0};
    shim_enter(SHIM_WRITER);
    int code = shmvideo_writer_new(&config, &error, &story->writer);
    shim_leave();
    if (code == 0)
      return;
    g_assert_cmpint(code, <, 0);
    g_assert_null(story->writer);
    story_check(story, code, &error);
    check_no_rest(story);
  }
}

void
story_close(struct story *story)
{
  shim_enter(SHIM_WRITER);
  shmvideo_writer_free(story->writer);
  shim_leave();
  story->writer = NULL;
  story->width = 0;
  story->sequence = 0;
  story->shown = false;
}

void
story_format(struct story *story, const struct shmvideo_format *format,
             const char *caps)
{
  for (;;) {
    struct shmvideo_error error = {0};
    shim_enter(SHIM_WRITER);
    int code = shmvideo_writer_set_format(story->writer, format, caps, &error);
    shim_leave();
    if (code == 0)
      break;
    story_check(story, code, &error);
  }
  story->width = format->width;
  story->shown = false;
}

static void
draw(struct shmvideo_slot *slot, uint64_t sequence)
{
  memset(slot->data, (int)(sequence & 0xff), slot->size);
}

static void
publish(struct story *story, struct shmvideo_slot *slot)
{
  draw(slot, story->sequence + 1);
  shim_enter(SHIM_WRITER);
  int code = shmvideo_writer_publish(story->writer, slot, NULL);
  shim_leave();
  g_assert_cmpint(code, ==, 0);
  story->sequence++;
  story->shown = true;
}

/* Somebody has a turn, or else the next timer. */
static void
go_on(struct story *story, const char *what)
{
  if (live(story))
    return;
  if (!shim_clock_jump(UINT64_MAX))
    g_error("there is no %s, and nobody is going to bring it", what);
  if (++story->n_jumps % 8 == 0 && story->relieve != NULL)
    story->relieve();
  if (story->n_jumps >= MAX_JUMPS)
    g_error("there is still no %s after %u timers", what, story->n_jumps);
}

/* While lossless readers need all slots there is none. */
void
story_show(struct story *story)
{
  struct shmvideo_slot *slot;
  int code;
  story->n_turns = story->n_jumps = 0;
  do {
    shim_enter(SHIM_WRITER);
    code = shmvideo_writer_acquire(story->writer, &slot);
    shim_leave();
    if (code == 0)
      go_on(story, "slot");
  } while (code == 0);
  g_assert_cmpint(code, ==, 1);
  publish(story, slot);
}

/* Nobody who lets go in time is waited for by the clock. */
void
story_wait_show(struct story *story)
{
  struct shmvideo_slot *slot;
  int code;
  uint64_t start = shim_clock_now();
  bool lets_go = story->followers[0].lets_go;
  do {
    shim_enter(SHIM_WRITER);
    code = shmvideo_writer_acquire_wait(story->writer, TRUE, -1, &slot);
    shim_leave();
    story_count_error(story, code);
  } while (code < 0);
  g_assert_cmpint(code, ==, 1);
  g_assert_cmpuint(shim_clock_now() - start, <, lets_go ? SECOND : 60 * SECOND);
  publish(story, slot);
}

void
story_send(struct story *story)
{
  static uint8_t pixels[1 << 16];
  const uint8_t *const planes[4] = {pixels, pixels, pixels, pixels};
  const uint32_t strides[4] = {4 * story->width, story->width, story->width, 0};
  memset(pixels, (int)((story->sequence + 1) & 0xff), sizeof pixels);
  int code;
  story->n_turns = story->n_jumps = 0;
  do {
    shim_enter(SHIM_WRITER);
    code = shmvideo_writer_send(story->writer, planes, strides, NULL);
    shim_leave();
    if (code == 0)
      go_on(story, "slot");
  } while (code == 0);
  g_assert_cmpint(code, ==, 1);
  story->sequence++;
  story->shown = true;
}

void
story_end(struct story *story)
{
  for (unsigned i = 0; i < STORY_FOLLOWERS; i++)
    story->followers[i].ended = false;
  shim_enter(SHIM_WRITER);
  shmvideo_writer_end(story->writer);
  shim_leave();
}

/* Somebody wishes for a format: he gets it. */
static void
take_wish(struct story *story)
{
  char caps[4096];
  struct shmvideo_format format;
  shim_enter(SHIM_WRITER);
  int code = shmvideo_writer_get_wish(story->writer, "video/x-raw", caps,
                                      sizeof caps);
  shim_leave();
  story_count_error(story, code);
  if (code != 1)
    return;
  g_assert_cmpint(shmvideo_format_from_caps(&format, caps, NULL), ==, 0);
  story_format(story, &format, caps);
}

static bool
live_writer(struct story *story)
{
  if (story->writer == NULL ||
      !story_is_readable(shmvideo_writer_get_fd(story->writer)))
    return false;
  shim_enter(SHIM_WRITER);
  int code = shmvideo_writer_dispatch(story->writer);
  shim_leave();
  g_assert_cmpint(code, >=, 0);
  if (code == SHMVIDEO_WISH)
    take_wish(story);
  return true;
}

/* ---- A stranger ------------------------------------------------------------------ */

static void
send_nonsense(int fd, bool with_descriptors)
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(sizeof(int))}};
  char text[] = "I beg your pardon?";
  struct iovec iovec = {.iov_base = text, .iov_len = sizeof text};
  struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  if (with_descriptors) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  g_assert_cmpint(sendmsg(fd, &message, MSG_NOSIGNAL), ==, sizeof text);
}

void
story_be_strange(struct story *story)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_snprintf(address.sun_path, sizeof address.sun_path, "%s/%s",
             story->directory, strrchr(story->path, '/') != NULL
                                   ? strrchr(story->path, '/') + 1
                                   : story->path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==,
                  0);
  send_nonsense(fd, false);
  send_nonsense(fd, true);
  story->n_turns = story->n_jumps = 0;
  while (shmvtest_poll(fd, POLLHUP, 0) == 0)
    go_on(story, "end of a stranger");
  close(fd);
}

/* ---- Together -------------------------------------------------------------------- */

void
story_turn(struct story *story)
{
  if (++story->n_turns >= MAX_TURNS)
    g_error("it turns in circles");
}

/* Everybody whose descriptor says something has a turn. */
static bool
live(struct story *story)
{
  bool lived = live_writer(story);
  for (unsigned i = 0; i < STORY_FOLLOWERS; i++)
    lived |= story_live_follower(story, &story->followers[i]);
  story_turn(story);
  return lived;
}

static bool
meanwhile(void)
{
  if (live(now))
    return true;
  for (unsigned i = 0; i < STORY_FOLLOWERS; i++)
    if (now->followers[i].lets_go && now->followers[i].held != NULL) {
      story_release(now, i);
      return true;
    }
  return false;
}

static void
settle(struct story *story, bool (*done)(const struct story *story,
                                         const struct follower *follower),
       const char *what)
{
  story->n_turns = story->n_jumps = 0;
  for (;;) {
    unsigned n_waiting = 0;
    for (unsigned i = 0; i < STORY_FOLLOWERS; i++)
      n_waiting += story->followers[i].reader != NULL &&
                   !done(story, &story->followers[i]);
    if (n_waiting == 0)
      return;
    go_on(story, what);
  }
}

static bool
is_up_to_date(const struct story *story, const struct follower *follower)
{
  return follower->width == story->width &&
         (!story->shown || follower->sequence == story->sequence);
}

static bool
has_format(const struct story *story, const struct follower *follower)
{
  (void)story;
  return follower->width != 0;
}

static bool
has_ended(const struct story *story, const struct follower *follower)
{
  (void)story;
  return follower->ended;
}

static bool
has_lost(const struct story *story, const struct follower *follower)
{
  (void)story;
  return follower->lost;
}

void
story_settle(struct story *story)
{
  settle(story, is_up_to_date, "news");
}

void
story_settle_told(struct story *story)
{
  settle(story, has_format, "format");
}

static bool
has_width(const struct story *story, const struct follower *follower)
{
  return follower->width == story->wanted_width;
}

void
story_settle_width(struct story *story, uint32_t width)
{
  story->wanted_width = width;
  settle(story, has_width, "format of that width");
}

void
story_settle_ended(struct story *story)
{
  settle(story, has_ended, "end");
}

void
story_settle_lost(struct story *story)
{
  settle(story, has_lost, "loss");
}

void
story_rest(struct story *story)
{
  story->n_turns = 0;
  for (int i = 0; i < 8; i++) {
    while (live(story))
      continue;
    if (!shim_clock_jump(UINT64_MAX))
      break;
  }
}
