#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Backpressure, either side being the library's: test_lossless.py"""

import threading

import board
import wire
from ends import NV12, LibraryReads, LibraryWrites, send, show, takes
from reader import LATEST, LOSSLESS, NEW_FORMAT
from tap import DEADLINE, equal, main, spin, test


@test("the writer waits for a lossless reader, and one NUDGE per ticket ends that")
def lossless(path):
    with LibraryWrites(path, backpressure=1) as ends:
        reader = ends.join(policy=LOSSLESS, holds=(1, 2))
        equal((reader.welcome.policy, reader.acquire()), (LOSSLESS, NEW_FORMAT))
        ends.serve()
        number = 0
        while show(ends.writer, number + 1):
            number += 1
        assert number > 3, "only %d frames" % number
        sent = []
        thread = threading.Thread(
            target=lambda: [sent.append(show(ends.writer, number + 1, wait=True))
                            for number in range(number, number + 100)], daemon=True)
        thread.start()
        spin(lambda: reader.generation.board.word(board.AT_WAITS))
        nudges, say = [], reader.line.say

        def watch(type_, *rest, **fields):
            nudges.append(reader.generation.answered)
            return say(type_, *rest, **fields)
        reader.line.say = watch
        found = []
        while len(found) < number + 100:
            reader.wait()
            found += takes(reader)
        thread.join()
        equal(found, list(range(1, number + 101)))
        equal(sent, [True] * 100)
        equal((reader.skipped, len(set(nudges))), (0, len(nudges)))
        assert nudges, "the writer waited, and nobody told it"


@test("a lossless reader that is too slow is demoted and goes on as latest")
def demoted(path):
    with LibraryWrites(path, backpressure=1, backpressure_timeout=1000000) as ends:
        reader = ends.join(policy=LOSSLESS, holds=(1, 2), depth=2)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        held = None
        for number in range(1, 100):
            assert show(ends.writer, number, wait=True)
            held = held or reader.acquire()
        equal((held.sequence, set(held.picture())), (1, {1}))
        # It learns of it at the first frame that is gone.
        found = takes(reader)
        equal((found[-2:], sorted(found), reader.policy), ([98, 99], found, 0))
        equal(reader.received + reader.skipped, 99)
        held.release()
        ends.writer.set_format(NV12)
        send(ends.writer, 100, 100)
        ends.serve()
        equal(takes(reader), [NEW_FORMAT, 100])
        assert reader.generation.board.demoted(reader.welcome.reader)
        # The same place again: a new reader begins as what it was granted.
        reader.close()
        ends.serve()
        again = ends.join(policy=LOSSLESS)
        equal((again.welcome.reader, takes(again)),
              (reader.welcome.reader, [NEW_FORMAT, 100]))
        assert not again.generation.board.demoted(again.welcome.reader)


@test("without backpressure a lossless reader is granted latest")
def no_backpressure(path):
    with LibraryWrites(path) as ends:
        reader = ends.join(policy=LOSSLESS, depth=2)
        equal((reader.welcome.policy, takes(reader)), (LATEST, [NEW_FORMAT]))
        send(ends.writer, 1, 200)
        equal(takes(reader), [199, 200])


@test("the writer waits for a lossless reader, and one NUDGE per ticket ends that")
def lossless_library(path):
    with LibraryReads(path, backpressure=True, timeout=DEADLINE) as ends:
        reader, writer = ends.join(policy=LOSSLESS), ends.writer
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        equal(writer.peers[0].policy, LOSSLESS)
        while show(writer, writer.head + 1):
            pass
        first, nudges = writer.head, []
        take = writer.peers[0].take

        def watch(message):
            if message.type == wire.NUDGE:
                nudges.append(writer.ticket)
            take(message)
        writer.peers[0].take = watch
        writer.begin_waiting()
        equal(takes(reader), list(range(1, first + 1)))
        ends.serve()
        equal(nudges, [writer.ticket])
        writer.stop_waiting()
        found = []

        def follow():
            """Take one frame each time that the writer waits for us."""
            words, seen = writer.generation.board.words, {0}

            def has_new_ticket():
                ticket, before = words.load(board.AT_WAITS), len(seen)
                seen.add(ticket)
                return len(seen) > before
            while len(found) < 200:
                spin(lambda: writer.head == first + 200 or has_new_ticket())
                if one := reader.acquire():
                    found.append(one.sequence)
                    one.release()
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        for number in range(first + 1, first + 201):
            assert show(writer, number, wait=True)
        thread.join()
        ends.serve()
        assert len(nudges) > 50, len(nudges)
        equal(found, list(range(first + 1, first + 201)))
        # One at most for each ticket. Which one it answered it does not say: a writer
        # that finds the slot free before the message comes is at the next by then.
        early = [n for n, tickets in enumerate(nudges, 1) if n > tickets]
        equal(early, [])
        # It was always woken by a NUDGE, and never by its own patience.
        equal((writer.overslept, writer.peers[0].demoted), (0, False))
        equal(reader.status().skipped, 0)


@test("a lossless reader that is too slow is demoted and goes on as latest")
def demoted_library(path):
    with LibraryReads(path, backpressure=True, timeout=0.001) as ends:
        reader, held = ends.join(policy=LOSSLESS, depth=2), None
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        for number in range(1, 100):
            assert show(ends.writer, number, wait=True)
            held = held or reader.acquire()
        equal((held.sequence, set(held.picture())), (1, {1}))
        found = takes(reader)
        equal((found[-2:], sorted(found)), ([98, 99], found))
        status = reader.status()
        equal((status.policy, status.received + status.skipped), (LATEST, 99))
        held.release()
        ends.writer.set_format(NV12)
        ends.serve()
        send(ends.writer, 100, 200)
        equal(takes(reader), [NEW_FORMAT, 199, 200])


@test("without backpressure a lossless reader is granted latest")
def no_backpressure_library(path):
    with LibraryReads(path) as ends:
        reader = ends.join(policy=LOSSLESS, depth=2)
        equal((reader.status().policy, takes(reader)), (LATEST, [NEW_FORMAT]))
        ends.serve()
        send(ends.writer, 1, 200)
        equal(takes(reader), [199, 200])


if __name__ == "__main__":
    main()
