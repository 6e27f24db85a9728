"""From a case to an example: the scan read, checked and resampled, the text cut into sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data_schemas.case import Case
from data_schemas.cohort import Split
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.scan import Geometry
from data_schemas.settings import ModelRecipe
from pipelines.cases.examples import Example, ScanTensor, sentences_of, values_of
from pipelines.scans.preprocess import grid_affine, preprocess
from pipelines.scans.read import read_volume
from pipelines.scans.stored import read_stored
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

# Names how a volume becomes a tensor: a new name, where the method changes, leaves cached tensors of the old one.
METHOD = "tensor"


def prepare(
    case: Case,
    *,
    recipe: ModelRecipe,
    cache: ArrayCache | None = None,
    labels: Mapping[str, int] | None = None,
    split: Split = "test",
) -> Example:
    """The example of a case.

    The resampled scan is cached by the digests of its files and the recipe; the files are checked all the same.

    Raises
    ------
    RefusedError
        A file of the scan is gone, is not what was ingested, or cannot be decoded; or a voxel is not finite.
    """
    scan_digest = tensor_digest(case, recipe) if case.scan else ""
    return Example(
        study_key=case.study_key,
        patient_key=case.patient_key,
        scan=_scan_tensor(case, recipe, scan_digest, cache) if case.scan else None,
        sentences=sentences_of([note.text for note in case.notes], input_sections=recipe.note.input_sections),
        values=values_of(case, codes=recipe.observation_codes),
        labels=dict(labels or {}),
        split=split,
        scan_digest=scan_digest,
    )


def tensor_digest(case: Case, recipe: ModelRecipe) -> str:
    """Digest of everything that the resampled scan depends on."""
    scan = case.scan
    if scan is None:
        return ""
    grid = [recipe.scan.shape, recipe.scan.spacing_mm, recipe.scan.windows_hu]
    return json_digest([METHOD, scan.scan_id, scan.geometry.model_dump(mode="json"), grid])


def resample(volume: np.ndarray, geometry: Geometry, *, recipe: ModelRecipe) -> ScanTensor:
    """A volume in HU on the recipe's grid, in float16 (the step is below 0.0005 of a window)."""
    grid = preprocess(
        volume,
        geometry,
        shape=recipe.scan.shape,
        spacing_mm=recipe.scan.spacing_mm,
        windows_hu=recipe.scan.windows_hu,
    )
    return ScanTensor(grid.values.astype(np.float16), grid.affine.astype(np.float32))


def _scan_tensor(case: Case, recipe: ModelRecipe, digest: str, cache: ArrayCache | None) -> ScanTensor:
    scan = case.scan
    if scan is None:
        raise ValueError("a case without a scan has no scan tensor")
    values = cache.get(digest) if cache else None
    if values is not None:
        for file in scan.files:
            read_stored(file)  # a cached tensor stands for its files only while they are what was ingested
        affine = grid_affine(scan.geometry, shape=recipe.scan.shape, spacing_mm=recipe.scan.spacing_mm)
        return ScanTensor(values, affine.astype(np.float32))
    tensor = resample(read_volume(scan), scan.geometry, recipe=recipe)
    if not np.isfinite(tensor.values).all():
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "voxels of the scan are not finite numbers")
    if cache:
        cache.put(digest, tensor.values)
    return tensor
