#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Make a folder of links to the GStreamer plugins that tests use.
#   link-plugins.sh SYSTEM-PLUGIN-DIR NEW-DIR
set -eu
from=$1 to=$2
mkdir -p "$to"
rm -f "$to"/*.so
for name in alpha app audioconvert audioresample audiotestsrc autodetect avi \
  compositor coreelements coretracers debug debugutilsbad deinterlace encoding \
  imagefreeze inter interlace isomp4 jpeg level libav matroska mpegtsdemux \
  mpegtsmux multifile navigationtest pbtypes playback png proxy rawparse shm \
  typefindfunctions video4linux2 videobox videoconvertscale videocrop \
  videofilter videoframe_audiolevel videomixer videoparsersbad videorate \
  unixfd videotestsrc vpx x264 xingmux y4mdec y4menc openh264; do
  [ ! -e "$from/libgst$name.so" ] || ln -s "$from/libgst$name.so" "$to/"
done
