"""What the settings leave open is planned from the cohort, and every choice says why.

A recipe names findings, a grid, an intensity and observation codes. Where a field is written in the settings it is
kept; where it is not, the labelled cases decide, by rules that can be read here (after nnU-Net's fingerprint and plans,
Isensee 2021). The plan is a recipe like any other: the model's card holds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from data_schemas.case import Case
from data_schemas.cohort import CohortMember, LabelValue
from data_schemas.errors import RefusedError, SettingsError
from data_schemas.reasons import Reason
from data_schemas.recipes import ModelRecipe, ScanRecipe
from data_schemas.scan import Scan
from pipelines.cases.examples import number_of
from pipelines.scans.intensity import watch_hounsfield_units
from pipelines.scans.read import read_slices

# A planned grid has so many voxels an axis, and reaches over this share of the cohort's scans.
VOXELS, REACH = 48, 0.9
# From so many labelled patients on, a network is trained and a test split is held out.
SMALL_COHORT = 800
# The grid of the recipe is kept where the scans are between these shares of its own extent.
FITS = (0.6, 1.3)
# Observations that fewer cases have tell less than they let a model memorise.
LEAST_COVERED, MOST_CODES = 0.1, 64
# Scans that are read to learn whether those of unstated modality are in HU.
PROBED = 5


@dataclass(frozen=True)
class Plan:
    """The recipe with nothing left open, and a line for each choice that was made."""

    recipe: ModelRecipe
    why: tuple[str, ...] = ()


def plan_recipe(
    recipe: ModelRecipe,
    cases: Sequence[Case],
    members: Sequence[CohortMember],
    *,
    channels: Sequence[str] = (),
    others: int = 0,
    in_hu: Callable[[Scan], bool | None] | None = None,
) -> Plan:
    """Fill in what ``recipe`` does not set itself.

    Parameters
    ----------
    recipe
        As the settings have it: fields that they name are kept.
    cases, members
        The labelled cases, and their labels.
    channels
        Names of the sequences that the settings' ``select.channels`` declare.
    others
        Patients besides these that the model is trained on.
    in_hu
        Whether a scan of unstated modality holds Hounsfield units, None where it cannot be read; by default a few are
        read.

    Raises
    ------
    SettingsError
        What the settings name and what the cohort needs cannot both be.
    """
    why: list[str] = []
    update: dict[str, Any] = {}
    if "findings" not in recipe.model_fields_set:
        update["findings"] = _findings(recipe, members, why)
    if "observation_codes" not in recipe.model_fields_set:
        update["observation_codes"] = _codes(recipe, cases, why)
    patients = len({member.patient_key for member in members}) + others
    small = patients < SMALL_COHORT and not {"fusion", "modalities"} & recipe.model_fields_set
    if small and recipe.targets:
        why.append(
            f"fusion: {recipe.fusion.kind}, though fewer than {SMALL_COHORT} patients teach a network their own noise: "
            "the linear fusion of small cohorts has no heads for model.targets"
        )
    elif small:
        update["fusion"] = recipe.fusion.model_copy(update={"kind": "linear"})
        update["modalities"] = ("radiomics", "note", "words", "observation")
        why.append(
            "fusion: linear, over radiomics, notes, their words and observations, cross-validated; for fewer than "
            f"{SMALL_COHORT} patients teach a network their own noise"
        )
    scans = [case.scan for case in cases if case.scan is not None]
    if scans:
        update["scan"] = _scan(recipe.scan, scans, tuple(channels), in_hu or holds_hounsfield_units, why)
    return Plan(recipe.model_copy(update=update), tuple(why))


def holds_hounsfield_units(scan: Scan) -> bool | None:
    """Whether a scan that states no modality has air and bone where a CT has them; None where it cannot be read."""
    try:
        for _ in watch_hounsfield_units(read_slices(scan)):
            pass
    except RefusedError as refused:
        return False if refused.reason is Reason.IMPLAUSIBLE_INTENSITY else None
    return True


def _findings(recipe: ModelRecipe, members: Sequence[CohortMember], why: list[str]) -> tuple[str, ...]:
    """The recipe's own findings that are labelled, then the others: but scan signs only teach the scan encoder."""
    labelled: dict[str, set[LabelValue]] = {}
    for member in members:
        for name, value in member.labels.items():
            labelled.setdefault(name, set()).add(value)
    both = {name for name, values in labelled.items() if {LabelValue.POSITIVE, LabelValue.NEGATIVE} <= values}
    both -= set(recipe.targets)  # labels that were ingested before the settings named the target
    wanted = [name for name in recipe.findings if name in both]
    more = sorted(both - set(wanted) - set(recipe.scan_signs))
    chosen = (*wanted, *more) or tuple(sorted(both))
    if not chosen or chosen == recipe.findings:
        return recipe.findings
    why.append(f"findings: {', '.join(chosen)} (labelled with both classes)")
    return chosen


def _codes(recipe: ModelRecipe, cases: Sequence[Case], why: list[str]) -> tuple[str, ...]:
    held: Counter[str] = Counter()
    for case in cases:
        held.update({item.code for item in case.observations if number_of(item.value) is not None})
    least = LEAST_COVERED * len(cases)
    common = [code for code, count in held.most_common() if count >= least][:MOST_CODES]
    kept = [code for code in recipe.observation_codes if code in held]
    chosen = (*kept, *sorted(set(common) - set(kept)))
    if not chosen or set(chosen) <= set(recipe.observation_codes):
        return recipe.observation_codes
    why.append(f"observation_codes: {', '.join(chosen)} (numeric, in {LEAST_COVERED:.0%} of the cases or more)")
    return chosen


def _scan(
    recipe: ScanRecipe,
    scans: Sequence[Scan],
    channels: tuple[str, ...],
    in_hu: Callable[[Scan], bool | None],
    why: list[str],
) -> ScanRecipe:
    content: dict[str, Any] = {name: getattr(recipe, name) for name in ScanRecipe.model_fields}
    given = recipe.model_fields_set
    before = dict(content)
    if channels and "channels" not in given:
        content["channels"] = channels
        why.append(f"scan.channels: {', '.join(channels)} (declared in select.channels)")
    if "modalities" not in given and "intensity" not in given:
        content |= _intensity(recipe, scans, in_hu, multi=bool(content["channels"]), why=why)
    if not {"shape", "spacing_mm"} & given:
        content |= _grid(recipe, scans, why)
    if content == before:
        return recipe
    try:
        return ScanRecipe(**content)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False, include_context=False)[0]["msg"]
        raise SettingsError(f"model.scan: what the settings name does not go with this cohort: {told}") from None


def _intensity(
    recipe: ScanRecipe, scans: Sequence[Scan], in_hu: Callable[[Scan], bool | None], *, multi: bool, why: list[str]
) -> dict[str, Any]:
    stated = Counter(scan.modality for scan in scans if scan.modality)
    modality = stated.most_common(1)[0][0] if stated else ""
    if len(stated) > 1:
        rest = stated.total() - stated[modality]
        why.append(f"scan.modalities: {modality}, the most frequent; {rest} scans of other modalities are refused")
    if not modality:
        step = max(1, len(scans) // PROBED)
        probed = [held for scan in scans[::step][:PROBED] if (held := in_hu(scan)) is not None]
        ct = sum(probed) * 2 > len(probed)
        why.append(
            f"scan.intensity: the scans state no modality, and {len(probed)} that were read "
            f"{'hold' if ct else 'do not hold'} Hounsfield units: {'windows' if ct else 'z-scores'}"
        )
        modality = "CT" if ct else "OT"
    if modality == "CT" and not multi:
        return {"modalities": ("CT",), "intensity": recipe.intensity}
    if modality not in ("CT", "OT"):
        why.append(f"scan.intensity: z-scores, for {modality} has no units")
    return {"modalities": (modality,), "intensity": "z-score"}


def _grid(recipe: ScanRecipe, scans: Sequence[Scan], why: list[str]) -> dict[str, Any]:
    extent = np.quantile([_extent_mm(scan) for scan in scans], REACH, axis=0)
    own = np.array(recipe.shape) * recipe.spacing_mm
    if np.all((extent / own >= FITS[0]) & (extent / own <= FITS[1])):
        return {}
    spacing = tuple(float(max(round(length / VOXELS, 1), 0.1)) for length in extent)
    steps, told = (" × ".join(f"{value:g}" for value in row) for row in (spacing, extent.round()))
    why.append(f"scan.shape: {VOXELS}³ at {steps} mm ({REACH:.0%} of the scans reach no further than {told} mm)")
    return {"shape": (VOXELS, VOXELS, VOXELS), "spacing_mm": spacing}


def _extent_mm(scan: Scan) -> np.ndarray:
    """How far a scan reaches along the patient's axes, in the order (z, y, x)."""
    slices, rows, columns = scan.geometry.shape
    axes = np.abs(np.array(scan.geometry.affine)[:3, :3])
    return (axes @ (columns, rows, slices))[::-1]
