#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How much of the pure files the unit tests and the fuzzers' corpora pass through: by
# hand, not in continuous integration.
#   tests/coverage.sh [--missed]
# Prints a table of lines, one of branches; with --missed, where the rest is. Builds in
# build-coverage. Needs gcovr (Debian has it).
#
# The rest is: what happens without memory, which tests of whole programs bring about;
# enumerators that a switch must name and no value has; bounds that only 32 bits reach,
# or texts longer than are read; a locale's decimal point.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-coverage
pure='libshmvideo/(wire|session|slot|caps.*|format.*|copy|board|negotiate|budget)\.[ch]'

command -v gcovr >/dev/null || { echo "gcovr is not there" >&2; exit 1; }
[ -e "$build/build.ninja" ] ||
  CC=${CC:-gcc} meson setup "$build" "$top" --werror -Db_coverage=true \
    -Dbuildtype=debug >"$top/setup.log"
rm -f "$top/setup.log"
find "$build" -name '*.gcda' -delete
# Only what these tests name is built; slot-races wants more, and adds nothing here.
meson test -C "$build" --suite lib >"$build/coverage.log" 2>&1 ||
  grep -E 'ERROR|FAIL ' "$build/coverage.log" || :

# What an assertion does not do is no branch of ours.
table() {
  (cd "$build" && gcovr . --root "$top" --filter "$top/$pure" \
    --exclude-lines-by-pattern '.*static_assert.*' \
    --gcov-ignore-parse-errors "$@" 2>/dev/null)
}
table --txt
table --txt --branches
[ "${1:-}" != --missed ] || table --json | python3 -c '
import json, sys
for file in json.load(sys.stdin)["files"]:
    for line in file["lines"]:
        if line["gcovr/noncode"]:
            continue
        n = len(line["branches"])
        missed = sum(branch["count"] == 0 for branch in line["branches"])
        if line["count"] == 0 or missed:
            where = "{}:{}".format(file["file"], line["line_number"])
            print(where, "never" if line["count"] == 0 else
                  "{} of {} branches missed".format(missed, n))'
