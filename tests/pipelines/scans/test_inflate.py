"""Deflated files: unpacked right, and bombs refused before they go off."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import SeriesStatus
from pipelines.scans.elements import DEFLATED
from pipelines.scans.headers import read_header
from pipelines.scans.index import index_paths
from pipelines.scans.inflate import data_set
from pipelines.scans.read import read_volume


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    if vr in {b"OB", b"OW", b"UN"}:
        return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + value
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, size) + value


META = bytes(128) + b"DICM" + element(0x00020010, b"UI", DEFLATED.encode() + b"\0" * (len(DEFLATED) % 2))
# A test run shares its processors: what takes 20 ms alone may wait for its turn.
BUSY = 3
UID = element(0x0020000E, b"UI", b"1.2.3\0")


def shape(rows: int, columns: int, frames: int = 1) -> bytes:
    return (
        element(0x00280002, b"US", struct.pack("<H", 1))
        + element(0x00280008, b"IS", f"{frames:<6}".encode())
        + element(0x00280010, b"US", struct.pack("<H", rows))
        + element(0x00280011, b"US", struct.pack("<H", columns))
        + element(0x00280100, b"US", struct.pack("<H", 16))
    )


def zeros(packed_bytes: int) -> bytes:
    """About that many bytes of deflate blocks, each of a mebibyte of zeros in about a kilobyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(b"")
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (packed_bytes // len(block))


def packed(head: bytes, *, bomb: int) -> bytes:
    """A deflated file that begins with ``head`` and goes on with ``bomb`` packed bytes of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    return META + start + zeros(bomb) + zlib.compress(b"", wbits=-15)


BOMBS = {
    "a shape of 3 GB": UID + shape(4096, 4096, 96) + element(0x7FE00010, b"OW", b"", 3 * 2**30),
    "more than its shape needs": UID + shape(64, 64) + element(0x7FE00010, b"OW", b"", 64 * 64 * 2),
    "a pixel length beyond its shape": UID + shape(64, 64) + element(0x7FE00010, b"OW", b"", 3 * 2**30),
    "a header that does not end": UID + element(0x00290010, b"UN", b"", 3 * 2**30),
    "a long header and a small shape": UID
    + element(0x00290010, b"UN", bytes(70_000))
    + shape(16, 16)
    + element(0x7FE00010, b"OW", b"", 16 * 16 * 2),
    "a shape of many small frames": UID + shape(512, 512, 5000) + element(0x7FE00010, b"OW", b"", 5000 * 2**19),
}


@pytest.mark.parametrize("head", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_at_once_and_in_little_memory(head: bytes) -> None:
    data = packed(head, bomb=1_600_000)
    tracemalloc.start()
    try:
        began = time.perf_counter()
        with pytest.raises(RefusedError) as refused:
            data_set(data)
        seconds, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert refused.value.reason is Reason.TOO_LARGE
    assert peak < 64e6
    assert seconds < 0.1 * BUSY


def test_a_refused_file_still_says_which_series_it_is_of() -> None:
    header = read_header(packed(BOMBS["more than its shape needs"], bomb=100_000))

    assert (header.fault, header.series_uid) == (Reason.TOO_LARGE, "1.2.3")


def test_a_real_file_has_the_pixels_that_pydicom_finds() -> None:
    path = Path(get_testdata_file("image_dfl.dcm"))
    data = path.read_bytes()
    header = read_header(data)

    assert header.pixels is not None
    assert (header.transfer_syntax, header.fault) == (DEFLATED, None)
    whole = data_set(data)
    expected = pydicom.dcmread(path)
    assert whole[header.pixels.offset : header.pixels.offset + header.pixels.length] == expected.PixelData
    assert header.rows == expected.Rows


def test_any_other_file_comes_back_as_it_is(series: Callable[..., Path]) -> None:
    data = min(series().iterdir()).read_bytes()

    assert data_set(data) == data


def test_a_deflated_series_is_the_same_volume_as_a_plain_one(tmp_path: Path, writer: Callable[..., np.ndarray]) -> None:
    values = writer(tmp_path, syntax=DEFLATED)

    (entry,) = index_paths(tmp_path).series

    assert (entry.status, entry.transfer_syntax) == (SeriesStatus.ACCEPTED, DEFLATED)
    np.testing.assert_array_equal(read_volume(entry.scans[0]), values.astype(np.float32))


def test_a_deflated_file_cut_anywhere_is_truncated(series: Callable[..., Path]) -> None:
    data = min(series(syntax=DEFLATED).iterdir()).read_bytes()
    for length in range(400, len(data) - 8, 37):
        with pytest.raises(RefusedError) as refused:
            data_set(data[:length])
        assert refused.value.reason is Reason.TRUNCATED


def test_a_deflated_file_beyond_the_limit_is_refused_unpacked(
    series: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = min(series(syntax=DEFLATED).iterdir()).read_bytes()
    for module in ("inflate", "headers"):
        monkeypatch.setattr(f"pipelines.scans.{module}.MAX_DEFLATED_BYTES", 1000)

    assert outcome(data) is Reason.TOO_LARGE
    assert read_header(data).fault is Reason.TOO_LARGE


def test_a_shape_that_so_few_bytes_cannot_hold_is_refused() -> None:
    head = UID + shape(512, 512, 200) + element(0x7FE00010, b"OW", b"", 200 * 2**19)

    assert outcome(packed(head, bomb=100_000)) is Reason.TOO_LARGE


def test_a_broken_meta_group_is_refused() -> None:
    assert outcome(META[:140]) is Reason.TRUNCATED


def outcome(data: bytes) -> Reason | None:
    """What `data_set` refuses a file for; anything but a refusal is an error of the test."""
    try:
        data_set(data)
    except RefusedError as refused:
        return refused.reason
    return None


@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_but_a_refusal(data: bytes) -> None:
    expected = {None, Reason.TRUNCATED, Reason.DECODE_FAILED, Reason.NOT_DICOM, Reason.TOO_LARGE}

    assert outcome(META + data) in expected
    assert read_header(META + data).path == ""


@given(st.binary(max_size=300))
def test_no_data_set_whatever_raises_anything_but_a_refusal(content: bytes) -> None:
    data = META + zlib.compress(content, wbits=-15)

    assert outcome(data) in {None, Reason.NOT_DICOM, Reason.TOO_LARGE}
    assert read_header(data).path == ""
