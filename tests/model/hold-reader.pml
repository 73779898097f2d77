/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The readers of hold.pml: as link-frames.c and reader-next.c call slot.c. Each ends when
 * it has the last frame, when the writer is gone, or when it was dropped.
 */

#define LET_GO checked[k] = 0; hold[k] = 0
#define DISARM armed[r] = (armed[r] % 2 == 1 -> armed[r] + 1 : armed[r])
#define FIRST_WANTED (last + DEPTH >= h -> last + 1 : h + 1 - DEPTH)

proctype Reader(byte r) provided (!dead[r])
{
  byte h, s, k, want, last, attempt, nudged, t;
  bool lossless = (r == LOSSLESS);

  /* let in: dispatch finds a place, with its lock */
  atomic {
    if
    :: !locked && !writer_dead -> skip
    :: writer_dead -> goto over
    fi;
    floor[r] = (head > 0 -> head : 1);
    rights[r] = lossless;
    present[r] = true;
    want = floor[r];
    due = (lossless -> want : due)
  }
  atomic {
#ifdef BEGIN_AT_HEAD
    want = (head > 0 -> head : 1);
#endif
    if
    :: lossless -> cursor[r] = want
    :: !lossless -> last = (head > 0 -> head - 1 : 0)
    fi
  }
  if
  :: lossless -> atomic { !locked || writer_dead; ready[r] = true } /* READY is heard */
  :: else
  fi;

again:
  atomic {
    h = 0;
    s = 0;
    attempt = 0;
    want = (lossless -> want : 0);
    if
    :: hold[r * HOLDS] != 0 -> k = r * HOLDS; goto release
    :: hold[r * HOLDS] == 0 -> k = r * HOLDS
#if HOLDS == 2
    :: hold[r * HOLDS + 1] != 0 -> k = r * HOLDS + 1; goto release
    :: hold[r * HOLDS] != 0 && hold[r * HOLDS + 1] == 0 -> k = r * HOLDS + 1
#endif
#ifdef KEEPS
    :: hold[r * HOLDS] != 0 -> goto kept
#endif
    fi;
    h = head;
    if
    :: lossless && h >= want -> goto take
    :: !lossless && h > last -> want = FIRST_WANTED; goto take
    :: else -> k = 0; goto nothing
    fi
  }

release:
#ifdef NUDGE_FIRST
  t = waits;
  atomic { LET_GO }
#else
  atomic { LET_GO }
  t = waits;
#endif
  atomic {
    k = 0;
    if :: t != 0 && t != nudged -> nudged = t; nudge = true :: else fi;
    t = 0;
    goto again
  }

take:
#ifdef CURSOR_FIRST
  if :: lossless -> cursor[r] = want + 1 :: else fi;
#endif
  s = ring[want % RING];
  hold[k] = s + 1;
  atomic {
#ifdef NO_CHECK
    skip;
#else
    if :: gen[s] == 1 -> attempt++; goto fail :: else fi;
#endif
    checked[k] = s + 1
  }
  atomic {
    attempt = 2;
#ifndef RING_METADATA
    if :: seq[s] != want -> goto fail :: else fi;
#endif
    assert(!present[r] || (seq[s] == want && content[s] == want)); /* FAITHFUL */
    if :: lossless -> goto got :: else fi;
    last = want;
    DISARM;
    goto again
  }
got:
  atomic {
    assert(want == due); /* COMPLETE */
    last = want;
    want++;
    due = want;
#ifndef CURSOR_FIRST
    cursor[r] = want
#endif
  }
  atomic { DISARM; goto again }
fail:
  atomic {
    LET_GO;
    s = 0;
    if :: attempt < 2 -> goto take :: else fi;
    attempt = 0
  }
#ifndef IN_VAIN_UNTOLD
  t = waits; /* a writer that looked meanwhile took the slot for held */
#endif
  atomic {
    if :: t != 0 && t != nudged -> nudged = t; nudge = true :: else fi;
    t = 0;
    if
    :: lossless && present[r] -> goto missing
    :: lossless && !present[r] -> goto over
    :: else
    fi;
    want++;
    if :: want <= h -> goto take :: else -> goto again fi
  }
missing:
  atomic {
    assert(demoted[r] || !present[r]); /* HONEST */
    lossless = false;
    last = want - 1;
    want = FIRST_WANTED;
    goto take
  }

nothing:
  atomic {
    if :: last == FRAMES -> goto over :: else fi;
    armed[r] = (armed[r] % 2 == 0 -> armed[r] + 1 : armed[r])
  }
#ifndef NO_CHECK_ASLEEP_READER
  atomic {
    if
    :: lossless && head >= want -> goto again
    :: !lossless && head > last -> goto again
    :: else
    fi
  }
#endif
  if /* asleep */
  :: atomic { wakes[r] > 0 -> wakes[r]--; DISARM }
  :: atomic {
       writer_gone ->
       if
       :: lossless && head < want -> goto over
       :: !lossless && head <= last -> goto over
       :: else
       fi
     }
  :: atomic { !present[r] -> goto over }
  /* another thread lets go */
  :: atomic { hold[r * HOLDS] != 0 -> k = r * HOLDS; goto release }
#if HOLDS == 2
  :: atomic { hold[r * HOLDS + 1] != 0 -> k = r * HOLDS + 1; goto release }
#endif
  fi;
  goto again;

#ifdef KEEPS
kept: /* it lives, but never lets go */
  keeps[r] = true;
  !present[r];
#endif

over: /* a process ends as one that is killed, but with nothing in hand */
  atomic {
    assert(!lossless || last == FRAMES || writer_dead || !present[r]); /* COMPLETE */
    done[r] = true;
    k = r * HOLDS;
    do
    :: k < (r + 1) * HOLDS -> LET_GO; k++
    :: else -> break
    od;
    dead[r] = true
  }
}
