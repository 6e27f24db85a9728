from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels.encoders import RLELosslessEncoder

from pipelines.scans.rle import decode_rle


def packed(*planes: bytes) -> bytes:
    offsets = [64 + sum(map(len, planes[:index])) for index in range(len(planes))]
    return struct.pack("<16I", len(planes), *offsets, *[0] * (15 - len(planes))) + b"".join(planes)


@given(st.integers(1, 9), st.integers(1, 200), st.sampled_from([1, 2]), st.integers(0, 2**32), st.booleans())
def test_rle_undoes_what_pydicom_packs(rows: int, columns: int, width: int, seed: int, runs: bool) -> None:
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 3 if runs else 256**width, (rows, columns)).astype(f"<u{width}")
    code = RLELosslessEncoder.encode(
        frame.tobytes(),
        rows=rows,
        columns=columns,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=8 * width,
        bits_stored=8 * width,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
    )

    np.testing.assert_array_equal(decode_rle(bytes(code), rows, columns, width), frame)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_or_fill_the_frame(code: bytes) -> None:
    with suppress(ValueError):
        assert decode_rle(code, 4, 4, 2).shape == (4, 4)


def test_the_example_of_the_standard_is_read() -> None:
    # PS3.5, annex G.3.1: a literal run, then a run of one value.
    np.testing.assert_array_equal(decode_rle(packed(b"\x02abc\xfed"), 1, 6, 1), [list(b"abcddd")])


def test_the_first_plane_is_the_most_significant() -> None:
    assert decode_rle(packed(b"\x00\x12", b"\x00\x34"), 1, 1, 2)[0, 0] == 0x1234


@pytest.mark.parametrize("pad", [b"", b"\x00", b"\x80"])
def test_a_padding_byte_after_the_last_run_is_none_of_the_frame(pad: bytes) -> None:
    assert decode_rle(packed(b"\x00A" + pad), 1, 1, 1)[0, 0] == ord("A")


@pytest.mark.parametrize(
    "code",
    [
        b"\x01\0\0\0",
        packed(b"\x05AB"),
        packed(b"\xff"),
        packed(b"\x00A"),
        packed(b"\x81A" * 3),
        packed(b"\x02abc", b"\x02abc"),
        struct.pack("<16I", 1, 60, *[0] * 14) + b"\x02abc",
        struct.pack("<16I", 2, 68, 64, *[0] * 13) + b"\x02abc\x02abc",
        struct.pack("<16I", 2**32 - 1, *[64] * 15) + b"\x02abc",
    ],
    ids=[
        "a header cut short",
        "a literal run cut short",
        "a repeat without its value",
        "too few bytes",
        "too many bytes",
        "a plane too many",
        "a plane inside the header",
        "planes that run backwards",
        "more planes than there can be",
    ],
)
def test_a_damaged_frame_is_refused(code: bytes) -> None:
    with pytest.raises(ValueError, match="RLE"):
        decode_rle(code, 1, 3, 1)
