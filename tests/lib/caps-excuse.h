/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Where GstCaps is wrong, or is not to be asked at all: the exceptions of
 * docs/caps.md, section 9, as narrow as they can be told. All of them are about
 * ranges.
 */

#ifndef CAPS_EXCUSE_H
#define CAPS_EXCUSE_H

#include <glib.h>
#include <string.h>

#include "caps-meet.h"

static const struct shmv_caps_value *
values_of(const struct shmv_caps *caps, const struct shmv_caps_field *field)
{
  return &caps->values[field->values.first];
}

static guint
n_ranges(const struct shmv_caps *caps, const struct shmv_caps_field *field)
{
  guint n = 0;
  for (guint i = 0; i < field->values.count; i++)
    n += values_of(caps, field)[i].range;
  return n;
}

/* Whether a list with ranges would be compared with another list or range, which
 * may end the process: GStreamer subtracts ranges of different steps with an
 * assertion, and takes all items of a list for what the first one is, though
 * some be ranges, and some not. */
static gboolean
would_crash(const struct shmv_caps *a, const struct shmv_caps *b)
{
  const struct shmv_caps *sets[] = {a, b};
  for (guint i = 0; i < a->n_fields.used; i++) {
    const struct shmv_caps_field *field = &a->fields[i];
    guint n = field->list ? n_ranges(a, field) : 0;
    if (n > 0 && n < field->values.count)
      return TRUE;
    for (guint s = 0; n > 0 && s < 2; s++)
      for (guint j = 0; j < sets[s]->n_fields.used; j++) {
        const struct shmv_caps_field *other = &sets[s]->fields[j];
        if (other != field && strcmp(field->name, other->name) == 0 &&
            (other->list || n_ranges(sets[s], other) > 0))
          return TRUE;
      }
  }
  return FALSE;
}

static gint64
gcd(gint64 a, gint64 b)
{
  return b == 0 ? a : gcd(b, a % b);
}

/* Whether GStreamer rounds the ends of what two ranges have in common wrongly:
 * below zero it rounds the wrong way, and its ints may overflow. */
static gboolean
is_rounded_wrongly(const struct shmv_caps_value *v,
                   const struct shmv_caps_value *w)
{
  if (v->type != SHMV_CAPS_INT || w->type != SHMV_CAPS_INT || !v->range ||
      !w->range)
    return FALSE;
  gint64 step = v->as.i.step / gcd(v->as.i.step, w->as.i.step) * w->as.i.step;
  gint64 min = MAX(v->as.i.min, w->as.i.min), max = MIN(v->as.i.max,
                                                        w->as.i.max);
  return (min < 0 && step > 1) || (max < 0 && max % step != 0) ||
         min + step - 1 > G_MAXINT32;
}

static gboolean
fields_are_rounded_wrongly(const struct shmv_caps *a, const struct shmv_caps *b)
{
  for (guint i = 0; i < a->n_fields.used; i++)
    for (guint j = 0; j < b->n_fields.used; j++) {
      const struct shmv_caps_field *f = &a->fields[i], *g = &b->fields[j];
      if (strcmp(f->name, g->name) != 0)
        continue;
      for (guint k = 0; k < f->values.count; k++)
        for (guint l = 0; l < g->values.count; l++)
          if (is_rounded_wrongly(&values_of(a, f)[k], &values_of(b, g)[l]))
            return TRUE;
    }
  return FALSE;
}

/* GStreamer takes [ 0, 8 ] for a part of [ 0, 8, 2 ]. */
static gboolean
has_finer_step(const struct shmv_caps_value *part,
               const struct shmv_caps_value *whole)
{
  return part->range && whole->range && part->type == SHMV_CAPS_INT &&
         whole->type == SHMV_CAPS_INT &&
         whole->as.i.step % part->as.i.step == 0 &&
         whole->as.i.step > part->as.i.step;
}

/* GStreamer does not take a list that leaves nothing of a range for a part of
 * it. Whether it does: each value after what is covered must be in the list. */
static gboolean
covers(const struct shmv_caps_value *items, guint n,
       const struct shmv_caps_value *range)
{
  if (range->type == SHMV_CAPS_INT) {
    gint64 next = range->as.i.min;
    for (gboolean found = TRUE; found && next <= range->as.i.max;) {
      found = FALSE;
      for (guint i = 0; !found && i < n; i++)
        if (items[i].as.i.min <= next && next <= items[i].as.i.max) {
          next = (gint64)items[i].as.i.max + range->as.i.step;
          found = TRUE;
        }
    }
    return next > range->as.i.max;
  }
  struct shmv_caps_fraction next = range->as.f.min;
  for (gboolean found = TRUE; found;) {
    found = FALSE;
    for (guint i = 0; !found && i < n; i++)
      if (shmv_caps_fraction_compare(items[i].as.f.min, next) <= 0 &&
          shmv_caps_fraction_compare(next, items[i].as.f.max) < 0) {
        next = items[i].as.f.max;
        found = TRUE;
      }
  }
  return shmv_caps_fraction_compare(next, range->as.f.max) >= 0;
}

/* Whether one of these is why one structure alone is part of the other alone,
 * or is not, in GStreamer's eyes. */
static gboolean
is_subset_excused(const struct shmv_caps *part, const struct shmv_caps *whole,
                  gboolean ours)
{
  const struct shmv_caps_structure *of_part = &part->structures[0];
  const struct shmv_caps_structure *of_whole = &whole->structures[0];
  for (guint i = 0; i < of_part->fields.count; i++) {
    const struct shmv_caps_field *f = &part->fields[of_part->fields.first + i];
    const struct shmv_caps_field *g =
        shmv_caps_get_field(whole, of_whole, f->name);
    if (g == NULL || g->list)
      continue;
    const struct shmv_caps_value *v = values_of(part, f);
    const struct shmv_caps_value *w = values_of(whole, g);
    if (!ours && !f->list && has_finer_step(v, w))
      return TRUE;
    if (ours && f->list && w->range && covers(v, f->values.count, w))
      return TRUE;
  }
  return FALSE;
}

#endif
