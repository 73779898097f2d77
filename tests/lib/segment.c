/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Segments, attacked from where it hurts most: by the same user, with the very
 * descriptor that was sent, reopened for writing.
 */

#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "shmvtest.h"

#define PAGE ((size_t)4096)
#define SIZE (16 * PAGE)
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_HUGETLB
#define MFD_HUGETLB 0x0004U
#endif

#define ASSERT_ERRNO(call, wanted)                                             \
  do {                                                                         \
    errno = 0;                                                                 \
    g_assert_cmpint((long)(call), ==, -1);                                     \
    g_assert_cmpint(errno, ==, (wanted));                                      \
  } while (0)

static int
reopen(int fd, int flags)
{
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, flags | O_CLOEXEC);
}

static struct shmv_segment
create(size_t size)
{
  struct shmv_segment segment;
  g_assert_cmpint(shmv_segment_create(&segment, "shmvideo-test", size), ==, 0);
  g_assert_cmpuint(segment.size, ==, size);
  return segment;
}

/* ---- Seals ----------------------------------------------------------------------- */

/* All that a process can try with a descriptor of a segment of ours. */
static void
attack(int fd, bool writable)
{
  int flags = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  ASSERT_ERRNO(pwrite(fd, "x", 1, 0), writable ? EPERM : EBADF);
  ASSERT_ERRNO(pwrite(fd, "x", 1, SIZE), writable ? EPERM : EBADF);
  ASSERT_ERRNO(ftruncate(fd, 0), writable ? EPERM : EINVAL);
  ASSERT_ERRNO(ftruncate(fd, SIZE + PAGE), writable ? EPERM : EINVAL);
  ASSERT_ERRNO(fallocate(fd, flags, 0, PAGE), writable ? EPERM : EBADF);
  ASSERT_ERRNO(fallocate(fd, 0, SIZE, PAGE), writable ? EPERM : EBADF);
  ASSERT_ERRNO(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
               writable ? EPERM : EACCES);
  ASSERT_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
  /* Reading is what it is for, and does not become writing. */
  char *data = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
  g_assert_true(data != MAP_FAILED);
  ASSERT_ERRNO(mprotect(data, SIZE, PROT_READ | PROT_WRITE), EACCES);
  g_assert_cmpint(madvise(data, PAGE, MADV_REMOVE), ==, -1);
  g_assert_cmpint(data[0], ==, 'a');
  munmap(data, SIZE);
  /* A private copy is one's own. */
  data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  g_assert_true(data != MAP_FAILED);
  data[0] = 'p';
  munmap(data, SIZE);
}

static void
test_seals_hold(void)
{
  struct shmv_segment segment = create(SIZE);
  g_assert_cmpint(shmv_segment_populate(&segment, 0, SIZE), ==, 0);
  memset(segment.data, 'a', SIZE);
  attack(segment.fd, false);
  int writable = reopen(segment.fd, O_RDWR);
  g_assert_cmpint(writable, >=, 0);
  attack(writable, true);
  close(writable);
  g_assert_cmpint(reopen(segment.fd, O_RDWR | O_TRUNC), ==, -1);
  /* Nor can we ourselves take memory away from under a reader. */
  g_assert_cmpint(madvise(segment.data, PAGE, MADV_REMOVE), ==, -1);
  for (size_t i = 0; i < SIZE; i++)
    g_assert_cmpint(segment.data[i], ==, 'a');
  /* What we write is seen. */
  const void *view;
  g_assert_cmpint(shmv_segment_map(segment.fd, PAGE, PAGE, &view), ==, 0);
  segment.data[PAGE + 7] = 'b';
  g_assert_cmpint(((const char *)view)[7], ==, 'b');
  shmv_segment_unmap(view, PAGE);
  shmv_segment_destroy(&segment);
}

static void
test_page(void)
{
  const void *ours;
  void *theirs, *other;
  int fd;
  g_assert_cmpint(shmv_segment_create_page(&ours, &fd), ==, 0);
  const struct shmv_page *seen = ours;
  for (size_t i = 0; i < SHMV_PAGE_SIZE; i++)
    g_assert_cmpint(((const char *)ours)[i], ==, 0);
  ASSERT_ERRNO(ftruncate(fd, 0), EPERM);
  ASSERT_ERRNO(ftruncate(fd, 2 * SHMV_PAGE_SIZE), EPERM);
  g_assert_cmpint(shmv_segment_map_page(fd, &theirs), ==, 0);
  struct shmv_page *page = theirs;
  shmv_store(&page->armed, 5);
  g_assert_cmpuint(shmv_load(&seen->armed), ==, 5);
  /* MAPPED: from now on nobody else. */
  g_assert_cmpint(shmv_segment_seal_page(fd), ==, 0);
  g_assert_cmpint(shmv_segment_map_page(fd, &other), ==, -EPROTO);
  ASSERT_ERRNO(pwrite(fd, "x", 1, 0), EPERM);
  ASSERT_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                         SHMV_PAGE_SIZE),
               EPERM);
  g_assert_cmpint(madvise(theirs, SHMV_PAGE_SIZE, MADV_REMOVE), ==, -1);
  shmv_store(&page->armed, 6);
  g_assert_cmpuint(shmv_load(&seen->armed), ==, 6);
  g_assert_cmpint(shmv_segment_seal_page(fd), ==, -EPERM);
  close(fd);
  shmv_segment_unmap(theirs, SHMV_PAGE_SIZE);
  shmv_segment_unmap(ours, SHMV_PAGE_SIZE);
}

/* ---- What is believed -------------------------------------------------------------- */

static int
sealed_memfd(unsigned flags, off_t size, int seals)
{
  int fd = memfd_create("shmvideo-test", flags | MFD_CLOEXEC |
                                             MFD_ALLOW_SEALING);
  if (fd < 0)
    return -1;
  g_assert_cmpint(ftruncate(fd, size), ==, 0);
  if (seals != 0)
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, seals), ==, 0);
  return fd;
}

static void
assert_refused(int fd, uint64_t size)
{
  void *page;
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(shmv_segment_verify(fd, size), ==, -EPROTO);
  g_assert_cmpint(shmv_segment_map_page(fd, &page), ==, -EPROTO);
  close(fd);
}

static void
test_only_sealed_memory_is_believed(void)
{
  static const int seals[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE,
                              F_SEAL_SEAL};
  int fd = sealed_memfd(0, (off_t)SIZE, SEALS);
  g_assert_cmpint(shmv_segment_verify(fd, SIZE), ==, 0);
  g_assert_cmpint(shmv_segment_verify(fd, SIZE - 1), ==, -EPROTO);
  g_assert_cmpint(shmv_segment_verify(fd, SIZE + 1), ==, -EPROTO);
  g_assert_cmpint(shmv_segment_verify(fd, SIZE + PAGE), ==, -EPROTO);
  g_assert_cmpint(shmv_segment_verify(fd, 0), ==, -EPROTO);
  g_assert_cmpint(shmv_segment_verify(fd, UINT64_MAX), ==, -EPROTO);
  close(fd);
  for (gsize i = 0; i < G_N_ELEMENTS(seals); i++) {
    fd = sealed_memfd(0, (off_t)SIZE, SEALS & ~seals[i]);
    g_assert_cmpint(shmv_segment_verify(fd, SIZE), ==, -EPROTO);
    close(fd);
  }
  /* Right, but not to be looked at. */
  fd = sealed_memfd(0, (off_t)SIZE, SEALS);
  const void *view;
  int blind = reopen(fd, O_WRONLY);
  g_assert_cmpint(shmv_segment_verify(blind, SIZE), ==, 0);
  g_assert_cmpint(shmv_segment_map(blind, 0, SIZE, &view), ==, -EPROTO);
  close(blind);
  close(fd);
  /* A page needs its size sealed, and to be a page. */
  assert_refused(sealed_memfd(0, SHMV_PAGE_SIZE, 0), SIZE);
  assert_refused(sealed_memfd(0, SHMV_PAGE_SIZE, F_SEAL_SHRINK), SIZE);
  assert_refused(sealed_memfd(0, SHMV_PAGE_SIZE, F_SEAL_GROW), SIZE);
  assert_refused(sealed_memfd(0, 2 * SHMV_PAGE_SIZE,
                              F_SEAL_SHRINK | F_SEAL_GROW),
                 SIZE);
  g_assert_cmpint(shmv_segment_verify(-1, SIZE), ==, -EPROTO);
}

static void
test_other_kinds_are_refused(void)
{
  int ends[2];
  const char *path = shmvtest_output("file");
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
  assert_refused(fd, SIZE);
  fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) { /* the same file system as a memfd's, and not sealed */
    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    assert_refused(fd, SIZE);
  }
  assert_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), SIZE);
  assert_refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), SIZE);
  g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
  assert_refused(ends[0], SIZE);
  assert_refused(ends[1], SIZE);
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==,
                  0);
  assert_refused(ends[0], SIZE);
  assert_refused(ends[1], SIZE);
  /* Huge pages can run out when they are touched. */
  fd = sealed_memfd(MFD_HUGETLB, 2 << 20, SEALS & ~F_SEAL_SEAL);
  if (fd < 0)
    g_test_message("this kernel has no huge pages");
  else
    assert_refused(fd, 2 << 20);
}

/* ---- Fork, exec, cores ----------------------------------------------------------------- */

/* The kernel's flags of the mapping at data, " dc dd " say; free it. */
static char *
mapping_flags(const void *data)
{
  char start[32], *text = NULL, *flags = NULL;
  snprintf(start, sizeof start, "%08" PRIxPTR "-", (uintptr_t)data);
  g_assert_true(g_file_get_contents("/proc/self/smaps", &text, NULL, NULL));
  char **lines = g_strsplit(text, "\n", -1);
  bool here = false;
  for (char **line = lines; *line != NULL; line++) {
    if (g_ascii_isxdigit((*line)[0]) && strchr(*line, '-') != NULL &&
        strstr(*line, "kB") == NULL)
      here = g_str_has_prefix(*line, start);
    else if (here && g_str_has_prefix(*line, "VmFlags:") && flags == NULL)
      flags = g_strconcat(*line, " ", NULL);
  }
  g_strfreev(lines);
  g_free(text);
  g_assert_nonnull(flags);
  return flags;
}

static void
assert_kept_to_ourselves(const void *data)
{
  char *flags = mapping_flags(data);
  g_assert_nonnull(strstr(flags, " dc ")); /* not copied by fork */
  g_assert_nonnull(strstr(flags, " dd ")); /* not dumped */
  g_free(flags);
}

static int
count_mappings(int in, int out, void *user)
{
  int n = 0;
  (void)in, (void)out, (void)user;
  char *text = NULL;
  if (!g_file_get_contents("/proc/self/maps", &text, NULL, NULL))
    return 100;
  for (const char *at = text; (at = strstr(at, "/memfd:shmvideo")) != NULL; n++)
    at++;
  g_free(text);
  return n;
}

static void
test_children_and_cores_have_none(void)
{
  struct shmv_segment segment = create(SIZE);
  const void *view, *ours;
  void *theirs;
  int fd;
  g_assert_cmpint(shmv_segment_map(segment.fd, 0, SIZE, &view), ==, 0);
  g_assert_cmpint(shmv_segment_create_page(&ours, &fd), ==, 0);
  g_assert_cmpint(shmv_segment_map_page(fd, &theirs), ==, 0);
  assert_kept_to_ourselves(segment.data);
  assert_kept_to_ourselves(view);
  assert_kept_to_ourselves(ours);
  assert_kept_to_ourselves(theirs);
  g_assert_cmpint(count_mappings(0, 0, NULL), ==, 4);
  struct shmvtest_child *child = shmvtest_fork(count_mappings, NULL);
  g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
  shmvtest_child_free(child);
  g_assert_cmpint(fcntl(segment.fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  g_assert_cmpint(fcntl(segment.fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
  close(fd);
  shmv_segment_unmap(ours, SHMV_PAGE_SIZE);
  shmv_segment_unmap(theirs, SHMV_PAGE_SIZE);
  shmv_segment_unmap(view, SIZE);
  shmv_segment_destroy(&segment);
}

/* ---- Memory ------------------------------------------------------------------------------ */

/* Pages of [data, data + size) that can be touched without a fault. */
static size_t
n_present(const void *data, size_t size)
{
  int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  size_t n = 0;
  g_assert_cmpint(fd, >=, 0);
  for (size_t at = 0; at < size; at += PAGE) {
    uint64_t entry = 0;
    off_t place = (off_t)(((uintptr_t)data + at) / PAGE * sizeof entry);
    g_assert_cmpint(pread(fd, &entry, sizeof entry, place), ==, sizeof entry);
    n += entry >> 63;
  }
  close(fd);
  return n;
}

/* Sanitizers and valgrind touch memory of their own along with ours. */
__attribute__((noinline, no_sanitize("address"), no_sanitize("thread"),
               no_sanitize("undefined"))) static long
faults_of_touching(volatile uint8_t *data, size_t size)
{
  struct rusage before, after;
  getrusage(RUSAGE_THREAD, &before);
  for (size_t at = 0; at < size; at += PAGE)
    data[at]++;
  getrusage(RUSAGE_THREAD, &after);
  return after.ru_minflt + after.ru_majflt - before.ru_minflt -
         before.ru_majflt;
}

static uint64_t
memory_behind(int fd)
{
  struct stat stat;
  g_assert_cmpint(fstat(fd, &stat), ==, 0);
  return (uint64_t)stat.st_blocks * 512;
}

/* Three slots of 3 MiB and a bit, the middle one with memory. */
static void
test_memory_comes_slot_by_slot(void)
{
  size_t slot = ((size_t)3 << 20) + 5 * PAGE;
  struct shmv_segment segment = create(3 * slot);
  const void *view;
  g_assert_cmpuint(memory_behind(segment.fd), ==, 0);
  g_assert_cmpuint(n_present(segment.data, 3 * slot), ==, 0);
  g_assert_cmpint(shmv_segment_populate(&segment, slot, slot), ==, 0);
  g_assert_cmpuint(n_present(segment.data, slot), ==, 0);
  g_assert_cmpuint(n_present(segment.data + slot, slot), ==, slot / PAGE);
  g_assert_cmpuint(n_present(segment.data + 2 * slot, slot), ==, 0);
  g_assert_cmpuint(memory_behind(segment.fd), ==, slot);
  g_assert_cmpint(shmv_segment_verify_memory(segment.fd, slot), ==, 0);
  g_assert_cmpint(shmv_segment_verify_memory(segment.fd, slot + 1), ==,
                  -EPROTO);
  g_assert_cmpint(shmv_segment_verify_memory(segment.fd, UINT64_MAX), ==,
                  -EPROTO);
  if (g_getenv("SHMVIDEO_TEST_VALGRIND") == NULL)
    g_assert_cmpint(faults_of_touching(segment.data + slot, slot), ==, 0);
  /* A reader's mapping of that one has it at once too, and adds nothing. */
  g_assert_cmpint(shmv_segment_map(segment.fd, slot, slot, &view), ==, 0);
  g_assert_cmpuint(n_present(view, slot), ==, slot / PAGE);
  g_assert_cmpuint(memory_behind(segment.fd), ==, slot);
  shmv_segment_unmap(view, slot);
  shmv_segment_destroy(&segment);
}

/* ---- Failing ------------------------------------------------------------------------------- */

/* With so many descriptors more than now, none of the calls leaves anything. */
static int
create_with_few_descriptors(int in, int out, void *user)
{
  struct shmv_segment segment;
  const void *page;
  int fd, more = *(const int *)user;
  (void)in, (void)out;
  int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  struct rlimit before, limit;
  if (next < 0 || getrlimit(RLIMIT_NOFILE, &before) < 0)
    return 1;
  limit = before;
  limit.rlim_cur = (rlim_t)(next + more);
  setrlimit(RLIMIT_NOFILE, &limit);
  if (shmv_segment_create(&segment, "shmvideo-few", PAGE) != -EMFILE)
    return 2;
  int code = shmv_segment_create_page(&page, &fd);
  if (code != (more == 0 ? -EMFILE : 0))
    return 3;
  if (code == 0) {
    shmv_segment_unmap(page, SHMV_PAGE_SIZE);
    close(fd);
  }
  /* What was left behind would take a descriptor's place. */
  setrlimit(RLIMIT_NOFILE, &before);
  if (open("/dev/null", O_RDONLY | O_CLOEXEC) != next)
    return 4;
  return count_mappings(0, 0, NULL) == 0 ? 0 : 5;
}

static void
test_failing_leaves_nothing(void)
{
  for (int more = 0; more < 2; more++) {
    struct shmvtest_child *child =
        shmvtest_fork(create_with_few_descriptors, &more);
    g_assert_cmpint(shmvtest_child_wait(child, shmvtest_deadline()), ==, 0);
    shmvtest_child_free(child);
  }
  /* More address space than there is. */
  struct shmv_segment segment;
  g_assert_cmpint(shmv_segment_create(&segment, "shmvideo-much",
                                      (SIZE_MAX >> 2) / PAGE * PAGE),
                  <, 0);
  g_assert_cmpint(count_mappings(0, 0, NULL), ==, 0);
}

static void
test_destroying_twice(void)
{
  struct shmv_segment segment = create(SIZE);
  shmv_segment_close_fd(&segment);
  g_assert_cmpint(segment.fd, ==, -1);
  segment.data[0] = 1; /* the mapping stands */
  shmv_segment_destroy(&segment);
  shmv_segment_destroy(&segment);
  shmv_segment_unmap(NULL, SIZE);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shmvtest_add("/segment/seals-hold", test_seals_hold);
  shmvtest_add("/segment/a-page-is-its-readers-alone", test_page);
  shmvtest_add("/segment/only-sealed-memory-is-believed",
               test_only_sealed_memory_is_believed);
  shmvtest_add("/segment/other-kinds-are-refused",
               test_other_kinds_are_refused);
  shmvtest_add("/segment/children-and-cores-have-none",
               test_children_and_cores_have_none);
  shmvtest_add("/segment/memory-comes-slot-by-slot",
               test_memory_comes_slot_by_slot);
  shmvtest_add("/segment/failing-leaves-nothing", test_failing_leaves_nothing);
  shmvtest_add("/segment/destroying-twice", test_destroying_twice);
  return shmvtest_run();
}
