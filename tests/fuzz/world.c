/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "os.h"

#include "world.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "closing.h"
#include "fuzz.h"
#include "script.h"
#include "socket.h"
#include "world-impl.h"

#define N_FDS 200

struct world_failures world_failures;
uint64_t world_time;

static struct world_fd fds[N_FDS];
static int n_fds;

static struct {
  uint8_t bytes[SCRIPT_MAX];
  size_t size;
  int fds[3];
  unsigned n_fds;
} inbox[WORLD_INBOX];
static unsigned n_inbox;

static unsigned n_open;

/* ---- Allocations and descriptors --------------------------------------------- */

static bool
alloc_fails(void)
{
  return world_failures.alloc > 0 && --world_failures.alloc == 0;
}

void *
world_calloc(size_t n, size_t size)
{
  return alloc_fails() ? NULL : calloc(n, size);
}

char *
world_strndup(const char *text, size_t size)
{
  return alloc_fails() ? NULL : strndup(text, size);
}

int
world_failure(int *which)
{
  int code = *which;
  *which = 0;
  return code;
}

int
world_open(enum world_kind kind, struct world_board *board)
{
  FUZZ_CHECK(n_fds < N_FDS);
  memset(&fds[n_fds], 0, sizeof fds[n_fds]);
  fds[n_fds].kind = kind;
  fds[n_fds].board = board;
  if (board != NULL)
    board->n_fds++;
  n_open++;
  return n_fds++;
}

struct world_fd *
world_fd(int fd, enum world_kind kind)
{
  bool open = fd >= 0 && fd < n_fds && fds[fd].kind == kind;
  return open ? &fds[fd] : NULL;
}

static bool
is_open(int fd, enum world_kind kind)
{
  return world_fd(fd, kind) != NULL;
}

/* What lies in a socket goes with it, descriptors too. */
int
world_close(int fd)
{
  FUZZ_CHECK(fd >= 0 && fd < n_fds && fds[fd].kind != WORLD_NONE);
  unsigned n = fds[fd].kind == WORLD_SOCKET ? n_inbox : 0;
  fds[fd].kind = WORLD_NONE;
  if (fds[fd].board != NULL)
    fds[fd].board->n_fds--;
  n_open--;
  while (n > 0) {
    n_inbox = --n;
    for (unsigned k = 0; k < inbox[n].n_fds; k++)
      world_close(inbox[n].fds[k]);
  }
  return 0;
}

uint64_t
shmv_now(void)
{
  return world_time;
}

void
shmv_close_received(int fd)
{
  world_close(fd);
}

bool
shmv_close_connection(int fd)
{
  FUZZ_CHECK(is_open(fd, WORLD_SOCKET));
  world_close(fd);
  return true;
}

int
world_shutdown(int fd, int how)
{
  (void)how;
  FUZZ_CHECK(is_open(fd, WORLD_SOCKET));
  return 0;
}

int
world_poll(struct pollfd *pollfds, nfds_t n, int timeout)
{
  FUZZ_CHECK(n == 1 && timeout == 0 && is_open(pollfds->fd, WORLD_SOCKET));
  pollfds->revents = world_failures.hung_up ? POLLHUP : 0;
  return world_failures.hung_up;
}

int
world_eventfd(unsigned value, int flags)
{
  (void)value;
  (void)flags;
  return world_open(WORLD_EVENT, NULL);
}

int
world_eventfd_write(int fd, uint64_t value)
{
  (void)value;
  FUZZ_CHECK(is_open(fd, WORLD_EVENT));
  return 0;
}

/* ---- Sockets --------------------------------------------------------------- */

int
shmv_socket_peer(int fd, struct shmv_peer_id *out)
{
  FUZZ_CHECK(is_open(fd, WORLD_SOCKET));
  *out = (struct shmv_peer_id){
      .pid = 1, .uid = 1, .pidfd = world_open(WORLD_PROCESS, NULL)};
  return 0;
}

/* What the reader says must be a message. */
int
shmv_socket_send(int fd, const void *message, size_t size, const int *out_fds,
                 unsigned n_out_fds)
{
  struct shmv_message said;
  FUZZ_CHECK(is_open(fd, WORLD_SOCKET) && out_fds == NULL && n_out_fds == 0);
  FUZZ_CHECK(shmv_wire_decode(&said, message, size) == 0);
  return world_failure(&world_failures.send);
}

bool
world_post(const uint8_t *bytes, size_t size, const int *their_fds,
           unsigned n_their_fds)
{
  if (n_inbox == WORLD_INBOX || size > SCRIPT_MAX || n_their_fds > 3)
    return false;
  memcpy(inbox[n_inbox].bytes, bytes, size);
  inbox[n_inbox].size = size;
  for (unsigned i = 0; i < n_their_fds; i++)
    inbox[n_inbox].fds[i] = their_fds[i];
  inbox[n_inbox++].n_fds = n_their_fds;
  return true;
}

int
shmv_socket_recv(int fd, void *message, size_t size, size_t *out_size,
                 int *out_fds, unsigned max_fds, unsigned *out_n_fds)
{
  FUZZ_CHECK(is_open(fd, WORLD_SOCKET));
  int code = world_failure(&world_failures.receive);
  *out_size = 0;
  *out_n_fds = 0;
  if (code < 0 || (n_inbox == 0 && world_failures.hung_up))
    return code;
  if (n_inbox == 0)
    return -EAGAIN;
  unsigned n = inbox[0].n_fds;
  bool fits = inbox[0].size <= size;
  bool good = fits && n <= max_fds;
  if (fits)
    memcpy(message, inbox[0].bytes, inbox[0].size);
  for (unsigned i = 0; i < n; i++)
    if (good)
      out_fds[i] = inbox[0].fds[i];
    else
      world_close(inbox[0].fds[i]);
  if (good) {
    *out_size = inbox[0].size;
    *out_n_fds = n;
  }
  memmove(inbox, inbox + 1, --n_inbox * sizeof inbox[0]);
  return good ? 0 : fits ? -EBADMSG : -EMSGSIZE;
}

/* ---- Beginning and end ----------------------------------------------------- */

void
world_begin(void)
{
  n_fds = 0;
  n_open = n_inbox = 0;
  world_time = 0;
  memset(&world_failures, 0, sizeof world_failures);
  world_begin_memory();
}

void
world_check_clean(void)
{
  FUZZ_CHECK(n_open == 0);
  world_check_memory();
}
