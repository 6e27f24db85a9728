"""Almost the same volume of two patients in two splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data_schemas.leakage import Check, Leak
from pipelines.cases.leakage.case import AuditedCase, by_value, shown

SIDE = 8
LIMIT = 0.999
SAME = 1e-3  # of a window: what rounding to float16 leaves
FEWEST_SCANS = 20
CHANCE = 1e-4  # that the null of the cohort gives any pair beyond the limit
BLOCK = 1024


def find_duplicate_volumes(cases: Sequence[AuditedCase]) -> tuple[Check, list[Leak]]:
    """Look for scans that two patients of different splits share.

    By the digests of their files, and by thumbnails of the tensors: a mean over 8³ blocks a channel, less the mean of
    the cohort, compared by cosine. A pair is a duplicate at 0.999 and more, or more where the cohort's own pairs say
    that this is not rare enough: their median and median absolute deviation, on Fisher's scale, give the limit that
    one pair passes by chance once in ten thousand cohorts. With fewer than twenty scans only equal ones are found.
    """
    with_scan = [number for number, case in enumerate(cases) if case.example.scan is not None]
    pairs = dict.fromkeys(_equal_files(cases), 1.0)
    limit = LIMIT
    if with_scan:
        stacked = np.stack([thumbnail(cases[number].example.scan.values) for number in with_scan])  # type: ignore[union-attr]
        near, limit = _near(stacked, [cases[number] for number in with_scan])
        for (first, second), value in near.items():
            pairs[with_scan[first], with_scan[second]] = value
    compared = len({number for number, case in enumerate(cases) if case.scan or case.example.scan is not None})
    check = Check(
        kind="duplicate-volume",
        compared=compared,
        what="scans" if with_scan else "scans, by the digests of their files only",
        skipped="" if compared else "no case has a scan",
    )
    if not pairs:
        return check, []
    leak = Leak(
        kind="duplicate-volume",
        severity="leak",
        evidence="scans of two patients in two splits have files in common, or the same thumbnail (cosine)",
        count=len(pairs),
        value=round(max(pairs.values()), 4),
        limit=round(limit, 4),
        where=shown(cases[number].example.study_key for pair in pairs for number in pair),
    )
    return check, [leak]


def thumbnail(values: np.ndarray) -> np.ndarray:
    """The means over 8³ blocks of a tensor [C, Z, Y, X], flat, in float32; of one that has 8³ voxels, itself."""
    small = values.astype(np.float32)
    for axis in (1, 2, 3):
        edges = np.linspace(0, small.shape[axis], min(SIDE, small.shape[axis]) + 1).astype(int)
        sizes = np.diff(edges).reshape([-1 if place == axis else 1 for place in range(4)])
        small = (np.add.reduceat(small, edges[:-1], axis=axis) / sizes).astype(np.float32)
    return small.reshape(-1)


def _equal_files(cases: Sequence[AuditedCase]) -> Iterator[tuple[int, int]]:
    place = {id(case): number for number, case in enumerate(cases)}
    files = {(mark, number) for number, case in enumerate(cases) if case.scan for mark in _marks(case)}
    for group in by_value((mark, cases[number]) for mark, number in sorted(files)).values():
        for first in group:
            for second in group:
                if place[id(first)] < place[id(second)] and _apart(first, second):
                    yield place[id(first)], place[id(second)]


def _marks(case: AuditedCase) -> set[str]:
    return {file.mark for file in case.scan.files} if case.scan else set()


def _apart(first: AuditedCase, second: AuditedCase) -> bool:
    one, other = first.example, second.example
    return one.split != other.split and one.patient_key != other.patient_key


def _near(stacked: np.ndarray, cases: Sequence[AuditedCase]) -> tuple[dict[tuple[int, int], float], float]:
    """Pairs of different patients and splits that are equal or beyond the limit, with their cosine, and the limit."""
    _, split = np.unique([case.example.split for case in cases], return_inverse=True)
    _, patient = np.unique([case.example.patient_key for case in cases], return_inverse=True)
    centred = stacked - stacked.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > SAME)
    middle = length[:, 0] <= SAME  # the mean itself: without a direction
    enough = len(cases) >= FEWEST_SCANS
    limit = max(LIMIT, _null_limit(unit, patient)) if enough else np.inf
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(cases), BLOCK):
        rows = slice(start, start + BLOCK)
        cosine = unit[rows] @ unit.T
        apart = (split[rows, None] != split[None, :]) & (patient[rows, None] != patient[None, :])
        later = np.arange(len(cases))[None, :] > np.arange(start, start + len(cosine))[:, None]
        close = (cosine >= LIMIT) | (middle[rows, None] & middle) if enough else np.ones_like(cosine, dtype=bool)
        for first, second in np.argwhere(apart & later & close):
            one, other = start + int(first), int(second)
            equal = bool(np.abs(stacked[one] - stacked[other]).max() <= SAME)
            if equal or cosine[first, second] >= limit:
                found[one, other] = 1.0 if equal else float(cosine[first, second])
    return found, limit if enough else LIMIT


def _null_limit(unit: np.ndarray, patient: np.ndarray) -> float:
    """The cosine that any pair of the cohort passes by chance with the stated probability."""
    from scipy.stats import norm

    count = len(unit)
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, count, (2, min(count * count, 20_000)))
    different = patient[first] != patient[second]
    if not different.any():
        return LIMIT
    cosine = np.einsum("ij,ij->i", unit[first[different]], unit[second[different]])
    scaled = np.arctanh(np.clip(cosine, -0.999999, 0.999999))
    centre = np.median(scaled)
    spread = 1.4826 * np.median(np.abs(scaled - centre))
    return float(np.tanh(centre + spread * norm.isf(CHANCE / (count * (count - 1) / 2))))
