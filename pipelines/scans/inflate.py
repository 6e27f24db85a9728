"""Deflated files (Deflated Explicit VR Little Endian): unpacked, and never beyond what their own header needs.

`data_set` gives the form that offsets of a deflated file count in: its file meta group as it is, then the data set
inflated. Whoever decodes pixels of such a file calls it first, and reads `PixelSpan` against what it returns.
"""

from __future__ import annotations

import zlib

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans import values
from pipelines.scans.elements import DEFLATED, BrokenError, data_set_offset, parse_elements
from pipelines.scans.window import Window

# The compressed file, what stands before its pixels, and what it may become.
MAX_DEFLATED_BYTES = 2**29
MAX_HEAD_BYTES = 2**23
MAX_INFLATED_BYTES = 2**31
MAX_FRAMES = 20_000
# Trailing padding and signatures after the pixels.
SLACK_BYTES = 2**16
# A CT deflates to a half; an empty one to a thousandth. Beyond this ratio only what is small anyway is unpacked.
MAX_RATIO = 200
SMALL_BYTES = 2**24
_FIRST_STEP = 2**16
LARGEST_STEP = 2**22

_ROWS, _COLUMNS, _ALLOCATED, _SAMPLES, _FRAMES = 0x00280010, 0x00280011, 0x00280100, 0x00280002, 0x00280008
_SHAPE = frozenset({_ROWS, _COLUMNS, _ALLOCATED, _SAMPLES, _FRAMES})


def data_set(data: bytes) -> bytes:
    """Inflate a file of the deflated transfer syntax; any other file comes back as it is.

    Parameters
    ----------
    data
        The whole file.

    Returns
    -------
    bytes
        The preamble and the file meta group as they were, then the data set inflated.

    Raises
    ------
    RefusedError
        ``too-large`` where the stream goes on beyond what Rows × Columns × Frames × bytes and some slack need, or is
        packed so tightly that it can only be a bomb; ``truncated`` where it has no end; ``decode-failed`` where it is
        damaged. No more than the limit is ever unpacked.
    """
    whole, refused = inflate(data)
    if refused:
        raise refused
    return whole


def inflate(data: bytes) -> tuple[bytes, RefusedError | None]:
    """Return what `data_set` returns, or what had been unpacked when it was refused, and why it was."""
    try:
        syntax, start = data_set_offset(Window(data))
    except BrokenError as broken:
        return b"", RefusedError(broken.reason, broken.detail)
    if syntax != DEFLATED:
        return data, None
    whole = bytearray(data[:start])
    try:
        _inflate(memoryview(data)[start:], whole)
    except RefusedError as refused:
        return bytes(whole), refused
    return bytes(whole), None


def _inflate(packed: memoryview, whole: bytearray) -> None:
    """Inflate onto the end of ``whole``, in steps that never pass the limit."""
    if len(packed) > MAX_DEFLATED_BYTES:
        raise RefusedError(Reason.TOO_LARGE, f"a deflated data set of {len(packed)} bytes")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    rest: bytes | memoryview = packed
    limit: int | None = None
    while not inflater.eof:
        most = MAX_HEAD_BYTES if limit is None else limit
        step = min(most + 1 - len(whole), LARGEST_STEP, _FIRST_STEP + len(whole))
        try:
            part = inflater.decompress(rest, step)
        except zlib.error:
            raise RefusedError(Reason.DECODE_FAILED, "the deflated data set is damaged") from None
        rest = inflater.unconsumed_tail
        whole += part
        if not part and not inflater.eof:
            raise RefusedError(Reason.TRUNCATED, "the deflated data set has no end")
        if limit is None and len(whole) <= most:
            limit = _limit(bytes(whole), compressed=len(packed))
        # Never pass this: zlib takes a step of nothing for leave to unpack everything.
        if len(whole) > (most if limit is None else limit):
            raise RefusedError(Reason.TOO_LARGE, "the deflated data set goes on beyond what its shape needs")


def _limit(whole: bytes, *, compressed: int) -> int | None:
    """Return how long the inflated file may become, or None where its header has not come to its pixels yet."""
    found = parse_elements(whole, _SHAPE, inflated=True)
    if found.fault not in {None, Reason.TRUNCATED}:
        # Whoever walks the inflated file finds the same fault; there is no need to unpack what follows it.
        raise RefusedError(found.fault or Reason.NOT_DICOM, found.detail)
    if found.pixels is None:
        return None
    raw = found.values
    rows, columns, bits, samples = (
        values.short(raw.get(tag), True) or 0 for tag in (_ROWS, _COLUMNS, _ALLOCATED, _SAMPLES)
    )
    count = min(values.whole(raw.get(_FRAMES)) or 1, MAX_FRAMES)
    needed = rows * columns * max(samples, 1) * ((bits + 7) // 8) * count
    if needed > MAX_INFLATED_BYTES:
        raise RefusedError(Reason.TOO_LARGE, f"the shape needs {needed} bytes, beyond {MAX_INFLATED_BYTES}")
    if needed > SMALL_BYTES and needed > MAX_RATIO * compressed:
        raise RefusedError(Reason.TOO_LARGE, f"{compressed} bytes that claim to hold {needed}")
    return found.pixels.offset + needed + SLACK_BYTES
