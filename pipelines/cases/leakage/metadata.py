"""Where and when a scan was made, and with what: whether that alone tells the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data_schemas.leakage import Check, Leak
from data_schemas.scan import Scan
from pipelines.cases.leakage.case import AuditedCase, first_of_patient
from pipelines.cases.leakage.statistics import area_under_roc, holm

ALPHA = 0.001
LIMIT = 0.6
FEWEST_OF_A_CLASS, FEWEST_OF_A_LEVEL = 10, 5
MOST_LEVELS = 40
FOLDS, PRIOR = 5, 2.0


@dataclass(frozen=True)
class _Tested:
    finding: str
    column: str
    area: float
    p: float
    patients: int


def find_telling_metadata(cases: Sequence[AuditedCase], names: Sequence[str]) -> tuple[Check, list[Leak]]:
    """Score site, scanner, kernel, slice thickness, year and month, each alone, against each label.

    One case a patient. The score of a case is the share of positives among the other folds' cases of its level (five
    folds; levels of fewer than five patients, and all behind the forty largest, are pooled). The p-value is of
    Pearson's test of independence, corrected by Holm over all columns and findings. It is a leak where that is below
    0.001 and the AUROC at least 0.6, and watched where it is weaker. Prevalence that differs between sites does this
    without anybody's fault; a model would learn it.
    """
    rows = first_of_patient(case for case in cases if case.scan is not None)
    columns = _columns([case.scan for case in rows if case.scan is not None])
    tested = [
        _Tested(name, column, *found)
        for name in names
        for column, levels in columns.items()
        if (found := _test(levels, np.array([case.example.labels.get(name, -1) for case in rows]))) is not None
    ]
    check = Check(
        kind="metadata",
        compared=len(rows),
        what=f"patients' {', '.join(columns)}" if columns else "patients",
        skipped="" if tested else "too few scans of the catalogue, or nothing in their headers that differs",
    )
    corrected = holm([row.p for row in tested])
    by_finding: dict[str, list[tuple[_Tested, float]]] = {}
    for row, p in zip(tested, corrected, strict=True):
        if p < ALPHA and row.area > 0.5:
            by_finding.setdefault(row.finding, []).append((row, p))
    return check, [_leak(found) for found in by_finding.values()]


def _leak(found: Sequence[tuple[_Tested, float]]) -> Leak:
    """One row a finding: its strongest column, and the others that tell it too."""
    best, p = max(found, key=lambda row: (row[0].area, -row[1]))
    others = [row.column for row, _ in found if row is not best]
    also = f"; so do {', '.join(others)}" if others else ""
    return Leak(
        kind="metadata",
        severity="leak" if best.area >= LIMIT else "watch",
        finding=best.finding,
        evidence=f"{best.column} alone tells the label: AUROC {best.area:.3f}, cross-validated, p {p:.1g}{also}",
        count=best.patients,
        value=round(best.area, 4),
        limit=LIMIT,
    )


def _columns(scans: Sequence[Scan]) -> Mapping[str, np.ndarray]:
    """The level of every scan [N] by column; only columns of two levels and more."""
    made = [dict(_metadata(scan)) for scan in scans]
    columns = {}
    for name in made[0] if made else ():
        values = [row[name] for row in made]
        counts = Counter(values).most_common(MOST_LEVELS)
        kept = {value for value, count in counts if count >= FEWEST_OF_A_LEVEL}
        pooled = [value if value in kept else "other" for value in values]
        if len(set(pooled)) > 1:
            columns[name] = np.unique(pooled, return_inverse=True)[1]
    return columns


def _metadata(scan: Scan) -> Iterator[tuple[str, str]]:
    facts, made = scan.facts, scan.acquired
    yield "site", scan.patient.issuer
    yield "scanner", facts.manufacturer
    yield "kernel", facts.kernel
    yield "slice thickness", "" if facts.thickness_mm is None else f"{facts.thickness_mm:g}"
    yield "year", f"{made:%Y}" if made else ""
    yield "month", f"{made:%Y-%m}" if made else ""


def _test(levels: np.ndarray, labels: np.ndarray) -> tuple[float, float, int] | None:
    """Cross-validated AUROC, its p-value, and the patients with a known label; None where there are too few."""
    known = (labels == 0) | (labels == 1)
    label = labels[known]
    level = np.unique(levels[known], return_inverse=True)[1]
    if min(int((label == 1).sum()), int((label == 0).sum())) < FEWEST_OF_A_CLASS or not level.any():
        return None
    return area_under_roc(held_out_scores(level, label), label), independence(level, label), len(label)


def held_out_scores(level: np.ndarray, label: np.ndarray) -> np.ndarray:
    """For every case the share of positives among the other folds' cases of its level [N], drawn towards all others'.

    Rounded, so that scores that are equal but for the last bits are a tie.
    """
    fold = np.arange(len(label)) % FOLDS
    cell = level * FOLDS + fold
    size, positive = np.bincount(cell), np.bincount(cell, label)
    elsewhere = np.bincount(level)[level] - size[cell], np.bincount(level, label)[level] - positive[cell]
    share = (label.sum() - np.bincount(fold, label)[fold]) / (len(label) - np.bincount(fold)[fold])
    return np.round((elsewhere[1] + PRIOR * share) / (elsewhere[0] + PRIOR), 12)


def independence(level: np.ndarray, label: np.ndarray) -> float:
    """P-value of Pearson's test that level and label are independent.

    With the variance of a permutation (N − 1 for N), so that it stands for a permutation test: its tail was compared
    with 400,000 permutations, down to 3 in 100,000, and holds or errs on the side of no leak, also with small levels.
    """
    from scipy.stats import chi2

    size, positive = np.bincount(level), np.bincount(level, label)
    share = label.mean()
    statistic = ((positive - size * share) ** 2 / (size * share * (1 - share))).sum() * (len(label) - 1) / len(label)
    return float(chi2.sf(statistic, len(size) - 1))
