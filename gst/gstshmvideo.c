/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The plugin
 *
 * Owns the list of what it registers, and nothing else.
 */

#include "gstshmvideosink.h"
#include "gstshmvideosrc.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gboolean ok = FALSE;

  ok |= GST_ELEMENT_REGISTER (shmvideosink, plugin);
  ok |= GST_ELEMENT_REGISTER (shmvideosrc, plugin);
  return ok;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, shmvideo,
    "Share raw video between programs without copying it", plugin_init,
    VERSION, "LGPL", PACKAGE, "Unknown package origin")
