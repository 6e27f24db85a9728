"""The stored pixel values of one frame, by transfer syntax; nothing is decoded before its size is known.

Native pixels are taken as they lie. Compressed ones are decoded in a child process (`pipelines.scans.pool`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.codestream import BASELINE, EXTENDED, LOSSLESS, NEAR_LOSSLESS, FrameSize, frame_size
from pipelines.scans.elements import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, PixelSpan
from pipelines.scans.pool import DecoderPool, default_pool
from pipelines.scans.rle import segments
from pipelines.scans.slice_header import SliceHeader

NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
RLE = "1.2.840.10008.1.2.5"
JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
HTJ2K = frozenset({"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"})
# Whatever the header says of it, these lose something: a scan of them carries the remark `lossy`.
LOSSY = frozenset({JPEG_BASELINE, JPEG_EXTENDED})
SUPPORTED = NATIVE | LOSSY | {RLE} | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | HTJ2K

# A CT detector row is 512 to 2048 pixels; 16 megapixels leave room and keep a bomb small.
MAX_PIXELS = 4096 * 4096
# No honest codestream is larger than twice its frame; the rest is tables and comments.
_MAX_CODE_RATIO = 2
_CODE_EXTRA = 64 * 1024
# Tiles and precincts of fewer samples than this (on the average), and more layers, are a bomb and no picture.
_SAMPLES_PER_PART = 64
_PARTS_EXTRA = 256
_MAX_LAYERS = 256

_CODECS = {RLE: "rle", JPEG_BASELINE: "jpeg", JPEG_EXTENDED: "jpeg"}
_CODECS |= dict.fromkeys(JPEG_LOSSLESS, "jpeg") | dict.fromkeys(JPEG_LS, "jpegls")
# OpenJPH decodes HTJ2K twice as fast as OpenJPEG, but fills up what was cut off, and segfaults on damaged streams
# (13 of 40,000 mutants); OpenJPEG refuses both.
_CODECS |= dict.fromkeys(JPEG_2000 | HTJ2K, "jpeg2k")
_PROCESSES = {JPEG_BASELINE: {BASELINE}, JPEG_EXTENDED: {BASELINE, EXTENDED}}
_PROCESSES |= {syntax: {LOSSLESS} for syntax in JPEG_LOSSLESS} | {syntax: {NEAR_LOSSLESS} for syntax in JPEG_LS}

ReadBytes = Callable[[int, int], bytes]


def decode_pixels(data: bytes, header: SliceHeader, *, pool: DecoderPool | None = None) -> np.ndarray:
    """Decode one frame of a file held in memory.

    Parameters
    ----------
    data
        The whole file.
    header
        Of the frame, as read from these bytes.
    pool
        Who decodes compressed pixels; the process's own pool if None.

    Returns
    -------
    numpy.ndarray
        Stored values [rows, columns], integers of 8 or 16 bits, signed as the header says, not rescaled.

    Raises
    ------
    RefusedError
        ``too-large``, ``unsupported-transfer-syntax``, ``no-pixel-data``, ``decoder-died``, or ``decode-failed`` where
        the decoder refuses, or the pixels do not fill the stated shape and bits.
    """
    if header.transfer_syntax == DEFLATED:
        from pipelines.scans.inflate import data_set

        data = data_set(data)
    return decode_frame(lambda at, length: data[at : at + length], header, pool=pool)


def decode_frame(read: ReadBytes, header: SliceHeader, *, pool: DecoderPool | None = None) -> np.ndarray:
    """Decode one frame whose bytes ``read(offset, length)`` gives; otherwise as `decode_pixels`."""
    rows, columns, bits = header.rows or 0, header.columns or 0, header.bits_allocated or 0
    span = header.pixels
    if rows * columns > MAX_PIXELS:
        raise RefusedError(Reason.TOO_LARGE, f"{rows} x {columns} pixels are beyond {MAX_PIXELS}")
    if span is None:
        raise RefusedError(Reason.NO_PIXEL_DATA)
    if header.transfer_syntax not in SUPPORTED:
        raise RefusedError(Reason.UNSUPPORTED_TRANSFER_SYNTAX, header.transfer_syntax)
    if rows == 0 or columns == 0 or bits not in {8, 16} or header.samples != 1:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, "only frames of one 8- or 16-bit sample are read")
    if header.transfer_syntax in NATIVE:
        raw = _native(read, span, header.little_endian, rows, columns, bits)
    else:
        raw = _compressed(read, span, header, rows, columns, bits, pool)
    return _interpret(raw, stored=header.bits_stored or 0, high=header.high_bit, signed=bool(header.signed))


def _native(read: ReadBytes, span: PixelSpan, little: bool, rows: int, columns: int, bits: int) -> np.ndarray:
    needed = rows * columns * bits // 8
    if span.fragments is not None or not needed <= span.length <= needed + needed % 2:
        raise RefusedError(Reason.DECODE_FAILED, f"the pixels take {span.length} bytes; their shape needs {needed}")
    if bits == 8 and not little:
        # Eight-bit pixels in OW words of a big-endian file are swapped in pairs, or not (OB): the header cannot tell.
        raise RefusedError(Reason.UNSUPPORTED_TRANSFER_SYNTAX, "8-bit pixels in a big-endian file")
    data = read(span.offset, needed)
    if len(data) != needed:
        raise RefusedError(Reason.DECODE_FAILED, "the file ends inside its pixels")
    raw = np.frombuffer(data, np.dtype(f"{'<' if little else '>'}u{bits // 8}"))
    return raw.astype(raw.dtype.newbyteorder("="), copy=False).reshape(rows, columns)


def _compressed(
    read: ReadBytes, span: PixelSpan, header: SliceHeader, rows: int, columns: int, bits: int, pool: DecoderPool | None
) -> np.ndarray:
    if not span.fragments:
        raise RefusedError(Reason.DECODE_FAILED, "the syntax is compressed, the pixels are not encapsulated")
    sample_bytes = bits // 8
    most = _MAX_CODE_RATIO * rows * columns * sample_bytes + _CODE_EXTRA
    if sum(length for _, length in span.fragments) > most:
        raise RefusedError(Reason.TOO_LARGE, f"the compressed frame is beyond {most} bytes")
    code = b"".join(read(at, length) for at, length in span.fragments)
    syntax = header.transfer_syntax
    codec = _CODECS[syntax]
    size = None
    if syntax == RLE:
        try:
            segments(code, sample_bytes)
        except ValueError as error:
            raise RefusedError(Reason.DECODE_FAILED, str(error)) from None
    else:
        size = frame_size(code)
        _check_size(size, syntax, rows, columns, bits)
    decoder = pool or default_pool()
    raw = decoder.decode(codec, code, rows=rows, columns=columns, sample_bytes=sample_bytes)
    if raw.dtype.kind == "i" and not header.signed:
        raise RefusedError(Reason.DECODE_FAILED, "the compressed frame is signed, the header says unsigned")
    precision = size.precision if size else bits
    narrow = header.signed and raw.dtype.kind == "u" and precision < (header.bits_stored or 0)
    if narrow and int(raw.max()) >> (precision - 1):
        # Two's complement in fewer bits than stated, or large positive values: the stream does not tell.
        raise RefusedError(Reason.DECODE_FAILED, "the frame holds fewer bits than stated, and hides their sign")
    if raw.dtype.itemsize < sample_bytes:
        return raw.astype(np.int16 if raw.dtype.kind == "i" else np.uint16).view(np.uint16)
    return raw.view(f"u{sample_bytes}")


def _check_size(size: FrameSize | None, syntax: str, rows: int, columns: int, bits: int) -> None:
    """Refuse a codestream that is not what the header says, before a decoder takes memory for it."""
    if size is None or (size.rows, size.columns, size.components) != (rows, columns, 1) or size.precision > bits:
        raise RefusedError(Reason.DECODE_FAILED, "the compressed frame is not of the stated shape, or has no end")
    if syntax in _PROCESSES and size.process not in _PROCESSES[syntax]:
        raise RefusedError(Reason.DECODE_FAILED, "the compressed frame is of another coding process than stated")
    if size.parts > rows * columns // _SAMPLES_PER_PART + _PARTS_EXTRA or size.layers > _MAX_LAYERS:
        raise RefusedError(Reason.TOO_LARGE, f"{size.parts} tiles and precincts, {size.layers} layers")


def _interpret(raw: np.ndarray, *, stored: int, high: int | None, signed: bool) -> np.ndarray:
    """Sign-extend from ``stored`` bits; bits above them must be empty, or repeat the sign."""
    allocated = raw.dtype.itemsize * 8
    if not 0 < stored <= allocated or high != stored - 1:
        raise RefusedError(Reason.UNSUPPORTED_OBJECT, f"{stored} bits of {allocated} ending at bit {high}")
    if stored == allocated:
        return raw.view(f"i{raw.dtype.itemsize}") if signed else raw
    if not signed:
        # One pass without a temporary: this is the common path.
        if int(raw.max()) >> stored:
            raise RefusedError(Reason.DECODE_FAILED, f"values need more than the stated {stored} bits")
        return raw
    above = raw >> stored
    shift = allocated - stored
    values = (raw << shift).view(f"i{raw.dtype.itemsize}") >> shift
    if not np.all((above == 0) | (values.view(raw.dtype) == raw)):
        raise RefusedError(Reason.DECODE_FAILED, f"values need more than the stated {stored} bits")
    return values
