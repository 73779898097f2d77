#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the library asks of the C library is either led to the shim, where it can be
# made to fail, or cannot fail: named below. So a call that is new in the library is
# new in the shim, too, or this fails.   imports.sh LIBRARY CALL...
set -eu
export LC_ALL=C
library=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Pure, or with no way to fail that a caller could meet: eventfd_write to a counter
# that is read, munmap of what is mapped, readers and locks of the process itself.
harmless="bcmp __errno_location __cxa_finalize __gmon_start__ _ITM_deregisterTMCloneTable
  _ITM_registerTMCloneTable closedir eventfd_write freelocale geteuid getpid memchr
  memcmp memcpy memmove memset munmap pthread_attr_destroy pthread_attr_init
  pthread_attr_setdetachstate pthread_attr_setstacksize pthread_mutex_destroy pthread_mutex_init
  pthread_mutex_lock pthread_mutex_unlock pthread_sigmask qsort sched_yield sigfillset snprintf stpcpy strchr strchrnul
  strcmp strcpy strcspn strerror strerrordesc_np strlen strncmp strnlen strpbrk
  strrchr strspn strstr strtod_l strtol strtoll strtoul strtoull vsnprintf
  __stack_chk_fail"

nm -D --undefined-only "$library" |
  awk '{sub(/@.*/, "", $2); sub(/^__isoc23_/, "", $2); print $2}' |
  sort -u >"$dir/imports"
[ "$(wc -l <"$dir/imports")" -gt 50 ]
printf '%s\n' "$@" | sort >"$dir/calls"
# shellcheck disable=SC2086
printf '%s\n' $harmless | sort >"$dir/harmless"
failed=0
echo "calls that can neither be made to fail nor are known to be harmless:"
comm -23 "$dir/imports" "$dir/calls" | comm -23 - "$dir/harmless" | grep . &&
  failed=1
echo "calls led to the shim that the library does not make:"
comm -13 "$dir/imports" "$dir/calls" | grep . && failed=1
exit $failed
