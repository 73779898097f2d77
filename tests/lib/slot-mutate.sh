#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Break one rule of libshmvideo/slot.c, to show that its tests would notice.
#   slot-mutate.sh MUTANT SOURCE RESULT
# Fails if the source has changed so that nothing is broken.
set -eu
relaxed='memory_order_relaxed'
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
  # Stores that begin a pair, each without its order.
  gen-relaxed) script="s/shmv_store(\(&entry->gen, gen \| 1)\)/atomic_store_explicit\1, $relaxed)/" ;;
  armed-relaxed) script="/^shmv_slot_arm/,/^}/s/shmv_store(\(&page->armed, ticket \+ 1)\)/atomic_store_explicit\1, $relaxed)/" ;;
  hold-relaxed) script="/^shmv_slot_hold/,/^}/{s/shmv_store(\(&holder->page->hold\[k\],)$/atomic_store_explicit\1/;s/(shmv_hold_word\(holder->generation, slot\))\);/\1, $relaxed);/}" ;;
  *) echo "no such mutant: $1" >&2; exit 2 ;;
esac
sed -E "$script" "$2" >"$3"
if cmp -s "$2" "$3"; then
  echo "mutant $1 does not fit $2 any more" >&2
  exit 1
fi
