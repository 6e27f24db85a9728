from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from data_schemas.errors import InputError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Index, SeriesStatus
from pipelines.scans.gather import index_sources
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume

Write = Callable[..., np.ndarray]
SMALL = (6, 16, 14)


@pytest.fixture
def gather(tmp_path: Path) -> Callable[..., Index]:
    return lambda *paths: index_sources(paths, unpacked=tmp_path / "unpacked")


@pytest.fixture
def small() -> np.ndarray:
    return np.random.default_rng(0).integers(-1000, 900, SMALL)


def pack(folder: Path, archive: Path) -> Path:
    made = shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
    return Path(made)


def pictures(folder: Path, **stated: object) -> None:
    folder.mkdir(parents=True)
    for number in range(6):
        Image.fromarray(np.full((9, 7), 1000 + number, np.uint16)).save(folder / f"{number}.png")
    known = {
        "modality": "MR",
        "order": "name",
        "spacing_mm": [2, 1, 1],
        "orientation": [1, 0, 0, 0, 1, 0],
        "patient_id": "P",
    }
    (folder / "scanote-stack.yaml").write_text(yaml.safe_dump(known | stated))


def test_plain_folders_are_indexed_as_ever(tmp_path: Path, writer: Write, gather: Callable[..., Index]) -> None:
    writer(tmp_path / "a")

    assert gather(tmp_path / "a") == index_paths(tmp_path / "a")
    assert not (tmp_path / "unpacked").exists()


def test_a_series_in_an_archive_is_a_scan_that_can_be_read(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    values = writer(tmp_path / "a", values=small)
    archive = pack(tmp_path / "a", tmp_path / "in" / "export.zip")
    index = gather(tmp_path / "in")

    (series,) = index.series
    assert (series.status, series.where) == (SeriesStatus.ACCEPTED, str(archive))
    assert index.ignored == {}
    assert series.scans[0].history[0].startswith("archive: unpacked from a file with digest ")
    np.testing.assert_array_equal(read_volume(series.scans[0]), values)


def test_a_series_half_in_a_folder_and_half_in_an_archive_is_one(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    writer(tmp_path / "in", values=small)
    (tmp_path / "half").mkdir()
    for path in sorted((tmp_path / "in").iterdir())[:3]:
        path.rename(tmp_path / "half" / path.name)
    pack(tmp_path / "half", tmp_path / "in" / "rest.zip")

    (series,) = gather(tmp_path / "in").series
    assert (series.status, series.files) == (SeriesStatus.ACCEPTED, 6)


def test_a_broken_member_is_told_by_the_archive_and_its_number(tmp_path: Path, gather: Callable[..., Index]) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w") as archive:
        archive.writestr("README", "text")
        archive.writestr("Erika Muster.dcm", "no scan")
    index = gather(tmp_path / "in")

    (series,) = index.series
    assert (series.reasons, series.where) == ((Reason.NOT_DICOM,), f"{tmp_path}/in/a.zip: member 2")
    assert index.ignored == {"not-dicom": 1}


def test_a_damaged_archive_is_one_entry_and_the_rest_goes_on(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    writer(tmp_path / "in" / "good", values=small)
    archive = pack(tmp_path / "in" / "good", tmp_path / "in" / "bad.zip")
    archive.write_bytes(archive.read_bytes()[:-5000])
    index = gather(tmp_path / "in")

    assert [entry.status for entry in index.series] == [SeriesStatus.ACCEPTED, SeriesStatus.QUARANTINED]
    assert (index.series[1].reasons, index.series[1].where) == ((Reason.TRUNCATED,), str(archive))
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_an_archive_within_an_archive_is_said(tmp_path: Path, gather: Callable[..., Index]) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "x").write_text("x")
    inner = pack(tmp_path / "inner", tmp_path / "inner.zip")
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w") as archive:
        archive.write(inner, "inner.zip")

    (entry,) = gather(tmp_path / "in").series
    assert entry.reasons == (Reason.UNSUPPORTED_OBJECT,)
    assert "unpack the outer one" in entry.detail
    assert entry.where.endswith("a.zip: member 1")


def test_an_archive_is_unpacked_once(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    writer(tmp_path / "a", values=small)
    pack(tmp_path / "a", tmp_path / "in" / "a.zip")
    shutil.copy(tmp_path / "in" / "a.zip", tmp_path / "in" / "copy.zip")
    first = gather(tmp_path / "in")
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "unpacked").rglob("*")}

    assert gather(tmp_path / "in") == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "unpacked").rglob("*")} == made
    assert first.series[0].files == 6


def test_an_archive_without_files_leaves_an_empty_index(tmp_path: Path, gather: Callable[..., Index]) -> None:
    (tmp_path / "in").mkdir()
    zipfile.ZipFile(tmp_path / "in" / "a.zip", "w").close()

    assert gather(tmp_path / "in") == Index()


def test_an_empty_folder_and_a_missing_path_are_one_clear_line(tmp_path: Path, gather: Callable[..., Index]) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="no files there"):
        gather(tmp_path / "in")
    with pytest.raises(InputError, match="no such file"):
        gather(tmp_path / "nowhere")


def test_stated_pictures_are_a_series_and_no_others(tmp_path: Path, gather: Callable[..., Index]) -> None:
    pictures(tmp_path / "in" / "stack")
    Image.new("L", (5, 5)).save(tmp_path / "in" / "screenshot.png")
    index = gather(tmp_path / "in")

    (series,) = index.series
    assert (series.status, series.scans[0].format) == (SeriesStatus.ACCEPTED, "pictures")
    assert index.ignored == {"not-dicom": 1}


def test_pictures_that_nothing_is_stated_of_are_ignored(tmp_path: Path, gather: Callable[..., Index]) -> None:
    pictures(tmp_path / "in")
    (tmp_path / "in" / "scanote-stack.yaml").unlink()

    assert gather(tmp_path / "in") == Index(ignored={"not-dicom": 6})


def test_a_study_of_two_patients_takes_no_pictures(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    writer(tmp_path / "in" / "ct", values=small)
    study = index_paths(tmp_path / "in").series[0].study_uid
    pictures(tmp_path / "in" / "stack", study_uid=study)
    index = gather(tmp_path / "in")

    assert [entry.reasons for entry in index.series] == [(), (Reason.MIXED_PATIENTS,)]


def test_one_series_uid_is_one_stack(tmp_path: Path, gather: Callable[..., Index]) -> None:
    for name in ("a", "b"):
        pictures(tmp_path / "in" / name, series_uid="1.2.3")

    assert [entry.reasons for entry in gather(tmp_path / "in").series] == [(Reason.DUPLICATE_UID,)] * 2


def test_what_a_dicomdir_lists_and_is_not_there_is_counted(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    writer(tmp_path / "a", values=small)
    (tmp_path / "disc" / "IMAGES").mkdir(parents=True)
    for number, path in enumerate(sorted((tmp_path / "a").iterdir())):
        path.rename(tmp_path / "disc" / "IMAGES" / f"IM{number}")
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    directory.DirectoryRecordSequence = []
    for number in range(6):
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["IMAGES", f"IM{number}"]
        directory.DirectoryRecordSequence.append(record)
    directory.save_as(tmp_path / "disc" / "DICOMDIR", enforce_file_format=True)
    assert gather(tmp_path / "disc").ignored == {"not-an-image": 1}
    images = sorted(path for path in (tmp_path / "disc").rglob("*") if path.is_file() and path.name != "DICOMDIR")
    images[0].unlink()

    assert gather(tmp_path / "disc").ignored == {"file-missing": 1, "not-an-image": 1}


def test_interleaved_series_without_endings_in_nested_folders_are_told_apart(
    tmp_path: Path, writer: Write, gather: Callable[..., Index], small: np.ndarray
) -> None:
    def edit(number: int) -> Callable[[Dataset, int], None]:
        def change(ds: Dataset, index: int) -> None:
            ds.SeriesInstanceUID, ds.StudyInstanceUID = f"1.2.{number}", f"1.3.{number}"
            ds.SOPInstanceUID, ds.PatientID = f"1.2.{number}.{index}", f"P{number}"

        return change

    made = [writer(tmp_path / f"s{number}", values=small + number, edit=edit(number)) for number in range(3)]
    mixed = tmp_path / "in"
    for number in range(3):
        for index, path in enumerate(sorted((tmp_path / f"s{number}").iterdir())):
            folder = mixed / f"level{index % 3}" / ("deep" * (index % 2))
            folder.mkdir(parents=True, exist_ok=True)
            path.rename(folder / f"{index}-{number}")
    os.link(next(mixed.rglob("0-0")), mixed / "hard-link")
    (mixed / "soft-link").symlink_to(next(mixed.rglob("1-1")))
    (mixed / "loop").symlink_to(mixed)
    (mixed / "out").symlink_to(tmp_path / "elsewhere.dcm")
    index = gather(mixed)

    assert [entry.status for entry in index.series] == [SeriesStatus.ACCEPTED] * 3
    for entry in index.series:
        number = int(entry.series_uid[-1])
        np.testing.assert_array_equal(read_volume(entry.scans[0]), made[number])
        assert entry.remarks == ((Remark.COPIES_DROPPED,) if number == 0 else ())
