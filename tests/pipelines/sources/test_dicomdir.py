from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from pipelines.sources.dicomdir import is_dicomdir, missing_files

PLAIN = [["IMAGES", "IM1"], ["IMAGES", "IM2"], ["IM3"]]


def write(path: Path, listed: list[list[str]]) -> Path:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    ds.FileSetID = "DISC"
    records = []
    for parts in listed:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.add_new(0x00041500, "CS", None)
        record[0x00041500]._value = parts
        records.append(record)
    patient = Dataset()
    patient.DirectoryRecordType = "PATIENT"
    ds.DirectoryRecordSequence = [patient, *records]
    ds.save_as(path, enforce_file_format=True)
    return path


def present(folder: Path, *names: str) -> list[Path]:
    return [folder / name for name in names]


def test_what_is_listed_and_not_there_is_counted(tmp_path: Path) -> None:
    dicomdir = write(tmp_path / "DICOMDIR", PLAIN)

    assert missing_files(dicomdir, present(tmp_path, "IMAGES/IM1", "IMAGES/IM2", "IM3")) == (0, 3)
    assert missing_files(dicomdir, present(tmp_path, "IMAGES/IM1", "IM9")) == (2, 3)
    assert missing_files(dicomdir, present(tmp_path / "elsewhere", "IM3")) == (3, 3)


def test_case_does_not_matter_as_on_a_disc(tmp_path: Path) -> None:
    dicomdir = write(tmp_path / "DICOMDIR", PLAIN)

    assert missing_files(dicomdir, present(tmp_path, "images/im1", "Images/IM2.", "im3")) == (0, 3)


@pytest.mark.parametrize("parts", [["..", "secret"], ["/etc", "passwd"], ["a", "..", "IM3"], ["..\\x"], ["a/../IM3"]])
def test_a_hostile_path_is_counted_and_never_looked_at(tmp_path: Path, parts: list[str]) -> None:
    (tmp_path / "disc").mkdir()
    (tmp_path / "secret").write_text("s")
    dicomdir = write(tmp_path / "disc" / "DICOMDIR", [["IM3"], parts])

    assert missing_files(dicomdir, present(tmp_path / "disc", "IM3", "../secret")) == (1, 2)


def test_names(tmp_path: Path) -> None:
    assert [is_dicomdir(Path(name)) for name in ("DICOMDIR", "dicomdir", "DICOMDIR.", "DICOMDIR.txt", "IM1")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_text_of_that_name_lists_nothing(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_text("hello")

    assert missing_files(tmp_path / "DICOMDIR", []) == (0, 0)
    assert missing_files(tmp_path / "nowhere", []) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(132, 700), change=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_dicomdir_never_raises(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: int, cut: bool
) -> None:
    path = write(tmp_path_factory.mktemp("disc") / "DICOMDIR", PLAIN)
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at] ^= change
    path.write_bytes(data[:at] if cut else data)
    missing, listed = missing_files(path, present(path.parent, "IM3"))

    assert 0 <= missing <= listed <= 4
