# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""libshmvideo itself, by ctypes and its public header: the other side in these tests"""

import ctypes
import os
import select
from ctypes import (POINTER, Structure, byref, c_char, c_char_p, c_int, c_size_t,
                    c_uint32, c_uint64, c_void_p)

import video

NONE = 2**64 - 1
AGAIN, FRAME = 0, 1
NEW_FORMAT, END, LOST = "new format", "end", "lost"  # not numbers, as frames are
OUTCOMES = {AGAIN: None, 2: NEW_FORMAT, 3: END, 4: LOST}
lib = ctypes.CDLL(os.environ["SHMVIDEO_BUILD_DIR"] + "/libshmvideo/libshmvideo.so",
                  use_errno=True)


def words(*names):
    return [(name, c_uint32) for name in names]


class Error(Structure):
    _fields_ = [("code", c_int), ("pid", c_int), ("message", c_char * 1024),
                ("advice", c_char * 192)]


class Format(Structure):
    _fields_ = words(
        "pixel_format", "width", "height", "fps_n", "fps_d", "max_fps_n", "max_fps_d",
        "par_n", "par_d", "interlace_mode", "field_order", "color_range",
        "color_matrix", "color_transfer", "color_primaries", "chroma_site",
        "alpha_mode", "views", "n_planes", "reserved") + [
        ("stride", c_uint32 * 4), ("offset", c_uint64 * 4), ("size", c_uint64)]


class WriterConfig(Structure):
    _fields_ = [("struct_size", c_size_t), ("path", c_char_p), ("perms", c_uint32),
                ("backpressure", c_uint32), ("backpressure_timeout", c_uint64),
                ("max_memory", c_uint64), ("max_lent", c_uint32),
                ("max_readers", c_uint32), ("log", c_void_p), ("log_user", c_void_p)]


class Slot(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t), ("generation", c_uint32)]


class FrameInfo(Structure):
    _fields_ = [("struct_size", c_size_t)] + [(name, c_uint64) for name in (
        "pts", "duration", "capture_time", "offset", "offset_end")] + words(
        "flags", "crop_x", "crop_y", "crop_width", "crop_height", "n_planes") + [
        ("stride", c_uint32 * 4), ("plane_offset", c_uint64 * 4)]


class ReaderInfo(Structure):
    _fields_ = [("id", c_uint64), ("pid", c_int)] + words(
        "uid", "policy", "depth", "max_holds", "received", "skipped", "copied",
        "holding")


class WriterStats(Structure):
    _fields_ = [(name, c_uint64) for name in ("frames", "bytes", "refused", "memory")
                ] + words("n_readers", "slots_active", "slots_out")


class ReaderConfig(Structure):
    _fields_ = [("struct_size", c_size_t), ("path", c_char_p)] + words(
        "policy", "depth", "min_holds", "max_holds") + [
        ("accepts", c_char_p), ("log", c_void_p), ("log_user", c_void_p)]


class Frame(Structure):
    _fields_ = [("format", POINTER(Format)), ("caps", c_char_p), ("data", c_void_p),
                ("size", c_uint64), ("n_planes", c_uint32), ("stride", c_uint32 * 4),
                ("plane_offset", c_uint64 * 4)] + [(name, c_uint64) for name in (
                    "stream", "sequence", "pts", "duration", "capture_time", "offset",
                    "offset_end")] + words("flags", "crop_x", "crop_y", "crop_width",
                                           "crop_height", "skipped")


class ReaderStatus(Structure):
    _fields_ = words("connected") + [("writer_pid", c_int)] + words(
        "writer_uid", "policy", "depth", "max_holds", "holding") + [
        (name, c_uint64) for name in ("latency", "received", "skipped", "copied")]


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
lib.shmvideo_writer_publish.argtypes = [c_void_p, c_void_p, c_void_p]
lib.shmvideo_writer_acquire.argtypes = [c_void_p, c_void_p]
lib.shmvideo_writer_acquire_wait.argtypes = [c_void_p, c_int, c_void_p]
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
    return {name: getattr(each, name) for name, _ in Format._fields_[:19]}


class Writer:
    """A writer of the library."""

    def __init__(self, path, **config):
        error, self.handle = Error(), c_void_p()
        settings = WriterConfig(ctypes.sizeof(WriterConfig), os.fsencode(path),
                                **config)
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
        code = (lib.shmvideo_writer_acquire_wait(self.handle, -1, byref(slot)) if wait
                else lib.shmvideo_writer_acquire(self.handle, byref(slot)))
        return slot if check(code) == 1 else None

    def send(self, byte, wait=False, **info):
        """Publish a frame all of one byte. False: there was no slot."""
        slot = self.acquire(wait)
        if not slot:
            return False
        ctypes.memset(slot.contents.data, byte, slot.contents.size)
        settings = FrameInfo(ctypes.sizeof(FrameInfo), *[NONE] * 5)
        for name, value in info.items():
            setattr(settings, name, value)
        check(lib.shmvideo_writer_publish(self.handle, slot, byref(settings)))
        return True

    def readers(self):
        infos = (ReaderInfo * 128)()
        return infos[:lib.shmvideo_writer_get_readers(self.handle, infos, 128)]

    def stats(self):
        stats = WriterStats()
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
        settings = ReaderConfig(ctypes.sizeof(ReaderConfig), os.fsencode(path),
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
        status = ReaderStatus()
        lib.shmvideo_reader_get_status(self.handle, byref(status))
        return status

    def close(self):
        lib.shmvideo_reader_free(self.handle)
        self.handle = None


class HeldFrame:
    def __init__(self, pointer):
        self.pointer, self.info = pointer, pointer.contents

    def picture(self):
        """As Frame.picture of reader.py."""
        rows, numbers = [], numbers_of(self.info.format.contents)
        for i, (row, n_rows) in enumerate(video.plane_sizes(numbers)):
            at = self.info.data + self.info.plane_offset[i]
            rows += [ctypes.string_at(at + y * self.info.stride[i], row)
                     for y in range(n_rows)]
        return b"".join(rows)

    def release(self):
        lib.shmvideo_frame_release(self.pointer)
