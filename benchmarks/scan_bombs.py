"""Small files that ask a reader for gigabytes, minutes or its life; each comes with the trap it is named after."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from pydicom.encaps import encapsulate
from scan_series import SYNTAXES, data_set, encode

SIDE = 64


def _file(ds: object) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)  # type: ignore[attr-defined]
    return out.getvalue()


def _plane() -> np.ndarray:
    return np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE)


def _encapsulated(syntax: str, code: bytes, **header: int) -> bytes:
    ds = data_set(_plane(), 0, SYNTAXES[syntax])
    ds.PixelData = encapsulate([code])
    for name, value in header.items():
        setattr(ds, name, value)
    return _file(ds)


def _rle(count: int, offsets: list[int], body: bytes) -> bytes:
    return struct.pack("<16I", count, *offsets, *[0] * (15 - len(offsets))) + body


def _siz(code: bytes, *, rows: int | None = None, columns: int | None = None, tile: int | None = None) -> bytes:
    out = bytearray(code)
    for at, value in ((8, columns), (12, rows), (24, tile), (28, tile)):
        if value is not None:
            out[at : at + 4] = value.to_bytes(4, "big")
    return bytes(out)


def _style(code: bytes, *, layers: int | None = None, precinct: int | None = None) -> bytes:
    at = code.index(b"\xff\x52")
    out = bytearray(code)
    if layers is not None:
        out[at + 6 : at + 8] = layers.to_bytes(2, "big")
    if precinct is not None:
        levels = out[at + 9]
        out[at + 4] |= 1
        out[at + 2 : at + 4] = (13 + levels).to_bytes(2, "big")
        out[at + 14 : at + 14] = bytes([precinct] * (levels + 1))
    return bytes(out)


def _sof(code: bytes, rows: int, columns: int) -> bytes:
    at = next(at for at in range(2, len(code)) if code[at] == 0xFF and code[at + 1] in {0xC0, 0xC1, 0xC3, 0xF7})
    return code[: at + 5] + struct.pack(">HH", rows, columns) + code[at + 9 :]


def _nested(depth: int, *, explicit: bool, tag: bytes) -> bytes:
    opener = tag + (b"SQ\0\0" if explicit else b"") + b"\xff\xff\xff\xff"
    return (opener + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * depth


def _deflated(unpacked: int) -> bytes:
    """A deflated data set whose pixels go on for ``unpacked`` bytes; a block that repeats itself makes it quickly."""
    whole = _file(data_set(_plane(), 0, SYNTAXES["explicit"]))
    meta_end = 144 + int.from_bytes(whole[140:144], "little")
    pixels = whole.index(b"\xe0\x7f\x10\x00OW\0\0")
    meta = whole[132:meta_end].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    # The UID grew by two bytes: its own length and the group's must say so.
    at = meta.index(b"\x02\x00\x10\x00UI")
    meta = meta[: at + 6] + struct.pack("<H", 22) + meta[at + 8 :]
    meta = meta[:8] + struct.pack("<I", len(meta) - 12) + meta[12:]
    packer = zlib.compressobj(9, wbits=-15)
    head = packer.compress(whole[meta_end:pixels] + b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", unpacked))
    head += packer.flush(zlib.Z_FULL_FLUSH)
    block = zlib.compressobj(9, wbits=-15)
    unit = block.compress(bytes(2**24)) + block.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, wbits=-15)
    return whole[:132] + meta + head + unit * (unpacked // 2**24) + end.flush()


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield each bomb's name and file."""
    plane = _plane()
    j2k, lossless = encode(plane, SYNTAXES["JPEG 2000"]), encode(plane, SYNTAXES["JPEG Lossless"])
    htj2k, jpegls = encode(plane, SYNTAXES["HTJ2K"]), encode(plane, SYNTAXES["JPEG-LS"])
    runs = b"\x81\0" * 5000
    yield "RLE: 20 KB of runs for a tiny frame", _encapsulated("RLE", _rle(2, [64, 10064], runs * 2))
    yield "RLE: offsets beyond the end", _encapsulated("RLE", _rle(2, [64, 0xFFFFFFF0], runs))
    yield "RLE: offsets that run backwards", _encapsulated("RLE", _rle(2, [9000, 64], runs))
    yield "RLE: no segments", _encapsulated("RLE", _rle(0, [], b""))
    yield "RLE: 2^32 - 1 segments", _encapsulated("RLE", _rle(0xFFFFFFFF, [64] * 15, runs))
    yield "RLE: 20 KB, 65,535² pixels", _encapsulated("RLE", _rle(2, [64, 10064], runs * 2), Rows=65535, Columns=65535)
    yield "RLE: a header cut short", _encapsulated("RLE", b"\2\0\0\0")
    huge = _siz(j2k, rows=60000, columns=60000)
    yield "JPEG 2000: 60,000² in the stream", _encapsulated("JPEG 2000", huge)
    yield "JPEG 2000: 60,000² in both", _encapsulated("JPEG 2000", huge, Rows=60000, Columns=60000)
    for side in (4096, 16384):
        vast = _siz(j2k, rows=side, columns=side, tile=side)
        yield f"JPEG 2000: {side:,}² in both, one tile", _encapsulated("JPEG 2000", vast, Rows=side, Columns=side)
    yield "JPEG 2000: tiles of one pixel", _encapsulated("JPEG 2000", _siz(j2k, tile=1))
    yield "JPEG 2000: 65,535 layers", _encapsulated("JPEG 2000", _style(j2k, layers=65535))
    yield "JPEG 2000: precincts of one pixel", _encapsulated("JPEG 2000", _style(j2k, precinct=0))
    yield "HTJ2K: 60,000² in the stream", _encapsulated("HTJ2K", _siz(htj2k, rows=60000, columns=60000))
    yield "JPEG Lossless: 65,535² in the stream", _encapsulated("JPEG Lossless", _sof(lossless, 65535, 65535))
    yield (
        "JPEG Lossless: 65,535² in both",
        _encapsulated("JPEG Lossless", _sof(lossless, 65535, 65535), Rows=65535, Columns=65535),
    )
    yield "JPEG-LS: 65,535² in the stream", _encapsulated("JPEG-LS", _sof(jpegls, 65535, 65535))
    yield (
        "JPEG Lossless: a frame of 4 MB",
        _encapsulated("JPEG Lossless", lossless[:-2] + bytes(2**22) + lossless[-2:]),
    )
    yield "deflate: 1.6 MB to 1.6 GB", _deflated(1600 * 2**20)
    plain = _file(data_set(plane, 0, SYNTAXES["explicit"]))
    pixels = plain.index(b"\xe0\x7f\x10\x00OW\0\0")
    yield "5,000 nested sequences", plain[:pixels] + _nested(5000, explicit=True, tag=b"\x40\x00\x75\x02")
    yield "5,000 nested functional groups", plain[:pixels] + _nested(5000, explicit=True, tag=b"\x00\x52\x29\x92")
    for name, rows, frames in (("65,535² pixels, native", 65535, 1), ("2^31 - 1 frames, native", SIDE, 2**31 - 1)):
        ds = data_set(plane, 0, SYNTAXES["explicit"])
        ds.Rows = ds.Columns = rows
        ds.NumberOfFrames = frames
        if frames > 1:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
        yield name, _file(ds)
