#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Measure all transports side by side, and say which targets are met.

  bench.py [OPTION...] BUILD-DIR

  --quick          fewer cases and short windows, two rounds
  --rounds N       of all cases, one after the other (default 5)
  --seconds S      of each window (default 3)
  --group NAME     only this group of cases (see cases.py); "library" too
  --json FILE      keep the raw results
  --from FILE      measure nothing, show what was kept (BUILD-DIR is not needed)
  --plot DIR       draw SVG files of it (with python3-matplotlib)
  --smoke          a test that the tools work; no figures are told

Ratios are taken within a round, between runs that follow each other, and the median
of the rounds is told. Nothing here passes or fails by time.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time

import cases
import smoke
import table

MISSING = 77  # GStreamer has not got that transport


class Tools:
    """The two programs, and the environment that they are run in."""

    def __init__(self, build):
        build = os.path.abspath(build)
        tests = os.path.join(build, "tests")
        self.bench = os.path.join(tests, "bench", "bench")
        self.bench_lib = os.path.join(tests, "bench", "bench-lib")
        self.env = dict(os.environ)
        for name, value in {
                "GST_PLUGIN_SYSTEM_PATH_1_0": "",
                "GST_PLUGIN_PATH_1_0": os.path.join(build, "gst") + ":"
                                       + os.path.join(tests, "plugins"),
                "GST_REGISTRY_1_0": os.path.join(tests, "registry.bin"),
                "GST_REGISTRY_FORK": "no",
                "XDG_RUNTIME_DIR": os.path.join(tests, "runtime")}.items():
            self.env.setdefault(name, value)
        # What tests want of the heap would cost time here.
        for name in ("G_DEBUG", "G_SLICE", "MALLOC_PERTURB_"):
            self.env.pop(name, None)

    def command(self, transport, options):
        line = [self.bench, f"--transport={transport}"]
        for name, value in options.items():
            if value is True:
                line.append(f"--{name}")
            elif value is not False:
                line.append(f"--{name}={value}")
        return line

    def run(self, line):
        """What it says, or None if GStreamer has not got what it wants."""
        done = subprocess.run(line, env=self.env, stdout=subprocess.PIPE,
                              check=False)
        if done.returncode == MISSING:
            return None
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"error": f"exit status {done.returncode}"}

    def measure(self, transport, options):
        return self.run(self.command(transport, options))

    def measure_library(self, *arguments):
        return self.run([self.bench_lib, *arguments])


def first_line(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, check=False,
                              text=True).stdout.split("\n")[0]
    except OSError:
        return ""


def describe_machine():
    model = ""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(),
            "kernel": platform.release(), "load": os.getloadavg(),
            "system": platform.freedesktop_os_release().get("PRETTY_NAME", "")
                      if hasattr(platform, "freedesktop_os_release") else "",
            "gstreamer": first_line(["gst-launch-1.0", "--version"])}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_all(tools, args):
    wanted = cases.quick() if args.quick else cases.full()
    if args.group:
        wanted = [c for c in wanted if c["group"] in args.group]
    library = not args.group or "library" in args.group
    windows = {"seconds": args.seconds, "warmup": args.warmup}
    missing = set()
    kept = {"machine": describe_machine(), "arguments": sys.argv[1:],
            "runs": [], "library": []}
    for round_ in range(args.rounds):
        for case in wanted:
            for transport in case["transports"]:
                if transport in missing:
                    continue
                options = {**case["options"], **windows}
                result = tools.measure(transport, options)
                if result is None:
                    missing.add(transport)
                    say(f"this GStreamer has no {transport}")
                    continue
                kept["runs"].append({
                    "round": round_, "group": case["group"], "size": case["size"],
                    "transport": transport, "result": result,
                    "command": tools.command(transport, options)[1:]})
                if result["error"]:
                    say(f"{case['group']} {case['size']} {transport}: "
                        + result["error"])
        if library:
            part = ["--batches=100", "--wakes=400", "--joins=10"]
            kept["library"].append(
                tools.measure_library(*(part if args.quick else [])))
        say(f"round {round_ + 1} of {args.rounds}, load "
            f"{os.getloadavg()[0]:.1f}")
    kept["machine"]["load_after"] = os.getloadavg()
    return kept


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", nargs="?")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--warmup", type=float)
    parser.add_argument("--group", action="append")
    parser.add_argument("--json")
    parser.add_argument("--from", dest="kept")
    parser.add_argument("--plot")
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 5)
    args.seconds = args.seconds or (1 if args.quick else 3)
    if args.warmup is None:
        args.warmup = 0.2
    if args.build is None and args.kept is None:
        parser.error("which build directory?")

    if args.smoke:
        sys.exit(smoke.run(Tools(args.build)))
    if args.kept:
        with open(args.kept, encoding="utf-8") as file:
            kept = json.load(file)
    else:
        start = time.monotonic()
        kept = run_all(Tools(args.build), args)
        kept["took"] = time.monotonic() - start
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
    print(table.figures(kept))
    print(table.verdicts(kept))
    if args.plot:
        import plot  # wants matplotlib, which nothing else here does
        plot.draw(kept, args.plot)


if __name__ == "__main__":
    main()
