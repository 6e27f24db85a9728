"""From a volume to the tensor of a model: one resampling onto a grid in RAS+, then HU windows as channels.

Method: each grid voxel takes the mean of the trilinear interpolant over a box. Per input axis the box is
sqrt(f² - 1) voxels wide, where f is the grid voxel's width in input voxels: an input voxel is itself a box of width 1,
and this is what widens it to f (their variances add). So nothing aliases when shrinking, nothing blurs at f ≤ 1, where
it is plain trilinear interpolation, and constants and linear ramps stay exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_schemas.scan import Geometry

# Axes that lie along the patient's but for less than this many voxels over the whole grid are resampled per axis.
_OFF_AXIS_VOXELS = 0.1
_NARROW_BOX = 1e-3


class Grid(NamedTuple):
    """A preprocessed scan.

    ``values`` is float32 [channels, z, y, x] within 0 and 1; x grows to the patient's right, y to the front, z to the
    head. ``affine`` maps grid voxel (x, y, z) to RAS+ millimetres. ``history`` is the line for the scan's history.
    """

    values: np.ndarray
    affine: np.ndarray
    history: str


def preprocess(
    volume: np.ndarray,
    geometry: Geometry,
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    windows_hu: Sequence[tuple[float, float]],
) -> Grid:
    """Resample a volume onto a grid around its centre and scale HU windows to channels.

    Parameters
    ----------
    volume, geometry
        [slices, rows, columns] in HU, and where its voxels lie.
    shape, spacing_mm
        Of the grid, in array order (z, y, x).
    windows_hu
        Lower and upper bound of each channel. What lies outside of the volume counts as the lowest bound of all.

    Returns
    -------
    Grid
        Its values depend on the arguments alone.

    Raises
    ------
    ValueError
        The volume is not of the geometry's shape, or a window is empty.
    """
    if volume.shape != geometry.shape:
        raise ValueError(f"volume of shape {volume.shape} under a geometry of {geometry.shape}")
    if not windows_hu or any(not low < high for low, high in windows_hu):
        raise ValueError("each window needs a lower bound below its upper bound")
    affine = grid_affine(geometry, shape=shape, spacing_mm=spacing_mm)
    bounds = (min(low for low, _ in windows_hu), max(high for _, high in windows_hu))
    step = _steps(geometry, affine)
    values = _resample(volume, step, shape, bounds)
    channels = np.empty((len(windows_hu), *shape), np.float32)
    for channel, (low, high) in zip(channels, windows_hu, strict=True):
        np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0, out=channel)
    text = ", ".join(f"{low:g} to {high:g}" for low, high in windows_hu)
    history = f"preprocess: grid {shape} of {spacing_mm} mm (z, y, x) in RAS+, box and trilinear, windows {text} HU"
    return Grid(channels, affine, history)


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


def _steps(geometry: Geometry, affine: np.ndarray) -> np.ndarray:
    """Steps in the volume, in array order: entry [i, j] is how far axis i moves for one grid voxel along axis j."""
    source = np.array(geometry.affine)[:3, :3]
    return np.linalg.solve(source, affine[:3, :3])[::-1, ::-1]


def _resample(
    volume: np.ndarray, step: np.ndarray, shape: tuple[int, int, int], bounds: tuple[float, float]
) -> np.ndarray:
    """Values on the grid [z, y, x], clipped to ``bounds`` before they are averaged; outside is the lower bound."""
    along = np.abs(step).argmax(axis=0)
    on_axis = np.zeros_like(step)
    on_axis[along, range(3)] = step[along, range(3)]
    off_axis = np.abs(step - on_axis) @ (np.array(shape) / 2)
    if len(set(along)) == 3 and off_axis.max() <= _OFF_AXIS_VOXELS:
        return _separable(volume, step, along, shape, bounds)
    return _oblique(volume, step, shape, bounds)


def axis_weights(size: int, count: int, step: float) -> np.ndarray:
    """Weights [count, size] that take ``size`` samples to ``count``, ``step`` samples apart, around their centre.

    A row sums to 1 less the share that falls outside of the samples.
    """
    centres = (size - 1) / 2 + step * (np.arange(count) - (count - 1) / 2)
    return _kernel(centres[:, None] - np.arange(size), _box(abs(step)))


def _box(width: float) -> float:
    return float(np.sqrt(max(width**2 - 1.0, 0.0)))


def _kernel(distance: np.ndarray, box: float) -> np.ndarray:
    """Weight of a sample at a distance, in samples: the mean of the hat function over a box."""
    if box < _NARROW_BOX:
        return np.maximum(0.0, 1.0 - np.abs(distance))
    return (_hat_integral(distance + box / 2) - _hat_integral(distance - box / 2)) / box


def _hat_integral(upto: np.ndarray) -> np.ndarray:
    inside = np.clip(upto, -1.0, 1.0)
    return 0.5 + inside - 0.5 * inside * np.abs(inside)


def _separable(
    volume: np.ndarray,
    step: np.ndarray,
    along: np.ndarray,
    shape: tuple[int, int, int],
    bounds: tuple[float, float],
) -> np.ndarray:
    from scipy.sparse import csr_array

    low, high = np.float32(bounds[0]), np.float32(bounds[1])
    # axes[i] is the grid axis that runs along axis i of the volume.
    axes = np.argsort(along)
    weights = [axis_weights(volume.shape[i], shape[axes[i]], step[i, axes[i]]).astype(np.float32) for i in range(3)]
    used = [np.flatnonzero(weight.any(axis=0)) for weight in weights]
    spans = [slice(int(index[0]), int(index[-1]) + 1) if index.size else slice(0, 0) for index in used]
    # A row of weights reaches over few samples: sparse, this costs a fortieth of the dense product, and without
    # BLAS threads its result and its time do not depend on how busy the machine is.
    by_slice, by_row, by_column = (csr_array(weight[:, span]) for weight, span in zip(weights, spans, strict=True))
    thin = np.empty((by_slice.shape[1], by_column.shape[0], by_row.shape[0]), np.float32)
    plane = np.empty((by_row.shape[1], by_column.shape[1]), np.float32)
    for index, source in enumerate(volume[spans[0], spans[1], spans[2]]):
        # Above the lowest bound, so that what is outside of the volume adds nothing.
        np.clip(source, low, high, out=plane)
        plane -= low
        thin[index] = by_column @ np.ascontiguousarray((by_row @ plane).T)
    values = (by_slice @ thin.reshape(len(thin), -1)).reshape(-1, *thin.shape[1:]).swapaxes(1, 2) + low
    return np.ascontiguousarray(values.transpose(along))


def _oblique(
    volume: np.ndarray, step: np.ndarray, shape: tuple[int, int, int], bounds: tuple[float, float]
) -> np.ndarray:
    """Sum each grid voxel's neighbours one by one: for axes that lie askew. Boxes stay along the volume's axes."""
    low, high = np.float32(bounds[0]), np.float32(bounds[1])
    size = np.array(volume.shape)
    boxes = [_box(width) for width in np.sqrt((step**2).sum(axis=1))]
    index = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij"), axis=-1)
    points = (index.reshape(-1, 3) @ step.T + (size - 1) / 2).T
    first = [np.ceil(point - box / 2 - 1.0).astype(np.intp) for point, box in zip(points, boxes, strict=True)]
    near, share = [], []
    for axis in range(3):
        taps = first[axis] + np.arange(int(np.floor(boxes[axis] + 2.0)) + 1)[:, None]
        weight = _kernel(points[axis] - taps, boxes[axis])
        weight[(taps < 0) | (taps >= size[axis])] = 0.0
        near.append(np.clip(taps, 0, size[axis] - 1))
        share.append(weight.astype(np.float32))
    flat = np.ascontiguousarray(volume).reshape(-1)
    total = np.zeros(points.shape[1], np.float32)
    for i, j in itertools.product(range(len(near[0])), range(len(near[1]))):
        start = (near[0][i] * size[1] + near[1][j]) * size[2]
        line = np.zeros_like(total)
        for k in range(len(near[2])):
            line += share[2][k] * (np.clip(flat[start + near[2][k]], low, high) - low)
        total += share[0][i] * share[1][j] * line
    return (total + low).reshape(shape)
