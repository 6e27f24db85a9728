from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.pixels.utils import pixel_array

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.codestream import frame_size
from pipelines.scans.decode import decode_pixels
from pipelines.scans.headers import SliceHeader, read_header
from pipelines.scans.rle import decode_rle

PREFIX = "1.2.840.10008.1.2"
COMPRESSED = [f"{PREFIX}.4.{code}" for code in (57, 70, 80, 81, 90, 91, 201, 202, 203)]
SYNTAXES = [PREFIX, f"{PREFIX}.1", f"{PREFIX}.2", f"{PREFIX}.5", *COMPRESSED]


def one(folder: Path) -> tuple[bytes, SliceHeader]:
    data = min(folder.iterdir()).read_bytes()
    return data, read_header(data)


def refusal(data: bytes, header: SliceHeader) -> Reason:
    with pytest.raises(RefusedError) as caught:
        decode_pixels(data, header)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_gives_the_values_that_were_written(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray], syntax: str
) -> None:
    first = np.argmin(np.random.default_rng(3).permutation(24))
    data, header = one(series(syntax=syntax))

    decoded = decode_pixels(data, header)

    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, hounsfield()[first].astype(int) + 1024)


@pytest.mark.parametrize("syntax", [PREFIX, f"{PREFIX}.2", f"{PREFIX}.5"])
@pytest.mark.parametrize(("stored", "low"), [(12, -2048), (16, -32768)])
def test_signed_values_are_sign_extended_from_the_stored_bits(
    series: Callable[..., Path], syntax: str, stored: int, low: int
) -> None:
    expected = np.resize(np.array([low, -1, 0, 5, -low - 1]), (64, 60))

    def edit(ds: Dataset, _: int) -> None:
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 1, stored, stored - 1
        bits = (expected & (2**stored - 1)).astype(">u2" if syntax.endswith(".2.2") else "<u2")
        if syntax == f"{PREFIX}.5":
            ds.decompress(generate_instance_uid=False)
            ds.PixelData = bits.tobytes()
            ds.compress(syntax, generate_instance_uid=False)
        else:
            ds.PixelData = bits.tobytes()

    data, header = one(series(syntax=syntax, edit=edit))

    np.testing.assert_array_equal(decode_pixels(data, header), expected)


def test_values_that_need_more_than_the_stored_bits_are_refused(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, _: int) -> None:
        ds.PixelData = b"\xff\x1f" + ds.PixelData[2:]

    assert refusal(*one(series(edit=edit))) is Reason.DECODE_FAILED


@pytest.mark.parametrize("syntax", [f"{PREFIX}.5", *COMPRESSED])
def test_a_frame_cut_short_inside_the_archive_is_refused(series: Callable[..., Path], syntax: str) -> None:
    data, header = one(series(syntax=syntax))
    assert header.pixels is not None
    assert header.pixels.fragments
    start, length = header.pixels.fragments[0]
    short = replace(header, pixels=replace(header.pixels, fragments=((start, length // 2),)))

    assert refusal(data, short) is Reason.DECODE_FAILED


@pytest.mark.parametrize("syntax", [f"{PREFIX}.5", *COMPRESSED])
def test_a_frame_of_another_size_than_stated_is_refused_before_it_is_decoded(
    series: Callable[..., Path], syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, header = one(series(syntax=syntax))
    monkeypatch.setattr("pipelines.scans.decode._decode", lambda *_: pytest.fail("decoded"))

    assert refusal(data, replace(header, rows=63)) is Reason.DECODE_FAILED


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_noise_in_place_of_a_codestream_is_refused(series: Callable[..., Path], syntax: str) -> None:
    data, header = one(series(syntax=syntax))
    assert header.pixels is not None
    assert header.pixels.fragments
    start, length = header.pixels.fragments[0]
    noise = np.random.default_rng(1).bytes(length)

    assert refusal(data[:start] + noise + data[start + length :], header) is Reason.DECODE_FAILED


def test_native_pixels_that_do_not_fill_the_shape_are_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, rows=65)) is Reason.DECODE_FAILED
    assert refusal(data, replace(header, rows=63)) is Reason.DECODE_FAILED


def test_an_absurd_shape_is_refused_before_anything_is_allocated(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, rows=65535, columns=65535)) is Reason.TOO_LARGE


def test_a_lossy_or_unknown_syntax_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, transfer_syntax=f"{PREFIX}.4.50")) is Reason.UNSUPPORTED_TRANSFER_SYNTAX


def test_a_high_bit_elsewhere_than_on_top_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, high_bit=15)) is Reason.UNSUPPORTED_OBJECT


def test_the_real_pixels_are_those_that_pydicom_decodes(series: Callable[..., Path]) -> None:
    path = min(series(syntax=f"{PREFIX}.5").iterdir())
    data = path.read_bytes()

    np.testing.assert_array_equal(decode_pixels(data, read_header(data)), pixel_array(path))


@given(st.integers(1, 9), st.integers(1, 200), st.sampled_from([1, 2]), st.integers(0, 2**32), st.booleans())
def test_rle_undoes_what_pydicom_packs(rows: int, columns: int, width: int, seed: int, runs: bool) -> None:
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 3 if runs else 256**width, (rows, columns)).astype(f"<u{width}")
    packed = RLELosslessEncoder.encode(
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

    np.testing.assert_array_equal(decode_rle(bytes(packed), rows, columns, width), frame)


@given(st.binary(max_size=200))
def test_rle_of_any_other_bytes_is_refused_or_fills_the_frame(code: bytes) -> None:
    with suppress(RefusedError):
        assert decode_rle(code, 4, 4, 2).shape == (4, 4)


@given(st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51"]), st.binary(max_size=80), st.booleans())
def test_the_stated_size_of_any_bytes_is_a_size_or_none(start: bytes, body: bytes, end: bool) -> None:
    frame_size(start + body + (b"\xff\xd9" if end else b""))
