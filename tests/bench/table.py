# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""From raw results to figures, ratios and verdicts."""

from statistics import median

TRANSPORTS = ("queue", "shm", "unixfd", "ours")


# ---- Figures of one run -------------------------------------------------------

def processes(result):
    if "both" in result:
        return [result["both"]]
    return [result["writer"], *result["readers_each"]]


def writer(result):
    return result.get("both") or result["writer"]


def sinks(result):
    return [s for p in processes(result) for s in p["sinks"]]


def frames(result):
    """Delivered, to a reader in the middle."""
    return median(s["frames"] for s in sinks(result))


def rate(result):
    return frames(result) / result["seconds"]


def cpu(result):
    """Of all processes together, for each frame delivered, microseconds."""
    return per(sum(p["cpu_us"] for p in processes(result)), frames(result))


def writer_cpu(result):
    return per(writer(result)["cpu_us"], writer(result)["frames"])


def per(amount, count):
    return amount / count if count else float("nan")


def latency(which):
    return lambda result: median(s["latency_us"][which] for s in sinks(result))


def held(which):
    return lambda result: writer(result)["held_us"][which]


def memory(result):
    """Bytes for frames: of the files that are shared, or of the heap."""
    return writer(result)["files"] or writer(result)["pss_own"]


def resident(result):
    return sum(p["pss"] for p in processes(result))


# ---- All rounds ---------------------------------------------------------------

class Kept:
    def __init__(self, kept):
        self.runs = [r for r in kept["runs"] if not r["result"].get("error")]
        self.broken = [r for r in kept["runs"] if r["result"].get("error")]
        self.library = [x for x in kept["library"]
                        if x is not None and not x.get("error")]
        self.rounds = sorted({r["round"] for r in kept["runs"]})

    def find(self, **wanted):
        """Runs with these values, in themselves or in their results."""
        return [r for r in self.runs
                if all(r.get(k, r["result"].get(k)) == v
                       for k, v in wanted.items())]

    def ratios(self, metric, ours, theirs):
        """Of one round each; of several runs of a round, the last."""
        found = []
        for number in self.rounds:
            a = self.find(round=number, **ours)
            b = self.find(round=number, **theirs)
            if a and b:
                below = metric(b[-1]["result"])
                if below and below == below:
                    found.append(metric(a[-1]["result"]) / below)
        return found


# ---- Verdicts -----------------------------------------------------------------

class Verdict:
    """One line: values of the rounds, and what their median should be (None: no
    target)."""

    def __init__(self, what, values, limit, most=True, unit="x"):
        self.what, self.limit, self.most, self.unit = what, limit, most, unit
        self.values = sorted(v for v in values if v == v)
        self.got = median(self.values) if self.values else None

    def judge(self):
        if self.limit is None:
            return ""
        met = self.got <= self.limit if self.most else self.got >= self.limit
        return "met" if met else "MISSED"

    def line(self):
        want = ""
        if self.limit is not None:
            want = f"{'<=' if self.most else '>='} {self.limit:g}{self.unit}"
        if self.got is None:
            return f"{self.what:62} {'-':>12} {want:>12}  not measured"
        got = f"{self.got:.4g}{self.unit}"
        return (f"{self.what:62} {got:>12} {want:>12}  {self.judge():6} "
                f"({self.values[0]:.4g} to {self.values[-1]:.4g})")


def of_elements(kept):
    def ratio(what, metric, case, other, limit, most=True):
        yield Verdict(what, kept.ratios(metric, {**case, "transport": "ours"},
                                        {**case, "transport": other}),
                      limit, most)

    for size in ("1080p", "4k"):
        case = {"group": "untouched", "size": size}
        yield from ratio(f"frames/s untouched, {size}, to in-process", rate, case,
                         "queue", 0.5, False)
        yield from ratio(f"frames/s untouched, {size}, to shmsink", rate, case,
                         "shm", 4, False)
    for size in ("1080p", "4k"):
        yield from ratio(f"frames/s written and read, {size}, to in-process",
                         rate, {"group": "touched", "size": size}, "queue", 0.95,
                         False)
    for size in ("1080p", "4k"):
        case = {"group": "paced", "size": size}
        if not kept.find(**case) and size != "1080p":
            continue
        yield from ratio(f"p50 latency at 60 fps, {size}, to in-process",
                         latency("p50"), case, "queue", 1.5)
        yield from ratio(f"p50 latency at 60 fps, {size}, to shmsink",
                         latency("p50"), case, "shm", 0.6)
        yield from ratio(f"p99 latency at 60 fps, {size}, to shmsink",
                         latency("p99"), case, "shm", 1)
        yield from ratio(f"CPU per frame at 60 fps, all, {size}, to in-process",
                         cpu, case, "queue", 1.3)
    yield from ratio("writer CPU per frame, 8 readers, 1080p, to shmsink",
                     writer_cpu, {"group": "crowd", "size": "1080p", "readers": 8},
                     "shm", 0.7)
    yield Verdict("CPU per frame, dearest size to cheapest, 64 kB to 132 MB",
                  flatness(kept, "ours"), 1.25)
    live = {"group": "stopped", "transport": "ours", "stop": False}
    stop = {**live, "stop": True}
    yield Verdict("one reader stopped: others' p99.9 latency, to none stopped",
                  kept.ratios(latency("p99.9"), stop, live), 1.1)
    yield Verdict("one reader stopped: writer's p99.9 hand-over, to none stopped",
                  kept.ratios(held("p99.9"), stop, live), 1.1)


def flatness(kept, transport):
    found = []
    for number in kept.rounds:
        costs = [cpu(r["result"]) for r in
                 kept.find(group="flat", round=number, transport=transport)]
        if len(costs) > 1:
            found.append(max(costs) / min(costs))
    return found


def of_library(kept):
    def values(*path):
        found = []
        for one in kept.library:
            for name in path:
                one = one[name] if one is not None and name in one else None
            if one is not None:
                found.append(one)
        return found

    def quotients(above, below):
        return [a / b for a, b in zip(values(*above), values(*below)) if b]

    yield Verdict("library: claim and publish, one reader, nobody asleep",
                  values("calls", "publish", "ns"), 500, unit=" ns")
    yield Verdict("library: claim and publish, no reader",
                  values("calls", "publish_alone", "ns"), 500, unit=" ns")
    yield Verdict("library: acquire and release",
                  values("calls", "acquire", "ns"), 300, unit=" ns")
    for what in ("allocations", "minor_faults"):
        counts = [sum(x["calls"][k][what] for k in x["calls"])
                  + x["wakes"]["frame"][what]
                  for x in kept.library if "calls" in x and "wakes" in x]
        yield Verdict(f"library: {what.replace('_', ' ')} in all those frames",
                      counts, 0, unit="")
    for kind in ("first", "further"):
        joins = [join for one in kept.library if "joins" in one
                 for join in one["joins"][kind]]
        yield Verdict(f"{kind} reader: connect to first frame, 1080p RGBA",
                      [j["connect_us"] / 1000 for j in joins], 10, unit=" ms")
        yield Verdict(f"{kind} reader: writer's longest frame, to just before",
                      [j["during_us"] / j["before_us"] for j in joins
                       if j["before_us"]], 1.5)
    yield Verdict("publish to frame, one spinning on acquire, p50",
                  values("wakes", "spin", "latency_us", "p50"), 2, unit=" us")
    for kind in ("futex", "socket"):
        yield Verdict(f"publish to frame, asleep, p50, to a bare {kind}",
                      quotients(("wakes", "frame", "latency_us", "p50"),
                                ("wakes", kind, "latency_us", "p50")),
                      None)
    for size in ("1080p", "4k"):
        yield Verdict(f"library: copying a frame, {size}, to a bare memcpy",
                      values("copies", size, "ratio"), 1.1)


def of_rules(kept):
    """What has nothing to do with speed: sums over all runs."""
    def total(runs, value):
        return [sum(value(r["result"]) for r in runs)] if runs else []

    ours = [r for r in kept.find(transport="ours")]
    lossless = [r for r in kept.runs if r["result"]["lossless"]]
    pooled = [r for r in ours if not r["result"]["own_memory"]]
    yield Verdict("torn frames, all transports",
                  total(kept.runs, lambda r: sum(s["torn"] for s in sinks(r))), 0,
                  unit="")
    yield Verdict("lost frames where none may be",
                  total(lossless, lambda r: sum(s["lost"] for s in sinks(r))), 0,
                  unit="")
    yield Verdict("frames copied by shmvideosink that drew in its memory",
                  total(pooled, lambda r: writer(r)["copied"]), 0, unit="")
    yield Verdict("frames that no pool gave, or in other memory than usual",
                  total(kept.runs, lambda r: writer(r)["unpooled"]
                        + writer(r)["other_memory"]), 0, unit="")


def verdicts(raw):
    kept = Kept(raw)
    head = (f"{'ratios within a round, medians of rounds':62} {'got':>12} "
            f"{'want':>12}")
    lines = ["", head, "-" * len(head)]
    lines += [v.line() for v in of_elements(kept)]
    if kept.library or not kept.runs:
        lines += [v.line() for v in of_library(kept)]
    lines += [v.line() for v in of_rules(kept)] if kept.runs else []
    for run in kept.broken:
        lines.append(f"broke off: {run['group']} {run['size']} "
                     f"{run['transport']}: {run['result']['error']}")
    return "\n".join(lines) + "\n"


# ---- The long table -----------------------------------------------------------

COLUMNS = (  # head, width, value of a result
    ("frames/s", 9, lambda r: f"{rate(r):.0f}"),
    ("lost", 8, lambda r: f"{sum(s['lost'] for s in sinks(r))}"),
    ("torn", 5, lambda r: f"{sum(s['torn'] for s in sinks(r))}"),
    ("cpu w", 8, lambda r: f"{writer_cpu(r):.1f}"),
    ("cpu all", 8, lambda r: f"{cpu(r):.1f}"),
    ("p50", 8, lambda r: f"{latency('p50')(r):.1f}"),
    ("p90", 8, lambda r: f"{latency('p90')(r):.1f}"),
    ("p99", 9, lambda r: f"{latency('p99')(r):.1f}"),
    ("p99.9", 9, lambda r: f"{latency('p99.9')(r):.1f}"),
    ("held 99", 8, lambda r: f"{held('p99')(r):.1f}"),
    ("faults", 7, lambda r: f"{counted(r, 'minor_faults'):.2f}"),
    ("waits", 6, lambda r: f"{counted(r, 'waits'):.2f}"),
    ("preempt", 7, lambda r: f"{counted(r, 'preemptions'):.2f}"),
    ("MB", 7, lambda r: f"{memory(r) / 1e6:.0f}"),
    ("all MB", 7, lambda r: f"{resident(r) / 1e6:.0f}"),
)


def counted(result, what):
    return per(sum(p[what] for p in processes(result)), frames(result))


def figures(raw):
    """A line for each case and transport: of the round whose rate is the median."""
    kept = Kept(raw)
    machine = raw["machine"]
    lines = [f"{machine['processor']}, {machine['processors']} processors, Linux "
             f"{machine['kernel']}, {machine['gstreamer']}, load "
             f"{machine['load'][0]:.1f}; microseconds, for each frame"]
    head = f"{'':40}" + "".join(f" {name:>{width}}" for name, width, _ in COLUMNS)
    lines += [head, "-" * len(head)]
    seen = {}
    for run in kept.runs:
        r = run["result"]
        key = (f"{run['group']} {run['size']} x{r['readers']}"
               f"{' one stopped' if r['stop'] else ''} {run['transport']}")
        seen.setdefault(key, []).append(r)
    for key, results in seen.items():
        results.sort(key=rate)
        middle = results[len(results) // 2]
        lines.append(f"{key:40}" + "".join(f" {value(middle):>{width}}"
                                           for _, width, value in COLUMNS))
    return "\n".join(lines) + "\n"
