# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Sealed memory, and words in it (docs/protocol.md, section 5)

Python has no atomics. An aligned item of a memoryview of 32-bit numbers is read and
written at once, though, and membarrier is a full fence, which stands before and after
each store and after each load here: that is sequentially consistent. The fence must be
the GLOBAL_EXPEDITED one: a process with one thread is sent back by PRIVATE_EXPEDITED
without any.
"""

import ctypes
import fcntl
import os
import platform
import stat

from wire import Broken

F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE = 1, 2, 4, 16
SEALED = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE
SIZED = F_SEAL_SHRINK | F_SEAL_GROW
PROT_READ, PROT_WRITE, MAP_SHARED = 1, 2, 1
MADV_DONTFORK, MADV_DONTDUMP = 10, 16
TMPFS_MAGIC = 0x01021994
MEMBARRIER = {"x86_64": 324, "aarch64": 283, "riscv64": 283, "ppc64le": 365,
              "s390x": 356, "i686": 375, "armv7l": 389}[platform.machine()]
GLOBAL_EXPEDITED = 2

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                      ctypes.c_int, ctypes.c_int64]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.syscall.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_uint, ctypes.c_int]


def check(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def fence():
    check(libc.syscall(MEMBARRIER, GLOBAL_EXPEDITED, 0, 0))


def later(a, b):
    """Is sequence a later than b, both 32 bits?"""
    return 0 < (a - b) & 0xffffffff < 0x80000000


def widen(word, near):
    """The 64-bit sequence with these low 32 bits that is nearest to another."""
    return near + ((word - near + 0x80000000) & 0xffffffff) - 0x80000000


class _Owner:
    """Unmaps when the last view of the mapping is gone."""

    def __init__(self, address, size):
        self.address, self.size = address, size

    def __del__(self):
        libc.munmap(self.address, self.size)


def map_bytes(fd, size, offset=0, write=False):
    """A view of memory, as long as anybody has it; the descriptor may be closed.
    (Python's own mmap would keep a descriptor of its own.)"""
    protection = PROT_READ | (PROT_WRITE if write else 0)
    address = libc.mmap(None, size, protection, MAP_SHARED, fd, offset)
    if address == ctypes.c_void_p(-1).value:
        check(-1)
    for advice in (MADV_DONTFORK, MADV_DONTDUMP):
        libc.madvise(address, size, advice)
    array = (ctypes.c_ubyte * size).from_address(address)
    array.owner = _Owner(address, size)
    view = memoryview(array).cast("B")
    return view if write else view.toreadonly()


class Words:
    """The words of a segment, by their offset in bytes."""

    def __init__(self, view):
        self.words = view.cast("I")

    def load(self, offset):
        value = self.words[offset // 4]
        fence()
        return value

    def store(self, offset, value):
        fence()
        self.words[offset // 4] = value & 0xffffffff
        fence()


def create(name, size):
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    return fd


def seal(fd, seals):
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)


def read_only(fd):
    """Another descriptor of the same memory, which nobody can map for writing."""
    return os.open("/proc/self/fd/%d" % fd, os.O_RDONLY | os.O_CLOEXEC)


def prove(fd, size, seals):
    """What a reader must know before it maps: seals, file system, size."""
    try:
        have = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError:
        raise Broken("memory that cannot be sealed") from None
    if have & seals != seals:
        raise Broken("memory with seals %#x" % have)
    if not is_memory(fd):
        raise Broken("a descriptor of something else")
    found = os.fstat(fd).st_size
    if found != size:
        raise Broken("%d bytes of memory, not %d" % (found, size))


def is_memory(fd):
    """A file on tmpfs? That is neither anything else nor on huge pages."""
    space = (ctypes.c_long * 64)()
    check(libc.fstatfs(fd, ctypes.byref(space)))
    return space[0] == TMPFS_MAGIC and stat.S_ISREG(os.fstat(fd).st_mode)
