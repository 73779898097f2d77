# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""A writer (docs/protocol.md, sections 4.1, 6.1, 6.2, 7, 8 and 9)

The caller's loop is: dispatch() when poll says so, claim(), fill, publish(). Words are
sequentially consistent each (memory.py), so their order here is that of the page.
Conversations are in admit.py; here are the frames.
"""

import os
import select
import time

import board as shared
import caps
import memory
import path as rendezvous
import video
from admit import Peer
from board import Board, Entry

SPARE = 2  # slots beside those of readers, and those that are out


class Generation:
    """One format's pool and board, and what this side knows of its slots."""

    def __init__(self, number, text, n_slots, first_sequence, align):
        self.numbers = video.from_caps(text)
        self.numbers.update(video.default_layout(self.numbers, align))
        slot_size = -(-self.numbers["size"] // 4096) * 4096
        self.number, self.caps, self.n_slots, self.active = number, text, n_slots, 0
        self.one, self.slot_size = caps.fixed(caps.parse(text)), slot_size
        self.pool_fd = memory.create("shmvideo-pool", n_slots * slot_size)
        board_fd = memory.create("shmvideo-board", shared.BOARD_SIZE)
        os.posix_fallocate(board_fd, 0, shared.BOARD_SIZE)
        self.pool = memory.map_bytes(self.pool_fd, n_slots * slot_size, write=True)
        self.board = Board.make(
            memory.map_bytes(board_fd, shared.BOARD_SIZE, write=True), number, n_slots,
            slot_size, first_sequence)
        memory.seal(self.pool_fd, memory.SEALED)
        memory.seal(board_fd, memory.SEALED)
        self.fds = [memory.read_only(self.pool_fd), memory.read_only(board_fd)]
        os.close(board_fd)
        self.sequence = [0] * n_slots  # of the frame in it; 0: none
        self.out = set()

    def fields(self):
        """FORMAT's."""
        return dict(self.numbers, generation=self.number, n_slots=self.n_slots,
                    slot_size=self.slot_size, pool_size=self.n_slots * self.slot_size,
                    board_size=shared.BOARD_SIZE, modifier=0, memory_kind=0,
                    caps=self.caps)

    def give_memory(self, active):
        """To so many slots, and only then are they offered."""
        if active > self.active:
            os.posix_fallocate(self.pool_fd, 0, active * self.slot_size)
            self.active = active
            self.board.words.store(shared.AT_ACTIVE, active)

    def close(self):
        for fd in self.fds + [self.pool_fd]:
            os.close(fd)


class Slot:
    """A place for the next frame: fill view, then publish or discard."""

    def __init__(self, generation, number):
        self.generation, self.number = generation, number
        at = number * generation.slot_size
        self.view = generation.pool[at:at + generation.slot_size]


class Writer:
    def __init__(self, path, backpressure=False, timeout=5.0, mode=0o600, n_slots=64,
                 max_readers=shared.MOST_READERS, max_out=2, latency_us=0):
        self.place = rendezvous.Place(rendezvous.meaning(path), mode)
        self.backpressure, self.timeout, self.n_slots = backpressure, timeout, n_slots
        self.max_readers, self.max_out, self.latency_us = (max_readers, max_out,
                                                           latency_us)
        self.stream = int.from_bytes(os.urandom(8), "little")
        self.peers, self.generation, self.head, self.ticket = [], None, 0, 0
        self.blocked, self.overslept = False, 0
        self.refused, self.version = 0, 1

    # ---- Readers ----

    def descriptors(self):
        """(descriptor, poll events) of all that dispatch() is for."""
        result = [(self.place.listener.fileno(), select.POLLIN)]
        for peer in self.peers:
            result += peer.descriptors()
        return result

    def sleep(self, seconds):
        """Until dispatch() has something to do. False: the time is up."""
        poll = select.poll()
        for fd, events in self.descriptors():
            poll.register(fd, events)
        return bool(poll.poll(max(0, seconds * 1000 + 1)))

    def dispatch(self):
        while True:
            try:
                link, _ = self.place.listener.accept()
            except BlockingIOError:
                break
            link.setblocking(False)
            self.peers.append(Peer(self, link))
        for peer in list(self.peers):
            peer.dispatch()
            if peer.gone:
                peer.close()
                self.peers.remove(peer)

    def readers(self):
        """Those whose page counts."""
        return [peer for peer in self.peers if peer.page and not peer.gone]

    def slots_needed(self, beside=()):
        peers = self.readers() + list(beside)
        return (self.max_out + SPARE + max([peer.depth for peer in peers] + [0]) +
                sum(peer.holds for peer in peers))

    # ---- Formats ----

    def set_format(self, text, align=4):
        old = self.generation
        number = old.number % 0xffffffff + 1 if old else 1
        new = Generation(number, text, self.n_slots, self.head + 1, align)
        new.give_memory(self.slots_needed())
        new.board.words.store(shared.AT_LATENCY, self.latency_us)
        for peer in self.readers():
            new.board.set_demoted(peer.number, peer.demoted)
        self.generation = new
        if old:
            old.board.words.store(shared.AT_WAITS, 0)
            old.board.words.store(shared.AT_STATE, shared.SUPERSEDED)
            old.close()
        for peer in self.peers:
            peer.speak()

    # ---- Frames ----

    def held(self, generation):
        """{slot: who}, after a look at all hold words."""
        slots = {}
        for peer in self.readers():
            for k in range(peer.holds):
                slot = shared.held_slot(peer.page.load(k * 4), generation.number)
                if slot is not None:
                    slots[slot] = peer
        return slots

    def choose(self, aside):
        """A slot that may be tried, or None."""
        generation = self.generation
        held = self.held(generation)
        needed = min([peer.needs() for peer in self.readers() if peer.waits_for_us()],
                     default=self.head + 1)
        depth = max([peer.depth for peer in self.readers()], default=0)
        free = [(sequence, slot)
                for slot, sequence in enumerate(generation.sequence[:generation.active])
                if slot not in held and slot not in aside and
                slot not in generation.out and (sequence == 0 or sequence < self.head)]
        may = [pair for pair in free if pair[0] < needed]
        self.blocked = len(may) < len(free)
        late = [pair for pair in may if pair[0] + depth <= self.head]
        return max(late)[1] if late else min(may)[1] if may else None

    def claim(self):
        """A Slot, or None: every slot is needed. blocked: by lossless readers."""
        generation, aside = self.generation, set()
        self.blocked = any(peer.waits_for_us() and peer.is_untold()
                           for peer in self.readers())
        if self.blocked:
            return None
        for peer in self.readers():
            peer.spoiled = max(0, peer.spoiled - 1)
        while True:
            slot = self.choose(aside)
            if slot is None and aside:
                aside.clear()
                continue
            if slot is None:
                return None
            before = generation.board.gen(slot)
            generation.board.set_gen(slot, before + 1)
            who = self.held(generation).get(slot)
            if who is None:
                generation.out.add(slot)
                generation.sequence[slot] = 0
                return Slot(generation, slot)
            generation.board.set_gen(slot, before)
            aside.add(slot)
            who.spoiled += 1
            if who.spoiled > 4 * who.depth:
                who.gone = True  # it breaks the rules, and is not asked again

    def claim_wait(self):
        """As claim, but waits for lossless readers, each for timeout seconds."""
        slot, waited = self.claim(), {}  # peer: (frame it needs, seconds it is late)
        while not slot and self.blocked:
            self.begin_waiting()  # anew each time: each ticket is answered once
            slot = self.claim()
            if not slot and self.blocked:
                self.wait_for(self.slow(), waited)
                slot = self.claim()
        self.stop_waiting()
        return slot

    def slow(self):
        """Those who have not taken a frame, or not been told a format."""
        return [peer for peer in self.readers() if peer.waits_for_us() and
                (peer.is_untold() or peer.needs() <= self.head)]

    def wait_for(self, slow, waited):
        """Sleep until something happens, or demote who was late for too long."""
        if not slow:
            return  # they have taken all that there was since the last look
        for peer in slow:
            need, seconds = waited.get(peer, (None, 0))
            waited[peer] = peer.needs(), seconds if need == peer.needs() else 0
        slowest = max(slow, key=lambda peer: waited[peer][1])
        begin, left = time.monotonic(), self.timeout - waited[slowest][1]
        if left <= 0:
            slowest.demote()
            return
        self.overslept += not self.sleep(left)
        for peer in slow:
            need, seconds = waited[peer]
            waited[peer] = need, seconds + time.monotonic() - begin
        self.dispatch()

    def begin_waiting(self):
        self.ticket = self.ticket % 0xffffffff + 1
        self.generation.board.words.store(shared.AT_WAITS, self.ticket)

    def stop_waiting(self):
        self.generation.board.words.store(shared.AT_WAITS, 0)

    def publish(self, slot, **info):
        """Show a filled slot. info: fields of its entry; its layout is the format's
        unless that is among them."""
        generation, board = slot.generation, slot.generation.board
        assert generation is self.generation, "that format is gone"
        numbers = generation.numbers
        entry = dict(flags=shared.CAPTURE_IS_PUBLISH, size=numbers["size"],
                     capture_time=time.clock_gettime_ns(time.CLOCK_MONOTONIC),
                     plane_offset=numbers["offset"], stride=numbers["stride"],
                     n_planes=numbers["n_planes"])
        entry.update(info, sequence=self.head + 1)
        board.set_entry(slot.number, Entry(**entry))
        board.set_gen(slot.number, board.gen(slot.number) + 1)
        self.head += 1
        board.set_ring(self.head, slot.number)
        board.words.store(shared.AT_NEWEST, self.head)
        generation.sequence[slot.number] = self.head
        generation.out.discard(slot.number)
        for peer in self.readers():
            peer.wake()

    def discard(self, slot):
        board = slot.generation.board
        board.set_entry(slot.number, Entry(sequence=0))
        board.set_gen(slot.number, board.gen(slot.number) + 1)
        slot.generation.out.discard(slot.number)

    def draw(self, slot, picture):
        """Copy rows without gaps (Frame.picture) to where the format has them."""
        numbers, at = slot.generation.numbers, 0
        for i, (row, n_rows) in enumerate(video.plane_sizes(numbers)):
            to = numbers["offset"][i]
            for _ in range(n_rows):
                slot.view[to:to + row] = picture[at:at + row]
                at, to = at + row, to + numbers["stride"][i]

    # ---- The end ----

    def end(self):
        """The stream ends with the newest frame; more may follow."""
        for peer in self.peers:
            peer.end(self.head, self.generation and self.generation.number)

    def close(self):
        if self.generation:
            self.generation.board.words.store(shared.AT_STATE, shared.ENDED)
            self.generation.close()
            self.generation = None
        self.place.leave()
        for peer in self.peers:
            peer.bye()
            peer.close()
        self.peers = []
