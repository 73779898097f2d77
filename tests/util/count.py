#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count the tests of one "meson test" run: count.py LOG-BASE

Prints "PASSED FAILED SKIPPED": subtests where a program reports them (TAP), else
programs. A program that failed without naming a subtest counts as one failure.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(base):
    passed = failed = skipped = 0
    for line in pathlib.Path(base + '.json').read_text().splitlines():
        test = json.loads(line)
        good = bad = away = 0
        for case in cases.get(test['name'].split(' / ')[-1], []):
            if case.find('failure') is not None or case.find('error') is not None:
                bad += 1
            elif case.find('skipped') is not None:
                away += 1
            else:
                good += 1
        if test['result'] == 'OK':
            good = good or (0 if away else 1)
        elif test['result'] == 'SKIP':
            good, bad, away = 0, 0, max(away, 1)
        elif test['result'] != 'EXPECTEDFAIL':
            bad = max(bad, 1)
        passed, failed, skipped = passed + good, failed + bad, skipped + away
    return passed, failed, skipped


base = sys.argv[1]
cases = {}
for suite in xml.parse(base + '.junit.xml').getroot().iter('testsuite'):
    # A TAP program is a suite of its own, "project.name"; all others share one.
    name = suite.get('name').split('.', 1)[-1]
    for case in suite.iter('testcase'):
        key = name if '.' in suite.get('name') else case.get('name')
        cases.setdefault(key, []).append(case)
print(*count(base))
