/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shim-calls.h"

/* How often a function fails in the variant where it does so many times. */
#define BURST 3

/* The calls of one place that fail in every way; those after them in one. */
#define NEWS 3
#define MAX_SITES 512

static struct site {
  const void *address;
  enum shim_side side;
  unsigned n;      /* calls since shim_arm */
  bool failed, known; /* in this telling, in those before */
} sites[MAX_SITES];
static bool only_unknown;
static enum shim_side target; /* whose calls are counted */
static unsigned wanted, wanted_variant, n_calls, n_variants, burst;
static struct shim_call *failed; /* what failed first */
static int failed_errno;
static char description[64];
static _Thread_local enum shim_side inside;
static bool everybody;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool shim_old_kernel, shim_no_environment;
int shim_peer_pid;
long shim_n_allocated;
void (*shim_border)(bool inside);

void
shim_enter(enum shim_side side)
{
  everybody = side == SHIM_ALL;
  inside = side;
  if (shim_border != NULL)
    shim_border(true);
}

void
shim_leave(void)
{
  if (shim_border != NULL)
    shim_border(false);
  inside = SHIM_NOBODY;
  everybody = false;
}

enum shim_side
shim_inside(void)
{
  return everybody ? SHIM_ALL : inside;
}

void
shim_arm(enum shim_side side, unsigned n, unsigned variant)
{
  target = side;
  wanted = n;
  wanted_variant = variant;
  n_calls = n_variants = burst = 0;
  for (unsigned i = 0; i < MAX_SITES; i++)
    sites[i].n = 0;
  failed = NULL;
  failed_errno = 0;
  description[0] = 0;
}

void
shim_blame(const char *what, int error)
{
  static struct shim_call other;
  other.name = what;
  failed = &other;
  failed_errno = error;
  g_strlcpy(description, what, sizeof description);
}

const char *
shim_failed(void)
{
  return failed != NULL ? description : NULL;
}

int
shim_errno(void)
{
  return failed_errno;
}

unsigned
shim_n_variants(void)
{
  return n_variants;
}

bool
shim_was(const char *function)
{
  return failed != NULL && strcmp(failed->name, function) == 0;
}

static struct site *
find_site(const void *address)
{
  unsigned i = 0;
  while (sites[i].address != NULL &&
         (sites[i].address != address || sites[i].side != target))
    g_assert_cmpuint(++i, <, MAX_SITES);
  sites[i].address = address;
  sites[i].side = target;
  return &sites[i];
}

void
shim_only_unknown(bool only)
{
  only_unknown = only;
  for (unsigned i = 0; i < MAX_SITES; i++)
    sites[i].known |= sites[i].failed;
}

/* Whether this call is to fail: then errno is set. */
static bool
decide(struct shim_call *call, const int *errnos, const void *site)
{
  if (burst > 0 && call == failed) {
    burst--;
    return true;
  }
  struct site *from = find_site(site);
  bool usual = ++from->n > NEWS;
  if ((from->known && only_unknown) || ++n_calls != wanted)
    return false;
  while (errnos[n_variants] != 0)
    n_variants++;
  bool often = !usual && !call->never_often;
  n_variants = usual ? 1 : n_variants + often;
  unsigned variant = wanted_variant % n_variants; /* threads may change the order */
  bool many = often && variant == n_variants - 1;
  from->failed = true;
  failed = call;
  failed_errno = errnos[many ? 0 : variant];
  burst = many ? BURST - 1 : 0;
  call->n_failed++;
  snprintf(description, sizeof description, "%s: %s%s", call->name,
           failed_errno == SHIM_CUT ? "descriptors cut off"
                                    : strerrorname_np(failed_errno),
           many ? ", many times" : "");
  return true;
}

bool
shim_count(struct shim_call *call, const int *errnos, const void *site)
{
  if (shim_inside() == SHIM_NOBODY || shim_inside() != target ||
      errnos[0] == 0)
    return false;
  pthread_mutex_lock(&lock);
  bool fails = decide(call, errnos, site);
  pthread_mutex_unlock(&lock);
  if (fails)
    errno = failed_errno;
  return fails;
}

bool
shim_is_next(void)
{
  return burst == 0 && n_calls + 1 == wanted && shim_inside() == target &&
         target != SHIM_NOBODY;
}

static void
note_never(GString *text, const struct shim_call *call)
{
  if (call->n_failed == 0)
    g_string_append_printf(text, "%s\n", call->name);
}

char *
shim_never_failed(void)
{
  GString *text = g_string_new(NULL);
  for (struct shim_call *const *call = shim_calls; *call != NULL; call++)
    note_never(text, *call);
  for (struct shim_call *const *call = shim_file_calls; *call != NULL; call++)
    note_never(text, *call);
  note_never(text, shim_call_ppoll);
  note_never(text, shim_call_inotify_init1);
  note_never(text, shim_call_inotify_add_watch);
  return g_string_free(text, text->len == 0);
}

void
shim_count_allocation(int change)
{
  if (shim_inside() != SHIM_NOBODY)
    shim_n_allocated += change;
}

int
shim_new_fd(const struct shim_call *call, int fd)
{
  if (fd >= 0 && shim_inside() != SHIM_NOBODY &&
      (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
    g_error("%s made a descriptor that programs inherit", call->name);
  return fd;
}
