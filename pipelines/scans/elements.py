"""The bytes of one DICOM file as raw top-level elements, and where its pixels lie.

A walk over length fields only: it converts nothing, recurses nowhere and never reads past the end, so that a file cut
short, a header that lies about a length and a tower of nested sequences are all found here and not by a traceback.
Its values are held against pydicom's in the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Set
from dataclasses import dataclass, field

from data_schemas.reasons import Reason

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, PIXEL_DATA})
TRANSFER_SYNTAX = 0x00020010
MEDIA_SOP_CLASS = 0x00020002
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_LONG_VR = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VR = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(),
)
_HEADER = {True: struct.Struct("<HHI"), False: struct.Struct(">HHI")}
_SHORT = {True: struct.Struct("<H"), False: struct.Struct(">H")}
_LONG = {True: struct.Struct("<I"), False: struct.Struct(">I")}


@dataclass(frozen=True, slots=True)
class PixelSpan:
    """Where the pixels lie: one run of bytes (native), or the fragments of an encapsulated frame."""

    tag: int
    offset: int
    length: int
    fragments: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """Raw values by tag, with what is wrong with the file, if anything is."""

    syntax: str
    little_endian: bool
    values: dict[int, bytes] = field(repr=False)
    pixels: PixelSpan | None = None
    fault: Reason | None = None
    detail: str = ""


class _BrokenError(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def parse_elements(data: bytes, wanted: Set[int]) -> Elements:
    """Walk the top level of a DICOM file held in memory.

    Returns the raw bytes of each ``wanted`` tag found. A fault (cut short, malformed, deflated) is told in ``fault``
    together with the values that were read before it; nothing is raised.
    """
    values: dict[int, bytes] = {}
    syntax, little = "", True
    try:
        start = 132 if data[128:132] == b"DICM" else 0
        at = _walk_meta(data, start, values)
        syntax = values.get(TRANSFER_SYNTAX, b"").rstrip(b"\0 ").decode("ascii", "replace")
        if syntax == DEFLATED:
            return Elements(syntax, little, values, None, Reason.UNSUPPORTED_TRANSFER_SYNTAX, "deflated data set")
        little = syntax != EXPLICIT_BIG
        implicit = not _looks_explicit(data, at)
        syntax = syntax or (IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE)
        pixels = _walk_dataset(data, at, implicit, little, wanted, values)
    except _BrokenError as broken:
        return Elements(syntax, little, values, None, broken.reason, broken.detail)
    return Elements(syntax, little, values, pixels)


def _looks_explicit(data: bytes, at: int) -> bool:
    return data[at + 4 : at + 6] in _LONG_VR | _SHORT_VR


def _walk_meta(data: bytes, at: int, values: dict[int, bytes]) -> int:
    while data[at : at + 2] == b"\x02\x00":
        tag, _, length, value = _element(data, at, implicit=not _looks_explicit(data, at), little=True)
        at = _end(data, value, length)
        if tag in values:
            raise _BrokenError(Reason.NOT_DICOM, f"element {tag:08x} occurs twice")
        values[tag] = data[value:at]
    return at


def _walk_dataset(
    data: bytes, at: int, implicit: bool, little: bool, wanted: Set[int], values: dict[int, bytes]
) -> PixelSpan | None:
    while at < len(data):
        tag, vr, length, value = _element(data, at, implicit, little)
        if tag in PIXEL_TAGS:
            return _pixels(data, tag, value, length, little)
        if tag >> 16 == 0xFFFE:
            raise _BrokenError(Reason.NOT_DICOM, "an item outside of any sequence")
        if length == UNDEFINED:
            end = _skip_sequence(data, value, implicit or vr == b"UN", little)
        else:
            end = _end(data, value, length)
        if tag in wanted:
            if tag in values:
                raise _BrokenError(Reason.NOT_DICOM, f"element {tag:08x} occurs twice")
            values[tag] = data[value:end]
        at = end
    return None


def _element(data: bytes, at: int, implicit: bool, little: bool) -> tuple[int, bytes, int, int]:
    if at + 8 > len(data):
        raise _BrokenError(Reason.TRUNCATED, "the file ends inside an element's header")
    group, element, length = _HEADER[little].unpack_from(data, at)
    tag = group << 16 | element
    if implicit or group == 0xFFFE:
        return tag, b"", length, at + 8
    vr = data[at + 4 : at + 6]
    if vr in _SHORT_VR:
        return tag, vr, _SHORT[little].unpack_from(data, at + 6)[0], at + 8
    if vr in _LONG_VR:
        if at + 12 > len(data):
            raise _BrokenError(Reason.TRUNCATED, "the file ends inside an element's header")
        return tag, vr, _LONG[little].unpack_from(data, at + 8)[0], at + 12
    raise _BrokenError(Reason.NOT_DICOM, f"element {tag:08x} has no valid value representation")


def _end(data: bytes, value: int, length: int) -> int:
    if length == UNDEFINED:
        raise _BrokenError(Reason.NOT_DICOM, "a length is undefined where it must not be")
    if value + length > len(data):
        raise _BrokenError(Reason.TRUNCATED, "the file ends before its length fields say")
    return value + length


def _skip_sequence(data: bytes, at: int, implicit: bool, little: bool) -> int:
    """Return the position after the delimiter of an undefined-length sequence, however deep it nests."""
    stack = [(False, implicit)]
    while stack:
        inside_item, implicit = stack[-1]
        tag, vr, length, value = _element(data, at, implicit, little)
        if tag == (ITEM_END if inside_item else SEQUENCE_END):
            stack.pop()
            at = value
        elif (tag >> 16 != 0xFFFE) if inside_item else (tag == ITEM):
            if length == UNDEFINED:
                stack.append((not inside_item, implicit or vr == b"UN"))
                at = value
            else:
                at = _end(data, value, length)
        else:
            raise _BrokenError(Reason.NOT_DICOM, "a sequence is not made of items")
    return at


def _pixels(data: bytes, tag: int, value: int, length: int, little: bool) -> PixelSpan:
    if length != UNDEFINED:
        _end(data, value, length)
        return PixelSpan(tag, value, length)
    fragments: list[tuple[int, int]] = []
    at = value
    while True:
        item, _, size, start = _element(data, at, implicit=True, little=little)
        if item == SEQUENCE_END:
            break
        if item != ITEM:
            raise _BrokenError(Reason.NOT_DICOM, "encapsulated pixels are not made of items")
        at = _end(data, start, size)
        fragments.append((start, size))
    return PixelSpan(tag, value, at - value, tuple(fragments[1:]))
