/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * A change of generation: each format has its own board and pool, and a lossless reader
 * goes from one to the next. Claims are simple here, one step each (hold.pml has them in
 * full); what counts is the order of frames, FORMAT and READY, and whose slot a hold word
 * names. Each side may be killed at any time.
 *
 * Owns these invariants:
 *   EXCLUSIVE  memory of a frame that the reader holds is not written, whatever board it
 *              belongs to
 *   COMPLETE   all frames of all generations reach the reader, in order; when the writer
 *              died, all that it had shown and announced
 *   AWAKE      when nothing can happen any more, all has been shown and seen
 */

#ifndef FRAMES
#define FRAMES 4
#endif
#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef KILLS
#define KILLS 0
#endif
#define SLOTS 2 /* of each generation */
#define GENERATIONS (CHANGES + 1)

/* Boards. */
byte head[GENERATIONS], first[GENERATIONS];
byte slot_frame[GENERATIONS * SLOTS]; /* which frame is in it */

/* The reader's page: a hold word has a tag, the generation's. */
byte hold_slot, hold_tag, cursor = 1;

/* Messages: at most one FORMAT is under way. */
chan format = [1] of { byte };
chan answer = [1] of { byte };

bool writer_done, reader_done;
/* Killed; and the other side has seen it. */
bool writer_dead, reader_dead, writer_gone, reader_gone;
byte kills;

/* Memory of slot c of generation g. */
#ifdef SAME_POOL
#define MEMORY(g, c) (c)
#else
#define MEMORY(g, c) ((g) * SLOTS + (c))
#endif
byte memory[GENERATIONS * SLOTS];
byte held = 255; /* ghost: memory that the reader holds, checked */

/* As the writer sees it. */
#define HELD(g, c) (!reader_gone && hold_slot == (c) + 1 && hold_tag == (g))

proctype Writer() provided (!writer_dead)
{
  byte f = 1, g, c, told = 255, ready = 255;
  first[0] = 1;

  do
  :: f <= FRAMES ->
     if
     :: /* show one: when there is a slot that no one needs or holds */
        atomic {
          !HELD(g, f % SLOTS) && (slot_frame[g * SLOTS + f % SLOTS] == 0 || reader_gone ||
                                  slot_frame[g * SLOTS + f % SLOTS] < cursor);
          c = f % SLOTS;
          slot_frame[g * SLOTS + c] = 0
        }
        assert(reader_dead || held != MEMORY(g, c)); /* EXCLUSIVE */
        memory[MEMORY(g, c)] = f;
        slot_frame[g * SLOTS + c] = f;
        head[g] = f;
        f++
     :: /* another format, unless the reader has not been told of this one */
#ifdef NO_UNTOLD
        g < CHANGES ->
#else
        g < CHANGES && (told == g || reader_gone) ->
#endif
        first[g + 1] = f;
        head[g + 1] = f - 1;
        g++
     :: told != g && ready == told && nfull(format) -> format!g; told = g
     :: answer?ready
     fi
  :: f > FRAMES -> break
  od;
  do
  :: told != g && ready == told && nfull(format) -> format!g; told = g
  :: answer?ready
  :: (told == g && ready == told) || reader_gone -> break
  od;
  writer_done = true
}

#ifdef ADVANCE_EARLY
#define TAKES_FRAME(g) (head[g] >= want && next == 255)
#define GOES_ON(g) (next != 255)
#else
#define TAKES_FRAME(g) (head[g] >= want)
#define GOES_ON(g) (next != 255 && head[g] < want)
#endif

/* Into a socket whose other end is gone a message goes as well. */
#define ANSWER(g) if :: answer!g :: writer_gone fi

proctype Reader() provided (!reader_dead)
{
  byte g, next = 255, want = 1, c;

  if
  :: format?g -> ANSWER(g)
  :: writer_gone && empty(format) -> goto over
  fi;
  do
  :: want > FRAMES -> break
  :: want <= FRAMES ->
     if
     :: hold_slot != 0 -> held = 255; hold_slot = 0
     :: TAKES_FRAME(g) ->
        /* the frame before may still be held until here */
        held = 255;
        c = want % SLOTS;
        atomic { hold_tag = g; hold_slot = c + 1 };
        held = MEMORY(g, c);
        assert(slot_frame[g * SLOTS + c] == want && memory[held] == want); /* COMPLETE */
        want++;
        cursor = want
     :: next == 255 && nempty(format) -> format?next
     :: GOES_ON(g) ->
        g = next;
        next = 255;
        assert(first[g] <= want); /* COMPLETE: no generation went by unseen */
        ANSWER(g)
     :: writer_gone && empty(format) && next == 255 && head[g] < want ->
        hold_slot = 0;
        goto over
     fi
  od;
  held = 255;
  hold_slot = 0;
over:
  reader_done = true
}

proctype Fate()
{
  do
  :: atomic { kills < KILLS && !writer_done && !writer_dead ->
              writer_dead = true; kills++ }
  :: atomic { kills < KILLS && !reader_done && !reader_dead ->
              reader_dead = true; kills++ }
  :: atomic { writer_dead && !writer_gone -> writer_gone = true }
  :: atomic { reader_dead && !reader_gone -> reader_gone = true }
  od
}

init {
  atomic { select(kills : 0 .. KILLS); run Writer(); run Reader(); run Fate() }
  timeout; /* AWAKE */
  assert((writer_done || writer_dead) && (reader_done || reader_dead))
}
