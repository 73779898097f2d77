/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * How often an honest reader can spoil one claim: the writer has made a slot's gen odd
 * and finds that the reader's hold word names it meanwhile. slot.c takes a reader for
 * hostile that does it more often (most_spoils).
 *
 * The claim is one of many: before it, frames are shown, in which time the reader may be
 * stopped anywhere. Slots are chosen in any order. Owns one invariant:
 *   BOUNDED    in one claim an honest reader spoils BOUND slots at most
 */

#ifndef DEPTH
#define DEPTH 1
#endif
#ifndef SLOTS
#define SLOTS 4
#endif
#ifndef BEFORE
#define BEFORE 2 /* frames shown while the reader is stopped anywhere */
#endif
#ifndef BOUND
#define BOUND (4 * DEPTH)
#endif

#define FIRST 4                 /* frames shown before the reader came */
#define LAST (FIRST + BEFORE)
#define RING 16
#define NONE 255

byte gen[SLOTS], seq[SLOTS], ring[RING], head, hold;
byte spoiled;
bool over;

/* Frame f into slot c, all at once: it does not matter how. */
inline expose(f, c)
{
  seq[c] = f;
  gen[c] = gen[c] + 2;
  ring[f % RING] = c;
  head = f
}

proctype Writer()
{
  byte f = FIRST + 1, c, i, k, newest = FIRST % SLOTS;
  bool tried[SLOTS], any, taken;

  /* frames shown before the claim that counts, each into any slot not held */
  do
  :: f <= LAST ->
     atomic {
       c = NONE;
       k = 0;
       do
       :: k < SLOTS ->
          if
          :: k != newest && hold != k + 1 -> c = k
          :: k != newest && hold != k + 1 && c != NONE -> skip
          :: else
          fi;
          k++
       :: else -> break
       od;
       gen[c] = gen[c] + 1;
       /* found held after all: given back, another time */
       gen[c] = gen[c] - 1;
       expose(f, c);
       newest = c;
       f++
     }
  :: else -> break
  od;

  /* the claim that counts */
  do
  :: k = hold; /* peek */
     atomic {
       c = NONE;
       any = false;
       i = 0;
       do
       :: i < SLOTS ->
          if
          :: i != newest && k != i + 1 && tried[i] -> any = true
          :: i != newest && k != i + 1 && !tried[i] -> c = i
          :: i != newest && k != i + 1 && !tried[i] && c != NONE -> skip
          :: else
          fi;
          i++
       :: else -> break
       od;
       if
       :: c == NONE ->
          i = 0;
          do :: i < SLOTS -> tried[i] = false; i++ :: else -> break od
       :: else
       fi
     }
     if
     :: c == NONE && !any -> break /* no slot: the claim is over */
     :: c == NONE && any -> skip
     :: else ->
        gen[c] = gen[c] + 1;
        taken = hold == c + 1;
        if
        :: taken ->
           gen[c] = gen[c] - 1;
           tried[c] = true;
           spoiled++;
           assert(spoiled <= BOUND) /* BOUNDED */
        :: else -> break
        fi
     fi
  od;
  over = true
}

proctype Reader()
{
  byte h, s, want, last = FIRST - 1, attempt;
  bool ok, odd;

  do
  :: over -> break
  :: else ->
     h = head;
     if
     :: h > last ->
        want = (last + DEPTH >= h -> last + 1 : h + 1 - DEPTH);
        ok = false;
        do
        :: !ok && want <= h ->
           attempt = 0;
           do
           :: attempt < 2 ->
              s = ring[want % RING];
              hold = s + 1;
              odd = gen[s] % 2;
              if
              :: odd -> attempt++
              :: else -> attempt = 2; ok = seq[s] == want
              fi;
              if :: !ok -> hold = 0 :: else fi
           :: else -> break
           od;
           if :: ok -> last = want :: else -> want++ fi
        :: else -> break
        od;
        if
        :: ok -> hold = 0 /* looked at, for however long */
        :: else
        fi
     :: else -> over
     fi
  od
}

init {
  atomic {
    byte f = 1;
    do
    :: f <= FIRST -> expose(f, f % SLOTS); f++
    :: else -> break
    od;
    run Writer();
    run Reader()
  }
}
