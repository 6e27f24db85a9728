"""The stored pixel values of one image file, by transfer syntax; nothing is decoded before its size is known.

imagecodecs releases the interpreter lock while it decodes, so two threads decode two files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.codestream import frame_size
from pipelines.scans.elements import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from pipelines.scans.headers import SliceHeader
from pipelines.scans.rle import decode_rle

NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG})
RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
HTJ2K = frozenset({"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"})
SUPPORTED = NATIVE | {RLE} | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | HTJ2K

# A CT detector row is 512 to 2048 pixels; 16 megapixels leave room and keep a bomb small.
MAX_PIXELS = 4096 * 4096


def decode_pixels(data: bytes, header: SliceHeader) -> np.ndarray:
    """Decode the one frame of a file.

    Parameters
    ----------
    data
        The whole file.
    header
        Its header, as read from these bytes.

    Returns
    -------
    numpy.ndarray
        Stored values [rows, columns], integers of 8 or 16 bits, signed as the header says, not rescaled.

    Raises
    ------
    RefusedError
        ``too-large``, ``unsupported-transfer-syntax``, ``no-pixel-data``, or ``decode-failed`` where the decoder
        refuses, or the pixels do not fill the stated shape and bits.
    """
    rows, columns, bits = header.rows or 0, header.columns or 0, header.bits_allocated or 0
    if rows * columns > MAX_PIXELS:
        raise RefusedError(Reason.TOO_LARGE, f"{rows} x {columns} pixels are beyond {MAX_PIXELS}")
    if header.pixels is None:
        raise RefusedError(Reason.NO_PIXEL_DATA)
    if header.transfer_syntax not in SUPPORTED:
        raise RefusedError(Reason.UNSUPPORTED_TRANSFER_SYNTAX, header.transfer_syntax)
    if rows == 0 or columns == 0 or bits not in {8, 16} or header.samples != 1 or header.frames != 1:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "only single frames of one 8- or 16-bit sample are read")
    if header.transfer_syntax in NATIVE:
        raw = _native(data, header, rows, columns, bits)
    else:
        raw = _compressed(data, header, rows, columns, bits)
    return _interpret(raw, stored=header.bits_stored or 0, high=header.high_bit, signed=bool(header.signed))


def _native(data: bytes, header: SliceHeader, rows: int, columns: int, bits: int) -> np.ndarray:
    span = header.pixels
    assert span is not None  # noqa: S101
    needed = rows * columns * bits // 8
    if span.fragments is not None or not needed <= span.length <= needed + needed % 2:
        raise RefusedError(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")
    order = "<" if header.little_endian else ">"
    raw = np.frombuffer(data, np.dtype(f"{order}u{bits // 8}"), rows * columns, span.offset)
    if bits == 8 and not header.little_endian:
        # Eight-bit pixels in OW words of a big-endian file are swapped in pairs, or not (OB): the header cannot tell.
        raise RefusedError(Reason.UNSUPPORTED_TRANSFER_SYNTAX, "8-bit pixels in a big-endian file")
    return raw.astype(raw.dtype.newbyteorder("="), copy=False).reshape(rows, columns)


def _compressed(data: bytes, header: SliceHeader, rows: int, columns: int, bits: int) -> np.ndarray:
    span = header.pixels
    if span is None or not span.fragments:
        raise RefusedError(Reason.DECODE_FAILED, "the syntax is compressed, the pixels are not encapsulated")
    code = b"".join(data[at : at + length] for at, length in span.fragments)
    if header.transfer_syntax == RLE:
        return decode_rle(code, rows, columns, bits // 8)
    size = frame_size(code)
    if size is None or (size.rows, size.columns, size.components) != (rows, columns, 1):
        raise RefusedError(Reason.DECODE_FAILED, "the compressed frame is not of the stated shape, or has no end")
    raw = _decode(header.transfer_syntax, code)
    if raw.shape != (rows, columns) or raw.dtype.kind not in "ui" or raw.dtype.itemsize > bits // 8:
        raise RefusedError(Reason.DECODE_FAILED, "the decoded frame is not of the stated shape and bits")
    if raw.dtype.kind == "i" and not header.signed:
        raise RefusedError(Reason.DECODE_FAILED, "the compressed frame is signed, the header says unsigned")
    if raw.dtype.itemsize < bits // 8:
        return raw.astype(np.int16 if raw.dtype.kind == "i" else np.uint16).view(np.uint16)
    return raw.view(f"u{bits // 8}")


def _decode(syntax: str, code: bytes) -> np.ndarray:
    import imagecodecs

    # OpenJPEG also reads HTJ2K, and unlike OpenJPH it refuses a stream that was cut short.
    name = "jpeg8_decode" if syntax in JPEG_LOSSLESS else "jpegls_decode" if syntax in JPEG_LS else "jpeg2k_decode"
    decode: Any = getattr(imagecodecs, name)
    try:
        return np.asarray(decode(code))
    except Exception as error:
        raise RefusedError(Reason.DECODE_FAILED, f"{name}: {type(error).__name__}") from None


def _interpret(raw: np.ndarray, *, stored: int, high: int | None, signed: bool) -> np.ndarray:
    """Sign-extend from ``stored`` bits; bits above them must be empty, or repeat the sign."""
    allocated = raw.dtype.itemsize * 8
    if not 0 < stored <= allocated or high != stored - 1:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, f"{stored} bits of {allocated} ending at bit {high}")
    if stored == allocated:
        return raw.view(f"i{raw.dtype.itemsize}") if signed else raw
    above = raw >> stored
    if not signed:
        if above.any():
            raise RefusedError(Reason.DECODE_FAILED, f"values need more than the stated {stored} bits")
        return raw
    shift = allocated - stored
    values = (raw << shift).view(f"i{raw.dtype.itemsize}") >> shift
    if not np.all((above == 0) | (values.view(raw.dtype) == raw)):
        raise RefusedError(Reason.DECODE_FAILED, f"values need more than the stated {stored} bits")
    return values
