#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Corpora as text (replay.c says how) and as libFuzzer wants them

corpus.py unpack DIRECTORY FILE...   an input of each FILE becomes a file
corpus.py pack FILE DIRECTORY        the other way; comments of FILE stay at its top
"""
import hashlib
import pathlib
import re
import sys


def parse(text):
    inputs = []
    for block in re.split(r'\n[ \t\r]*\n', text):
        if not block.strip():
            continue
        data = bytearray()
        for line in block.splitlines():
            line = re.sub('#.*', '', line)
            for byte, times in re.findall(r'([0-9a-fA-F]{2})(?:\*(\d+))?', line):
                data += bytes([int(byte, 16)]) * int(times or 1)
        inputs.append(bytes(data))
    return inputs


def unpack(directory, files):
    for file in files:
        for data in parse(pathlib.Path(file).read_text()):
            name = hashlib.sha1(data).hexdigest()
            (directory / name).write_bytes(data)


def digits(data):
    """Runs of more than four are counted; lines of up to 80 digits and a bit."""
    lines, line = [], ''
    for run in re.finditer(rb'(.)\1*', data, re.S):
        byte, n = run.group(0)[:1].hex(), len(run.group(0))
        line += f'{byte}*{n} ' if n > 4 else byte * n
        if len(line) > 80:
            lines.append(line.rstrip())
            line = ''
    return '\n'.join(lines + ([line.rstrip()] if line else [])) + '\n'


def pack(file, directory):
    head = ''
    if file.exists():
        head = re.match(r'(#.*\n)*', file.read_text()).group(0)
    inputs = sorted({f.read_bytes() for f in directory.iterdir()},
                    key=lambda data: (len(data), data))
    blocks = [digits(data) for data in inputs if data]
    file.write_text('\n'.join([head] + blocks if head else blocks))


if __name__ == '__main__':
    if len(sys.argv) >= 4 and sys.argv[1] == 'unpack':
        unpack(pathlib.Path(sys.argv[2]), sys.argv[3:])
    elif len(sys.argv) == 4 and sys.argv[1] == 'pack':
        pack(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        sys.exit(__doc__)
