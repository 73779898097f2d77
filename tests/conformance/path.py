# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The rendezvous: a path is taken, left and found (docs/protocol.md, section 1)"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import select
import socket
import stat
import time

from memory import check, libc

LONGEST = 107
SO_PASSRIGHTS = 83
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
AT_FDCWD = -100
IN_CREATE, IN_MOVED_TO = 0x100, 0x80
FLAGS = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


def meaning(name):
    """The path that a name means. Its directory is made if need be."""
    if "/" not in name:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        temporary = not runtime.startswith("/")
        directory = ("/tmp/shmvideo-%d" % os.geteuid() if temporary
                     else runtime + "/shmvideo")
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)
        status = os.lstat(directory) if temporary else os.stat(directory)
        if status.st_uid != os.geteuid() or (
                temporary and stat.S_IMODE(status.st_mode) != 0o700) or (
                not stat.S_ISDIR(status.st_mode)):
            raise PermissionError(errno.EPERM, "not a private directory", directory)
        name = directory + "/" + name
    if len(os.fsencode(name)) > LONGEST:
        raise OSError(errno.ENAMETOOLONG, "longer than %d bytes" % LONGEST, name)
    return name


def connect(path):
    """A connection to whoever listens there. Raises OSError."""
    link = socket.socket(socket.AF_UNIX, FLAGS)
    try:
        link.connect(path)
    except OSError:
        link.close()
        raise
    return link


def find(path, seconds):
    """A connection to the writer at a path, once there is one. Raises OSError."""
    end, pause = time.monotonic() + seconds, 0.01
    watch = check(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    try:
        check(libc.inotify_add_watch(watch, os.fsencode(os.path.dirname(path) or "."),
                                     IN_CREATE | IN_MOVED_TO))
        while True:
            try:
                return connect(path)
            except OSError as error:
                again = error.errno in (errno.ECONNREFUSED, errno.EAGAIN)
                if time.monotonic() > end or not (again or error.errno == errno.ENOENT):
                    raise
            left = end - time.monotonic()
            select.select([watch], [], [], max(0, min(left, pause) if again else left))
            with contextlib.suppress(BlockingIOError):
                os.read(watch, 65536)
            pause = min(pause * 2, 1)
    finally:
        os.close(watch)


def nobody_listens(path):
    """True: the socket is stale. Raises OSError: somebody has it, or who knows."""
    try:
        connect(path).close()
    except ConnectionRefusedError:
        return True
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EPROTOTYPE):
            raise
    raise OSError(errno.EADDRINUSE, "a living writer has this path", path)


@contextlib.contextmanager
def locked(directory):
    """The directory's descriptor, locked. Gives up after 2 s."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + 2
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        yield fd
    finally:
        os.close(fd)


def rename(old, new, flags):
    check(libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new),
                         flags))


class Place:
    """A path that is ours. listener: the socket that listens there."""

    def __init__(self, path, mode=0o600):
        self.path, self.pid = path, os.getpid()
        self.directory = os.path.dirname(path) or "."
        with locked(self.directory) as lock:
            # The temporary name may be too long for a socket address, so it goes
            # by way of the directory's descriptor.
            near = "/proc/self/fd/%d/" % lock
            for name in os.listdir(lock):
                if re.fullmatch(r"\.shmv-[0-9]+-[0-9a-f]{8}", name):
                    with contextlib.suppress(OSError):
                        if nobody_listens(near + name):
                            os.unlink(name, dir_fd=lock)
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                status = None
            if status and not stat.S_ISSOCK(status.st_mode):
                raise FileExistsError(errno.EEXIST, "no socket is at this path", path)
            stale = status is not None and nobody_listens(path)
            name = near + ".shmv-%d-%s" % (self.pid, secrets.token_hex(4))
            self.listener = self.listen(name, mode)
            mine = os.lstat(name)
            rename(name, path, RENAME_EXCHANGE if stale else RENAME_NOREPLACE)
            self.identity = mine.st_dev, mine.st_ino
            if stale:
                left = os.lstat(name)
                if (left.st_dev, left.st_ino) != (status.st_dev, status.st_ino):
                    rename(name, path, RENAME_EXCHANGE)
                    status = None
                os.unlink(name)
                if not status:
                    self.listener.close()
                    raise FileExistsError(errno.EEXIST, "put there just now", path)

    def listen(self, name, mode):
        listener = socket.socket(socket.AF_UNIX, FLAGS)
        with contextlib.suppress(OSError):  # before Linux 6.16
            listener.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
        listener.bind(name)
        os.chmod(name, mode)
        listener.listen()
        return listener

    def leave(self):
        self.listener.close()
        if os.getpid() != self.pid:
            return
        with contextlib.suppress(OSError), locked(self.directory):
            status = os.lstat(self.path)
            if (status.st_dev, status.st_ino) == self.identity:
                os.unlink(self.path)
