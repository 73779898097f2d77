/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * bench-lib: allocations are counted
 *
 * The program's own malloc comes before libc's for all that it loads, so also for the
 * library. What it calls are glibc's own names of the same functions.
 */

#include "lib.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t n_allocations;

static void
count(void)
{
  atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
}

uint64_t
lib_allocations(void)
{
  return n_allocations;
}

uint64_t
lib_minor_faults(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)usage.ru_minflt;
}

void *
malloc(size_t size)
{
  count();
  return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
  count();
  return __libc_calloc(n, size);
}

void *
realloc(void *pointer, size_t size)
{
  count();
  return __libc_realloc(pointer, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
  count();
  return __libc_memalign(alignment, size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
  count();
  *out = __libc_memalign(alignment, size);
  return *out != NULL ? 0 : ENOMEM;
}
