"""What an index makes of files that are damaged, foreign, or no scans: told with a reason, and never a wrong volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from data_schemas.reasons import Reason
from data_schemas.scan import Series, SeriesStatus
from pipelines.scans.digest import file_digest
from pipelines.scans.index import index_paths
from pipelines.scans.look import MAX_FILE_BYTES, look

Write = Callable[..., np.ndarray]


def found(path: Path) -> Series:
    (series,) = index_paths(path).series
    return series


def test_what_claims_to_be_a_scan_and_is_none_is_visible(tmp_path: Path) -> None:
    (tmp_path / "note.dcm").write_text("not a scan")
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "brain.nii.gz").write_bytes(b"\x1f\x8bgarbage")

    index = index_paths(tmp_path)

    assert [entry.reasons for entry in index.series] == [(Reason.NOT_DICOM,)] * 3
    assert {entry.series_uid for entry in index.series} == {""}
    assert Path(index.series[0].where).name == "brain.nii.gz"
    assert index.ignored == {}


@pytest.mark.parametrize("preamble", [b"II*\0\x08\0\0\0", b"MM\0*", b"\x1f\x8b\x08", b"\0\0\0\0n+2\0\r\n\x1a\n", b"MZ"])
def test_the_preamble_is_never_interpreted(series: Callable[..., Path], preamble: bytes) -> None:
    folder = series()
    for path in folder.iterdir():
        path.write_bytes(preamble.ljust(128, b"\xff") + path.read_bytes()[128:])

    assert found(folder).status is SeriesStatus.ACCEPTED


def test_what_claims_nothing_is_counted(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path)
    (tmp_path / "LICENSE").write_text("free")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "group 8").write_bytes(b"\x08\0 is how a data set begins, and a text might")

    assert index_paths(tmp_path).ignored == {"not-dicom": 3}


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"])
def test_a_truncated_slice_quarantines_its_series(series: Callable[..., Path], kept: float, syntax: str) -> None:
    folder = series(syntax=syntax)
    path = max(folder.iterdir())
    data = path.read_bytes()
    path.write_bytes(data[: max(900, int(kept * len(data)))])

    entry = found(folder)

    assert entry.reasons == (Reason.TRUNCATED,)
    assert entry.scans == ()


def test_a_slice_cut_before_its_uids_is_an_entry_of_its_own(series: Callable[..., Path]) -> None:
    folder = series()
    path = max(folder.iterdir())
    path.write_bytes(path.read_bytes()[:300])

    index = index_paths(folder)

    assert [entry.reasons for entry in index.series if not entry.series_uid] == [(Reason.TRUNCATED,)]


def test_an_unknown_syntax_is_refused(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, _: int) -> None:
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"

    assert Reason.UNSUPPORTED_TRANSFER_SYNTAX in found(series(syntax="1.2.840.10008.1.2.4.70", edit=edit)).reasons


def test_a_file_without_preamble_and_meta_is_read(series: Callable[..., Path]) -> None:
    folder = series()
    for path in list(folder.iterdir()):
        ds = pydicom.dcmread(path)
        del ds.file_meta
        ds.save_as(path.with_suffix(""), enforce_file_format=False, implicit_vr=True, little_endian=True)
        path.unlink()

    assert found(folder).status is SeriesStatus.ACCEPTED


def test_an_undecodable_middle_slice_quarantines_the_series(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, index: int) -> None:
        if index == 12:
            ds.PixelData = ds.PixelData[:100] + bytes(len(ds.PixelData) - 100)

    assert found(series(syntax="1.2.840.10008.1.2.4.80", edit=edit)).reasons == (Reason.DECODE_FAILED,)


def test_a_ct_that_was_rescaled_twice_is_noticed(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    def edit(ds: Dataset, index: int) -> None:
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 1, 16, 15
        ds.PixelData = hounsfield()[index].astype("<i2").tobytes()

    assert found(series(edit=edit)).reasons == (Reason.IMPLAUSIBLE_INTENSITY,)


def test_padding_outside_the_field_of_view_is_no_sign_of_a_second_rescale(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    def edit(ds: Dataset, index: int) -> None:
        ds.PixelRepresentation, ds.BitsStored, ds.HighBit = 1, 16, 15
        stored = hounsfield()[index].astype("<i2") + 1024
        stored[:10] = -2000
        ds.PixelData = stored.astype("<i2").tobytes()

    assert found(series(edit=edit)).status is SeriesStatus.ACCEPTED


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.dcm"
    with path.open("wb") as stream:
        stream.write(bytes(128) + b"DICM")
        stream.truncate(MAX_FILE_BYTES + 1)

    assert found(tmp_path).reasons == (Reason.TOO_LARGE,)


def test_a_file_that_cannot_be_read_is_an_entry_of_its_own(tmp_path: Path) -> None:
    stamp, entry = look(tmp_path)

    assert stamp is None
    assert isinstance(entry, Series)
    assert entry.reasons == (Reason.FILE_MISSING,)
    assert file_digest(str(tmp_path / "gone"), None) == ""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, writer: Write) -> Path:
    folder = tmp_path_factory.mktemp("small")
    values = np.random.default_rng(0).integers(-1000, 900, (8, 16, 16))
    writer(folder, values=values, syntax="1.2.840.10008.1.2.4.80")
    return folder


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.integers(132, 1100), st.integers(1, 255))
def test_a_damaged_header_never_raises_and_never_moves_a_voxel(small: Path, file: int, at: int, change: int) -> None:
    path = sorted(small.iterdir())[file]
    whole = path.read_bytes()
    (before,) = found(small).scans
    try:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
        index = index_paths(small)
    finally:
        path.write_bytes(whole)

    # A slice that lost its UID stands beside its series, so that the gap at an end of the stack is still visible.
    alone = len(index.series) == 1
    assert not alone or all(scan.geometry == before.geometry for entry in index.series for scan in entry.scans)
