"""From the grid of a model back to the scanner: a heat map in the voxels of the scan it was made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_schemas.scan import Geometry

# Axes that lie along the grid's but for less than this many of its voxels over the whole scan are taken one by one.
_OFF_AXIS_VOXELS = 0.01


def cells_affine(affine: np.ndarray, shape: tuple[int, int, int], cells: tuple[int, int, int]) -> np.ndarray:
    """Affine of a coarser grid of cells, (x, y, z) → RAS+ mm, that is laid over a grid of ``shape`` (z, y, x).

    Cell i of n over m voxels has its centre at voxel (i + ½) m / n - ½, as a model's tokens have it.
    """
    ratio = np.array(shape[::-1]) / np.array(cells[::-1])
    within = np.diag([*ratio, 1.0])
    within[:3, 3] = ratio / 2 - 0.5
    return np.asarray(affine, float) @ within


def to_scan(
    values: np.ndarray, affine: np.ndarray, geometry: Geometry, *, order: int = 1, outside: float = 0.0
) -> np.ndarray:
    """Take values on a grid back to the voxels of a scan, through millimetres in the scanner's space.

    Parameters
    ----------
    values, affine
        [z, y, x] and where its voxels (x, y, z) lie in RAS+ mm: a heat map on a model's grid, or of its tokens
        (`cells_affine`).
    geometry
        Of the scan.
    order
        1: trilinear between the centres of the grid's voxels, level from the outermost centres to the outer faces;
        0: each voxel of the grid as a block, for labels.
    outside
        What lies beyond the outer faces of the grid becomes this.

    Returns
    -------
    numpy.ndarray
        float32 [slices, rows, columns].

    Raises
    ------
    ValueError
        Another order, or an empty grid.
    """
    result = np.empty(geometry.shape, np.float32)
    for plane, found in zip(result, to_planes(values, affine, geometry, order=order, outside=outside), strict=True):
        plane[...] = found
    return result


def to_planes(
    values: np.ndarray, affine: np.ndarray, geometry: Geometry, *, order: int = 1, outside: float = 0.0
) -> Iterator[np.ndarray]:
    """Do as `to_scan` does, plane by plane [rows, columns] in slice order."""
    if order not in {0, 1}:
        raise ValueError(f"an order of {order}; 0 (blocks) and 1 (trilinear) are known")
    if values.ndim != 3 or not values.size:
        raise ValueError(f"values of shape {values.shape}; a grid [z, y, x] is needed")
    into = np.linalg.solve(np.asarray(affine, float), np.array(geometry.affine))
    steps, start = into[:3, :3][::-1, ::-1], into[:3, 3][::-1]
    grid = np.asarray(values, np.float32)
    along = np.abs(steps).argmax(axis=0)
    on_axis = np.zeros_like(steps)
    on_axis[along, range(3)] = steps[along, range(3)]
    askew = np.abs(steps - on_axis) @ np.array(geometry.shape)
    if len(set(along)) == 3 and askew.max() < _OFF_AXIS_VOXELS:
        yield from _aligned(grid.transpose(along), steps[along, range(3)], start[along], geometry.shape, order, outside)
    else:
        yield from _askew(grid, steps, start, geometry.shape, order, outside)


def _aligned(
    grid: np.ndarray, steps: np.ndarray, start: np.ndarray, shape: tuple[int, int, int], order: int, outside: float
) -> Iterator[np.ndarray]:
    """Axis by axis; ``grid``, ``steps`` and ``start`` are ordered as the scan's axes."""
    from scipy.sparse import csr_array

    weights, inside = [], []
    for count, size, step, first in zip(shape, grid.shape, steps, start, strict=True):
        place = first + step * np.arange(count)
        inside.append((place >= -0.5) & (place <= size - 0.5))
        place = np.clip(place, 0, size - 1)
        distance = np.abs((place if order else np.floor(place + 0.5))[:, None] - np.arange(size))
        weights.append(np.maximum(0.0, 1.0 - distance).astype(np.float32))
    beyond = ~(inside[1][:, None] & inside[2])
    by_row, by_column = csr_array(weights[1]), csr_array(weights[2])
    for number, share in enumerate(weights[0]):
        near = np.flatnonzero(share)
        mixed = by_row @ np.einsum("k,kyx->yx", share[near], grid[near])
        plane = np.ascontiguousarray((by_column @ np.ascontiguousarray(mixed.T)).T)
        plane[beyond if inside[0][number] else ...] = outside
        yield plane


def _askew(
    grid: np.ndarray, steps: np.ndarray, start: np.ndarray, shape: tuple[int, int, int], order: int, outside: float
) -> Iterator[np.ndarray]:
    from scipy.ndimage import map_coordinates

    size = np.array(grid.shape)[:, None, None]
    slices, rows, columns = shape
    by_row, by_column = np.ogrid[:rows, :columns]
    in_plane = steps[:, 1, None, None] * by_row + steps[:, 2, None, None] * by_column + start[:, None, None]
    for number in range(slices):
        place = in_plane + (steps[:, 0] * number)[:, None, None]
        inside = ((place >= -0.5) & (place <= size - 0.5)).all(axis=0)
        # Beyond the outermost centres is level: the place is drawn back to them.
        np.clip(place, 0, size - 1, out=place)
        if order == 0:
            z, y, x = np.floor(place + 0.5).astype(np.intp)
            plane = grid[z, y, x]
        else:
            plane = map_coordinates(grid, place, order=1, mode="nearest", prefilter=False)
        plane[~inside] = outside
        yield plane
