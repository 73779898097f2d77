/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Each field has its type in front, so that no word is left to be guessed, and
 * a string that is not a word is quoted.
 */

#include "os.h"

#include "caps-print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the text goes; length counts on when it is full. */
struct sink {
  char *text;
  size_t size, length;
};

static void
put_char(struct sink *out, char c)
{
  if (out->length < out->size)
    out->text[out->length] = c;
  out->length++;
}

static void
put_string(struct sink *out, const char *string)
{
  for (; *string != '\0'; string++)
    put_char(out, *string);
}

static void __attribute__((format(printf, 2, 3)))
put(struct sink *out, const char *format, ...)
{
  char part[64]; /* numbers only */
  va_list args;
  va_start(args, format);
  vsnprintf(part, sizeof part, format, args);
  va_end(args);
  put_string(out, part);
}

/* With as many digits as it takes to read the same number back. */
static void
put_double(struct sink *out, double number)
{
  char part[64];
  bool point = false;
  snprintf(part, sizeof part, "%.17g", number);
  /* What is no digit, sign or exponent is the locale's decimal point. */
  for (const char *c = part; *c != '\0'; c++) {
    bool usual = strchr("0123456789+-e", *c) != NULL;
    if (usual || !point)
      put_char(out, usual ? *c : '.');
    point = point || !usual;
  }
}

/* As it is if it is a word, else between quotes. */
static void
put_text(struct sink *out, const char *string)
{
  static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-+/:.";
  if (*string != '\0' && string[strspn(string, word)] == '\0' &&
      strcmp(string, "NULL") != 0) {
    put_string(out, string);
    return;
  }
  put_char(out, '"');
  for (; *string != '\0'; string++) {
    if (*string < ' ' || *string > '~') {
      put(out, "\\%03o", (unsigned char)*string);
      continue;
    }
    if (strchr(word, *string) == NULL)
      put_char(out, '\\');
    put_char(out, *string);
  }
  put_char(out, '"');
}

static void
put_int(struct sink *out, const struct shmv_caps_value *value)
{
  if (!value->range)
    put(out, "%" PRId32, value->as.i.min);
  else if (value->as.i.step == 1)
    put(out, "[ %" PRId32 ", %" PRId32 " ]", value->as.i.min, value->as.i.max);
  else
    put(out, "[ %" PRId32 ", %" PRId32 ", %" PRId32 " ]", value->as.i.min,
        value->as.i.max, value->as.i.step);
}

static void
put_fraction(struct sink *out, const struct shmv_caps_value *value)
{
  const struct shmv_caps_fraction min = value->as.f.min, max = value->as.f.max;
  put(out, "%s%" PRId32 "/%" PRId32, value->range ? "[ " : "", min.n, min.d);
  if (value->range)
    put(out, ", %" PRId32 "/%" PRId32 " ]", max.n, max.d);
}

static void
put_value(struct sink *out, const struct shmv_caps_value *value)
{
  switch (value->type) {
  case SHMV_CAPS_INT:
    put_int(out, value);
    break;
  case SHMV_CAPS_UINT:
    put(out, "%" PRIu32, value->as.uint);
    break;
  case SHMV_CAPS_DOUBLE:
    put_double(out, value->as.number);
    break;
  case SHMV_CAPS_FRACTION:
    put_fraction(out, value);
    break;
  case SHMV_CAPS_BOOLEAN:
    put_string(out, value->as.boolean ? "true" : "false");
    break;
  case SHMV_CAPS_STRING:
    put_text(out, value->as.string);
    break;
  case SHMV_CAPS_BITMASK:
    put(out, "0x%016" PRIx64, value->as.bitmask);
    break;
  case SHMV_CAPS_FLAGSET:
    put(out, "%" PRIx32 ":%" PRIx32, value->as.flagset.flags,
        value->as.flagset.mask);
    break;
  case SHMV_CAPS_GUESS:
  case SHMV_CAPS_NO_TYPE:
    break;
  }
}

static void
put_values(struct sink *out, const struct shmv_caps *caps,
           const struct shmv_caps_field *field)
{
  if (field->list)
    put_string(out, "{ ");
  for (uint32_t i = 0; i < field->values.count; i++) {
    if (i > 0)
      put_string(out, ", ");
    put_value(out, &caps->values[field->values.first + i]);
  }
  if (field->list)
    put_string(out, " }");
}

static void
put_field(struct sink *out, const struct shmv_caps *caps,
          const struct shmv_caps_field *field)
{
  static const char *const types[SHMV_CAPS_NO_TYPE + 1] = {
      [SHMV_CAPS_INT] = "int",           [SHMV_CAPS_UINT] = "uint",
      [SHMV_CAPS_DOUBLE] = "double",     [SHMV_CAPS_FRACTION] = "fraction",
      [SHMV_CAPS_BOOLEAN] = "boolean",   [SHMV_CAPS_STRING] = "string",
      [SHMV_CAPS_BITMASK] = "bitmask",   [SHMV_CAPS_FLAGSET] = "flagset",
  };
  const struct shmv_caps_value *values = &caps->values[field->values.first];
  put_string(out, ", ");
  put_string(out, field->name);
  put_string(out, "=(");
  put_string(out, types[values[0].type]);
  put_char(out, ')');
  put_values(out, caps, field);
}

static void
put_structure(struct sink *out, const struct shmv_caps *caps,
              const struct shmv_caps_structure *structure)
{
  put_string(out, structure->media);
  if (structure->any_features)
    put_string(out, "(ANY)");
  for (uint32_t i = 0; i < structure->features.count; i++) {
    put_string(out, i == 0 ? "(" : ", ");
    put_string(out, caps->features[structure->features.first + i]);
  }
  if (structure->features.count > 0)
    put_char(out, ')');
  for (uint32_t i = 0; i < structure->fields.count; i++)
    put_field(out, caps, &caps->fields[structure->fields.first + i]);
}

/* The final NUL; the length, or -ENOSPC. */
static int
finish(struct sink *out)
{
  bool fits = out->length < out->size;
  size_t size = out->size;
  put_char(out, '\0');
  if (!fits && size > 0)
    out->text[size - 1] = '\0';
  return fits ? (int)(out->length - 1) : -ENOSPC;
}

int
shmv_caps_print_values(const struct shmv_caps *caps,
                       const struct shmv_caps_field *field, char *text,
                       size_t text_size)
{
  struct sink out = {text, text_size, 0};
  put_values(&out, caps, field);
  return finish(&out);
}

int
shmv_caps_print(const struct shmv_caps *caps, char *text, size_t text_size)
{
  struct sink out = {text, text_size, 0};
  if (caps->any)
    put_string(&out, "ANY");
  else if (caps->n_structures.used == 0)
    put_string(&out, "EMPTY");
  for (uint32_t i = 0; i < caps->n_structures.used; i++) {
    if (i > 0)
      put_string(&out, "; ");
    put_structure(&out, caps, &caps->structures[i]);
  }
  return finish(&out);
}
