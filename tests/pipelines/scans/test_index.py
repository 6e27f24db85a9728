from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Series, SeriesStatus
from pipelines.scans.digest import file_digest, seal
from pipelines.scans.index import index_paths, series_json
from pipelines.scans.look import MAX_FILE_BYTES, look

Write = Callable[..., np.ndarray]


def found(path: Path) -> Series:
    (series,) = index_paths(path).series
    return series


def test_an_accepted_series_carries_its_scan(series: Callable[..., Path]) -> None:
    entry = found(series())
    (scan,) = entry.scans

    assert (entry.status, entry.modality, entry.files) == (SeriesStatus.ACCEPTED, "CT", 24)
    assert (scan.patient.patient_id, scan.accession, scan.transfer_syntax) == ("007", "A1", "1.2.840.10008.1.2.1")
    assert scan.acquired is not None
    assert scan.acquired.isoformat() == "2024-03-01T09:12:01.500000"


def test_the_scan_id_is_the_digest_of_the_digests_in_slice_order(series: Callable[..., Path]) -> None:
    folder = series()
    files = {float(pydicom.dcmread(path).ImagePositionPatient[2]): path for path in folder.iterdir()}
    digests = [hashlib.sha256(files[z].read_bytes()).hexdigest() for z in sorted(files)]

    (scan,) = found(folder).scans

    assert scan.scan_id == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert [file.sha256 for file in scan.files] == digests


def test_two_series_in_one_folder_stay_two(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path)
    writer(tmp_path, stem="other", edit=another_series)

    index = index_paths(tmp_path)

    assert [(entry.status, entry.files) for entry in index.series] == [(SeriesStatus.ACCEPTED, 24)] * 2


def test_one_series_in_two_folders_is_one(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path / "a")
    (tmp_path / "b").mkdir()
    for path in sorted((tmp_path / "a").iterdir())[:10]:
        path.rename(tmp_path / "b" / path.name)

    assert found(tmp_path).status is SeriesStatus.ACCEPTED


def another_series(ds: Dataset, index: int) -> None:
    ds.SeriesInstanceUID = "1.2.3"
    ds.SOPInstanceUID = f"1.2.3.{index}"


def another_patient(ds: Dataset, index: int) -> None:
    ds.PatientID, ds.StudyInstanceUID = "008", "1.2.3"
    ds.SOPInstanceUID = f"1.2.3.{index}"


def test_a_series_of_two_patients_is_one_quarantined_entry(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path / "a")
    writer(tmp_path / "b", edit=another_patient, origin=(-40.0, -30.0, 100.0 + 24 * 2.5))

    entry = found(tmp_path)

    assert entry.status is SeriesStatus.QUARANTINED
    assert set(entry.reasons) == {Reason.MIXED_PATIENTS, Reason.MIXED_STUDIES}
    assert (entry.files, entry.study_uid, entry.scans) == (48, "", ())


def test_a_study_shared_by_two_patients_is_quarantined(tmp_path: Path, writer: Write) -> None:
    def edit(ds: Dataset, index: int) -> None:
        another_series(ds, index)
        ds.PatientID = "008"

    writer(tmp_path / "a")
    writer(tmp_path / "b", edit=edit)

    assert [entry.reasons for entry in index_paths(tmp_path).series] == [(Reason.MIXED_PATIENTS,)] * 2


def test_copies_in_another_folder_are_dropped_with_a_remark(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    entry = found(tmp_path)

    assert (entry.status, entry.files) == (SeriesStatus.ACCEPTED, 48)
    assert entry.remarks == (Remark.COPIES_DROPPED,)


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


def test_a_dicomdir_is_counted_and_not_a_series(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MediaStorageDirectoryStorage, "1.2.3"
    directory = Dataset()
    directory.file_meta = meta
    directory.FileSetID = "DISC"
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)

    index = index_paths(tmp_path)

    assert [entry.status for entry in index.series] == [SeriesStatus.ACCEPTED]
    assert index.ignored == {"not-an-image": 1}


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


def test_an_empty_folder_and_a_missing_path_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no files there; name a folder that holds scans"):
        index_paths(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        index_paths(tmp_path / "nowhere")


def test_progress_counts_every_file(series: Callable[..., Path]) -> None:
    told: list[tuple[int, int]] = []
    index_paths(series(), progress=lambda done, total: told.append((done, total)))

    assert told == [(done, 24) for done in range(1, 25)]


def test_the_json_has_the_fields_of_the_design(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path)
    (tmp_path / "x.dcm").write_text("x")

    told = json.loads(json.dumps(series_json(index_paths(tmp_path))))

    assert set(told) == {"series", "ignored"}
    fields = {
        "series_uid",
        "study_uid",
        "modality",
        "files",
        "transfer_syntax",
        "status",
        "reasons",
        "remarks",
        "scans",
    }
    assert all(set(entry) == fields for entry in told["series"])
    accepted, refused = told["series"]
    assert (accepted["status"], refused["status"]) == ("accepted", "quarantined")
    assert refused["reasons"] == ["not-dicom"]
    (scan,) = accepted["scans"]
    assert set(scan) == {"stack", "shape", "spacing_mm", "affine", "remarks"}
    assert scan["shape"] == [24, 64, 60]
    assert scan["spacing_mm"] == pytest.approx([2.5, 0.8, 0.7])


def test_nothing_of_the_patient_is_in_the_text_of_an_index(series: Callable[..., Path]) -> None:
    shown = repr(index_paths(series()))

    assert not any(secret in shown for secret in ("007", "Muster", "1960", "2024", "slice0"))


def test_what_a_series_says_of_itself_is_carried_along(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, _: int) -> None:
        ds.SeriesDescription, ds.BodyPartExamined, ds.ConvolutionKernel = "Thorax 5.0", "CHEST", "B30f"

    (scan,) = found(series(edit=edit)).scans

    assert (scan.facts.description, scan.facts.body_part, scan.facts.kernel) == ("Thorax 5.0", "CHEST", "B30f")
    assert (scan.facts.thickness_mm, scan.facts.image_type) == (5.0, ("ORIGINAL", "PRIMARY", "AXIAL"))
    assert "Thorax" not in repr(scan)


def test_a_series_of_two_echoes_gives_two_scans_with_names_of_their_own(tmp_path: Path, writer: Write) -> None:
    def echo(number: int) -> Callable[[Dataset, int], None]:
        def edit(ds: Dataset, index: int) -> None:
            ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.4", "MR"
            ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
            ds.SOPInstanceUID = f"1.2.4.{number}.{index}"
            ds.EchoNumbers, ds.EchoTime = str(number), str(4 * number)
            del ds.RescaleType

        return edit

    for number in (1, 2):
        writer(tmp_path, stem=f"echo{number}", edit=echo(number))

    scans = found(tmp_path).scans

    assert [scan.stack for scan in scans] == ["echo 1", "echo 2"]
    assert len({scan.scan_id for scan in scans}) == 2
    assert not {file.path for file in scans[0].files} & {file.path for file in scans[1].files}


def test_without_digests_the_scan_says_that_it_is_not_sealed(series: Callable[..., Path]) -> None:
    folder = series()

    (scan,) = index_paths(folder, digests=False).series[0].scans

    assert not scan.sealed
    assert scan.scan_id.startswith("unsealed-")
    assert {file.sha256 for file in scan.files} == {""}


def test_a_sealed_scan_is_the_one_of_an_index_with_digests(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    (expected,) = index_paths(folder).series[0].scans

    assert seal(scan) == expected
    assert seal(expected) is expected


def test_a_scan_of_files_that_changed_since_cannot_be_sealed(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    path = min(folder.iterdir())
    data, status = path.read_bytes(), path.stat()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(RefusedError, match="digest-changed"):
        seal(scan)


def test_a_scan_of_files_that_are_gone_cannot_be_sealed(series: Callable[..., Path]) -> None:
    folder = series()
    (scan,) = index_paths(folder, digests=False).series[0].scans
    min(folder.iterdir()).unlink()

    with pytest.raises(RefusedError, match="digest-changed"):
        seal(scan)


def test_copies_are_dropped_without_digests_of_all_files(tmp_path: Path, writer: Write) -> None:
    writer(tmp_path / "a")
    (tmp_path / "b").mkdir()
    path = min((tmp_path / "a").iterdir())
    shutil.copy(path, tmp_path / "b")

    (entry,) = index_paths(tmp_path, digests=False).series

    assert (entry.status, entry.files, entry.remarks) == (SeriesStatus.ACCEPTED, 25, (Remark.COPIES_DROPPED,))
    (scan,) = entry.scans
    assert [Path(file.path).name for file in scan.files if file.sha256] == [path.name]


@pytest.mark.parametrize("digests", [True, False])
def test_one_instance_with_other_pixels_is_no_copy(tmp_path: Path, writer: Write, digests: bool) -> None:
    writer(tmp_path / "a")
    (tmp_path / "b").mkdir()
    path = min((tmp_path / "a").iterdir())
    data = path.read_bytes()
    (tmp_path / "b" / path.name).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])

    (entry,) = index_paths(tmp_path, digests=digests).series

    assert Reason.DUPLICATE_UID in entry.reasons


def test_a_file_that_changes_between_header_and_digest_is_noticed(
    series: Callable[..., Path],
) -> None:
    folder = series()
    path = min(folder.iterdir())
    data = path.read_bytes()

    def told(done: int, total: int) -> None:
        if done == total:
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    (entry,) = index_paths(folder, progress=told).series

    assert entry.reasons == (Reason.DIGEST_CHANGED,)


def test_digests_tell_how_far_they_are(series: Callable[..., Path]) -> None:
    told: list[tuple[int, int]] = []
    index_paths(series(), digest_progress=lambda done, total: told.append((done, total)))

    assert told == [(done, 24) for done in range(1, 25)]


def bytes_read() -> int:
    """What this process has asked the kernel for."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_run_over_headers_reads_no_more_than_headers(tmp_path: Path, writer: Write) -> None:
    values = np.random.default_rng(0).integers(-1000, 900, (24, 128, 128))
    writer(tmp_path, values=values)
    index_paths(tmp_path, digests=False)  # modules that are imported on first use are not counted
    before = bytes_read()

    index = index_paths(tmp_path, digests=False)

    # 4 KiB a file, and the slice that is decoded.
    assert bytes_read() - before < 24 * 4096 + 2 * 40_000
    assert index.series[0].status is SeriesStatus.ACCEPTED


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
