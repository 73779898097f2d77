/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideostats.h"

/* As many readers as a share ever has. */
#define MAX_READERS 128

void
gst_shm_video_stats_update (GstShmVideoStats * stats,
    struct shmvideo_writer *writer)
{
  shmvideo_writer_get_stats (writer, &stats->writer);
}

static GstStructure *
reader_to_structure (const struct shmvideo_reader_info *reader)
{
  return gst_structure_new ("reader",
      "id", G_TYPE_UINT64, reader->id,
      "pid", G_TYPE_INT, reader->pid,
      "uid", G_TYPE_UINT, reader->uid,
      "policy", G_TYPE_STRING,
      reader->policy == SHMVIDEO_LOSSLESS ? "lossless" : "latest",
      "received", G_TYPE_UINT, reader->received,
      "skipped", G_TYPE_UINT, reader->skipped,
      "held", G_TYPE_UINT, reader->holding,
      "copied", G_TYPE_UINT, reader->copied, NULL);
}

static void
add_readers (GstStructure * s, struct shmvideo_writer *writer)
{
  struct shmvideo_reader_info readers[MAX_READERS];
  guint n = 0;
  GValue list = G_VALUE_INIT;

  if (writer)
    n = shmvideo_writer_get_readers (writer, readers, MAX_READERS);
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < MIN (n, MAX_READERS); i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, reader_to_structure (&readers[i]));
    gst_value_list_append_and_take_value (&list, &value);
  }
  gst_structure_take_value (s, "readers", &list);
}

GstStructure *
gst_shm_video_stats_to_structure (const GstShmVideoStats * stats,
    struct shmvideo_writer *writer)
{
  GstStructure *s = gst_structure_new ("application/x-shmvideo-writer-stats",
      "frames", G_TYPE_UINT64, stats->writer.frames,
      "bytes", G_TYPE_UINT64, stats->writer.bytes,
      "copied", G_TYPE_UINT64, stats->copied,
      "zero-copy", G_TYPE_UINT64, stats->zero_copy,
      "dropped", G_TYPE_UINT64, stats->dropped,
      "refused", G_TYPE_UINT64, stats->writer.refused,
      "memory", G_TYPE_UINT64, stats->writer.memory,
      "slots-active", G_TYPE_UINT, stats->writer.slots_active,
      "slots-out", G_TYPE_UINT, stats->writer.slots_out, NULL);

  add_readers (s, writer);
  return s;
}
