#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fuzz with one target, from its corpora, in a directory of its own.
#   once.sh FUZZ-TARGET DIRECTORY [libFuzzer's OPTIONS...]
# What is new goes to DIRECTORY/found, what crashes to DIRECTORY/crash-*.
set -eu

exe=$1 dir=$2
shift 2
here=$(dirname "$0")
name=$(basename "$exe")
name=${name#fuzz-}
rm -rf "$dir/seeds"
mkdir -p "$dir/seeds" "$dir/found"
python3 "$here/corpus.py" unpack "$dir/seeds" "$here/corpus/$name"*.hex
[ "$name" != wire ] ||
  python3 "$here/corpus.py" unpack "$dir/seeds" "$here"/../vectors/*.hex

# Longer inputs are slower and find nothing more.
case $name in
  wire) longest=512 ;;
  caps) longest=256 ;;
  session) longest=160 ;;
  board) longest=192 ;;
esac
[ ! -e "$here/$name.dict" ] || set -- "-dict=$here/$name.dict" "$@"
# Small allocations are most of the time: keep few of them, with no stacks.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}malloc_context_size=1:\
quarantine_size_mb=8:fast_unwind_on_malloc=1:detect_stack_use_after_return=0"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
exec "$exe" -entropic=0 -reload=0 -max_len=$longest -timeout=60 \
  -error_exitcode=1 -artifact_prefix="$dir/" -print_final_stats=1 "$@" \
  "$dir/found" "$dir/seeds"
