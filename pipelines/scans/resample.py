"""One resampling of a scan onto a grid in RAS+, plane by plane: nothing of the scan's size is ever held.

Every plane is averaged within itself first; what comes out is added to the few grid slices that it reaches. Axes that
lie along the patient's are taken one after the other; a scan that lies askew, or is sheared, goes through `oblique`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

from data_schemas.scan import Geometry
from pipelines.scans.kernel import Lattice, axis_weights, lattice
from pipelines.scans.oblique import clip_above, oblique_planes

# Axes that lie along the patient's but for less than this many voxels over the whole grid are resampled per axis.
_OFF_AXIS_VOXELS = 0.1
# So many averaged planes are added to the grid at once: always the same ones, so that sums come in one order.
_CHUNK = 16
# A plane is transposed in strips: rows that lie a power of two apart share a place in the processor's cache.
_STRIP = 16
# Where all planes are at hand, two threads take turns; their sums are added in the order of the planes.
THREADS = 2

Bounds = tuple[float, float] | None


def grid_affine(
    geometry: Geometry, *, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> np.ndarray:
    """Affine of the grid, voxel (x, y, z) → RAS+ mm: its centre is the volume's centre, its axes are the patient's."""
    slices, rows, columns = geometry.shape
    middle = np.array([columns - 1, rows - 1, slices - 1]) / 2
    source = np.array(geometry.affine)
    centre = source[:3, :3] @ middle + source[:3, 3]
    spacing, size = np.array(spacing_mm[::-1]), np.array(shape[::-1])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = centre - spacing * (size - 1) / 2
    return affine


def resample(
    planes: np.ndarray | Iterable[np.ndarray],
    geometry: Geometry,
    *,
    affine: np.ndarray,
    shape: tuple[int, int, int],
    bounds: Bounds = None,
) -> np.ndarray:
    """Values of a scan on a grid, above the lower bound.

    Parameters
    ----------
    planes, geometry
        A volume [slices, rows, columns], or its planes [rows, columns] in slice order, and where the voxels lie. A
        plane is used before the next one is asked for, and all are asked for, also those that the grid does not reach.
    affine, shape
        Of the grid: voxel (x, y, z) → RAS+ mm, and its size in array order (z, y, x).
    bounds
        Values are clipped to these before they are averaged; then the lower bound is subtracted, so that outside of
        the scan is the lower bound. Without bounds, outside of the scan is 0.

    Returns
    -------
    numpy.ndarray
        float32 [z, y, x]; the same bits from a volume as from its planes.

    Raises
    ------
    ValueError
        The planes are not of the geometry's shape.
    """
    grid = lattice(geometry, affine, shape)
    if isinstance(planes, np.ndarray) and planes.shape != grid.size:
        raise ValueError(f"volume of shape {planes.shape} under a geometry of {grid.size}")
    along = np.abs(grid.steps).argmax(axis=0)
    on_axis = np.zeros_like(grid.steps)
    on_axis[along, range(3)] = grid.steps[along, range(3)]
    off_axis = np.abs(grid.steps - on_axis) @ (np.array(shape) / 2)
    if len(set(along)) == 3 and off_axis.max() <= _OFF_AXIS_VOXELS:
        return _separable(planes, grid, along, bounds)
    total = np.zeros(shape, np.float32)
    add = oblique_planes(total, grid, bounds)
    for index, plane in enumerate(_checked(planes, grid.size)):
        add(index, plane)
    return total


def _checked(planes: Iterable[np.ndarray], size: tuple[int, int, int]) -> Iterator[np.ndarray]:
    count = 0
    for plane in planes:
        if count == size[0] or plane.shape != size[1:]:
            raise ValueError(f"plane {count} of shape {plane.shape} under a geometry of {size}")
        count += 1
        yield plane
    if count != size[0]:
        raise ValueError(f"{count} planes under a geometry of {size}")


def _separable(
    planes: np.ndarray | Iterable[np.ndarray], grid: Lattice, along: np.ndarray, bounds: Bounds
) -> np.ndarray:
    # axes[i] is the grid axis that runs along axis i of the volume.
    axes = np.argsort(along)
    weights = [
        axis_weights(grid.size[i], grid.shape[axes[i]], grid.steps[i, axes[i]], grid.centre[i]).astype(np.float32)
        for i in range(3)
    ]
    average = _averaging(weights[1], weights[2], bounds)
    starts = range(0, grid.size[0], _CHUNK)
    total = np.zeros((len(weights[0]), len(weights[2]), len(weights[1])), np.float32)

    def sums(start: int, some: Iterable[np.ndarray]) -> tuple[slice, np.ndarray]:
        near = weights[0][:, start : start + _CHUNK]
        reached = _span(near.T)
        averaged = average(some)  # also where the grid is not reached: the planes are asked for
        return reached, (_sparse(near[reached]) @ averaged.reshape(len(averaged), -1)).reshape(-1, *total.shape[1:])

    if isinstance(planes, np.ndarray):
        volume = planes
        with ThreadPoolExecutor(THREADS) as pool:
            for reached, part in pool.map(lambda start: sums(start, volume[start : start + _CHUNK]), starts):
                total[reached] += part
    else:
        one_by_one = _checked(planes, grid.size)
        for start in starts:
            reached, part = sums(start, islice(one_by_one, _CHUNK))
            total[reached] += part
        next(one_by_one, None)  # a plane too many is a fault
    return np.ascontiguousarray(total.swapaxes(1, 2).transpose(along))


def _averaging(
    by_row: np.ndarray, by_column: np.ndarray, bounds: Bounds
) -> Callable[[Iterable[np.ndarray]], np.ndarray]:
    """Return what averages some planes within themselves: [planes, columns', rows']."""
    rows, columns = _span(by_row), _span(by_column)
    # A row of weights reaches over few samples: sparse, this costs a fortieth of the dense product, and without
    # BLAS threads its result and its time do not depend on how busy the machine is.
    row_weights, column_weights = _sparse(by_row[:, rows]), _sparse(by_column[:, columns])

    def average(planes: Iterable[np.ndarray]) -> np.ndarray:
        inside = np.empty((row_weights.shape[1], column_weights.shape[1]), np.float32)
        turned = np.empty((inside.shape[1], len(by_row)), np.float32)
        averaged = []
        for plane in planes:
            clip_above(plane[rows, columns], bounds, inside)
            in_rows = row_weights @ inside
            for first in range(0, len(in_rows), _STRIP):
                turned[:, first : first + _STRIP] = in_rows[first : first + _STRIP].T
            averaged.append(column_weights @ turned)
        return np.array(averaged, np.float32).reshape(-1, len(by_column), len(by_row))

    return average


def _sparse(weights: np.ndarray) -> Any:
    from scipy.sparse import csr_array

    return csr_array(weights)


def _span(weights: np.ndarray) -> slice:
    """The samples, from the first to the last, that have a weight other than 0 in some row."""
    used = np.flatnonzero(weights.any(axis=0))
    return slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0)
