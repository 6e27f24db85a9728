from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from data_schemas.errors import InputError, RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import PatientFacts, Scan, Series
from data_schemas.stated_scan import StatedScan
from pipelines.scans.export import write_volume
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume

AFFINE = np.array([[-0.7, 0, 0, 40], [0, -0.8, 0, 30], [0, 0, 2.5, 100], [0, 0, 0, 1.0]])
VALUES = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)


def save(path: Path, values: np.ndarray = VALUES, affine: np.ndarray = AFFINE, **header: object) -> Path:
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    path.parent.mkdir(exist_ok=True)
    nibabel.save(image, path)
    if header:
        # nibabel puts affines right on saving; the fault is written behind its back.
        data = path.read_bytes()
        changed = nibabel.Nifti1Header(data[:348])
        for name, value in header.items():
            changed[name] = value
        path.write_bytes(changed.binaryblock + data[348:])
    return path


def entry(path: Path) -> Series:
    (series,) = index_paths(path).series
    return series


def only(path: Path) -> Scan:
    (scan,) = entry(path).scans
    return scan


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_the_volume_is_slice_row_column_and_the_affine_column_row_slice(tmp_path: Path, name: str) -> None:
    scan = only(save(tmp_path / name))
    volume = read_volume(scan)

    assert scan.geometry.shape == volume.shape == (8, 7, 6)
    assert scan.geometry.spacing_mm == pytest.approx((2.5, 0.8, 0.7))
    np.testing.assert_allclose(scan.geometry.affine, AFFINE, atol=1e-6)
    column, row, slice_ = 2, 3, 5
    assert volume[slice_, row, column] == VALUES[column, row, slice_]


def test_slope_and_intercept_are_applied_once(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    image = nibabel.Nifti1Image(VALUES, AFFINE)
    image.header.set_slope_inter(2, -1024)
    nibabel.save(image, path)

    np.testing.assert_array_equal(read_volume(only(path)), VALUES.transpose(2, 1, 0) * 2.0 - 1024)


def test_nifti_2_is_read(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti2Image(VALUES, AFFINE), tmp_path / "a.nii")

    np.testing.assert_array_equal(read_volume(only(tmp_path)), VALUES.transpose(2, 1, 0))


def test_the_uids_are_made_of_the_digest_and_nobody_is_named(tmp_path: Path) -> None:
    scan = only(save(tmp_path / "Muster_Erika_007.nii"))

    assert scan.study_uid == scan.series_uid == f"nifti-{scan.files[0].sha256[:32]}"
    assert scan.patient == PatientFacts(patient_id="")
    assert Remark.UNDATED in scan.remarks


def test_identity_comes_from_what_is_stated_of_the_path(tmp_path: Path) -> None:
    save(tmp_path / "a" / "x.nii")
    index = index_paths(tmp_path, stated={str(tmp_path / "a" / "x.nii"): StatedScan(patient_id="007")})

    assert index.series[0].scans[0].patient == PatientFacts(patient_id="007")


def test_identical_files_under_two_patients_are_quarantined(tmp_path: Path) -> None:
    save(tmp_path / "x.nii")
    save(tmp_path / "y.nii")
    names = {str(tmp_path / f"{name}.nii"): StatedScan(patient_id=name) for name in "xy"}

    assert [series.reasons for series in index_paths(tmp_path, stated=names).series] == [(Reason.MIXED_PATIENTS,)]


def test_identical_files_are_one_with_a_remark(tmp_path: Path) -> None:
    save(tmp_path / "x.nii")
    save(tmp_path / "y.nii")

    assert entry(tmp_path).files == 2
    assert Remark.COPIES_DROPPED in only(tmp_path).remarks


SHEAR = AFFINE + np.array([[0, 0, 0.5, 0], [0] * 4, [0] * 4, [0] * 4])
FAULTS = {
    "four dimensions": (Reason.UNSUPPORTED_OBJECT, {"values": np.zeros((6, 7, 8, 2), np.int16)}),
    "a plane": (Reason.TOO_FEW_SLICES, {"values": np.zeros((6, 7, 1), np.int16)}),
    "complex numbers": (Reason.COLOUR, {"values": np.zeros((6, 7, 8), np.complex64)}),
    "not numbers": (Reason.IMPLAUSIBLE_INTENSITY, {"values": np.full((6, 7, 8), np.nan, np.float32)}),
    "no affine": (Reason.MISSING_GEOMETRY, {"sform_code": 0, "qform_code": 0}),
    "micrometres": (Reason.IMPLAUSIBLE_GEOMETRY, {"xyzt_units": 3}),
    "metres between voxels": (Reason.IMPLAUSIBLE_GEOMETRY, {"affine": AFFINE * [[1e3], [1e3], [1e3], [1]]}),
    "two affines": (Reason.IMPLAUSIBLE_GEOMETRY, {"qoffset_x": 90.0}),
    "a shear": (Reason.TILTED, {"affine": SHEAR, "qform_code": 0}),
    "values that begin in the header": (Reason.DECODE_FAILED, {"vox_offset": 0}),
    "an infinite slope": (Reason.IMPLAUSIBLE_INTENSITY, {"scl_slope": np.inf}),
    "lengths of zero": (Reason.IMPLAUSIBLE_GEOMETRY, {"pixdim": [1, 0, 1, 1, 0, 0, 0, 0], "sform_code": 0}),
    "a singular affine": (Reason.IMPLAUSIBLE_GEOMETRY, {"srow_z": [0, 0, 0, 0], "qform_code": 0}),
}


@pytest.mark.parametrize(("reason", "arguments"), FAULTS.values(), ids=FAULTS)
def test_a_volume_that_is_not_right_is_quarantined(tmp_path: Path, reason: Reason, arguments: dict) -> None:
    assert entry(save(tmp_path / "a.nii", **arguments)).reasons == (reason,)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_cut_short_is_quarantined(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, np.random.default_rng(0).integers(0, 999, (20, 20, 20)).astype(np.int16))
    data = path.read_bytes()
    for kept in (len(data) // 2, len(data) - 1):
        path.write_bytes(data[:kept])
        assert entry(path).reasons[0] in {Reason.TRUNCATED, Reason.DECODE_FAILED}


def test_a_compressed_bomb_is_not_unpacked_beyond_its_header(tmp_path: Path) -> None:
    content = save(tmp_path / "a.nii").read_bytes()
    (tmp_path / "a.nii").unlink()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content + bytes(200_000_000), 1))

    np.testing.assert_array_equal(read_volume(only(tmp_path)), VALUES.transpose(2, 1, 0))


def test_one_bit_flipped_after_the_index_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii")
    scan = only(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)

    with pytest.raises(RefusedError, match="digest-changed"):
        read_volume(scan)


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_an_exported_scan_comes_back_the_same(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray], tmp_path: Path, name: str
) -> None:
    scan = only(series(orientation=(0.8, 0.6, 0.0, -0.48, 0.64, 0.6)))
    image = nibabel.load(write_volume(scan, tmp_path / name))

    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(image.dataobj), hounsfield().transpose(2, 1, 0))
    for affine, code in (image.get_sform(coded=True), image.get_qform(coded=True)):
        assert code == 1
        np.testing.assert_allclose(affine, scan.geometry.affine, atol=1e-4)
    again = only(tmp_path / name)
    np.testing.assert_allclose(again.geometry.affine, scan.geometry.affine, atol=1e-4)
    np.testing.assert_array_equal(read_volume(again), read_volume(scan))


def test_an_export_needs_a_nifti_name_and_a_folder(series: Callable[..., Path], tmp_path: Path) -> None:
    scan = only(series())
    with pytest.raises(InputError, match=r"must end in \.nii"):
        write_volume(scan, tmp_path / "out.mha")
    with pytest.raises(InputError, match="cannot be written"):
        write_volume(scan, tmp_path / "no folder" / "out.nii")


def test_of_two_spaces_the_scanner_s_is_taken(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VALUES, AFFINE)
    image.set_qform(AFFINE, code="scanner")
    image.set_sform(np.diag([1.2, 1.2, 1.2, 1.0]), code="mni")
    nibabel.save(image, tmp_path / "volume.nii")

    np.testing.assert_allclose(only(tmp_path / "volume.nii").geometry.affine, AFFINE, atol=1e-5)
