#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fuzz for long: by hand, not in continuous integration.
#   run.sh TARGET|all [EXECUTIONS | SECONDSs]   100000000 if not said; "600s" is time
#   run.sh --keep TARGET|all                    what was found becomes the corpus
# Targets are wire, caps, session and board. Builds with clang in build-fuzz, or in
# $FUZZ_BUILD. What is found is kept in there (fuzz/TARGET/found) for the next run; an
# input that crashes is named at the end, and is to be put into the corpus with the fix.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${FUZZ_BUILD:-$top/build-fuzz}
keep=
[ "${1:-}" != --keep ] || { keep=yes; shift; }
case ${1:-} in
  all) targets="wire caps session board" ;;
  wire | caps | session | board) targets=$1 ;;
  *) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
case ${2:-100000000} in
  *s) limit=-max_total_time=${2%s} ;;
  *) limit=-runs=${2:-100000000} ;;
esac

"$here/build.sh" "$build"

keep_found() {
  dir=$build/fuzz/$1
  rm -rf "$dir/merged" "$dir/all"
  mkdir -p "$dir/merged" "$dir/all" "$dir/found"
  python3 "$here/corpus.py" unpack "$dir/all" "$here/corpus/$1.hex"
  cp -n "$dir/found/"* "$dir/all/" 2>/dev/null || : # one may run, and tidy up
  # Which edges, not how often: that is a fifth of the size.
  "$build/tests/fuzz/fuzz-$1" -merge=1 -use_counters=0 "$dir/merged" "$dir/all" \
    2>"$dir/merge.log"
  python3 "$here/corpus.py" pack "$here/corpus/$1.hex" "$dir/merged"
  echo "$1: $(find "$dir/merged" -type f | wc -l) inputs"
}

status=0
for target in $targets; do
  dir=$build/fuzz/$target
  if [ -n "$keep" ]; then
    keep_found "$target"
    continue
  fi
  mkdir -p "$dir"
  echo "$target: $limit, see $dir/log"
  "$here/once.sh" "$build/tests/fuzz/fuzz-$target" "$dir" "$limit" \
    >"$dir/log" 2>&1 || status=1
  sed -n 's/^stat::\(number_of_executed\|average_exec\)/  \1/p' "$dir/log"
  grep -a -E 'not true|ERROR: |runtime error|Test unit written' "$dir/log" || :
done
exit $status
