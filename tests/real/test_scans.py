"""Three real chest CTs against dcm2niix, and one real image in nine transfer syntaxes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan, SeriesStatus
from pipelines.scans.decode import decode_pixels
from pipelines.scans.headers import read_header
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume

DATA = Path(__file__).parents[2] / os.environ.get("SCANOTE_REAL_DATA", "../shared/data")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set SCANOTE_REAL_DATA to its folder")
SHAPES = {"P002": (133, 512, 512), "cap001": (168, 512, 512), "normal002": (167, 512, 512)}


def real_scan(name: str) -> Scan:
    (series,) = index_paths(DATA / "chest-ct" / "scans" / name).series
    assert series.status is SeriesStatus.ACCEPTED
    (scan,) = series.scans
    return scan


@pytest.mark.parametrize("name", SHAPES)
def test_a_real_ct_is_what_dcm2niix_makes_of_it(name: str, tmp_path: Path) -> None:
    import dcm2niix

    scan = real_scan(name)
    ours = nibabel.Nifti1Image(read_volume(scan).transpose(2, 1, 0), np.array(scan.geometry.affine))
    folder = DATA / "chest-ct" / "scans" / name
    command = [dcm2niix.bin, "-o", str(tmp_path), "-f", "volume", "-z", "n", "-b", "n", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    theirs = nibabel.as_closest_canonical(nibabel.load(tmp_path / "volume.nii"))
    ours = nibabel.as_closest_canonical(ours)

    assert scan.geometry.shape == SHAPES[name]
    np.testing.assert_allclose(scan.geometry.spacing_mm, np.array(theirs.header.get_zooms())[::-1], atol=1e-4)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
    for index in range(SHAPES[name][0]):
        np.testing.assert_array_equal(np.asarray(ours.dataobj[..., index]), np.asarray(theirs.dataobj[..., index]))


@pytest.mark.parametrize(
    ("name", "remarks"),
    [
        ("P002", {Remark.NONSTANDARD_UID, Remark.UNDATED}),
        ("cap001", set()),
        ("normal002", {Remark.NONSTANDARD_UID, Remark.UNDATED}),
    ],
)
def test_what_is_odd_about_a_real_ct_is_remarked(name: str, remarks: set[Remark]) -> None:
    scan = real_scan(name)

    assert set(scan.remarks) == remarks
    assert (scan.acquired is None) == (Remark.UNDATED in remarks)


def test_nine_transfer_syntaxes_hold_the_same_pixels() -> None:
    frames = []
    for path in sorted((DATA / "codecs" / "in").glob("*.dcm")):
        data = path.read_bytes()
        frames.append(decode_pixels(data, read_header(data)))

    assert len(frames) == 9
    assert all(np.array_equal(frame, frames[0]) for frame in frames)
    # The mosaic holds 35 tiles of the reference volume: the same values, and nothing but empty tiles besides.
    reference = np.asarray(nibabel.load(DATA / "codecs" / "reference" / "1.nii").dataobj)
    np.testing.assert_array_equal(np.sort(frames[0][frames[0] > 0]), np.sort(reference[reference > 0]))


def test_a_mosaic_is_quarantined_as_such() -> None:
    (series,) = index_paths(DATA / "codecs" / "in").series

    assert series.status is SeriesStatus.QUARANTINED
    assert Reason.MOSAIC in series.reasons
