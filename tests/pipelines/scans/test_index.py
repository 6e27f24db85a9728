from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Series, SeriesStatus
from pipelines.scans.index import index_paths, series_json

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
