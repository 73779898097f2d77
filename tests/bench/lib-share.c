/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/* bench-lib: a writer and readers of it. */

#include "lib.h"

#include <stdlib.h>
#include <unistd.h>

const char *
lib_path(void)
{
  static char path[100];
  const char *folder = getenv("XDG_RUNTIME_DIR");
  if (path[0] == '\0')
    snprintf(path, sizeof path, "%.70s/bench-lib-%d",
             folder != NULL ? folder : "/tmp", (int)getpid());
  return path;
}

struct shmvideo_writer *
lib_writer(const char *name, uint32_t width, uint32_t height)
{
  struct shmvideo_writer_config config = SHMVIDEO_WRITER_CONFIG_INIT;
  struct shmvideo_format format = {
      .pixel_format = shmvideo_pixel_format_from_name(name),
      .width = width, .height = height, .fps_n = 60, .fps_d = 1};
  struct shmvideo_error error = {0};
  struct shmvideo_writer *writer = NULL;
  config.path = lib_path();
  lib_need(shmvideo_writer_new(&config, &error, &writer) == 0, error.message);
  lib_need(shmvideo_format_set_default_layout(&format) == 0, "no such format");
  lib_need(shmvideo_writer_set_format(writer, &format, NULL, &error) == 0,
           error.message);
  return writer;
}

struct shmvideo_writer *
lib_usual_writer(const char *format, const struct lib_options *options)
{
  return options->small ? lib_writer(format, 320, 240)
                        : lib_writer(format, 1920, 1080);
}

struct shmvideo_reader *
lib_reader(enum shmvideo_policy policy, uint32_t depth)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  struct shmvideo_error error = {0};
  struct shmvideo_reader *reader = NULL;
  config.path = lib_path();
  config.policy = policy;
  config.depth = depth;
  lib_need(shmvideo_reader_new(&config, &error, &reader) == 0, error.message);
  return reader;
}

int
lib_show(struct shmvideo_writer *writer)
{
  struct shmvideo_slot *slot;
  if (shmvideo_writer_acquire(writer, &slot) != 1)
    return 0;
  lib_need(shmvideo_writer_publish(writer, slot, NULL) == 0, "publish");
  return 1;
}

void
lib_connect(struct shmvideo_writer *writer, struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame;
  int code = SHMVIDEO_AGAIN;
  for (int i = 0; i < 10000 && code != SHMVIDEO_FRAME; i++) {
    lib_need(shmvideo_writer_dispatch(writer) >= 0, "writer dispatch");
    lib_show(writer);
    lib_need(shmvideo_reader_dispatch(reader) >= 0, "reader dispatch");
    code = shmvideo_reader_acquire(reader, &frame);
    lib_need(code >= 0, "the reader cannot connect");
  }
  lib_need(code == SHMVIDEO_FRAME, "no frame came to the reader");
  shmvideo_frame_release(frame);
  /* What it says meanwhile, and the memory that the writer gives for its sake. */
  for (int i = 0; i < 200; i++) {
    shmvideo_writer_dispatch(writer);
    lib_show(writer);
  }
}

const struct shmvideo_frame *
lib_take(struct shmvideo_reader *reader)
{
  const struct shmvideo_frame *frame = NULL;
  for (;;) {
    int code = shmvideo_reader_acquire(reader, &frame);
    if (code == SHMVIDEO_FRAME)
      return frame;
    lib_need(code >= 0 && code != SHMVIDEO_LOST && code != SHMVIDEO_END,
             "the reader gets no frames");
    if (code == SHMVIDEO_AGAIN)
      lib_need(shmvideo_reader_wait(reader, UINT64_C(20000000000), -1) == 1,
               "no frame in 20 seconds");
  }
}
