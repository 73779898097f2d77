#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs take the library along as a flat list of files: it compiles with nothing
# but an include path, and each internal header compiles alone.
#   vendored.sh SOURCE-DIR CC...
set -eu
source=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$@" -c "$source"/libshmvideo/*.c -I"$source/libshmvideo" -Wall -Wextra -Werror
"$@" -std=c11 -c "$source"/libshmvideo/*.c -I"$source/libshmvideo" \
  -Wall -Wextra -Werror
for header in "$source"/libshmvideo/*.h; do
  # Alone, but for what a file that uses it asks the C library for.
  printf '#include "os.h"\n#include "%s"\n' "$header" |
    "$@" -std=c11 -xc -fsyntax-only -I"$source/libshmvideo" -Wall -Wextra \
      -Wno-unused-function -Wno-unused-variable -Wno-unused-const-variable \
      -Werror -
done
