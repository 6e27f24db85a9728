"""Volumes, against what was written, highdicom and dcm2niix."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from highdicom.legacy import LegacyConvertedEnhancedCTImage
from pydicom.dataset import Dataset

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan
from pipelines.scans.export import write_volume
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_slices, read_volume
from pipelines.scans.stored import StoredFile, prove_stored

PREFIX = "1.2.840.10008.1.2"
ORIENTATIONS = {
    "axial": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "axial, feet first": (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "coronal": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    "sagittal": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    "oblique": (0.8, 0.6, 0.0, -0.48, 0.64, 0.6),
}


def only(folder: Path) -> Scan:
    (series,) = index_paths(folder).series
    assert series.detail == ""
    (scan,) = series.scans
    return scan


def refusal(scan: Scan, *, verify: bool = True) -> Reason:
    with pytest.raises(RefusedError) as caught:
        read_volume(scan, verify=verify)
    return caught.value.reason


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_volume_and_affine_are_those_of_highdicom(series: Callable[..., Path], orientation: tuple[float, ...]) -> None:
    folder = series(orientation=orientation)
    theirs = highdicom.get_volume_from_series([pydicom.dcmread(path) for path in sorted(folder.iterdir())])
    scan = only(folder)
    ours = read_volume(scan)

    # highdicom's affine takes (slice, row, column) to LPS; its slices may run the other way.
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(scan.geometry.affine)
    lps = lps[:, [2, 1, 0, 3]]
    array = theirs.array
    if not np.allclose(theirs.affine, lps, atol=1e-4):
        theirs = theirs.flip_spatial(0)
        array = theirs.array
    np.testing.assert_allclose(theirs.affine, lps, atol=1e-4)
    np.testing.assert_array_equal(ours, array)


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
def test_volume_and_affine_are_those_of_dcm2niix(
    series: Callable[..., Path], tmp_path: Path, orientation: tuple[float, ...], dcm2niix: Callable[[Path], Path]
) -> None:
    folder = series(orientation=orientation)
    theirs = nibabel.as_closest_canonical(nibabel.load(dcm2niix(folder)))
    scan = only(folder)
    image = nibabel.Nifti1Image(read_volume(scan).transpose(2, 1, 0), np.array(scan.geometry.affine))
    ours = nibabel.as_closest_canonical(image)

    np.testing.assert_allclose(ours.affine, theirs.affine, atol=2e-4)
    np.testing.assert_array_equal(np.asarray(ours.dataobj), np.asarray(theirs.dataobj))


@pytest.mark.parametrize("syntax", [PREFIX, f"{PREFIX}.2", f"{PREFIX}.5", *(f"{PREFIX}.4.{n}" for n in (57, 80, 202))])
def test_every_syntax_gives_the_hounsfield_units_that_were_written(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray], syntax: str
) -> None:
    volume = read_volume(only(series(syntax=syntax)))

    assert volume.dtype == np.float32
    np.testing.assert_array_equal(volume, hounsfield())


def test_slope_and_intercept_are_applied_once_and_rounded_once(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    def edit(ds: Dataset, _: int) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = "1.1", "-1024.3"

    volume = read_volume(only(series(edit=edit)))

    np.testing.assert_array_equal(volume, ((hounsfield().astype(float) + 1024) * 1.1 - 1024.3).astype(np.float32))


def mr(ds: Dataset, _: int) -> None:
    ds.Modality, ds.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType


def test_an_mr_without_rescale_keeps_its_stored_values(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    np.testing.assert_array_equal(read_volume(only(series(edit=mr))), hounsfield() + 1024.0)


def test_monochrome1_of_an_mr_is_inverted_with_a_remark(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    def edit(ds: Dataset, index: int) -> None:
        mr(ds, index)
        ds.PhotometricInterpretation = "MONOCHROME1"

    scan = only(series(edit=edit))

    assert Remark.MONOCHROME1_INVERTED in scan.remarks
    np.testing.assert_array_equal(read_volume(scan), 4095 - (hounsfield() + 1024.0))


@pytest.mark.parametrize("at", [0.0, 0.01, 0.5, 0.999])
def test_one_bit_flipped_after_the_index_is_noticed_before_use(series: Callable[..., Path], at: float) -> None:
    scan = only(series())
    path = Path(scan.files[7].path)
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1
    path.write_bytes(data)

    assert refusal(scan) is Reason.DIGEST_CHANGED


def test_bytes_added_after_the_index_are_noticed(series: Callable[..., Path]) -> None:
    scan = only(series())
    with Path(scan.files[7].path).open("ab") as stream:
        stream.write(b"\0")

    assert refusal(scan) is Reason.DIGEST_CHANGED


def test_a_file_that_went_away_is_named_as_missing(series: Callable[..., Path]) -> None:
    scan = only(series())
    Path(scan.files[7].path).unlink()

    assert refusal(scan) is Reason.FILE_MISSING


@pytest.mark.parametrize("verify", [True, False])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(series: Callable[..., Path], verify: bool) -> None:
    scan = only(series())
    Path(scan.files[7].path).unlink()
    os.mkfifo(scan.files[7].path)

    assert refusal(scan, verify=verify) is Reason.FILE_MISSING


def test_even_unverified_a_file_of_another_shape_is_refused(series: Callable[..., Path]) -> None:
    scan = only(series())
    path = Path(scan.files[7].path)
    ds = pydicom.dcmread(path)
    ds.Rows, ds.Columns = 60, 64
    ds.save_as(path)

    assert refusal(scan, verify=False) is Reason.DECODE_FAILED


def test_a_refusal_names_no_file(series: Callable[..., Path]) -> None:
    scan = only(series())
    Path(scan.files[7].path).unlink()
    with pytest.raises(RefusedError) as caught:
        read_volume(scan)

    assert "slice" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def enhanced(series: Callable[..., Path], tmp_path: Path) -> Path:
    """The series as one multi-frame file, in a folder of its own."""
    files = [pydicom.dcmread(path) for path in sorted(series().iterdir())]
    whole = LegacyConvertedEnhancedCTImage(
        legacy_datasets=files,
        series_instance_uid="1.2.826.0.1.3680043.8.498.7",
        series_number=2,
        sop_instance_uid="1.2.826.0.1.3680043.8.498.8",
        instance_number=1,
    )
    folder = tmp_path / "enhanced"
    folder.mkdir()
    whole.save_as(folder / "whole.dcm")
    return folder


@pytest.mark.parametrize("syntax", [f"{PREFIX}.1", f"{PREFIX}.4.57"])
def test_the_planes_are_those_of_the_volume(series: Callable[..., Path], syntax: str) -> None:
    scan = only(series(syntax=syntax))

    np.testing.assert_array_equal(np.stack(list(read_slices(scan))), read_volume(scan))


def test_the_frames_of_one_file_are_the_slices_of_the_series(
    enhanced: Path, hounsfield: Callable[..., np.ndarray]
) -> None:
    scan = only(enhanced)

    assert len({file.path for file in scan.files}) == 1
    np.testing.assert_array_equal(read_volume(scan), hounsfield())
    np.testing.assert_array_equal(np.stack(list(read_slices(scan))), hounsfield())


def test_a_file_of_many_frames_is_opened_once_and_closed(enhanced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = only(enhanced)
    opened: list[StoredFile] = []
    real = StoredFile.__init__

    def count(self: StoredFile, *arguments: object, **named: object) -> None:
        opened.append(self)
        real(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(StoredFile, "__init__", count)
    assert len(list(read_slices(scan))) == 24

    assert len(opened) == 1
    assert opened[0].handle == -1


@pytest.mark.parametrize("at", [0.0, 0.1, 0.5, 0.999])
def test_one_bit_flipped_in_a_file_of_many_frames_is_noticed_before_its_first_plane(enhanced: Path, at: float) -> None:
    scan = only(enhanced)
    path = Path(scan.files[0].path)
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1
    path.write_bytes(data)

    with pytest.raises(RefusedError) as caught:
        next(read_slices(scan))
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_file_that_is_written_to_while_its_frames_are_read_is_noticed(enhanced: Path) -> None:
    scan = only(enhanced)
    planes = read_slices(scan)
    next(planes)
    with Path(scan.files[0].path).open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x07")

    with pytest.raises(RefusedError) as caught:
        list(planes)
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_frame_beyond_the_last_is_refused(enhanced: Path) -> None:
    scan = only(enhanced)
    files = (*scan.files[:-1], scan.files[-1].model_copy(update={"frame": 99}))

    assert refusal(scan.model_copy(update={"files": files})) is Reason.DECODE_FAILED


def test_a_deflated_file_of_many_frames_is_inflated_once_for_all(
    enhanced: Path, hounsfield: Callable[..., np.ndarray]
) -> None:
    path = enhanced / "whole.dcm"
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = f"{PREFIX}.1.99"
    ds.save_as(path)

    np.testing.assert_array_equal(read_volume(only(enhanced)), hounsfield())


def test_a_scan_of_fewer_files_than_slices_is_refused(series: Callable[..., Path]) -> None:
    scan = only(series())

    assert refusal(scan.model_copy(update={"files": scan.files[:-1]})) is Reason.DECODE_FAILED


def test_a_reader_who_stops_leaves_nothing_running(series: Callable[..., Path]) -> None:
    before = threading.active_count()
    planes = read_slices(only(series()))
    next(planes)
    planes.close()  # type: ignore[attr-defined]

    assert threading.active_count() == before


def test_only_a_few_planes_are_read_ahead(series: Callable[..., Path]) -> None:
    scan = only(series())
    planes = read_slices(scan)
    next(planes)
    for file in scan.files[8:]:
        Path(file.path).unlink()
    for _ in range(7):
        next(planes)

    with pytest.raises(RefusedError) as caught:
        next(planes)
    assert caught.value.reason is Reason.FILE_MISSING


def test_the_planes_of_a_tilted_gantry_pass_through_its_grid(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray]
) -> None:
    values = hounsfield()

    def tilt(ds: Dataset, index: int) -> None:
        ds.GantryDetectorTilt = "15"
        ds.ImagePositionPatient = [-40, -30 + 0.67 * index, 100 + 2.5 * index]

    scan = only(series(edit=tilt))

    assert Remark.TILT_CORRECTED in scan.remarks
    volume = read_volume(scan)
    assert volume.shape == scan.geometry.shape != values.shape
    np.testing.assert_array_equal(np.stack(list(read_slices(scan))), volume)


def test_planes_of_a_nifti_are_those_of_its_volume(
    series: Callable[..., Path], hounsfield: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    folder = tmp_path / "nifti"
    folder.mkdir()
    write_volume(only(series()), folder / "volume.nii.gz")

    np.testing.assert_array_equal(np.stack(list(read_slices(only(folder)))), hounsfield())


def test_slope_times_value_beyond_float32_is_rounded_once(series: Callable[..., Path]) -> None:
    def edit(ds: Dataset, index: int) -> None:
        mr(ds, index)
        ds.RescaleSlope, ds.RescaleIntercept = "12345", "7"
        ds.PixelData = (np.arange(64 * 60) % 4096).astype("<u2").tobytes()

    volume = read_volume(only(series(edit=edit)))

    expected = (np.arange(64 * 60) % 4096 * 12345.0 + 7.0).astype(np.float32).reshape(64, 60)
    np.testing.assert_array_equal(volume[3], expected)


def test_files_are_proven_once_each_and_kept_nowhere(enhanced: Path) -> None:
    scan = only(enhanced)
    prove_stored(scan.files)
    with Path(scan.files[0].path).open("ab") as stream:
        stream.write(b"\0")

    with pytest.raises(RefusedError) as caught:
        prove_stored(scan.files)
    assert caught.value.reason is Reason.DIGEST_CHANGED


def test_a_file_that_went_away_cannot_be_proven(enhanced: Path) -> None:
    scan = only(enhanced)
    Path(scan.files[0].path).unlink()

    with pytest.raises(RefusedError) as caught:
        prove_stored(scan.files)
    assert caught.value.reason is Reason.FILE_MISSING


@pytest.fixture
def dcm2niix(tmp_path: Path) -> Callable[[Path], Path]:
    """Convert a folder with dcm2niix to one NIfTI file."""
    import dcm2niix as package

    def convert(folder: Path) -> Path:
        out = tmp_path / "dcm2niix"
        out.mkdir()
        command = [package.bin, "-o", str(out), "-f", "volume", "-z", "n", "-b", "n", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        return out / "volume.nii"

    return convert
