/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The writer's wishes: formats that its readers ask for
 *
 * Owns what becomes of a reader that cannot take the present format, when the caller
 * said that it negotiates: one wish at a time is told to the caller, who sets that
 * format or refuses. One rule: who receives the present format keeps it, unless he
 * agreed to changes; so while a wish is open nobody else is let into the format that
 * it will replace.
 *
 * All on the dispatching thread, but for refusing.
 */

#include "os.h"

#include "writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "caps.h"
#include "negotiate.h"

/* What readers may have the writer make: frames of which so many fit into max_memory
 * (or its default), at most so many a second and at least one. */
#define MODEST_MEMORY (UINT64_C(1) << 30)
#define MODEST_FRAMES 8u
#define MODEST_RATE 1000u

/* How long a wish may keep others out, ns. */
#define WISH_TIME UINT64_C(5000000000)

/* How long wishes may be thought of at a stretch, ns. */
#define MODEST_TIME UINT64_C(20000000)

/* ---- Who fits ------------------------------------------------------------ */

static void
refuse(struct shmvideo_writer *writer, struct shmv_peer *peer,
       const struct shmv_generation *generation, const char *why)
{
  char sentence[1024], obstacles[280] = "";
  if (peer->accepts != NULL)
    shmv_caps_explain(peer->accepts, generation->caps, obstacles,
                      sizeof obstacles);
  snprintf(sentence, sizeof sentence,
           "%s%s%.260s (the writer's format is %.200s; the reader takes %.140s)",
           obstacles, obstacles[0] != 0 ? "; " : "", why, generation->caps,
           peer->accepts != NULL ? peer->accepts : "ANY");
  peer->waits = false;
  shmv_peer_refuse(writer, peer, SHMV_REFUSED_FORMAT, sentence);
  shmv_writer_kick(writer); /* to say so */
}

static bool
is_flexible(const struct shmv_peer *peer)
{
  return (peer->session.hello.flags & SHMV_HELLO_FLEXIBLE) != 0;
}

/* The stream was said to end, and neither frame nor format has come since. */
static bool
has_ended(struct shmvideo_writer *writer,
          const struct shmv_generation *generation)
{
  pthread_mutex_lock(&writer->lock);
  bool ended = writer->n_ends > 0 && writer->end_sequence == writer->sequence &&
               writer->end_generation == generation->number;
  pthread_mutex_unlock(&writer->lock);
  return ended;
}

bool
shmv_peer_fits(struct shmvideo_writer *writer, struct shmv_peer *peer,
               const struct shmv_generation *generation)
{
  if (peer->judged != generation->number) {
    int code = peer->accepts != NULL
                   ? shmv_caps_accept(peer->accepts, generation->caps, NULL)
                   : 1;
    peer->waits = code <= 0 && code != -ENOMEM;
    if (code == -ENOMEM) { /* not known yet */
      writer->say_again = shmv_now() + SHMV_SAY_PAUSE;
      return false;
    }
    peer->judged = generation->number;
    if (peer->waits && writer->config.negotiate == 0)
      refuse(writer, peer, generation, "the writer does not negotiate");
  }
  if (peer->waits && peer->session.refusal == 0 && has_ended(writer, generation))
    refuse(writer, peer, generation, "the stream ended");
  if (peer->waits || peer->session.refusal != 0)
    return false;
  /* It would settle for a format that is about to be replaced. */
  bool kept_out = writer->wish != NULL && !is_flexible(peer) &&
                  peer->session.sent_generation != generation->number;
  writer->wish_blocks |= kept_out;
  return !kept_out;
}

/* Still with us, and waiting for a format. */
static bool
is_waiting(const struct shmv_peer *peer)
{
  return peer != NULL && peer->waits && !peer->gone && !peer->silenced &&
         peer->session.refusal == 0 && peer->session.state == SHMV_W_LIVE;
}

/* ---- Wishes -------------------------------------------------------------- */

static struct shmv_peer *
find_asker(const struct shmvideo_writer *writer)
{
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++)
    if (is_waiting(writer->peers[i]) &&
        writer->peers[i]->id == writer->wish_for)
      return writer->peers[i];
  return NULL;
}

/* Who waits and came first after the reader with this id, or NULL. */
static struct shmv_peer *
next_waiting(const struct shmvideo_writer *writer, uint64_t after)
{
  struct shmv_peer *first = NULL;
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    struct shmv_peer *peer = writer->peers[i];
    if (is_waiting(peer) && peer->id > after &&
        (first == NULL || peer->id < first->id))
      first = peer;
  }
  return first;
}

void
shmv_wish_drop(struct shmvideo_writer *writer)
{
  free(writer->wish);
  writer->wish = NULL;
  writer->wish_news = true;
  /* Who was kept out meanwhile comes in, before the next wish is told. */
  writer->wish_turn = true;
  shmv_writer_kick(writer);
}

/* Until when a wish may keep others out: a writer that shows nothing just now would let
 * nobody in for the sake of one. */
static uint64_t
wish_end(const struct shmvideo_writer *writer)
{
  return writer->wish != NULL && writer->wish_blocks
             ? writer->wish_since + WISH_TIME
             : UINT64_MAX;
}

bool
shmv_wish_settle(struct shmvideo_writer *writer,
                 const struct shmv_generation *generation, uint64_t now)
{
  pthread_mutex_lock(&writer->lock);
  bool refused = writer->wish_refused;
  writer->wish_refused = false;
  pthread_mutex_unlock(&writer->lock);
  struct shmv_peer *asker = writer->wish != NULL ? find_asker(writer) : NULL;
  bool overdue = asker != NULL && now >= wish_end(writer);
  if (asker != NULL && (refused || overdue) && generation != NULL) {
    char why[300];
    snprintf(why, sizeof why, "the writer %s to make %.230s",
             refused ? "tried in vain" : "does not come, while others wait,",
             writer->wish);
    refuse(writer, asker, generation, why);
    asker = NULL;
  }
  if (writer->wish != NULL && asker == NULL) /* met, refused, or nobody's any more */
    shmv_wish_drop(writer);
  else if (writer->wish == NULL && generation != NULL &&
           now >= writer->wish_at && next_waiting(writer, 0) != NULL)
    writer->wish_news = true;
  return writer->wish_news;
}

uint64_t
shmv_wish_due(const struct shmvideo_writer *writer, uint64_t now)
{
  if (wish_end(writer) != UINT64_MAX)
    return wish_end(writer);
  return writer->wish == NULL && writer->wish_at > now &&
                 next_waiting(writer, 0) != NULL
             ? writer->wish_at
             : 0;
}

/* All readers as negotiation sees them; *asker becomes the index of the peer's. */
static unsigned
list_parties(struct shmvideo_writer *writer,
             const struct shmv_generation *generation,
             const struct shmv_peer *peer, struct shmv_party *parties,
             unsigned *asker)
{
  unsigned n = 0;
  pthread_mutex_lock(&writer->lock);
  bool shown = writer->sequence >= generation->board->first_sequence;
  pthread_mutex_unlock(&writer->lock);
  for (uint32_t i = 0; i < SHMV_MAX_PEERS; i++) {
    const struct shmv_peer *p = writer->peers[i];
    if (p == NULL || p->place == SHMV_MAX_READERS || p->gone || p->silenced ||
        p->session.refusal != 0 || p->session.state == SHMV_W_LEAVING)
      continue;
    if (p == peer)
      *asker = n;
    bool in = p->session.sent_generation == generation->number;
    parties[n++] = (struct shmv_party){
        .accepts = p->accepts,
        .settled = in && shown && !p->waits && !is_flexible(p),
        .waits = p->waits,
        .pid = (int)p->who.pid};
  }
  return n;
}

/* Whether the writer could come to no harm by making that: a reader must not have it take
 * memory without bound, or show its frames in no time or never. What it makes by its own
 * will is always fit. 1, 0, or -ENOMEM. */
static int
is_modest(const struct shmvideo_writer *writer,
          const struct shmvideo_format *present, const char *caps)
{
  struct shmvideo_format wish;
  uint64_t memory = writer->config.max_memory;
  if (memory == 0)
    memory = MODEST_MEMORY;
  int code = shmvideo_format_from_caps(&wish, caps, NULL);
  if (code < 0)
    return code == -ENOMEM ? code : 0;
  bool same_rate = (uint64_t)wish.fps_n * present->fps_d ==
                   (uint64_t)present->fps_n * wish.fps_d;
  return (wish.size <= present->size || wish.size <= memory / MODEST_FRAMES) &&
         (same_rate || (wish.fps_n >= wish.fps_d &&
                        wish.fps_n / wish.fps_d <= MODEST_RATE));
}

/* Ask for what the peer needs, or refuse it. */
static int
try_peer(struct shmvideo_writer *writer,
         const struct shmv_generation *generation, struct shmv_peer *peer,
         const char *offers)
{
  struct shmv_party parties[SHMV_MAX_PEERS];
  char caps[SHMV_CAPS_MAX + 1], why[360] = "";
  unsigned asker = 0;
  unsigned n = list_parties(writer, generation, peer, parties, &asker);
  if (n == 0)
    return 0;
  int code = shmv_negotiate(parties, n, asker, offers, generation->caps, caps,
                            sizeof caps, why, sizeof why);
  if (code < 0 && code != -ENOSPC)
    return code;
  if (code > 0) {
    code = is_modest(writer, &generation->format, caps);
    if (code < 0)
      return code;
    if (code == 0)
      snprintf(why, sizeof why, "no reader may ask for %.300s", caps);
  }
  if (code <= 0) {
    refuse(writer, peer, generation,
           code == 0 ? why : "what both sides can do is too long to be told");
    return 0;
  }
  writer->wish = strdup(caps);
  if (writer->wish == NULL)
    return -ENOMEM;
  writer->wish_for = peer->id;
  writer->wish_since = shmv_now();
  writer->wish_at = writer->wish_since + writer->config.wish_interval;
  shmv_peer_log(writer, peer, SHMVIDEO_LOG_INFO, "wants %s", caps);
  return 1;
}

static int
find_wish(struct shmvideo_writer *writer,
          const struct shmv_generation *generation, const char *offers)
{
  struct shmv_peer *peer = NULL;
  int code = 0;
  if (writer->wish != NULL)
    return 1;
  if (generation == NULL || writer->wish_turn || shmv_now() < writer->wish_at)
    return 0;
  uint64_t end = shmv_now() + MODEST_TIME;
  while (code == 0 &&
         (peer = next_waiting(writer, peer != NULL ? peer->id : 0)) != NULL) {
    code = try_peer(writer, generation, peer, offers);
    if (code == 0 && shmv_now() > end) { /* the rest after everybody's turn */
      writer->wish_turn = true;
      shmv_writer_kick(writer);
      break;
    }
  }
  return code;
}

int
shmvideo_writer_get_wish(struct shmvideo_writer *writer, const char *offers,
                         char *caps, size_t caps_size)
{
  int code = offers != NULL ? shmv_caps_check(offers, NULL) : 0;
  if (code < 0 && code != -ENOMEM)
    return code;
  if (atomic_exchange(&writer->dispatching, true))
    return -EAGAIN;
  writer->wish_news = false;
  struct shmv_generation *generation = shmv_writer_ref_generation(writer);
  if (code == 0)
    code = find_wish(writer, generation, offers);
  if (code == 1 && strlen(writer->wish) >= caps_size)
    code = -ENOSPC;
  if (code == 1)
    strcpy(caps, writer->wish);
  if (code == -ENOMEM) { /* there is news again when there may be memory again */
    writer->wish_at = shmv_now() + SHMV_SAY_PAUSE;
    shmv_writer_kick(writer);
  }
  shmv_writer_unref_generation(writer, generation);
  pthread_mutex_lock(&writer->lock);
  bool waiters = writer->n_waiters > 0;
  pthread_mutex_unlock(&writer->lock);
  atomic_store(&writer->dispatching, false);
  if (waiters)
    eventfd_write(writer->wait_fd, 1);
  return code;
}

void
shmvideo_writer_refuse_wish(struct shmvideo_writer *writer)
{
  pthread_mutex_lock(&writer->lock);
  writer->wish_refused = true;
  pthread_mutex_unlock(&writer->lock);
  shmv_writer_kick(writer);
}
