"""One DICOM file as raw top-level elements, and where its pixels lie.

A walk over length fields only: it converts nothing, recurses nowhere, reads no value that is not wanted and never past
the end, so that a file cut short, a header that lies about a length and a tower of nested sequences are all found here
and not by a traceback. The preamble is stepped over, whatever else it may say the file is. The values are held against
pydicom's in the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Set
from dataclasses import dataclass, field

from data_schemas.reasons import Reason
from pipelines.scans.window import Window

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
PREAMBLE_BYTES = 128

# No text or number that is looked at comes near the first; 20,000 frames of functional groups stay below the second.
MAX_VALUE_BYTES = 2**20
MAX_SEQUENCE_BYTES = 2**27
# Each level takes a sequence and an item; real objects nest six deep.
MAX_DEPTH = 64
# A header of this many elements takes some seconds; 20,000 frames have about a million.
MAX_ELEMENTS = 4_000_000
MAX_FRAGMENTS = 2**18

_LONG_VR = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VR = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split(),
)
_KNOWN_VR = _LONG_VR | _SHORT_VR
# By byte order, little endian or not: an implicit element's header, an explicit one's, a length of four bytes.
_IMPLICIT = {True: struct.Struct("<HHI").unpack_from, False: struct.Struct(">HHI").unpack_from}
_EXPLICIT = {True: struct.Struct("<HH2sH").unpack_from, False: struct.Struct(">HH2sH").unpack_from}
_LONG = {True: struct.Struct("<I").unpack_from, False: struct.Struct(">I").unpack_from}


@dataclass(frozen=True, slots=True)
class PixelSpan:
    """Where the pixels lie: one run of bytes (native), or the fragments of an encapsulated frame.

    Offsets count from the beginning of the file; in a deflated file, of what `pipelines.scans.inflate.data_set` gives.
    """

    tag: int
    offset: int
    length: int
    fragments: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """Raw values by tag, with what is wrong with the file, if anything is.

    ``unknown`` are the wanted tags that came as VR UN, whose sequences are implicit whatever the syntax.
    ``offset_table`` is the raw Basic Offset Table of encapsulated pixels.
    """

    syntax: str
    little_endian: bool
    values: dict[int, bytes] = field(repr=False)
    pixels: PixelSpan | None = None
    fault: Reason | None = None
    detail: str = ""
    implicit: bool = False
    unknown: frozenset[int] = frozenset()
    offset_table: bytes = field(default=b"", repr=False)


class BrokenError(Exception):
    """What is wrong with the bytes; it never leaves the modules that walk them."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def parse_elements(
    data: bytes | Window, wanted: Set[int], sequences: Set[int] = frozenset(), *, inflated: bool = False
) -> Elements:
    """Walk the top level of a DICOM file, in memory or seen through a window.

    Parameters
    ----------
    data
        The whole file, or a window on it.
    wanted
        Tags whose values are wanted.
    sequences
        Those of them that may be long.
    inflated
        The bytes of a deflated file come as `pipelines.scans.inflate.data_set` gives them. Without that, its walk
        ends after the file meta group, as an unsupported syntax.

    Returns
    -------
    Elements
        The raw bytes of each wanted tag found. A fault (cut short, malformed, beyond a limit) is told in ``fault``
        together with the values that were read before it; nothing is raised.
    """
    window = data if isinstance(data, Window) else Window(data)
    walk = Walk(window, wanted, sequences)
    try:
        walk.run(inflated)
    except BrokenError as broken:
        return walk.elements(broken.reason, broken.detail)
    return walk.elements(None, "")


def data_set_offset(window: Window) -> tuple[str, int]:
    """Return the transfer syntax ("" where none is stated) and where the data set begins, after the file meta group.

    Raises
    ------
    BrokenError
        The group is cut short or malformed.
    """
    walk = Walk(window, frozenset(), frozenset())
    return walk.meta()


class Walk:
    """One pass over one file; it exists to keep what was read before a fault."""

    def __init__(self, window: Window, wanted: Set[int], sequences: Set[int]) -> None:
        self.window, self.wanted, self.sequences = window, wanted, sequences
        self.values: dict[int, bytes] = {}
        self.unknown: set[int] = set()
        self.syntax, self.little, self.implicit = "", True, False
        self.pixels: PixelSpan | None = None
        self.offset_table = b""
        self.left = MAX_ELEMENTS

    def elements(self, fault: Reason | None, detail: str) -> Elements:
        return Elements(
            self.syntax, self.little, self.values, self.pixels, fault, detail,
            implicit=self.implicit, unknown=frozenset(self.unknown), offset_table=self.offset_table,
        )  # fmt: skip

    def run(self, inflated: bool) -> None:
        self.syntax, at = self.meta()
        if self.syntax == DEFLATED and not inflated:
            raise BrokenError(Reason.UNSUPPORTED_TRANSFER_SYNTAX, "deflated data set")
        self.little = self.syntax != EXPLICIT_BIG
        self.implicit = self.window.slice(at + 4, 2) not in _KNOWN_VR
        self.syntax = self.syntax or (IMPLICIT_LITTLE if self.implicit else EXPLICIT_LITTLE)
        self.data_set(at)

    def meta(self) -> tuple[str, int]:
        window = self.window
        at = PREAMBLE_BYTES + 4 if window.slice(PREAMBLE_BYTES, 4) == b"DICM" else 0
        while window.slice(at, 2) == b"\x02\x00":
            tag, _, length, value = self.element(at, window.slice(at + 4, 2) not in _KNOWN_VR, little=True)
            at = self.end(value, length)
            if tag in self.values:
                raise BrokenError(Reason.NOT_DICOM, f"element {tag:08x} occurs twice")
            self.values[tag] = self.value(tag, value, at)
        return self.values.get(TRANSFER_SYNTAX, b"").rstrip(b"\0 ").decode("ascii", "replace"), at

    def data_set(self, at: int) -> None:
        size, implicit = self.window.size, self.implicit
        wanted, values = self.wanted, self.values
        while at < size:
            tag, vr, length, value = self.element(at, implicit, self.little)
            if tag in PIXEL_TAGS:
                self.pixels = PixelSpan(tag, value, length)
                self.pixels = self.pixel_span(tag, value, length)
                return
            if tag >> 16 == 0xFFFE:
                raise BrokenError(Reason.NOT_DICOM, "an item outside of any sequence")
            at = self.skip_sequence(value, implicit or vr == b"UN") if length == UNDEFINED else value + length
            if at > size:
                raise BrokenError(Reason.TRUNCATED, "the file ends before its length fields say")
            if tag in wanted:
                if tag in values:
                    raise BrokenError(Reason.NOT_DICOM, f"element {tag:08x} occurs twice")
                values[tag] = self.value(tag, value, at)
                if vr == b"UN":
                    self.unknown.add(tag)

    def element(self, at: int, implicit: bool, little: bool) -> tuple[int, bytes, int, int]:
        """Return tag, VR, length and the position of the value of the element at a position."""
        window = self.window
        self.left -= 1
        if self.left < 0:
            raise BrokenError(Reason.TOO_LARGE, f"a header of more than {MAX_ELEMENTS} elements")
        if at + 8 > window.size:
            raise BrokenError(Reason.TRUNCATED, "the file ends inside an element's header")
        inside = at - window.base
        data = window.data
        if inside < 0 or inside + 12 > len(data):
            inside = window.index(at, 12)
            data = window.data
        try:
            if implicit:
                group, element, length = _IMPLICIT[little](data, inside)
                return group << 16 | element, b"", length, at + 8
            group, element, vr, length = _EXPLICIT[little](data, inside)
            if vr in _SHORT_VR and group != 0xFFFE:
                return group << 16 | element, vr, length, at + 8
            if group == 0xFFFE:
                return group << 16 | element, b"", _LONG[little](data, inside + 4)[0], at + 8
            if vr in _LONG_VR:
                return group << 16 | element, vr, _LONG[little](data, inside + 8)[0], at + 12
        except struct.error:
            raise BrokenError(Reason.TRUNCATED, "the file ends inside an element's header") from None
        raise BrokenError(Reason.NOT_DICOM, f"element {group << 16 | element:08x} has no valid value representation")

    def end(self, value: int, length: int) -> int:
        if length == UNDEFINED:
            raise BrokenError(Reason.NOT_DICOM, "a length is undefined where it must not be")
        if value + length > self.window.size:
            raise BrokenError(Reason.TRUNCATED, "the file ends before its length fields say")
        return value + length

    def value(self, tag: int, start: int, end: int) -> bytes:
        if end - start > MAX_VALUE_BYTES:
            limit = MAX_SEQUENCE_BYTES if tag in self.sequences else MAX_VALUE_BYTES
            if end - start > limit:
                raise BrokenError(Reason.TOO_LARGE, f"element {tag:08x} takes {end - start} bytes, beyond {limit}")
        found = self.window.slice(start, end - start)
        if len(found) < end - start:
            raise BrokenError(Reason.TRUNCATED, "the file was cut while it was read")
        return found

    def skip_sequence(self, at: int, implicit: bool) -> int:
        """Return the position after the delimiter of an undefined-length sequence, however deep it nests."""
        stack = [(False, implicit)]
        while stack:
            inside_item, implicit = stack[-1]
            tag, vr, length, value = self.element(at, implicit, self.little)
            if tag == (ITEM_END if inside_item else SEQUENCE_END):
                stack.pop()
                at = value
            elif (tag >> 16 != 0xFFFE) if inside_item else (tag == ITEM):
                if length == UNDEFINED:
                    if len(stack) > 2 * MAX_DEPTH:
                        raise BrokenError(Reason.TOO_LARGE, f"sequences nested deeper than {MAX_DEPTH}")
                    stack.append((not inside_item, implicit or vr == b"UN"))
                    at = value
                else:
                    at = self.end(value, length)
            else:
                raise BrokenError(Reason.NOT_DICOM, "a sequence is not made of items")
        return at

    def pixel_span(self, tag: int, value: int, length: int) -> PixelSpan:
        """Return where the pixels lie; of encapsulated ones the items are stepped through, so that a cut is found."""
        if length != UNDEFINED:
            self.end(value, length)
            return PixelSpan(tag, value, length)
        fragments: list[tuple[int, int]] = []
        at = value
        while True:
            item, _, size, start = self.element(at, implicit=True, little=self.little)
            if item == SEQUENCE_END:
                break
            if item != ITEM:
                raise BrokenError(Reason.NOT_DICOM, "encapsulated pixels are not made of items")
            at = self.end(start, size)
            fragments.append((start, size))
            if len(fragments) > MAX_FRAGMENTS:
                raise BrokenError(Reason.TOO_LARGE, f"pixels in more than {MAX_FRAGMENTS} fragments")
        if fragments:
            start, size = fragments[0]
            self.offset_table = self.value(tag, start, start + size)
        return PixelSpan(tag, value, at - value, tuple(fragments[1:]))
