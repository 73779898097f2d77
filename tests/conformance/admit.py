# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""One reader, as its writer sees it (docs/protocol.md, sections 4.1, 7 and 8)

What there is to say is a flag until there is room in the socket: speak() says what can
be said now, in the order that the page demands.
"""

import os
import select

import board as shared
import caps
import memory
import wire
from line import Gone, Line
from memory import later, widen
from wire import Broken

NEW, ADMITTED, ANSWERED, ASKED, LEAVING = range(5)
TAKEN = {NEW: (wire.HELLO, wire.BYE), ADMITTED: (wire.MAPPED, wire.ACCEPTS, wire.BYE),
         ANSWERED: (wire.ACCEPTS, wire.NUDGE, wire.BYE),
         ASKED: (wire.READY, wire.ACCEPTS, wire.NUDGE, wire.BYE)}
LATEST, LOSSLESS = 0, 1


class Peer:
    def __init__(self, writer, link):
        self.writer, self.line = writer, Line(link, "w")
        self.state, self.gone, self.deaf, self.number = NEW, False, False, None
        self.page, self.page_fd, self.welcomed = None, None, False
        self.depth, self.holds, self.policy, self.accepts = 0, 0, LATEST, None
        self.refusal, self.paged, self.ends = None, False, []
        self.generation, self.ready, self.floor = None, False, 0
        self.demoted, self.answered, self.spoiled = False, 0, 0

    def descriptors(self):
        """(descriptor, poll events)"""
        result = [(fd, select.POLLIN) for fd in self.line.descriptors()[1:]]
        events = 0 if self.deaf else select.POLLIN
        if not self.speak():
            events |= select.POLLOUT
        return result + [(self.line.fileno(), events)]

    def close(self):
        self.page = None
        if self.page_fd is not None:
            os.close(self.page_fd)
            self.page_fd = None
        self.line.close()

    # ---- What it says ----

    def dispatch(self):
        try:
            while not self.deaf and not self.gone:
                message, _ = self.line.hear()
                if message is None:
                    break
                self.take(message)
            self.gone |= self.deaf and self.line.hung_up()
        except Gone:
            self.gone = True
        except Broken:
            self.leave()
            self.deaf = True
            self.line.shut()
            self.gone |= self.page is None
        self.speak()

    def take(self, message):
        if self.state == LEAVING:
            return
        if message.type not in TAKEN[self.state]:
            raise Broken("%r in state %d" % (message, self.state))
        if message.type == wire.BYE:
            self.leave()
        elif message.type == wire.HELLO:
            self.hello(message)
        elif message.type == wire.MAPPED:
            if not self.paged:
                raise Broken("MAPPED before PAGE")
            memory.seal(self.page_fd, memory.F_SEAL_FUTURE_WRITE | memory.F_SEAL_SEAL)
            os.close(self.page_fd)
            self.page_fd, self.state = None, ANSWERED
        elif message.type == wire.READY:
            if message.generation != self.generation:
                raise Broken("READY of another generation")
            self.state, self.ready = ANSWERED, True
        elif message.type == wire.ACCEPTS:
            self.take_accepts(message.accepts)
            now = self.writer.generation
            if now and not caps.accepts(self.accepts, now.one):
                self.refuse(wire.BY_FORMAT, "the format is %s" % now.caps)

    def take_accepts(self, text):
        try:
            self.accepts = caps.parse(text) if text else None
        except caps.Refused as error:
            raise Broken("caps: %s" % error) from None

    def hello(self, m):
        if m.version_min > m.version_max:
            raise Broken("versions %d to %d" % (m.version_min, m.version_max))
        speaks = self.writer.version
        if not m.version_min <= speaks <= m.version_max:
            return self.refuse(wire.BY_VERSION,
                               "this writer speaks version %d only" % speaks)
        if not (m.policy <= 1 and 1 <= m.depth <= 32 and
                1 <= m.holds_min <= m.holds_want <= shared.MOST_HOLDS):
            raise Broken("HELLO out of bounds")
        self.take_accepts(m.accepts)
        writer = self.writer
        numbers = {peer.number for peer in writer.peers} - {None}
        if len(numbers) >= writer.max_readers:
            return self.refuse(wire.BY_READERS, "there are too many readers")
        self.depth, self.holds = m.depth, m.holds_want
        while writer.slots_needed([self]) > writer.n_slots:
            if self.holds == m.holds_min:
                self.holds = 0
                return self.refuse(wire.BY_MEMORY, "there is no memory for the holds")
            self.holds -= 1
        if writer.backpressure:
            self.policy = m.policy
        self.state, self.number = ADMITTED, min(set(range(128)) - numbers)
        self.floor = writer.head or 1
        self.page_fd = memory.create("shmvideo-page", shared.PAGE_SIZE)
        os.posix_fallocate(self.page_fd, 0, shared.PAGE_SIZE)
        self.page = memory.Words(memory.map_bytes(self.page_fd, shared.PAGE_SIZE))
        memory.seal(self.page_fd, memory.SIZED)
        if writer.generation:
            writer.generation.give_memory(writer.slots_needed())
            writer.generation.board.set_demoted(self.number, 0)
        return None

    # ---- What is said ----

    def leave(self):
        """From now on only its holds count."""
        self.state, self.depth = LEAVING, 0

    def refuse(self, reason, sentence):
        self.leave()
        self.refusal = dict(reason=reason, sentence=sentence)
        self.writer.refused += 1

    def end(self, sequence, generation):
        self.ends.append((sequence, generation))
        self.speak()

    def speak(self):
        """Say all that is to be said. False: there was no room for it."""
        while (said := self.say_one()) is not None:
            if not said:
                return False
        return True

    def say_one(self):
        """True: something was said; False: there was no room; None: nothing to say."""
        if self.refusal:
            said = self.line.say(wire.REFUSED, **self.refusal)
            if said:
                self.refusal, self.gone = None, self.page is None
            return said
        if self.state == ADMITTED and not self.paged:
            self.paged = self.line.say(wire.PAGE, [self.page_fd],
                                       holds=shared.MOST_HOLDS)
            return self.paged
        if self.state != ANSWERED:
            return None
        if not self.welcomed:
            self.welcomed = self.line.say(
                wire.WELCOME, version=1, policy=self.policy, reader=self.number,
                stream=self.writer.stream, depth=self.depth, holds=self.holds,
                floor=self.floor & 0xffffffff)
            return self.welcomed
        now = self.writer.generation
        news = now is not None and now.number != self.generation
        if self.ends and not (news and self.ends[0][1] == now.number):
            said = self.line.say(wire.END, sequence=self.ends[0][0] & 0xffffffff)
            if said:
                self.ends.pop(0)
            return said
        return self.say_format(now) if news else None

    def say_format(self, now):
        if not caps.accepts(self.accepts, now.one):
            self.refuse(wire.BY_FORMAT, "the format is %s" % now.caps)
            return True
        if not self.line.say(wire.FORMAT, now.fds, **now.fields()):
            return False
        self.generation, self.state = now.number, ASKED
        return True

    def bye(self):
        if self.state != LEAVING:
            self.line.say(wire.BYE)

    def wake(self):
        armed = self.page.load(shared.AT_ARMED)
        if armed % 2 and armed != self.answered and self.state in (ANSWERED, ASKED):
            self.answered = armed
            self.line.say(wire.WAKE)

    # ---- Backpressure ----

    def waits_for_us(self):
        return (self.policy == LOSSLESS and not self.demoted and
                self.state in (ANSWERED, ASKED))

    def is_untold(self):
        """Has it followed us, and not been told of the present format?"""
        return self.generation not in (None, self.writer.generation.number)

    def needs(self):
        """The sequence of the oldest frame that it needs."""
        if self.ready:
            cursor = self.page.load(shared.AT_CURSOR)
            if later(cursor, (self.writer.head + 1) & 0xffffffff):
                self.gone = True  # it breaks the rules
            elif later(cursor, self.floor & 0xffffffff):
                self.floor = widen(cursor, self.floor)
        return self.floor

    def demote(self):
        self.demoted = True
        self.writer.generation.board.set_demoted(self.number, 1)
