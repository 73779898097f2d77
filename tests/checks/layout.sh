#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs of 32 and of 64 bits see the same memory and the same messages.
#   layout.sh SOURCE-DIR CC...
set -eu
source=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return 0; }' >"$dir/try.c"
if ! "$@" -m32 "$dir/try.c" -o "$dir/try" 2>/dev/null || ! "$dir/try"; then
  echo "this compiler or machine has no -m32"
  exit 77
fi
for bits in 32 64; do
  "$@" -m$bits -std=c11 -Wall -Wextra -Werror -I"$source/libshmvideo" \
    "$source/tests/checks/layout.c" "$source"/libshmvideo/*.c \
    -o "$dir/layout$bits"
  "$dir/layout$bits" >"$dir/$bits"
done
[ "$(wc -l <"$dir/32")" -gt 40 ]
diff "$dir/32" "$dir/64"

# And they show each other frames, both ways round.
for bits in 32 64; do
  for example in 01-send-frames 02-receive-frames; do
    "$@" -m$bits -I"$source/libshmvideo" \
      "$source/examples/$example.c" "$source"/libshmvideo/*.c \
      -o "$dir/$example-$bits"
  done
done
for pair in "32 64" "64 32"; do
  "$dir/01-send-frames-${pair% *}" "$dir/share" 1000 &
  sender=$!
  timeout 20 "$dir/02-receive-frames-${pair#* }" "$dir/share" 20 \
    "$dir/picture" | tee "$dir/said"
  kill "$sender"
  wait "$sender"
  grep -q '^20 frames$' "$dir/said"
  head -c 15 "$dir/picture" | grep -q '^320 240$'
done
