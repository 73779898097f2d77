/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What there is, is used up
 *
 * The whole story again, with as little as possible: of descriptors (RLIMIT_NOFILE),
 * of address space (RLIMIT_AS), of frame memory (max_memory). The limits hold for
 * the library's calls alone. Each is tried from nothing to enough; what does not
 * succeed says why, and leaves nothing.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stories.h"

#if defined(__SANITIZE_ADDRESS__)
#define HUGE_ADDRESS_SPACE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HUGE_ADDRESS_SPACE 1
#endif
#endif

/* ---- A limit while the library runs ------------------------------------------- */

static int resource = -1; /* RLIMIT_... */
static struct rlimit usual, limit;

static void
limit_library(bool inside)
{
  if (resource >= 0)
    g_assert_cmpint(setrlimit(resource, inside ? &limit : &usual), ==, 0);
}

static void
begin_limit(int which, rlim_t most)
{
  g_assert_cmpint(getrlimit(which, &usual), ==, 0);
  limit = usual;
  limit.rlim_cur = most;
  resource = which;
  shim_border = limit_library;
}

static void
end_limit(void)
{
  shim_border = NULL;
  resource = -1;
}

static void
one_more(void)
{
  limit.rlim_cur++;
}

/* ---- Stories -------------------------------------------------------------------- */

static void
begin(struct story *story)
{
  static char directory[128];
  g_snprintf(directory, sizeof directory, "%s/shmvideo", shmvtest_dir());
  shim_clock_start();
  shim_arm(SHIM_NOBODY, 0, 0);
  story_begin(story, "share");
  story->directory = directory;
}

/* As far as it comes: whether to its end. */
static bool
attempt(struct story *story)
{
  jmp_buf give_up;
  story->give_up = &give_up;
  bool done = setjmp(give_up) == 0;
  if (done)
    story_of_life(story);
  else
    story_abandon(story);
  g_assert_cmpint(shim_n_allocated, ==, 0);
  return done;
}

/* And as if nothing had been, without limits. */
static void
try_again(void)
{
  struct story story;
  begin(&story);
  story_of_wishes(&story);
}

static void
descriptors(void)
{
  struct story story;
  int lowest = dup(STDERR_FILENO); /* the first that the library will have */
  close(lowest);
  for (int n = 0; n < 44; n++) {
    begin(&story);
    shim_blame("RLIMIT_NOFILE", EMFILE);
    story.max_errors = 200;
    story.relieve = one_more;
    begin_limit(RLIMIT_NOFILE, (rlim_t)(lowest + n));
    story_of_life(&story);
    end_limit();
    if (n == 0)
      g_assert_cmpuint(story.n_errors, >, 5);
  }
  g_assert_cmpuint(story.n_errors, ==, 0);
  try_again();
  rmdir(story.directory);
}

#ifdef HUGE_ADDRESS_SPACE
static void
address_space(void)
{
  g_test_skip("a sanitizer needs all address space");
}
#else
/* Bytes of the program's address space. */
static rlim_t
get_size(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  g_assert_cmpint(fscanf(file, "%lu", &pages), ==, 1);
  fclose(file);
  return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void
address_space(void)
{
  struct story story;
  unsigned n_failed = 0, n = 0;
  bool done = false;
  for (; !done || n < 8; n++) {
    begin(&story);
    shim_blame("RLIMIT_AS", ENOMEM);
    begin_limit(RLIMIT_AS, get_size() + n * (64 << 10));
    done = attempt(&story);
    end_limit();
    n_failed += !done;
    g_assert_cmpuint(n, <, 200);
  }
  g_test_message("the story takes %u kB; %u attempts failed", n * 64, n_failed);
  g_assert_cmpuint(n_failed, >, 3);
  try_again();
  rmdir(story.directory);
}
#endif

static void
frame_memory(void)
{
  struct story story;
  bool done = false;
  unsigned n_failed = 0;
  for (unsigned n = 1; !done; n++) {
    begin(&story);
    shim_blame("max_memory", E2BIG);
    story.max_memory = n * 4096;
    done = attempt(&story);
    n_failed += !done;
    g_assert_cmpuint(n, <, 40);
  }
  g_test_message("%u frames were not enough", n_failed);
  g_assert_cmpuint(n_failed, >, 3);
  try_again();
  rmdir(story.directory);
}

int
main(int argc, char **argv)
{
  shmvtest_init(&argc, &argv);
  shim_inotify_start();
  shmvtest_add("/limits/descriptors", descriptors);
  shmvtest_add("/limits/address-space", address_space);
  shmvtest_add("/limits/frame-memory", frame_memory);
  return shmvtest_run();
}
