#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# From nothing to a recording: install packages, build, share a test video from one
# process, record it in another.
#   examples/quickstart.sh [OUTPUT-DIRECTORY]
# The output goes to build/quickstart unless another directory is named. Set
# SHMVIDEO_BUILD_DIR to use a build directory that is already there, as it is.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
build=${SHMVIDEO_BUILD_DIR:-$top/build}
out=${1:-$build/quickstart}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

if [ -z "${SHMVIDEO_BUILD_DIR:-}" ]; then
  say "1. Packages and build"
  "$top/tests/util/install.sh" gcc libc6-dev meson ninja-build pkg-config \
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools \
    gstreamer1.0-plugins-base gstreamer1.0-plugins-base-apps \
    gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-libav
  [ -e "$build/build.ninja" ] || meson setup "$build" "$top" >"/tmp/setup.$$" ||
    { cat "/tmp/setup.$$"; exit 1; }
  rm -f "/tmp/setup.$$"
  ninja -C "$build" gst/libgstshmvideo.so examples/01-send-frames \
    examples/02-receive-frames | tail -n 1
  export GST_PLUGIN_PATH_1_0=$build/gst
  export GST_REGISTRY_1_0=$build/devenv-registry.bin
fi
for tool in gst-launch-1.0 gst-discoverer-1.0; do
  command -v $tool >/dev/null || { echo "$tool is missing" >&2; exit 1; }
done

mkdir -p "$out"
out=$(cd "$out" && pwd)
scratch=$(mktemp -d /tmp/shmvideo-XXXXXX)
writer=
finish() {
  [ -z "$writer" ] || { kill -INT "$writer" && wait "$writer"; } 2>/dev/null || :
  rm -rf "$scratch"
}
trap finish EXIT
share=$scratch/share

# Show a command, then run it.
run() { echo "\$ $*"; "$@"; }

say "2. One process shares a video at $share"
line=(gst-launch-1.0 -q videotestsrc is-live=true horizontal-speed=2
  ! "video/x-raw,width=640,height=360,framerate=30/1"
  ! shmvideosink socket-path="$share")
echo "\$ ${line[*]}"
"${line[@]}" &
writer=$!

say "3. Another records three seconds of it, then takes a picture"
run gst-launch-1.0 -q shmvideosrc socket-path="$share" num-buffers=90 \
  ! videoconvert ! x264enc speed-preset=veryfast ! matroskamux \
  ! filesink location="$out/recording.mkv"
run gst-launch-1.0 -q shmvideosrc socket-path="$share" num-buffers=1 \
  ! videoconvert ! pngenc ! filesink location="$out/picture.png"

say "4. What was recorded"
run gst-discoverer-1.0 -v "$out/recording.mkv" >"$scratch/discovered" ||
  { cat "$scratch/discovered"; exit 1; }
grep -E 'Duration|Width|Height|Frame rate' "$scratch/discovered" ||
  { cat "$scratch/discovered"; exit 1; }

say "5. The first process is asked to end (Ctrl-C)"
kill -INT "$writer"
status=0
wait "$writer" || status=$?
writer=
[ "$status" = 0 ] || { echo "it ended with status $status" >&2; exit 1; }
[ ! -e "$share" ] || { echo "it left $share behind" >&2; exit 1; }

say "Done. In $out:"
ls -l "$out/recording.mkv" "$out/picture.png"
