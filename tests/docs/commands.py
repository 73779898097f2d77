#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run what the pages print: commands.py SOURCE-DIR BUILD-DIR

The pages are README.md and docs/*.md.

Each ```sh block runs in a directory of its own, its lines at the same time, by
these rules:

1. "/tmp/NAME" means a file in that directory; XDG_RUNTIME_DIR is that directory.
2. What needs hardware or a display is replaced: v4l2src by a live videotestsrc,
   autovideosink by fakesink sync=true.
3. A file that a line reads (filesrc) is made first: two seconds of video.
4. A share that is only read in the block is written by this test, and the other way
   round, until the lines that matter are done.
5. "shmvideosrc" without policy=lossless ends after 40 frames (num-buffers). Lines
   that end by themselves must, with success and without warnings; those that would
   go on for ever get Ctrl-C when all others have ended, and must end well too.
6. Files that were written must be what they seem: gst-discoverer-1.0 is asked.
7. "cc" lines are run as they are, with the page's named C blocks beside them.
8. "meson devenv" lines are run, in the build directory of this test.
9. Of lines that build and install (meson, ninja, apt, export, ./tests/run.sh ...)
   only the syntax is checked, and that files of the project named there exist.

A ```gst block is a pipeline with an appsink or appsrc for programs such as ossia
score; the program in device.c, which behaves as they do, runs it. And each file of
the project that a page names or links to is there.
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

source, build = map(pathlib.Path, sys.argv[1:3])
receiver = build / 'examples/02-receive-frames'
device = build / 'tests/docs/device'
deadline = 30 * int(os.environ.get('SHMVIDEO_TEST_SLOWNESS', '1'))
only_parsed = ('meson', 'ninja', 'sudo', 'apt', 'export', 'git', 'cd', './tests/',
               './examples/', 'tests/', 'examples/', 'pip', 'setarch')
film = ('videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240,'
        'framerate=30/1 ! avenc_ffv1 ! matroskamux ! filesink location={}')
writer = ('videotestsrc is-live=true ! video/x-raw,width=320,height=240,'
          'framerate=30/1 ! shmvideosink socket-path={}')
number = 0
failures = 0


class Block:
    """One fenced block: its language, its name if it has one, its text."""

    def __init__(self, info, text, page, line):
        self.language, _, self.name = info.partition(' ')
        self.text, self.page, self.line = text, page, line


def blocks_of(page):
    text = page.read_text()
    for match in re.finditer(r'^```(\S[^\n]*)\n(.*?)^```$', text, re.M | re.S):
        line = text.count('\n', 0, match.start()) + 1
        yield Block(match[1].strip(), match[2], page, line)


class Run:
    """Processes of one block, in their directory."""

    def __init__(self, directory):
        self.directory = directory
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(directory))
        self.processes = []

    def start(self, argv, endless=False):
        log = tempfile.TemporaryFile('w+')
        process = subprocess.Popen(argv, cwd=self.directory, env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT)
        process.endless, process.log = endless, log
        process.line = ' '.join(map(str, argv))
        self.processes.append(process)
        return process

    def call(self, argv):
        process = self.start(argv)
        self.finish(process)
        return self.output(process)

    def finish(self, process):
        try:
            process.wait(deadline)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f'did not end: {process.line}\n'
                                 + self.output(process))
        said = self.output(process)
        bad = re.search(r'WARNING|CRITICAL|ERROR|[Ww]arning:', said)
        assert process.returncode == 0 and not bad, \
            f'{process.line}\nended with {process.returncode}:\n{said}'

    @staticmethod
    def output(process):
        process.log.seek(0)
        return process.log.read()

    def wait(self):
        for process in self.processes:
            if not process.endless:
                self.finish(process)
        for process in self.processes:
            if process.endless:
                assert process.poll() is None, \
                    f'{process.line}\nended by itself:\n{self.output(process)}'
                process.send_signal(signal.SIGINT)
                self.finish(process)

    def kill(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.log.close()


def settle(line, directory):
    """A line by rules 1, 2 and 5, as words."""
    line = re.sub(r'/tmp/(?=\w)', f'{directory}/', line)
    line = re.sub(r'v4l2src( device=\S+)?', 'videotestsrc is-live=true', line)
    line = line.replace('autovideosink', 'fakesink sync=true')
    if 'policy=lossless' not in line and 'num-buffers' not in line:
        line = line.replace('shmvideosrc', 'shmvideosrc num-buffers=40')
    return shlex.split(line)


def shares(lines, element):
    text = '\n'.join(' '.join(line) for line in lines)
    return set(re.findall(element + r'\b[^!\n]*?socket-path=(\S+)', text))


def run_launch_lines(lines, run):
    for line in lines:
        for name in re.findall(r'filesrc location=(\S+)', ' '.join(line)):
            run.call(['gst-launch-1.0', '-q', *film.format(name).split()])
    written, read = shares(lines, 'shmvideosink'), shares(lines, 'shmvideosrc')
    for line in lines:
        ends = ('num-buffers' in ' '.join(line) or 'filesrc' in line
                or 'shmvideosrc' in line)
        run.start(line, endless=not ends)
    for path in read - written:
        run.start(['gst-launch-1.0', *writer.format(path).split()], endless=True)
    for path in written - read:
        run.start([receiver, path, '20'])
    run.wait()
    for line in lines:
        for name in re.findall(r'filesink location=(\S+)', ' '.join(line)):
            said = run.call(['gst-discoverer-1.0', name])
            assert 'video' in said and 'Duration: 0:00:0' in said, said
            assert 'Duration: 0:00:00.000000000' not in said, said


def run_compiler(lines, page, run):
    for block in blocks_of(page):
        if block.language == 'c' and block.name:
            text = re.sub(r'/tmp/(?=\w)', f'{run.directory}/', block.text)
            (run.directory / block.name).write_text(text)
    os.symlink(source / 'libshmvideo', run.directory / 'libshmvideo')
    for line in lines:
        if line[0] == 'cc':
            run.call(['sh', '-c', ' '.join(line) + ' -Wall -Wextra -Werror'])
            continue
        path = run.directory / 'cam'
        run.start(['gst-launch-1.0', *writer.format(path).split()], endless=True)
        run.start(line)
        run.wait()


def check_syntax(block):
    subprocess.run(['bash', '-n'], input=block.text, text=True, check=True)
    for word in re.findall(r'(?<![\w/])\.?/?((?:tests|examples|docs)/[\w./-]+)',
                           block.text):
        assert (source / word).exists(), f'{word} is not in the project'


def run_sh(block, run):
    check_syntax(block)
    text = re.sub(r'\\\n\s*', '', block.text)
    lines = [line.rstrip(' &') for line in text.splitlines()
             if line.strip() and not line.startswith('#')]
    for line in lines:
        if line.startswith('meson devenv -C build '):
            run.env['GST_PLUGIN_PATH_1_0'] = str(build / 'tests/plugins')
            run.call(['meson', 'devenv', '-C', build,
                      *settle(line, run.directory)[4:]])
    lines = [line for line in lines if not line.startswith(only_parsed)]
    launch = [settle(line, run.directory) for line in lines
              if line.startswith('gst-launch-1.0')]
    rest = [shlex.split(line) for line in lines
            if not line.startswith('gst-launch-1.0')]
    if launch:
        assert not rest, f'what is {rest}?'
        run_launch_lines(launch, run)
    elif rest and rest[0][0] == 'cc':
        run_compiler(rest, block.page, run)
    elif rest:
        for line in rest:
            assert line[0] in ('gst-inspect-1.0', 'gst-discoverer-1.0'), line
            run.call(line)


def run_gst(block, run):
    text = re.sub(r'/tmp/(?=\w)', f'{run.directory}/', ' '.join(block.text.split()))
    for path in shares([[text]], 'shmvideosrc'):
        run.start(['gst-launch-1.0', *writer.format(path).split()], endless=True)
    for path in shares([[text]], 'shmvideosink'):
        run.start([receiver, path, '20'])
    run.start([device, text])
    run.wait()


def check_names(page):
    """Files that a page links to, or names in full between backquotes."""
    text = page.read_text()
    names = [page.parent / name for name in
             re.findall(r'\]\(((?!https?:)[^)#]+)', text)]
    names += [source / name for name in
              re.findall(r'`((?:libshmvideo|gst|tests|examples|docs)/[\w./-]+)`', text)]
    missing = [str(name) for name in names if not name.exists()]
    report(f'{page.name} names files that are there', not missing, missing)


def report(title, good, remarks=()):
    global number, failures
    number += 1
    failures += not good
    for remark in remarks:
        print('# ' + str(remark).replace('\n', '\n# '))
    title = title.replace('#', '')
    print(f"{'ok' if good else 'not ok'} {number} {title}", flush=True)


def test(block):
    title = f'{block.page.name}:{block.line} {block.text.split(chr(10))[0][:60]}'
    started = time.monotonic()
    remarks = []
    with tempfile.TemporaryDirectory(prefix='shmvideo-docs-', dir='/tmp') as name:
        run = Run(pathlib.Path(name))
        try:
            {'sh': run_sh, 'gst': run_gst}[block.language](block, run)
            left = [f for f in run.directory.rglob('*') if f.is_socket()]
            assert not left, f'sockets left behind: {left}'
        except (AssertionError, subprocess.CalledProcessError, OSError) as error:
            remarks.append(error)
        finally:
            run.kill()
    report(title, not remarks, remarks)
    print(f'# {time.monotonic() - started:.1f} s', flush=True)


for page in [source / 'README.md', *sorted(source.glob('docs/*.md'))]:
    check_names(page)
    for found in blocks_of(page):
        if found.language in ('sh', 'gst'):
            test(found)
print(f'1..{number}')
sys.exit(1 if failures or not number else 0)
