"""Lines through measured positions that one wrong position cannot bend, and the right-angled grid around a shear."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Up to this many points every pair counts; beyond, each point is paired with the one half a stack away.
_ALL_PAIRS = 64
# Ends this close to the line of all positions stand for it, so that rounding changes nothing.
ENDS_MM = 0.008
# Offsets below a thousandth of a pixel are rounding, and grow no grid.
_WHOLE = 1e-3


class Line(NamedTuple):
    """``start + step × t``; both [3] in mm."""

    start: np.ndarray
    step: np.ndarray


def fit_line(points: np.ndarray, at: np.ndarray) -> Line:
    """Fit a line to points [n, 3] at growing places ``at`` [n], n ≥ 2.

    Theil and Sen's estimator: the median of the slopes of pairs of points, then the median of what is left (for many
    points Theil's incomplete form, with n/2 pairs). One wrong point among five moves neither.
    """
    count = len(points)
    if count <= _ALL_PAIRS:
        low, high = np.triu_indices(count, 1)
    else:
        low = np.arange(count - count // 2)
        high = low + count // 2
    step = np.median((points[high] - points[low]) / (at[high] - at[low])[:, None], axis=0)
    start = np.median(points - np.outer(at, step), axis=0)
    ends = points[[0, -1]] - (start + np.outer(at[[0, -1]], step))
    if np.abs(ends).max() <= ENDS_MM:
        step = (points[-1] - points[0]) / (at[-1] - at[0])
        start = points[0] - at[0] * step
    return Line(start, step)


def right_angles(direction: np.ndarray) -> np.ndarray:
    """Row direction, column direction and normal [3, 3] of orientation cosines [6], made exactly orthonormal."""
    row = direction[:3] / np.linalg.norm(direction[:3])
    column = direction[3:] - (direction[3:] @ row) * row
    column /= np.linalg.norm(column)
    return np.stack([row, column, np.cross(row, column)])


def grown(offsets_mm: np.ndarray, pixel_mm: float, size: int) -> tuple[int, int]:
    """Where a grid begins, in pixels from the first slice's own, and its size, so that no shifted slice is cut."""
    low, high = np.floor(offsets_mm.min() / pixel_mm + _WHOLE), np.ceil(offsets_mm.max() / pixel_mm - _WHOLE)
    return int(low), size + int(high - low)
