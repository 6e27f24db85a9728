"""The walk over a file's length fields, held against pydicom, truncation and hostility."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.reasons import Reason
from pipelines.scans.elements import PIXEL_DATA, parse_elements
from pipelines.scans.headers import WANTED, read_header

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

    assert found.fault is Reason.TRUNCATED


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
