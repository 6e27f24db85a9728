"""Against a real PACS: Orthanc with its DICOMweb plugin, on loopback."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from data_schemas.errors import ServerError
from pipelines.sources.dicomweb import Fetched, fetch
from pipelines.sources.wado import connect

pytestmark = pytest.mark.services
KEY = b"k" * 32
ROOT = "1.2.826.0.1.3680043.8.498"
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one series of a study into a folder."""

    def make(study: int, series: int, instances: range, *, day: str = "20240301", modality: str = "CT") -> None:
        folder = tmp_path / "sent"
        folder.mkdir(exist_ok=True)
        for number in instances:
            ds = Dataset()
            ds.SOPClassUID = CTImageStorage if modality == "CT" else MRImageStorage
            ds.SOPInstanceUID = f"{ROOT}.{study}.{series}.{number}"
            ds.PatientID, ds.PatientName, ds.StudyDate, ds.Modality = f"P{study}", "A^B", day, modality
            ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
            ds.Rows = ds.Columns = 64
            ds.BitsAllocated = ds.BitsStored = 16
            ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 15, 0, 1
            ds.PhotometricInterpretation = "MONOCHROME2"
            ds.PixelData = np.random.default_rng(number).integers(0, 4096, (64, 64), np.uint16).tobytes()
            ds["PixelData"].VR = "OW"
            ds.file_meta = FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.save_as(folder / f"{study}.{series}.{number}.dcm", enforce_file_format=True)

    return make


@pytest.fixture
def run(orthanc: Any, tmp_path: Path) -> Callable[..., Fetched]:
    def run(**options: Any) -> Fetched:
        options = {"since": date(2024, 1, 1), "modalities": ["CT"]} | options
        connection = connect(orthanc.url, environment={}, attempts=2, wait_s=0.05)
        return fetch(connection, tmp_path / "incoming", key=KEY, **options)

    return run


def digests(folder: Path) -> list[str]:
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.dcm"))


def test_series_are_fetched_byte_for_byte_over_several_pages(
    orthanc: Any, write: Write, run: Callable[..., Fetched], tmp_path: Path
) -> None:
    for study in range(5):
        write(study, 1, range(7))
    orthanc.store(tmp_path / "sent")
    done = run(page=2)

    assert (done.studies, done.new, done.instances, done.failed) == (5, 5, 35, 0)
    assert digests(done.folder) == digests(tmp_path / "sent")
    assert run(page=2).known == 5


@pytest.mark.parametrize("page", [1, 2, 3])
def test_no_study_is_lost_between_pages_of_several_modalities(
    orthanc: Any, write: Write, run: Callable[..., Fetched], tmp_path: Path, page: int
) -> None:
    for study in range(4):
        write(study, 1, range(2))
        write(study + 10, 1, range(2), modality="MR")
    orthanc.store(tmp_path / "sent")

    assert run(page=page).new == 4
    assert run(page=page, modalities=["MR"]).new == 4


def test_days_and_modalities_choose(orthanc: Any, write: Write, run: Callable[..., Fetched], tmp_path: Path) -> None:
    write(1, 1, range(2), day="20231231")
    write(2, 1, range(2), day="20240101")
    write(3, 1, range(2), day="20240201")
    write(4, 1, range(2), day="20240115", modality="MR")
    write(2, 2, range(2), day="20240101", modality="MR")
    orthanc.store(tmp_path / "sent")

    assert run(until=date(2024, 1, 31)).new == 1
    assert run().new == 1
    assert run(modalities=["CT", "MR"]).new == 2
    assert run(modalities=[], since=date(2023, 12, 1)).new == 1


def test_a_late_series_and_late_instances_are_fetched_alone(
    orthanc: Any, write: Write, run: Callable[..., Fetched], tmp_path: Path
) -> None:
    write(1, 1, range(4))
    orthanc.store(tmp_path / "sent")
    run()
    write(1, 1, range(4, 6))
    write(1, 2, range(3))
    orthanc.store(tmp_path / "sent")
    done = run()

    assert (done.new, done.grown, done.known, done.instances) == (1, 1, 0, 5)
    assert digests(done.folder) == digests(tmp_path / "sent")


def test_a_server_killed_in_the_middle_costs_nothing_that_was_fetched(
    orthanc: Any, write: Write, run: Callable[..., Fetched], tmp_path: Path
) -> None:
    for study in range(6):
        write(study, 1, range(8))
    orthanc.store(tmp_path / "sent")

    def kill(done: int, _found: int) -> None:
        if done == 3:
            orthanc.kill()

    with pytest.raises(ServerError, match="does not answer"):
        run(progress=kill)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "incoming").rglob("*.dcm")}
    assert len(before) == 24
    orthanc.start()
    done = run()

    assert (done.new, done.known, done.failed) == (3, 3, 0)
    after = {path: path.stat().st_mtime_ns for path in done.folder.rglob("*.dcm")}
    assert before.items() <= after.items()
    assert digests(done.folder) == digests(tmp_path / "sent")
