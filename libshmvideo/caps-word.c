/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Every spelling here is GStreamer's. Words are scanned by hand before the C
 * library converts them, so that neither the locale nor the C library's version
 * changes what a text means.
 */

#include "os.h"

#include "caps-word.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";
static const char spaces[] = " \f\n\r\t\v"; /* only quoted words have any */

/* strcasecmp without the locale, which must not change what a text means. */
static bool
same_word(const char *a, const char *b)
{
  for (;; a++, b++) {
    int x = *a >= 'A' && *a <= 'Z' ? *a + ('a' - 'A') : *a;
    if (x != *b)
      return false;
    if (x == '\0')
      return true;
  }
}

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* C integers: decimal, 0 octal, 0x hexadecimal. The base is found by hand since
 * newer C libraries read more (0b) when asked to find it. */
static enum shmv_caps_reading
read_integer(const char *word, int64_t min, int64_t max, int64_t *out)
{
  static const struct {
    const char *name;
    int64_t value;
  } names[] = {{"little_endian", 1234},
               {"big_endian", 4321},
               {"byte_order", __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                                  ? 1234 : 4321}};
  if (same_word(word, "min") || same_word(word, "max")) {
    *out = same_word(word, "min") ? min : max;
    return SHMV_CAPS_IS_ONE;
  }
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (same_word(word, names[i].name)) {
      *out = names[i].value;
      return SHMV_CAPS_IS_ONE;
    }
  bool negative = *word == '-';
  const char *digit = word + (*word == '-' || *word == '+');
  int base = *digit == '0' ? 8 : 10;
  if (*digit == '0' && (digit[1] == 'x' || digit[1] == 'X') &&
      is_hex(digit[2])) {
    base = 16;
    digit += 2;
  }
  /* strtoull would take white space, a sign and, in base 16, one more 0x. */
  if (!is_hex(*digit) || (base == 16 && (digit[1] == 'x' || digit[1] == 'X')))
    return SHMV_CAPS_NOT_ONE;
  char *end;
  errno = 0;
  unsigned long long magnitude = strtoull(digit, &end, base);
  if (end == digit || *end != '\0')
    return SHMV_CAPS_NOT_ONE;
  if (errno == ERANGE || magnitude > UINT32_MAX)
    return SHMV_CAPS_UNUSABLE;
  *out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  return *out < min || *out > max ? SHMV_CAPS_UNUSABLE : SHMV_CAPS_IS_ONE;
}

/* Decimal numbers; infinities, not-a-numbers and hexadecimal are unusable. */
static enum shmv_caps_reading
read_double(const char *word, double *out, int *error)
{
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (c == (locale_t)0) {
    *error = -ENOMEM;
    return SHMV_CAPS_UNUSABLE;
  }
  char *end;
  *out = strtod_l(word, &end, c);
  freelocale(c);
  if (end == word || *end != '\0')
    return SHMV_CAPS_NOT_ONE;
  bool decimal = word[strspn(word, "0123456789+-.eE")] == '\0';
  return decimal && isfinite(*out) ? SHMV_CAPS_IS_ONE : SHMV_CAPS_UNUSABLE;
}

/* One term of a fraction: an optional sign and decimal digits; *at moves on. */
static enum shmv_caps_reading
read_term(const char **at, int64_t *out)
{
  const char *start = *at + strspn(*at, spaces);
  const char *digit = start + (*start == '-' || *start == '+');
  size_t n = strspn(digit, digits);
  if (n == 0)
    return SHMV_CAPS_NOT_ONE;
  errno = 0;
  *out = strtoll(start, NULL, 10);
  *at = digit + n;
  bool fits = errno != ERANGE && *out >= -INT32_MAX && *out <= INT32_MAX;
  return fits ? SHMV_CAPS_IS_ONE : SHMV_CAPS_UNUSABLE;
}

static struct shmv_caps_fraction
reduce(int64_t n, int64_t d)
{
  if (d < 0) {
    n = -n;
    d = -d;
  }
  int64_t a = n < 0 ? -n : n, b = d;
  while (b != 0) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return (struct shmv_caps_fraction){(int32_t)(n / a), (int32_t)(d / a)};
}

/* N/D; where the type was written also N, min, max. */
static enum shmv_caps_reading
read_fraction(const char *word, bool typed, struct shmv_caps_fraction *out)
{
  int64_t n, d = 1;
  static const struct {
    const char *name;
    struct shmv_caps_fraction value;
  } names[] = {{"1/max", {1, INT32_MAX}}, {"min", {-INT32_MAX, 1}},
               {"max", {INT32_MAX, 1}}};
  for (size_t i = 0; i < (typed ? 3 : 1); i++)
    if (same_word(word, names[i].name)) {
      *out = names[i].value;
      return SHMV_CAPS_IS_ONE;
    }
  enum shmv_caps_reading second = SHMV_CAPS_IS_ONE;
  enum shmv_caps_reading first = read_term(&word, &n);
  if (first == SHMV_CAPS_NOT_ONE)
    return SHMV_CAPS_NOT_ONE;
  if (*word == '/') {
    word++;
    second = read_term(&word, &d);
  } else if (!typed) {
    return SHMV_CAPS_NOT_ONE;
  }
  if (second == SHMV_CAPS_NOT_ONE || *word != '\0')
    return SHMV_CAPS_NOT_ONE;
  if (first == SHMV_CAPS_UNUSABLE || second == SHMV_CAPS_UNUSABLE || d == 0)
    return SHMV_CAPS_UNUSABLE;
  *out = reduce(n, d);
  return SHMV_CAPS_IS_ONE;
}

/* One number of a flag set, as generously as strtoul takes them; plain is
 * cleared if it has more than digits, or too many. */
static bool
read_flags(const char **at, uint32_t *out, bool *plain)
{
  const char *digit = *at + strspn(*at, spaces);
  digit += *digit == '-' || *digit == '+';
  if (*digit == '0' && (digit[1] == 'x' || digit[1] == 'X') && is_hex(digit[2]))
    digit += 2;
  const char *end = digit;
  while (is_hex(*end))
    end++;
  if (end == digit)
    return false;
  *plain = *plain && digit == *at && end - digit <= 8;
  *out = (uint32_t)strtoul(digit, NULL, 16);
  *at = end;
  return true;
}

/* FLAGS:MASK, both hexadecimal, and perhaps the flags' names behind another
 * colon, which say nothing new. GStreamer also takes signs, 0x and no colon at
 * all ("a-b" is one of its flag sets): that cannot be meant. */
static enum shmv_caps_reading
read_flagset(const char *word, struct shmv_caps_value *value)
{
  static const char name_chars[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  bool plain = true;
  uint32_t flags, mask;
  if (!read_flags(&word, &flags, &plain))
    return SHMV_CAPS_NOT_ONE;
  if (*word == ':')
    word++;
  else
    plain = false;
  if (!read_flags(&word, &mask, &plain))
    return SHMV_CAPS_NOT_ONE;
  if (*word == ':' && word[1] != '\0')
    for (word++; *word == '+' || *word == '/';) {
      size_t n = strspn(word + 1, name_chars);
      if (n == 0)
        return SHMV_CAPS_NOT_ONE;
      word += 1 + n;
    }
  if (*word != '\0')
    return SHMV_CAPS_NOT_ONE;
  value->as.flagset.flags = flags & mask;
  value->as.flagset.mask = mask;
  return plain ? SHMV_CAPS_IS_ONE : SHMV_CAPS_UNUSABLE;
}

static enum shmv_caps_reading
read_boolean(const char *word, bool *out)
{
  static const char *const names[2][4] = {{"false", "no", "f", "0"},
                                          {"true", "yes", "t", "1"}};
  for (int truth = 0; truth < 2; truth++)
    for (int i = 0; i < 4; i++)
      if (same_word(word, names[truth][i])) {
        *out = truth != 0;
        return SHMV_CAPS_IS_ONE;
      }
  return SHMV_CAPS_NOT_ONE;
}

static enum shmv_caps_reading
read_bitmask(const char *word, uint64_t *out)
{
  if (*word == '0' && (word[1] == 'x' || word[1] == 'X'))
    word += 2;
  size_t n = 0;
  while (is_hex(word[n]))
    n++;
  if (n == 0 || word[n] != '\0')
    return SHMV_CAPS_NOT_ONE;
  *out = strtoull(word, NULL, 16);
  return n <= 16 ? SHMV_CAPS_IS_ONE : SHMV_CAPS_UNUSABLE;
}

enum shmv_caps_reading
shmv_caps_word_read(struct shmv_caps_value *value, enum shmv_caps_type type,
                    const char *word, bool typed, int *error)
{
  int64_t integer = 0;
  enum shmv_caps_reading reading = SHMV_CAPS_NOT_ONE;
  *value = (struct shmv_caps_value){.type = type};
  switch (type) {
  case SHMV_CAPS_INT:
    reading = read_integer(word, INT32_MIN, INT32_MAX, &integer);
    value->as.i.min = value->as.i.max = (int32_t)integer;
    value->as.i.step = 1;
    return reading;
  case SHMV_CAPS_UINT:
    reading = read_integer(word, 0, UINT32_MAX, &integer);
    value->as.uint = (uint32_t)integer;
    return reading;
  case SHMV_CAPS_DOUBLE:
    return read_double(word, &value->as.number, error);
  case SHMV_CAPS_FRACTION:
    reading = read_fraction(word, typed, &value->as.f.min);
    value->as.f.max = value->as.f.min;
    return reading;
  case SHMV_CAPS_FLAGSET:
    return read_flagset(word, value);
  case SHMV_CAPS_BOOLEAN:
    return read_boolean(word, &value->as.boolean);
  case SHMV_CAPS_BITMASK:
    return read_bitmask(word, &value->as.bitmask);
  case SHMV_CAPS_STRING:
    value->as.string = word;
    return strcmp(word, "NULL") == 0 ? SHMV_CAPS_UNUSABLE : SHMV_CAPS_IS_ONE;
  case SHMV_CAPS_GUESS:
  case SHMV_CAPS_NO_TYPE:
    break;
  }
  return SHMV_CAPS_NOT_ONE;
}

