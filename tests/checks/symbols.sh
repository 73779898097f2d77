#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the library exports is what its header declares and its map lists, and it
# cannot print.   symbols.sh SOURCE-DIR LIBRARY INTERNAL-LIBRARY
set -eu
export LC_ALL=C
header=$1/libshmvideo/shmvideo.h map=$1/libshmvideo/libshmvideo.map
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Without comments and macros, a name before a parenthesis is a function.
python3 -c 'import re, sys
text = re.sub(r"/\*.*?\*/", "", sys.stdin.read(), flags=re.S)
text = re.sub(r"^#.*(\\\n.*)*", "", text, flags=re.M)
print("\n".join(re.findall(r"\b(shmvideo_\w+)\s*\(", text)))' <"$header" |
  sort >"$dir/header"
grep -o 'shmvideo_[a-z0-9_]*;' "$map" | tr -d ';' | sort >"$dir/map"
nm -D --defined-only "$2" | awk '$2 == "T" {sub(/@.*/, "", $3); print $3}' |
  sort >"$dir/library"
[ -s "$dir/header" ]
echo "header and map:"
diff "$dir/header" "$dir/map"
echo "header and library:"
diff "$dir/header" "$dir/library"

# What comes in is what must not be. ("! grep" alone would not end the script.)
none() {
  if grep .; then
    exit 1
  fi
}

# Vendored, as a static library, it has nothing but prefixes to avoid clashes.
echo "names without a prefix:"
nm --defined-only --extern-only "$3" | awk 'NF == 3 {print $3}' |
  { grep -vE '^(shmv_|shmvideo_|__)' || true; } | none

# Threads: for the one purpose that closing.h explains.
echo "ways to start a thread:"
nm --undefined-only "$3" |
  awk '/:$/ {file = $0} $2 == "pthread_create" {print file}' |
  { grep -v 'closing\.c\.o:$' || true; } | none

echo "ways to print or to end the process:"
nm -D --undefined-only "$2" | awk '{sub(/@.*/, "", $2); print $2}' |
  { grep -E '^(_?_?f?v?printf(_chk)?|vfprintf|puts|fputs|fputc|putchar|fwrite|perror|stdout|stderr|syslog|exit|_exit|abort|__assert_fail|err|warn|sigaction|signal)$' || true; } |
  none
