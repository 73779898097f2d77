#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Break one rule of libshmvideo/slot.c, to show that its tests would notice.
#   slot-mutate.sh MUTANT SOURCE RESULT
# Fails if the source has changed so that nothing is broken.
set -eu
store=atomic_store_explicit load=atomic_load_explicit
release=memory_order_release acquire=memory_order_acquire
case $1 in
  # The writer looks at the holds and only then makes gen odd.
  scan-first) script='/shmv_store\(&entry->gen, gen \| 1\);/{h;N;s/(.*)\n(.*)/\2\n\1/}' ;;
  # The reader stores its hold and does not look at gen again.
  no-recheck) script='s/\(shmv_load\(&board->slots\[slot\]\.gen\) & 1\) == 0/true/' ;;
  # The reader believes the ring instead of the entry.
  no-sequence) script='s/\(uint32_t\)out_entry->sequence == sequence/true/' ;;
  # The writer leaves the slot odd that it found held.
  no-restore) script='/nothing was touched: give it back/d' ;;
  # The newest frame is announced before it is there.
  early-head) script='/^shmv_slot_publish/,/^}/s/  entry->sequence = sequence;/  shmv_store(\&board->head, (uint32_t)sequence);&/' ;;
  # A lossless reader's next frame is taken for one that it has.
  off-by-one) script='s/(\(uint32_t\)sequence, survey->needed_from\)) >= 0/\1 > 0/' ;;
  # A store and the load after it, with release and acquire in place of their order: of
  # the writer and of the reader in each of the three pairs.
  gen-release) script="s/shmv_store(\(&entry->gen, gen \| 1)\)/$store\1, $release)/
    /^find_holder/,/^}/s/shmv_load(\(&reader->page->hold\[k\])\)/$load\1, $acquire)/" ;;
  hold-release) script="/^shmv_slot_hold/,/^}/{
    s/shmv_store(\(&holder->page->hold\[k\],)$/$store\1/
    s/(shmv_hold_word\(holder->generation, slot\))\);/\1, $release);/
    s/shmv_load(\(&board->slots\[slot\]\.gen)\)/$load\1, $acquire)/}" ;;
  head-release) script="/^shmv_slot_publish/,/^}/s/shmv_store(\(&board->head, \(uint32_t\)sequence)\)/$store\1, $release)/
    /^shmv_slot_must_wake/,/^}/s/shmv_load(\(&page->armed)\)/$load\1, $acquire)/" ;;
  armed-release) script="/^shmv_slot_arm/,/^}/s/shmv_store(\(&page->armed, ticket \+ 1)\)/$store\1, $release)/" ;;
  waits-release) script="/^shmv_slot_wait\(/,/^}/s/shmv_store(\(&board->writer_waits, ticket)\)/$store\1, $release)/
    /^look_at_reader/,/^}/s/shmv_load(\(&reader->page->hold\[k\])\)/$load\1, $acquire)/" ;;
  unhold-release) script="/^shmv_slot_unhold/,/^}/s/shmv_store(\(&page->hold\[k\], 0)\)/$store\1, $release)/
    /^shmv_slot_writer_waits/,/^}/s/shmv_load(\(&board->writer_waits)\)/$load\1, $acquire)/" ;;
  *) echo "no such mutant: $1" >&2; exit 2 ;;
esac
sed -E "$script" "$2" >"$3"
if cmp -s "$2" "$3"; then
  echo "mutant $1 does not fit $2 any more" >&2
  exit 1
fi
