"""What a reader made of a planted fault: a refusal, a right volume with its remark, or silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path

import numpy as np

from data_schemas.errors import RefusedError
from data_schemas.reasons import Reason, Remark
from data_schemas.scan import Scan
from pipelines.scans.index import index_paths
from pipelines.scans.read import read_volume
from pipelines.synthetic.faults.kinds import ALL_KINDS, plant_later, write_fault
from pipelines.synthetic.faults.variants import VARIANTS
from pipelines.synthetic.faults.wedge import STEP_HU, Truth

# Values are copied, or rescaled by whole numbers.
TOLERANCE_HU = 0.01
# A resampled voxel may lie 0.02 of a gap beside its place (31 HU a gap), so that whole steps are not blurred.
RESAMPLED_HU = 0.75
TOLERANCE_MM = 0.01


class Outcome(StrEnum):
    """What came of one fault."""

    REFUSED = "refused"
    OTHER_REASON = "refused, for another reason"
    REMARKED = "remarked"
    SILENT = "silent"
    LOST = "lost"


@dataclass(frozen=True)
class Verdict:
    """The outcome, and the codes that were told."""

    outcome: Outcome
    told: tuple[str, ...]
    detail: str = ""


def judge(folder: Path, kind: str, *, seed: int, form: str) -> Verdict:
    """Plant a fault into a fresh folder, read it with scanote, and judge what came of it.

    Returns
    -------
    Verdict
        ``refused`` with one of the expected reasons and no volume but right ones; ``remarked``: every volume is right
        and carries the remark; ``silent``: a volume came out without either; ``lost``: a fault that a remark mends
        was refused, or nothing was said and nothing came out.
    """
    fault = ALL_KINDS[kind]
    truth = write_fault(folder, kind, seed=seed, form=form)
    index = index_paths(folder, resample_irregular=fault.resample)
    plant_later(folder, kind, seed=seed)
    told: list[Reason | Remark] = [reason for series in index.series for reason in series.reasons]
    details = [series.detail for series in index.series if series.detail]
    right: list[bool] = []
    tolerance = RESAMPLED_HU if fault.from_headers or fault.resample else TOLERANCE_HU
    remarks: list[set[Remark]] = []
    for scan in (scan for series in index.series for scan in series.scans):
        try:
            volume = read_volume(scan)
        except RefusedError as refused:
            told.append(refused.reason)
            details.append(refused.detail)
            continue
        affine = np.array(scan.geometry.affine)
        right.append(not fault.identity and is_right(volume, affine, truth, tolerance=tolerance))
        remarks.append(set(scan.remarks))
        told += scan.remarks
    codes = tuple(dict.fromkeys(code.value for code in told))
    outcome = _outcome(fault.reasons, fault.remark, told, right, remarks)
    return Verdict(outcome, codes, "; ".join(details))


def _outcome(
    reasons: Collection[Reason],
    remark: Remark | None,
    told: Collection[Reason | Remark],
    right: list[bool],
    remarks: list[set[Remark]],
) -> Outcome:
    if remark is not None:
        if not right:
            return Outcome.LOST
        return Outcome.REMARKED if all(right) and all(remark in found for found in remarks) else Outcome.SILENT
    if not all(right) or (right and not set(reasons) & set(told)):
        return Outcome.SILENT
    if not told:
        return Outcome.LOST
    return Outcome.REFUSED if set(reasons) & set(told) else Outcome.OTHER_REASON


def is_right(volume: np.ndarray, affine: np.ndarray, truth: Truth, *, tolerance: float = TOLERANCE_HU) -> bool:
    """Whether a volume [slices, rows, columns] holds the truth where its affine (to RAS+ mm) says.

    Every voxel is looked up at its place in space; voxels beyond the stored ones may hold anything. An upright grid
    must have the corners of the truth, a resampled one must cover it.
    """
    if volume.ndim != 3 or not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        return False
    to_truth = np.linalg.inv(truth.affine) @ affine
    counts = np.array(truth.shape[::-1])
    corners = _corners(volume.shape[::-1]) @ to_truth[:3, :3].T + to_truth[:3, 3]
    if volume.size == np.prod(counts):
        size = np.linalg.norm(truth.affine[:3, :3], axis=0)
        if not _same_points(corners * size, _corners(counts) * size):
            return False
    slices, rows, columns = (np.arange(count, dtype=float) for count in volume.shape)
    lattice = [
        to_truth[axis, 0] * columns + to_truth[axis, 1] * rows[:, None] + to_truth[axis, 2] * slices[:, None, None]
        + to_truth[axis, 3] for axis in range(3)
    ]  # fmt: skip
    inside = np.ones(volume.shape, bool)
    for place, count in zip(lattice, counts, strict=True):
        inside &= (place > -1e-3) & (place < count - 1 + 1e-3)
    if inside.sum() < 0.9 * np.prod(counts):
        return False
    expected = truth.lowest + STEP_HU[2] * lattice[0] + STEP_HU[1] * lattice[1] + STEP_HU[0] * lattice[2]
    return bool(np.abs(volume - expected)[inside].max() <= tolerance)


def all_right(scans: Iterable[Scan], truth: Truth) -> bool:
    """Whether each of some scans reads as the truth, and there is at least one."""
    found = [is_right(read_volume(scan), np.array(scan.geometry.affine), truth) for scan in scans]
    return bool(found) and all(found)


def _corners(counts: Iterable[int]) -> np.ndarray:
    return np.array(list(product(*((0, count - 1) for count in counts))), float)


def _same_points(one: np.ndarray, other: np.ndarray) -> bool:
    distances = np.linalg.norm(one[:, None] - other, axis=2)
    return bool(distances.min(axis=1).max() <= TOLERANCE_MM)


def accepts(folder: Path, name: str, *, seed: int) -> str:
    """Write a right series of `VARIANTS` into a fresh folder and read it; return what is wrong with that, or "".

    Every scan that was written must be accepted once, nothing else may be, and each must read as it was written.
    """
    truths = VARIANTS[name].write(folder, seed)
    index = index_paths(folder)
    told = [f"{series.detail or ', '.join(series.reasons)}" for series in index.series if not series.scans]
    scans = [scan for series in index.series for scan in series.scans]
    if told or len(scans) != len(truths):
        return "; ".join(told) or f"{len(scans)} scans where {len(truths)} were written"
    left = list(truths)
    for scan in scans:
        volume, affine = read_volume(scan), np.array(scan.geometry.affine)
        found = next((truth for truth in left if is_right(volume, affine, truth)), None)
        if found is None:
            return "a volume that is not what was written"
        left.remove(found)
    return ""
