#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count the tests of one "meson test" run: count.py LOG-BASE

Prints "PASSED FAILED SKIPPED": subtests where a program reports them (TAP), else
programs. A program that failed without naming a subtest counts as one failure.
Names what failed on standard error.
"""
import json
import re
import sys

passed = failed = skipped = 0
with open(sys.argv[1] + '.json', encoding='utf-8', errors='replace') as log:
    tests = [json.loads(line) for line in log]
for test in tests:
    good = bad = away = 0
    lines = test.get('stdout', '').splitlines()
    if any(re.match(r'1\.\.\d+', line) for line in lines):
        for line in lines:
            good += bool(re.match(r'ok\b(?!.*# SKIP)', line))
            bad += bool(re.match(r'not ok\b', line))
            away += bool(re.match(r'ok\b.*# SKIP', line))
    if test['result'] == 'OK':
        good = good if good or away else 1
    elif test['result'] == 'SKIP':
        good, bad, away = 0, 0, max(away, 1)
    else:
        bad = max(bad, 1)
        words = test.get('stdout', '') + test.get('stderr', '')
        why = re.search(r'^.*(ERROR|not ok|NOT OK).*$', words, re.M)
        print('FAILED:', test['name'], test['result'],
              why.group()[:200] if why else '', file=sys.stderr)
    passed, failed, skipped = passed + good, failed + bad, skipped + away
print(passed, failed, skipped)
