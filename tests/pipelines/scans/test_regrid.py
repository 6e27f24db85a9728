"""Planes brought onto the grid of their scan: right by construction, and where dcm2niix puts them."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from pydicom.dataset import Dataset

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from pipelines.scans.check import check_series
from pipelines.scans.headers import read_header
from pipelines.scans.read import slice_values
from pipelines.scans.regrid import AIR_HU, regrid, shifted
from pipelines.scans.slice_header import SliceHeader
from pipelines.scans.stack import Stack


def tilted(slices: list[SliceHeader], degrees: float) -> list[SliceHeader]:
    turn = math.radians(degrees)
    direction = (1.0, 0.0, 0.0, 0.0, math.cos(turn), -math.sin(turn))
    return [
        replace(header, orientation=direction, position=(-40.0, -30.0, 100.0 + 2.5 * at), tilt=degrees)
        for at, header in enumerate(slices)
    ]


def linear(world: np.ndarray) -> np.ndarray:
    """A field that linear interpolation reproduces exactly, of RAS positions [..., 3]."""
    return 3.0 + world @ np.array([0.7, -1.1, 0.4])


def positions(header: SliceHeader) -> np.ndarray:
    """RAS position of every stored pixel [rows, columns, 3], by the standard's own formula (PS3.3 C.7.6.2.1.1)."""
    row, column = np.array(header.orientation[:3]), np.array(header.orientation[3:])
    i, j = np.meshgrid(np.arange(header.rows), np.arange(header.columns), indexing="ij")
    lps = np.array(header.position) + j[..., None] * row * header.pixel_spacing[1]
    return (lps + i[..., None] * column * header.pixel_spacing[0]) * (-1, -1, 1)


def resampled(stack: Stack, planes: list[np.ndarray], modality: str = "CT") -> np.ndarray:
    scan = SimpleNamespace(geometry=stack.geometry, stored_origins=stack.stored_origins, modality=modality)
    return np.stack(list(regrid(iter(planes), scan)))


def grid_positions(stack: Stack) -> np.ndarray:
    count, rows, columns = stack.geometry.shape
    k, i, j = np.meshgrid(np.arange(count), np.arange(rows), np.arange(columns), indexing="ij")
    affine = np.array(stack.geometry.affine)
    return np.stack([j, i, k], axis=-1) @ affine[:3, :3].T + affine[:3, 3]


@pytest.mark.parametrize("degrees", [12.5, -12.5, 30.0])
def test_a_field_seen_through_a_tilted_gantry_is_where_it_was(slices, degrees: float) -> None:
    (stack,) = check_series(tilted(slices, degrees)).stacks
    volume = resampled(stack, [linear(positions(header)) for header in stack.slices])
    outside = volume == AIR_HU
    # A pixel at the border of what was measured is mixed with air; one further in is not.
    inside = ~outside
    inside[:, 1:] &= ~outside[:, :-1]
    inside[:, :-1] &= ~outside[:, 1:]
    inside[:, [0, -1]] = False

    assert volume.shape == stack.geometry.shape
    assert volume.dtype == np.float32
    assert inside.mean() > 0.4
    # Offsets below 2 % of a pixel are taken for rounding: 0.016 mm of a field of 1.1 a mm.
    assert np.abs(volume - linear(grid_positions(stack)))[inside].max() < 0.03


@pytest.mark.parametrize("degrees", [12.5, -30.0])
def test_no_stored_pixel_is_cut(slices, degrees: float) -> None:
    (stack,) = check_series(tilted(slices, degrees)).stacks
    volume = resampled(stack, [np.full((64, 60), 1.0) for _ in stack.slices])

    np.testing.assert_allclose((volume - AIR_HU).sum(axis=(1, 2)), 64 * 60 * (1.0 - AIR_HU), rtol=1e-5)


def test_uneven_planes_are_interpolated_along_the_normal(slices) -> None:
    heights = [0, 2.5, 5.8, 7.5, 10, 13, 15, 17.5]
    moved = [replace(header, position=(-40.0, -30.0, height)) for header, height in zip(slices, heights, strict=False)]
    (stack,) = check_series(moved, resample_irregular=True).stacks
    volume = resampled(stack, [linear(positions(header)) for header in stack.slices])

    assert volume.shape == (8, 64, 60)
    np.testing.assert_allclose(volume, linear(grid_positions(stack)), atol=0.06)


def test_outside_is_air_in_ct_and_no_signal_elsewhere(slices) -> None:
    (stack,) = check_series(tilted(slices, 20.0)).stacks
    planes = [np.full((64, 60), 100.0) for _ in stack.slices]

    assert resampled(stack, planes).min() == AIR_HU
    assert resampled(stack, planes, "MR").min() == 0.0


def test_at_most_two_planes_are_asked_for_ahead(slices) -> None:
    (stack,) = check_series(tilted(slices, 20.0)).stacks
    asked = []
    scan = SimpleNamespace(geometry=stack.geometry, stored_origins=stack.stored_origins, modality="CT")
    planes = (asked.append(at) or np.zeros((64, 60)) for at in range(24))
    for given, _ in enumerate(regrid(planes, scan), 1):
        assert len(asked) <= given + 1


def test_planes_that_end_early_or_do_not_fit_are_refused(slices) -> None:
    (stack,) = check_series(tilted(slices, 20.0)).stacks
    for planes in ([np.zeros((64, 60))] * 23, [np.zeros((200, 60))] * 24):
        with pytest.raises(RefusedError) as refused:
            resampled(stack, planes)
        assert refused.value.reason is Reason.DECODE_FAILED


def test_a_shift_by_part_of_a_pixel_is_shared_between_neighbours() -> None:
    out = shifted(np.array([[4.0]]), (3, 3), down=1.25, across=0.5, fill=0.0)

    np.testing.assert_allclose(out, [[0, 0, 0], [1.5, 1.5, 0], [0.5, 0.5, 0]])


def binary() -> Path:
    dcm2niix = pytest.importorskip("dcm2niix")
    return Path(dcm2niix.__file__).with_name("dcm2niix")


def test_dcm2niix_corrects_a_tilt_onto_the_same_grid(series: Callable[..., Path], tmp_path: Path) -> None:
    """Same affine; voxels equal within the interpolation of noise (both are linear within the plane).

    Only for one direction of the tilt: for the other, dcm2niix 1.0.20260724 moves the origin the wrong way along z.
    """
    turn = math.radians(15.0)

    def edit(ds: Dataset, index: int) -> None:
        ds.GantryDetectorTilt = "15"
        ds.ImageOrientationPatient = [1, 0, 0, 0, f"{math.cos(turn):.8f}", f"{-math.sin(turn):.8f}"]
        ds.ImagePositionPatient = [-40, -30, f"{100 + 2.5 * index:.4f}"]
        # dcm2niix takes the order of the instance numbers, and splits acquisition times.
        ds.InstanceNumber, ds.AcquisitionTime = index + 1, "091200"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{index + 1}"
        ds.Manufacturer, ds.SeriesNumber = "SIEMENS", 3

    folder = series(edit=edit)
    headers = [read_header(path.read_bytes(), path=str(path)) for path in sorted(folder.iterdir())]
    (stack,) = check_series(headers).stacks
    volume = resampled(stack, [slice_values(Path(each.path).read_bytes(), each) for each in stack.slices])
    subprocess.run([binary(), "-b", "n", "-z", "n", "-f", "x", "-o", tmp_path, folder], check=True, capture_output=True)
    (path,) = tmp_path.glob("x_Tilt*.nii")
    theirs = nibabel.load(path)
    turned = nibabel.as_closest_canonical(theirs)
    ours = nibabel.as_closest_canonical(nibabel.Nifti1Image(volume.transpose(2, 1, 0), np.array(stack.geometry.affine)))
    values = np.asarray(turned.dataobj, np.float32)

    np.testing.assert_allclose(ours.affine, turned.affine, atol=0.01)
    assert values.shape == ours.shape
    middle = np.abs(values - np.asarray(ours.dataobj))[:, 20:-20]
    assert np.median(middle) < 2.0
    assert np.corrcoef(values[:, 20:-20].ravel(), np.asarray(ours.dataobj)[:, 20:-20].ravel())[0, 1] > 0.9999
