from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.decode import decode_frame, decode_pixels
from pipelines.scans.headers import read_header
from pipelines.scans.pool import DecoderPool
from pipelines.scans.slice_header import SliceHeader

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


@pytest.mark.parametrize("rows", [63, 65])
def test_an_rle_frame_of_another_size_than_stated_is_refused(series: Callable[..., Path], rows: int) -> None:
    data, header = one(series(syntax=f"{PREFIX}.5"))

    assert refusal(data, replace(header, rows=rows)) is Reason.DECODE_FAILED


def test_an_rle_frame_of_other_planes_than_stated_is_refused_before_it_is_decoded(
    series: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, header = one(series(syntax=f"{PREFIX}.5"))
    monkeypatch.setattr(DecoderPool, "decode", lambda *_, **__: pytest.fail("decoded"))

    assert refusal(data, replace(header, bits_allocated=8)) is Reason.DECODE_FAILED


def test_a_sign_that_the_codestream_does_not_tell_is_refused(series: Callable[..., Path]) -> None:
    """-1020 HU in twelve bits of an unsigned stream would read 3076 under a header of sixteen signed bits."""

    def claim(ds: Dataset, _: int) -> None:
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 1

    data, header = one(series(syntax=f"{PREFIX}.4.70", edit=claim, values=np.full((24, 64, 60), 2000, np.int16)))
    assert refusal(data, header) is Reason.DECODE_FAILED


def test_an_htj2k_tile_part_without_a_stated_length_is_read(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    data, header = one(series(syntax=f"{PREFIX}.4.201"))
    first = np.argmin(np.random.default_rng(3).permutation(24))
    at = data.index(b"\xff\x90\x00\x0a") + 6

    decoded = decode_pixels(data[:at] + bytes(4) + data[at + 4 :], header)

    np.testing.assert_array_equal(decoded, hounsfield()[first].astype(int) + 1024)


@pytest.mark.parametrize("syntax", [f"{PREFIX}.4.{code}" for code in (80, 90, 91, 201, 202, 203)])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_frame_whose_middle_is_gone_is_refused(series: Callable[..., Path], syntax: str, share: float) -> None:
    data, header = one(series(syntax=syntax))
    assert header.pixels is not None
    assert header.pixels.fragments
    start, length = header.pixels.fragments[0]
    end = start + length
    cut = replace(header, pixels=replace(header.pixels, fragments=((start, int(share * length)), (end - 4, 4))))

    assert refusal(data, cut) is Reason.DECODE_FAILED


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_a_frame_of_another_size_than_stated_is_refused_before_it_is_decoded(
    series: Callable[..., Path], syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, header = one(series(syntax=syntax))
    monkeypatch.setattr(DecoderPool, "decode", lambda *_, **__: pytest.fail("decoded"))

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


def test_an_unknown_syntax_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, transfer_syntax=f"{PREFIX}.4.100")) is Reason.UNSUPPORTED_TRANSFER_SYNTAX


def test_a_high_bit_elsewhere_than_on_top_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, high_bit=15)) is Reason.UNSUPPORTED_OBJECT


def test_the_real_pixels_are_those_that_pydicom_decodes(series: Callable[..., Path]) -> None:
    path = min(series(syntax=f"{PREFIX}.5").iterdir())
    data = path.read_bytes()

    np.testing.assert_array_equal(decode_pixels(data, read_header(data)), pixel_array(path))


def jpeg(code: bytes, syntax: str, *, bits: int) -> Callable[[Dataset, int], None]:
    def edit(ds: Dataset, _: int) -> None:
        ds.file_meta.TransferSyntaxUID = syntax
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = (16 if bits > 8 else 8), bits, bits - 1
        ds.PixelData = encapsulate([code])

    return edit


@pytest.mark.parametrize("syntax", [f"{PREFIX}.4.50", f"{PREFIX}.4.51"])
def test_eight_bits_of_jpeg_with_loss_are_read(series: Callable[..., Path], syntax: str) -> None:
    frame = np.tile(np.arange(60, dtype=np.uint8) * 4, (64, 1))
    code = imagecodecs.jpeg8_encode(frame, level=100)

    decoded = decode_pixels(*one(series(syntax=COMPRESSED[0], edit=jpeg(code, syntax, bits=8))))

    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - frame).max() <= 2


def test_twelve_bits_of_jpeg_with_loss_are_read(series: Callable[..., Path]) -> None:
    frame = np.tile(np.arange(60, dtype=np.uint16) * 64, (64, 1))
    code = imagecodecs.jpeg8_encode(frame, level=100, bitspersample=12)

    decoded = decode_pixels(*one(series(syntax=COMPRESSED[0], edit=jpeg(code, f"{PREFIX}.4.51", bits=12))))

    assert np.abs(decoded.astype(int) - frame).max() <= 8


@pytest.mark.parametrize("syntax", [f"{PREFIX}.4.50", f"{PREFIX}.4.51", f"{PREFIX}.4.80"])
def test_a_coding_process_other_than_the_stated_one_is_refused(series: Callable[..., Path], syntax: str) -> None:
    data, header = one(series(syntax=f"{PREFIX}.4.57"))

    assert refusal(data, replace(header, transfer_syntax=syntax)) is Reason.DECODE_FAILED


def test_a_codestream_far_larger_than_its_frame_is_refused_unread(series: Callable[..., Path]) -> None:
    _, header = one(series(syntax=f"{PREFIX}.4.57"))
    assert header.pixels is not None
    vast = replace(header.pixels, fragments=((0, 2**30),))

    def read(at: int, length: int) -> bytes:
        return pytest.fail(f"read {length} bytes at {at}")

    with pytest.raises(RefusedError) as caught:
        decode_frame(read, replace(header, pixels=vast))
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_frame_of_countless_tiles_is_refused(series: Callable[..., Path]) -> None:
    code = bytearray(imagecodecs.jpeg2k_encode(np.zeros((64, 60), np.uint16), level=0, codecformat="j2k"))
    code[24:32] = b"\0\0\0\1" * 2

    def edit(ds: Dataset, _: int) -> None:
        ds.PixelData = encapsulate([bytes(code)])

    assert refusal(*one(series(syntax=f"{PREFIX}.4.90", edit=edit))) is Reason.TOO_LARGE


def test_a_signed_frame_under_an_unsigned_header_is_refused(series: Callable[..., Path]) -> None:
    signed = imagecodecs.jpeg2k_encode(np.full((64, 60), -5, np.int16), level=0, codecformat="j2k", reversible=True)

    def edit(ds: Dataset, _: int) -> None:
        ds.PixelData = encapsulate([signed])

    assert refusal(*one(series(syntax=f"{PREFIX}.4.90", edit=edit))) is Reason.DECODE_FAILED


def test_a_signed_frame_under_a_signed_header_is_read(series: Callable[..., Path]) -> None:
    values = np.resize(np.arange(-40, 40, dtype=np.int16), (64, 60))
    code = imagecodecs.jpeg2k_encode(values, level=0, codecformat="j2k", reversible=True)

    def edit(ds: Dataset, _: int) -> None:
        ds.PixelRepresentation = 1
        ds.PixelData = encapsulate([code])

    np.testing.assert_array_equal(decode_pixels(*one(series(syntax=f"{PREFIX}.4.90", edit=edit))), values)


def test_a_compressed_syntax_without_fragments_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, transfer_syntax=f"{PREFIX}.4.90")) is Reason.DECODE_FAILED


def test_a_header_without_pixels_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, pixels=None)) is Reason.NO_PIXEL_DATA


@pytest.mark.parametrize("change", [{"bits_allocated": 32}, {"samples": 3}, {"rows": 0}])
def test_pixels_that_are_no_grey_values_of_8_or_16_bits_are_refused(
    series: Callable[..., Path], change: dict[str, int]
) -> None:
    data, header = one(series())

    assert refusal(data, replace(header, **change)) is Reason.UNSUPPORTED_OBJECT


def test_a_file_cut_short_under_its_reader_is_refused(series: Callable[..., Path]) -> None:
    data, header = one(series())

    assert refusal(data[:-2], header) is Reason.DECODE_FAILED


def test_eight_bits_in_a_big_endian_file_are_refused(series: Callable[..., Path]) -> None:
    data, header = one(series(syntax=f"{PREFIX}.2"))
    assert header.pixels is not None
    half = replace(header.pixels, length=header.pixels.length // 2)
    narrow = replace(header, bits_allocated=8, bits_stored=8, high_bit=7, pixels=half)

    assert refusal(data, narrow) is Reason.UNSUPPORTED_TRANSFER_SYNTAX


def test_a_deflated_file_is_inflated_first(series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]) -> None:
    path = min(series().iterdir())
    ds = dcmread(path)
    ds.file_meta.TransferSyntaxUID = f"{PREFIX}.1.99"
    ds.save_as(path)
    data = path.read_bytes()
    first = np.argmin(np.random.default_rng(3).permutation(24))

    decoded = decode_pixels(data, read_header(data))

    np.testing.assert_array_equal(decoded, hounsfield()[first].astype(int) + 1024)
