#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Build the fuzz targets and nothing else: build.sh DIRECTORY
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
[ -e "$1/build.ninja" ] ||
  CC=${CC:-clang} meson setup "$1" "$top" --werror -Dfuzz=true -Dtests=enabled \
    -Dgst=disabled -Dexamples=disabled -Db_sanitize=address,undefined \
    -Db_lundef=false
ninja -C "$1" fuzz
