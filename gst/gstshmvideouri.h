/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * URIs
 *
 * Owns the two forms of a share's URI: shmvideo:///run/cam for a path,
 * shmvideo:cam for a bare name. One rule: a URI and the path it came from turn
 * into each other without loss. Pure.
 */

#ifndef GST_SHM_VIDEO_URI_H
#define GST_SHM_VIDEO_URI_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_SHM_VIDEO_URI_SCHEME "shmvideo"

/* Socket path of a URI, or NULL and a GST_URI_ERROR_BAD_URI. */
gchar *gst_shm_video_uri_to_path (const gchar * uri, GError ** error);

/* URI of a socket path; NULL for NULL. */
gchar *gst_shm_video_uri_from_path (const gchar * path);

/* Interface initialiser for a source whose property "socket-path" is the path. */
void gst_shm_video_uri_init_src (gpointer iface, gpointer data);

G_END_DECLS

#endif
