"""DICOM's RLE (PackBits in byte planes), bounded by the size of the frame.

The decoder's process imports this file: numpy and imagecodecs only.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np

HEADER_BYTES = 64


def decode_rle(code: bytes | memoryview, rows: int, columns: int, sample_bytes: int) -> np.ndarray:
    """Decode one RLE frame to [rows, columns] of unsigned integers of ``sample_bytes`` (PS3.5, annex G).

    Raises
    ------
    ValueError
        The header is malformed, a run is cut short, or a plane holds fewer or more bytes than the frame. A lone byte
        after the last run is padding.
    """
    import imagecodecs

    bounds = segments(code, sample_bytes)
    size = rows * columns
    frame = np.empty((size, sample_bytes), np.uint8)
    for index, (start, end) in enumerate(pairwise(bounds)):
        try:
            plane = imagecodecs.packbits_decode(bytes(code[start:end]), out=size)
        except RuntimeError:  # an ImcdError, which imagecodecs does not export
            raise ValueError("an RLE run is cut short or too long") from None
        if len(plane) != size:
            raise ValueError("an RLE plane does not fill the frame")
        # The first plane is the most significant.
        frame[:, sample_bytes - 1 - index] = np.frombuffer(plane, np.uint8)
    return frame.view(f"<u{sample_bytes}").reshape(rows, columns).astype(f"u{sample_bytes}", copy=False)


def segments(code: bytes | memoryview, sample_bytes: int) -> list[int]:
    """Where the byte planes begin, and the end: a list of ``sample_bytes`` + 1 offsets, none before the last.

    Raises
    ------
    ValueError
        The header is cut short, or does not fit the frame.
    """
    if len(code) < HEADER_BYTES:
        raise ValueError("the RLE header is cut short")
    count, *offsets = struct.unpack_from("<16I", code)
    bounds = [*offsets[:count], len(code)]
    if count != sample_bytes or bounds[0] != HEADER_BYTES or bounds != sorted(bounds):
        raise ValueError("the RLE header does not fit the frame")
    return bounds
