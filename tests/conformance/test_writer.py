#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The writer of this folder, feeding the library: test_writer.py

Both are in this process and take turns, so each step can be looked at.
"""

import errno
import os
import threading

import board
import clib
import wire
from clib import END, LOST, NEW_FORMAT, CallFailed, HeldFrame
from tap import Bell, equal, main, serve, test, until
from writer import Writer

RGBA = "video/x-raw, format=RGBA, width=32, height=24, framerate=30/1"
NV12 = "video/x-raw, format=NV12, width=66, height=50, framerate=25/1"
GRAY = "video/x-raw, format=GRAY8, width=16, height=16, framerate=25/1"
LATEST, LOSSLESS = 0, 1


class Ends:
    """A writer of ours and readers of the library, closed at the end."""

    def __init__(self, path, text=RGBA, **config):
        self.path, self.writer, self.readers = path, Writer(path, **config), []
        if text:
            self.writer.set_format(text)

    def join(self, **settings):
        reader = clib.Reader(self.path, **settings)
        self.readers.append(reader)
        until(lambda: any(peer.generation or peer.gone for peer in self.writer.peers)
              or self.writer.refused, self.writer, reader)
        self.serve()
        return reader

    def serve(self):
        serve(self.writer, *[each for each in self.readers if each.handle])

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for reader in self.readers:
            if reader.handle:
                reader.close()
        self.writer.close()


def takes(reader):
    """All that there is to take: numbers of frames, each whole, and what else."""
    found = []
    while LOST not in found and (one := reader.acquire()) is not None:
        if isinstance(one, HeldFrame):
            equal(set(one.picture()), {one.info.sequence % 256})
            found.append(one.info.sequence)
            one.release()
        else:
            found.append(one)
    return found


def fill(slot, byte):
    slot.view[:] = bytes([byte]) * len(slot.view)


def send(writer, first, last):
    """Publish the frames with these numbers, each of its own byte."""
    for number in range(first, last + 1):
        slot = writer.claim()
        assert slot, "no slot for frame %d" % number
        fill(slot, number % 256)
        writer.publish(slot)
        equal(writer.head, number)


@test("the library shakes hands and sees frames as they are")
def frames(path):
    with Ends(path, NV12, latency_us=1500) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        status = reader.status()
        equal((status.connected, status.writer_pid, status.policy, status.latency),
              (1, os.getpid(), LATEST, 1500000))
        for number in range(1, 600):
            slot = ends.writer.claim()
            fill(slot, number % 256)
            ends.writer.publish(slot, pts=number * 40, duration=40, offset=number,
                                capture_time=7, flags=5, crop=(2, 4, 6, 8))
            frame = reader.acquire()
            info = frame.info
            equal((info.sequence, info.skipped, set(frame.picture())),
                  (number, 0, {number % 256}))
            equal((info.pts, info.duration, info.offset, info.offset_end,
                   info.capture_time, info.flags, info.stream),
                  (number * 40, 40, number, clib.NONE, 7, 5, ends.writer.stream))
            equal((info.crop_x, info.crop_y, info.crop_width, info.crop_height),
                  (2, 4, 6, 8))
            equal(frame.numbers(), clib.format_from_caps(NV12))
            frame.release()
        equal(reader.acquire(), None)
        peer = ends.writer.peers[0]
        equal((peer.page.load(board.AT_RECEIVED), peer.page.load(board.AT_SKIPPED)),
              (599, 0))


@test("rows may be longer than the picture, and lie otherwise in single frames")
def layouts(path):
    with Ends(path, None) as ends:
        ends.writer.set_format(NV12, align=128)
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        picture = bytes(range(250)) * (66 * 75 // 250 + 1)
        picture = picture[:66 * 75]
        slot = ends.writer.claim()
        ends.writer.draw(slot, picture)
        ends.writer.publish(slot)
        frame = reader.acquire()
        equal((list(frame.info.stride), frame.picture()), ([128, 128, 0, 0], picture))
        frame.release()
        slot = ends.writer.claim()
        slot.view[100:100 + len(picture)] = picture
        ends.writer.publish(slot, stride=[66, 66, 0, 0], size=100 + len(picture),
                            plane_offset=[100, 100 + 66 * 50, 0, 0])
        frame = reader.acquire()
        equal((list(frame.info.stride), frame.picture()), ([66, 66, 0, 0], picture))
        frame.release()


@test("who comes late sees the newest frame first, and nothing was skipped")
def late(path):
    with Ends(path) as ends:
        send(ends.writer, 1, 300)
        reader = ends.join()
        equal(takes(reader), [NEW_FORMAT, 300])
        send(ends.writer, 301, 302)
        equal(takes(reader), [301, 302])
        equal(reader.status().skipped, 0)


def wakes(writer):
    """The tickets for which a WAKE will be said on its first reader's line."""
    peer, tickets = writer.peers[0], []
    say = peer.line.say

    def watch(type_, *rest, **fields):
        if type_ == wire.WAKE:
            tickets.append(peer.answered)
        return say(type_, *rest, **fields)
    peer.line.say = watch
    return tickets


@test("a reader that is armed is woken once for each ticket, one that is not never")
def waking(path):
    with Ends(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        tickets, last = wakes(ends.writer), 0
        send(ends.writer, 1, 1)
        equal(tickets, [])
        for count in range(1, 5):
            equal(takes(reader), list(range(last + 1, ends.writer.head + 1)))
            assert ends.writer.peers[0].page.load(board.AT_ARMED) % 2 == 1
            last = ends.writer.head
            send(ends.writer, last + 1, last + 3)
            equal((len(tickets), len(set(tickets))), (count, count))
            ends.serve()


@test("a reader that sleeps is woken by a frame, by a format and by the end")
def sleeping(path):
    with Ends(path, None) as ends:
        reader, found, bell = clib.Reader(path, policy=LOSSLESS), [], Bell()
        ends.readers.append(reader)

        def follow():
            while LOST not in found:
                reader.wait()
                found.extend(takes(reader))
                bell.ring()
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        until(lambda: any(peer.welcomed for peer in ends.writer.peers), ends.writer)
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
        reader = ends.join(min_holds=2, max_holds=3, depth=2)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 2)
        held = [reader.acquire(), reader.acquire()]
        send(ends.writer, 3, 900)
        last = reader.acquire()
        equal([frame.info.sequence for frame in held] +
              [last.info.sequence, last.info.skipped], [1, 2, 899, 896])
        equal(reader.acquire(), None)  # the third hold was the last
        equal([set(frame.picture()) for frame in held], [{1}, {2}])
        slots = set(ends.writer.held(ends.writer.generation))
        equal(len(slots), 3)
        for frame in held + [last]:
            frame.release()
        equal(ends.writer.held(ends.writer.generation), {})
        seen = set()
        for number in range(901, 960):
            send(ends.writer, number, number)
            seen.add(ends.writer.generation.board.ring(number))
        assert seen & slots, "none of %s in %s" % (slots, seen)


@test("a new format comes after all frames of the old one, and those stay intact")
def formats(path):
    with Ends(path) as ends:
        reader = ends.join(max_holds=4, depth=4)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 3)
        held = reader.acquire()
        ends.writer.set_format(NV12)
        send(ends.writer, 4, 40)
        ends.serve()
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
        status = reader.status()
        equal(status.received + status.skipped, 51)


@test("the end is told after the last frame and before what follows it")
def end(path):
    with Ends(path, backpressure=True) as ends:
        reader = ends.join(policy=LOSSLESS)
        ends.writer.end()
        ends.serve()
        equal(takes(reader), [NEW_FORMAT])
        ends.serve()
        equal(takes(reader), [END])
        send(ends.writer, 1, 3)
        ends.writer.end()
        send(ends.writer, 4, 4)
        ends.serve()
        equal(takes(reader), [1, 2, 3, END, 4])
        ends.writer.end()
        ends.writer.set_format(NV12)
        send(ends.writer, 5, 5)
        ends.serve()
        equal(takes(reader), [END, NEW_FORMAT, 5])


@test("a writer that says BYE or nothing leaves its last frames to be taken")
def lost(path):
    for say_bye in (True, False):
        ends = Ends(path)
        reader = ends.join(max_holds=2)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 3)
        if not say_bye:
            ends.writer.peers[0].bye = lambda: None
        ends.writer.close()
        serve(reader)
        frame = reader.acquire()
        equal((takes(reader), set(frame.picture())), ([2, 3, LOST], {1}))
        frame.release()
        with Ends(path) as next_one:
            next_one.readers.append(reader)
            until(lambda: next_one.writer.peers, next_one.writer, reader)
            next_one.serve()
            send(next_one.writer, 1, 1)
            equal(takes(reader), [NEW_FORMAT, 1])


@test("a refused reader learns why: version, format, memory")
def refused(path):
    def fails(reader, code, words):
        try:
            raise AssertionError("took %r" % takes(reader))
        except CallFailed as failure:
            equal(failure.code, -code)
            assert words in failure.sentence, failure.sentence

    with Ends(path, n_slots=20) as ends:
        fails(ends.join(accepts="video/x-raw, format={ NV12, GRAY8 }"),
              errno.EMEDIUMTYPE, "format=RGBA")
        fails(ends.join(min_holds=30, max_holds=40), errno.ENOBUFS, "memory")
        reader = ends.join(accepts="video/x-raw, format={ RGBA, GRAY8 }", max_holds=64)
        send(ends.writer, 1, 1)
        equal(takes(reader), [NEW_FORMAT, 1])
        assert 1 <= reader.status().max_holds < 20
        ends.writer.set_format(NV12)
        ends.serve()
        fails(reader, errno.EMEDIUMTYPE, "format=NV12")


@test("a writer of another version refuses, and the library says so")
def version(path):
    with Ends(path) as ends:
        ends.writer.version = 2
        reader = ends.join()
        try:
            raise AssertionError("took %r" % takes(reader))
        except CallFailed as failure:
            equal(failure.code, -errno.EPROTONOSUPPORT)


@test("the writer waits for a lossless reader, and one NUDGE per ticket ends that")
def lossless(path):
    with Ends(path, backpressure=True) as ends:
        reader, writer = ends.join(policy=LOSSLESS), ends.writer
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        equal(writer.peers[0].policy, LOSSLESS)
        while slot := writer.claim():
            fill(slot, (writer.head + 1) % 256)
            writer.publish(slot)
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
            while len(found) < 200:
                reader.wait()
                found.extend(takes(reader))
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        for number in range(first + 1, first + 201):
            slot = writer.claim_wait()
            fill(slot, number % 256)
            writer.publish(slot)
        thread.join()
        ends.serve()
        equal(found, list(range(first + 1, first + 201)))
        equal(len(set(nudges)), len(nudges))
        equal((reader.status().skipped, writer.peers[0].demoted), (0, False))


@test("a lossless reader that is too slow is demoted and goes on as latest")
def demoted(path):
    with Ends(path, backpressure=True, timeout=0.001) as ends:
        reader, held = ends.join(policy=LOSSLESS, depth=2), None
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        for number in range(1, 100):
            slot = ends.writer.claim_wait()
            fill(slot, number)
            ends.writer.publish(slot)
            held = held or reader.acquire()
        equal((held.info.sequence, set(held.picture())), (1, {1}))
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
def no_backpressure(path):
    with Ends(path) as ends:
        reader = ends.join(policy=LOSSLESS, depth=2)
        equal((reader.status().policy, takes(reader)), (LATEST, [NEW_FORMAT]))
        ends.serve()
        send(ends.writer, 1, 200)
        equal(takes(reader), [199, 200])


@test("the library says BYE when it leaves, and frames held keep the session open")
def bye(path):
    with Ends(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 1)
        frame = reader.acquire()
        reader.close()
        serve(ends.writer)
        equal(len(ends.writer.peers), 1)
        send(ends.writer, 2, 300)
        equal(set(frame.picture()), {1})
        frame.release()
        serve(ends.writer)
        equal(ends.writer.peers, [])


@test("a path is taken from a dead writer, and from no living one")
def paths(path):
    with Ends(path) as ends:
        try:
            raise AssertionError(Writer(path))
        except OSError as error:
            equal(error.errno, errno.EADDRINUSE)
        try:
            raise AssertionError(clib.Writer(path))
        except CallFailed as failure:
            equal(failure.code, -errno.EADDRINUSE)
        ends.writer.place.leave = ends.writer.place.listener.close  # as by SIGKILL
    assert os.path.exists(path)
    with Ends(path):
        pass
    assert not os.path.exists(path)
    stale = Writer(path)
    stale.place.listener.close()
    with open(path + ".out", "w", encoding="ascii") as file:
        file.write("the library takes it over as well")
    clib.Writer(path).close()
    assert not os.path.exists(path)
    stale.close()
    try:
        raise AssertionError(Writer(path + ".out"))
    except FileExistsError:
        pass


if __name__ == "__main__":
    main()
