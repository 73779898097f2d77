# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""The harness of these tests: TAP, a directory for each, nothing left behind

A test is a function marked with @test("what is so"). It gets the path of a share that
is not there yet, and fails if it raises, or leaves a descriptor, a mapping of shared
memory, a child or a file.
"""

import contextlib
import gc
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

DEADLINE = 30 * int(os.environ.get("SHMVIDEO_TEST_SLOWNESS", "1"))
tests, children = [], []


class Skip(Exception):
    """Not here, and why."""


def test(title):
    def mark(function):
        tests.append((title, function))
        return function
    return mark


def equal(found, expected):
    if found != expected:
        raise AssertionError("%.300r, not %.300r" % (found, expected))


def until(condition, *things):
    """Serve things, sleeping on their descriptors, until the condition holds."""
    end = time.monotonic() + DEADLINE
    serve(*things)
    while not (result := condition()):
        poll = select.poll()
        for thing in things:
            for fd, events in thing.descriptors():
                poll.register(fd, events)
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise AssertionError("nothing more happens, and it is not so")
        serve(*things)
    return result


def serve(*things):
    """Let both sides hear and answer until they have nothing more to say."""
    for _ in range(100):
        for thing in things:
            thing.dispatch()
        poll = select.poll()
        for thing in things:
            for fd, events in thing.descriptors():
                poll.register(fd, events)
        if not poll.poll(0):
            break


def spin(condition):
    """Until another process or thread has made it so; for what wakes nobody."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it does not come to be so")
        os.sched_yield()


class Bell:
    """Another thread says by it that something may be so now."""

    def __init__(self):
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self):
        os.eventfd_write(self.fd, 1)

    def descriptors(self):
        return [(self.fd, select.POLLIN)]

    def dispatch(self):
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)

    def close(self):
        os.close(self.fd)


def start(*argv, **more):
    """A child that is gone when the test is over. Its standard output is a pipe."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             text=True, **more)
    children.append(child)
    return child


def run_peer(*args):
    """peer.py, as start."""
    return start(sys.executable, os.path.join(os.path.dirname(__file__), "peer.py"),
                 *args)


def finish(child):
    """Its exit status and its output, once it has ended by itself."""
    output, _ = child.communicate(timeout=DEADLINE)
    return child.returncode, output


def used():
    """What this process has of the system."""
    gc.collect()
    with open("/proc/self/maps", encoding="ascii") as maps:
        mappings = sum("memfd:" in line for line in maps)
    return {"descriptors": len(os.listdir("/proc/self/fd")), "mappings": mappings}


def run_one(function):
    directory = tempfile.mkdtemp(prefix="shmv-c-")
    os.environ["XDG_RUNTIME_DIR"] = directory
    before = used()
    try:
        function(directory + "/s")
        left = [name for name in os.listdir(directory) if not name.endswith(".out")]
        equal(left, [])
        equal(used(), before)
    finally:
        for child in children:
            child.kill()
            child.wait()
            child.stdout.close()
        children.clear()
        shutil.rmtree(directory)


def main():
    print("1..%d" % len(tests))
    failed = 0
    for number, (title, function) in enumerate(tests, 1):
        line = "%d - %s" % (number, title)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                run_one(function)
            print("ok " + line, flush=True)
        except Skip as reason:
            print("ok %s # SKIP %s" % (line, reason), flush=True)
        except Exception:
            failed += 1
            print("not ok " + line)
            for text in traceback.format_exc().splitlines():
                print("# " + text, flush=True)
    sys.exit(failed != 0)
