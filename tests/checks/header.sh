#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The public header compiles alone, as C11 and as C++11, and stays one sitting's
# read.   header.sh SOURCE-DIR CC...
set -eu
header=$1/libshmvideo/shmvideo.h
shift
warnings="-pedantic -Wall -Wextra -Werror -fsyntax-only"
# shellcheck disable=SC2086
printf '#include "%s"\n' "$header" |
  "$@" -std=c11 $warnings -Wstrict-prototypes -xc -
for cxx in g++ clang++; do
  command -v $cxx >/dev/null || continue
  # An initialiser macro is part of the header, so it is used here.
  # shellcheck disable=SC2086
  printf '#include "%s"\n%s\n' "$header" \
    "shmvideo_writer_config w = SHMVIDEO_WRITER_CONFIG_INIT;
     shmvideo_reader_config r = SHMVIDEO_READER_CONFIG_INIT;
     shmvideo_frame_info f = SHMVIDEO_FRAME_INFO_INIT;" |
    $cxx -std=c++11 $warnings -xc++ -
  tried=yes
done
[ "${tried:-}" = yes ] || { echo "no C++ compiler"; exit 77; }
lines=$(wc -l <"$header")
echo "$lines lines"
[ "$lines" -le 450 ]
