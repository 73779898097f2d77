# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""A test of the measuring tools, as TAP: each transport for a moment.

Asked is what has nothing to do with speed: that figures are there and add up, that no
frame is torn or lost, that buffers come from where they should.
"""

import subprocess

import table

MOMENT = {"format": "NV12", "size": "320x240", "fps": 200, "touch": True, "depth": 8,
          "seconds": 0.3, "warmup": 0.05}
# Frames that are on their way when the window begins or ends.
SLACK = 16
# A machine that is busy with other things may show no frame in a moment, or have more
# of them on their way, or leave a reader so long without time that the writer has to
# copy. Not three times running.
ATTEMPTS = 3

EVERY = (  # name, transport, options, kind of memory, is each frame copied
    ("queue", "queue", {}, "GstAllocatorSysmem", None),
    ("shm", "shm", {}, "GstShmSinkAllocator", None),
    ("unixfd", "unixfd", {}, None, None),
    ("ours, two readers", "ours", {"readers": 2}, "GstShmVideoAllocator", False),
    ("ours, lossless", "ours", {"lossless": True}, "GstShmVideoAllocator", False),
    ("ours, own memory", "ours", {"own-memory": True}, "GstAllocatorSysmem", True),
    ("ours, one stopped", "ours", {"readers": 2, "stop": True},
     "GstShmVideoAllocator", False),
)


def judge_counts(result):
    sinks = table.sinks(result)
    made = table.writer(result)["frames"]
    yield len(sinks) == result["readers"] - result["stop"], "all sinks tell"
    yield made > 0 and all(s["frames"] > 0 for s in sinks), "there are frames"
    yield (all(abs(s["frames"] + s["lost"] - made) <= SLACK for s in sinks),
           "what came and what was lost is what was made")
    yield sum(s["torn"] + s["repeated"] for s in sinks) == 0, "none is torn or old"
    yield (all(s["latency_us"]["n"] == s["frames"] for s in sinks),
           "each has a latency")
    if result["lossless"]:
        yield sum(s["lost"] for s in sinks) == 0, "none is lost"


def judge_memory(result, kind, copied):
    writer = table.writer(result)
    if kind is not None:
        yield writer["memory_type"] == kind, f"memory is of {kind}"
        yield (writer["unpooled"] == writer["other_memory"] == 0,
               "all of it is from the pool")
    if copied is not None:
        ours = ("copied", "zero_copy") if copied else ("zero_copy", "copied")
        yield (writer[ours[0]] > 0 and writer[ours[1]] == 0,
               f"each frame is {'copied' if copied else 'shown in place'}")
        yield (writer["files"] >= result["frame_bytes"],
               "the shared memory is seen")


def judge(result, kind, copied):
    if result["error"]:
        return [(False, result["error"])]
    return [*judge_counts(result), *judge_memory(result, kind, copied)]


def judge_library(result):
    if result.get("error"):
        return [(False, result["error"])]
    wakes = [result["wakes"][kind] for kind in ("frame", "futex", "socket", "spin")]
    calls = result["calls"].values()
    return [
        (all(c["allocations"] == 0 for c in calls), "calls allocate nothing"),
        (result["wakes"]["frame"]["allocations"] == 0, "nor do waits"),
        (all(w["latency_us"]["n"] == 20 for w in wakes), "all wakes came"),
        (all(len(result["joins"][kind]) == 1 for kind in ("first", "further")),
         "all joins came"),
        (all(c["ratio"] > 0 for c in result["copies"].values()),
         "copies are compared")]


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    def tell(self, name, verdicts):
        for good, what in verdicts:
            self.number += 1
            self.failed += not good
            print(f"{'ok' if good else 'not ok'} {self.number} - {name}: {what}",
                  flush=True)

    def skip(self, name):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP not in this GStreamer", flush=True)


def attempt(tools, transport, options, kind, copied):
    """Verdicts, or None if there is no such transport."""
    for _ in range(ATTEMPTS):
        result = tools.measure(transport, {**MOMENT, **options})
        if result is None:
            return None
        print(f"# {result}")
        verdicts = judge(result, kind, copied)
        if all(good for good, _ in verdicts):
            break
    return verdicts


def run(tools):
    tap = Tap()
    tap.tell("self-test", [(subprocess.run(
        [tools.bench, "--self-test"], env=tools.env, check=False).returncode == 0,
        "torn frames are seen")])
    for name, transport, options, kind, copied in EVERY:
        verdicts = attempt(tools, transport, options, kind, copied)
        if verdicts is None:
            tap.skip(name)
        else:
            tap.tell(name, verdicts)
    result = tools.measure_library("--small", "--batches=3", "--wakes=20",
                                   "--joins=1")
    print(f"# {result}")
    tap.tell("library", judge_library(result))
    print(f"1..{tap.number}")
    return 1 if tap.failed else 0
