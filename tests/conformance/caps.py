# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""Caps text: what frames may be (docs/caps.md, sections 1 to 3 and 6)

Pure. A set is a list of structures, or None for ANY. parse() takes a text in or
raises Refused; accepts() compares. A scalar is (type, value), a range is a Range, a
list is a list of these.
"""

import math
import re
import sys
from fractions import Fraction

LONGEST, MOST_FIELDS, MOST_FEATURES = 16384, 64, 16
INT_MIN, INT_MAX, UINT_MAX = -2**31, 2**31 - 1, 2**32 - 1
WHITE, BLANK = " \t\n\r\f", " \t\n\v\f\r"
TYPES = {"int": "int", "i": "int", "uint": "uint", "u": "uint", "double": "double",
         "d": "double", "fraction": "fraction", "boolean": "boolean",
         "bool": "boolean", "b": "boolean", "string": "string", "str": "string",
         "s": "string", "bitmask": "bitmask", "flagset": "flagset",
         "GstFlagSet": "flagset"}
NAMED = {"little_endian": 1234, "big_endian": 4321,
         "byte_order": 1234 if sys.byteorder == "little" else 4321}
TRUE, FALSE = ("true", "yes", "t", "1"), ("false", "no", "f", "0")

WORD = re.compile(r"[A-Za-z0-9_\-+/:.]+")
FEATURES = re.compile(r"\((ANY|(?: *[A-Za-z]+:[A-Za-z][A-Za-z0-9]*"
                      r"(?:, *[A-Za-z]+:[A-Za-z][A-Za-z0-9]*)*)?)\)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
INTEGER = re.compile(r"([+-]?)(?:(0[xX][0-9A-Fa-f]+)|(0[0-7]*)|([1-9][0-9]*))")
DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
STRTOD = re.compile(r"[+-]?(?:inf|infinity|nan|0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)"
                    r"(?:p[+-]?[0-9]+)?)", re.I)
RATIO = re.compile(r"([+-]?[0-9]+)/\s*([+-]?[0-9]+)")
NAMES = r"(?::(?:[+/][A-Za-z0-9_-]+)+)?"
FLAGS = re.compile(r"([0-9A-Fa-f]{1,8}):([0-9A-Fa-f]{1,8})" + NAMES)
# Two hexadecimal numbers with a colon or nothing between them, as a scanner takes them:
# with nothing between, only a sign can begin the second. In quotes there may be white
# space before each.
TWO_HEX = re.compile(r"\s*[+-]?(?:0x)?[0-9a-f]+(?::\s*[+-]?|\s*[+-]|\s+)"
                     r"(?:0x)?[0-9a-f]+" + NAMES, re.I)


class Refused(Exception):
    """A text outside the subset."""


class Range:
    def __init__(self, type_, low, high, step):
        self.type, self.low, self.high, self.step = type_, low, high, step

    def has(self, value):
        return self.low <= value <= self.high and (
            self.step is None or value % self.step == 0)


class Structure:
    """One alternative of a set. features: a frozen set, or None for (ANY)."""

    def __init__(self, media, features):
        self.media, self.features, self.fields = media, features, {}


# ---- Values -----------------------------------------------------------------

def integer(word, low, high):
    """The integer that a word is, or None. Raises if it is one that does not fit."""
    named = {"min": low, "max": high, **NAMED}.get(word.lower())
    match = INTEGER.fullmatch(word)
    if named is None and match is None:
        return None
    if named is None:
        sign, hexadecimal, octal, decimal = match.groups()
        named = (int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal
                 else int(decimal)) * (-1 if sign == "-" else 1)
    if not low <= named <= high:
        raise Refused("%s does not fit" % word)
    return named


def fraction(word, whole=True):
    named = {"min": -INT_MAX, "max": INT_MAX, "1/max": Fraction(1, INT_MAX)}
    if word.lower() in named and (whole or "/" in word):
        return Fraction(named[word.lower()])
    if whole and re.fullmatch("[+-]?[0-9]+", word):
        word += "/1"
    match = RATIO.fullmatch(word)
    if not match:
        return None
    n, d = int(match[1]), int(match[2])
    if d == 0 or max(abs(n), abs(d)) > INT_MAX:
        raise Refused("%s is no fraction" % word)
    return Fraction(n, d)


def boolean(word):
    return (True if word.lower() in TRUE else
            False if word.lower() in FALSE else None)


def flag_set(word):
    match = FLAGS.fullmatch(word)
    return match and (int(match[1], 16) & int(match[2], 16), int(match[2], 16))


def decimal_number(word):
    value = float(word) if DOUBLE.fullmatch(word) else None
    return value if value is None or math.isfinite(value) else None


def typed(type_, word):
    if type_ == "int":
        value = integer(word, INT_MIN, INT_MAX)
    elif type_ == "uint":
        value = integer(word, 0, UINT_MAX)
    elif type_ == "double":
        value = decimal_number(word)
    elif type_ == "fraction":
        value = fraction(word)
    elif type_ == "boolean":
        value = boolean(word)
    elif type_ == "bitmask":
        hexadecimal = re.fullmatch("(?:0[xX])?([0-9A-Fa-f]{1,16})", word)
        value = int(hexadecimal[1], 16) if hexadecimal else None
    elif type_ == "flagset":
        value = flag_set(word)
    else:
        value = None if word == "NULL" else word
    if value is None:
        raise Refused("%s is no %s" % (word, type_))
    return type_, value


def untyped(word):
    for type_, value in (("int", integer(word, INT_MIN, INT_MAX)),
                         ("double", decimal_number(word)),
                         ("fraction", fraction(word, whole=False)),
                         ("flagset", flag_set(word)), ("boolean", boolean(word))):
        if value is not None:
            return type_, value
    if STRTOD.fullmatch(word) or DOUBLE.fullmatch(word) or word == "NULL" \
            or TWO_HEX.fullmatch(word):
        raise Refused("%s is ambiguous" % word)
    return "string", word


def is_string(raw):
    """Would this be a string without its quotes? There is white space in it, perhaps,
    which does not count before a number."""
    if not raw or TWO_HEX.fullmatch(raw):
        return False
    number = raw.lstrip(BLANK)
    if number == raw:
        return untyped(raw)[0] == "string"
    return not any(each.fullmatch(number) for each in (INTEGER, DOUBLE, STRTOD, RATIO))


def unescape(raw):
    def one(match):
        code = match[1]
        if code[0] in "0123":
            if len(code) < 3:
                raise Refused("half an octal escape")
            return chr(int(code, 8))
        return code
    text = re.sub(r"\\([0-3][0-7]{2}|.)", one, raw, flags=re.S)
    if any(not 1 <= ord(char) <= 127 for char in text):
        raise Refused("a string beyond ASCII")
    return text


# ---- The grammar ------------------------------------------------------------

class Parser:
    def __init__(self, text):
        self.text, self.at = text, 0

    def white(self):
        while self.text[self.at:self.at + 1] in tuple(WHITE):
            self.at += 1

    def take(self, char):
        """The character, with white space before and after it, if it is next."""
        before = self.at
        self.white()
        if self.text[self.at:self.at + 1] != char:
            self.at = before
            return False
        self.at += 1
        self.white()
        return True

    def must(self, char):
        if not self.take(char):
            raise Refused("no %s at %d" % (char, self.at))

    def match(self, pattern, what):
        match = pattern.match(self.text, self.at)
        if not match:
            raise Refused("no %s at %d" % (what, self.at))
        self.at = match.end()
        return match

    def type(self, otherwise):
        if self.text[self.at:self.at + 1] != "(":
            return otherwise
        self.must("(")
        name = self.match(WORD, "type")[0]
        self.must(")")
        if re.fullmatch(".+FlagsSet", name):
            return "flagset"
        if name not in TYPES:
            raise Refused("type %s" % name)
        return TYPES[name]

    def scalar(self, type_):
        if self.text[self.at:self.at + 1] != '"':
            word = self.match(WORD, "value")[0]
            return typed(type_, word) if type_ else untyped(word)
        raw = self.match(QUOTED, "quoted string")[1]
        if type_ not in (None, "string"):
            raise Refused("a %s in quotes" % type_)
        if type_ is None and raw != "NULL" and not is_string(raw):
            raise Refused('"%s" without a type' % raw)
        return "string", unescape(raw)

    def range(self, type_):
        self.must("[")
        parts = [self.scalar(self.type(type_))]
        while len(parts) < 3 and self.take(","):
            parts.append(self.scalar(self.type(type_)))
        self.white()
        if self.text[self.at:self.at + 1] != "]":
            raise Refused("a range without an end")
        self.at += 1
        types = {part[0] for part in parts}
        values = [part[1] for part in parts]
        if types not in ({"int"}, {"fraction"}) or len(parts) == 1:
            raise Refused("a range of %s" % types)
        low, high, step = (values + [1])[:3]
        if types == {"fraction"}:
            step = None
        if (types == {"fraction"} and len(parts) > 2) or low >= high or (
                step is not None and (step < 1 or low % step or high % step)):
            raise Refused("a range of %s" % values)
        return Range(types.pop(), low, high, step)

    def item(self, type_):
        if self.text[self.at:self.at + 1] == "[":
            return self.range(type_)
        return self.scalar(type_)

    def value(self):
        type_ = self.type(None)
        if self.text[self.at:self.at + 1] != "{":
            return self.item(type_)
        self.must("{")
        items = [self.item(self.type(type_))]
        while self.take(","):
            items.append(self.item(self.type(type_)))
        self.white()
        if self.text[self.at:self.at + 1] != "}":
            raise Refused("a list without an end")
        self.at += 1
        if len({type_of(item) for item in items}) != 1:
            raise Refused("a list of several types")
        return items

    def structure(self):
        media = self.match(WORD, "media type")[0]
        if not media[0].isalpha() or "/" not in media:
            raise Refused("media type %s" % media)
        features = ""
        if self.text[self.at:self.at + 1] == "(":
            features = self.match(FEATURES, "features")[1]
        names = [name.strip() for name in features.split(",") if name.strip()]
        if len(set(names)) > MOST_FEATURES:
            raise Refused("too many features")
        structure = Structure(media, None if features == "ANY" else frozenset(names))
        while self.take(","):
            if self.at == len(self.text) or self.text[self.at] == ";":
                break
            name = self.match(WORD, "field")[0]
            self.must("=")
            if name in structure.fields:
                raise Refused("%s twice" % name)
            structure.fields[name] = self.value()
        if len(structure.fields) > MOST_FIELDS:
            raise Refused("too many fields")
        self.white()
        if self.at < len(self.text):
            self.must(";")
        return structure


def type_of(value):
    return value.type if isinstance(value, Range) else value[0]


def parse(text):
    if len(text.encode()) > LONGEST:
        raise Refused("too long")
    if text == "ANY":
        return None
    if text in ("EMPTY", "NONE"):
        return []
    parser, structures = Parser(text), []
    parser.white()
    structures.append(parser.structure())
    while parser.at < len(text):
        structures.append(parser.structure())
    return structures


# ---- Sets -------------------------------------------------------------------

def fixed(structures):
    """The one structure of a fixed text, or None."""
    if structures is None or len(structures) != 1 or structures[0].features is None:
        return None
    for value in structures[0].fields.values():
        if isinstance(value, (list, Range)) or (
                value[0] == "flagset" and value[1][1] != UINT_MAX):
            return None
    return structures[0]


def value_accepts(value, single):
    if isinstance(value, list):
        return any(value_accepts(item, single) for item in value)
    if isinstance(value, Range):
        return value.type == single[0] and value.has(single[1])
    if value[0] == "flagset" and single[0] == "flagset":
        (a, mask_a), (b, mask_b) = value[1], single[1]
        return (a ^ b) & mask_a & mask_b == 0
    return value == single


def features_of(structure):
    plain = (frozenset(), frozenset(["memory:SystemMemory"]))
    return frozenset() if structure.features in plain else structure.features


def accepts(structures, single):
    """Does a set accept the structure of a fixed text?"""
    return structures is None or any(
        each.media == single.media and
        (each.features is None or features_of(each) == features_of(single)) and
        all(value_accepts(value, single.fields[name])
            for name, value in each.fields.items() if name in single.fields)
        for each in structures)
