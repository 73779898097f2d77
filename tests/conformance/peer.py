#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""A writer, a reader and a decoder of the protocol, written from docs/protocol.md

  peer.py write PATH [--caps TEXT]... [--frames N] [--readers N] [--lossless]
      Once N readers are ready, show N frames of each format, say END, and leave when
      all readers have left, or at Ctrl-C. What the frames show is picture().
  peer.py read PATH [--frames N] [--lossless] [--accepts TEXT] [--version N]
      [--output FILE] [--check]
      Take frames until there were N, or the writer ends, and tell of them, a line
      each. The file gets their rows without gaps. Fail, if asked to, on the first one
      that is not picture().
  peer.py decode FILE...
      What the messages of tests/vectors say, a line each.
"""

import argparse
import hashlib
import sys

import reader
import video
import wire
import writer

PATIENCE = 30  # seconds that a reader waits for its writer
GRAY = "video/x-raw, format=GRAY8, width=64, height=48, framerate=30/1"


def picture(number, numbers):
    """The rows of the frame with this number, without gaps; never the same twice."""
    size = sum(row * rows for row, rows in video.plane_sizes(numbers))
    return hashlib.shake_128(b"%d" % number).digest(size)


def write(args):
    share = writer.Writer(args.path, backpressure=args.lossless)
    try:
        for number, text in enumerate(args.caps or [GRAY]):
            share.set_format(text)
            serve_until(share, lambda: number or args.readers <= sum(
                peer.ready for peer in share.peers))
            show(share, args.frames)
        print("%d frames" % share.head, flush=True)
        share.end()
        serve_until(share, lambda: share.peers)
        serve_until(share, lambda: not share.peers)
    except KeyboardInterrupt:
        pass
    finally:
        share.close()


def serve_until(share, condition):
    while not condition():
        share.sleep(PATIENCE)
        share.dispatch()


def show(share, frames):
    for _ in range(frames):
        slot = share.claim_wait()
        assert slot, "every slot is needed"
        share.draw(slot, picture(share.head + 1, slot.generation.numbers))
        share.publish(slot, pts=share.head * 40000000, duration=40000000)
        share.dispatch()


def read(args):
    share = reader.Reader(
        args.path, policy=reader.LOSSLESS if args.lossless else reader.LATEST,
        accepts=args.accepts, versions=(args.version, args.version), patience=PATIENCE)
    output = open(args.output, "wb") if args.output else None
    n = 0
    while n < args.frames:
        share.wait()
        one = share.acquire()
        if isinstance(one, reader.Frame):
            n += 1
            print("frame %d, %d skipped" % (one.sequence, one.skipped), flush=True)
            if args.check and one.picture() != picture(one.sequence,
                                                       vars(one.format)):
                sys.exit("frame %d is torn" % one.sequence)
            if output:
                output.write(one.picture())
            one.release()
        elif one == reader.NEW_FORMAT:
            print("format %s" % share.generation.format.caps, flush=True)
        elif one:
            print("%s" % one if not share.refused else "refused %d: %s" % share.refused,
                  flush=True)
            if one == reader.LOST:
                break
    share.close()
    if output:
        output.close()


def decode(args):
    for name in args.files:
        with open(name, encoding="ascii") as file:
            print(describe(wire.from_hex(file)))


def describe(data):
    """A message in a line: the number of its type, its serial, all fields in order;
    or "bad", or "skip"."""
    try:
        message = wire.decode(data)
    except wire.Broken:
        return "bad"
    if message is None:
        return "skip"
    words = [str(message.type), str(message.serial)]
    for field, count in message.kind.fields:
        value = getattr(message, field)
        words += [str(each) for each in (value if count > 1 else [value])]
    if message.kind.text:
        words.append(getattr(message, message.kind.text).encode().hex() or "-")
    return " ".join(words)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    deeds = parser.add_subparsers(required=True)
    for name, deed in (("write", write), ("read", read)):
        each = deeds.add_parser(name)
        each.set_defaults(deed=deed)
        each.add_argument("path")
        each.add_argument("--lossless", action="store_true")
        each.add_argument("--frames", type=int, default=2**31)
        if deed == write:
            each.add_argument("--caps", action="append")
            each.add_argument("--readers", type=int, default=1)
        else:
            each.add_argument("--accepts", default=video.EVERYTHING)
            each.add_argument("--version", type=int, default=1)
            each.add_argument("--output")
            each.add_argument("--check", action="store_true")
    each = deeds.add_parser("decode")
    each.set_defaults(deed=decode)
    each.add_argument("files", nargs="+")
    args = parser.parse_args()
    args.deed(args)


if __name__ == "__main__":
    sys.exit(main())
