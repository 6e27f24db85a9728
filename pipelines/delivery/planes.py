"""Planes through a volume in the patient's own axes, in radiological convention, whatever way the slices lie."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import ceil

import numpy as np

from data_schemas.scan import Geometry

Point = tuple[float, float, float]
FINEST_SAMPLES = 3


@dataclass(frozen=True)
class View:
    """A way to look. ``across``, ``down`` and ``through`` are RAS axes: images run from high to low across and down."""

    name: str
    across: int
    down: int
    through: int
    edges: tuple[str, str, str, str]  # what lies at the image's left, right, top and bottom


# The patient's right is on the image's left; in the sagittal view it is the front that is there.
AXIAL = View("Axial", across=0, down=1, through=2, edges=("R", "L", "A", "P"))
CORONAL = View("Coronal", across=0, down=2, through=1, edges=("R", "L", "S", "I"))
SAGITTAL = View("Sagittal", across=1, down=2, through=0, edges=("A", "P", "S", "I"))
VIEWS = (AXIAL, CORONAL, SAGITTAL)


@dataclass(frozen=True)
class Plane:
    """A sampled plane: ``values`` float32 [rows, columns], square pixels of ``pixel_mm``.

    ``corner_mm`` is the RAS coordinate of the image's left edge (along ``across``) and of its top (along ``down``).
    """

    view: View
    values: np.ndarray
    pixel_mm: float
    corner_mm: tuple[float, float]

    def pixel_of(self, position_mm: Point) -> tuple[float, float]:
        """Where a RAS position falls: column and row, counted from the left and top edges of the image."""
        left, top = self.corner_mm
        return (
            (left - position_mm[self.view.across]) / self.pixel_mm,
            (top - position_mm[self.view.down]) / self.pixel_mm,
        )


def bounds_mm(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS coordinates of the volume, edges of the outer voxels included."""
    sizes = geometry.shape[::-1]  # (columns, rows, slices), as the affine has it
    corners = np.array(list(itertools.product(*((-0.5, size - 0.5) for size in sizes))))
    affine = np.array(geometry.affine)
    points = corners @ affine[:3, :3].T + affine[:3, 3]
    return points.min(axis=0), points.max(axis=0)


def centre_mm(geometry: Geometry) -> Point:
    """RAS coordinates of the middle of the volume."""
    affine = np.array(geometry.affine)
    middle = (np.array(geometry.shape[::-1]) - 1) / 2
    x, y, z = (float(value) for value in affine[:3, :3] @ middle + affine[:3, 3])
    return x, y, z


def contains(geometry: Geometry, position_mm: Point) -> bool:
    """Whether a RAS position lies within the volume, edges of the outer voxels included."""
    place = voxel_of(geometry, np.array(position_mm, dtype=float).reshape(3, 1))[:, 0]
    return bool(((place >= -0.5) & (place <= np.array(geometry.shape) - 0.5)).all())


def sample_plane(
    volume: np.ndarray, geometry: Geometry, view: View, *, through_mm: float, longest_px: int, outside: float
) -> Plane:
    """Sample the plane of a view at a RAS coordinate.

    Parameters
    ----------
    volume, geometry
        [slices, rows, columns], and where its voxels lie.
    through_mm
        Coordinate along the axis that the view looks along.
    longest_px
        Size of the longer side of the image; the other follows from the true proportions.
    outside
        Value of what lies outside of the volume, or is not finite.

    Returns
    -------
    Plane
        Trilinear samples, averaged within each pixel where pixels are larger than voxels.
    """
    low, high = bounds_mm(geometry)
    size = high - low
    pixel = float(max(size[view.across], size[view.down]) / longest_px)
    columns, rows = (max(round(float(size[axis]) / pixel), 1) for axis in (view.across, view.down))
    fine = min(max(ceil(pixel / min(geometry.spacing_mm) - 0.25), 1), FINEST_SAMPLES)
    position = np.empty((3, rows * fine, columns * fine))
    position[view.through] = through_mm
    position[view.across] = high[view.across] - (np.arange(columns * fine) + 0.5) * (pixel / fine)
    position[view.down] = (high[view.down] - (np.arange(rows * fine) + 0.5) * (pixel / fine))[:, None]
    values = _trilinear(volume, voxel_of(geometry, position.reshape(3, -1)), outside)
    values = values.reshape(rows, fine, columns, fine).mean(axis=(1, 3))
    return Plane(view, values, pixel, (float(high[view.across]), float(high[view.down])))


def voxel_of(geometry: Geometry, positions_mm: np.ndarray) -> np.ndarray:
    """RAS positions [3, n] as voxel coordinates [3, n], in array order (slice, row, column)."""
    affine = np.array(geometry.affine)
    return np.linalg.solve(affine[:3, :3], positions_mm - affine[:3, 3:])[::-1]


def _trilinear(volume: np.ndarray, places: np.ndarray, outside: float) -> np.ndarray:
    """Interpolate at voxel coordinates [3, n]; the outer half voxel takes the value of its voxel."""
    last = np.array(volume.shape)[:, None] - 1
    inside = ((places >= -0.5) & (places <= last + 0.5)).all(axis=0)
    held = np.clip(places[:, inside], 0, last)
    first = np.minimum(held.astype(np.intp), np.maximum(last - 1, 0))
    share = (held - first).astype(np.float32)
    total = np.zeros(held.shape[1], np.float32)
    for corner in itertools.product((0, 1), repeat=3):
        weight = np.ones_like(total)
        for axis, step in enumerate(corner):
            weight *= share[axis] if step else 1 - share[axis]
        near = np.minimum(first + np.array(corner)[:, None], last)
        values = volume[near[0], near[1], near[2]].astype(np.float32, copy=False)
        total += np.where(weight > 0, weight * np.nan_to_num(values, nan=outside, posinf=outside, neginf=outside), 0)
    result = np.full(places.shape[1], outside, np.float32)
    result[inside] = total
    return result
