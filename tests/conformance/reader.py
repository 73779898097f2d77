# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""A reader (docs/protocol.md, sections 4.2, 6.3, 6.4, 7, 8 and 11)

One connection. The caller's loop is: acquire() until it says None, then wait(). Words
are sequentially consistent each (memory.py), so their order here is that of the page.
"""

import os
import select
import time

import board as shared
import caps
import memory
import path as rendezvous
import video
import wire
from board import Board, hold_word
from line import Gone, Line, close_all
from memory import later, widen
from wire import Broken

LATEST, LOSSLESS = 0, 1
WAIT_PAGE, WAIT_WELCOME, ANSWERED, ASKED, OVER = range(5)
TAKEN = {WAIT_PAGE: (wire.PAGE,), WAIT_WELCOME: (wire.WELCOME,),
         ANSWERED: (wire.FORMAT, wire.END, wire.WAKE), ASKED: (wire.WAKE,)}

# What acquire() finds besides frames.
NEW_FORMAT, END, LOST = "new format", "end", "lost"


class Generation:
    """One format's pool and board, as seen from here."""

    def __init__(self, message, fds):
        pool, board = fds
        self.format, self.views, self.answered, self.pool = message, {}, 0, None
        try:
            self.check(message)
            memory.prove(pool, message.pool_size, memory.SEALED)
            memory.prove(board, message.board_size, memory.SEALED)
            self.board = Board.read(memory.map_bytes(board, message.board_size),
                                    message.generation, message.n_slots,
                                    message.slot_size)
        except Exception:
            close_all([pool])
            raise
        finally:
            close_all([board])
        self.pool = pool

    @staticmethod
    def check(m):
        try:
            numbers = video.from_caps(m.caps)
        except caps.Refused as error:
            raise Broken("caps: %s" % error) from None
        differ = [name for name in numbers if numbers[name] != getattr(m, name)]
        if differ:
            raise Broken("caps and numbers do not agree: %s" % ", ".join(differ))
        if not (m.generation and 1 <= m.n_slots <= shared.MOST_SLOTS and
                m.slot_size % 4096 == 0 and 0 < m.size <= 2**40 and
                m.size <= m.slot_size <= 4 * m.size + 65536 and
                m.pool_size == m.n_slots * m.slot_size and
                m.board_size == shared.BOARD_SIZE and
                m.modifier == 0 and m.memory_kind == 0 and
                video.check_planes(numbers, m.stride, m.offset, m.size)):
            raise Broken("a format out of bounds")

    def slot(self, number):
        """The memory of a slot that is held."""
        if number not in self.views:
            active = self.board.word(shared.AT_ACTIVE)
            if not number < active <= self.board.n_slots:
                raise Broken("slot %d of %d" % (number, active))
            if os.fstat(self.pool).st_blocks * 512 < active * self.board.slot_size:
                raise Broken("slots without memory")
            self.views[number] = memory.map_bytes(
                self.pool, self.board.slot_size, number * self.board.slot_size)
        return self.views[number]

    def check_entry(self, entry):
        m = self.format
        if not (entry.size <= self.board.slot_size and
                entry.n_planes == m.n_planes and
                video.check_planes(vars(m), entry.stride, entry.plane_offset,
                                   entry.size)):
            raise Broken("a frame out of bounds")
        x, y, width, height = entry.crop
        if width and (not height or x + width > m.width or y + height > m.height):
            raise Broken("a crop out of bounds")

    def leave(self):
        if self.pool is not None:
            os.close(self.pool)
            self.pool = None


class Frame:
    """A frame, intact until release()."""

    def __init__(self, reader, generation, hold, entry, view, skipped):
        self.reader, self.generation, self.hold = reader, generation, hold
        self.entry, self.view, self.skipped = entry, view, skipped
        self.sequence, self.format = entry.sequence, generation.format

    def picture(self):
        """The rows of all planes, without what is between them."""
        rows = []
        for i, (row, n_rows) in enumerate(video.plane_sizes(vars(self.format))):
            at = self.entry.plane_offset[i]
            for _ in range(n_rows):
                rows.append(bytes(self.view[at:at + row]))
                at += self.entry.stride[i]
        return b"".join(rows)

    def release(self):
        if self.hold is not None:
            self.view = None
            self.reader.release(self.hold, self.generation)
            self.hold = None


class Reader:
    def __init__(self, path, policy=LATEST, depth=4, holds=(1, 2),
                 accepts=video.EVERYTHING, versions=(1, 1), patience=0):
        """patience: seconds to wait for a writer."""
        self.line = Line(rendezvous.find(rendezvous.meaning(path), patience), "r")
        self.wished = dict(version_min=versions[0], version_max=versions[1],
                           policy=policy, depth=depth, holds_min=holds[0],
                           holds_want=holds[1], flags=0, accepts=accepts)
        self.accepts = [caps.parse(accepts) if accepts else None]
        self.state, self.gone, self.refused, self.to_say = WAIT_PAGE, False, None, []
        self.page, self.welcome, self.policy = None, None, policy
        self.generation, self.coming, self.ends, self.next = None, None, [], None
        self.used, self.armed, self.closed = set(), 0, False
        self.received = self.skipped = 0
        self.say(wire.HELLO, **self.wished)

    def descriptors(self):
        """(descriptor, poll events) of all that dispatch() is for."""
        if self.gone:
            return []
        out = select.POLLOUT if self.to_say else 0
        return [(fd, select.POLLIN | out) for fd in self.line.descriptors()]

    # ---- Messages ----

    def say(self, type_, **fields):
        self.to_say.append((type_, fields))
        self.say_on()

    def say_on(self):
        while self.to_say and self.line.say(self.to_say[0][0], **self.to_say[0][1]):
            self.to_say.pop(0)

    def accept(self, text):
        """From now on these. Until the writer knows, it may send what was accepted
        before."""
        self.accepts.append(caps.parse(text) if text else None)
        self.say(wire.ACCEPTS, accepts=text)

    def dispatch(self):
        """Take in what the writer said. After Broken, only close()."""
        self.say_on()
        while not self.gone:
            try:
                message, fds = self.line.hear()
                if message is None:
                    break
                self.take(message, fds)
            except Gone:
                self.gone = True
            except Broken:
                self.state = OVER
                raise

    def take(self, message, fds):
        if self.state == OVER:
            return close_all(fds)
        if message.type in (wire.REFUSED, wire.BYE):
            self.state = OVER
            if message.type == wire.REFUSED:
                self.refused = message.reason, "".join(
                    char for char in message.sentence if char.isprintable())
            return None
        if message.type not in TAKEN[self.state]:
            close_all(fds)
            raise Broken("%r in state %d" % (message, self.state))
        if message.type == wire.PAGE:
            self.take_page(message, fds[0])
        elif message.type == wire.WELCOME:
            self.take_welcome(message)
        elif message.type == wire.FORMAT:
            self.take_format(message, fds)
        elif message.type == wire.END:
            self.ends.append(message.sequence)
        return None

    def take_page(self, message, fd):
        try:
            if not 1 <= message.holds <= shared.MOST_HOLDS:
                raise Broken("a page of %d holds" % message.holds)
            memory.prove(fd, shared.PAGE_SIZE, memory.SIZED)
            self.page = memory.Words(
                memory.map_bytes(fd, shared.PAGE_SIZE, write=True))
        finally:
            close_all([fd])
        self.n_holds, self.state = message.holds, WAIT_WELCOME
        self.say(wire.MAPPED)

    def take_welcome(self, m):
        wished = self.wished
        if not (wished["version_min"] <= m.version <= wished["version_max"] and
                m.policy <= wished["policy"] and m.reader < shared.MOST_READERS and
                1 <= m.depth <= wished["depth"] and
                wished["holds_min"] <= m.holds <= wished["holds_want"] and
                m.holds <= self.n_holds):
            raise Broken("a WELCOME out of bounds")
        self.welcome, self.policy, self.state = m, m.policy, ANSWERED

    def take_format(self, message, fds):
        before = self.generation and self.generation.format.generation
        if before and not later(message.generation, before):
            close_all(fds)
            raise Broken("generation %d after %d" % (message.generation, before))
        self.coming, self.state = Generation(message, fds), ASKED
        one = caps.fixed(caps.parse(message.caps))
        if not any(caps.accepts(each, one) for each in self.accepts):
            raise Broken("a format that was not accepted")

    # ---- Frames ----

    def newest(self):
        return self.generation.board.head(self.next)

    def first_wanted(self, head):
        first = max(self.next, self.generation.board.first_sequence)
        if self.policy == LATEST:
            first = max(first, head - self.welcome.depth + 1, head - 255)
        return first

    def acquire(self):
        """A Frame, or NEW_FORMAT, END, LOST, or None: nothing now (or no free hold)."""
        if self.generation:
            head = self.newest()
            end = min([head] + [widen(end, head) for end in self.ends[:1]])
            while self.first_wanted(head) <= end:
                hold = self.free_hold()
                if hold is None:
                    return None
                sequence = self.first_wanted(head)
                frame = self.hold(sequence, hold)
                if frame:
                    return frame
                self.lost(sequence)
        if self.ends:
            self.ends.pop(0)
            return END
        if self.coming and self.state == ASKED:
            return self.go_on()
        return LOST if self.gone or self.state == OVER else None

    def free_hold(self):
        free = set(range(self.welcome.holds)) - self.used
        return min(free) if free else None

    def hold(self, sequence, k):
        """The frame with this number, or None if it is gone."""
        board = self.generation.board
        for _ in range(2):
            slot = board.ring(sequence)
            if slot >= board.n_slots:
                raise Broken("slot %d in the ring" % slot)
            self.page.store(k * 4, hold_word(board.generation, slot))
            if board.gen(slot) % 2 == 0:
                break
            self.page.store(k * 4, 0)
        else:
            self.nudge(self.generation)  # the writer may have seen the hold
            return None
        entry = board.entry(slot)
        if (entry.sequence - sequence) & 0xffffffff:
            self.page.store(k * 4, 0)
            self.nudge(self.generation)
            return None
        try:
            self.generation.check_entry(entry)
            view = self.generation.slot(slot)[:entry.size]
        except Broken:
            self.page.store(k * 4, 0)
            raise
        self.used.add(k)
        skipped, self.next = sequence - self.next, sequence + 1
        self.skipped += skipped
        self.received += 1
        self.page.store(shared.AT_RECEIVED, self.received)
        self.page.store(shared.AT_SKIPPED, self.skipped)
        if self.policy == LOSSLESS:
            self.page.store(shared.AT_CURSOR, self.next)
        return Frame(self, self.generation, k, entry, view, skipped)

    def lost(self, sequence):
        """That frame is gone: to be counted when the next one is there."""
        if self.policy == LOSSLESS:
            if not self.generation.board.demoted(self.welcome.reader):
                raise Broken("frame %d is gone" % sequence)
            self.policy = LATEST
        else:
            self.skipped += sequence + 1 - self.next
            self.next = sequence + 1

    def release(self, k, generation):
        self.page.store(k * 4, 0)
        self.used.discard(k)
        self.nudge(generation)
        if self.closed and not self.used:
            self.line.close()

    def nudge(self, generation):
        ticket = generation.board.word(shared.AT_WAITS)
        if ticket not in (0, generation.answered) and not self.closed:
            generation.answered = ticket
            self.line.say(wire.NUDGE)

    def go_on(self):
        """To the new generation: all that was wanted of the old one is taken."""
        if self.generation:
            self.generation.leave()
        self.generation, self.coming, self.state = self.coming, None, ANSWERED
        first = self.generation.board.first_sequence
        if self.next is None:
            self.next = widen(self.welcome.floor, first)
        if self.policy == LOSSLESS:
            self.page.store(shared.AT_CURSOR, max(self.next, first))
        self.say(wire.READY, generation=self.generation.format.generation)
        return NEW_FORMAT

    # ---- Sleeping ----

    def wait(self, timeout=None):
        """Sleep until there is something to acquire, or for so many seconds. False:
        the time is up."""
        end = None if timeout is None else time.monotonic() + timeout
        self.dispatch()
        while not self.ready():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.arm()
            if not self.ready():
                poll = select.poll()
                for fd, events in self.descriptors():
                    poll.register(fd, events)
                poll.poll(None if left is None else left * 1000 + 1)
            self.disarm()
            self.dispatch()
        return True

    def ready(self):
        """Would acquire() find something? Loads head."""
        if self.generation and self.free_hold() is not None:
            head = self.newest()
            if self.first_wanted(head) <= head:
                return True
        return bool(self.ends or self.gone or (self.coming and self.state == ASKED) or
                    self.state == OVER)

    def arm(self):
        if self.generation and self.armed % 2 == 0:
            self.armed = (self.armed + 1) & 0xffffffff
            self.page.store(shared.AT_ARMED, self.armed)

    def disarm(self):
        if self.armed % 2 == 1:
            self.armed = (self.armed + 1) & 0xffffffff
            self.page.store(shared.AT_ARMED, self.armed)

    def close(self):
        """Say BYE; hang up now, or when the last frame is released."""
        if not self.closed:
            self.closed = True
            if not self.gone and self.state != OVER:
                self.say(wire.BYE)
            for generation in (self.generation, self.coming):
                if generation:
                    generation.leave()
            if not self.used:
                self.line.close()
