/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "board.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Populated in pieces, so that other threads' faults never wait long for the lock on the
 * address space; and memory is made so that no thread waits long for our processor: who
 * makes frames or waits for one has less time to lose. */
#define PIECE ((size_t)64 << 10)

static int
memfd(const char *name)
{
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd < 0 ? -errno : fd;
}

/* Linux has several words for "no memory": EAGAIN where a mapping cannot be split or
 * locked, EFAULT where a page cannot be made. To us EAGAIN means something else. */
static int
no_memory(int error)
{
  return error == EAGAIN || error == EFAULT ? -ENOMEM : -error;
}

static int
populate(const void *data, size_t size, int advice)
{
  uint8_t *next = (uint8_t *)(uintptr_t)data;
  while (size > 0) {
    size_t piece = size < PIECE ? size : PIECE;
    if (madvise(next, piece, advice) < 0) {
      if (errno == EINTR || errno == EAGAIN)
        continue;
      return no_memory(errno); /* EINVAL: Linux before 5.14, not supported */
    }
    next += piece;
    size -= piece;
    if (advice == MADV_POPULATE_WRITE)
      sched_yield();
  }
  return 0;
}

static int
map(int fd, size_t size, int prot, off_t offset, void **out)
{
  void *data = mmap(NULL, size, prot, MAP_SHARED, fd, offset);
  if (data == MAP_FAILED)
    return no_memory(errno);
  if (madvise(data, size, MADV_DONTFORK) < 0 ||
      madvise(data, size, MADV_DONTDUMP) < 0) {
    int code = no_memory(errno);
    munmap(data, size);
    return code;
  }
  *out = data;
  return 0;
}

/* Reopening drops the right to write: the descriptor that leaves our process can
 * neither write nor be mapped for writing. */
static int
reopen_read_only(int fd)
{
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int ro = open(path, O_RDONLY | O_CLOEXEC);
  return ro < 0 ? -errno : ro;
}

int
shmv_segment_create(struct shmv_segment *segment, const char *name, size_t size)
{
  void *data = NULL;
  int ro = -1;
  int fd = memfd(name);
  if (fd < 0)
    return fd;
  int code;
  do
    code = ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
  while (code == -EINTR);
  if (code == 0)
    code = map(fd, size, PROT_READ | PROT_WRITE, 0, &data);
  /* Our mapping stands; from here on no other can be made for writing. */
  if (code == 0 && fcntl(fd, F_ADD_SEALS,
                         F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
                             F_SEAL_SEAL) < 0)
    code = -errno;
  if (code == 0) {
    ro = reopen_read_only(fd);
    code = ro < 0 ? ro : 0;
  }
  close(fd);
  if (code < 0) {
    if (data != NULL)
      munmap(data, size);
    return code;
  }
  *segment = (struct shmv_segment){.fd = ro, .data = data, .size = size};
  return 0;
}

void
shmv_segment_close_fd(struct shmv_segment *segment)
{
  if (segment->fd >= 0)
    close(segment->fd);
  segment->fd = -1;
}

void
shmv_segment_destroy(struct shmv_segment *segment)
{
  shmv_segment_close_fd(segment);
  if (segment->data != NULL)
    munmap(segment->data, segment->size);
  segment->data = NULL;
}

int
shmv_segment_populate(struct shmv_segment *segment, size_t offset, size_t size)
{
  return populate(segment->data + offset, size, MADV_POPULATE_WRITE);
}

int
shmv_segment_create_page(const void **out_page, int *out_fd)
{
  void *page = NULL;
  int fd = memfd("shmvideo-page");
  if (fd < 0)
    return fd;
  int code;
  do /* in many kernels any signal interrupts it */
    code = fallocate(fd, 0, 0, SHMV_PAGE_SIZE) < 0 ? -errno : 0;
  while (code == -EINTR);
  if (code == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
    code = -errno;
  if (code == 0)
    code = map(fd, SHMV_PAGE_SIZE, PROT_READ, 0, &page);
  if (code == 0)
    code = populate(page, SHMV_PAGE_SIZE, MADV_POPULATE_READ);
  if (code < 0) {
    if (page != NULL)
      munmap(page, SHMV_PAGE_SIZE);
    close(fd);
    return code;
  }
  *out_page = page;
  *out_fd = fd;
  return 0;
}

int
shmv_segment_seal_page(int fd)
{
  int seals = F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
  return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

/* Seals first: only then can size and kind not change after they are looked at, and
 * only we can be to blame if looking fails. */
static int
verify(int fd, int seals, uint64_t size)
{
  int have = fcntl(fd, F_GET_SEALS);
  if (have < 0 || (have & seals) != seals)
    return -EPROTO;
  struct statfs fs;
  struct stat st;
  if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
    return -errno;
  if (fs.f_type != TMPFS_MAGIC || !S_ISREG(st.st_mode) || st.st_size < 0 ||
      (uint64_t)st.st_size != size)
    return -EPROTO;
  return 0;
}

int
shmv_segment_verify(int fd, uint64_t size)
{
  return verify(fd,
                F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL,
                size);
}

/* Sealed against what it is for, or opened so: that is not what was announced. */
static int
map_theirs(int fd, size_t size, int prot, off_t offset, void **out)
{
  int code = map(fd, size, prot, offset, out);
  return code == -EPERM || code == -EACCES ? -EPROTO : code;
}

int
shmv_segment_verify_memory(int fd, uint64_t size)
{
  struct stat st;
  if (fstat(fd, &st) < 0)
    return -errno;
  return (uint64_t)st.st_blocks * 512 >= size ? 0 : -EPROTO;
}

int
shmv_segment_map_page(int fd, void **out_page)
{
  int code = verify(fd, F_SEAL_SHRINK | F_SEAL_GROW, SHMV_PAGE_SIZE);
  if (code < 0)
    return code;
  return map_theirs(fd, SHMV_PAGE_SIZE, PROT_READ | PROT_WRITE, 0, out_page);
}

int
shmv_segment_map(int fd, uint64_t offset, size_t size, const void **out_data)
{
  void *data = NULL;
  int code = map_theirs(fd, size, PROT_READ, (off_t)offset, &data);
  if (code < 0)
    return code;
  code = populate(data, size, MADV_POPULATE_READ);
  if (code < 0) {
    munmap(data, size);
    return code;
  }
  *out_data = data;
  return 0;
}

void
shmv_segment_unmap(const void *data, size_t size)
{
  if (data != NULL)
    munmap((void *)(uintptr_t)data, size);
}
