#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Pass the tests on Debian 13 (GStreamer 1.26), in a root of its own.
#   tests/on-debian13.sh DIRECTORY [ARGUMENT OF tests/run.sh...]
# As root, on a Debian with debootstrap. Packages come from where this machine's
# come from, by the same proxy. DIRECTORY is made on the first run (about 2 GB) and
# used again afterwards. With no argument the plain build is tested (--quick).
set -euo pipefail

[ $# -ge 1 ] || { sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(id -u)" = 0 ] || { echo "only root can make a root" >&2; exit 1; }
# What is mounted below is seen by this script alone, and gone when it ends.
[ -n "${SHMVIDEO_OWN_MOUNTS:-}" ] ||
  SHMVIDEO_OWN_MOUNTS=yes exec unshare --mount "$0" "$@"
top=$(cd "$(dirname "$0")/.." && pwd)
root=$1
shift
[ $# -gt 0 ] || set -- --quick

"$top/tests/util/install.sh" debootstrap debian-archive-keyring git

# Where this machine gets Debian from.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' |
  awk '$2 == "Debian" && $3 == "Debian" {print $1; exit}')
mirror=${mirror:-http://deb.debian.org/debian}
eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
eval "$(apt-config shell https_proxy Acquire::https::Proxy)"
if [ -n "${http_proxy:-}" ]; then export http_proxy; fi
if [ -n "${https_proxy:-}" ]; then export https_proxy; fi

if [ ! -e "$root/etc/apt/complete" ]; then
  debootstrap --variant=minbase trixie "$root" "$mirror"
  touch "$root/etc/apt/complete"
fi
root=$(cd "$root" && pwd)
echo "deb $mirror trixie main" >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(http|https)::' \
  >"$root/etc/apt/apt.conf.d/90host" || :
cp /etc/resolv.conf /etc/hosts "$root/etc/"

mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/tmp"

# What is committed, as somebody else gets it; builds of an earlier run stay.
mkdir -p "$root/shmvideo"
find "$root/shmvideo" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -r {} +
git -C "$top" archive HEAD | tar -x -C "$root/shmvideo"
chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin ${http_proxy:+http_proxy="$http_proxy"} \
  ${https_proxy:+https_proxy="$https_proxy"} \
  /shmvideo/tests/run.sh "$@" </dev/null
