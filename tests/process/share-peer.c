/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "share-peer.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "leaks.h"
#include "share.h"

/* ---- Words ------------------------------------------------------------------ */

uint64_t
share_option(const char *line, const char *key, uint64_t fallback)
{
  char *text = g_strdup_printf(" %s=", key);
  const char *at = strstr(line, text);
  uint64_t value =
      at != NULL ? strtoull(at + strlen(text), NULL, 0) : fallback;
  g_free(text);
  return value;
}

void
share_say(struct share_peer *peer, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vfprintf(peer->out, format, args);
  va_end(args);
  fputc('\n', peer->out);
  fflush(peer->out);
}

void
share_say_error(struct share_peer *peer, int code,
                const struct shmvideo_error *error)
{
  char *text = g_strdup(error->message);
  g_strdelimit(text, "\n", ' ');
  share_say(peer, "error %d %s", code, text);
  g_free(text);
}

/* ---- Pictures --------------------------------------------------------------- */

static uint64_t
word_of(uint64_t number, size_t i)
{
  return (number + 1) * UINT64_C(0x9e3779b97f4a7c15) + i;
}

void
share_paint(uint8_t *data, size_t size, uint64_t number)
{
  uint64_t *words = (void *)data;
  for (size_t i = 0; i < size / sizeof *words; i++)
    words[i] = word_of(number, i);
}

void
share_look(const struct shmvideo_frame *frame)
{
  const uint64_t *words = (const void *)frame->data;
  uint64_t number = frame->offset;
  if (frame->size < frame->format->size || (number & 0xffffffff) != frame->sequence)
    g_error("frame %" G_GUINT64_FORMAT " is number %" G_GUINT64_FORMAT
            " of %" G_GUINT64_FORMAT " bytes", frame->sequence,
            number & 0xffffffff, frame->size);
  for (size_t i = 0; i < frame->format->size / sizeof *words; i++)
    if (words[i] != word_of(number, i))
      g_error("frame %" G_GUINT64_FORMAT " is another one at byte %zu",
              frame->sequence, i * sizeof *words);
}

/* ---- The child -------------------------------------------------------------- */

static gboolean
read_line(int in, char *line, size_t size)
{
  for (size_t n = 0; n < size - 1;) {
    ssize_t got = read(in, line + n, 1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return FALSE;
    if (line[n] == '\n') {
      line[n] = '\0';
      return TRUE;
    }
    n++;
  }
  g_error("a line is too long");
}

/* Between two lines: whatever the descriptors ask for. */
static void
serve(struct share_peer *peer, const struct pollfd *fds)
{
  uint64_t ticks;
  if (fds[1].revents != 0 && shmvideo_writer_dispatch(peer->writer) < 0)
    g_error("the writer cannot go on");
  if (fds[2].revents != 0 && read(peer->timer_fd, &ticks, sizeof ticks) > 0)
    share_writer_show_one(peer);
  if (fds[3].revents != 0) {
    shmvideo_reader_dispatch(peer->reader);
    share_reader_take_all(peer);
  }
}

static void
wait_for_line(struct share_peer *peer, int in)
{
  for (;;) {
    struct pollfd fds[4] = {{.fd = in, .events = POLLIN},
                            {.fd = -1, .events = POLLIN},
                            {.fd = peer->timer_fd, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    if (peer->writer != NULL)
      fds[1].fd = shmvideo_writer_get_fd(peer->writer);
    if (peer->reader != NULL && peer->running)
      fds[3].fd = shmvideo_reader_get_fd(peer->reader);
    if (poll(fds, 4, -1) < 0 && errno != EINTR)
      g_error("poll: %s", strerror(errno));
    serve(peer, fds);
    if (fds[0].revents != 0)
      return;
  }
}

static void
quit(struct share_peer *peer, GHashTable *before)
{
  share_writer_leave(peer);
  share_reader_leave(peer);
  GHashTable *after = leaks_take();
  char *left = leaks_compare(before, after);
  share_say(peer, "%s", left == NULL ? "clean" : g_strdelimit(left, "\n", ' '));
  g_hash_table_unref(after);
  g_free(left);
}

/* As if that user had started it. */
static void
become(struct share_peer *peer, const char *line)
{
  struct rlimit limit;
  unsigned uid, n;
  g_assert_cmpint(sscanf(line, "user %u %u", &uid, &n), ==, 2);
  limit.rlim_cur = limit.rlim_max = n;
  g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
  if (geteuid() == 0 &&
      (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0))
    g_error("user %u: %s", uid, strerror(errno));
  prctl(PR_SET_DUMPABLE, 1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  share_say(peer, "ok");
}

static int
obey(int in, int out, void *user)
{
  struct share_peer peer = {.out = fdopen(out, "w")};
  char line[1024];
  peer.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  GHashTable *before = leaks_take();
  for (;;) {
    wait_for_line(&peer, in);
    if (!read_line(in, line, sizeof line))
      return 1; /* the test is gone */
    if (strcmp(line, "quit") == 0)
      break;
    if (g_str_has_prefix(line, "user "))
      become(&peer, line);
    else if (!share_writer_obey(&peer, line) && !share_reader_obey(&peer, line))
      g_error("what is \"%s\"?", line);
  }
  quit(&peer, before);
  g_hash_table_unref(before);
  return 0;
}

/* ---- The test's side -------------------------------------------------------- */

struct shmvtest_child *
share_start(void)
{
  return shmvtest_fork(obey, NULL);
}

struct guise {
  int (*put_on)(void *user);
  void *user;
};

static int
obey_in_guise(int in, int out, void *user)
{
  struct guise *guise = user;
  int status = guise->put_on(guise->user);
  return status != 0 ? status : obey(in, out, NULL);
}

struct shmvtest_child *
share_start_as(int (*put_on)(void *user), void *user)
{
  struct guise guise = {put_on, user};
  return shmvtest_fork(obey_in_guise, &guise);
}

static void
write_line(struct shmvtest_child *child, const char *format, va_list args)
{
  char *text = g_strdup_vprintf(format, args);
  char *line = g_strconcat(text, "\n", NULL);
  signal(SIGPIPE, SIG_IGN);
  if (write(child->in, line, strlen(line)) != (ssize_t)strlen(line))
    g_error("child %d does not take \"%s\"", child->pid, text);
  g_free(line);
  g_free(text);
}

void
share_tell(struct shmvtest_child *child, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  write_line(child, format, args);
  va_end(args);
}

const char *
share_answer(struct shmvtest_child *child)
{
  static char *answer;
  g_free(answer);
  /* A child waits no longer than a deadline itself: this is for its answer. */
  answer = shmvtest_child_line(child, 3 * shmvtest_deadline());
  if (answer == NULL)
    g_error("child %d ended with %d instead of an answer", child->pid,
            shmvtest_child_wait(child, shmvtest_deadline()));
  return answer;
}

const char *
share_ask(struct shmvtest_child *child, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  write_line(child, format, args);
  va_end(args);
  return share_answer(child);
}

void
share_expect(struct shmvtest_child *child, const char *answer,
             const char *format, ...)
{
  va_list args;
  va_start(args, format);
  write_line(child, format, args);
  va_end(args);
  g_assert_cmpstr(share_answer(child), ==, answer);
}

guint64
share_get(const char *answer, const char *key)
{
  char *line = g_strconcat(" ", answer, NULL);
  uint64_t value = share_option(line, key, UINT64_MAX);
  if (value == UINT64_MAX)
    g_error("no %s in \"%s\"", key, answer);
  g_free(line);
  return value;
}

void
share_finish(struct shmvtest_child *child)
{
  share_expect(child, "clean", "quit");
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

/* ---- What a process uses ----------------------------------------------------- */

static char *
read_proc(pid_t pid, const char *name)
{
  char *path = g_strdup_printf("/proc/%d/%s", pid, name), *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    g_error("%s cannot be read", path);
  g_free(path);
  return text;
}

static guint
count_entries(pid_t pid, const char *name)
{
  char *path = g_strdup_printf("/proc/%d/%s", pid, name);
  GDir *dir = g_dir_open(path, 0, NULL);
  guint n = 0;
  g_assert_nonnull(dir);
  while (g_dir_read_name(dir) != NULL)
    n++;
  g_dir_close(dir);
  g_free(path);
  return n;
}

struct share_usage
share_usage(pid_t pid)
{
  struct share_usage usage = {.descriptors = count_entries(pid, "fd")};
  char *maps = read_proc(pid, "maps");
  for (const char *at = maps; (at = strstr(at, "memfd:")) != NULL; at++)
    usage.mappings++;
  char *status = read_proc(pid, "status");
  const char *rss = strstr(status, "VmRSS:");
  usage.resident = rss != NULL ? strtoull(rss + 6, NULL, 10) * 1024 : 0;
  char *schedstat = read_proc(pid, "schedstat");
  usage.cpu = strtoull(schedstat, NULL, 10);
  g_free(schedstat);
  g_free(status);
  g_free(maps);
  return usage;
}

/* A reader maps slots as it first sees frames in them: so many more of the present
 * format are no leak. */
#define SLOTS_SEEN 16

void
share_wait_flat(pid_t pid, struct share_usage before)
{
  guint64 end = shmvtest_now() + (guint64)shmvtest_deadline() * 1000000;
  for (;;) {
    struct share_usage now = share_usage(pid);
    if (now.descriptors <= before.descriptors &&
        now.mappings <= before.mappings + SLOTS_SEEN &&
        (now.resident <= before.resident + (1 << 20) ||
         g_getenv("SHMVIDEO_TEST_SLOWNESS") != NULL)) /* sanitizers keep memory */
      return;
    if (shmvtest_now() > end)
      g_error("process %d: %u descriptors, %u mappings, %" G_GUINT64_FORMAT
              " bytes; before %u, %u, %" G_GUINT64_FORMAT,
              pid, now.descriptors, now.mappings, now.resident,
              before.descriptors, before.mappings, before.resident);
    shmvtest_poll(-1, 0, 5);
  }
}
