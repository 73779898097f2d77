/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
shmv_path_kind(unsigned mode)
{
  switch (mode & S_IFMT) {
  case S_IFREG:
    return "a regular file";
  case S_IFDIR:
    return "a directory";
  case S_IFLNK:
    return "a symbolic link";
  case S_IFIFO:
    return "a named pipe";
  case S_IFCHR:
  case S_IFBLK:
    return "a device";
  case S_IFSOCK:
    return "a socket";
  default:
    return "no socket";
  }
}

/* ---- The runtime directory ----------------------------------------------- */

#define GIVE_PATH "Give a path with a slash instead of a bare name."

static int
too_long(struct shmvideo_error *error, const char *what, size_t size)
{
  return shmv_error_set(
      error, -ENAMETOOLONG, 0, "Choose a shorter path, in /tmp for example.",
      "Socket path %.160s%s would be %zu bytes long, and a socket's path can "
      "have at most %d", what, strlen(what) > 160 ? "..." : "", size,
      SHMV_PATH_MAX);
}

/* The directory in /tmp lies where everybody can put something in our way. */
static int
check_directory(const char *directory, bool in_tmp,
                struct shmvideo_error *error)
{
  struct stat info;
  if ((in_tmp ? lstat : stat)(directory, &info) < 0)
    return shmv_error_set(error, -errno, 0, GIVE_PATH,
                          "Cannot use the runtime directory %s: %s", directory,
                          strerrordesc_np(errno));
  if (!S_ISDIR(info.st_mode))
    return shmv_error_set(error, -ENOTDIR, 0, GIVE_PATH,
                          "The runtime directory %s is %s, not a directory",
                          directory, shmv_path_kind(info.st_mode));
  if (info.st_uid != geteuid())
    return shmv_error_set(error, -EPERM, 0, GIVE_PATH,
                          "The runtime directory %s belongs to user %u, not to "
                          "user %u who runs this program", directory,
                          (unsigned)info.st_uid, (unsigned)geteuid());
  if (in_tmp && (info.st_mode & 0777) != 0700)
    return shmv_error_set(error, -EPERM, 0,
                          "Set its mode to 0700, or give a path with a slash.",
                          "The runtime directory %s has mode %04o, and so is not "
                          "for its owner alone", directory,
                          (unsigned)(info.st_mode & 07777));
  return 0;
}

static int
make_directory(const char *directory, struct shmvideo_error *error)
{
  if (mkdir(directory, 0700) == 0 || errno == EEXIST)
    return 0;
  return shmv_error_set(error, -errno, 0,
                        "Set XDG_RUNTIME_DIR to a directory of yours, or give "
                        "a path with a slash.",
                        "Cannot make the runtime directory %s: %s", directory,
                        strerrordesc_np(errno));
}

static int
prepare_directory(const char *directory, const char *base,
                  struct shmvideo_error *error)
{
  /* Root with a user's environment must not make a directory that the user then
   * cannot use. */
  int result = base != NULL ? check_directory(base, false, error) : 0;
  if (result == 0)
    result = make_directory(directory, error);
  if (result == 0)
    result = check_directory(directory, base == NULL, error);
  return result;
}

/* The full path of a bare name; its directory is there afterwards. */
static int
expand_name(char *full, size_t size, const char *name,
            struct shmvideo_error *error)
{
  const char *base = secure_getenv("XDG_RUNTIME_DIR");
  if (base != NULL && base[0] != '/')
    base = NULL;
  char directory[SHMV_PATH_MAX + 1];
  size_t room = sizeof directory;
  int n = base != NULL ? snprintf(directory, room, "%s/shmvideo", base)
                       : snprintf(directory, room, "/tmp/shmvideo-%u",
                                  (unsigned)geteuid());
  size_t length = (size_t)n + 1 + strlen(name);
  if (length >= size)
    return too_long(error, name, length);
  memcpy(full, directory, (size_t)n);
  full[n] = '/';
  memcpy(full + n + 1, name, strlen(name) + 1);
  return prepare_directory(directory, base, error);
}

/* ---- Resolving ----------------------------------------------------------- */

/* Put the working directory before a relative path, if the whole can be used:
 * it may be too long for a socket, or not be reachable from the root. */
static void
make_absolute(char *full, size_t size, const char *text)
{
  char directory[SHMV_PATH_MAX + 1];
  const char *rest = text;
  while (strncmp(rest, "./", 2) == 0)
    rest += strspn(rest + 1, "/") + 1;
  int n = -1;
  if (getcwd(directory, sizeof directory) != NULL && directory[0] == '/' &&
      access(directory, X_OK) == 0)
    n = snprintf(full, size, "%s/%s", strcmp(directory, "/") ? directory : "",
                 rest);
  if (n < 0 || (size_t)n >= size)
    memcpy(full, text, strlen(text) + 1);
}

static int
check_text(const char *text, struct shmvideo_error *error)
{
  const char *advice = "Give a path such as /tmp/camera, or a bare name.";
  if (text == NULL || text[0] == '\0')
    return shmv_error_set(error, -EINVAL, 0, advice, "No socket path was given");
  const char *slash = strrchr(text, '/');
  const char *name = slash != NULL ? slash + 1 : text;
  if (name[0] == '\0')
    return shmv_error_set(error, -EINVAL, 0, advice,
                          "Socket path %.200s ends in a slash and so names no "
                          "socket", text);
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return shmv_error_set(error, -EINVAL, 0, advice,
                          "Socket path %.200s names a directory", text);
  if (strlen(text) > SHMV_PATH_MAX)
    return too_long(error, text, strlen(text));
  return 0;
}

int
shmv_path_resolve(struct shmv_path *path, const char *text,
                  struct shmvideo_error *error)
{
  memset(path, 0, sizeof *path);
  int result = check_text(text, error);
  if (result < 0)
    return result;
  char *full = path->text;
  size_t room = sizeof path->text;
  if (strchr(text, '/') == NULL)
    result = expand_name(full, room, text, error);
  else if (text[0] != '/')
    make_absolute(full, room, text);
  else
    memcpy(full, text, strlen(text) + 1);
  if (result < 0)
    return result;

  const char *slash = strrchr(full, '/');
  /* The directory of "/name" is "/". */
  size_t size = slash == full ? 1 : (size_t)(slash - full);
  memcpy(path->directory, full, size);
  memcpy(path->name, slash + 1, strlen(slash + 1));
  return 0;
}
