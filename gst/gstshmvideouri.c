/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gstshmvideouri.h"

gchar *
gst_shm_video_uri_to_path (const gchar * uri, GError ** error)
{
  const gchar *rest;
  gchar *path = NULL;

  if (gst_uri_has_protocol (uri, GST_SHM_VIDEO_URI_SCHEME)) {
    rest = strchr (uri, ':') + 1;
    if (g_str_has_prefix (rest, "//"))
      rest += 2;
    else if (rest[0] == '/')
      rest = "";
    /* after "//" comes a path; a host name would promise too much */
    if (rest[0] != '\0' && (rest[0] == '/') == (rest[-1] == '/')
        && strpbrk (rest, "?#") == NULL)
      path = g_uri_unescape_string (rest, NULL);
  }
  if (path == NULL)
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "\"%s\" is not of the form shmvideo:///PATH or shmvideo:NAME", uri);
  return path;
}

gchar *
gst_shm_video_uri_from_path (const gchar * path)
{
  gchar *escaped, *uri;

  if (path == NULL)
    return NULL;
  escaped = g_uri_escape_string (path, "/", FALSE);
  uri = g_strconcat (GST_SHM_VIDEO_URI_SCHEME ":", path[0] == '/' ? "//" : "",
      escaped, NULL);
  g_free (escaped);
  return uri;
}

static GstURIType
get_type_src (GType type)
{
  (void) type;
  return GST_URI_SRC;
}

static const gchar *const *
get_protocols (GType type)
{
  static const gchar *protocols[] = { GST_SHM_VIDEO_URI_SCHEME, NULL };

  (void) type;
  return protocols;
}

static gchar *
get_uri (GstURIHandler * handler)
{
  gchar *path, *uri;

  g_object_get (handler, "socket-path", &path, NULL);
  uri = gst_shm_video_uri_from_path (path);
  g_free (path);
  return uri;
}

static gboolean
set_uri (GstURIHandler * handler, const gchar * uri, GError ** error)
{
  gchar *path = gst_shm_video_uri_to_path (uri, error);

  if (path != NULL)
    g_object_set (handler, "socket-path", path, NULL);
  g_free (path);
  return path != NULL;
}

void
gst_shm_video_uri_init_src (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  (void) data;
  handler->get_type = get_type_src;
  handler->get_protocols = get_protocols;
  handler->get_uri = get_uri;
  handler->set_uri = set_uri;
}
