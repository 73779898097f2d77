# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Messages: bytes to values and back (docs/protocol.md, section 3)

Pure. One rule: encode(decode(bytes)) is bytes again, or decode raises Broken, or it
returns None for a message that is to be skipped.
"""

import struct

MAGIC = b"SHVM"
HEADER = struct.Struct("<4sIII")
LONGEST = 32768
LONGEST_TEXT = 16384

HELLO, PAGE, MAPPED, WELCOME, FORMAT, READY = 1, 2, 3, 4, 5, 6
ACCEPTS, REFUSED, END, BYE, WAKE, NUDGE = 7, 8, 9, 10, 11, 12

# Why a reader is REFUSED.
BY_FORMAT, BY_MEMORY, BY_READERS, BY_VERSION, BY_RULES = 1, 2, 3, 4, 5


class Broken(Exception):
    """The other side broke a rule of the page."""


class Kind:
    """A type of message: (field, struct code) each, an array as "4I", and perhaps a
    text at the end; how many descriptors come along; who may say it."""

    def __init__(self, name, fields="", text=None, descriptors=0, who="rw"):
        self.name, self.text, self.descriptors, self.who = (name, text, descriptors,
                                                            who)
        pairs = [item.split(":") for item in fields.split()]
        self.fields = [(field, int(code[:-1] or 1)) for field, code in pairs]
        self.body = struct.Struct("<" + "".join(code for _, code in pairs))


KINDS = {
    HELLO: Kind("HELLO", "version_min:H version_max:H policy:I depth:I holds_min:H "
                "holds_want:H flags:I", "accepts", who="r"),
    PAGE: Kind("PAGE", "holds:I", descriptors=1, who="w"),
    MAPPED: Kind("MAPPED", who="r"),
    WELCOME: Kind("WELCOME", "version:H policy:H reader:I stream:Q depth:I holds:I "
                  "floor:I", who="w"),
    FORMAT: Kind("FORMAT", "generation:I n_slots:I slot_size:Q pool_size:Q "
                 "board_size:Q modifier:Q memory_kind:I pixel_format:I width:I "
                 "height:I fps_n:I fps_d:I max_fps_n:I max_fps_d:I par_n:I par_d:I "
                 "interlace_mode:I field_order:I color_range:I color_matrix:I "
                 "color_transfer:I color_primaries:I chroma_site:I alpha_mode:I "
                 "views:I n_planes:I stride:4I offset:4Q size:Q", "caps", 2, "w"),
    READY: Kind("READY", "generation:I", who="r"),
    ACCEPTS: Kind("ACCEPTS", text="accepts", who="r"),
    REFUSED: Kind("REFUSED", "reason:I", "sentence", who="w"),
    END: Kind("END", "sequence:I", who="w"),
    BYE: Kind("BYE"),
    WAKE: Kind("WAKE", who="w"),
    NUDGE: Kind("NUDGE", who="r"),
}


class Message:
    """A message: type, serial, and its fields as attributes."""

    def __init__(self, type_, serial=0, **fields):
        self.type, self.serial = type_, serial
        self.__dict__.update(fields)

    @property
    def kind(self):
        return KINDS[self.type]

    def __repr__(self):
        return "%s(%s)" % (self.kind.name, ", ".join(
            "%s=%r" % pair for pair in self.__dict__.items() if pair[0] != "type"))


def encode(message):
    kind = message.kind
    values = []
    for field, count in kind.fields:
        value = getattr(message, field)
        values += value if count > 1 else [value]
    body = kind.body.pack(*values)
    if kind.text:
        text = getattr(message, kind.text).encode()
        body += struct.pack("<I", len(text)) + text
    return HEADER.pack(MAGIC, message.type, HEADER.size + len(body),
                       message.serial) + body


def decode(data):
    if not HEADER.size <= len(data) <= LONGEST:
        raise Broken("a message of %d bytes" % len(data))
    magic, type_, length, serial = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise Broken("the magic is %r" % magic)
    if length != len(data):
        raise Broken("a message of %d bytes that says %d" % (len(data), length))
    if type_ not in KINDS:
        return None
    kind = KINDS[type_]
    body = data[HEADER.size:]
    fixed, rest = body[:kind.body.size], body[kind.body.size:]
    if len(fixed) < kind.body.size:
        raise Broken("%s is too short" % kind.name)
    message = Message(type_, serial)
    values = list(kind.body.unpack(fixed))
    for field, count in kind.fields:
        taken, values = values[:count], values[count:]
        setattr(message, field, taken if count > 1 else taken[0])
    if kind.text:
        setattr(message, kind.text, decode_text(rest, kind.name))
    elif rest:
        raise Broken("%s is too long" % kind.name)
    return message


def decode_text(rest, name):
    if len(rest) < 4:
        raise Broken("%s ends within its text's size" % name)
    size = int.from_bytes(rest[:4], "little")
    text = bytes(rest[4:])
    if size > LONGEST_TEXT or size != len(text) or 0 in text:
        raise Broken("%s has a bad text" % name)
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise Broken("%s has a text that is not UTF-8" % name) from None


def from_hex(lines):
    """The bytes of a file of tests/vectors: hexadecimal, "XX*N" for N times the same,
    and remarks behind a number sign."""
    data = b""
    for line in lines:
        for word in line.partition("#")[0].split():
            byte, _, times = word.partition("*")
            data += bytes.fromhex(byte) * int(times or 1)
    return data
