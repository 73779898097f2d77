/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The readers of hold.pml: as link-frames.c and reader-next.c call slot.c.
 */

/* A writer that waits is told once for each ticket that something was let go. */
#define NUDGE(r) \
  atomic { t = waits } \
  atomic { if :: t != 0 && t != nudged -> nudged = t; nudge = true :: else fi }

/* Take frame want into hold word k: ok says if it was there. */
inline take(r, want)
{
  do
  :: attempt < 2 ->
     atomic { s = ring[want % RING] }
     atomic { hold[k] = s + 1 }
     atomic {
#ifdef NO_CHECK
       odd = false;
#else
       odd = gen[s];
#endif
       checked[k] = (odd -> 0 : s + 1);
       attempt = (odd -> attempt + 1 : 2)
     }
     if
     :: !odd ->
        atomic {
#ifdef RING_METADATA
          ok = true;
#else
          ok = seq[s] == want;
#endif
          assert(!ok || !present[r] || (seq[s] == want && content[s] == want)) /* FAITHFUL */
        }
     :: else
     fi;
     if
     :: !ok ->
        atomic { hold[k] = 0; checked[k] = 0 }
#ifndef IN_VAIN_UNTOLD
        NUDGE(r)
#endif
     :: else
     fi
  :: else -> break
  od
}

/* What ended a sleep, or kept from one, has nothing more to say. */
#define DISARM(r) atomic { if :: armed[r] % 2 == 1 -> armed[r]++ :: else fi }

proctype Reader(byte r) provided (!dead[r])
{
  byte h, s, k, want, last, attempt, nudged, t;
  bool ok, odd, lossless = (r == LOSSLESS);

  /* let in: dispatch finds a place, with its lock */
  if
  :: atomic {
       !locked && !writer_dead;
       floor[r] = (head > 0 -> head : 1);
       rights[r] = lossless;
       present[r] = true;
       want = floor[r]
     }
  :: writer_dead -> goto over
  fi;
  if
  :: lossless -> cursor[r] = want; ready[r] = true
  :: else -> atomic { h = head; last = (h > 0 -> h - 1 : 0) }
  fi;

again:
  atomic {
    h = 0; s = 0; t = 0; attempt = 0; ok = false; odd = false;
    want = (lossless -> want : 0);
    if
    :: hold[r * HOLDS] != 0 -> k = r * HOLDS; goto release
    :: HOLDS == 2 && hold[r * HOLDS + HOLDS - 1] != 0 ->
       k = r * HOLDS + HOLDS - 1;
       goto release
    :: hold[r * HOLDS] == 0 -> k = r * HOLDS; goto acquire
    :: HOLDS == 2 && hold[r * HOLDS] != 0 && hold[r * HOLDS + HOLDS - 1] == 0 ->
       k = r * HOLDS + HOLDS - 1;
       goto acquire
    fi
  }
release:
  atomic { checked[k] = 0; hold[k] = 0 }
  NUDGE(r)
  goto again;
acquire:
  atomic { h = head }
  if
  :: lossless && h >= want ->
#ifdef CURSOR_FIRST
     cursor[r] = want + 1;
#endif
     take(r, want);
     if
     :: ok -> /* COMPLETE, with the way that want goes */
        atomic { last = want; want++;
#ifndef CURSOR_FIRST
                 cursor[r] = want
#endif
        }
        DISARM(r)
     :: !ok && present[r] ->
        atomic { t = demoted[r]; assert(t || !present[r]) /* HONEST */ }
        atomic { lossless = false; last = want - 1 }
     :: !ok && !present[r] -> goto over
     fi
  :: !lossless && h > last ->
     atomic { want = (last + DEPTH >= h -> last + 1 : h + 1 - DEPTH) }
     do
     :: !ok && want <= h ->
        take(r, want);
        atomic {
          attempt = 0;
          if :: ok -> last = want :: else -> want++ fi
        }
     :: else -> break
     od;
     if :: ok -> DISARM(r) :: else fi
  :: (lossless && h < want) || (!lossless && h <= last) ->
     if
     :: last == FRAMES -> goto over
     :: else
     fi;
     atomic { if :: armed[r] % 2 == 0 -> armed[r]++ :: else fi }
#ifndef NO_CHECK_ASLEEP_READER
     atomic { h = head }
#endif
     if
     :: (lossless && h >= want) || (!lossless && h > last) -> skip
     :: else -> /* asleep */
        if
        :: atomic { wakes[r] > 0 -> wakes[r]-- };
           DISARM(r)
        :: writer_gone && head == h -> goto over
        :: writer_gone && head != h -> skip
        :: !present[r] -> goto over
        fi
     fi
  fi;
  goto again;

over: /* a process ends as one that is killed, but with nothing in hand */
  atomic {
    done[r] = true;
    k = r * HOLDS;
    do
    :: k < (r + 1) * HOLDS -> checked[k] = 0; hold[k] = 0; k++
    :: else -> break
    od;
    dead[r] = true
  }
}
