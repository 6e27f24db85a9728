"""PNG and TIFF files as pages of grey values: what they state of themselves, read before any decoder sees them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.decode import MAX_PIXELS
from pipelines.scans.pool import DecoderPool

PNG = b"\x89PNG\r\n\x1a\n"
TIFF = (b"II*\0", b"MM\0*")
PICTURE_NAMES = (".png", ".tif", ".tiff")
MAX_PAGES = 4096
_GREY = 0
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _COUNTS, _PREDICTOR, _FORMAT = 274, 277, 278, 279, 317, 339
_FILL_ORDER = 266
_TILES = 322
_DEFAULTS = {_BITS: 1, _COMPRESSION: 1, _FILL_ORDER: 1, _ORIENTATION: 1, _SAMPLES: 1, _PREDICTOR: 1, _FORMAT: 1}
# none, LZW, deflate (twice), PackBits: without loss, and no codec of its own inside.
_COMPRESSIONS = frozenset({1, 5, 8, 32946, 32773})
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
# Bytes and struct's letter of a value, by field type: BYTE, SHORT, LONG.
_TYPES = {1: (1, "B"), 3: (2, "H"), 4: (4, "I")}
_MAX_VALUES = 2**16


@dataclass(frozen=True, slots=True)
class Page:
    """One grey picture: its size, bits a sample, sign, and a codestream that holds it alone."""

    rows: int
    columns: int
    bits: int
    signed: bool
    codec: Literal["png", "tiff"]
    code: bytes = field(repr=False)

    @property
    def shape(self) -> tuple[int, int, int, bool]:
        """What must be the same in all pages of a stack."""
        return self.rows, self.columns, self.bits, self.signed


def pages_of(data: bytes) -> tuple[Page, ...]:
    """Take a file apart into its pages; nothing is decoded.

    Raises
    ------
    RefusedError
        ``decode-failed`` where it is no PNG or TIFF, or damaged; ``truncated``; ``too-large``; ``colour``;
        ``photometric-conflict`` where white is zero; ``unsupported-object`` for anything but grey values of 8 or 16
        bits, upright and in strips.
    """
    if data.startswith(PNG):
        return (_png(data),)
    if data.startswith(TIFF):
        return tuple(_tiff(data))
    raise RefusedError(Reason.DECODE_FAILED, "neither PNG nor TIFF")


def decode_page(page: Page, pool: DecoderPool) -> np.ndarray:
    """Decode a page in a child process: its stored values [rows, columns].

    Raises
    ------
    RefusedError
        ``decode-failed``, or ``decoder-died``.
    """
    stored = pool.decode(page.codec, page.code, rows=page.rows, columns=page.columns, sample_bytes=page.bits // 8)
    if stored.dtype != np.dtype(f"{'i' if page.signed else 'u'}{page.bits // 8}"):
        raise RefusedError(Reason.DECODE_FAILED, "the decoded picture is not of the stated bits")
    return stored


def _check(rows: int, columns: int, bits: int) -> None:
    if not rows or not columns:
        raise RefusedError(Reason.DECODE_FAILED, "a picture without rows or columns")
    if rows * columns > MAX_PIXELS:
        raise RefusedError(Reason.TOO_LARGE, f"{rows} x {columns} pixels are beyond {MAX_PIXELS}")
    if bits not in {8, 16}:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, f"pictures of {bits} bits; 8 and 16 are read")


def _png(data: bytes) -> Page:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise RefusedError(Reason.TRUNCATED, "a PNG without its header")
    columns, rows, bits, colour = struct.unpack(">IIBB", data[16:26])
    if colour != _GREY:
        raise RefusedError(Reason.COLOUR, "a PNG that is not grey")
    _check(rows, columns, bits)
    if b"IEND" not in data[-64:]:
        raise RefusedError(Reason.TRUNCATED, "a PNG without its end")
    return Page(rows, columns, bits, False, "png", data)


def _tiff(data: bytes) -> Iterator[Page]:
    order = "<" if data.startswith(b"II") else ">"
    seen: set[int] = set()
    (at,) = _unpack(data, order + "I", 4)
    while at:
        if at in seen or len(seen) >= MAX_PAGES:
            raise RefusedError(Reason.TOO_LARGE, f"a TIFF of more than {MAX_PAGES} pages, or of pages without end")
        seen.add(at)
        (count,) = _unpack(data, order + "H", at)
        tags = _DEFAULTS | {
            tag: values
            for index in range(count)
            for tag, values in [_entry(data, order, at + 2 + 12 * index)]
            if values is not None
        }
        yield _page(data, order, tags)
        (at,) = _unpack(data, order + "I", at + 2 + 12 * count)


def _entry(data: bytes, order: str, at: int) -> tuple[int, int | tuple[int, ...] | None]:
    tag, kind, count = _unpack(data, order + "HHI", at)
    if kind not in _TYPES or not 0 < count <= _MAX_VALUES:
        return tag, None
    size, letter = _TYPES[kind]
    where = at + 8 if size * count <= 4 else _unpack(data, order + "I", at + 8)[0]
    values = _unpack(data, f"{order}{count}{letter}", where)
    return tag, values if tag in {_OFFSETS, _COUNTS} or count > 1 else values[0]


def _page(data: bytes, order: str, tags: dict[int, int | tuple[int, ...]]) -> Page:
    def one(tag: int) -> int:
        value = tags.get(tag)
        if not isinstance(value, int):
            raise RefusedError(Reason.UNSUPPORTED_OBJECT, f"a TIFF whose tag {tag} is absent or not a single number")
        return value

    if tags.get(_SAMPLES) != 1 or tags.get(_PHOTOMETRIC) not in {_WHITE_IS_ZERO, _BLACK_IS_ZERO}:
        raise RefusedError(Reason.COLOUR, "a TIFF that is not grey")
    if tags[_PHOTOMETRIC] == _WHITE_IS_ZERO:
        raise RefusedError(Reason.PHOTOMETRIC_CONFLICT, "a TIFF in which zero is white; save it with black as zero")
    rows, columns, bits = one(_LENGTH), one(_WIDTH), one(_BITS)
    _check(rows, columns, bits)
    plain = one(_COMPRESSION) in _COMPRESSIONS and one(_FORMAT) in {1, 2} and one(_ORIENTATION) == 1
    if not plain or one(_PREDICTOR) not in {1, 2} or one(_FILL_ORDER) != 1 or _TILES in tags:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "a TIFF with tiles, loss, floats, or turned; save it plainly")
    return Page(rows, columns, bits, one(_FORMAT) == 2, "tiff", _alone(data, order, tags, rows))


def _alone(data: bytes, order: str, tags: dict[int, int | tuple[int, ...]], rows: int) -> bytes:
    """A TIFF file of one page and the tags that matter, so that no decoder walks the others."""
    offsets, counts = tags.get(_OFFSETS), tags.get(_COUNTS)
    if not isinstance(offsets, tuple) or not isinstance(counts, tuple) or len(offsets) != len(counts):
        raise RefusedError(Reason.DECODE_FAILED, "a TIFF page without strips")
    if any(offset + count > len(data) for offset, count in zip(offsets, counts, strict=True)):
        raise RefusedError(Reason.TRUNCATED, "a TIFF that ends before its strips do")
    if sum(counts) > len(data):
        raise RefusedError(Reason.DECODE_FAILED, "the strips of a TIFF page overlap")
    strips = [data[offset : offset + count] for offset, count in zip(offsets, counts, strict=True)]
    kept = (_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PREDICTOR, _FORMAT)
    entries: dict[int, int | tuple[int, ...]] = {tag: tags[tag] for tag in kept}
    per_strip = tags.get(_ROWS_PER_STRIP, rows)
    entries[_ROWS_PER_STRIP] = min(per_strip, rows) if isinstance(per_strip, int) else rows
    entries[_COUNTS] = counts
    begin = 8 + 2 + 12 * (len(entries) + 1) + 4
    tables = begin + 8 * len(counts) if len(counts) > 1 else begin
    starts = np.cumsum([tables, *counts[:-1]]).tolist()
    out = [data[:4], struct.pack(order + "I", 8), struct.pack(order + "H", len(entries) + 1)]
    for tag, value in sorted((entries | {_OFFSETS: tuple(starts)}).items()):
        if isinstance(value, int):
            out.append(
                struct.pack(order + "HHII", tag, 4, 1, value)
                if tag in {_WIDTH, _LENGTH, _ROWS_PER_STRIP}
                else struct.pack(order + "HHIHH", tag, 3, 1, value, 0)
            )
        else:
            place = value[0] if len(value) == 1 else begin + (4 * len(counts) if tag == _COUNTS else 0)
            out.append(struct.pack(order + "HHII", tag, 4, len(value), place))
    out.append(bytes(4))
    if len(counts) > 1:
        out += [struct.pack(f"{order}{len(counts)}I", *starts), struct.pack(f"{order}{len(counts)}I", *counts)]
    return b"".join([*out, *strips])


def _unpack(data: bytes, layout: str, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error:
        raise RefusedError(Reason.TRUNCATED, "a TIFF that ends before its tables do") from None
