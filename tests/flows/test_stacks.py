"""Two echoes under one series UID are two scans: shown as two, and written one at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from pipelines.synthetic.write import write_hospital

Scanote = Callable[..., Any]


@pytest.fixture
def echoes(tmp_path: Path) -> Path:
    """A synthetic series whose slices stand there twice, as echo 1 and, a hundred units darker, as echo 2."""
    hospital = write_hospital(tmp_path / "hospital", patients=1, seed=3)
    for path in sorted(hospital.scans.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        dataset.EchoNumbers = 1
        dataset.save_as(path)
        dataset.EchoNumbers, dataset.SOPInstanceUID = 2, generate_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        stored = dataset.pixel_array
        dataset.PixelData = np.where(stored > 100, stored - 100, stored).astype(stored.dtype).tobytes()
        dataset.save_as(path.with_name(f"second-{path.name}"))
    return hospital.scans


def test_inspect_shows_one_line_a_stack(echoes: Path, scanote: Scanote) -> None:
    told = scanote("inspect", echoes).out
    rows = [line for line in told.splitlines() if line.startswith("accepted")]
    assert [row.split()[-2:] for row in rows] == [["echo", "1"], ["echo", "2"]]


def test_volume_asks_which_stack_and_writes_that_one(echoes: Path, scanote: Scanote, tmp_path: Path) -> None:
    done = scanote("volume", echoes, tmp_path / "out.nii.gz")
    assert done.code == 2
    assert "choose one with --stack" in done.complaint
    means = []
    for stack in ("echo 1", "echo 2"):
        assert scanote("volume", echoes, tmp_path / "out.nii.gz", "--stack", stack).code == 0
        means.append(np.asarray(nibabel.load(tmp_path / "out.nii.gz").dataobj).mean())
    assert means[0] > means[1]


def test_a_stack_that_is_not_there_is_one_line(echoes: Path, scanote: Scanote, tmp_path: Path) -> None:
    done = scanote("volume", echoes, tmp_path / "out.nii.gz", "--stack", "echo 9")
    assert done.code == 2
    assert "none of that stack" in done.complaint
