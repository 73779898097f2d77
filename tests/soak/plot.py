#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Draw the curve of a soak: plot.py CSV SVG (with python3-matplotlib)."""

import csv
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "shmvideo"  # the same picture, the same file
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of backend)

WHO = {"writer": "#2060b0", "reader": "#60a0e0", "shmvideosink": "#c06020",
       "shmvideosrc": "#e0a060"}
ROWS = (("own", "MB of its own", 1e6), ("descriptors", "descriptors", 1),
        ("mappings", "mappings of frames", 1))
MOST = 500  # points of a curve


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    rests = [r for r in rows if r["rest"] == "1"]
    busy = rows[::max(1, len(rows) // MOST)]
    figure, all_axes = plt.subplots(len(ROWS), 1, sharex=True, figsize=(9, 7))
    for axes, (what, title, unit) in zip(all_axes, ROWS):
        for name, color in WHO.items():
            key = f"{name} {what}"
            axes.plot([float(r["seconds"]) / 60 for r in busy],
                      [float(r[key]) / unit for r in busy], color=color, alpha=0.3,
                      linewidth=0.6)
            axes.plot([float(r["seconds"]) / 60 for r in rests],
                      [float(r[key]) / unit for r in rests], color=color,
                      linewidth=1.5, label=name)
        axes.set_ylabel(title)
        axes.set_ylim(bottom=0)
    all_axes[0].legend(fontsize="small", ncols=4)
    all_axes[-1].set_xlabel("minutes; bold: at rest, when all guests have left")
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
