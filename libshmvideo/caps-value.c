/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * What a word means without a type is found as GStreamer finds it: by trying
 * each type in turn. Quotes and ranges are built on words.
 */

#include "os.h"

#include "caps-value.h"

#include <errno.h>
#include <string.h>

#define N_GUESSES (sizeof guesses / sizeof guesses[0])

/* What a word without a type is tried as, in this order. */
static const enum shmv_caps_type guesses[] = {
    SHMV_CAPS_INT,     SHMV_CAPS_DOUBLE,  SHMV_CAPS_FRACTION,
    SHMV_CAPS_FLAGSET, SHMV_CAPS_BOOLEAN, SHMV_CAPS_STRING};

enum shmv_caps_type
shmv_caps_type_from_name(const char *name)
{
  static const struct {
    const char *name;
    enum shmv_caps_type type;
  } names[] = {
      {"int", SHMV_CAPS_INT},           {"i", SHMV_CAPS_INT},
      {"uint", SHMV_CAPS_UINT},         {"u", SHMV_CAPS_UINT},
      {"double", SHMV_CAPS_DOUBLE},     {"d", SHMV_CAPS_DOUBLE},
      {"fraction", SHMV_CAPS_FRACTION}, {"boolean", SHMV_CAPS_BOOLEAN},
      {"bool", SHMV_CAPS_BOOLEAN},      {"b", SHMV_CAPS_BOOLEAN},
      {"string", SHMV_CAPS_STRING},     {"str", SHMV_CAPS_STRING},
      {"s", SHMV_CAPS_STRING},          {"bitmask", SHMV_CAPS_BITMASK},
      {"flagset", SHMV_CAPS_FLAGSET},   {"GstFlagSet", SHMV_CAPS_FLAGSET},
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(names[i].name, name) == 0)
      return names[i].type;
  /* GStreamer names a flag set's type after its flags. */
  static const char suffix[] = "FlagsSet";
  size_t length = strlen(name), tail = sizeof suffix - 1;
  if (length > tail && strcmp(name + length - tail, suffix) == 0)
    return SHMV_CAPS_FLAGSET;
  return SHMV_CAPS_NO_TYPE;
}

/* Why a word is refused: it is nothing of the type, or it is unusable. */
static const char *
why_not(enum shmv_caps_type type, bool unusable)
{
  static const char *const reasons[SHMV_CAPS_NO_TYPE + 1][2] = {
      [SHMV_CAPS_INT] = {"is not an integer", "does not fit into 32 bits"},
      [SHMV_CAPS_UINT] = {"is not an integer",
                          "does not fit into 32 bits without a sign"},
      [SHMV_CAPS_DOUBLE] = {"is not a number",
                            "is not a finite decimal number"},
      [SHMV_CAPS_FRACTION] = {"is not a fraction such as 30/1",
                              "is a fraction over 0 or beyond 32 bits"},
      [SHMV_CAPS_BOOLEAN] = {"is not true or false", NULL},
      [SHMV_CAPS_STRING] = {NULL, "is no string; quote it if it is a word"},
      [SHMV_CAPS_BITMASK] = {"is not a bitmask such as 0x3",
                             "has more than 16 hexadecimal digits"},
      [SHMV_CAPS_FLAGSET] = {"is not a flag set such as 0:ffffffff",
                             "may be read as a flag set; quote it and write "
                             "(string), or write it as 0:ffffffff"},
  };
  const char *reason = reasons[type][unusable];
  return reason != NULL ? reason : "is no value";
}

int
shmv_caps_value_from_word(struct shmv_caps_value *value,
                          enum shmv_caps_type type, const char *word,
                          const char **why)
{
  int error = -EINVAL;
  enum shmv_caps_reading reading = SHMV_CAPS_NOT_ONE;
  if (type != SHMV_CAPS_GUESS)
    reading = shmv_caps_word_read(value, type, word, true, &error);
  else
    for (size_t i = 0; reading == SHMV_CAPS_NOT_ONE && i < N_GUESSES; i++) {
      type = guesses[i];
      reading = shmv_caps_word_read(value, type, word, false, &error);
    }
  if (reading == SHMV_CAPS_IS_ONE)
    return 0;
  *why = why_not(type, reading == SHMV_CAPS_UNUSABLE);
  return error;
}

/* Three octal digits behind a backslash are a byte, anything else is itself. */
static const char *
unescape(char *inside)
{
  char *to = inside;
  for (const char *from = inside; *from != '\0'; to++) {
    int byte = (unsigned char)*from;
    if (byte == '\\') {
      byte = (unsigned char)*++from;
      if (byte >= '0' && byte <= '3') {
        for (int i = 1; i <= 2; i++)
          if (from[i] < '0' || from[i] > '7')
            return "has an escape that is not three octal digits";
        byte = (byte - '0') << 6 | (from[1] - '0') << 3 | (from[2] - '0');
        from += 2;
      }
    }
    if (byte < 1 || byte > 127)
      return "has a character that is not ASCII";
    *to = (char)byte;
    from++;
  }
  *to = '\0';
  return NULL;
}

int
shmv_caps_value_from_quoted(struct shmv_caps_value *value,
                            enum shmv_caps_type type, char *inside,
                            const char **why)
{
  if (type == SHMV_CAPS_GUESS) {
    /* GStreamer 1.22 looks into the quotes for a number, and means to stop. */
    int r = shmv_caps_value_from_word(value, type, inside, why);
    if (r == -ENOMEM)
      return r;
    if (*inside == '\0' || (r == 0 && value->type != SHMV_CAPS_STRING) ||
        (r < 0 && strcmp(inside, "NULL") != 0)) {
      *why = "in quotes is not a string everywhere; write (string) before it";
      return -EINVAL;
    }
  } else if (type != SHMV_CAPS_STRING) {
    *why = "is quoted, but only strings are";
    return -EINVAL;
  }
  *why = unescape(inside);
  *value = (struct shmv_caps_value){.type = SHMV_CAPS_STRING,
                                    .as.string = inside};
  return *why == NULL ? 0 : -EINVAL;
}

int
shmv_caps_fraction_compare(struct shmv_caps_fraction a,
                           struct shmv_caps_fraction b)
{
  int64_t left = (int64_t)a.n * b.d, right = (int64_t)b.n * a.d;
  return (left > right) - (left < right);
}

static const char *
make_int_range(struct shmv_caps_value *value, int32_t min, int32_t max,
               int32_t step)
{
  if (min >= max)
    return "does not go upwards";
  if (step < 1)
    return "has a step that is not positive";
  if (min % step != 0 || max % step != 0)
    return "has an end that is no multiple of its step";
  value->as.i.min = min;
  value->as.i.max = max;
  value->as.i.step = step;
  return NULL;
}

int
shmv_caps_value_make_range(struct shmv_caps_value *value,
                           const struct shmv_caps_value *min,
                           const struct shmv_caps_value *max,
                           const struct shmv_caps_value *step,
                           const char **why)
{
  *value = (struct shmv_caps_value){.type = min->type, .range = true};
  *why = NULL;
  if (min->type != max->type || (step != NULL && step->type != min->type))
    *why = "has ends of different types";
  else if (min->type == SHMV_CAPS_INT)
    *why = make_int_range(value, min->as.i.min, max->as.i.min,
                          step != NULL ? step->as.i.min : 1);
  else if (min->type != SHMV_CAPS_FRACTION)
    *why = "is neither of ints nor of fractions";
  else if (step != NULL)
    *why = "of fractions has a step";
  else if (shmv_caps_fraction_compare(min->as.f.min, max->as.f.min) >= 0)
    *why = "does not go upwards";
  if (*why == NULL && min->type == SHMV_CAPS_FRACTION) {
    value->as.f.min = min->as.f.min;
    value->as.f.max = max->as.f.min;
  }
  return *why == NULL ? 0 : -EINVAL;
}

bool
shmv_caps_value_is_fixed(const struct shmv_caps_value *value)
{
  return !value->range && (value->type != SHMV_CAPS_FLAGSET ||
                           value->as.flagset.mask == UINT32_MAX);
}

bool
shmv_caps_value_accepts(const struct shmv_caps_value *value,
                        const struct shmv_caps_value *fixed)
{
  if (value->type != fixed->type)
    return false;
  switch (value->type) {
  case SHMV_CAPS_INT:
    return fixed->as.i.min >= value->as.i.min &&
           fixed->as.i.min <= value->as.i.max &&
           fixed->as.i.min % value->as.i.step == 0;
  case SHMV_CAPS_FRACTION:
    return shmv_caps_fraction_compare(value->as.f.min, fixed->as.f.min) <= 0 &&
           shmv_caps_fraction_compare(fixed->as.f.min, value->as.f.max) <= 0;
  case SHMV_CAPS_FLAGSET:
    /* Only flags that both sides care about can differ. */
    return ((value->as.flagset.flags ^ fixed->as.flagset.flags) &
            value->as.flagset.mask & fixed->as.flagset.mask) == 0;
  case SHMV_CAPS_UINT:
    return value->as.uint == fixed->as.uint;
  case SHMV_CAPS_BITMASK:
    return value->as.bitmask == fixed->as.bitmask;
  case SHMV_CAPS_DOUBLE:
    return value->as.number >= fixed->as.number &&
           value->as.number <= fixed->as.number;
  case SHMV_CAPS_BOOLEAN:
    return value->as.boolean == fixed->as.boolean;
  case SHMV_CAPS_STRING:
    return strcmp(value->as.string, fixed->as.string) == 0;
  case SHMV_CAPS_GUESS:
  case SHMV_CAPS_NO_TYPE:
    break;
  }
  return false;
}
