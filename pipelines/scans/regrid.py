"""Stored planes onto the grid of their scan: the shear of a tilted gantry taken out, uneven gaps made even.

Planes stream through: each stored plane is shifted within its plane by a constant part of a pixel (bilinear), and
between two of them a plane of the grid is their weighted mean (linear); at most two are held. Where no stored pixel
lies the grid holds what was not measured: air in CT (-1000 HU, by the definition of the scale), and 0, no signal, in
other modalities. dcm2niix, which corrects a tilt in the same way, pads with the darkest value of the volume instead,
which cannot be known before the last plane, and which in CT may be a padding value far below air.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Scan

AIR_HU = -1000.0
# Shares of a pixel or of a gap that are the rounding of positions: not worth a blur.
SNAP = 0.02


def regrid(planes: Iterable[np.ndarray], scan: Scan) -> Iterator[np.ndarray]:
    """Resample stored planes to the planes of the scan's geometry.

    Parameters
    ----------
    planes
        One plane [rows, columns] for each of ``scan.stored_origins``, in that order.
    scan
        Its geometry may have more rows, columns or slices than were stored.

    Yields
    ------
    numpy.ndarray
        float32 [rows, columns] of the geometry, in slice order.

    Raises
    ------
    RefusedError
        ``decode-failed``: the planes end early, or do not fit the grid.
    """
    count, rows, columns = scan.geometry.shape
    fill = AIR_HU if scan.modality == "CT" else 0.0
    stored = np.array(scan.stored_origins, float)
    to_voxel = np.linalg.inv(np.array(scan.geometry.affine))
    across, down, places = (stored @ to_voxel[:3, :3].T + to_voxel[:3, 3]).T
    source = iter(planes)
    held: dict[int, np.ndarray] = {}

    def plane(index: int) -> np.ndarray:
        while index not in held:
            at = max(held, default=-1) + 1
            found = next(source, None)
            if found is None:
                raise RefusedError(Reason.DECODE_FAILED, f"{at} planes for {len(stored)} stored slices")
            for old in [key for key in held if key < index - 1]:
                del held[old]
            held[at] = shifted(found, (rows, columns), down=down[at], across=across[at], fill=fill)
        return held[index]

    for place in range(count):
        after = min(int(np.searchsorted(places, place - SNAP)), len(stored) - 1)
        if after == 0 or places[after] - place <= SNAP:
            yield plane(after).copy()
            continue
        share = np.float32((place - places[after - 1]) / (places[after] - places[after - 1]))
        before = plane(after - 1)
        yield before + share * (plane(after) - before)


def shifted(plane: np.ndarray, shape: tuple[int, int], *, down: float, across: float, fill: float) -> np.ndarray:
    """Place a plane [rows, columns] on a larger one of ``shape``, its first pixel at (down, across) in pixels.

    Bilinear; beyond its border the plane goes on as ``fill``. Returns float32 of ``shape``.
    """
    (top, low), (left, right) = _parts(down), _parts(across)
    rows, columns = plane.shape
    grow = (rows + bool(low), columns + bool(right))
    if top < 0 or left < 0 or top + grow[0] > shape[0] or left + grow[1] > shape[1]:
        raise RefusedError(Reason.DECODE_FAILED, f"a plane of {rows} x {columns} does not fit the grid of its scan")
    out = np.full(shape, fill, np.float32)
    above_fill = plane.astype(np.float32) - np.float32(fill)
    for step_down, weight_down in ((0, 1.0 - low), (1, low)):
        for step_across, weight_across in ((0, 1.0 - right), (1, right)):
            weight = weight_down * weight_across
            if weight:
                begin, start = top + step_down, left + step_across
                out[begin : begin + rows, start : start + columns] += np.float32(weight) * above_fill
    return out


def _parts(offset: float) -> tuple[int, float]:
    """Whole pixels and the rest of an offset; a rest that is rounding is none."""
    whole = round(offset)
    if abs(offset - whole) <= SNAP:
        return whole, 0.0
    low = int(np.floor(offset))
    return low, float(offset - low)
