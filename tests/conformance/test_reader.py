#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The reader of this folder, fed by the library: test_reader.py"""

import os
import threading

import board
import clib
import peer
import wire
from ends import GRAY, NV12, RGBA, LibraryWrites, hears, send, show, takes
from reader import END, LOSSLESS, LOST, NEW_FORMAT
from tap import Bell, equal, finish, main, run_peer, serve, test, until


@test("a reader shakes hands and sees frames as they are")
def frames(path):
    with LibraryWrites(path, NV12) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        expected = clib.format_from_caps(NV12)
        equal({name: getattr(reader.generation.format, name) for name in expected},
              expected)
        for number in range(1, 600):
            show(ends.writer, number, pts=number * 40, duration=40, offset=number,
                 capture_time=7, flags=5)
            frame = reader.acquire()
            equal((frame.sequence, frame.skipped, set(frame.picture())),
                  (number, 0, {number % 256}))
            entry = frame.entry
            equal((entry.pts, entry.duration, entry.offset, entry.offset_end,
                   entry.capture_time, entry.flags),
                  (number * 40, 40, number, board.UNKNOWN, 7, 5))
            frame.release()
        equal(reader.acquire(), None)
        info = ends.writer.readers()[0]
        equal((info.pid, info.received, info.skipped, info.holding),
              (os.getpid(), 599, 0, 0))


@test("who comes late sees the newest frame first, and nothing was skipped")
def late(path):
    with LibraryWrites(path) as ends:
        send(ends.writer, 1, 300)
        reader = ends.join()
        equal(takes(reader), [NEW_FORMAT, 300])
        send(ends.writer, 301, 302)
        equal(takes(reader), [301, 302])
        equal(reader.skipped, 0)


@test("a reader that is armed is woken once for each ticket, one that is not never")
def waking(path):
    with LibraryWrites(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 3)
        equal(hears(reader.line), [])
        equal(takes(reader), [1, 2, 3])
        for first in (4, 7, 10):
            reader.arm()
            assert not reader.ready()
            send(ends.writer, first, first + 2)
            equal([message.type for message in hears(reader.line)], [wire.WAKE])
            reader.disarm()
            send(ends.writer, first + 3, first + 3) if first == 10 else None
            equal(hears(reader.line), [])
            takes(reader)
        equal(reader.received, 13)


@test("a reader that sleeps is woken by a frame, by a format and by the end")
def sleeping(path):
    with LibraryWrites(path, None) as ends:
        reader, found, bell = ends.join(policy=LOSSLESS), [], Bell()

        def follow():
            while LOST not in found:
                reader.wait()
                found.extend(takes(reader))
                bell.ring()
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        deeds = [lambda: ends.writer.set_format(RGBA),
                 lambda: send(ends.writer, 1, 1), lambda: send(ends.writer, 2, 2),
                 ends.writer.end, lambda: ends.writer.set_format(GRAY),
                 lambda: send(ends.writer, 3, 3)]
        for number, deed in enumerate(deeds, 1):
            deed()
            until(lambda: len(found) >= number, ends.writer, bell)
        ends.writer.close()
        thread.join()
        bell.close()
        equal(found, [NEW_FORMAT, 1, 2, END, NEW_FORMAT, 3, LOST])


@test("a frame that is held does not change; released, its slot is used again")
def holding(path):
    with LibraryWrites(path) as ends:
        reader = ends.join(holds=(2, 3), depth=2)
        equal(reader.acquire(), NEW_FORMAT)
        send(ends.writer, 1, 2)
        held = [reader.acquire(), reader.acquire()]
        send(ends.writer, 3, 900)
        last = reader.acquire()
        equal([frame.sequence for frame in held] + [last.sequence, last.skipped],
              [1, 2, 899, 896])
        equal(reader.acquire(), None)  # the third hold was the last
        equal([set(frame.picture()) for frame in held], [{1}, {2}])
        equal(ends.writer.readers()[0].holding, 3)
        slots = [word % 256 - 1 for word in held_words(reader)]
        for frame in held + [last]:
            frame.release()
        equal(held_words(reader), [])
        seen = set()
        for number in range(901, 960):
            send(ends.writer, number, number)
            seen.add(reader.generation.board.ring(number))
        assert seen & set(slots), "none of %s in %s" % (slots, seen)


def held_words(reader):
    return [word for word in map(reader.page.load, range(0, 256, 4)) if word]


@test("at full speed, in two processes, no frame is torn")
def full_speed(path):
    with LibraryWrites(path, peer.GRAY) as ends:
        numbers, sent = clib.format_from_caps(peer.GRAY), 0
        reader = run_peer("read", path, "--frames", "1500", "--check")
        until(lambda: ends.writer.readers(), ends.writer)
        while reader.poll() is None:
            sent += 1
            assert ends.writer.send(peer.picture(sent, numbers))
            if sent % 8 == 0:
                ends.writer.dispatch()
        status, told = finish(reader)
        equal((status, told.count("frame ")), (0, 1500))


@test("a reader skips what is older than its depth, and counts it")
def depth(path):
    with LibraryWrites(path) as ends:
        reader = ends.join(depth=3)
        equal(takes(reader), [NEW_FORMAT])
        send(ends.writer, 1, 10)
        equal(takes(reader), [8, 9, 10])
        equal(reader.skipped, 7)
        send(ends.writer, 11, 11)
        send(ends.writer, 12, 1012)  # more than the ring has
        equal(takes(reader), [1010, 1011, 1012])
        equal(reader.received + reader.skipped, 1012)


@test("a new format comes after all frames of the old one, and those stay intact")
def formats(path):
    with LibraryWrites(path) as ends:
        reader = ends.join(holds=(1, 4), depth=4)
        equal(reader.acquire(), NEW_FORMAT)
        send(ends.writer, 1, 3)
        held = reader.acquire()
        ends.writer.set_format(NV12)
        send(ends.writer, 4, 40)
        ends.serve()
        equal(reader.generation.board.word(board.AT_STATE), board.SUPERSEDED)
        equal(takes(reader)[:3], [2, 3, NEW_FORMAT])
        ends.serve()
        equal(set(held.picture()), {1})
        held.release()
        # Two changes while a FORMAT is unanswered: only the newest is told.
        ends.writer.set_format(RGBA)
        ends.serve()
        ends.writer.set_format(GRAY)
        send(ends.writer, 41, 50)
        ends.writer.set_format(NV12)
        send(ends.writer, 51, 51)
        ends.serve()
        equal(takes(reader), [NEW_FORMAT])
        ends.serve()
        equal(takes(reader), [NEW_FORMAT, 51])
        equal(reader.received + reader.skipped, 51)
        equal(reader.generation.format.caps, NV12)


@test("the end is told after the last frame and before what follows it")
def end(path):
    with LibraryWrites(path) as ends:
        reader = ends.join(policy=LOSSLESS)
        ends.writer.end()
        ends.serve()
        equal(takes(reader), [NEW_FORMAT])
        ends.serve()
        send(ends.writer, 1, 3)
        ends.writer.end()
        send(ends.writer, 4, 4)
        ends.serve()
        equal(takes(reader), [END, 1, 2, 3, END, 4])
        ends.writer.end()
        ends.writer.set_format(NV12)
        send(ends.writer, 5, 5)
        ends.serve()
        equal(takes(reader), [END, NEW_FORMAT, 5])


@test("a writer that is gone leaves its last frames to be taken")
def lost(path):
    ends = LibraryWrites(path)
    reader = ends.join()
    equal(reader.acquire(), NEW_FORMAT)
    send(ends.writer, 1, 3)
    ends.writer.close()
    serve(reader)
    frame = reader.acquire()
    equal((takes(reader), set(frame.picture())), ([2, 3, LOST], {1}))
    frame.release()
    reader.close()


if __name__ == "__main__":
    main()
