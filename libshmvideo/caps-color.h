/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Colours in caps
 *
 * Owns the words and numbers of the fields colorimetry and chroma-site. One
 * rule: a format has the code points of ITU-T H.273, a text has GStreamer's own
 * numbers, and what one of them cannot express is "unspecified". Pure.
 */

#ifndef SHMV_CAPS_COLOR_H
#define SHMV_CAPS_COLOR_H

#include "shmvideo.h"

/* Enough for "255:255:255:255". */
#define SHMV_COLOR_TEXT_MAX 32

/* Set the four colour fields from a text such as "bt709" or "2:3:5:1". What is
 * not said (text NULL), or a text of no meaning, leaves them unspecified. */
void shmv_color_from_text(struct shmvideo_format *format, const char *text);

/* The text for the four colour fields: empty if they say nothing. */
void shmv_color_to_text(const struct shmvideo_format *format,
                        char text[SHMV_COLOR_TEXT_MAX]);

/* enum shmvideo_chroma_site bits of a text; 0 if it has no meaning. */
uint32_t shmv_chroma_site_from_text(const char *text);

/* The text for those bits, or NULL if they are unknown or have none. */
const char *shmv_chroma_site_to_text(uint32_t chroma_site);

#endif
