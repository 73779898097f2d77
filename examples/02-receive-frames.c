/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Receive frames: wait for a writer, say what it sends, count its frames, and
 * keep the last one as a picture if asked (and if it is RGB, RGBx or RGBA).
 *
 *     gst-launch-1.0 videotestsrc ! video/x-raw,format=RGBA \
 *       ! shmvideosink socket-path=PATH
 *     02-receive-frames PATH [FRAMES [PICTURE.ppm]]
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "shmvideo.h"

static int
write_picture(const struct shmvideo_frame *frame, const char *file_name)
{
  const struct shmvideo_format *format = frame->format;
  size_t pixel = format->pixel_format == SHMVIDEO_FORMAT_RGB ? 3 : 4;
  if (pixel == 4 && format->pixel_format != SHMVIDEO_FORMAT_RGBA &&
      format->pixel_format != SHMVIDEO_FORMAT_RGBx)
    return errno = ENOTSUP, -1;
  FILE *file = fopen(file_name, "wb");
  if (file == NULL)
    return -1;
  fprintf(file, "P6\n%u %u\n255\n", format->width, format->height);
  for (uint32_t y = 0; y < format->height; y++) {
    const uint8_t *row = frame->data + frame->plane_offset[0] +
                         (size_t)y * frame->stride[0];
    for (uint32_t x = 0; x < format->width; x++)
      fwrite(row + x * pixel, 1, 3, file);
  }
  return fclose(file);
}

static void
print_format(struct shmvideo_reader *reader)
{
  char caps[512] = "";
  struct shmvideo_format format;
  shmvideo_reader_get_format(reader, &format, caps, sizeof caps);
  printf("format %s\n", caps);
  fflush(stdout);
}

/* Take what is there, without waiting. The last frame stays in *last. */
static int
take_frames(struct shmvideo_reader *reader, const struct shmvideo_frame **last,
            unsigned long *n, unsigned long wanted)
{
  const struct shmvideo_frame *frame;
  int code = SHMVIDEO_FRAME;
  while (*n < wanted && code > 0 && code != SHMVIDEO_END) {
    code = shmvideo_reader_acquire(reader, &frame);
    if (code == SHMVIDEO_NEW_FORMAT)
      print_format(reader);
    if (code == SHMVIDEO_LOST)
      puts("writer gone: waiting for the next");
    if (code == SHMVIDEO_FRAME) {
      shmvideo_frame_release(*last);
      *last = frame;
      *n += 1;
    }
  }
  return code;
}

int
main(int argc, char **argv)
{
  struct shmvideo_reader_config config = SHMVIDEO_READER_CONFIG_INIT;
  config.path = argc > 1 ? argv[1] : "bars";
  unsigned long wanted = argc > 2 ? strtoul(argv[2], NULL, 10) : 100, n = 0;
  struct shmvideo_error error;
  struct shmvideo_reader *reader;
  int code = shmvideo_reader_new(&config, &error, &reader);
  if (code < 0)
    return fprintf(stderr, "%s. %s\n", error.message, error.advice), 1;

  const struct shmvideo_frame *last = NULL;
  while (n < wanted && code >= 0 && code != SHMVIDEO_END) {
    code = shmvideo_reader_wait(reader, SHMVIDEO_TIME_NONE, -1);
    if (code >= 0)
      code = take_frames(reader, &last, &n, wanted);
  }
  if (code < 0 && shmvideo_reader_get_error(reader, &error) == 0)
    fprintf(stderr, "%s. %s\n", error.message, error.advice);
  printf("%lu frames\n", n);
  if (last != NULL && argc > 3 && write_picture(last, argv[3]) != 0)
    code = (perror(argv[3]), -1);
  shmvideo_frame_release(last);
  shmvideo_reader_free(reader);
  return code < 0;
}
