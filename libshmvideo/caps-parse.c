/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The parser goes through the text once, from left to right, and never calls
 * itself: a list holds ranges and values, a range holds values, and that is all
 * the nesting there is. The grammar is in docs/caps.md; each function is one of
 * its rules and leaves off behind what it has read.
 */

#include "os.h"

#include "caps-set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caps-scan.h"
#include "caps.h"
#include "error.h"

/* "(" TYPE ")", if it is there; else *type stays. */
static int
parse_type(struct shmv_scan *in, enum shmv_caps_type *type)
{
  if (*in->at != '(')
    return 0;
  in->at++;
  shmv_scan_spaces(in);
  size_t length = shmv_scan_word(in);
  if (length == 0)
    return shmv_scan_fail(in, "expected a type");
  const char *start = in->at;
  *type = shmv_caps_type_from_name(shmv_scan_keep(in, length));
  if (*type == SHMV_CAPS_NO_TYPE)
    return shmv_scan_fail_at(in, start, "this type is not supported");
  shmv_scan_spaces(in);
  if (*in->at != ')')
    return shmv_scan_fail(in, "expected ')' after the type");
  in->at++;
  shmv_scan_spaces(in);
  return 0;
}

/* WORD | QUOTED */
static int
parse_scalar(struct shmv_scan *in, enum shmv_caps_type type,
             struct shmv_caps_value *value)
{
  const char *start = in->at, *why = NULL;
  int r;
  if (*in->at == '"') {
    ptrdiff_t length = shmv_scan_quoted(in);
    if (length < 0)
      return shmv_scan_fail(in, "this quote is not closed");
    in->at++;
    char *inside = shmv_scan_keep(in, (size_t)length);
    in->at++;
    r = shmv_caps_value_from_quoted(value, type, inside, &why);
  } else {
    size_t length = shmv_scan_word(in);
    if (length == 0)
      return shmv_scan_fail(in, "expected a value");
    const char *word = shmv_scan_keep(in, length);
    r = shmv_caps_value_from_word(value, type, word, &why);
  }
  if (r == -ENOMEM)
    return shmv_scan_no_memory(in);
  return r < 0 ? shmv_scan_fail_at(in, start, why) : 0;
}

/* "[" [ TYPE ] SCALAR "," [ TYPE ] SCALAR [ "," [ TYPE ] SCALAR ] "]" */
static int
parse_range(struct shmv_scan *in, enum shmv_caps_type type,
            struct shmv_caps_value *value)
{
  struct shmv_caps_value part[3];
  const char *start = in->at, *why;
  int n = 0;
  do {
    if (n == 3)
      return shmv_scan_fail(in, "expected ']' after a range's step");
    in->at++;
    shmv_scan_spaces(in);
    enum shmv_caps_type own_type = type;
    int r = parse_type(in, &own_type);
    if (r == 0)
      r = parse_scalar(in, own_type, &part[n++]);
    if (r < 0)
      return r;
    shmv_scan_spaces(in);
  } while (*in->at == ',');
  if (n < 2)
    return shmv_scan_fail(in, "expected ',' in a range");
  if (*in->at != ']')
    return shmv_scan_fail(in, "expected ']' or a step");
  in->at++;
  if (shmv_caps_value_make_range(value, &part[0], &part[1],
                                 n == 3 ? &part[2] : NULL, &why) < 0)
    return shmv_scan_fail_at(in, start, why);
  return 0;
}

/* RANGE | SCALAR, added to the set's values */
static int
parse_item(struct shmv_scan *in, enum shmv_caps_type type)
{
  struct shmv_caps_value value;
  if (*in->at == '{')
    return shmv_scan_fail(in, "a list within a list is not supported");
  if (*in->at == '<')
    return shmv_scan_fail(in, "arrays are not supported");
  int r = *in->at == '[' ? parse_range(in, type, &value)
                         : parse_scalar(in, type, &value);
  if (r < 0)
    return r;
  struct shmv_caps_value *added = shmv_caps_add_value(in->caps);
  if (added == NULL)
    return shmv_scan_no_memory(in);
  *added = value;
  return 0;
}

/* [ TYPE ] ( "{" [ TYPE ] ITEM { "," [ TYPE ] ITEM } "}" | ITEM ) */
static int
parse_value(struct shmv_scan *in, bool *out_list)
{
  enum shmv_caps_type type = SHMV_CAPS_GUESS;
  int r = parse_type(in, &type);
  if (r < 0)
    return r;
  uint32_t first = in->caps->n_values.used;
  *out_list = *in->at == '{';
  if (!*out_list)
    return parse_item(in, type);
  do {
    in->at++;
    shmv_scan_spaces(in);
    const char *start = in->at;
    enum shmv_caps_type own_type = type;
    r = parse_type(in, &own_type);
    if (r == 0)
      r = parse_item(in, own_type);
    if (r < 0)
      return r;
    const struct shmv_caps_value *values = in->caps->values;
    if (values[in->caps->n_values.used - 1].type != values[first].type)
      return shmv_scan_fail_at(in, start, "a list has values of one type only");
    shmv_scan_spaces(in);
  } while (*in->at == ',');
  if (*in->at != '}')
    return shmv_scan_fail(in, "expected ',' or '}' in a list");
  in->at++;
  return 0;
}

/* NAME "=" VALUE, added to the structure that was added last */
static int
parse_field(struct shmv_scan *in)
{
  struct shmv_caps *caps = in->caps;
  struct shmv_caps_structure *structure =
      &caps->structures[caps->n_structures.used - 1];
  size_t length = shmv_scan_word(in);
  if (length == 0)
    return shmv_scan_fail(in, "expected the name of a field");
  if (structure->fields.count == SHMV_CAPS_MAX_FIELDS)
    return shmv_scan_fail(in, "more than 64 fields");
  const char *start = in->at, *name = shmv_scan_keep(in, length);
  if (shmv_caps_get_field(caps, structure, name) != NULL)
    return shmv_scan_fail_at(in, start, "this field was there before");
  shmv_scan_spaces(in);
  if (*in->at != '=')
    return shmv_scan_fail(in, "expected '=' after the name of a field");
  in->at++;
  shmv_scan_spaces(in);
  struct shmv_caps_field field = {.name = name};
  field.values.first = caps->n_values.used;
  int r = parse_value(in, &field.list);
  if (r < 0)
    return r;
  field.values.count = caps->n_values.used - field.values.first;
  struct shmv_caps_field *added = shmv_caps_add_field(caps);
  if (added == NULL)
    return shmv_scan_no_memory(in);
  *added = field;
  structure->fields.count++;
  return 0;
}

/* { "," FIELD } [ "," ] ( ";" | end ) */
static int
parse_fields(struct shmv_scan *in)
{
  for (;;) {
    shmv_scan_spaces(in);
    if (*in->at == ',') {
      in->at++;
      shmv_scan_spaces(in);
      if (*in->at != ';' && *in->at != '\0') {
        int r = parse_field(in);
        if (r < 0)
          return r;
        continue;
      }
    }
    if (*in->at == '\0')
      return 0;
    if (*in->at != ';')
      return shmv_scan_fail(in, "expected ',' or ';'");
    in->at++;
    return 0;
  }
}

/* LETTERS ":" LETTER LETTERS-OR-DIGITS, added to the structure's features */
static int
parse_feature(struct shmv_scan *in, struct shmv_caps_structure *structure)
{
  const char *colon = in->at;
  while (shmv_scan_is_letter(*colon))
    colon++;
  const char *end = colon + (*colon == ':');
  while (shmv_scan_is_letter(*end) || (*end >= '0' && *end <= '9'))
    end++;
  if (colon == in->at || *colon != ':' || !shmv_scan_is_letter(colon[1]))
    return shmv_scan_fail(in, "expected a feature such as memory:DMABuf");
  if (structure->features.count == SHMV_CAPS_MAX_FEATURES)
    return shmv_scan_fail(in, "more than 16 features");
  const char *feature = shmv_scan_keep(in, (size_t)(end - in->at));
  if (shmv_caps_has_feature(in->caps, structure, feature))
    return 0;
  const char **added = shmv_caps_add_feature(in->caps);
  if (added == NULL)
    return shmv_scan_no_memory(in);
  *added = feature;
  structure->features.count++;
  return 0;
}

/* [ "(" [ "ANY" | FEATURE { "," FEATURE } ] ")" ] */
static int
parse_features(struct shmv_scan *in, struct shmv_caps_structure *structure)
{
  static const char any[] = "(ANY)";
  if (*in->at != '(')
    return 0;
  if (strncmp(in->at, any, sizeof any - 1) == 0) {
    structure->any_features = true;
    in->at += sizeof any - 1;
    return 0;
  }
  if (in->at[1] == ')') {
    in->at += 2;
    return 0;
  }
  do {
    in->at++;
    in->at += strspn(in->at, " ");
    int r = parse_feature(in, structure);
    if (r < 0)
      return r;
  } while (*in->at == ',');
  if (*in->at != ')')
    return shmv_scan_fail(in, "expected ',' or ')' after a feature");
  in->at++;
  /* Alone, this one says what no features say. */
  if (structure->features.count == 1 &&
      shmv_caps_has_feature(in->caps, structure, "memory:SystemMemory"))
    structure->features.count = 0;
  return 0;
}

/* MEDIA FEATURES FIELDS */
static int
parse_structure(struct shmv_scan *in)
{
  size_t length = shmv_scan_word(in);
  const char *slash = memchr(in->at, '/', length);
  if (!shmv_scan_is_letter(*in->at) || slash == NULL)
    return shmv_scan_fail(in, "expected a media type such as video/x-raw");
  struct shmv_caps_structure *structure = shmv_caps_add_structure(in->caps);
  if (structure == NULL)
    return shmv_scan_no_memory(in);
  structure->media = shmv_scan_keep(in, length);
  structure->features.first = in->caps->n_features.used;
  structure->fields.first = in->caps->n_fields.used;
  int r = parse_features(in, structure);
  return r < 0 ? r : parse_fields(in);
}

static int
parse_text(struct shmv_scan *in)
{
  if (strcmp(in->at, "ANY") == 0) {
    in->caps->any = true;
    return 0;
  }
  if (strcmp(in->at, "EMPTY") == 0 || strcmp(in->at, "NONE") == 0)
    return 0;
  shmv_scan_spaces(in);
  do {
    int r = parse_structure(in);
    if (r < 0)
      return r;
    shmv_scan_spaces(in);
  } while (*in->at != '\0');
  return 0;
}

int
shmv_caps_parse(struct shmv_caps *caps, const char *text,
                struct shmvideo_error *error)
{
  struct shmv_scan in = {caps, text, text, error};
  *caps = (struct shmv_caps){0};
  if (text == NULL)
    return shmv_error_set(error, -EINVAL, 0, NULL, "there is no caps text");
  size_t length = strnlen(text, SHMV_CAPS_MAX + 1);
  if (length > SHMV_CAPS_MAX)
    return shmv_error_set(error, -E2BIG, 0, NULL,
                          "caps text is longer than %d bytes", SHMV_CAPS_MAX);
  caps->strings = malloc(length + 1);
  int r = caps->strings != NULL ? parse_text(&in) : shmv_scan_no_memory(&in);
  if (r < 0)
    shmv_caps_clear(caps);
  return r;
}
