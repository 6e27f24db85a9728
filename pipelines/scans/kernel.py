"""The weights of a resampling: the mean of the trilinear interpolant over a box.

Per input axis the box is sqrt(f² - 1) voxels wide, where f is the grid voxel's width in input voxels: an input voxel is
itself a box of width 1, and this is what widens it to f (their variances add). So nothing aliases when shrinking,
nothing blurs at f ≤ 1, where it is plain trilinear interpolation, and constants and linear ramps stay exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_schemas.scan import Geometry

_NARROW_BOX = 1e-3


class Lattice(NamedTuple):
    """Where a grid lies in a volume, both in array order (slice or z first).

    ``steps`` [3, 3]: entry [i, j] is how far axis i of the volume moves for one grid voxel along axis j. ``centre`` is
    the grid's middle, in voxels of the volume; ``shape`` is the grid's, ``size`` the volume's.
    """

    steps: np.ndarray
    centre: np.ndarray
    shape: tuple[int, int, int]
    size: tuple[int, int, int]

    @property
    def boxes(self) -> list[float]:
        """Width of the box along each axis of the volume, in its voxels."""
        return [box_width(width) for width in np.sqrt((self.steps**2).sum(axis=1))]

    def points(self, axis: int, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Place of some grid voxels along an axis of the volume; float64 of the arrays' common shape."""
        offset = [number - (count - 1) / 2 for number, count in zip((z, y, x), self.shape, strict=True)]
        return self.centre[axis] + sum(step * number for step, number in zip(self.steps[axis], offset, strict=True))


def lattice(geometry: Geometry, affine: np.ndarray, shape: tuple[int, int, int]) -> Lattice:
    """Lay a grid (its affine: voxel (x, y, z) → RAS+ mm) into a volume."""
    source = np.array(geometry.affine)
    steps = np.linalg.solve(source[:3, :3], affine[:3, :3])[::-1, ::-1]
    middle = affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2) + affine[:3, 3]
    return Lattice(steps, np.linalg.solve(source[:3, :3], middle - source[:3, 3])[::-1], shape, geometry.shape)


def axis_weights(size: int, count: int, step: float, centre: float | None = None) -> np.ndarray:
    """Weights [count, size] that take ``size`` samples to ``count``, ``step`` samples apart.

    ``centre`` is where their middle lies, by default in the middle of the samples. A row sums to 1 less the share that
    falls outside of the samples.
    """
    middle = (size - 1) / 2 if centre is None else centre
    points = middle + step * (np.arange(count) - (count - 1) / 2)
    return kernel(points[:, None] - np.arange(size), box_width(abs(step)))


def box_width(width: float) -> float:
    """Width of the box, in samples, that widens a sample to ``width`` samples."""
    return float(np.sqrt(max(width**2 - 1.0, 0.0)))


def kernel(distance: np.ndarray, box: float) -> np.ndarray:
    """Weight of a sample at a distance, in samples: the mean of the hat function over a box."""
    if box < _NARROW_BOX:
        return np.maximum(0.0, 1.0 - np.abs(distance))
    return (_hat_integral(distance + box / 2) - _hat_integral(distance - box / 2)) / box


def coverage(grid: Lattice) -> np.ndarray:
    """Share of each grid voxel that lies inside of the volume: float32 [z, y, x], 1 well inside, 0 outside.

    It is the sum of the weights: the resampling of a volume of ones.
    """
    z, y, x = np.ogrid[: grid.shape[0], : grid.shape[1], : grid.shape[2]]
    share = np.empty(grid.shape, np.float32)
    for number in range(grid.shape[0]):  # slice by slice: places are in float64
        parts = [
            _inside(grid.points(axis, z[number], y[0], x[0]), grid.size[axis], box)
            for axis, box in enumerate(grid.boxes)
        ]
        share[number] = parts[0] * parts[1] * parts[2]
    return share


def _inside(point: np.ndarray, size: int, box: float) -> np.ndarray:
    """Sum of the weights of ``size`` samples at some points: the mean over the box of a trapezium that is 1 inside."""
    if box < _NARROW_BOX:
        return np.clip(np.minimum(point + 1.0, size - point), 0.0, 1.0)
    ends = [
        _ramp_integral(point + shift + 1.0) - _ramp_integral(point + shift - size + 1.0)
        for shift in (box / 2, -box / 2)
    ]
    return np.clip((ends[0] - ends[1]) / box, 0.0, 1.0)


def _ramp_integral(upto: np.ndarray) -> np.ndarray:
    """Integral of a ramp that rises from 0 at 0 to 1 at 1, and stays there."""
    rising = np.clip(upto, 0.0, 1.0)
    return 0.5 * rising * rising + np.maximum(upto - 1.0, 0.0)


def _hat_integral(upto: np.ndarray) -> np.ndarray:
    inside = np.clip(upto, -1.0, 1.0)
    return 0.5 + inside - 0.5 * inside * np.abs(inside)
