#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Two decoders, one result: test_vectors.py DECODE

DECODE is the library's decoder (decode.c). The messages are those of tests/vectors,
and all that come of them when a byte is changed, taken away or added. Caps texts, too,
are read by both sides: those of docs/caps.md and those made here.
"""

import itertools
import os
import pathlib
import random
import re
import subprocess
import sys

import caps
import clib
import video
import wire
from peer import describe
from reader import Reader
from tap import equal, main, serve, test

SOURCE = pathlib.Path(os.environ["SHMVIDEO_SOURCE_DIR"])


def vectors():
    return {path.stem: wire.from_hex(path.read_text().splitlines())
            for path in sorted((SOURCE / "tests/vectors").glob("*.hex"))}


def library_says(messages):
    """What the library's decoder makes of each."""
    text = "".join(data.hex() + "\n" for data in messages)
    told = subprocess.run(sys.argv[1:2], input=text, capture_output=True, check=True,
                          text=True)
    return told.stdout.splitlines()


def same(messages):
    for data, told in zip(messages, library_says(messages), strict=True):
        equal((data.hex()[:200], describe(data)), (data.hex()[:200], told))


@test("each vector is what its name says, to both decoders")
def verdicts(_):
    all_of_them = vectors()
    assert len(all_of_them) > 50
    same(list(all_of_them.values()))
    for name, data in all_of_them.items():
        told = describe(data)
        equal((name, told if told in ("bad", "skip") else "ok"),
              (name, name.split("-")[0]))
        if name.startswith("ok"):
            equal(wire.encode(wire.decode(data)), data)


@test("the numbers are those that the vectors' remarks say")
def remarks(_):
    seen = 0
    for path in sorted((SOURCE / "tests/vectors").glob("ok-*.hex")):
        message = wire.decode(wire.from_hex(path.read_text().splitlines()))
        for name, value in re.findall(r"# +\d+ (\w+(?:\[\d\])?): (\w+)",
                                      path.read_text()):
            field, _, index = name.rstrip("]").partition("[")
            if not hasattr(message, field) or field in ("type", "caps"):
                continue
            found = getattr(message, field)
            found = found[int(index)] if index else found
            expected = {"none": 0, "linear": 0}.get(value)
            if expected is None:
                expected = int(value, 16 if field == "stream" else 10)
            equal((path.stem, name, found), (path.stem, name, expected))
            seen += 1
    assert seen > 60, seen


@test("the dumps in docs/protocol.md are the vectors")
def dumps(_):
    page = (SOURCE / "docs/protocol.md").read_text()
    blocks = re.findall(r"^```hex\n# (\S+): [^\n]*\n(.*?)^```", page, re.M | re.S)
    assert len(blocks) >= 12
    for name, text in blocks:
        equal(wire.from_hex(text.splitlines()), vectors()[name])


@test("messages with a byte changed, missing or too many say the same to both")
def mutants(_):
    rng = random.Random(1)
    messages = []
    for data in vectors().values():
        if len(data) > 1000:
            continue
        for i in range(len(data)):
            for value in (0, 0xff, data[i] ^ (1 << rng.randrange(8))):
                messages.append(data[:i] + bytes([value]) + data[i + 1:])
            # Shorter and longer, with the length told as it is.
            for cut in (data[:i], data[:i] + data[i + 1:], data[:i] + b"a" + data[i:]):
                messages.append(cut)
                messages.append(cut[:8] + len(cut).to_bytes(4, "little") + cut[12:])
    assert len(messages) > 8000
    same(messages)


EDGES = [0, 1, 0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
         0xe0, 0xec, 0xed, 0xee, 0xf0, 0xf3, 0xf4, 0xf5, 0xff]


@test("what is UTF-8 to one is UTF-8 to the other")
def texts(_):
    rng = random.Random(5)
    every = [bytes(each) for each in itertools.product(EDGES, repeat=2)]
    every += [bytes(rng.choices(EDGES, k=rng.randint(1, 4))) for _ in range(8000)]
    every += ["\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff".encode()]
    messages = [wire.HEADER.pack(wire.MAGIC, wire.ACCEPTS, 20 + len(text), 1) +
                len(text).to_bytes(4, "little") + text for text in every]
    same(messages)
    good = sum(describe(data) != "bad" for data in messages)
    assert 200 < good < 7000, good


FIELDS = {
    "format": [*video.PIXEL_FORMATS, "rgba", "(int)11", '"RGBA"'],
    "width": ["1", "640", "(int)0x10", "0", "(uint)5", "[ 1, 5 ]", "{ 4 }", "010"],
    "height": ["1", "480", "+2", "(int)0X1f", "-4", "1.5"],
    "framerate": ["0/1", "30/1", "60000/2002", "30", "(fraction)30", "min", "-1/1"],
    "max-framerate": ["0/1", "(fraction)max", "1/2"],
    "pixel-aspect-ratio": ["1/1", "4/2", "0/1", "(fraction)1/max"],
    "interlace-mode": ["progressive", "mixed", "fields", "interleaved", "alternate",
                       "no"],
    "field-order": ["top-field-first", "bottom-field-first", "unknown", "5"],
    "views": ["1", "2", "0"],
    "colorimetry": [*video.COLORIMETRY, "2:3:5:1", "0:0:0:0", "9:99:999:1", "1:4:0:1",
                    "2:3:5", "2:3:5:1000", "", '(string)"bt709"', '(string)""'],
    "chroma-site": [*video.CHROMA, "h-cosited+alt-line", "mpeg2+", "left"],
    "premultiplied-alpha": ["true", "false", "T", "(boolean)1", "1"],
    "label": ["x", '"a"', '(string)"a b"', "fee-bad", "5/0", "NULL"],
}


def format_texts():
    """Each value of each field once, beside usual ones; then at random."""
    usual = {"format": "RGBA", "width": "64", "height": "48"}
    for field, values in FIELDS.items():
        for value, name in itertools.product(values, ("RGBA", "NV12")):
            yield {**usual, "format": name, field: value}
    rng = random.Random(2)
    for _ in range(1000):
        yield {field: rng.choice(values) for field, values in FIELDS.items()
               if rng.random() < (0.95 if field in usual else 0.4)}


@test("a format's text says the same to both")
def formats(_):
    known, good = set(video.BY_NUMBER), 0
    for fields in format_texts():
        for features in ("", "(format:Interlaced)", "(memory:DMABuf)"):
            text = "video/x-raw%s, %s" % (features, ", ".join(
                "%s=%s" % pair for pair in fields.items()))
            theirs = clib.format_from_caps(text)
            if theirs and theirs["pixel_format"] not in known:
                continue
            try:
                ours = video.from_caps(text)
                good += 1
            except caps.Refused:
                ours = None
            equal((text, ours), (text, theirs))
    assert good > 400, good


PIECES = ["0", "1", "7", "9", "a", "f", "e", "x", "0x", "+", "-", ":", "/", ".", "_",
          "g", "min", "max", "inf", "nan", "true", "p", "E"]
IN_QUOTES = ["", " ", "\\0", "\\012", "\\177", "\\200", "\\x", "\\\\"]
TYPES = ["int", "uint", "double", "fraction", "bool", "string", "bitmask", "flagset",
         "AFlagsSet", "FlagsSet"]


@test("words at random, typed and quoted, are values to both or to neither")
def words(_):
    rng, good = random.Random(3), 0
    for i in range(4000):
        word = "".join(rng.choices(PIECES, k=rng.randint(1, 6)))
        if i % 4 == 1:
            spaced = "".join(rng.choice(["", "", "", " "]) + char for char in word)
            word = '"%s%s%s"' % (rng.choice(["", " ", "\t"]), spaced,
                                 rng.choice(IN_QUOTES))
        elif i % 4 == 2:
            word = "(%s)%s" % (rng.choice(TYPES), word)
        elif i % 8 == 3:
            word = '(string)"%s%s"' % (word, rng.choice(IN_QUOTES))
        text = "video/x-raw, format=GRAY8, width=16, height=16, label=" + word
        try:
            ours = bool(video.from_caps(text))
        except caps.Refused:
            ours = False
        equal((word, ours), (word, clib.format_from_caps(text) is not None))
        good += ours
    assert 1000 < good < 3000, good


SETS = ["width=64", "width={ 32, 64 }", "width=[ 16, 64, 16 ]", "width=[ 1, 63 ]",
        "width=(uint)64", "height=[ 48, max ]", "framerate=[ 0/1, 30/1 ]",
        "framerate={ 25/1, [ 30/1, 60/1 ] }", "framerate=30", "label=x",
        "label=(string)5", "format={ RGBA, NV12 }", "format={ GRAY8 }", "views=2",
        "live=yes", "flags=(flagset)1:3", "flags=(GstVideoMultiviewFlagsSet){ 2:2, 1:5 }"]
MEDIA = ["video/x-raw", "video/x-raw(ANY)", "video/x-raw(memory:SystemMemory)",
         "video/x-raw(memory:DMABuf)", "audio/x-raw", "video/x-raw()"]
ONE = ("video/x-raw, format=GRAY8, width=64, height=48, framerate=30/1, label=x, "
       "live=(boolean)true, flags=(flagset)1:ffffffff")


@test("a reader of ours is refused by the library where we would refuse it")
def sets(path):
    rng, refused = random.Random(4), 0
    writer = clib.Writer(path)
    writer.set_format(ONE)
    for _ in range(200):
        text = "; ".join(", ".join([rng.choice(MEDIA), *rng.sample(
            SETS, rng.randint(0, 3))]) for _ in range(rng.randint(1, 2)))
        try:
            expected = caps.accepts(caps.parse(text), caps.fixed(caps.parse(ONE)))
        except caps.Refused:
            continue  # the same field twice, say
        reader = Reader(path, accepts=text)
        serve(writer, reader)
        equal((text, reader.refused is None), (text, expected))
        refused += not expected
        reader.close()
    writer.close()
    assert 50 < refused < 150, refused


@test("the examples of docs/caps.md are what the page says")
def examples(_):
    page = (SOURCE / "docs/caps.md").read_text()
    blocks = re.findall(r"^```caps-(\w+)\n(.*?)^```", page, re.M | re.S)
    equal([kind for kind, _ in blocks], ["fixed", "set", "refused"])
    for kind, text in blocks:
        for line in text.splitlines():
            try:
                found = "fixed" if caps.fixed(caps.parse(line)) else "set"
            except caps.Refused:
                found = "refused"
            equal((line, found), (line, kind))


if __name__ == "__main__":
    main()
