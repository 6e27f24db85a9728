from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.scans.codestream import BASELINE, EXTENDED, LOSSLESS, NEAR_LOSSLESS, frame_size

FRAME = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)


def j2k(**options: object) -> bytes:
    return imagecodecs.jpeg2k_encode(FRAME, level=0, codecformat="j2k", reversible=True, **options)


@pytest.mark.parametrize(
    ("code", "process"),
    [
        (imagecodecs.jpeg8_encode(FRAME.astype(np.uint8), level=90), BASELINE),
        (imagecodecs.jpeg8_encode(FRAME, level=90, bitspersample=12), EXTENDED),
        (imagecodecs.jpeg8_encode(FRAME, lossless=True), LOSSLESS),
        (imagecodecs.jpegls_encode(FRAME), NEAR_LOSSLESS),
        (j2k(), 0),
        (imagecodecs.htj2k_encode(FRAME), 0),
    ],
    ids=["JPEG baseline", "JPEG extended", "JPEG Lossless", "JPEG-LS", "JPEG 2000", "HTJ2K"],
)
def test_a_stream_states_the_size_it_was_made_with(code: bytes, process: int) -> None:
    size = frame_size(code)

    assert size is not None
    assert (size.rows, size.columns, size.components, size.process) == (48, 40, 1, process)
    assert size.precision == {BASELINE: 8, EXTENDED: 12, LOSSLESS: 12}.get(process, 16)


def test_tiles_are_counted_before_anything_is_decoded() -> None:
    code = bytearray(j2k())
    whole = frame_size(bytes(code))
    code[24:32] = (16).to_bytes(4, "big") * 2
    tiled = frame_size(bytes(code))

    assert whole is not None
    assert tiled is not None
    assert tiled.parts >= 9 * (whole.parts // 2)


def test_layers_and_precincts_are_counted_before_anything_is_decoded() -> None:
    code = bytearray(j2k(resolutions=1))
    at = code.index(b"\xff\x52")
    code[at + 6 : at + 8] = (65535).to_bytes(2, "big")
    levels = code[at + 9]
    code[at + 2 : at + 4] = (13 + levels).to_bytes(2, "big")
    code[at + 4] |= 1
    code[at + 14 : at + 14] = bytes(levels + 1)  # precincts of one sample
    size = frame_size(bytes(code))

    assert size is not None
    assert size.layers == 65535
    assert size.parts >= 48 * 40


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, 0), (12, 0), (24, 0), (28, 0), (43, 2), (32, 5), (16, 2**32 - 1)],
    ids=["no columns", "no rows", "tiles of no width", "tiles of no height", "subsampled", "tiles outside", "offset"],
)
def test_an_absurd_jpeg_2000_size_is_no_size(at: int, value: int) -> None:
    code = bytearray(j2k())
    width = 1 if at == 43 else 4
    code[at : at + width] = value.to_bytes(width, "big")

    assert frame_size(bytes(code)) is None


def test_a_jpeg_2000_stream_without_its_coding_style_or_with_two_is_none() -> None:
    code = j2k()
    at = code.index(b"\xff\x52")
    style = code[at : at + 14]

    assert frame_size(code.replace(b"\xff\x52", b"\xff\x64")) is None
    assert frame_size(code[:at] + style + code[at:]) is None


@pytest.mark.parametrize("code", [j2k()[:-2], b"", b"\xff\xd9", b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51\xff\xd9"])
def test_a_stream_without_an_end_or_a_frame_is_none(code: bytes) -> None:
    assert frame_size(code) is None


def test_segments_before_the_frame_are_stepped_over() -> None:
    code = imagecodecs.jpeg8_encode(FRAME, lossless=True)
    padded = code[:2] + b"\xff\xff\xe5\x00\x06\xff\xc3\x00\x08" + code[2:]

    assert frame_size(padded) == frame_size(code)


@given(st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51", j2k()[:60]]), st.binary(max_size=80), st.booleans())
def test_the_stated_size_of_any_bytes_is_a_size_or_none(start: bytes, body: bytes, end: bool) -> None:
    frame_size(start + body + (b"\xff\xd9" if end else b""))
