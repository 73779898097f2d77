/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Who may touch a slot, and who wakes whom: one writer, a reader of policy latest
 * (number 0) and a lossless one (number 1), on one board. What is atomic here makes one
 * access to shared memory, as in libshmvideo/slot.c and writer-wait.c; between any two
 * anybody may be killed, a living reader dropped, a lossless one demoted. Memory is
 * sequentially consistent here: what weaker orders do is for the litmus tests.
 *
 * Owns these invariants; assertions name them:
 *   EXCLUSIVE  no slot is written that a reader that is connected holds and has checked
 *   FAITHFUL   what a reader is handed is the frame that it asked for, complete
 *   COMPLETE   a lossless reader gets each frame from its floor on
 *   HONEST     a frame that a lossless reader needs is gone only after the board has said
 *              that the reader is demoted
 *   AWAKE      when nothing can happen any more, nobody who lives has anything left to do
 *
 * -D chooses sizes; a mutant is one more -D, and breaks one line.
 */

#ifndef FRAMES
#define FRAMES 3
#endif
#ifndef HOLDS
#define HOLDS 1 /* of each reader */
#endif
#ifndef SLOTS
#define SLOTS (2 + 2 * HOLDS)
#endif
#ifndef RING
#define RING SLOTS /* no shorter: each slot may have a frame that is needed */
#endif
#ifndef DEPTH
#define DEPTH 1 /* of the reader of policy latest */
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef DROPS
#define DROPS 0
#endif
#ifndef DEMOTIONS
#define DEMOTIONS 0
#endif
#ifndef DISCARDS
#define DISCARDS 0 /* claimed slots that are filled and not shown */
#endif
/* KEEPS: a reader may keep a frame for ever. */
#ifndef READERS
#define READERS 2
#endif
#ifndef FIRST
#define FIRST 0 /* 1 with READERS 2: the lossless one alone */
#endif

#define LOSSLESS 1
#define NONE 255

/* Hold words of those who are there. */
#define FROM (FIRST * HOLDS)
#define TO (READERS * HOLDS)

/* The writer's words. */
bit gen[SLOTS]; /* odd: 1 */
byte seq[SLOTS], content[SLOTS], ring[RING];
byte head, waits;
bool demoted[2];

/* Readers' words. */
byte hold[2 * HOLDS], cursor[2], armed[2];

/* What the kernel owns: messages, deaths; and what dispatch has made of them. */
byte wakes[2];
bool nudge, gone[2], writer_gone;
bool present[2], ready[2], rights[2]; /* rights: lossless, and not demoted */
byte floor[2];
bool locked; /* the writer's own lock: dispatch and claims take turns */

/* Ghosts: who is dead, who is done, which slots are held and checked. */
bool dead[2], writer_dead, done[2], writer_done;
bool keeps[2]; /* a frame, for ever */
byte checked[2 * HOLDS];
byte due; /* the frame that the lossless reader must get next */
byte kills, drops, demotions, discards;

#define IS_CHECKED(r, c) \
  (present[r] && !dead[r] && (checked[(r) * HOLDS] == (c) + 1 || \
                              checked[(r) * HOLDS + HOLDS - 1] == (c) + 1))
#define EXCLUSIVE(c) assert(!IS_CHECKED(0, c) && !IS_CHECKED(1, c))

/* A look at hold words: of whom dispatch has not yet taken the place. */
#ifdef DEAD_HOLDS
#define COUNTS(r) true
#else
#define COUNTS(r) present[r]
#endif

#define FORGET(slots) \
  k = 0; \
  do :: k < SLOTS -> slots[k] = false; k++ :: else -> break od; \
  k = 0

proctype Writer() provided (!writer_dead)
{
  byte f = 1, c, k, need, ticket, newest = NONE, answered[2];
  bool waiting, held, tried[SLOTS], looked[SLOTS], any;

claim:
  atomic { !locked; locked = true; k = FROM; need = NONE; any = false; c = NONE }
peek:
  atomic {
    if :: COUNTS(k / HOLDS) && hold[k] != 0 -> looked[hold[k] - 1] = true :: else fi;
    k++;
    if :: k < TO -> goto peek :: else fi
  }
  atomic {
    if
    :: present[LOSSLESS] && rights[LOSSLESS] ->
#ifdef NO_FLOOR
       need = (ready[LOSSLESS] -> cursor[LOSSLESS] : NONE)
#else
       if
       :: ready[LOSSLESS] && cursor[LOSSLESS] > floor[LOSSLESS] ->
          floor[LOSSLESS] = cursor[LOSSLESS]
       :: else
       fi;
       need = floor[LOSSLESS]
#endif
    :: else
    fi;
    /* any of those that may be taken, or none */
    k = 0;
    do
    :: k < SLOTS ->
       if
       :: k != newest && !looked[k] && !(seq[k] != 0 && seq[k] >= need) ->
          if
          :: tried[k] -> any = true
          :: !tried[k] -> c = k
          :: !tried[k] && c != NONE -> skip
          fi
       :: else
       fi;
       looked[k] = false;
       k++
    :: else -> break
    od;
    need = 0;
    k = FROM;
    if :: c == NONE -> FORGET(tried); c = 0; locked = false; goto none :: else fi
  }
#if !defined(SCAN_FIRST) && !defined(NO_ODD)
  gen[c] = 1;
#ifdef RESTORE_FIRST
  gen[c] = 0;
#endif
#endif
scan:
  atomic {
    held = held || (COUNTS(k / HOLDS) && hold[k] == c + 1);
    k++;
    if :: k < TO -> goto scan :: else fi
  }
#ifdef SCAN_FIRST
  if :: !held -> gen[c] = 1 :: else fi;
#endif
  atomic {
    k = 0;
    if
    :: held ->
       held = false;
       tried[c] = true;
#if !defined(SCAN_FIRST) && !defined(RESTORE_FIRST)
       gen[c] = 0;
#endif
       locked = false;
       goto claim
    :: else
    fi;
    FORGET(tried);
    locked = false
  }
  if :: waiting -> atomic { waits = 0; waiting = false } :: else fi;

  /* fill, in more than one step */
  atomic { EXCLUSIVE(c); content[c] = 0 }
  atomic { EXCLUSIVE(c); content[c] = f }
  atomic {
    !locked;
    if
    :: discards < DISCARDS -> discards++; held = true
    :: locked = true
    fi
  }
  if
  :: held ->
#ifndef DISCARD_KEEPS_SEQUENCE
     atomic { EXCLUSIVE(c); seq[c] = 0 };
#endif
     atomic { gen[c] = 0; held = false; goto claim }
  :: else
  fi;

  /* publish */
#ifdef HEAD_FIRST
  head = f;
#endif
  atomic { EXCLUSIVE(c); seq[c] = f }
  gen[c] = 0;
  ring[f % RING] = c;
#ifndef WAKE_FIRST
  atomic { newest = c; head = f; k = FIRST }
#else
  k = FIRST;
#endif
wake:
  atomic {
    if
    :: present[k] && armed[k] % 2 == 1 && armed[k] != answered[k] ->
       answered[k] = armed[k];
       wakes[k]++
    :: else
    fi;
    k++;
    if :: k < READERS -> goto wake :: else fi
  }
#ifdef WAKE_FIRST
  atomic { newest = c; head = f }
#endif
  atomic {
    locked = false;
    f++;
    if :: f <= FRAMES -> goto claim :: else -> goto end fi
  }

none: /* no slot: any were given back, or a ticket, and all of it again, or sleep */
  atomic {
    !locked;
    if
    :: any -> goto claim
    :: !any && waiting -> goto asleep
    :: else
    fi;
    waiting = true;
#ifndef ONE_TICKET
    ticket++;
#else
    ticket = 1;
#endif
    waits = ticket;
#ifndef NO_CHECK_ASLEEP_WRITER
    goto claim
#endif
  }
asleep:
  if
  :: atomic { nudge -> nudge = false }
  :: atomic {
       demotions < DEMOTIONS && present[LOSSLESS] && rights[LOSSLESS] && !locked ->
       demotions++; /* its time is up */
#ifdef DEMOTE_SILENTLY
       rights[LOSSLESS] = false
     }
#else
       demoted[LOSSLESS] = true
     };
     rights[LOSSLESS] = false
#endif
  fi;
  atomic { waits = 0; waiting = false; goto claim }

end:
  writer_done = true
}

#include "hold-reader.pml"

/* Kills, and what the kernel and dispatch make of deaths, at any later time. */
proctype Fate()
{
  byte r;
end:
  do
  :: atomic { kills < KILLS && !dead[0] && !done[0] -> dead[0] = true; kills++ }
  :: atomic { kills < KILLS && !dead[1] && !done[1] -> dead[1] = true; kills++ }
  :: atomic { kills < KILLS && !writer_dead && !writer_done ->
              writer_dead = true; kills++ }
  :: atomic { writer_dead && !writer_gone -> writer_gone = true }
  :: atomic { dead[0] && !gone[0] && !locked -> gone[0] = true; present[0] = false;
              nudge = true }
  :: atomic { dead[1] && !gone[1] && !locked -> gone[1] = true; present[1] = false;
              rights[1] = false; nudge = true }
  :: atomic { drops < DROPS && present[0] && !locked -> drops++;
              present[0] = false; nudge = true }
  :: atomic { drops < DROPS && present[1] && !locked -> drops++;
              present[1] = false; rights[1] = false; nudge = true }
  od
}

init {
  atomic {
    /* fewer too: what is still to come could wake who sleeps for ever without it */
    select(kills : 0 .. KILLS);
    select(drops : 0 .. DROPS);
    select(demotions : 0 .. DEMOTIONS);
#if FIRST == 0
    run Reader(0);
#else
    done[0] = true;
    dead[0] = true;
#endif
#if READERS == 2
    run Reader(1);
#else
    done[1] = true;
    dead[1] = true;
#endif
    run Writer();
    run Fate()
  }
  timeout; /* AWAKE */
  assert(writer_dead || writer_done || keeps[0] || keeps[1]);
  assert(dead[0] || done[0] || keeps[0] || keeps[1]);
  assert(dead[1] || done[1] || keeps[0] || keeps[1]);
#ifdef KEEPS
  /* a writer that sleeps has nothing to take */
  d_step {
    byte c = 0;
    do
    :: c < SLOTS ->
       assert(writer_dead || writer_done || (head > 0 && c == ring[head % RING]) ||
              (present[0] && hold[0] == c + 1) ||
              (present[1] && hold[HOLDS] == c + 1) ||
              (present[1] && rights[1] && seq[c] >= cursor[1]));
       c++
    :: else -> break
    od
  }
#endif
}
