"""The walk over a file's length fields, held against pydicom, truncation and hostility."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_files

from data_schemas.reasons import Reason
from pipelines.scans import elements
from pipelines.scans.elements import PIXEL_DATA, Elements, parse_elements
from pipelines.scans.headers import WANTED, read_header
from pipelines.scans.window import FIRST_BYTES, Window

SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.70"]


@pytest.fixture(scope="module")
def nested() -> bytes:
    """A file with a sequence of undefined length, in bytes written by hand."""
    inner = struct.pack("<HH2sH", 0x0008, 0x0102, b"SH", 2) + b"IN"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + item
    sequence += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    tail = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 4) + b"7788"
    return bytes(128) + b"DICM" + sequence + tail


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_values_and_pixels_are_where_pydicom_finds_them(series: Callable[..., Path], syntax: str) -> None:
    for path in sorted(series(syntax=syntax).iterdir())[:3]:
        data = path.read_bytes()
        expected = pydicom.dcmread(path)
        found = parse_elements(data, WANTED)

        assert found.fault is None
        assert found.syntax == syntax
        assert found.values[0x00080005].strip() == expected.SpecificCharacterSet.encode()
        for tag in WANTED - {0x00080005}:
            raw = expected.get_item(tag)
            assert found.values.get(tag) == (None if raw is None else raw.value), f"{tag:08x}"
        pixels = found.pixels
        assert pixels is not None
        if pixels.fragments is None:
            assert data[pixels.offset : pixels.offset + pixels.length] == expected.PixelData


def test_a_sequence_of_undefined_length_is_stepped_over(nested: bytes) -> None:
    found = parse_elements(nested, {0x00100020, 0x00080102})

    assert found.values == {0x00100020: b"7788"}


def test_a_tower_of_sequences_is_walked_without_recursion() -> None:
    level = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    level += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    found = parse_elements(bytes(128) + b"DICM" + level * 50_000, WANTED)

    assert found.fault is Reason.TOO_LARGE
    assert "deeper" in found.detail


def test_an_element_that_occurs_twice_is_refused() -> None:
    twice = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 2) + b"A "
    twice += struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 2) + b"B "

    assert parse_elements(bytes(128) + b"DICM" + twice, WANTED).fault is Reason.NOT_DICOM


def test_an_encapsulated_frame_without_its_end_is_truncated(series: Callable[..., Path]) -> None:
    path = min(series(syntax="1.2.840.10008.1.2.4.70").iterdir())
    data = path.read_bytes()

    assert parse_elements(data, WANTED).fault is None
    assert parse_elements(data[:-8], WANTED).fault is Reason.TRUNCATED


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_cut_anywhere_never_passes_as_whole(series: Callable[..., Path], syntax: str) -> None:
    data = min(series(syntax=syntax).iterdir()).read_bytes()
    for length in [*range(132, 1500, 7), len(data) // 2, len(data) - 1]:
        found = parse_elements(data[:length], WANTED)
        assert found.fault is Reason.TRUNCATED or found.pixels is None, f"cut at {length} passed"


def through_a_window(path: Path, wanted: frozenset[int] = WANTED) -> tuple[Elements, int]:
    """The elements of a file that is read piece by piece, and how many bytes were read."""
    handle = os.open(path, os.O_RDONLY)
    try:
        window = Window(handle=handle, size=path.stat().st_size)
        return parse_elements(window, wanted), window.bytes_read
    finally:
        os.close(handle)


@pytest.mark.parametrize("path", [path for path in sorted(map(Path, get_testdata_files())) if path.is_file()])
def test_a_window_shows_what_the_whole_file_holds_and_pydicom_finds(path: Path) -> None:
    data = path.read_bytes()
    whole = parse_elements(data, WANTED)

    assert through_a_window(path)[0] == whole
    if whole.fault is None and len(data) < 2**20:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = pydicom.dcmread(path, force=True)
            for tag in whole.values.keys() - {0x00080005, 0x00283000, 0x52009229, 0x52009230} - set(range(0x30000)):
                raw = expected.get_item(tag).value
                value = raw if isinstance(raw, bytes) else b"" if raw is None else str(raw).encode()
                assert whole.values[tag].strip(b" \0") == value.strip(b" \0")


def test_of_a_large_file_only_the_header_is_read(series: Callable[..., Path]) -> None:
    path = min(series(values=np.zeros((5, 512, 512), np.int16)).iterdir())
    found, read = through_a_window(path)

    assert found.pixels is not None
    assert found.pixels.length == 512 * 512 * 2
    assert read == FIRST_BYTES


def test_values_that_are_not_wanted_are_stepped_over(tmp_path: Path) -> None:
    long = struct.pack("<HH2sHI", 0x0029, 0x1010, b"OB", 0, 2**22) + bytes(2**22)
    path = tmp_path / "x.dcm"
    path.write_bytes(bytes(128) + b"DICM" + long + struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 4) + b"7788")
    found, read = through_a_window(path)

    assert found.values == {0x00100020: b"7788"}
    assert read <= 2 * FIRST_BYTES


def test_the_fragments_of_a_large_frame_are_stepped_over(tmp_path: Path) -> None:
    fragment = struct.pack("<HHI", 0xFFFE, 0xE000, 2**20) + bytes(2**20)
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    path = tmp_path / "x.dcm"
    path.write_bytes(bytes(128) + b"DICM" + pixels + fragment * 8 + end)
    found, read = through_a_window(path)

    assert found.pixels is not None
    assert [size for _, size in found.pixels.fragments or ()] == [2**20] * 8
    assert read <= 12 * FIRST_BYTES


def test_a_file_that_shrinks_while_it_is_read_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    path.write_bytes(bytes(128) + b"DICM" + struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 40) + bytes(20))
    for size in (180, 190):
        handle = os.open(path, os.O_RDONLY)
        found = parse_elements(Window(handle=handle, size=size), WANTED)
        os.close(handle)
        assert found.fault is Reason.TRUNCATED


def element(tag: int, vr: bytes, length: int) -> bytes:
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length)


BROKEN = {
    "a wanted value of a gigabyte": (element(0x00104000, b"UT", 2**30), 2**31, Reason.TOO_LARGE),
    "an item outside of a sequence": (struct.pack("<HHI", 0xFFFE, 0xE000, 0), 0, Reason.NOT_DICOM),
    "an unknown representation": (
        struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 0) + struct.pack("<HH2sH", 0x0029, 0x1010, b"ZZ", 0),
        0,
        Reason.NOT_DICOM,
    ),
    "a sequence that is no items": (element(0x00081140, b"SQ", 0xFFFFFFFF) + bytes(8), 0, Reason.NOT_DICOM),
    "pixels that are no items": (element(0x7FE00010, b"OB", 0xFFFFFFFF) + bytes(8), 0, Reason.NOT_DICOM),
    "an endless item of pixels": (
        element(0x7FE00010, b"OB", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF),
        0,
        Reason.NOT_DICOM,
    ),
}


@pytest.mark.parametrize(("content", "size", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_malformed_header_is_a_fault(tmp_path: Path, content: bytes, size: int, reason: Reason) -> None:
    path = tmp_path / "x.dcm"
    with path.open("wb") as stream:
        stream.write(bytes(128) + b"DICM" + content)
        stream.truncate(max(size, stream.tell()))

    assert through_a_window(path, frozenset({0x00104000}))[0].fault is reason


def test_a_header_of_endless_elements_and_a_frame_of_endless_fragments_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elements, "MAX_ELEMENTS", 50)
    monkeypatch.setattr(elements, "MAX_FRAGMENTS", 10)
    many = struct.pack("<HH2sH", 0x0029, 0x1010, b"LO", 0) * 51
    pixels = element(0x7FE00010, b"OB", 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 12

    for content in (many, pixels):
        assert parse_elements(bytes(128) + b"DICM" + content, WANTED).fault is Reason.TOO_LARGE


def test_private_elements_and_values_of_unknown_meaning_are_stepped_over() -> None:
    inner = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<HHI", 0x0029, 0x1011, 0)
    sequence = element(0x00291010, b"UN", 0xFFFFFFFF) + inner + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    content = sequence + element(0x00291020, b"UN", 6) + b"secret" + struct.pack("<HH2sH", 0x0040, 0, b"LO", 0)

    found = parse_elements(bytes(128) + b"DICM" + content, frozenset({0x00291020}))

    assert (found.fault, found.values, found.unknown) == (None, {0x00291020: b"secret"}, {0x00291020})


@given(st.binary(max_size=400))
def test_no_bytes_whatever_raise(data: bytes) -> None:
    read_header(data)
    read_header(bytes(128) + b"DICM" + data)


@given(st.data())
def test_flipped_bytes_of_a_real_header_never_raise(data: st.DataObject) -> None:
    whole = _a_header()
    at = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255))

    read_header(whole[:at] + bytes([value]) + whole[at + 1 :])


def _a_header() -> bytes:
    def element(tag: int, vr: bytes, value: bytes) -> bytes:
        return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value

    return (
        bytes(128)
        + b"DICM"
        + element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")
        + element(0x00080005, b"CS", b"ISO_IR 192")
        + element(0x00080020, b"DA", b"20240101")
        + element(0x00080030, b"TM", b"101010")
        + element(0x00100010, b"PN", "Mü^A".encode() + b" ")
        + element(0x00101010, b"AS", b"042Y")
        + element(0x00200032, b"DS", b"1\\2\\3 ")
        + element(0x00280010, b"US", b"\x08\0")
        + struct.pack("<HH2sHI", PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF, b"OW", 0, 8)
        + bytes(8)
    )
