from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Series, SeriesStatus
from pipelines.scans.picture_pages import decode_page, pages_of
from pipelines.scans.pictures import SIDECAR, picture_series, read_picture_slices
from pipelines.scans.pool import DecoderPool
from pipelines.scans.read import read_volume

STATED = {
    "modality": "CT",
    "order": "name",
    "spacing_mm": [2.5, 0.8, 0.7],
    "orientation": [1, 0, 0, 0, 1, 0],
    "position_mm": [-40, -30, 100],
    "rescale": {"slope": 1, "intercept": -1024},
    "patient_id": "007",
    "acquired": "2024-03-01T09:12:01",
}


def volume(count: int = 6, bits: int = 16) -> np.ndarray:
    values = np.random.default_rng(1).integers(900, 2**bits if bits == 8 else 2400, (count, 9, 7))
    return values.astype(np.uint8 if bits == 8 else np.uint16)


def save(path: Path, plane: np.ndarray, **options: Any) -> None:
    Image.fromarray(plane).save(path, **options)


def state(folder: Path, **changes: Any) -> Path:
    content = {name: value for name, value in (STATED | changes).items() if value is not None}
    (folder / SIDECAR).write_text(yaml.safe_dump(content))
    return folder / SIDECAR


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Path]:
    """A folder of pictures 1.png … and their sidecar, which it returns."""

    def make(values: np.ndarray | None = None, suffix: str = ".png", **changes: Any) -> Path:
        for number, plane in enumerate(volume() if values is None else values, 1):
            save(tmp_path / f"{number}{suffix}", plane)
        return state(tmp_path, **changes)

    return make


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(size=1) as made:
        yield made


def described(sidecar: Path) -> Series:
    return picture_series(sidecar)[0]


def refusal(sidecar: Path) -> Reason:
    series = described(sidecar)
    assert series.status is SeriesStatus.QUARANTINED
    assert series.scans == ()
    (reason,) = series.reasons
    return reason


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
def test_a_stated_stack_is_a_scan(stack: Callable[..., Path], suffix: str) -> None:
    series = described(stack(suffix=suffix))
    (scan,) = series.scans

    assert (series.status, series.files, scan.format) == (SeriesStatus.ACCEPTED, 6, "pictures")
    assert (scan.geometry.shape, scan.geometry.spacing_mm) == ((6, 9, 7), (2.5, 0.8, 0.7))
    assert scan.geometry.affine == ((-0.7, 0, 0, 40), (0, -0.8, 0, 30), (0, 0, 2.5, 100), (0, 0, 0, 1))
    assert scan.patient.patient_id == "007"
    assert scan.acquired is not None
    np.testing.assert_array_equal(read_volume(scan), volume().astype(np.float32) - 1024)


def test_values_of_eight_bits_are_read(stack: Callable[..., Path]) -> None:
    values = np.arange(6 * 9 * 7).reshape(6, 9, 7).astype(np.uint8)
    (scan,) = described(stack(values, modality="MR", rescale=None)).scans

    np.testing.assert_array_equal(read_volume(scan), values.astype(np.float32))


def test_names_are_ordered_by_their_numbers(tmp_path: Path) -> None:
    values = volume(12)
    for number, plane in enumerate(values, 1):
        save(tmp_path / f"slice {number}.png", plane)
    (scan,) = described(state(tmp_path)).scans

    np.testing.assert_array_equal(read_volume(scan), values.astype(np.float32) - 1024)


def test_a_number_that_is_skipped_is_a_missing_slice(stack: Callable[..., Path]) -> None:
    sidecar = stack(volume(9))
    (sidecar.parent / "4.png").unlink()

    assert refusal(sidecar) is Reason.MISSING_SLICES


def test_numbers_in_even_steps_skip_nothing(stack: Callable[..., Path]) -> None:
    sidecar = stack(volume(12))
    for number in range(1, 12, 2):
        (sidecar.parent / f"{number}.png").unlink()

    assert described(sidecar).status is SeriesStatus.ACCEPTED


def test_a_list_of_files_is_the_order(stack: Callable[..., Path]) -> None:
    (scan,) = described(stack(order=None, files=[f"{number}.png" for number in (3, 1, 2, 6, 5)])).scans

    np.testing.assert_array_equal(read_volume(scan), volume()[[2, 0, 1, 5, 4]].astype(np.float32) - 1024)


def test_no_order_is_ever_guessed(stack: Callable[..., Path]) -> None:
    series = described(stack(order=None))

    assert series.reasons == (Reason.NOT_A_RECORD,)
    assert "say 'order: name'" in series.detail


def test_two_names_of_one_number_are_refused(stack: Callable[..., Path], tmp_path: Path) -> None:
    sidecar = stack()
    save(tmp_path / "03.png", volume()[2])

    assert refusal(sidecar) is Reason.NOT_A_RECORD


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_of_several_pages_is_a_stack(tmp_path: Path, compression: str | None) -> None:
    first, *others = [Image.fromarray(plane) for plane in volume()]
    first.save(tmp_path / "stack.tif", save_all=True, append_images=others, compression=compression)
    (scan,) = described(state(tmp_path, order=None, files=["stack.tif"])).scans

    assert [file.frame for file in scan.files] == [0, 1, 2, 3, 4, 5]
    assert len({file.sha256 for file in scan.files}) == 1
    np.testing.assert_array_equal(read_volume(scan), volume().astype(np.float32) - 1024)


def test_an_affine_says_it_all(stack: Callable[..., Path]) -> None:
    affine = [[0, 0, 2.0, -10], [0.5, 0, 0, -20], [0, 0.5, 0, -30], [0, 0, 0, 1]]
    (scan,) = described(stack(spacing_mm=None, orientation=None, affine=affine)).scans

    assert scan.geometry.affine == tuple(map(tuple, affine))
    assert scan.geometry.spacing_mm == (2.0, 0.5, 0.5)


def test_the_statement_is_part_of_the_scans_identity(stack: Callable[..., Path]) -> None:
    (first,) = described(stack()).scans
    (second,) = described(stack(rescale={"slope": 1, "intercept": -1000})).scans

    assert first.scan_id != second.scan_id
    assert first.study_uid != second.study_uid


def test_an_undated_stack_says_so(stack: Callable[..., Path]) -> None:
    assert described(stack(acquired=None)).remarks == (Remark.UNDATED,)


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"spacing_mm": None}, Reason.NOT_A_RECORD, "'affine', or 'spacing_mm' and 'orientation'"),
        ({"orientation": None}, Reason.NOT_A_RECORD, "'affine', or 'spacing_mm' and 'orientation'"),
        ({"rescale": None}, Reason.NOT_A_RECORD, "a CT needs 'rescale'"),
        ({"modality": None}, Reason.NOT_A_RECORD, "'modality'"),
        ({"spacing_mm": [2.5, 0.8]}, Reason.NOT_A_RECORD, "'spacing_mm"),
        ({"spacing_mm": [2.5, float("nan"), 0.7]}, Reason.NOT_A_RECORD, "'spacing_mm"),
        ({"files": ["1.png"]}, Reason.NOT_A_RECORD, "one of the two"),
        ({"order": None, "files": ["1.png", "1.png"]}, Reason.NOT_A_RECORD, "twice"),
        ({"order": None, "files": ["../1.png"]}, Reason.NOT_A_RECORD, "'files"),
        ({"order": None, "files": ["1.jpg"]}, Reason.NOT_A_RECORD, "'files' lists"),
        ({"order": None, "files": ["9.png"]}, Reason.FILE_MISSING, "not all pictures"),
        ({"spacing_mm": [0, 0.8, 0.7]}, Reason.IMPLAUSIBLE_GEOMETRY, "spacing"),
        ({"spacing_mm": [2.5, -0.8, 0.7]}, Reason.IMPLAUSIBLE_GEOMETRY, "spacing"),
        ({"spacing_mm": [90, 0.8, 0.7]}, Reason.IMPLAUSIBLE_GEOMETRY, "slice spacing"),
        ({"orientation": [1, 0, 0, 1, 0, 0]}, Reason.IMPLAUSIBLE_GEOMETRY, ""),
        ({"orientation": [2, 0, 0, 0, 1, 0]}, Reason.IMPLAUSIBLE_GEOMETRY, "orthonormal"),
        ({"position_mm": [0, 0, 99999]}, Reason.IMPLAUSIBLE_GEOMETRY, "metres away"),
        ({"rescale": {"slope": 0, "intercept": 0}}, Reason.IMPLAUSIBLE_INTENSITY, "slope of zero"),
        ({"rescale": {"slope": 1, "intercept": -4000}}, Reason.IMPLAUSIBLE_INTENSITY, "darker than air"),
        ({"order": None, "files": ["1.png", "2.png"]}, Reason.TOO_FEW_SLICES, "2 pictures"),
    ],
)
def test_what_is_not_stated_well_is_refused(
    stack: Callable[..., Path], changes: dict[str, Any], reason: Reason, told: str
) -> None:
    series = described(stack(**changes))

    assert series.reasons == (reason,)
    assert told in series.detail
    assert "007" not in series.detail


@pytest.mark.parametrize(
    "text", ["", "- a", "{", "a: &b [1]\nc: *b", "SECRET Erika: 1", "\x00", "modality: !!python/object:os.system {}"]
)
def test_a_sidecar_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / SIDECAR).write_text(text)
    series = described(tmp_path / SIDECAR)

    assert series.reasons == (Reason.NOT_A_RECORD,)
    assert "SECRET" not in series.detail


def test_a_sidecar_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / SIDECAR).write_bytes(b"#" * (2**20 + 1))

    assert refusal(tmp_path / SIDECAR) is Reason.TOO_LARGE


def test_a_link_out_of_the_folder_is_no_picture(stack: Callable[..., Path], tmp_path: Path) -> None:
    sidecar = stack()
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    (tmp_path / "3.png").rename(outside)
    (tmp_path / "3.png").symlink_to(outside)

    assert refusal(sidecar) is Reason.FILE_MISSING


def test_pictures_of_different_shapes_are_refused(stack: Callable[..., Path], tmp_path: Path) -> None:
    sidecar = stack()
    save(tmp_path / "4.png", volume()[0, :8])

    assert refusal(sidecar) is Reason.MIXED_SHAPE


def picture(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (picture(Image.new("RGB", (7, 9)), "PNG"), Reason.COLOUR),
        (picture(Image.new("P", (7, 9)), "PNG"), Reason.COLOUR),
        (picture(Image.new("LA", (7, 9)), "PNG"), Reason.COLOUR),
        (picture(Image.new("RGB", (7, 9)), "TIFF"), Reason.COLOUR),
        (picture(Image.new("1", (7, 9)), "PNG"), Reason.UNSUPPORTED_OBJECT),
        (picture(Image.new("F", (7, 9)), "TIFF"), Reason.UNSUPPORTED_OBJECT),
        (picture(Image.new("L", (7, 9)), "TIFF", compression="jpeg"), Reason.UNSUPPORTED_OBJECT),
        (picture(Image.new("L", (7, 9)), "TIFF", tiffinfo={274: 6}), Reason.UNSUPPORTED_OBJECT),
        (picture(Image.new("L", (7, 9)), "TIFF", tiffinfo={266: 2}), Reason.UNSUPPORTED_OBJECT),
        (picture(Image.new("L", (7, 9)), "TIFF", tiffinfo={262: 0}), Reason.PHOTOMETRIC_CONFLICT),
        (picture(Image.new("L", (7, 9)), "PNG")[:-20], Reason.TRUNCATED),
        (picture(Image.new("L", (7, 9)), "TIFF")[:-20], Reason.TRUNCATED),
        (picture(Image.new("L", (7, 9)), "JPEG"), Reason.DECODE_FAILED),
    ],
)
def test_what_is_no_plain_grey_picture_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(RefusedError) as caught:
        pages_of(data)

    assert caught.value.reason is reason


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(columns: int, rows: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def test_a_png_of_a_trillion_pixels_is_refused_unread() -> None:
    with pytest.raises(RefusedError) as caught:
        pages_of(png(2**20, 2**20, zlib.compress(b"")))

    assert caught.value.reason is Reason.TOO_LARGE


def test_what_lies_behind_the_last_row_is_never_kept(pool: DecoderPool) -> None:
    (page,) = pages_of(png(8, 8, zlib.compress(bytes(2**25))))

    assert decode_page(page, pool).shape == (8, 8)


def test_pages_that_go_round_in_circles_are_refused() -> None:
    data = bytearray(picture(Image.new("L", (7, 9)), "TIFF"))
    first = data[4:8]
    at = int.from_bytes(first, "little")
    end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    data[end : end + 4] = first
    with pytest.raises(RefusedError) as caught:
        pages_of(bytes(data))

    assert caught.value.reason is Reason.TOO_LARGE


def test_a_changed_picture_is_noticed(stack: Callable[..., Path], tmp_path: Path) -> None:
    (scan,) = described(stack()).scans
    save(tmp_path / "4.png", volume()[0])
    with pytest.raises(RefusedError) as caught:
        list(read_picture_slices(scan))

    assert caught.value.reason is Reason.DIGEST_CHANGED


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    images = [Image.fromarray(plane) for plane in volume(3)]
    tiff = picture(images[0], "TIFF", save_all=True, append_images=images[1:], compression="tiff_adobe_deflate")
    return [picture(images[0], "PNG"), tiff, picture(images[0], "TIFF", compression="tiff_lzw")]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2), st.integers(0, 2**20), st.integers(1, 255), st.booleans())
def test_a_damaged_picture_is_refused_or_of_its_stated_shape(
    originals: list[bytes], pool: DecoderPool, which: int, at: int, change: int, cut: bool
) -> None:
    data = bytearray(originals[which])
    at %= len(data)
    data[at] ^= change
    try:
        for page in pages_of(bytes(data[:at] if cut else data)):
            assert decode_page(page, pool).shape == (page.rows, page.columns)
    except RefusedError:
        pass
