"""From a scan to the tensor of a model: one resampling onto a grid in RAS+, then HU windows or z-scores.

The planes of a scan stream into the grid, so that memory does not grow with the scan (`resample`). What was done is
one line of history, in JSON behind its name: `recorded` reads it back, and `to_scan` takes what was found on the grid
back to the scanner's voxels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry
from pipelines.scans.kernel import coverage, lattice
from pipelines.scans.resample import grid_affine, resample

Planes = np.ndarray | Iterable[np.ndarray]

HISTORY = "preprocess: "
# Statistics of a z-score leave out these percentiles of the body, and values are clipped to them.
PERCENTILES = (0.5, 99.5)
# A voxel of the grid counts as inside of the scan where so much of it is.
_INSIDE = 0.999


class Grid(NamedTuple):
    """A preprocessed scan.

    ``values`` is float32 [channels, z, y, x]; x grows to the patient's right, y to the front, z to the head.
    ``affine`` maps grid voxel (x, y, z) to RAS+ millimetres. ``history`` is the line for the scan's history.
    """

    values: np.ndarray
    affine: np.ndarray
    history: str


class Standardised(NamedTuple):
    """A z-scored scan on a grid: values [z, y, x], how much of each voxel lies in the scan, and the statistics."""

    values: np.ndarray
    presence: np.ndarray
    statistics: dict[str, float]


def preprocess(
    planes: Planes,
    geometry: Geometry,
    *,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    windows_hu: Sequence[tuple[float, float]],
) -> Grid:
    """Resample a CT onto a grid around its centre and scale HU windows to channels.

    Parameters
    ----------
    planes, geometry
        A volume [slices, rows, columns] in HU, or its planes [rows, columns] in slice order, and where the voxels lie.
    shape, spacing_mm
        Of the grid, in array order (z, y, x).
    windows_hu
        Lower and upper bound of each channel. What lies outside of the volume counts as the lowest bound of all.

    Returns
    -------
    Grid
        Within 0 and 1; its values depend on the arguments alone, and are the same from a volume as from its planes.

    Raises
    ------
    ValueError
        The planes are not of the geometry's shape, or a window is empty.
    """
    if not windows_hu or any(not low < high for low, high in windows_hu):
        raise ValueError("each window needs a lower bound below its upper bound")
    affine = grid_affine(geometry, shape=shape, spacing_mm=spacing_mm)
    bounds = (min(low for low, _ in windows_hu), max(high for _, high in windows_hu))
    above = resample(planes, geometry, affine=affine, shape=shape, bounds=bounds)
    channels = np.empty((len(windows_hu), *shape), np.float32)
    for channel, (low, high) in zip(channels, windows_hu, strict=True):
        np.subtract(above, np.float32(low - bounds[0]), out=channel)
        channel /= np.float32(high - low)
        np.clip(channel, 0.0, 1.0, out=channel)
    windows = [list(window) for window in windows_hu]
    return Grid(channels, affine, history_line(affine, shape, {"intensity": "hu-windows", "windows_hu": windows}))


def standardise(
    planes: Planes,
    geometry: Geometry,
    *,
    affine: np.ndarray,
    shape: tuple[int, int, int],
) -> Standardised:
    """Resample a scan of arbitrary units, such as MR, onto a grid, and z-score it robustly.

    Method: the body is what is brighter than the mean of all voxels inside of the scan (as TorchIO's
    ``ZNormalization.mean``). Mean and standard deviation are those of the body's values, clipped to its percentiles
    0.5 and 99.5; so one bright vessel or a clip's artefact moves neither. Every value is then clipped to between
    percentile 0.5 of all voxels inside of the scan (its background) and percentile 99.5 of the body, and scaled.
    Statistics are taken on the grid, after resampling: of the very values that the model sees, in one pass over the
    planes. What lies outside of the scan counts as its background.

    Parameters
    ----------
    affine, shape
        Of the grid, voxel (x, y, z) → RAS+ mm, and its size (z, y, x).

    Returns
    -------
    Standardised
        Its statistics are in the scan's own units.

    Raises
    ------
    ValueError
        The planes are not of the geometry's shape.
    RefusedError
        ``implausible-intensity``: voxels that are not finite, or all the same; or none that the grid reaches.
    """
    values = resample(planes, geometry, affine=affine, shape=shape)
    presence = coverage(lattice(geometry, affine, shape))
    inside = values[presence > _INSIDE]
    if not np.isfinite(values).all():
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "voxels of the scan are not finite numbers")
    body = inside[inside > inside.mean(dtype=np.float64)] if inside.size else inside
    if not body.size:
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "all voxels of the scan on the grid are the same, or none is")
    low, high = (float(bound) for bound in np.percentile(body, PERCENTILES))
    background = float(np.percentile(inside, PERCENTILES[0]))
    clipped = np.clip(body, low, high).astype(np.float64)
    mean, deviation = float(clipped.mean()), float(clipped.std())
    if not deviation > 0:
        deviation = mean - background  # a body of one value: its distance from the background is the only scale
    if not deviation > 0:
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "the scan has no contrast")
    values += (1.0 - presence) * np.float32(background)
    np.clip(values, background, high, out=values)
    values -= np.float32(mean)
    values /= np.float32(deviation)
    return Standardised(values, presence, {"mean": mean, "sd": deviation, "low": background, "high": high})


def history_line(affine: np.ndarray, shape: tuple[int, int, int], facts: Mapping[str, Any]) -> str:
    """What was done, as one line of history: the grid (z, y, x), its affine to RAS+ mm, and further facts."""
    grid = {"method": "box and trilinear", "shape": list(shape), "affine": np.asarray(affine, float)[:3].tolist()}
    return HISTORY + json.dumps({**grid, **facts})


def recorded(history: Iterable[str]) -> dict[str, Any] | None:
    """The last line of preprocessing in a history, read back: ``affine`` as a 4×4 array, ``shape`` as a tuple."""
    found = [line for line in history if line.startswith(HISTORY)]
    if not found:
        return None
    facts: dict[str, Any] = json.loads(found[-1].removeprefix(HISTORY))
    facts["affine"] = np.vstack([np.array(facts["affine"], float), [0.0, 0.0, 0.0, 1.0]])
    facts["shape"] = tuple(facts["shape"])
    return facts
