"""From the planes of one scan, or of several sequences, to the tensor of a model's recipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe
from data_schemas.scan import Geometry, Scan
from pipelines.cases.examples import ScanTensor
from pipelines.scans.intensity import watch_hounsfield_units
from pipelines.scans.preprocess import history_line, preprocess, standardise
from pipelines.scans.read import read_slices
from pipelines.scans.resample import grid_affine

Planes = np.ndarray | Iterable[np.ndarray]

# Far beyond any z-score that tells something, well below the end of float16.
_LARGEST = 1000.0


def read_planes(scan: Scan, *, recipe: ModelRecipe) -> Iterable[np.ndarray]:
    """The planes of a scan; of one that states no modality (NIfTI), proven to be in HU where the recipe reads HU."""
    planes = read_slices(scan)
    return planes if scan.modality or recipe.scan.intensity != "hu-windows" else watch_hounsfield_units(planes)


def resample(planes: Planes, geometry: Geometry, *, recipe: ModelRecipe) -> ScanTensor:
    """One scan (a volume, or its planes in order) on the recipe's grid around its own centre.

    In float16: the step is below 0.0005 of a window, and below 0.004 standard deviations of a z-score under 8.
    """
    shape, spacing_mm = recipe.scan.shape, recipe.scan.spacing_mm
    if recipe.scan.intensity == "hu-windows":
        grid = preprocess(planes, geometry, shape=shape, spacing_mm=spacing_mm, windows_hu=recipe.scan.windows_hu)
        return ScanTensor(grid.values.astype(np.float16), grid.affine.astype(np.float32), (grid.history,))
    affine = grid_affine(geometry, shape=shape, spacing_mm=spacing_mm)
    found = standardise(planes, geometry, affine=affine, shape=shape)
    history = history_line(affine, shape, {"intensity": "z-score", **found.statistics})
    return ScanTensor(_half(found.values)[None], affine.astype(np.float32), (history,))


def resample_channels(given: Sequence[tuple[str, Planes, Geometry]], *, recipe: ModelRecipe) -> ScanTensor:
    """Several sequences on one grid: the recipe's, around the centre of the first that is given.

    Each sequence is resampled once, from its own geometry onto the common grid, through the scanner's millimetres, and
    z-scored by itself. It fills a channel, in the recipe's order; behind the channels stand as many masks, in the same
    order, of how much of each voxel lies in the sequence. A sequence that is absent is 0 in its channel, the mean of a
    body, and 0 throughout its mask: so no fill value can be taken for a measurement.

    Parameters
    ----------
    given
        Name, planes and geometry of what is there. All must share a coordinate system; the caller sees to that.

    Raises
    ------
    RefusedError
        ``no-scan`` where nothing is given, or as `standardise` does.
    """
    if not given:
        raise RefusedError(Reason.NO_SCAN, "none of the channels is there")
    names, shape = recipe.scan.channels, recipe.scan.shape
    affine = grid_affine(given[0][2], shape=shape, spacing_mm=recipe.scan.spacing_mm)
    values = np.zeros((2 * len(names), *shape), np.float16)
    history = []
    for name, planes, geometry in given:
        found = standardise(planes, geometry, affine=affine, shape=shape)
        place = names.index(name)
        values[place], values[len(names) + place] = _half(found.values), found.presence
        history.append(history_line(affine, shape, {"channel": name, "intensity": "z-score", **found.statistics}))
    missing = tuple(name for name in names if name not in {name for name, _, _ in given})
    if missing:
        history.append(f"channels: {', '.join(missing)} missing; 0 in channel and mask")
    return ScanTensor(values, affine.astype(np.float32), tuple(history), missing)


def _half(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float16)
