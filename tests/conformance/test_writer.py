#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The writer of this folder, feeding the library: test_writer.py"""

import errno
import os
import threading

import board
import clib
import peer
import wire
from clib import END, LOST, NEW_FORMAT, CallFailed
from ends import GRAY, NV12, RGBA, LibraryReads, send, show, takes
from reader import LATEST, LOSSLESS
from tap import Bell, equal, finish, main, run_peer, serve, test, until
from writer import Writer


@test("the library shakes hands and sees frames as they are")
def frames(path):
    with LibraryReads(path, NV12, latency_us=1500) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        status = reader.status()
        equal((status.connected, status.writer_pid, status.policy, status.latency),
              (1, os.getpid(), LATEST, 1500000))
        for number in range(1, 600):
            show(ends.writer, number, pts=number * 40, duration=40, offset=number,
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
    with LibraryReads(path, None) as ends:
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
    with LibraryReads(path) as ends:
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
    with LibraryReads(path) as ends:
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
    with LibraryReads(path, None) as ends:
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
    with LibraryReads(path) as ends:
        reader = ends.join(min_holds=2, max_holds=3, depth=2)
        equal(reader.acquire(), NEW_FORMAT)
        ends.serve()
        send(ends.writer, 1, 2)
        held = [reader.acquire(), reader.acquire()]
        send(ends.writer, 3, 900)
        last = reader.acquire()
        equal([frame.sequence for frame in held] +
              [last.sequence, last.info.skipped], [1, 2, 899, 896])
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


@test("at full speed, in two processes, no frame is torn")
def full_speed(path):
    writer, reader, taken = run_peer("write", path, "--frames", "3000"), None, []
    reader = clib.Reader(path)
    while END not in taken:
        reader.wait()
        while END not in taken and (one := reader.acquire()) is not None:
            if isinstance(one, str):
                taken.append(one)
                continue
            assert one.picture() == peer.picture(one.sequence, one.numbers()), \
                "frame %d is torn" % one.sequence
            taken.append(one.sequence)
            one.release()
    reader.close()
    equal(finish(writer), (0, "3000 frames\n"))
    assert len(taken) > 300, len(taken)


@test("a new format comes after all frames of the old one, and those stay intact")
def formats(path):
    with LibraryReads(path) as ends:
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
    with LibraryReads(path, backpressure=True) as ends:
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
        ends = LibraryReads(path)
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
        with LibraryReads(path) as next_one:
            next_one.readers.append(reader)
            until(lambda: next_one.writer.peers, next_one.writer, reader)
            next_one.serve()
            send(next_one.writer, 1, 1)
            equal(takes(reader), [NEW_FORMAT, 1])


@test("a path is taken from a dead writer, and from no living one")
def paths(path):
    with LibraryReads(path) as ends:
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
    with LibraryReads(path):
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
