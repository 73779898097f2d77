# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Board and page: which byte is what (docs/protocol.md, section 5)

Offsets and single accesses; what must follow what is said in reader.py and writer.py.
"""

import struct

import memory
from memory import Words
from wire import Broken

BOARD_SIZE, PAGE_SIZE = 53248, 4096
MAGIC, VERSION = 0x42564853, 1
HEAD = struct.Struct("=IIIIQQ")
LIVE, SUPERSEDED, ENDED = 1, 2, 3
UNKNOWN = 2**64 - 1
RING, MOST_SLOTS, MOST_READERS, MOST_HOLDS = 256, 254, 128, 64
AT_STATE, AT_ACTIVE, AT_LATENCY, AT_NEWEST, AT_WAITS = 64, 68, 72, 128, 192
AT_READERS, AT_RING, AT_SLOTS, ENTRY_SIZE = 256, 768, 1792, 192
AT_CURSOR, AT_ARMED, AT_RECEIVED, AT_SKIPPED, AT_COPIED = 256, 260, 320, 324, 328
CAPTURE_IS_PUBLISH = 1 << 16


class Entry:
    """What the board says of one frame: a copy, taken once."""

    LAYOUT = struct.Struct("=IQQQQQQQ4Q4II4I")
    NAMES = ("flags", "sequence", "pts", "duration", "capture_time", "offset",
             "offset_end", "size")

    def __init__(self, **fields):
        self.flags, self.sequence, self.size = 0, 0, 0
        self.pts = self.duration = self.offset = self.offset_end = UNKNOWN
        self.capture_time = 0
        self.plane_offset, self.stride, self.n_planes = [0] * 4, [0] * 4, 0
        self.crop = (0, 0, 0, 0)
        self.__dict__.update(fields)

    @classmethod
    def unpack(cls, data):
        values = cls.LAYOUT.unpack(data)
        return cls(plane_offset=values[8:12], stride=values[12:16],
                   n_planes=values[16], crop=values[17:],
                   **dict(zip(cls.NAMES, values)))

    def pack(self):
        return self.LAYOUT.pack(*(getattr(self, name) for name in self.NAMES),
                                *self.plane_offset, *self.stride, self.n_planes,
                                *self.crop)


class Board:
    """A board of either side."""

    def __init__(self, view, generation, n_slots, slot_size):
        self.view, self.words = view, Words(view)
        self.generation, self.n_slots, self.slot_size = generation, n_slots, slot_size
        self.first_sequence = HEAD.unpack_from(view)[5]

    @classmethod
    def make(cls, view, generation, n_slots, slot_size, first_sequence):
        HEAD.pack_into(view, 0, MAGIC, VERSION, generation, n_slots, slot_size,
                       first_sequence)
        board = cls(view, generation, n_slots, slot_size)
        board.words.store(AT_NEWEST, first_sequence - 1)
        board.words.store(AT_STATE, LIVE)
        return board

    @classmethod
    def read(cls, view, generation, n_slots, slot_size):
        said = HEAD.unpack_from(view)[:5]
        if said != (MAGIC, VERSION, generation, n_slots, slot_size):
            raise Broken("a board of %s" % (said,))
        return cls(view, generation, n_slots, slot_size)

    def word(self, offset):
        return self.words.load(offset)

    def head(self, near):
        return memory.widen(self.words.load(AT_NEWEST), near)

    def gen(self, slot):
        return self.words.load(AT_SLOTS + slot * ENTRY_SIZE)

    def set_gen(self, slot, value):
        self.words.store(AT_SLOTS + slot * ENTRY_SIZE, value)

    def entry(self, slot):
        at = AT_SLOTS + slot * ENTRY_SIZE + 4
        return Entry.unpack(self.view[at:at + Entry.LAYOUT.size])

    def set_entry(self, slot, entry):
        at = AT_SLOTS + slot * ENTRY_SIZE + 4
        self.view[at:at + Entry.LAYOUT.size] = entry.pack()

    def ring(self, sequence):
        return self.words.load(AT_RING + sequence % RING * 4)

    def set_ring(self, sequence, slot):
        self.words.store(AT_RING + sequence % RING * 4, slot)

    def demoted(self, reader):
        return self.words.load(AT_READERS + reader * 4) != 0

    def set_demoted(self, reader, value):
        self.words.store(AT_READERS + reader * 4, value)


def hold_word(generation, slot):
    return (generation % (1 << 24) << 8) + slot + 1


def held_slot(word, generation):
    """The slot of this generation that a hold word names, or None."""
    slot = (word & 0xff) - 1
    if word >> 8 != generation % (1 << 24) or not 0 <= slot < MOST_SLOTS:
        return None
    return slot
