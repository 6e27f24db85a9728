"""DICOM's RLE (PackBits in byte planes), in numpy and bounded by the size of the frame."""

from __future__ import annotations

import struct

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason


def decode_rle(code: bytes, rows: int, columns: int, sample_bytes: int) -> np.ndarray:
    """Decode one RLE frame to [rows, columns] of unsigned integers of ``sample_bytes`` (PS3.5, annex G).

    Raises
    ------
    RefusedError
        ``decode-failed``: the header is malformed, or a plane holds fewer or more bytes than the frame.
    """
    if len(code) < 64:
        raise RefusedError(Reason.DECODE_FAILED, "the RLE header is cut short")
    count, *offsets = struct.unpack_from("<16I", code)
    bounds = [*offsets[:count], len(code)]
    if count != sample_bytes or bounds[0] != 64 or bounds != sorted(bounds):
        raise RefusedError(Reason.DECODE_FAILED, "the RLE header does not fit the frame")
    planes = np.empty((sample_bytes, rows * columns), np.uint8)
    for plane, start, end in zip(planes, bounds, bounds[1:], strict=False):
        _unpack(memoryview(code)[start:end], plane)
    # The first plane is the most significant.
    return planes[::-1].T.copy().view(f"<u{sample_bytes}").reshape(rows, columns).astype(f"u{sample_bytes}", copy=False)


def _unpack(packed: memoryview, plane: np.ndarray) -> None:
    out = plane.data
    at = filled = 0
    size = len(out)
    while filled < size and at < len(packed):
        head = packed[at]
        at += 1
        if head < 128:
            run = head + 1
            piece = packed[at : at + run]
            if len(piece) < run or filled + run > size:
                raise RefusedError(Reason.DECODE_FAILED, "an RLE run is cut short or too long")
            out[filled : filled + run] = piece
            at += run
            filled += run
        elif head > 128:
            run = 257 - head
            if at >= len(packed) or filled + run > size:
                raise RefusedError(Reason.DECODE_FAILED, "an RLE run is cut short or too long")
            plane[filled : filled + run] = packed[at]
            at += 1
            filled += run
    if filled < size or len(packed) - at > 1:
        raise RefusedError(Reason.DECODE_FAILED, "an RLE plane does not fill the frame")
