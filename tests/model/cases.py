# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""What run.py searches, and what it must find."""

# name: (model, what -D says). Together they have each of kills, drops, demotion,
# discards, several holds, a ring that wraps, late joining (readers join at any time).
SMALL = {
    "two readers, a frame, one killed": ("hold", "FRAMES=1 SLOTS=2 KILLS=1"),
    "two readers, a frame, dropped": ("hold", "FRAMES=1 SLOTS=2 DROPS=1"),
    "latest, three frames, discards": ("hold", "READERS=1 FRAMES=3 SLOTS=2 DISCARDS=1"),
    "latest, depth 2, killed": ("hold", "READERS=1 FRAMES=2 DEPTH=2 SLOTS=3 KILLS=1"),
    "latest, two holds": ("hold", "READERS=1 FRAMES=3 HOLDS=2 SLOTS=3 RING=2"),
    "latest, keeps a frame": ("hold", "READERS=1 FRAMES=3 SLOTS=2 KEEPS"),
    "lossless, killed": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 KILLS=1"),
    "lossless, four frames": ("hold", "FIRST=1 FRAMES=4 SLOTS=2"),
    "lossless, two holds": ("hold", "FIRST=1 FRAMES=3 HOLDS=2 SLOTS=2"),
    "lossless, keeps a frame": ("hold", "FIRST=1 FRAMES=3 SLOTS=3 KEEPS"),
    "lossless, demoted": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 DEMOTIONS=1"),
    "lossless, dropped": ("hold", "FIRST=1 FRAMES=3 SLOTS=2 DROPS=1"),
    "spoiling, depth 1": ("spoil", "DEPTH=1 BOUND=1"),
    "spoiling, depth 1 beside depth 2": ("spoil", "DEPTH=1 COVER=2 BOUND=1"),
    "spoiling, depth 1, two holds": ("spoil", "DEPTH=1 HOLDS=2 BOUND=1"),
    "spoiling, depth 2": ("spoil", "DEPTH=2 BOUND=2"),
    "two formats, two killed": ("generation", "CHANGES=1 FRAMES=4 KILLS=2"),
    "three formats, killed": ("generation", "CHANGES=2 FRAMES=4 KILLS=1"),
}

LARGE = {
    "two readers, two frames, one killed": ("hold", "FRAMES=2 SLOTS=2 KILLS=1"),
    "two readers, two frames, dropped": ("hold", "FRAMES=2 SLOTS=2 DROPS=1"),
    "two readers, two frames, demoted": ("hold", "FRAMES=2 SLOTS=2 DEMOTIONS=1"),
    "two readers, a frame, two killed": ("hold", "FRAMES=1 SLOTS=2 KILLS=2"),
    "two readers, a frame, two holds": ("hold", "FRAMES=1 HOLDS=2 SLOTS=3 KILLS=1"),
    "latest, depth 2, two killed": (
        "hold", "READERS=1 FRAMES=4 DEPTH=2 SLOTS=3 KILLS=2"),
    "lossless, four frames, killed": ("hold", "FIRST=1 FRAMES=4 SLOTS=2 KILLS=1"),
    "lossless, demoted, dropped, killed": (
        "hold", "FIRST=1 FRAMES=3 SLOTS=2 DEMOTIONS=1 DROPS=1 KILLS=1"),
    "spoiling, depth 2 beside depth 3": ("spoil", "DEPTH=2 COVER=3 BOUND=2"),
    "four formats, two killed": ("generation", "CHANGES=3 FRAMES=7 KILLS=2"),
}

# name: (the configuration that it is a mutant of, one more -D, what catches it)
MUTANTS = {
    "the reader does not check gen": (
        "latest, three frames, discards", "NO_CHECK", "EXCLUSIVE"),
    "gen is not made odd": ("latest, three frames, discards", "NO_ODD", "EXCLUSIVE"),
    "holds are looked at before gen is odd": (
        "latest, three frames, discards", "SCAN_FIRST", "EXCLUSIVE"),
    "gen is restored, then the slot filled": (
        "latest, three frames, discards", "RESTORE_FIRST", "EXCLUSIVE"),
    "the ring says which frame it is": (
        "latest, two holds", "RING_METADATA", "FAITHFUL"),
    "what is discarded keeps its sequence": (
        "latest, three frames, discards", "DISCARD_KEEPS_SEQUENCE", "FAITHFUL"),
    "the head before the frame": ("lossless, killed", "HEAD_FIRST", "HONEST"),
    "the cursor before the hold": ("lossless, killed", "CURSOR_FIRST", "HONEST"),
    "no floor until READY": ("lossless, killed", "NO_FLOOR", "HONEST"),
    "demoted without a word": ("lossless, demoted", "DEMOTE_SILENTLY", "HONEST"),
    "a lossless reader begins at the head": (
        "lossless, killed", "BEGIN_AT_HEAD", "COMPLETE"),
    "a sleeping reader does not look again": (
        "latest, three frames, discards", "NO_CHECK_ASLEEP_READER", "AWAKE"),
    "a sleeping writer does not look again": (
        "lossless, four frames", "NO_CHECK_ASLEEP_WRITER", "AWAKE"),
    "wakes before the head": ("latest, three frames, discards", "WAKE_FIRST", "AWAKE"),
    "who lets go looks for the ticket before": (
        "lossless, two holds", "NUDGE_FIRST", "AWAKE"),
    "a hold in vain goes untold": ("latest, keeps a frame", "IN_VAIN_UNTOLD", "AWAKE"),
    "one ticket for all waits": ("lossless, four frames", "ONE_TICKET", "AWAKE"),
    "holds of the dead are honoured": ("lossless, killed", "DEAD_HOLDS", "AWAKE"),
    "fewer spoils than can be, depth 1": ("spoiling, depth 1", "BOUND=0", "BOUNDED"),
    "fewer spoils than can be, depth 2": ("spoiling, depth 2", "BOUND=1", "BOUNDED"),
    "nothing is forgiven": ("spoiling, depth 1", "FORGIVEN=spoiled", "BOUNDED"),
    "two slots fewer than there are to be": ("spoiling, depth 1", "SLOTS=2", "FOUND"),
    "the next format before the last frames": (
        "three formats, killed", "ADVANCE_EARLY", "COMPLETE"),
    "a new format in the old memory": (
        "three formats, killed", "SAME_POOL", "EXCLUSIVE"),
    "formats change untold": ("three formats, killed", "NO_UNTOLD", "COMPLETE"),
}
