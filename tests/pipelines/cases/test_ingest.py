"""Ingest: a second run over an unchanged tree reads almost nothing of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from data_schemas.errors import InputError
from pipelines.cases.ingest import ingest
from pipelines.scans import manifest
from pipelines.workspace.paths import create_workspace

SLICES, SIDE = 12, 256


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with one CT series of noise."""
    folder = tmp_path / "scans"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for index in range(SLICES):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = CTImageStorage, f"1.2.3.{index}", "CT"
        ds.ImageType, ds.PatientID, ds.StudyDate = ["ORIGINAL", "PRIMARY", "AXIAL"], "007", "20240301"
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.1", "1.2.2", "1.2.4"
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 2 * index], [1, 0, 0, 0, 1, 0]
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.Rows, ds.Columns, ds.PixelSpacing = SIDE, SIDE, ["0.8", "0.8"]
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
        ds.PixelData = noise.integers(0, 3000, (SIDE, SIDE)).astype("<u2").tobytes()
        ds["PixelData"].VR = "OW"
        ds.save_as(folder / f"{index}.dcm", enforce_file_format=True)
    return folder


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_second_ingest_reads_almost_nothing_and_a_changed_file_is_noticed(
    tmp_path: Path, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "SETTLE_SECONDS", -3600.0)
    workspace = create_workspace(tmp_path / "workspace")
    first = ingest(workspace, scans=[scans])
    before = bytes_read()

    again = ingest(workspace, scans=[scans])

    read = bytes_read() - before
    assert (again.index, again.put["scans"].added) == (first.index, 0)
    assert read < SLICES * SIDE * SIDE * 2 / 4
    assert stat.S_IMODE(workspace.manifest.stat().st_mode) == 0o600

    path = scans / "3.dcm"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert ingest(workspace, scans=[scans]).put["scans"].added == 1


def test_a_name_that_is_no_unicode_is_told_with_its_place(tmp_path: Path, scans: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(scans) + b"/M\xfcller"))
    odd.mkdir()
    (scans / "3.dcm").rename(odd / "3.dcm")

    with pytest.raises(InputError, match=r"M\\udcfcller/3.dcm': the name of a file or folder is not Unicode"):
        ingest(create_workspace(tmp_path / "workspace"), scans=[scans])
