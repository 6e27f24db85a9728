"""Paired comparisons of arms on the same cases: DeLong's test, and Holm's correction over everything compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.cases.leakage.statistics import holm
from pipelines.training.evaluate.bootstrap import bootstrap_interval, left_out, resampled
from pipelines.training.evaluate.delong import UNDEFINED, delong, paired_difference
from pipelines.training.evaluate.measures import auroc_within
from pipelines.training.evaluate.scored import Scored
from pipelines.training.metrics import Interval


@dataclass(frozen=True)
class DifferenceRow:
    """AUROC of ``arm`` less that of ``other``: DeLong's interval and p, the latter by Holm too, and a bootstrap's."""

    finding: str
    arm: str
    other: str
    difference: Interval = UNDEFINED
    difference_bootstrap: Interval = UNDEFINED
    p: float = float("nan")
    p_holm: float = float("nan")


def difference_rows(
    given: Scored, *, main: str, others: Sequence[str], draws: int, seed: int
) -> tuple[DifferenceRow, ...]:
    """The main arm against each of the others, per finding, on the rows that all arms have read.

    Holm's correction (1979) is over all findings and arms that could be tested.
    """
    rows = [
        _difference(given, number, finding, main, other, draws=draws, seed=seed)
        for number, finding in enumerate(given.findings)
        for other in others
    ]
    tested = [number for number, row in enumerate(rows) if math.isfinite(row.p)]
    for number, p in zip(tested, holm([rows[number].p for number in tested]), strict=True):
        rows[number] = replace(rows[number], p_holm=p)
    return tuple(rows)


def _difference(
    given: Scored, number: int, finding: str, main: str, other: str, *, draws: int, seed: int
) -> DifferenceRow:
    scores = np.stack([values[:, number] for values in given.probabilities.values()])
    known = np.isfinite(scores).all(axis=0) & np.isfinite(given.labels[:, number])
    label, patients, strata = given.labels[known, number], given.patients[known], given.strata[known]
    if not (label == 1).any() or not (label == 0).any():
        return DifferenceRow(finding, main, other)
    pair = np.stack([given.probabilities[arm][known, number] for arm in (main, other)])

    def measure(weights: np.ndarray) -> np.ndarray:
        one, two = (auroc_within(score, label, strata, weights) for score in pair)
        return one - two

    difference, p = paired_difference(delong(pair, label, patients, strata), 0, 1)
    samples = resampled(measure, patients, draws=draws, seed=seed)
    fewest = min(len(set(patients[label == value].tolist())) for value in (1, 0))
    drawn = bootstrap_interval(samples, fewest, left_out(measure, patients))
    return DifferenceRow(finding, main, other, difference, drawn, p)
