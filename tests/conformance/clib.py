# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""libshmvideo itself, by ctypes and its public header: the other side in these tests"""

import ctypes
import os
import re
import select
from ctypes import POINTER, byref, c_char_p, c_int, c_uint32, c_uint64, c_void_p

import video

NONE = 2**64 - 1
AGAIN, FRAME = 0, 1
NEW_FORMAT, END, LOST = "new format", "end", "lost"  # not numbers, as frames are
OUTCOMES = {AGAIN: None, 2: NEW_FORMAT, 3: END, 4: LOST}

# ---- The header's structs ---------------------------------------------------

TYPES = {"size_t": ctypes.c_size_t, "int": c_int, "char": ctypes.c_char,
         "uint8_t": ctypes.c_uint8, "uint32_t": c_uint32, "uint64_t": c_uint64,
         "shmvideo_log_func": c_void_p}


def read_structs(header):
    """{name: class} of all structs, each field as it is declared. A "size" that begins
    a struct is called struct_size here and filled in by fill()."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    text = text.replace("SHMVIDEO_MAX_PLANES", "4")
    structs = {}
    for name, body in re.findall(r"struct shmvideo_(\w+) \{(.*?)\n\};", text, re.S):
        fields = []
        for line in body.split(";")[:-1]:
            kind, names = re.fullmatch(r"(?:const )?(?:struct )?(\w+) (.*)",
                                       " ".join(line.split())).groups()
            for each in names.split(", "):
                star, field, count = re.fullmatch(r"(\*?)(\w+)(?:\[(\d+)\])?",
                                                  each).groups()
                type_ = (c_char_p if star and kind == "char" else c_void_p if star
                         else TYPES[kind])
                fields.append((field, type_ * int(count) if count else type_))
        if fields[0][0] == "size" and name != "slot":
            fields[0] = ("struct_size", fields[0][1])
        structs[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return structs


with open(os.environ["SHMVIDEO_SOURCE_DIR"] + "/libshmvideo/shmvideo.h",
          encoding="utf-8") as file:
    STRUCTS = read_structs(file.read())
lib = ctypes.CDLL(os.environ["SHMVIDEO_BUILD_DIR"] + "/libshmvideo/libshmvideo.so",
                  use_errno=True)
Format, Frame, Slot = STRUCTS["format"], STRUCTS["frame"], STRUCTS["slot"]
Error = STRUCTS["error"]


def fill(name, **fields):
    struct = STRUCTS[name]()
    struct.struct_size = ctypes.sizeof(struct)
    for field, value in fields.items():
        if not hasattr(struct, field):
            raise AttributeError(field)
        setattr(struct, field, value)
    return struct


class CallFailed(Exception):
    def __init__(self, code, error=None):
        super().__init__(code, error and error.message.decode())
        self.code, self.sentence = code, error.message.decode() if error else ""


def check(code, error=None):
    if code < 0:
        raise CallFailed(code, error)
    return code


for name in ("writer_free", "writer_end", "writer_get_fd", "writer_dispatch",
             "writer_get_n_readers", "slot_release", "reader_free", "reader_get_fd",
             "reader_dispatch", "frame_release"):
    getattr(lib, "shmvideo_" + name).argtypes = [c_void_p]
    getattr(lib, "shmvideo_" + name).restype = c_int
lib.shmvideo_writer_publish.argtypes = [c_void_p, c_void_p, c_void_p]
lib.shmvideo_writer_acquire.argtypes = [c_void_p, c_void_p]
lib.shmvideo_writer_acquire_wait.argtypes = [c_void_p, c_int, c_int, c_void_p]
lib.shmvideo_writer_set_format.argtypes = [c_void_p, c_void_p, c_char_p, c_void_p]
lib.shmvideo_writer_set_latency.argtypes = [c_void_p, c_uint64]
lib.shmvideo_writer_get_readers.argtypes = [c_void_p, c_void_p, c_uint32]
lib.shmvideo_writer_get_stats.argtypes = [c_void_p, c_void_p]
lib.shmvideo_reader_acquire.argtypes = [c_void_p, c_void_p]
lib.shmvideo_reader_wait.argtypes = [c_void_p, c_uint64, c_int]
lib.shmvideo_reader_get_status.argtypes = [c_void_p, c_void_p]
lib.shmvideo_reader_get_error.argtypes = [c_void_p, c_void_p]


def format_from_caps(text):
    """The numbers that the library reads from a text, or None if it refuses it."""
    result = Format()
    code = lib.shmvideo_format_from_caps(byref(result), text.encode(), None)
    return None if code < 0 else numbers_of(result)


def numbers_of(each):
    names = [name for name, _ in Format._fields_]
    return {name: getattr(each, name) for name in names[:names.index("reserved")]}


class Writer:
    """A writer of the library."""

    def __init__(self, path, **config):
        error, self.handle = Error(), c_void_p()
        settings = fill("writer_config", path=os.fsencode(path), **config)
        check(lib.shmvideo_writer_new(byref(settings), byref(error),
                                      byref(self.handle)), error)
        self.format = Format()

    def descriptors(self):
        return [(lib.shmvideo_writer_get_fd(self.handle), select.POLLIN)]

    def dispatch(self):
        check(lib.shmvideo_writer_dispatch(self.handle))

    def set_format(self, text):
        error = Error()
        check(lib.shmvideo_format_from_caps(byref(self.format), text.encode(),
                                            byref(error)), error)
        check(lib.shmvideo_writer_set_format(self.handle, byref(self.format),
                                             text.encode(), byref(error)), error)

    def acquire(self, wait=False):
        """A slot's handle, or None."""
        slot = POINTER(Slot)()
        code = (lib.shmvideo_writer_acquire_wait(self.handle, 1, -1, byref(slot)) if wait
                else lib.shmvideo_writer_acquire(self.handle, byref(slot)))
        return slot if check(code) == 1 else None

    def send(self, content, wait=False, **info):
        """Publish a frame all of one byte, or of these bytes. False: there was no
        slot."""
        slot = self.acquire(wait)
        if not slot:
            return False
        if isinstance(content, bytes):
            ctypes.memmove(slot.contents.data, content, len(content))
        else:
            ctypes.memset(slot.contents.data, content, slot.contents.size)
        unknown = dict.fromkeys(("pts", "duration", "capture_time", "offset",
                                 "offset_end"), NONE)
        settings = fill("frame_info", **{**unknown, **info})
        check(lib.shmvideo_writer_publish(self.handle, slot, byref(settings)))
        return True

    def readers(self):
        infos = (STRUCTS["reader_info"] * 128)()
        return infos[:lib.shmvideo_writer_get_readers(self.handle, infos, 128)]

    def stats(self):
        stats = STRUCTS["writer_stats"]()
        lib.shmvideo_writer_get_stats(self.handle, byref(stats))
        return stats

    def end(self):
        lib.shmvideo_writer_end(self.handle)

    def close(self):
        lib.shmvideo_writer_free(self.handle)
        self.handle = None


class Reader:
    """A reader of the library."""

    def __init__(self, path, accepts=None, **config):
        error, self.handle = Error(), c_void_p()
        settings = fill("reader_config", path=os.fsencode(path),
                        accepts=accepts and accepts.encode(), **config)
        check(lib.shmvideo_reader_new(byref(settings), byref(error),
                                      byref(self.handle)), error)

    def descriptors(self):
        return [(lib.shmvideo_reader_get_fd(self.handle), select.POLLIN)]

    def dispatch(self):
        lib.shmvideo_reader_dispatch(self.handle)

    def acquire(self):
        """A frame, or NEW_FORMAT, END, LOST, or None. Raises CallFailed."""
        frame = POINTER(Frame)()
        code = lib.shmvideo_reader_acquire(self.handle, byref(frame))
        if code < 0:
            error = Error()
            lib.shmvideo_reader_get_error(self.handle, byref(error))
            raise CallFailed(code, error)
        return HeldFrame(frame) if code == FRAME else OUTCOMES[code]

    def wait(self):
        return check(lib.shmvideo_reader_wait(self.handle, NONE, -1))

    def status(self):
        status = STRUCTS["reader_status"]()
        lib.shmvideo_reader_get_status(self.handle, byref(status))
        return status

    @property
    def closed(self):
        return self.handle is None

    def close(self):
        lib.shmvideo_reader_free(self.handle)
        self.handle = None


class HeldFrame:
    def __init__(self, pointer):
        self.pointer, self.info = pointer, pointer.contents
        self.sequence = self.info.sequence

    def numbers(self):
        """Of its format."""
        return numbers_of(ctypes.cast(self.info.format, POINTER(Format)).contents)

    def picture(self):
        """As Frame.picture of reader.py."""
        rows, numbers = [], self.numbers()
        for i, (row, n_rows) in enumerate(video.plane_sizes(numbers)):
            at = self.info.data + self.info.plane_offset[i]
            rows += [ctypes.string_at(at + y * self.info.stride[i], row)
                     for y in range(n_rows)]
        return b"".join(rows)

    def release(self):
        lib.shmvideo_frame_release(self.pointer)
