/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "pages.h"

#include <stdbool.h>
#include <string.h>

#include "slot.h"
#include "world.h"

#define N_READERS 4
#define N_HOLDS 4
#define N_STEPS 48

/* A reader that keeps the rules knows what it holds; of one that does not nothing is
 * known. The worst of them waits for gen to become odd and then names that slot, so
 * many times. */
struct reader {
  struct shmv_page page;
  bool honest;
  uint32_t held[N_HOLDS]; /* slot, SHMV_MAX_SLOTS: none */
  unsigned lurks;
  bool named;
};

static struct {
  struct world_board *world;
  struct shmv_board *board;
  struct shmv_claims claims;
  struct shmv_claimant claimants[SHMV_MAX_READERS];
  struct reader readers[N_READERS];
  uint32_t n_readers, n_out;
  bool claiming;     /* now */
  uint32_t visitor;  /* an honest reader who acts within a claim */
  uint8_t visit;     /* what it does */
  unsigned visit_at; /* when so many loads are done, 0: nobody does */
  bool enough;       /* slots, whatever they hold */
  bool lossless;     /* somebody may be waited for */
  bool lurked;       /* gen is odd, and that was seen */
} game;

/* ---- Readers --------------------------------------------------------------- */

static void
act_honestly(struct reader *reader, const struct shmv_claimant *claimant,
             uint8_t what)
{
  struct shmv_holder holder = {.board = game.board,
                               .page = &reader->page,
                               .generation = game.board->generation,
                               .n_slots = game.claims.active};
  struct shmv_slot_entry entry;
  uint32_t k = what % claimant->n_holds, slot;
  uint32_t sequence = (uint32_t)game.claims.sequence - (what >> 4);
  if (reader->held[k] != SHMV_MAX_SLOTS) {
    shmv_slot_unhold(&reader->page, k);
    reader->held[k] = SHMV_MAX_SLOTS;
    return;
  }
  if (shmv_slot_hold(&holder, k, sequence, &slot, &entry) == SHMV_HOLD_OK) {
    FUZZ_CHECK((uint32_t)entry.sequence == sequence);
    reader->held[k] = slot;
    if (reader->page.cursor == sequence)
      atomic_store(&reader->page.cursor, sequence + 1);
  }
}

/* Of those that lie in wait, the first that can do so names the slot. */
static void
lurk(void)
{
  uint32_t slot = 0;
  while (slot < game.claims.active &&
         (game.claims.out[slot] ||
          (atomic_load(&game.board->slots[slot].gen) & 1) == 0))
    slot++;
  bool found = slot < game.claims.active;
  if (found == game.lurked)
    return;
  game.lurked = found;
  uint32_t word = shmv_hold_word(game.board->generation, slot);
  for (uint32_t i = 0; i < game.n_readers; i++) {
    struct reader *reader = &game.readers[i];
    if (!found && reader->named)
      atomic_store(&reader->page.hold[0], 0);
    reader->named = found && reader->lurks > 0 && !game.claimants[i].broken;
    if (!reader->named)
      continue;
    atomic_store(&reader->page.hold[0], word);
    reader->lurks--;
    found = false; /* one is enough */
  }
}

static void before_load(void);

static void
visit(void)
{
  uint32_t i = game.visitor;
  if (!game.claiming || game.visit_at == 0 || --game.visit_at > 0)
    return;
  world_before_load = NULL; /* its own loads are not the writer's */
  act_honestly(&game.readers[i], &game.claimants[i], game.visit);
  world_before_load = before_load;
}

static void
before_load(void)
{
  lurk();
  visit();
}

static void
begin(struct fuzz_input *in)
{
  memset(&game, 0, sizeof game);
  game.world = world_new_board();
  game.board = game.world->board;
  game.n_readers = fuzz_u8(in) % N_READERS + 1;
  uint32_t depth = 0, holds = 0, sequence = fuzz_number(in);
  sequence += sequence == 0;
  for (uint32_t i = 0; i < game.n_readers; i++) {
    struct reader *reader = &game.readers[i];
    struct shmv_claimant *claimant = &game.claimants[i];
    uint8_t kind = fuzz_u8(in);
    reader->honest = kind & 1;
    for (int k = 0; k < N_HOLDS; k++)
      reader->held[k] = SHMV_MAX_SLOTS;
    claimant->page = &reader->page;
    claimant->n_holds = kind >> 1 & 3 ? kind >> 1 & 3 : N_HOLDS;
    claimant->depth = (kind >> 3 & 7) + 1;
    claimant->lossless = kind >> 6 == 3;
    claimant->cursor_valid = kind >> 7;
    claimant->floor = sequence;
    atomic_store(&reader->page.cursor, sequence);
    game.lossless = game.lossless || claimant->lossless;
    holds += claimant->n_holds;
    depth = claimant->depth > depth ? claimant->depth : depth;
  }
  uint8_t fewer = fuzz_u8(in);
  uint32_t active = 3 + depth + holds;
  game.enough = fewer < 192;
  if (!game.enough)
    active = active > fewer % 16 + 1u ? active - fewer % 16 : 1;
  game.board->generation = fuzz_number(in);
  shmv_claims_init(&game.claims, game.board, game.claimants, sequence);
  game.claims.active = active;
  atomic_store(&game.board->head, sequence);
}

/* ---- The writer ------------------------------------------------------------ */

static void
check_claimed(uint32_t slot)
{
  FUZZ_CHECK(slot < game.claims.active && slot != game.claims.newest);
  FUZZ_CHECK(game.claims.out[slot]);
  FUZZ_CHECK((atomic_load(&game.board->slots[slot].gen) & 1) == 1);
  for (uint32_t i = 0; i < game.n_readers; i++)
    for (uint32_t k = 0; k < game.claimants[i].n_holds; k++)
      FUZZ_CHECK(game.readers[i].held[k] != slot);
}

static void
claim(struct fuzz_input *in)
{
  uint32_t gens[SHMV_MAX_SLOTS], slot;
  bool was_out[SHMV_MAX_SLOTS];
  uint8_t what = fuzz_u8(in);
  unsigned before = world_n_loads(), bound = 0;
  for (uint32_t i = 0; i < game.claims.active; i++) {
    gens[i] = atomic_load(&world_entry(game.world, i)->gen);
    was_out[i] = game.claims.out[i];
  }
  /* A turn looks at all words twice; readers spoil so many turns, and again so many
   * for each that is found out; a turn that finds nothing comes after one spoilt. */
  for (uint32_t i = 0; i < game.n_readers; i++)
    bound += 2 * (4 * game.claimants[i].depth + 1);
  bound = (bound * (game.n_readers + 1) + 1) * (2 * N_READERS * N_HOLDS + 8);
  game.claiming = true;
  enum shmv_claim_result result = shmv_slot_claim(&game.claims, &slot);
  game.claiming = false;
  FUZZ_CHECK(world_n_loads() - before <= bound);
  for (uint32_t i = 0; i < game.claims.active; i++)
    FUZZ_CHECK((result == SHMV_CLAIM_OK && i == slot) ||
               atomic_load(&game.board->slots[i].gen) == gens[i]);
  if (result != SHMV_CLAIM_OK) {
    FUZZ_CHECK(result == SHMV_CLAIM_LOSSLESS ? game.lossless
                                             : !game.enough || game.n_out > 1);
    return;
  }
  FUZZ_CHECK(!was_out[slot]);
  check_claimed(slot);
  if (what & 1)
    shmv_slot_discard(&game.claims, slot);
  else
    shmv_slot_publish(&game.claims, slot);
  FUZZ_CHECK((atomic_load(&game.board->slots[slot].gen) & 1) == 0);
  if ((what & 6) == 6) /* stays out: at most one, as the count of slots has it */
    game.n_out++;
  else
    shmv_slot_return(&game.claims, slot);
}

static void
take_back(void)
{
  for (uint32_t i = 0; i < game.claims.active; i++)
    if (game.claims.out[i])
      shmv_slot_return(&game.claims, i);
  game.n_out = 0;
}

static void
lie(struct fuzz_input *in, struct reader *reader, bool later)
{
  uint8_t which = fuzz_u8(in), near = fuzz_u8(in);
  uint32_t value = shmv_hold_word(game.board->generation,
                                  near % (game.claims.active + 1));
  shmv_word *word = &reader->page.hold[which % N_HOLDS];
  if ((which & 0x1f) == 0x1f) {
    word = &reader->page.cursor;
    value = (uint32_t)game.claims.sequence + (uint32_t)(int8_t)near;
  } else if ((which & 0x1f) == 0x1e) {
    word = &reader->page.armed;
    value = near;
  } else if ((which & 0x1f) == 0x1d) {
    value = fuzz_u32(in);
  }
  if (later)
    world_change(which >> 5 << (near >> 6), word, value);
  else
    atomic_store(word, value);
}

static void
step(struct fuzz_input *in, uint8_t name)
{
  uint32_t i = (name >> 4 & 3) % game.n_readers, answered = 0;
  struct shmv_claimant *claimant = &game.claimants[i];
  switch (name & 7) {
    case 0: case 1:
      claim(in);
      break;
    case 2:
      take_back();
      break;
    case 3:
      (void)shmv_slot_must_wake(claimant->page, &answered);
      FUZZ_CHECK(!shmv_slot_must_wake(claimant->page, &answered) ||
                 !game.readers[i].honest);
      break;
    case 4: case 5:
      if (game.readers[i].honest && (name & 8) != 0) {
        game.visitor = i;
        game.visit = fuzz_u8(in);
        game.visit_at = fuzz_u8(in) % 64;
        break;
      }
      if (game.readers[i].honest) {
        act_honestly(&game.readers[i], claimant, fuzz_u8(in));
        break;
      }
      /* fallthrough */
    case 6:
      game.readers[i].lurks = game.readers[i].honest ? 0 : fuzz_u8(in);
      break;
    default:
      if (!game.readers[i].honest)
        lie(in, &game.readers[i], (name & 8) != 0);
      break;
  }
}

void
pages_try(struct fuzz_input *in)
{
  world_begin_writer(game.readers, sizeof game.readers);
  begin(in);
  world_before_load = before_load;
  for (int i = 0; fuzz_left(in) > 0 && i < N_STEPS; i++) {
    step(in, fuzz_u8(in));
    for (uint32_t k = 0; k < game.n_readers; k++)
      FUZZ_CHECK(!game.readers[k].honest || !game.claimants[k].broken);
  }
}
