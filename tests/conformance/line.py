# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""A connection: messages out and in, serials, descriptors, the other side's end
(docs/protocol.md, sections 2, 3 and 10)

It queues nothing: say() is False if there is no room. What hear() returns is well
formed, in order and with the right descriptors, or it raises Broken.
"""

import array
import os
import select
import socket
import struct
import threading

import memory
import wire
from wire import Broken

SO_PEERPIDFD = 77
OUTSIDE = (wire.WAKE, wire.NUDGE)  # not counted, serial 0
CREDENTIALS = struct.Struct("iII")


class Gone(Exception):
    """The other side hung up, and all that it said was heard."""


class Line:
    def __init__(self, link, we):
        """we: "r" for a reader's end of it, "w" for a writer's."""
        self.link, self.we = link, we
        self.said, self.heard = 0, 0
        self.pid, self.uid, _ = CREDENTIALS.unpack(link.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
        try:
            self.pidfd = struct.unpack("i", link.getsockopt(
                socket.SOL_SOCKET, SO_PEERPIDFD, 4))[0]
        except OSError:
            try:
                self.pidfd = os.pidfd_open(self.pid)
            except OSError:  # in a foreign namespace, or gone
                self.pidfd = None

    def fileno(self):
        return self.link.fileno()

    def descriptors(self):
        """All that wake: to be polled for reading."""
        return [fd for fd in (self.link.fileno(), self.pidfd) if fd is not None]

    def say(self, type_, descriptors=(), **fields):
        serial = 0 if type_ in OUTSIDE else self.said + 1
        data = wire.encode(wire.Message(type_, serial, **fields))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   array.array("i", descriptors))] if descriptors else []
        try:
            self.link.sendmsg([data], rights,
                              socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            pass  # hear() tells
        if serial:
            self.said = serial
        return True

    def hear(self):
        """(message, descriptors), or (None, []) if there is nothing now. Skips types
        that it does not know. Raises Gone and Broken."""
        last = False
        while True:
            try:
                if self.we == "w":
                    self.look_first()
                data, rights, flags, _ = self.link.recvmsg(
                    wire.LONGEST + 1, socket.CMSG_SPACE(64 * 4),
                    socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                if last:
                    raise Gone from None
                last = self.process_is_gone()
                if not last:
                    return None, []
                continue  # what it said last may have come just now
            except ConnectionResetError:
                continue  # said once, before what can still be read
            fds = received(rights)
            if not data and self.hung_up():
                raise Gone
            try:
                message = self.judge(data, fds, flags)
            except Broken:
                close_all(fds)
                raise
            if message is not None:
                return message, fds
            close_all(fds)

    def look_first(self):
        """A descriptor that is never received is never ours to close."""
        flags = self.link.recvmsg(1, 0, socket.MSG_DONTWAIT | socket.MSG_PEEK)[2]
        if flags & socket.MSG_CTRUNC:
            raise Broken("a descriptor")

    def judge(self, data, fds, flags):
        if self.we == "w" and (fds or flags & socket.MSG_CTRUNC):
            raise Broken("a descriptor")
        if flags & socket.MSG_TRUNC:
            raise Broken("a message that is too long")
        message = wire.decode(data)
        if message is None:
            return None
        if self.we in message.kind.who and message.type != wire.BYE:
            raise Broken("%s from the wrong side" % message.kind.name)
        if len(fds) != message.kind.descriptors or flags & socket.MSG_CTRUNC:
            raise Broken("%s with %d descriptors" % (message.kind.name, len(fds)))
        expected = 0 if message.type in OUTSIDE else (self.heard + 1) & 0xffffffff
        if message.serial != expected:
            raise Broken("serial %d, not %d" % (message.serial, expected))
        if message.type not in OUTSIDE:
            self.heard = message.serial
        return message

    def hung_up(self):
        poll = select.poll()
        poll.register(self.link, 0)
        return any(events & (select.POLLHUP | select.POLLERR)
                   for _, events in poll.poll(0)) or self.process_is_gone()

    def process_is_gone(self):
        if self.pidfd is None:
            return False
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def shut(self):
        """Say no more."""
        try:
            self.link.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.link.close()
        if self.pidfd is not None:
            os.close(self.pidfd)
            self.pidfd = None


def received(rights):
    fds = array.array("i")
    for level, type_, data in rights:
        if (level, type_) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    return list(fds)


def close_all(fds):
    """Of the other side: what is no memory can take its time, but not ours."""
    for fd in fds:
        if memory.is_memory(fd):
            os.close(fd)
        else:
            threading.Thread(target=os.close, args=(fd,), daemon=True).start()
