#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""House style that a machine can see: style.py SOURCE-DIR

Fails on: a missing licence line, tabs, trailing space, no final newline, // comments
in C, a library file that includes a layer above its own. Reports long files (over
400 lines) and long functions (over 60).
"""
import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
faults, long_files, long_functions = [], [], []
folders = ['libshmvideo', 'gst', 'examples', 'tests', 'docs', '.ci']
kinds = {'.c', '.h', '.py', '.sh', '.build', '.md'}
files = sorted(f for folder in folders for f in (top / folder).rglob('*')
               if f.suffix in kinds and '.git' not in f.parts)
assert len(files) > 20


def check_text(file, text):
    name = file.relative_to(top)
    if file.suffix != '.md' and 'SPDX-License-Identifier' not in text[:200]:
        faults.append(f'{name}: no SPDX line')
    if text and not text.endswith('\n'):
        faults.append(f'{name}: no newline at the end')
    for number, line in enumerate(text.splitlines(), 1):
        if '\t' in line or line != line.rstrip():
            faults.append(f'{name}:{number}: tab or space at the end')
        if file.suffix in '.c.h' and re.search(r'(^|[;{}\s])//', line):
            faults.append(f'{name}:{number}: // comment')


def check_lengths(file, text):
    lines = text.splitlines()
    name = file.relative_to(top)
    if len(lines) > 400 and name.parts[0] in ('libshmvideo', 'gst') \
            and name.name != 'shmvideo.h':
        long_files.append(f'{name}: {len(lines)}')
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line == '}' and start:
            if number - start + 1 > 60:
                long_functions.append(f'{name}:{start}: {number - start + 1}')
            start = None


def check_layers():
    """The order of the sources in meson.build is that of the layers. A remark such
    as "writer: ..." puts a file into that group, whose headers it may include."""
    folder = top / 'libshmvideo'
    listed = re.findall(r"^  '([a-z-]+)\.c',(?: *# (?:(writer|reader):)?)?",
                        (folder / 'meson.build').read_text(), re.M)
    group = {noun: said or noun.split('-')[0] for noun, said in listed}
    rank = {}
    for i, (noun, _) in enumerate(listed):
        rank.setdefault(group[noun], i)
        rank.setdefault(noun, i)
    for file in sorted(folder.glob('*.[ch]')):
        if file.suffix == '.c' and file.stem not in group:
            faults.append(f'libshmvideo/{file.name}: not in meson.build')
        if file.stem not in group:
            continue
        for header in re.findall(r'^#include "([a-z-]+)\.h"', file.read_text(),
                                 re.M):
            if group.get(header, header) != group[file.stem] \
                    and rank.get(header, -1) > rank[file.stem]:
                faults.append(f'libshmvideo/{file.name}: includes {header}.h, '
                              'a layer above')


for file in files:
    text = file.read_text()
    check_text(file, text)
    if file.suffix in ('.c', '.h'):
        check_lengths(file, text)
check_layers()
print('files over 400 lines:', *(long_files or ['none']), sep='\n  ')
print('functions over 60 lines:', *(long_functions or ['none']), sep='\n  ')
print('faults:', *(faults or ['none']), sep='\n  ')
sys.exit(1 if faults else 0)
