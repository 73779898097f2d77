/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* The calls that fail, continued: memory and files. See shim-calls.c. */

#include "shim-calls.h"

#include <fcntl.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* ---- Memory ------------------------------------------------------------------ */

DECLARE(int, memfd_create, (const char *name, unsigned flags))
int
__wrap_memfd_create(const char *name, unsigned flags)
{
  if (is_old() &&
      (flags & MFD_NOEXEC_SEAL))
    return fail_with(EINVAL);
  return shim_fails(&call_memfd_create, LIST(ENOMEM, EMFILE, ENFILE))
             ? -1
             : shim_new_fd(&call_memfd_create, __real_memfd_create(name, flags));
}

CALL(int, ftruncate64, (int fd, off_t size), (fd, size), -1, EINTR, ENOMEM)
CALL(int, fallocate64, (int fd, int mode, off_t offset, off_t size),
     (fd, mode, offset, size), -1, ENOSPC, EINTR, ENOMEM)
CALL(int, fstatfs64, (int fd, void *out), (fd, out), -1, ENOMEM)
CALL(void *, mmap64,
     (void *at, size_t size, int prot, int flags, int fd, off_t offset),
     (at, size, prot, flags, fd, offset), MAP_FAILED, ENOMEM, EAGAIN, ENFILE)

/* What splits a mapping can fail for want of memory, which Linux calls EAGAIN. */
DECLARE(int, madvise, (void *data, size_t size, int advice))
int
__wrap_madvise(void *data, size_t size, int advice)
{
  bool populate = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
  return shim_fails(&call_madvise,
                    populate ? LIST(ENOMEM, EFAULT, EINTR, EAGAIN, EHWPOISON)
                             : LIST(EAGAIN, ENOMEM))
             ? -1
             : __real_madvise(data, size, advice);
}

/* Only the other side, whose page it is, could keep us from sealing that. */
DECLARE(int, fcntl64, (int fd, int command, ...))
int
__wrap_fcntl64(int fd, int command, ...)
{
  va_list args;
  va_start(args, command);
  int argument = va_arg(args, int);
  va_end(args);
  bool ours = command == F_ADD_SEALS && (argument & F_SEAL_SHRINK) != 0;
  return shim_fails(&call_fcntl64, ours ? LIST(EPERM) : NEVER)
             ? -1
             : __real_fcntl64(fd, command, argument);
}

#define ALLOCATE(function, parameters, arguments)                              \
  DECLARE(void *, function, parameters)                                        \
  void *__wrap_##function parameters                                           \
  {                                                                            \
    if (shim_fails(&call_##function, LIST(ENOMEM)))                            \
      return NULL;                                                             \
    void *data = __real_##function arguments;                                  \
    shim_count_allocation(data != NULL ? 1 : 0);                               \
    return data;                                                               \
  }

ALLOCATE(malloc, (size_t size), (size))
ALLOCATE(calloc, (size_t n, size_t size), (n, size))
ALLOCATE(strdup, (const char *text), (text))
ALLOCATE(strndup, (const char *text, size_t size), (text, size))

DECLARE(void *, reallocarray, (void *old, size_t n, size_t size))
void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
  if (shim_fails(&call_reallocarray, LIST(ENOMEM)))
    return NULL;
  void *data = __real_reallocarray(old, n, size);
  shim_count_allocation(data != NULL && old == NULL ? 1 : 0);
  return data;
}

void __real_free(void *data);
void __wrap_free(void *data);
void
__wrap_free(void *data)
{
  shim_count_allocation(data != NULL ? -1 : 0);
  __real_free(data);
}

CALL(locale_t, newlocale, (int mask, const char *name, locale_t base),
     (mask, name, base), (locale_t)0, ENOMEM)

/* ---- Files ------------------------------------------------------------------- */

DECLARE(int, open64, (const char *path, int flags, ...))
int
__wrap_open64(const char *path, int flags, ...)
{
  va_list args;
  va_start(args, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
  va_end(args);
  return shim_fails(&call_open64, LIST(EMFILE, ENFILE, ENOMEM, EACCES, ENOENT))
             ? -1
             : shim_new_fd(&call_open64, __real_open64(path, flags, mode));
}

DECLARE(int, openat64, (int fd, const char *path, int flags, ...))
int
__wrap_openat64(int fd, const char *path, int flags, ...)
{
  return shim_fails(&call_openat64, LIST(EMFILE, ENFILE, ENOMEM, EACCES))
             ? -1
             : shim_new_fd(&call_openat64, __real_openat64(fd, path, flags));
}

CALL(void *, fdopendir, (int fd), (fd), NULL, ENOMEM)
CALL(void *, readdir64, (void *directory), (directory), NULL, EIO)
/* To unlock cannot fail. */
DECLARE(int, flock, (int fd, int operation))
int
__wrap_flock(int fd, int operation)
{
  return shim_fails(&call_flock, operation != LOCK_UN
                                     ? LIST(EWOULDBLOCK, EINTR, ENOLCK)
                                     : NEVER)
             ? -1
             : __real_flock(fd, operation);
}

CALL(int, access, (const char *path, int mode), (path, mode), -1, ENOENT,
     EACCES, ENOMEM)
CALL(int, stat64, (const char *path, void *out), (path, out), -1, ENOMEM,
     EACCES)
CALL(int, lstat64, (const char *path, void *out), (path, out), -1, ENOMEM,
     EACCES)
CALL(int, fstat64, (int fd, void *out), (fd, out), -1, ENOMEM)
CALL(int, fstatat64, (int fd, const char *name, void *out, int flags),
     (fd, name, out, flags), -1, ENOMEM, EACCES)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EPERM, EROFS)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC,
     EACCES, EROFS, ENOMEM)
CALL(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags),
     -1, ENOMEM, EIO, EROFS)
CALL(int, renameat,
     (int old_fd, const char *old, int young_fd, const char *young),
     (old_fd, old, young_fd, young), -1, ENOSPC, ENOMEM, EACCES)
CALL(char *, getcwd, (char *path, size_t size), (path, size), NULL, ENOENT,
     ENOMEM, EACCES)
CALL(int, kill, (pid_t pid, int signal), (pid, signal), -1, EPERM, ESRCH)
CALL(ssize_t, getrandom, (void *data, size_t size, unsigned flags),
     (data, size, flags), -1, EAGAIN, EINTR, ENOSYS)

DECLARE(int, fchmodat, (int fd, const char *name, mode_t mode, int flags))
int
__wrap_fchmodat(int fd, const char *name, mode_t mode, int flags)
{
  if (flags != 0 && is_old())
    return fail_with(EOPNOTSUPP);
  return shim_fails(&call_fchmodat, LIST(ENOMEM, EPERM, EIO, EROFS))
             ? -1
             : __real_fchmodat(fd, name, mode, flags);
}

DECLARE(int, renameat2, (int old_fd, const char *old, int young_fd,
                         const char *young, unsigned flags))
int
__wrap_renameat2(int old_fd, const char *old, int young_fd, const char *young,
                 unsigned flags)
{
  if (is_old())
    return fail_with(EINVAL);
  return shim_fails(&call_renameat2, LIST(ENOMEM, EINVAL, ENOSPC, EACCES, EPERM))
             ? -1
             : __real_renameat2(old_fd, old, young_fd, young, flags);
}

char *__real_secure_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);
char *
__wrap_secure_getenv(const char *name)
{
  return shim_no_environment ? NULL : __real_secure_getenv(name);
}

/* ---- All of them ------------------------------------------------------------- */

struct shim_call *const shim_file_calls[] = {
    &call_memfd_create, &call_ftruncate64, &call_fallocate64, &call_fstatfs64,
    &call_mmap64, &call_madvise, &call_fcntl64, &call_malloc, &call_calloc,
    &call_strdup, &call_strndup, &call_reallocarray, &call_newlocale,
    &call_open64, &call_openat64, &call_fdopendir, &call_readdir64, &call_flock,
    &call_access, &call_stat64, &call_lstat64, &call_fstat64, &call_fstatat64,
    &call_fchmod, &call_mkdir, &call_unlinkat, &call_renameat, &call_getcwd,
    &call_kill, &call_getrandom, &call_fchmodat, &call_renameat2, NULL};
