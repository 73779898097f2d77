# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Draw what bench.py measured, as SVG files for docs/performance.md."""

import os
from statistics import median

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "shmvideo"  # the same picture, the same file
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of backend)

import table

NAMES = {"queue": "queue, one process", "shm": "shmsink/shmsrc",
         "unixfd": "unixfdsink/unixfdsrc", "ours": "shmvideosink/shmvideosrc"}
COLORS = {"queue": "#888888", "shm": "#c06020", "unixfd": "#b09000",
          "ours": "#2060b0"}
SIZES = ("64k", "240p", "1080p", "4k", "8k")


def middle(kept, metric, **wanted):
    found = [metric(r["result"]) for r in kept.find(**wanted)]
    return median(found) if found else None


def save(figure, folder, name):
    figure.tight_layout()
    figure.savefig(os.path.join(folder, name + ".svg"), metadata={"Date": None})
    plt.close(figure)


def bars(axes, kept, group, metric, sizes):
    """A cluster of bars for each size, one for each transport."""
    present = [t for t in table.TRANSPORTS if kept.find(group=group, transport=t)]
    sizes = [s for s in sizes if kept.find(group=group, size=s)]
    width = 0.8 / max(len(present), 1)
    for i, transport in enumerate(present):
        heights = [middle(kept, metric, group=group, size=s, transport=transport)
                   or 0 for s in sizes]
        places = [k + i * width - 0.4 + width / 2 for k in range(len(sizes))]
        axes.bar(places, heights, width, label=NAMES[transport],
                 color=COLORS[transport])
    axes.set_xticks(range(len(sizes)), sizes)


def draw_rates(kept, folder):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    bars(left, kept, "untouched", table.rate, SIZES)
    left.set_title("frames/s, pixels untouched")
    bars(right, kept, "touched", table.rate, SIZES)
    right.set_title("frames/s, every byte written and read")
    right.set_yscale("log")
    left.legend(fontsize="small")
    save(figure, folder, "rates")


def draw_latency(kept, folder):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    bars(left, kept, "paced", table.latency("p50"), SIZES)
    left.set_title("latency at 60 fps, p50, µs")
    bars(right, kept, "paced", table.latency("p99"), SIZES)
    right.set_title("latency at 60 fps, p99, µs")
    left.legend(fontsize="small")
    save(figure, folder, "latency")


def lines(axes, kept, metric, xs, find, transports):
    for transport in transports:
        points = [(x, middle(kept, metric, transport=transport, **find(x)))
                  for x in xs]
        points = [(x, y) for x, y in points if y is not None]
        if points:
            axes.plot(*zip(*points), marker="o", label=NAMES[transport],
                      color=COLORS[transport])


def draw_readers(kept, folder):
    counts = sorted({r["result"]["readers"] for r in kept.find(group="crowd")})
    if not counts:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))

    def find(readers):
        return {"group": "crowd", "size": "1080p", "readers": readers}

    lines(left, kept, table.writer_cpu, counts, find, ("shm", "unixfd", "ours"))
    left.set_title("writer's CPU per frame, 1080p at 60 fps, µs")
    left.set_xlabel("readers")
    left.set_ylim(bottom=0)
    left.legend(fontsize="small")
    lines(right, kept, lambda r: table.memory(r) / 1e6, counts, find, ("ours",))
    right.set_title("memory for frames, MB")
    right.set_xlabel("readers")
    right.set_ylim(bottom=0)
    save(figure, folder, "readers")


def draw_sizes(kept, folder):
    sizes = {r["result"]["frame_bytes"]: r["size"] for r in kept.find(group="flat")}
    if not sizes:
        return
    figure, axes = plt.subplots(figsize=(5, 3.5))
    lines(axes, kept, table.cpu, sorted(sizes),
          lambda n: {"group": "flat", "size": sizes[n]}, ("queue", "ours"))
    axes.set_xscale("log")
    axes.set_xlabel("bytes of a frame, untouched")
    axes.set_ylim(bottom=0)
    axes.set_title("CPU per frame, all processes, µs")
    axes.legend(fontsize="small")
    save(figure, folder, "sizes")


def draw(raw, folder):
    kept = table.Kept(raw)
    os.makedirs(folder, exist_ok=True)
    draw_rates(kept, folder)
    draw_latency(kept, folder)
    draw_readers(kept, folder)
    draw_sizes(kept, folder)
