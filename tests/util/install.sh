#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# See to it that Debian packages are installed.
#   install.sh PACKAGE...
# Installs only what is missing, as root or with sudo. Where there is no apt it
# says what is needed and goes on: the build will say what is really missing.
set -eu

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "No apt here. Needed, by the names that Debian gives them:" >&2
  printf '  %s\n' "$@" >&2
  exit 0
fi

missing=
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || :)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo. As root:  apt-get install$missing" >&2
    exit 1
  fi
  sudo="sudo"
  # Without a terminal nobody can type a password.
  [ -t 0 ] || sudo="sudo -n"
fi
echo "Installing:$missing"
# env: sudo drops variables of the caller.
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
  --no-install-recommends -o Dpkg::Use-Pty=0 $missing </dev/null >/tmp/shmvideo-apt.$$ 2>&1 || {
  cat /tmp/shmvideo-apt.$$ >&2
  rm -f /tmp/shmvideo-apt.$$
  exit 1
}
rm -f /tmp/shmvideo-apt.$$
