#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The reader of this folder, fed by the library: test_reader.py

Both are in this process and take turns, so each step can be looked at.
"""

import os
import socket
import threading

import board
import clib
import path as rendezvous
import wire
from line import Gone, Line, close_all
from reader import END, LOSSLESS, LOST, NEW_FORMAT, Frame, Reader
from tap import Bell, equal, main, serve, spin, test, until

RGBA = "video/x-raw, format=RGBA, width=32, height=24, framerate=30/1"
NV12 = "video/x-raw, format=NV12, width=66, height=50, framerate=25/1"
GRAY = "video/x-raw, format=GRAY8, width=16, height=16, framerate=25/1"
HELLO = dict(version_min=1, version_max=1, policy=0, depth=4, holds_min=1,
             holds_want=2, flags=0, accepts="")


class Ends:
    """A writer of the library and readers of ours, closed at the end."""

    def __init__(self, path, text=RGBA, **config):
        self.path, self.writer, self.readers = path, clib.Writer(path, **config), []
        if text:
            self.writer.set_format(text)

    def join(self, **settings):
        reader = Reader(self.path, **settings)
        self.readers.append(reader)
        self.serve()
        return reader

    def serve(self):
        serve(self.writer, *[each for each in self.readers if not each.leaving])

    def raw(self):
        """A connection on which the test itself speaks."""
        return Line(rendezvous.connect(self.path), "r")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for reader in self.readers:
            reader.leave()
        self.writer.close()


def takes(reader):
    """All that there is to take: numbers of frames, each whole, and what else."""
    found = []
    while LOST not in found and (one := reader.acquire()) is not None:
        if isinstance(one, Frame):
            equal(set(one.picture()), {one.sequence % 256})
            found.append(one.sequence)
            one.release()
        else:
            found.append(one)
    return found


def send(writer, first, last):
    """Publish the frames with these numbers, each of its own byte."""
    for number in range(first, last + 1):
        assert writer.send(number % 256), "no slot for frame %d" % number


def hears(line):
    """All that was said on a line, and how it ended, if it did."""
    heard = []
    try:
        while True:
            message, fds = line.hear()
            close_all(fds)
            if message is None:
                return heard
            heard.append(message)
    except (Gone, wire.Broken) as end:
        return heard + [end]


@test("a reader shakes hands and sees frames as they are")
def frames(path):
    with Ends(path, NV12) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        expected = clib.format_from_caps(NV12)
        equal({name: getattr(reader.generation.format, name) for name in expected},
              expected)
        for number in range(1, 600):
            assert ends.writer.send(number % 256, pts=number * 40, duration=40,
                                    offset=number, capture_time=7, flags=5)
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
    with Ends(path) as ends:
        send(ends.writer, 1, 300)
        reader = ends.join()
        equal(takes(reader), [NEW_FORMAT, 300])
        send(ends.writer, 301, 302)
        equal(takes(reader), [301, 302])
        equal(reader.skipped, 0)


@test("a reader that is armed is woken once for each ticket, one that is not never")
def waking(path):
    with Ends(path) as ends:
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
    with Ends(path, None) as ends:
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
    with Ends(path) as ends:
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


@test("a reader skips what is older than its depth, and counts it")
def depth(path):
    with Ends(path) as ends:
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
    with Ends(path) as ends:
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
    with Ends(path) as ends:
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
    ends = Ends(path)
    reader = ends.join()
    equal(reader.acquire(), NEW_FORMAT)
    send(ends.writer, 1, 3)
    ends.writer.close()
    serve(reader)
    frame = reader.acquire()
    equal((takes(reader), set(frame.picture())), ([2, 3, LOST], {1}))
    frame.release()
    reader.leave()


@test("who speaks another version is refused with reason 4, and told why")
def version(path):
    with Ends(path) as ends:
        for versions in ((2, 3), (0, 0)):
            reader = ends.join(versions=versions)
            equal((reader.refused[0], reader.acquire()), (wire.BY_VERSION, LOST))
            assert "version" in reader.refused[1]
        equal(takes(ends.join(versions=(1, 9))), [NEW_FORMAT])


@test("who does not accept the format is refused with reason 1, at any time")
def format_refused(path):
    with Ends(path) as ends:
        reader = ends.join(accepts="video/x-raw, format={ NV12, GRAY8 }")
        equal((reader.refused[0], reader.acquire()), (wire.BY_FORMAT, LOST))
        assert "format=RGBA" in reader.refused[1], reader.refused
        later = ends.join(accepts="video/x-raw, format={ RGBA, GRAY8 }")
        send(ends.writer, 1, 1)
        equal(takes(later), [NEW_FORMAT, 1])
        ends.writer.set_format(NV12)
        ends.serve()
        equal((later.refused[0], takes(later)), (wire.BY_FORMAT, [LOST]))
        third = ends.join()
        equal(third.acquire(), NEW_FORMAT)
        third.accept("video/x-raw, format=NV12, width=66")
        ends.serve()
        third.accept("video/x-raw, format=NV12, width=67")
        ends.serve()
        equal(third.refused[0], wire.BY_FORMAT)


@test("who is too many is refused with reason 3, who wants too much with reason 2")
def full(path):
    with Ends(path, max_readers=1, max_memory=12 * 4096, max_lent=1) as ends:
        greedy = ends.join(holds=(40, 64), depth=32)
        equal(greedy.refused[0], wire.BY_MEMORY)
        greedy.leave()
        modest = ends.join(holds=(1, 64), depth=1)
        assert modest.refused is None and 1 <= modest.welcome.holds < 64
        equal(ends.join().refused[0], wire.BY_READERS)


@test("the writer waits for a lossless reader, and one NUDGE per ticket ends that")
def lossless(path):
    with Ends(path, backpressure=1) as ends:
        reader = ends.join(policy=LOSSLESS, holds=(1, 2))
        equal((reader.welcome.policy, reader.acquire()), (LOSSLESS, NEW_FORMAT))
        ends.serve()
        number = 0
        while ends.writer.send((number + 1) % 256):
            number += 1
        assert number > 3, "only %d frames" % number
        sent = []
        thread = threading.Thread(
            target=lambda: [sent.append(ends.writer.send((number + 1) % 256, wait=True))
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
        equal(sent, [1] * 100)
        equal((reader.skipped, len(set(nudges))), (0, len(nudges)))
        assert nudges, "the writer waited, and nobody told it"


@test("a lossless reader that is too slow is demoted and goes on as latest")
def demoted(path):
    with Ends(path, backpressure=1, backpressure_timeout=1000000) as ends:
        reader = ends.join(policy=LOSSLESS, holds=(1, 2), depth=2)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        held = None
        for number in range(1, 100):
            assert ends.writer.send(number % 256, wait=True)
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
        reader.leave()
        ends.serve()
        again = ends.join(policy=LOSSLESS)
        equal((again.welcome.reader, takes(again)),
              (reader.welcome.reader, [NEW_FORMAT, 100]))
        assert not again.generation.board.demoted(again.welcome.reader)


@test("without backpressure a lossless reader is granted latest")
def no_backpressure(path):
    with Ends(path) as ends:
        reader = ends.join(policy=LOSSLESS, depth=2)
        equal((reader.welcome.policy, takes(reader)), (0, [NEW_FORMAT]))
        send(ends.writer, 1, 200)
        equal(takes(reader), [199, 200])


def talk(ends, *says):
    """What the writer answers to each of these, on a line of its own."""
    line, heard = ends.raw(), []
    for say in says:
        if isinstance(say, bytes):
            line.link.send(say)
        else:
            line.say(say[0], **say[1])
        serve(ends.writer)
        heard += hears(line)
    line.close()
    serve(ends.writer)
    return [each.type if isinstance(each, wire.Message) else type(each)
            for each in heard]


@test("a message of an unknown type is skipped and does not count")
def skipped(path):
    unknown = wire.HEADER.pack(wire.MAGIC, 4711, 19, 99) + b"abc"
    with Ends(path) as ends:
        equal(talk(ends, unknown, (wire.HELLO, HELLO), unknown, (wire.MAPPED, {}),
                   unknown, (wire.READY, dict(generation=1)), unknown),
              [wire.PAGE, wire.WELCOME, wire.FORMAT])


@test("who breaks a rule is told nothing more")
def broken(path):
    hello, mapped, ready = ((wire.HELLO, HELLO), (wire.MAPPED, {}),
                            (wire.READY, dict(generation=1)))
    with Ends(path) as ends:
        for fault in (dict(policy=2), dict(depth=0), dict(depth=33), dict(holds_min=0),
                      dict(holds_min=3), dict(holds_want=65), dict(version_min=2),
                      dict(accepts="no caps")):
            equal(talk(ends, (wire.HELLO, dict(HELLO, **fault)), mapped), [Gone] * 2)
        welcome = [wire.PAGE, wire.WELCOME, wire.FORMAT]
        for fault in (ready, (wire.HELLO, HELLO), (wire.NUDGE, {}), b"",
                      (wire.WAKE, {}), (wire.ACCEPTS, dict(accepts="no caps")),
                      wire.HEADER.pack(wire.MAGIC, wire.MAPPED, 16, 3)):
            heard = talk(ends, hello, fault, mapped)
            equal((heard[0], set(heard[1:]) <= {Gone, wire.Broken}), (wire.PAGE, True))
        for fault in (mapped, (wire.READY, dict(generation=2)), (wire.END,
                      dict(sequence=0)), wire.HEADER.pack(wire.MAGIC, 12, 16, 1)):
            heard = talk(ends, hello, mapped, fault, ready)
            equal((heard[:3], set(heard[3:]) <= {Gone, wire.Broken}), (welcome, True))
        equal(ends.writer.stats().n_readers, 0)


@test("a reader that broke a rule still has its holds, until it is gone")
def broken_with_holds(path):
    with Ends(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        send(ends.writer, 1, 1)
        frame = reader.acquire()
        reader.line.say(wire.MAPPED)
        serve(ends.writer)
        send(ends.writer, 2, 500)
        equal(set(frame.picture()), {1})
        equal(ends.writer.stats().n_readers, 1)
        frame.release()
        reader.leave()
        serve(ends.writer)
        equal(ends.writer.stats().n_readers, 0)


@test("the writer takes no descriptor")
def descriptor(path):
    with Ends(path) as ends, open("/dev/null", "rb") as null:
        line = ends.raw()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   null.fileno().to_bytes(4, "little"))]
        data = wire.encode(wire.Message(wire.HELLO, 1, **HELLO))
        try:
            line.link.sendmsg([data], rights)
            serve(ends.writer)
            equal([type(each) for each in hears(line)], [Gone])
        except PermissionError:  # the kernel refused for it (Linux 6.16)
            equal(hears(line), [])
        line.close()
        serve(ends.writer)


@test("BYE ends a session, and frames that are held keep it open")
def bye(path):
    with Ends(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        send(ends.writer, 1, 1)
        frame = reader.acquire()
        reader.leave()
        serve(ends.writer)
        send(ends.writer, 2, 300)
        equal((set(frame.picture()), ends.writer.stats().n_readers), ({1}, 1))
        frame.release()
        serve(ends.writer)
        equal(ends.writer.stats().n_readers, 0)


if __name__ == "__main__":
    main()
