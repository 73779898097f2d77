#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""peer.py and the elements, peer.py and the examples: test_elements.py

Each side is a process of its own. What one shows is what the other has seen, byte for
byte.
"""

import os
import pathlib
import signal
import subprocess

import board
import peer
import video
from reader import END, LOST, NEW_FORMAT, Frame, Reader
from tap import (DEADLINE, Skip, equal, finish, main, run_peer, spin, start, test,
                 until)
from writer import Writer

BUILD = pathlib.Path(os.environ["SHMVIDEO_BUILD_DIR"])
GRAY = "video/x-raw, format=GRAY8, width=64, height=48, framerate=30/1"
I420 = "video/x-raw, format=I420, width=80, height=64, framerate=25/1"
RGBA = "video/x-raw, format=RGBA, width=32, height=24, framerate=30/1"
FORMATS = [GRAY, I420, RGBA]
FRAMES = 40  # of each


def launch(line, **more):
    return start("gst-launch-1.0", "-q", *line.split(), **more)


def pictures(first, last, text):
    """What peer.py shows in these frames."""
    numbers = video.from_caps(text)
    return b"".join(peer.picture(number, numbers) for number in range(first, last + 1))


def test_video():
    """Pictures of three formats, one after another, with a pad to link."""
    sources = ["videotestsrc num-buffers=%d pattern=%s ! %s ! c." %
               (FRAMES, pattern, text.replace(" ", ""))
               for text, pattern in zip(FORMATS, ("smpte", "ball", "snow"))]
    return "concat name=c %s c. ! " % " ".join(sources)


@test("what shmvideosink shows, formats and all, is what the peer reads")
def from_sink(path):
    expected = launch(test_video() + "filesink location=%s.1.out" % path)
    equal(finish(expected), (0, ""))
    peer_child = run_peer("read", path, "--lossless", "--output", path + ".2.out")
    sink = launch(test_video() + "shmvideosink socket-path=%s backpressure=true "
                  "wait-for-connection=true sync=false" % path)
    status, told = finish(peer_child)
    equal((status, finish(sink)), (0, (0, "")))
    lines = told.splitlines()
    equal([line for line in lines if line.startswith("frame")],
          ["frame %d, 0 skipped" % (i + 1) for i in range(3 * FRAMES)])
    at = [i for i, line in enumerate(lines) if line.startswith("format")]
    equal(at, [0, FRAMES + 1, 2 * FRAMES + 2])
    equal(lines[-2:], [END, LOST])
    with open(path + ".1.out", "rb") as shown, open(path + ".2.out", "rb") as seen:
        assert shown.read() == seen.read(), "the pictures are not the same"


@test("what the peer shows, formats and all, is what shmvideosrc receives")
def to_source(path):
    caps = [word for text in FORMATS for word in ("--caps", text)]
    peer_child = run_peer("write", path, "--lossless", "--frames", str(FRAMES), *caps)
    source = launch("shmvideosrc socket-path=%s policy=lossless ! "
                    "filesink location=%s.out" % (path, path))
    equal(finish(source), (0, ""))  # END is its end of stream
    equal(finish(peer_child), (0, "%d frames\n" % (3 * FRAMES)))
    expected = b"".join(pictures(i * FRAMES + 1, (i + 1) * FRAMES, text)
                        for i, text in enumerate(FORMATS))
    with open(path + ".out", "rb") as seen:
        assert seen.read() == expected, "the pictures are not the same"


@test("shmvideosrc that comes late begins with the newest frame")
def late_source(path):
    peer_child = run_peer("write", path, "--frames", "9", "--readers", "0")
    equal(peer_child.stdout.readline(), "9 frames\n")
    source = launch("shmvideosrc socket-path=%s num-buffers=1 ! "
                    "filesink location=%s.out" % (path, path))
    equal((finish(source), finish(peer_child)), ((0, ""), (0, "")))
    with open(path + ".out", "rb") as seen:
        assert seen.read() == pictures(9, 9, GRAY), "not the newest picture"


@test("a peer that comes late begins with shmvideosink's newest frame")
def late_peer(path):
    sink = launch("videotestsrc is-live=true ! %s ! shmvideosink socket-path=%s" %
                  (GRAY.replace(" ", ""), path))
    last = 0
    for _ in range(2):
        status, told = finish(run_peer("read", path, "--frames", "3"))
        first = told.splitlines()[1].split()
        equal((status, first[2:]), (0, ["0", "skipped"]))
        assert int(first[1].rstrip(",")) > last
        last = int(told.splitlines()[-1].split()[1].rstrip(","))
    sink.send_signal(signal.SIGINT)
    finish(sink)


@test("shmvideosrc that cannot take the peer's format says what the peer said")
def refused_source(path):
    peer_child = run_peer("write", path)
    source = launch("shmvideosrc socket-path=%s ! video/x-raw,format=RGBA ! fakesink" %
                    path, stderr=subprocess.STDOUT)
    status, told = finish(source)
    equal(status, 1)
    assert "the format is " + GRAY in told, told
    peer_child.send_signal(signal.SIGINT)
    equal(finish(peer_child), (0, ""))


@test("shmvideosink refuses a peer: by its caps, by its version")
def refused_peer(path):
    sink = launch("videotestsrc is-live=true ! %s ! shmvideosink socket-path=%s" %
                  (GRAY.replace(" ", ""), path))
    status, told = finish(run_peer("read", path, "--accepts", RGBA))
    equal(status, 0)
    assert told.startswith("refused 1: ") and "GRAY8" in told, told
    status, told = finish(run_peer("read", path, "--version", "2"))
    equal(status, 0)
    assert told.startswith("refused 4: ") and "version" in told, told
    sink.send_signal(signal.SIGINT)
    finish(sink)


def example(name):
    program = BUILD / "examples" / name
    if not program.exists():
        raise Skip("examples are not built")
    return str(program)


def bars(number):
    """The frame that 01-send-frames draws: moving bars, 320 x 240, RGBA."""
    row = b"".join(bytes([255 if bar & bit else 0 for bit in (4, 2, 1)] + [255])
                   for bar in [(x + 2 * number) // 40 % 8 for x in range(320)])
    return row * 240


@test("the peer reads the frames of 01-send-frames, and its end")
def from_example(path):
    sender = start(example("01-send-frames"), path, "12")
    reader, found = Reader(path, patience=DEADLINE), []
    while LOST not in found:
        assert reader.wait(DEADLINE)
        one = reader.acquire()
        if isinstance(one, Frame):
            assert one.picture() == bars(one.entry.pts // (1000000000 // 30))
            one.release()
        found.append(one if isinstance(one, str) else one.sequence)
    reader.close()
    equal((found[0], found[-3:]), (NEW_FORMAT, [12, END, LOST]))
    equal(found[1:-2], sorted(found[1:-2]))
    equal(finish(sender), (0, ""))


@test("02-receive-frames takes the frames of the peer, and shows the last")
def to_example(path):
    writer = Writer(path)
    writer.set_format(RGBA)
    receiver = start(example("02-receive-frames"), path, "10", path + ".out")
    until(lambda: any(each.ready for each in writer.peers), writer)
    reader = writer.peers[0]
    while writer.head < 10:
        # It takes the newest frames only: none before it has taken the last one.
        spin(lambda: reader.page.load(board.AT_RECEIVED) == writer.head)
        slot = writer.claim()
        writer.draw(slot, pictures(writer.head + 1, writer.head + 1, RGBA))
        writer.publish(slot)
    until(lambda: not writer.peers, writer)
    writer.close()
    equal(finish(receiver), (0, "format %s\n10 frames\n" % RGBA))
    shown = pictures(10, 10, RGBA)
    rgb = b"".join(shown[i:i + 3] for i in range(0, len(shown), 4))
    equal(pathlib.Path(path + ".out").read_bytes(), b"P6\n32 24\n255\n" + rgb)


@test("a peer reads what a peer writes")
def both(path):
    caps = [word for text in FORMATS for word in ("--caps", text)]
    writes = run_peer("write", path, "--lossless", "--frames", str(FRAMES), *caps)
    reads = run_peer("read", path, "--lossless", "--frames", str(3 * FRAMES),
                     "--output", path + ".out")
    status, told = finish(reads)
    equal((status, finish(writes)[0]), (0, 0))
    equal([line for line in told.splitlines() if line.startswith("format")],
          ["format " + text for text in FORMATS])
    expected = b"".join(pictures(i * FRAMES + 1, (i + 1) * FRAMES, text)
                        for i, text in enumerate(FORMATS))
    equal(pathlib.Path(path + ".out").read_bytes() == expected, True)


if __name__ == "__main__":
    main()
