#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Check the models with Spin: run.py [--large] [--table] [NAME...]

Each configuration is searched to its end, and nothing may be wrong in it; each mutant is
searched until something is. The large ones take minutes and gigabytes. --table prints
what was searched as Markdown. Names choose some of them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

# name: (model, what -D says). AWAKE is for those without kills: a death that is still to
# come would wake all. Together they have each of kills, drops, demotion,
# several holds, a ring that wraps, late joining (readers join at any time).
SMALL = {
    "two readers, a frame": ("hold", "FRAMES=1 SLOTS=2"),
    "latest, three frames": ("hold", "READERS=1 FRAMES=3 SLOTS=2"),
    "latest, killed": ("hold", "READERS=1 FRAMES=2 SLOTS=2 KILLS=1"),
    "latest, two holds": ("hold", "READERS=1 FRAMES=3 HOLDS=2 SLOTS=3 RING=2"),
    "lossless, killed": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 KILLS=1"),
    "lossless, four frames": ("hold", "FIRST=1 FRAMES=4 SLOTS=2"),
    "lossless, demoted": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 DEMOTIONS=1"),
    "lossless, dropped": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 DROPS=1"),
    "spoiling, depth 1": ("spoil", "DEPTH=1"),
    "spoiling, depth 2": ("spoil", "DEPTH=2 SLOTS=4 BEFORE=3"),
    "two formats": ("generation", "CHANGES=1 FRAMES=4"),
    "three formats": ("generation", "CHANGES=2 FRAMES=4"),
}

LARGE = {
    "two readers, two frames": ("hold", "FRAMES=2 SLOTS=2"),
    "two readers, a frame, two killed": ("hold", "FRAMES=1 SLOTS=2 KILLS=2"),
    "two readers, a frame, dropped and killed": (
        "hold", "FRAMES=1 SLOTS=2 DROPS=1 KILLS=1"),
    "latest, depth 2, two killed": (
        "hold", "READERS=1 FRAMES=3 DEPTH=2 SLOTS=3 KILLS=2"),
    "lossless, five frames, killed": ("hold", "FIRST=1 FRAMES=5 SLOTS=3 KILLS=1"),
    "lossless, two holds, demoted": (
        "hold", "FIRST=1 FRAMES=4 HOLDS=2 SLOTS=3 DEMOTIONS=1"),
    "lossless, demoted, dropped and killed": (
        "hold", "FIRST=1 FRAMES=3 SLOTS=2 DEMOTIONS=1 DROPS=1 KILLS=1"),
    "spoiling, depth 2, more slots": ("spoil", "DEPTH=2 SLOTS=5 BEFORE=4"),
    "four formats": ("generation", "CHANGES=3 FRAMES=7"),
}

# name: (the configuration that it is a mutant of, one more -D, what catches it)
MUTANTS = {
    "the reader does not check gen": ("latest, three frames", "NO_CHECK", "EXCLUSIVE"),
    "holds are looked at before gen is odd": ("latest, three frames", "SCAN_FIRST",
                                              "EXCLUSIVE"),
    "gen is restored, then the slot filled": ("latest, three frames",
                                              "RESTORE_FIRST", "EXCLUSIVE"),
    "the ring says which frame it is": ("latest, two holds", "RING_METADATA",
                                        "FAITHFUL"),
    "the head before the frame": ("lossless, killed", "HEAD_FIRST", "HONEST"),
    "the cursor before the hold": ("lossless, killed", "CURSOR_FIRST", "HONEST"),
    "no floor until READY": ("lossless, killed", "NO_FLOOR", "HONEST"),
    "demoted without a word": ("lossless, demoted", "DEMOTE_SILENTLY", "HONEST"),
    "a sleeping reader does not look again": ("latest, three frames",
                                              "NO_CHECK_ASLEEP_READER", "AWAKE"),
    "a sleeping writer does not look again": ("lossless, four frames",
                                              "NO_CHECK_ASLEEP_WRITER", "AWAKE"),
    "wakes before the head": ("latest, three frames", "WAKE_FIRST", "AWAKE"),
    "one ticket for all waits": ("lossless, four frames", "ONE_TICKET", "AWAKE"),
    "holds of the dead are honoured": ("lossless, killed", "DEAD_HOLDS", "AWAKE"),
    "fewer spoils allowed than can be": ("spoiling, depth 2", "BOUND=3", "BOUNDED"),
    "the next format before the last frames": ("three formats", "ADVANCE_EARLY",
                                               "COMPLETE"),
    "a new format in the old memory": ("three formats", "SAME_POOL", "EXCLUSIVE"),
    "formats change untold": ("three formats", "NO_UNTOLD", "COMPLETE"),
}


class Broken(Exception):
    pass


def search(model, defines, long, folder):
    """(what is wrong or None, states, depth, memory in MB, seconds) of a whole search."""
    flags = ["-D" + d for d in defines.split()]
    for name in os.listdir(HERE):
        if name.endswith(".pml"):
            shutil.copy(os.path.join(HERE, name), folder)
    start = time.monotonic()
    subprocess.run(["spin", "-a", *flags, model], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["cc", "-O2" if long else "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048",
                    "-DMEMLIM=6000", "-o", "pan", "pan.c"], cwd=folder, check=True)
    done = subprocess.run(["./pan", "-E", "-m4000000", "-w22"], cwd=folder, text=True,
                          check=False, stdout=subprocess.PIPE).stdout
    spent = time.monotonic() - start
    wrong = re.search(r"pan:1: (.*) \(at depth", done)
    if wrong is None and (re.search(r"errors: 0$", done, re.M) is None
                          or "not completed" in done or "depth too small" in done):
        raise Broken(done)

    def number(pattern):
        match = re.search(pattern, done)
        return float(match.group(1)) if match else 0

    return (invariant(model, flags, folder) if wrong else None,
            int(number(r"([0-9.e+]+) states, stored")),
            int(number(r"depth reached ([0-9]+)")),
            number(r"([0-9.]+)\s+total actual memory"), spent)


def invariant(model, flags, folder):
    """Which one failed: its name stands at the assertion, or just before."""
    trail = subprocess.run(["spin", "-t", "-T", *flags, model], cwd=folder, text=True,
                           check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT).stdout
    place = re.search(r"(\S+\.pml):(\d+), Error: assertion", trail)
    if place is None:
        return "what has no name"
    with open(os.path.join(folder, place.group(1)), encoding="utf-8") as file:
        lines = file.read().split("\n")
    for text in reversed(lines[:int(place.group(2))]):
        names = re.findall(
            r"\b(EXCLUSIVE|FAITHFUL|COMPLETE|HONEST|AWAKE|BOUNDED)\b", text)
        if names:
            return names[-1]
    return "what has no name"


def main():
    if shutil.which("spin") is None:
        print("1..0 # SKIP there is no spin")
        return 0
    words = [a for a in sys.argv[1:] if not a.startswith("--")]
    chosen = LARGE if "--large" in sys.argv else SMALL
    mutants = {} if "--large" in sys.argv else MUTANTS
    names = [n for n in [*chosen, *mutants] if not words or n in words]
    print(f"1..{len(names)}", flush=True)
    rows, failed = [], 0
    for i, name in enumerate(names, 1):
        what, mutation, catcher = mutants.get(name, (name, "", None))
        model, defines = SMALL.get(what) or LARGE[what]
        defines = f"{defines} {mutation}".strip()
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong, *figures = search(
                    model + ".pml", defines, model == "hold" and not mutation, folder)
            except Broken as broken:
                print("# " + str(broken).replace("\n", "\n# "))
                wrong, figures = "the search", [0, 0, 0, 0]
        good = wrong == catcher
        failed += not good
        print(f"{'ok' if good else 'not ok'} {i} - {name}"
              f"{f': {wrong} fails' if wrong else ''}", flush=True)
        print("# {} states, depth {}, {:.0f} MB, {:.1f} s".format(*figures), flush=True)
        rows.append((name, model, defines, *figures))
    if "--table" in sys.argv:
        print("\n| configuration | model | settings | states | deepest | MB | s |\n"
              "|---|---|---|---|---|---|---|")
        for name, model, defines, states, depth, memory, spent in rows:
            print(f"| {name} | {model} | `{defines}` | {states} | {depth} | "
                  f"{memory:.0f} | {spent:.0f} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
