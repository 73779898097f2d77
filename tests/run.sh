#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Install what the tests need, build, and pass all tests.
#   tests/run.sh [--quick] [--slow] [--no-install] [--build-root DIR] [PART...]
#
# Parts, in this order; all of them if none is named:
#   gcc       the plain build with every suite (but slow, unless --slow is given)
#   valgrind  its suite lib again, under valgrind
#   clang     all built by the other compiler, and the library's suites
#   asan      address and undefined-behaviour sanitizers, all but recordings and the
#             commands of the documentation, which want the full speed of the machine,
#             and the largest of the sizes at which each format is sent
#   tsan      thread sanitizer, the library and its threads
#   fuzz      any bytes into the pure parts, for 20 s each (tests/fuzz/run.sh: longer)
# --quick means gcc alone. Builds go to DIR/build, DIR/build-clang and so on; DIR
# is the project unless given. Warnings are errors. The last line says how many
# tests passed and failed; the exit status is 0 only if all passed.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
root=$top
install=yes
slow="--no-suite slow"
parts=

while [ $# -gt 0 ]; do
  case $1 in
    --quick) parts="gcc" ;;
    --slow) slow= ;;
    --no-install) install=no ;;
    --build-root) root=$(mkdir -p "$2" && cd "$2" && pwd) || exit 2; shift ;;
    gcc | valgrind | clang | asan | tsan | fuzz) parts="$parts $1" ;;
    *) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  shift
done
parts=${parts:-gcc valgrind clang asan tsan fuzz}

packages="gcc libc6-dev meson ninja-build pkg-config python3 procps file
  libglib2.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-base-apps
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  gstreamer1.0-libav g++ gcc-multilib util-linux mount binutils"
case $parts in *gcc*) packages="$packages spin" ;; esac
case $parts in *valgrind*) packages="$packages valgrind libc6-dbg" ;; esac
case $parts in
  *clang* | *tsan* | *fuzz*) packages="$packages clang libclang-rt-dev" ;;
esac
if [ $install = yes ]; then
  # shellcheck disable=SC2086
  "$top/tests/util/install.sh" $packages || exit 1
fi

passed=0 failed=0 skipped=0 failures=

# A run is lost before any test could count.
lost() {
  failures+="$1"$'\n'
  failed=$((failed + 1))
}

# set_up DIR COMPILER [OPTION...]: make the build directory, or bring it up to date.
set_up() {
  local dir=$root/$1 compiler=$2
  shift 2
  local again=
  [ ! -e "$dir/build.ninja" ] || again=--reconfigure
  # shellcheck disable=SC2086
  CC=$compiler meson setup $again "$dir" "$top" --werror "$@" \
    >"$root/setup.log" 2>&1 || { tail -n 40 "$root/setup.log"; return 1; }
  rm -f "$root/setup.log"
  # What was tried with the plugins of an older build must be tried anew.
  rm -f "$dir/tests/registry.bin"
}

# configure DIR COMPILER [OPTION...]: set up and build.
configure() {
  set_up "$@" || return 1
  ninja -C "$root/$1" >"$root/setup.log" 2>&1 ||
    { tail -n 60 "$root/setup.log"; return 1; }
  rm -f "$root/setup.log"
}

# run NAME DIR [ARGUMENT...]: one "meson test" run, counted. What was configured is
# built; what was only set up is built as far as these tests need it, with rebuild=yes.
run() {
  local name=$1 dir=$root/$2 log
  shift 2
  log=$name
  echo "== $name"
  # An older run's results must not count where this one does not get as far as a test.
  rm -f "$dir/meson-logs/$log".json "$dir/meson-logs/$log"-valgrind.json
  [ "$rebuild" = yes ] || set -- --no-rebuild "$@"
  "${wrap[@]}" meson test -C "$dir" --print-errorlogs --logbase "$log" "$@" </dev/null
  local counts
  # meson appends the name of a setup to that of the log.
  [ -e "$dir/meson-logs/$log.json" ] || log=$log-valgrind
  if ! counts=$(python3 "$top/tests/util/count.py" "$dir/meson-logs/$log" \
    2>"$root/failed.log"); then
    lost "$name: no results"
    cat "$root/failed.log"
    return
  fi
  failures+=$(sed "s/^/$name: /" "$root/failed.log")
  [ ! -s "$root/failed.log" ] || failures+=$'\n'
  rm -f "$root/failed.log"
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  echo "== $name: $p passed, $f failed, $s skipped"
}

part_gcc() {
  configure build gcc || { lost "gcc build"; return; }
  # shellcheck disable=SC2086
  run gcc build $slow
}

part_valgrind() {
  configure build gcc || { lost "gcc build"; return; }
  run valgrind build --setup valgrind --suite lib
}

# Two processors at full speed were tried for long enough by then.
part_clang() {
  export SHMVIDEO_LITMUS_SECONDS=3
  configure build-clang clang || { lost "clang build"; return; }
  run clang build-clang --suite lib --suite build
  unset SHMVIDEO_LITMUS_SECONDS
}

part_asan() {
  configure build-asan gcc -Db_sanitize=address,undefined \
    || { lost "asan build"; return; }
  export SHMVIDEO_TEST_SLOWNESS=3 SHMVIDEO_TEST_SMALL=1 SHMVIDEO_LITMUS_SECONDS=3
  run asan build-asan --timeout-multiplier 3 --no-suite slow --no-suite record \
    --no-suite docs
  unset SHMVIDEO_TEST_SLOWNESS SHMVIDEO_TEST_SMALL SHMVIDEO_LITMUS_SECONDS
}

# The library and its threads: nothing else is built.
part_tsan() {
  set_up build-tsan clang -Db_sanitize=thread -Db_lundef=false \
    || { lost "tsan set-up"; return; }
  # Its shadow memory wants the address space as it was before kernels spread it.
  wrap=(setarch "$(uname -m)" -R)
  export SHMVIDEO_TEST_SLOWNESS=3 SHMVIDEO_LITMUS_SECONDS=3
  rebuild=yes run tsan build-tsan --timeout-multiplier 3 --suite lib
  unset SHMVIDEO_TEST_SLOWNESS SHMVIDEO_LITMUS_SECONDS
  wrap=()
}

part_fuzz() {
  if ! CC=clang "$top/tests/fuzz/build.sh" "$root/build-fuzz" \
    >"$root/setup.log" 2>&1; then
    tail -n 60 "$root/setup.log"
    lost "fuzz build"
    return
  fi
  rm -f "$root/setup.log"
  run fuzz build-fuzz --suite fuzz
}

wrap=() rebuild=no
for part in $parts; do
  "part_$part"
done

echo
printf %s "$failures"
echo "($skipped skipped)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
