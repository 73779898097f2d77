# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""What bench.py runs.

A group is what one target, or one figure, is about. It has cases; a case is run with
each of its transports, one after the other, in every round.
"""

SIZES = {  # name: (format, size)
    "64k": ("NV12", "208x208"),
    "240p": ("NV12", "320x240"),
    "1080p": ("NV12", "1920x1080"),
    "4k": ("RGBA", "3840x2160"),
    "8k": ("RGBA", "7680x4320"),
}
ALL = ("queue", "shm", "unixfd", "ours")
RIVALS = ("shm", "unixfd", "ours")
# The pool of so many frames of 8K is more than the default allows.
ROOM = {"max-memory": 4 << 30}


def case(group, size, transports, **options):
    picture, pixels = SIZES[size]
    return {"group": group, "size": size, "transports": transports,
            "options": {"format": picture, "size": pixels,
                        **{k.replace("_", "-"): v for k, v in options.items()}}}


def untouched(size):
    return case("untouched", size, ALL, lossless=True, depth=8)


def touched(size):
    return case("touched", size, ALL, lossless=True, depth=2, touch=True)


def paced(size):
    return case("paced", size, ALL, fps=60, depth=2)


def crowd(size, readers, transports=RIVALS):
    room = ROOM if size in ("4k", "8k") else {}
    return case("crowd", size, transports, fps=60, depth=2, readers=readers,
                holds=2, **room)


def flat(size):
    return case("flat", size, ("queue", "ours"), lossless=True, depth=2, holds=2,
                **ROOM)


def stopped(stop, transports):
    return case("stopped", "1080p", transports, fps=1000, depth=2, readers=4,
                stop=stop)


def copied(size):
    return case("copied", size, ("ours",), fps=60, depth=2, own_memory=True)


def quick():
    return [untouched("1080p"), untouched("4k"), touched("1080p"), touched("4k"),
            paced("1080p"), crowd("1080p", 8),
            flat("64k"), flat("1080p"), flat("4k"), flat("8k"),
            stopped(False, ("ours",)), stopped(True, ("ours",))]


def full():
    cases = [untouched(s) for s in ("240p", "1080p", "4k", "8k")]
    cases += [touched(s) for s in ("240p", "1080p", "4k", "8k")]
    cases += [paced(s) for s in ("240p", "1080p", "4k", "8k")]
    for size in ("240p", "1080p"):
        cases += [crowd(size, n) for n in (4, 8, 32, 64)]
    cases += [crowd("4k", 8), crowd("8k", 8)]
    cases += [flat(s) for s in ("64k", "240p", "1080p", "4k", "8k")]
    cases += [stopped(False, RIVALS), stopped(True, RIVALS)]
    cases += [copied("1080p"), copied("4k")]
    for c in cases:
        if c["size"] == "8k":
            c["options"].update(ROOM, holds=2)
    return cases
