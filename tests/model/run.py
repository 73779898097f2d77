#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Check the models with Spin: run.py [--large] [--table] [NAME...]

Each configuration is searched to its end, and nothing may be wrong in it; each mutant is
searched until something is, which must be the invariant that it is there for. All the
small configurations of a model together must reach each of its lines: what is never
reached proves nothing. The large ones take minutes and gigabytes. --table prints what
was searched as Markdown. Names choose some of them.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from cases import LARGE, MUTANTS, SMALL

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = "EXCLUSIVE|FAITHFUL|COMPLETE|HONEST|AWAKE|BOUNDED|FOUND"

# No search that is worth something has fewer.
FEWEST_STATES = 1000

COMPILE = ["cc", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", "-DMEMLIM=4000",
           "-o", "pan", "pan.c"]
RUN = ["./pan", "-E", "-m4000000", "-w20"]


class Broken(Exception):
    """The search did not come to an end."""


class Result(NamedTuple):
    wrong: str = "the search"  # None: nothing
    states: int = 0
    depth: int = 0
    memory: float = 0  # MB
    seconds: float = 0
    reached: frozenset = frozenset()  # lines, "hold.pml:117"
    lines: frozenset = frozenset()


def output(command, folder):
    """What a command says; that of a search that finds something fails."""
    return subprocess.run(command, cwd=folder, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def number(pattern, text):
    match = re.search(pattern, text)
    return float(match.group(1)) if match else 0


def search(model, defines, folder, optimize):
    flags = ["-D" + d for d in defines.split()]
    for name in os.listdir(HERE):
        if name.endswith(".pml"):
            shutil.copy(os.path.join(HERE, name), folder)
    start = time.monotonic()
    subprocess.run(["spin", "-a", *flags, model], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([*COMPILE, optimize], cwd=folder, check=True)
    done = output(RUN, folder)
    spent = time.monotonic() - start
    wrong = re.search(r"pan:1: (.*) \(at depth", done)
    if wrong is None and (re.search(r"errors: 0$", done, re.M) is None
                          or "not completed" in done or "depth too small" in done):
        raise Broken(done)
    missed = set(re.findall(r"^\t(\S+\.pml:\d+), state \d+, \"(?!-end-)", done, re.M))
    lines = set(re.findall(r"\] (\S+\.pml:\d+) => (?!-end-)",
                           output(["./pan", "-d"], folder)))
    return Result(invariant(model, flags, folder) if wrong else None,
                  int(number(r"([0-9.e+]+) states, stored", done)),
                  int(number(r"depth reached ([0-9]+)", done)),
                  number(r"([0-9.]+)\s+total actual memory", done), spent,
                  frozenset(lines - missed), frozenset(lines))


def invariant(model, flags, folder):
    """Which one failed: its name stands at the assertion, or just before."""
    trail = output(["spin", "-t", "-T", *flags, model], folder)
    place = re.search(r"(\S+\.pml):(\d+), Error: assertion", trail)
    if place is None:
        return "what has no name"
    with open(os.path.join(folder, place.group(1)), encoding="utf-8") as file:
        lines = file.read().split("\n")
    for text in reversed(lines[:int(place.group(2))]):
        names = re.findall(rf"\b({NAMES})\b", text)
        if names:
            return names[-1]
    return "what has no name"


class Plan:
    """TAP: a line for each search, and one for each model all of which is searched."""

    def __init__(self, n, large):
        self.large, self.n, self.failed, self.rows = large, 0, 0, []
        self.reached, self.lines = {}, {}
        print(f"1..{n}", flush=True)

    def judge(self, good, what, remark):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {what}\n# {remark}", flush=True)

    def search(self, name, catcher, model, defines):
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = search(model + ".pml", defines, folder,
                                "-O0" if catcher else "-O2" if self.large else "-O1")
            except Broken as broken:
                print("# " + str(broken).replace("\n", "\n# "))
                result = Result()
        self.judge(result.wrong == catcher
                   and (catcher is not None or result.states >= FEWEST_STATES),
                   name + (f": {result.wrong} fails" if result.wrong else ""),
                   f"{result.states} states, depth {result.depth}, "
                   f"{result.memory:.0f} MB, {result.seconds:.1f} s")
        self.rows.append((name, model, defines, catcher, result))
        if catcher is None:
            self.reached.setdefault(model, set()).update(result.reached)
            self.lines.setdefault(model, set()).update(result.lines)

    def judge_lines(self, model):
        missed = self.lines[model] - self.reached[model]
        self.judge(not missed, f"each line of {model}.pml is reached",
                   f"never: {', '.join(sorted(missed)) or 'none'}; "
                   f"of {len(self.lines[model])} lines")

    def print_table(self):
        print("\n| configuration | settings | states | deepest | MB | s |\n"
              "|---|---|---|---|---|---|")
        for name, model, defines, catcher, result in self.rows:
            if catcher is None:
                print(f"| {name} | `{model}.pml` `{defines}` | {result.states:,} | "
                      f"{result.depth:,} | {result.memory:.0f} | {result.seconds:.0f} |")
        print("\n| mutant | of | fails |\n|---|---|---|")
        for name, _, _, catcher, result in self.rows:
            if catcher is not None:
                print(f"| {name} | {MUTANTS[name][0]} | {result.wrong} |")


def main():
    if shutil.which("spin") is None:
        print("1..0 # SKIP there is no spin")
        return 0
    large = "--large" in sys.argv
    words = [a for a in sys.argv[1:] if not a.startswith("--")]
    cases = {name: (name, "", None) for name in (LARGE if large else SMALL)}
    cases |= {} if large else MUTANTS
    names = [n for n in cases if not words or n in words]
    models = [] if large or words else sorted({m for m, _ in SMALL.values()})
    plan = Plan(len(names) + len(models), large)
    for name in names:
        what, mutation, catcher = cases[name]
        model, defines = (SMALL | LARGE)[what]
        kept = [d for d in defines.split()
                if d.split("=")[0] != mutation.split("=")[0]]
        plan.search(name, catcher, model, " ".join([*kept, mutation]).strip())
    for model in models:
        plan.judge_lines(model)
    if "--table" in sys.argv:
        plan.print_table()
    return 1 if plan.failed else 0


if __name__ == "__main__":
    sys.exit(main())
