"""Elements as bytes of a DICOM data set, in any of the three uncompressed encodings.

Values are bytes already, in the byte order of the file they came from, and are written as they are. Lengths are
always defined, so a reader needs no delimiters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORTEST_LONG = 0x10000
# UI, OB and UN are padded by NUL, text by a blank (PS3.5 section 6.2).
_NUL_PADDED = frozenset({"UI", "OB", "UN", "OW"})


@dataclass(frozen=True, slots=True)
class Value:
    """One element: its value representation, and its bytes or, of a sequence, its items."""

    vr: str
    data: bytes = field(default=b"", repr=False)
    items: tuple[Mapping[int, Value], ...] | None = field(default=None, repr=False)


Elements: TypeAlias = Mapping[int, Value]
Order: TypeAlias = Literal["little", "big"]


def encode(elements: Elements, *, implicit: bool, little: bool) -> bytes:
    """The elements in the order of their tags."""
    return b"".join(_encode(tag, elements[tag], implicit, little) for tag in sorted(elements))


def element_head(tag: int, vr: str, length: int, *, implicit: bool, little: bool) -> bytes:
    """Tag, value representation and length. A value too long for its representation goes as UN (PS3.5 6.2.2)."""
    order: Order = "little" if little else "big"
    head = (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)
    if implicit:
        return head + length.to_bytes(4, order)
    if vr not in LONG and length < SHORTEST_LONG:
        return head + vr.encode() + length.to_bytes(2, order)
    return head + (vr if vr in LONG else "UN").encode() + b"\0\0" + length.to_bytes(4, order)


def _encode(tag: int, value: Value, implicit: bool, little: bool) -> bytes:
    data = value.data
    if value.items is not None:
        data = _items(value.items, implicit, little)
    if len(data) % 2:
        data += b"\0" if value.vr in _NUL_PADDED else b" "
    return element_head(tag, value.vr, len(data), implicit=implicit, little=little) + data


def _items(items: Sequence[Elements], implicit: bool, little: bool) -> bytes:
    order: Order = "little" if little else "big"
    start = (0xFFFE).to_bytes(2, order) + (0xE000).to_bytes(2, order)
    bodies = [encode(item, implicit=implicit, little=little) for item in items]
    return b"".join(start + len(body).to_bytes(4, order) + body for body in bodies)
