# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Both ends of a share in one process, one of them the library's: they take turns, so
that each step can be looked at
"""

import clib
import path as rendezvous
import wire
from line import Gone, Line, close_all
from reader import LOST, Reader
from tap import equal, serve, until
from writer import Writer

RGBA = "video/x-raw, format=RGBA, width=32, height=24, framerate=30/1"
NV12 = "video/x-raw, format=NV12, width=66, height=50, framerate=25/1"
GRAY = "video/x-raw, format=GRAY8, width=16, height=16, framerate=25/1"


class Ends:
    """A writer and its readers, closed at the end."""

    def __init__(self, path, text, writer):
        self.path, self.writer, self.readers = path, writer, []
        if text:
            self.writer.set_format(text)

    def serve(self):
        serve(self.writer, *[each for each in self.readers if not each.closed])

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for reader in self.readers:
            reader.close()
        self.writer.close()


class LibraryWrites(Ends):
    """A writer of the library, readers of ours."""

    def __init__(self, path, text=RGBA, **config):
        super().__init__(path, text, clib.Writer(path, **config))

    def join(self, **settings):
        reader = Reader(self.path, **settings)
        self.readers.append(reader)
        self.serve()
        return reader

    def raw(self):
        """A connection on which the test itself speaks."""
        return Line(rendezvous.connect(self.path), "r")


class LibraryReads(Ends):
    """A writer of ours, readers of the library."""

    def __init__(self, path, text=RGBA, **config):
        super().__init__(path, text, Writer(path, **config))

    def join(self, **settings):
        reader, refused = clib.Reader(self.path, **settings), self.writer.refused
        self.readers.append(reader)
        until(lambda: self.writer.refused > refused or any(
            peer.generation for peer in self.writer.peers), self.writer, reader)
        self.serve()
        return reader


def takes(reader):
    """All that there is to take: numbers of frames, each whole, and what else."""
    found = []
    while LOST not in found and (one := reader.acquire()) is not None:
        if isinstance(one, str):
            found.append(one)
        else:
            equal(set(one.picture()), {one.sequence % 256})
            found.append(one.sequence)
            one.release()
    return found


def send(writer, first, last):
    """Publish the frames with these numbers, each of its own byte."""
    for number in range(first, last + 1):
        assert show(writer, number), "no slot for frame %d" % number


def show(writer, number, wait=False, **info):
    """Publish one frame, all of one byte. False: there was no slot."""
    if isinstance(writer, clib.Writer):
        return writer.send(number % 256, wait, **info)
    slot = writer.claim_wait() if wait else writer.claim()
    if slot:
        slot.view[:] = bytes([number % 256]) * len(slot.view)
        writer.publish(slot, **info)
    return slot is not None


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
