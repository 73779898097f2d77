/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideoerror.h"

#include <errno.h>

/* Where OPEN is said, a sink opens for reading and writing, a source to read. */
enum
{
  OPEN = -1
};

static const struct
{
  int code;
  gboolean stream;
  int gst_code;
} meanings[] = {
  {-EADDRINUSE, FALSE, GST_RESOURCE_ERROR_BUSY},
  {-EPROTOTYPE, FALSE, GST_RESOURCE_ERROR_BUSY},
  {-EBUSY, FALSE, GST_RESOURCE_ERROR_BUSY},
  {-ENOENT, FALSE, GST_RESOURCE_ERROR_NOT_FOUND},
  {-ENOTDIR, FALSE, GST_RESOURCE_ERROR_NOT_FOUND},
  {-ECONNREFUSED, FALSE, GST_RESOURCE_ERROR_NOT_FOUND},
  {-ETIMEDOUT, FALSE, GST_RESOURCE_ERROR_NOT_FOUND},
  {-EPIPE, FALSE, GST_RESOURCE_ERROR_NOT_FOUND},
  {-EEXIST, FALSE, OPEN},
  {-ENOTSOCK, FALSE, OPEN},
  {-EACCES, FALSE, OPEN},
  {-EPERM, FALSE, OPEN},
  {-EROFS, FALSE, OPEN},
  {-ELOOP, FALSE, OPEN},
  {-EPROTO, FALSE, OPEN},
  {-EBADMSG, FALSE, OPEN},
  {-EXFULL, FALSE, OPEN},
  {-EPROTONOSUPPORT, FALSE, OPEN},
  {-ENOMEM, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-ENOBUFS, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-ENOSPC, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-EDQUOT, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-E2BIG, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-EMFILE, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-ENFILE, FALSE, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
  {-EINVAL, FALSE, GST_RESOURCE_ERROR_SETTINGS},
  {-ENAMETOOLONG, FALSE, GST_RESOURCE_ERROR_SETTINGS},
  {-EMEDIUMTYPE, TRUE, GST_STREAM_ERROR_FORMAT},
  {-EOVERFLOW, TRUE, GST_STREAM_ERROR_FORMAT},
};

static void
find_meaning (GstElement * element, int code, GQuark * domain, int *gst_code)
{
  *domain = GST_RESOURCE_ERROR;
  *gst_code = GST_RESOURCE_ERROR_FAILED;
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++) {
    if (meanings[i].code == code) {
      if (meanings[i].stream)
        *domain = GST_STREAM_ERROR;
      *gst_code = meanings[i].gst_code;
    }
  }
  if (*gst_code == OPEN)
    *gst_code = GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SINK)
        ? GST_RESOURCE_ERROR_OPEN_READ_WRITE : GST_RESOURCE_ERROR_OPEN_READ;
}

void
gst_shm_video_post_error (GstElement * element,
    const struct shmvideo_error *error)
{
  GQuark domain;
  int gst_code;
  gchar *path = NULL;
  gchar *text, *debug;
  GstStructure *details;

  find_meaning (element, error->code, &domain, &gst_code);

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element),
          "socket-path"))
    g_object_get (element, "socket-path", &path, NULL);
  details = gst_structure_new ("details", "errno", G_TYPE_INT, -error->code,
      NULL);
  if (path)
    gst_structure_set (details, "socket-path", G_TYPE_STRING, path, NULL);
  if (error->pid > 0)
    gst_structure_set (details, "pid", G_TYPE_INT, error->pid, NULL);

  if (error->advice[0])
    text = g_strdup_printf ("%s (%s)", error->message, error->advice);
  else
    text = g_strdup (error->message);
  debug = g_strdup_printf ("%s (errno %d)", shmvideo_strerror (error->code),
      -error->code);

  gst_element_message_full_with_details (element, GST_MESSAGE_ERROR, domain,
      gst_code, text, debug, __FILE__, GST_FUNCTION, __LINE__, details);
  g_free (path);
}

static GstDebugCategory *
library_category (void)
{
  static gsize category = 0;

  if (g_once_init_enter (&category)) {
    GstDebugCategory *new_category = NULL;

    GST_DEBUG_CATEGORY_INIT (new_category, "shmvideo", 0, "shmvideo library");
    g_once_init_leave (&category, (gsize) new_category);
  }
  return (GstDebugCategory *) category;
}

void
gst_shm_video_log (void *user, enum shmvideo_log_level level, const char *line)
{
  static const GstDebugLevel levels[] = {
    [SHMVIDEO_LOG_ERROR] = GST_LEVEL_ERROR,
    [SHMVIDEO_LOG_WARNING] = GST_LEVEL_WARNING,
    [SHMVIDEO_LOG_INFO] = GST_LEVEL_INFO,
    [SHMVIDEO_LOG_DEBUG] = GST_LEVEL_DEBUG,
  };
  guint index = CLAMP ((guint) level, SHMVIDEO_LOG_ERROR, SHMVIDEO_LOG_DEBUG);

  GST_CAT_LEVEL_LOG (library_category (), levels[index], user, "%s", line);
}
