/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * How often an honest reader can spoil what a writer wants to claim: gen is odd already,
 * and the writer finds that the reader's hold word names the slot meanwhile. slot.c
 * counts that, forgives one a claim, and takes for hostile who is above most_spoils().
 *
 * The writer claims, chooses and shows as slot.c does, for ever; the reader is of policy
 * latest, and may be stopped anywhere for any time. For ever is finite because the newest
 * frame always has the number TOP: when one more is shown, all numbers that there are go
 * down by one. 0 is "long ago": what a ring says about that, and if it is still there, is
 * anything, which is more than a ring that wraps can do; only that a ring is so long that
 * it says the same at both tries for a frame.
 *
 * Owns these invariants:
 *   BOUNDED  an honest reader's count is never above BOUND
 *   FOUND    a claim finds a slot, whatever readers do
 */

#ifndef DEPTH
#define DEPTH 1 /* of the reader */
#endif
#ifndef COVER
#define COVER DEPTH /* the largest depth of all readers */
#endif
#ifndef HOLDS
#define HOLDS 1
#endif
#ifndef OTHERS
#define OTHERS 0 /* 1: a neighbour, whose one hold word says anything at any time */
#endif
#ifndef SLOTS
#define SLOTS (2 + COVER + HOLDS + OTHERS) /* what the writer is to have */
#endif
#ifndef BOUND
#define BOUND (4 * DEPTH)
#endif

#ifndef FORGIVEN
#define FORGIVEN OLDER(spoiled)
#endif
#ifndef TOP
#define TOP (COVER + 2) /* frames as far back as this are told apart */
#endif
#define NONE 255

/* The writer's words. */
bit odd[SLOTS];
byte seq[SLOTS], ring[TOP + 1], head = TOP;

/* The readers' words; the last one is the neighbour's. */
byte hold[HOLDS + OTHERS];

/* What the reader remembers and has numbers in it. */
byte want, last = TOP - 1;

byte spoiled; /* what the writer counts */

#define OLDER(number) (number > 0 -> number - 1 : 0)

proctype Writer()
{
  byte c, i, k, newest, rank[SLOTS]; /* rank 0: claimed last */
  bool tried[SLOTS], looked[SLOTS], any;

  d_step {
    do :: i < SLOTS -> rank[i] = i; i++ :: else -> break od;
    i = 0
  }
claim:
  atomic { spoiled = FORGIVEN; k = 0; goto peek }
peek:
  atomic {
    if :: hold[k] != 0 -> looked[hold[k] - 1] = true :: else fi;
    k++;
    if :: k < HOLDS + OTHERS -> goto peek :: else fi
  }
  d_step {
    c = NONE;
    any = false;
    i = 0;
    do
    :: i < SLOTS ->
       if
       :: i == newest || looked[i] -> skip
       :: i != newest && !looked[i] && tried[i] -> any = true
       :: else ->
#ifdef OLDEST_FIRST
          if :: c == NONE || seq[i] < seq[c] || (seq[i] == seq[c] && rank[i] > rank[c]) ->
#else
          /* no reader has a right to it, and claimed last; else the oldest frame */
          if
          :: c == NONE || (seq[i] + COVER <= TOP &&
                           (seq[c] + COVER > TOP || rank[i] < rank[c])) ||
             (seq[i] + COVER > TOP && seq[i] < seq[c] && seq[c] + COVER > TOP) ->
#endif
             c = i
          :: else
          fi
       fi;
       looked[i] = false;
       i++
    :: else -> break
    od;
    i = 0;
    if
    :: c == NONE ->
       do :: i < SLOTS -> tried[i] = false; i++ :: else -> break od;
       i = 0
    :: else
    fi
  }
  atomic {
    assert(c != NONE || any); /* FOUND */
    k = 0;
    if :: c == NONE -> goto peek :: else fi;
    odd[c] = 1
  }
scan:
  atomic {
    if
    :: hold[k] == c + 1 -> goto held
    :: else -> k++
    fi;
    if :: k < HOLDS + OTHERS -> goto scan :: else -> goto claimed fi
  }
held:
  atomic {
    odd[c] = 0;
    tried[c] = true;
    if
    :: k < HOLDS ->
       spoiled++;
       assert(spoiled <= BOUND) /* BOUNDED */
    :: else
    fi;
    k = 0;
    goto peek
  }
claimed: /* and filled: all numbers go down, and it gets the highest */
  atomic {
    do
    :: i < SLOTS ->
       tried[i] = false;
       rank[i] = (rank[i] < rank[c] -> rank[i] + 1 : rank[i]);
       seq[i] = OLDER(seq[i]);
       i++
    :: else -> break
    od;
    i = 1;
    do :: i <= TOP -> ring[i - 1] = ring[i]; i++ :: else -> break od;
    i = 0;
    k = 0;
    rank[c] = 0;
    want = OLDER(want);
    last = OLDER(last);
    head = TOP - 1;
    seq[c] = TOP
  }
  odd[c] = 0;
  ring[TOP] = c;
  atomic { head = TOP; newest = c; c = 0; any = false };
  goto claim
}

proctype Reader()
{
  byte s, k, left, attempt;

again:
  atomic {
    s = 0;
    want = 0;
    attempt = 0;
    left = 0;
    if
    :: hold[0] != 0 -> hold[0] = 0; goto again
    :: hold[0] == 0 && head > last -> k = 0
#if HOLDS == 2
    :: hold[1] != 0 -> hold[1] = 0; goto again
    :: hold[1] == 0 && head > last -> k = 1
#endif
    fi;
    /* head is looked at once, and then remembered: how many frames to try */
    if
    :: want = (last + DEPTH >= head -> last + 1 : head + 1 - DEPTH)
    :: want = head /* who asks for the newest */
    fi;
    left = head + 1 - want
  }
take:
  atomic {
    if
    :: want > 0 -> s = ring[want]
    :: want == 0 && attempt == 0 -> select(s : 0 .. SLOTS - 1)
    :: want == 0 && attempt == 1 -> skip /* a ring is long: as before */
    fi
  }
  hold[k] = s + 1;
  atomic {
    if :: odd[s] -> attempt++; goto fail :: else fi;
    attempt = 2
  }
  atomic {
    if
    :: seq[s] == want -> last = want; goto again
    :: seq[s] != want || want == 0 -> goto fail
    fi
  }
fail:
  atomic {
    hold[k] = 0;
    if :: attempt < 2 -> goto take :: else fi;
    s = 0;
    attempt = 0;
    left--;
    if :: left == 0 -> goto again :: else fi;
    if :: true -> want++ :: want == 0 -> skip fi;
    goto take
  }
}

#if OTHERS
/* Anything at any time, at no cost: worse than anybody can be. */
proctype Neighbour()
{
  byte s;
  do
  :: atomic { select(s : 0 .. SLOTS); hold[HOLDS] = s; s = 0 }
  od
}
#endif

init {
  atomic {
    seq[0] = TOP;
    run Writer();
#if OTHERS
    run Neighbour();
#endif
    run Reader()
  }
}
