"""From a case to an example: the scan read, checked and resampled, the text cut into sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from data_schemas.case import Case
from data_schemas.cohort import Split
from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe
from data_schemas.scan import Scan
from pipelines.cases.examples import Example, ScanTensor, sentences_of, values_of
from pipelines.cases.mentions import mentions_of
from pipelines.cases.tensor import read_planes, resample, resample_channels
from pipelines.scans.read import read_slices
from pipelines.scans.resample import grid_affine
from pipelines.scans.stored import prove_stored
from pipelines.workspace.cache import ArrayCache
from pipelines.workspace.digests import json_digest

# Names how a scan becomes a tensor: a new name, where the method changes, leaves cached tensors of the old one.
METHOD = "tensor/2"


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
        A file of the scan is gone, is not what was ingested, or cannot be decoded; a voxel is not finite; the scan is
        of a modality that the model does not read (``implausible-intensity``: its values mean something else); or the
        study has none of the model's channels (``no-scan``).
    """
    # What is cached of a study lies together, so that it goes when the patient is forgotten.
    cache = cache.of(case.study_key) if cache else None
    scan_digest = tensor_digest(case, recipe)
    texts = [note.text for note in case.notes]
    reading = recipe.note
    sentences = sentences_of(texts, input_sections=reading.input_sections, keep_uncertain=reading.keep_uncertain)
    return Example(
        study_key=case.study_key,
        patient_key=case.patient_key,
        scan=_scan_tensor(case, recipe, scan_digest, cache) if case.scan else None,
        sentences=sentences,
        values=values_of(case, codes=recipe.observation_codes),
        labels=dict(labels or {}),
        split=split,
        scan_digest=scan_digest,
        mentions=mentions_of(texts, sentences, recipe=recipe, cache=cache),
    )


def tensor_digest(case: Case, recipe: ModelRecipe) -> str:
    """Digest of everything that the resampled scan depends on."""
    if case.scan is None:
        return ""
    how = recipe.scan.model_dump(mode="json", include={"shape", "spacing_mm", "windows_hu", "intensity", "channels"})
    return json_digest([METHOD, [[name, _identity(scan)] for name, scan in _used(case, recipe)], how])


def _identity(scan: Scan) -> dict[str, object]:
    return scan.model_dump(mode="json", include={"scan_id", "geometry", "stored_origins", "rescale", "remarks"})


def _used(case: Case, recipe: ModelRecipe) -> list[tuple[str, Scan]]:
    """The scans that the model reads, each under its channel's name, in the model's order."""
    if not recipe.scan.channels:
        return [("", case.scan)] if case.scan else []
    found = {channel.name: channel.scan for channel in case.channels}
    return [(name, found[name]) for name in recipe.scan.channels if name in found]


def _scan_tensor(case: Case, recipe: ModelRecipe, digest: str, cache: ArrayCache | None) -> ScanTensor:
    used = _used(case, recipe)
    if not used:
        raise RefusedError(Reason.NO_SCAN, f"none of the channels {', '.join(recipe.scan.channels)} in this study")
    for _, scan in used:
        if scan.modality and scan.modality not in recipe.scan.modalities:
            wanted = " or ".join(recipe.scan.modalities)
            raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, f"a scan of another modality; this model reads {wanted}")
    found = _cached(digest, cache)
    if found is not None:
        # A cached tensor stands for its files only while they are what was ingested.
        prove_stored(file for _, scan in used for file in scan.files)
        values, history = found
        affine = grid_affine(used[0][1].geometry, shape=recipe.scan.shape, spacing_mm=recipe.scan.spacing_mm)
        return ScanTensor(values, affine.astype(np.float32), history, _missing(used, recipe))
    if recipe.scan.channels:
        given = [(name, read_slices(scan), scan.geometry) for name, scan in used]
        tensor = resample_channels(given, recipe=recipe)
    else:
        scan = used[0][1]
        tensor = resample(read_planes(scan, recipe=recipe), scan.geometry, recipe=recipe)
    if not np.isfinite(tensor.values).all():
        raise RefusedError(Reason.IMPLAUSIBLE_INTENSITY, "voxels of the scan are not finite numbers")
    if cache:
        told = np.frombuffer(json.dumps(tensor.history).encode(), np.uint8)
        cache.put(_history_key(digest), told)
        cache.put(digest, tensor.values)
    return tensor


def _missing(used: list[tuple[str, Scan]], recipe: ModelRecipe) -> tuple[str, ...]:
    present = {name for name, _ in used}
    return tuple(name for name in recipe.scan.channels if name not in present)


def _cached(digest: str, cache: ArrayCache | None) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """The cached tensor and its history; nothing where one of the two is absent or was damaged."""
    values = cache.get(digest) if cache else None
    told = cache.get(_history_key(digest)) if cache and values is not None else None
    return None if values is None or told is None else (values, tuple(json.loads(told.tobytes())))


def _history_key(digest: str) -> str:
    return json_digest(["history", digest])
