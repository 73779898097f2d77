#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whether the compiler made the same code of two sources.
#   slot-same-code.sh ARCHIVE ARCHIVE: exit status 0: the same; 1: not; 77: cannot tell.
set -eu
command -v objdump >/dev/null || exit 77
code() {
  objdump -dr --no-show-raw-insn "$1" | sed '/file format/d; /^In archive/d'
}
one=$(code "$1")
other=$(code "$2")
[ -n "$one" ] || exit 77
[ "$one" = "$other" ]
