/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "rendezvous.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

int
claim(const char *text, mode_t perms, struct shmv_listener *out,
      struct shmvideo_error *out_error)
{
  struct shmv_path path;
  memset(out_error, 0, sizeof *out_error);
  int result = shmv_path_resolve(&path, text, out_error);
  if (result == 0)
    result = shmv_listener_open(out, &path, perms, out_error);
  /* A failure explains itself, a success says nothing. */
  g_assert_cmpint(out_error->code, ==, result);
  g_assert_true((result < 0) == (out_error->message[0] != '\0'));
  return result;
}

int
connect_to(const char *text, struct shmvideo_error *out_error)
{
  struct shmv_path path;
  int fd;
  memset(out_error, 0, sizeof *out_error);
  g_assert_cmpint(shmv_path_resolve(&path, text, out_error), ==, 0);
  int result = shmv_socket_connect(&path, &fd, out_error);
  g_assert_cmpint(out_error->code, ==, result);
  return result < 0 ? result : fd;
}

static int
compare(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
list(const char *directory)
{
  GDir *dir = g_dir_open(directory, 0, NULL);
  if (dir == NULL)
    return g_strdup("(unreadable)");
  GPtrArray *names = g_ptr_array_new();
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
    g_ptr_array_add(names, g_strdup(name));
  g_dir_close(dir);
  g_ptr_array_sort(names, compare);
  g_ptr_array_add(names, NULL);
  char *text = g_strjoinv(" ", (char **)names->pdata);
  g_strfreev((char **)g_ptr_array_free(names, FALSE));
  return text;
}

void
expect_refusal(const char *text, int code, const char *word,
               const char *other_word)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  char *before = list(shmvtest_dir());
  g_assert_cmpint(claim(text, 0600, &listener, &error), ==, code);
  g_test_message("%s; %s", error.message, error.advice);
  const char *words[] = {word, other_word};
  for (unsigned i = 0; i < 2; i++)
    if (words[i] != NULL && strstr(error.message, words[i]) == NULL &&
        strstr(error.advice, words[i]) == NULL)
      g_error("\"%s; %s\" does not say \"%s\"", error.message, error.advice,
              words[i]);
  char *after = list(shmvtest_dir());
  g_assert_cmpstr(before, ==, after);
  g_free(before);
  g_free(after);
}

void
expect_success(const char *text)
{
  struct shmv_listener listener;
  struct shmvideo_error error;
  if (claim(text, 0600, &listener, &error) != 0)
    g_error("%s", error.message);
  int fd = connect_to(text, &error);
  g_assert_cmpint(fd, >=, 0);
  int accepted;
  g_assert_cmpint(shmv_listener_accept(&listener, &accepted), ==, 0);
  g_assert_cmpint(shmv_listener_accept(&listener, &accepted), ==, -EAGAIN);
  close(accepted);
  close(fd);
  char path[256];
  snprintf(path, sizeof path, "%s", listener.path.text);
  shmv_listener_close(&listener);
  g_assert_cmpint(access(path, F_OK), ==, -1);
}

int
foreign_listener(const char *path, int type, int backlog)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_assert_cmpuint(strlen(path), <, sizeof address.sun_path);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  if (type != SOCK_DGRAM)
    g_assert_cmpint(listen(fd, backlog), ==, 0);
  return fd;
}

struct errand {
  int (*func)(int in, int out, void *user);
  void *user;
};

static int
drop_rights(int in, int out, void *user)
{
  struct errand *errand = user;
  if (geteuid() == 0 &&
      (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
    return 99;
  return errand->func(in, out, errand->user);
}

void
as_nobody(int (*func)(int in, int out, void *user), void *user)
{
  struct errand errand = {func, user};
  struct shmvtest_child *child = shmvtest_fork(drop_rights, &errand);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
}

void
stay(int in)
{
  /* Not read: what is written is for the child. */
  struct pollfd end = {.fd = in};
  while (poll(&end, 1, -1) < 0)
    g_assert_cmpint(errno, ==, EINTR);
  _exit(0);
}
