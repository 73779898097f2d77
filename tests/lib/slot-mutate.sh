#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Break rules of libshmvideo/slot.c, to show that its tests would notice.
#   slot-mutate.sh MUTANT SOURCE RESULT
# Fails if the source has changed so that nothing is broken.
set -eu

# The store that a line of a function begins is no more than a release.
release() {
  printf "%s\n" "/^$1\\(/,/^}/{/shmv_store\\($2/{:a;/;/!{N;ba;};s/shmv_store/atomic_store_explicit/;s/\\);/, memory_order_release);/;};}"
}

# The load in a line of a function is no more than an acquire.
acquire() {
  printf "%s\n" "/^$1\\(/,/^}/s/shmv_load\\(([^()]*$2)\\)/atomic_load_explicit(\\1, memory_order_acquire)/"
}

script_of() {
  case $1 in
    # The writer looks at the holds and only then makes gen odd.
    scan-first) printf '%s\n' '/shmv_store\(&entry->gen, gen \| 1\);/{h;N;s/(.*)\n(.*)/\2\n\1/;}' ;;
    # The reader stores its hold and does not look at gen again.
    no-recheck) printf '%s\n' 's/\(shmv_load\(&board->slots\[slot\]\.gen\) & 1\) == 0/true/' ;;
    # The reader believes the ring instead of the entry.
    no-sequence) printf '%s\n' 's/\(uint32_t\)out_entry->sequence == sequence/true/' ;;
    # The writer leaves the slot odd that it found held.
    no-restore) printf '%s\n' '/nothing was touched: give it back/d' ;;
    # The newest frame is announced before it is there.
    early-head) printf '%s\n' '/^shmv_slot_publish/,/^}/s/  entry->sequence = sequence;/  shmv_store(\&board->head, (uint32_t)sequence);&/' ;;
    # A lossless reader's next frame is taken for one that it has.
    off-by-one) printf '%s\n' 's/(\(uint32_t\)sequence, survey->needed_from\)) >= 0/\1 > 0/' ;;

    # gen --> hold, and hold --> gen.
    gen-release) release shmv_slot_claim '&entry->gen, gen \| 1' ;;
    holds-acquire) acquire find_holder 'hold\[k\]' ;;
    hold-release) release shmv_slot_hold '&holder->page->hold\[k\],$' ;;
    gen-acquire) acquire shmv_slot_hold '\.gen' ;;
    # head --> armed, and armed --> head.
    head-release) release shmv_slot_publish '&board->head' ;;
    armed-acquire) acquire shmv_slot_must_wake armed ;;
    armed-release) release shmv_slot_arm '&page->armed' ;;
    head-acquire) acquire shmv_slot_head head ;;
    # hold := 0 --> writer_waits, and writer_waits --> hold.
    unhold-release) release shmv_slot_unhold '&page->hold\[k\]' ;;
    waits-acquire) acquire shmv_slot_writer_waits writer_waits ;;
    waits-release) release shmv_slot_wait '&board->writer_waits' ;;
    free-acquire) acquire look_at_reader 'hold\[k\]' ;;
    *) echo "no such mutant: $1" >&2; exit 2 ;;
  esac
}

# All of a pair at once, or one of the above.
case $1 in
  gen-hold) parts='gen-release holds-acquire hold-release gen-acquire' ;;
  head-armed) parts='head-release armed-acquire armed-release head-acquire' ;;
  hold-waits) parts='unhold-release waits-acquire waits-release free-acquire' ;;
  *) parts=$1 ;;
esac
cp "$2" "$3"
for part in $parts; do
  script=$(script_of "$part")
  sed -E "$script" "$3" >"$3.broken"
  if cmp -s "$3" "$3.broken"; then
    echo "mutant $part does not fit $2 any more" >&2
    exit 1
  fi
  mv "$3.broken" "$3"
done
