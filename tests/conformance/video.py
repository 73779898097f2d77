# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: libshmvideo contributors
"""One format: the numbers of FORMAT made from caps text (docs/caps.md, section 4)

Pure. Knows the pixel formats below and no others, which is why a reader made of this
says in HELLO that it accepts only these.
"""

import re
from fractions import Fraction

import caps

# name: number, RGB?, alpha?, planes of (bytes per sample, log2 of horizontal and of
# vertical subsampling); a sample of YUY2 and its like is half of a pair.
PIXEL_FORMATS = {
    "I420": (2, False, False, ((1, 0, 0), (1, 1, 1), (1, 1, 1))),
    "YV12": (3, False, False, ((1, 0, 0), (1, 1, 1), (1, 1, 1))),
    "YUY2": (4, False, False, ((2, 0, 0),)),
    "UYVY": (5, False, False, ((2, 0, 0),)),
    "RGBx": (7, True, False, ((4, 0, 0),)),
    "BGRx": (8, True, False, ((4, 0, 0),)),
    "RGBA": (11, True, True, ((4, 0, 0),)),
    "BGRA": (12, True, True, ((4, 0, 0),)),
    "ARGB": (13, True, True, ((4, 0, 0),)),
    "RGB": (15, True, False, ((3, 0, 0),)),
    "BGR": (16, True, False, ((3, 0, 0),)),
    "Y42B": (18, False, False, ((1, 0, 0), (1, 1, 0), (1, 1, 0))),
    "Y444": (20, False, False, ((1, 0, 0), (1, 0, 0), (1, 0, 0))),
    "NV12": (23, False, False, ((1, 0, 0), (2, 1, 1))),
    "GRAY8": (25, False, False, ((1, 0, 0),)),
}
BY_NUMBER = {row[0]: name for name, row in PIXEL_FORMATS.items()}
EVERYTHING = "video/x-raw, format={ %s }" % ", ".join(PIXEL_FORMATS)

INTERLACE = ("progressive", "interleaved", "mixed", "fields", "alternate")
FIELD_ORDER = {"top-field-first": 1, "bottom-field-first": 2}
COLORIMETRY = {"bt601": "2:4:16:4", "bt709": "2:3:5:1", "smpte240m": "2:5:6:5",
               "sRGB": "1:1:7:1", "bt2020": "2:6:11:7", "bt2020-10": "2:6:13:7",
               "bt2100-pq": "2:6:14:7", "bt2100-hlg": "2:6:15:7"}
RANGE = {1: 1, 2: 2}
MATRIX = {1: 0, 2: 4, 3: 1, 4: 6, 5: 7, 6: 9}
TRANSFER = {1: 8, 4: 4, 5: 1, 6: 7, 7: 13, 8: 5, 9: 9, 10: 10, 11: 15, 13: 14, 14: 16,
            15: 18, 16: 6}
PRIMARIES = {1: 1, 2: 4, 3: 5, 4: 6, 5: 7, 6: 8, 7: 9, 9: 10, 10: 11, 11: 12, 12: 22}
CHROMA = {"jpeg": 1, "none": 1, "mpeg2": 2, "h-cosited": 2, "v-cosited": 4,
          "cosited": 6, "alt-line": 8, "dv": 14}


def colors(word, is_rgb):
    """range, matrix, transfer, primaries of a colorimetry, or of None."""
    numbers = COLORIMETRY.get(word, word or "")
    if not re.fullmatch(r"[0-9]{1,3}(:[0-9]{1,3}){3}", numbers):
        return 0, 2, 2, 2
    a, b, c, d = map(int, numbers.split(":"))
    return (RANGE.get(a, 0), 0 if is_rgb else MATRIX.get(b, 2), TRANSFER.get(c, 2),
            PRIMARIES.get(d, 2))


def chroma_site(word):
    bits = 0
    for part in (word or "").split("+"):
        if part not in CHROMA:
            return 0
        bits |= CHROMA[part]
    return bits


def from_caps(text):
    """The fields of FORMAT from pixel_format to n_planes. Raises caps.Refused."""
    one = caps.fixed(caps.parse(text))
    if one is None or one.media != "video/x-raw":
        raise caps.Refused("not one format of raw video: %s" % text)
    if not one.features <= {"memory:SystemMemory", "format:Interlaced"}:
        raise caps.Refused("features")

    def get(name, type_, otherwise, low=None):
        if name not in one.fields:
            if otherwise is None:
                raise caps.Refused("no %s" % name)
            return otherwise
        kind, value = one.fields[name]
        if kind != type_ or (low is not None and value < low):
            raise caps.Refused("%s is %s" % (name, value))
        return value

    name = get("format", "string", None)
    if name not in PIXEL_FORMATS:
        raise caps.Refused("pixel format %s" % name)
    number, is_rgb, has_alpha, planes = PIXEL_FORMATS[name]
    mode = get("interlace-mode", "string", "progressive")
    if mode not in INTERLACE or (
            mode == "alternate" and "format:Interlaced" not in one.features):
        raise caps.Refused("interlace-mode %s" % mode)
    order = FIELD_ORDER.get(get("field-order", "string", ""), 0)
    color = colors(get("colorimetry", "string", ""), is_rgb)
    rate = Fraction(get("framerate", "fraction", Fraction(0), 0))
    most = Fraction(get("max-framerate", "fraction", Fraction(0), 0))
    par = Fraction(get("pixel-aspect-ratio", "fraction", Fraction(1), 0))
    if par == 0:
        raise caps.Refused("pixel-aspect-ratio 0")
    premultiplied = get("premultiplied-alpha", "boolean", False)
    return dict(
        pixel_format=number, width=get("width", "int", None, 1),
        height=get("height", "int", None, 1), fps_n=rate.numerator,
        fps_d=rate.denominator, max_fps_n=most.numerator, max_fps_d=most.denominator,
        par_n=par.numerator, par_d=par.denominator,
        interlace_mode=INTERLACE.index(mode),
        field_order=0 if mode == "progressive" else order,
        color_range=color[0], color_matrix=color[1], color_transfer=color[2],
        color_primaries=color[3],
        chroma_site=chroma_site(get("chroma-site", "string", "")),
        alpha_mode=(2 if premultiplied else 1) if has_alpha else 0,
        views=get("views", "int", 1, 1), n_planes=len(planes))


def plane_sizes(numbers):
    """(bytes of a row, rows) of each plane of a format."""
    planes = PIXEL_FORMATS[BY_NUMBER[numbers["pixel_format"]]][3]
    height = numbers["height"]
    if numbers["interlace_mode"] == 4:
        height = (height + 1) // 2
    return [(-(-numbers["width"] >> across) * size, -(-height >> down))
            for size, across, down in planes]


def default_layout(numbers, align=4):
    """stride, offset and size, with rows that begin at multiples of align."""
    stride, offset, at = [], [], 0
    for row, rows in plane_sizes(numbers):
        stride.append(-(-row // align) * align)
        offset.append(at)
        at += stride[-1] * rows
    none = [0] * (4 - len(stride))
    return dict(stride=stride + none, offset=offset + none, size=at)


def check_planes(numbers, stride, offset, size):
    """Do all planes lie within size bytes, with strides of at least a row?"""
    return all(stride[i] >= row and offset[i] + stride[i] * (rows - 1) + row <= size
               for i, (row, rows) in enumerate(plane_sizes(numbers)))
