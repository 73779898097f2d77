#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Who is refused, who breaks a rule, who leaves, on either side: test_rules.py"""

import contextlib
import errno
import os
import socket
import sys

import path as rendezvous
import wire
from clib import CallFailed
from ends import NV12, LibraryReads, LibraryWrites, hears, send, takes
from line import Gone, Line
from reader import LOST, NEW_FORMAT
from tap import equal, main, serve, test


HELLO = dict(version_min=1, version_max=1, policy=0, depth=4, holds_min=1,
             holds_want=2, flags=0, accepts="")


@test("who speaks another version is refused with reason 4, and told why")
def version(path):
    with LibraryWrites(path) as ends:
        for versions in ((2, 3), (0, 0)):
            reader = ends.join(versions=versions)
            equal((reader.refused[0], reader.acquire()), (wire.BY_VERSION, LOST))
            assert "version" in reader.refused[1]
        equal(takes(ends.join(versions=(1, 9))), [NEW_FORMAT])


@test("who does not accept the format is refused with reason 1, at any time")
def format_refused(path):
    with LibraryWrites(path) as ends:
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
    with LibraryWrites(path, max_readers=1, max_memory=12 * 4096, max_lent=1) as ends:
        greedy = ends.join(holds=(40, 64), depth=32)
        equal(greedy.refused[0], wire.BY_MEMORY)
        greedy.close()
        modest = ends.join(holds=(1, 64), depth=1)
        assert modest.refused is None and 1 <= modest.welcome.holds < 64
        equal(ends.join().refused[0], wire.BY_READERS)


@test("a refused reader learns why: version, format, memory")
def refused_library(path):
    def fails(reader, code, words):
        try:
            raise AssertionError("took %r" % takes(reader))
        except CallFailed as failure:
            equal(failure.code, -code)
            assert words in failure.sentence, failure.sentence

    with LibraryReads(path, n_slots=20) as ends:
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
def version_library(path):
    with LibraryReads(path) as ends:
        ends.writer.version = 2
        reader = ends.join()
        try:
            raise AssertionError("took %r" % takes(reader))
        except CallFailed as failure:
            equal(failure.code, -errno.EPROTONOSUPPORT)


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
    with LibraryWrites(path) as ends:
        equal(talk(ends, unknown, (wire.HELLO, HELLO), unknown, (wire.MAPPED, {}),
                   unknown, (wire.READY, dict(generation=1)), unknown),
              [wire.PAGE, wire.WELCOME, wire.FORMAT])


@test("who breaks a rule is told nothing more")
def broken(path):
    hello, mapped, ready = ((wire.HELLO, HELLO), (wire.MAPPED, {}),
                            (wire.READY, dict(generation=1)))
    with LibraryWrites(path) as ends:
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
    with LibraryWrites(path) as ends:
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
        reader.close()
        serve(ends.writer)
        equal(ends.writer.stats().n_readers, 0)


def send_descriptor(path):
    """A line on which HELLO came with a descriptor, or was refused by the kernel."""
    line = Line(rendezvous.connect(path), "r")
    data = wire.encode(wire.Message(wire.HELLO, 1, **HELLO))
    with open("/dev/null", "rb") as null:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   null.fileno().to_bytes(4, sys.byteorder))]
        try:
            line.link.sendmsg([data], rights)
        except PermissionError:  # Linux 6.16
            return line, False
    return line, True


@test("the writer takes no descriptor")
def descriptor(path):
    with LibraryWrites(path) as ends:
        line, sent = send_descriptor(path)
        serve(ends.writer)
        equal([type(each) for each in hears(line)], [Gone] if sent else [])
        line.close()
        serve(ends.writer)


@test("nor does ours, where the kernel lets it through")
def descriptor_ours(path):
    with LibraryReads(path) as ends:
        with contextlib.suppress(OSError):
            ends.writer.place.listener.setsockopt(
                socket.SOL_SOCKET, rendezvous.SO_PASSRIGHTS, 1)
        line, sent = send_descriptor(path)
        assert sent
        before = len(os.listdir("/proc/self/fd"))
        ends.writer.dispatch()
        equal(len(os.listdir("/proc/self/fd")), before)
        equal(([type(each) for each in hears(line)], ends.writer.peers), ([Gone], []))
        line.close()


@test("BYE ends a session, and frames that are held keep it open")
def bye(path):
    with LibraryWrites(path) as ends:
        reader = ends.join()
        equal(reader.acquire(), NEW_FORMAT)
        send(ends.writer, 1, 1)
        frame = reader.acquire()
        reader.close()
        serve(ends.writer)
        send(ends.writer, 2, 300)
        equal((set(frame.picture()), ends.writer.stats().n_readers), ({1}, 1))
        frame.release()
        serve(ends.writer)
        equal(ends.writer.stats().n_readers, 0)


@test("the library says BYE when it leaves, and frames held keep the session open")
def bye_library(path):
    with LibraryReads(path) as ends:
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


if __name__ == "__main__":
    main()
