"""Resampling of a scan that lies askew to the grid, or is sheared: each plane is scattered to what it reaches.

The boxes stay along the volume's own axes, so a grid voxel's weight of a sample is the product of three weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipelines.scans.kernel import Lattice, kernel

# So many grid voxels are summed at once; with it the memory does not grow with the grid.
_AT_ONCE = 2**13


def oblique_planes(
    total: np.ndarray, grid: Lattice, bounds: tuple[float, float] | None
) -> Callable[[int, np.ndarray], None]:
    """Return what adds a plane, given its number, to the grid ``total`` [z, y, x].

    For each line of the grid along the axis that crosses the planes fastest, a plane reaches one short run of voxels:
    these are looked at, and of them those in whose reach the plane lies.
    """
    crossing = int(np.abs(grid.steps[0]).argmax())
    step = float(grid.steps[0, crossing])
    reach = grid.boxes[0] / 2 + 1.0
    lines = np.indices([1 if axis == crossing else count for axis, count in enumerate(grid.shape)], np.int32)
    starts = grid.points(0, *lines).reshape(-1)  # place along the slices of each line's first voxel
    numbers = [line.reshape(-1) for line in lines]
    margins = [int(np.ceil(box)) + 3 for box in grid.boxes[1:]]
    padded = np.zeros([size + 2 * margin for size, margin in zip(grid.size[1:], margins, strict=True)], np.float32)
    inner = padded[tuple(slice(margin, margin + size) for size, margin in zip(grid.size[1:], margins, strict=True))]
    flat_total, flat_plane = total.reshape(-1), padded.reshape(-1)

    def add(index: int, plane: np.ndarray) -> None:
        ends = ((index - reach - starts) / step, (index + reach - starts) / step)
        first = np.ceil(np.minimum(*ends)).astype(np.int64)
        last = np.floor(np.maximum(*ends)).astype(np.int64)
        first, last = np.maximum(first, 0), np.minimum(last, grid.shape[crossing] - 1)
        run = int((last - first).max(initial=-1)) + 1
        if run <= 0:
            return
        clip_above(plane, bounds, inner)
        for offset in range(run):
            reached = np.flatnonzero(first + offset <= last)
            for begin in range(0, len(reached), _AT_ONCE):
                some = reached[begin : begin + _AT_ONCE]
                place = [number[some] for number in numbers]
                place[crossing] = first[some] + offset
                where, sums = _sample(index, place)
                flat_total[where] += sums

    def _sample(index: int, place: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Which grid voxels (flat) a plane adds to, and what; no voxel twice."""
        points = [grid.points(axis, place[0], place[1], place[2]) for axis in range(3)]
        kept = np.ones(len(points[0]), bool)
        for axis in (1, 2):
            kept &= np.abs(points[axis] - (grid.size[axis] - 1) / 2) < (grid.size[axis] + 1 + grid.boxes[axis]) / 2
        rows, row_share = _taps(points[1][kept], grid.boxes[1], margins[0])
        columns, column_share = _taps(points[2][kept], grid.boxes[2], margins[1])
        rows *= padded.shape[1]
        sums = np.zeros(rows.shape[1], np.float32)
        for row, share in zip(rows, row_share, strict=True):
            sums += share * np.einsum("kn,kn->n", column_share, flat_plane.take(columns + row))
        sums *= kernel(points[0][kept] - index, grid.boxes[0]).astype(np.float32)
        where = (place[0] * grid.shape[1] + place[1]) * grid.shape[2] + place[2]
        return where[kept], sums

    return add


def _taps(point: np.ndarray, box: float, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples (in a plane with a margin) around each point and their weights, both [taps, points]."""
    first = np.ceil(point - box / 2 - 1.0).astype(np.int64)
    taps = first + np.arange(int(np.floor(box + 2.0)) + 1)[:, None]
    return taps + margin, kernel(point - taps, box).astype(np.float32)


def clip_above(plane: np.ndarray, bounds: tuple[float, float] | None, out: np.ndarray) -> None:
    """Write a plane's values, clipped to some bounds, as what they are above the lower one."""
    if bounds is None:
        out[...] = plane
        return
    low, high = np.float32(bounds[0]), np.float32(bounds[1])
    np.clip(plane, low, high, out=out)
    out -= low
