"""The table of an evaluation: per finding, arm and subgroup every measure with its interval; no count under ten.

Subgroups are measured for one arm. Levels with fewer than ten patients of a class are pooled, if need be with the
smallest of the others: a level that was left out could be told from the total less those that are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.training.evaluate.bootstrap import bootstrap_interval, left_out, resampled
from pipelines.training.evaluate.delong import UNDEFINED, area_interval, delong
from pipelines.training.evaluate.groups import AGE, AGES
from pipelines.training.evaluate.measures import auroc_within, brier, calibration, sensitivity_at
from pipelines.training.evaluate.scored import Scored
from pipelines.training.metrics import Interval, average_precision

ALL = "all"
FEWEST = 10
"""Smallest count of patients that is told."""
MOST_NAMED = 3
MEASURES = ("auroc", "auroc_bootstrap", "auprc", "sensitivity", "brier", "slope", "intercept")


@dataclass(frozen=True)
class MeasureRow:
    """One finding, arm and level of a group (``all`` for everyone).

    ``cases``, ``positives`` and ``negatives`` count studies; None where fewer than ten patients stand behind one of
    them. ``auroc`` has DeLong's interval, ``auroc_bootstrap`` and the other measures a bootstrap one, ``slope`` and
    ``intercept`` a robust one. ``threshold`` is where the sensitivity was taken.
    """

    finding: str
    arm: str
    group: str
    level: str
    cases: int | None
    positives: int | None
    negatives: int | None
    auroc: Interval = UNDEFINED
    auroc_bootstrap: Interval = UNDEFINED
    auprc: Interval = UNDEFINED
    sensitivity: Interval = UNDEFINED
    threshold: float = float("nan")
    brier: Interval = UNDEFINED
    slope: Interval = UNDEFINED
    intercept: Interval = UNDEFINED

    @property
    def withheld(self) -> bool:
        """Whether the counts are."""
        return self.positives is None


def measure_rows(given: Scored, *, main: str, specificity: float, draws: int, seed: int) -> tuple[MeasureRow, ...]:
    """Every arm on all cases, then the main arm on every level of every group, by finding.

    Parameters
    ----------
    main
        The arm that subgroups are measured for.
    specificity
        At which the sensitivity is taken.
    draws, seed
        Of the bootstrap; all arms of a finding share their samples.
    """
    how: Mapping[str, float | int] = {"specificity": specificity, "draws": draws, "seed": seed}
    rows: list[MeasureRow] = []
    for number, finding in enumerate(given.findings):
        known = given.take(np.flatnonzero(_readable(given, number)))
        rows += [_row(known, number, finding, arm, ALL, ALL, how) for arm in known.probabilities]
        for group, levels in known.groups.items():
            order = AGES if group == AGE else ()
            for name, pool in pooled(levels, known.labels[:, number], known.patients, order).items():
                part = known.take(np.flatnonzero(np.isin(levels, pool)))
                rows.append(_row(part, number, finding, main, group, name, how))
    return tuple(rows)


def _readable(given: Scored, number: int) -> np.ndarray:
    """Rows with a known label that every arm has read."""
    read = np.stack([np.isfinite(values[:, number]) for values in given.probabilities.values()])
    return read.all(axis=0) & np.isfinite(given.labels[:, number])


def _row(
    given: Scored, number: int, finding: str, arm: str, group: str, level: str, how: Mapping[str, float | int]
) -> MeasureRow:
    label = given.labels[:, number]
    studies = {value: len(set(given.studies[label == value].tolist())) for value in (1, 0)}
    people = [len(set(given.patients[label == value].tolist())) for value in (1, 0)]
    enough = min(people) >= FEWEST
    told = (studies[1] + studies[0], studies[1], studies[0]) if enough else (None, None, None)
    row = MeasureRow(finding, arm, group, level, *told)
    if not min(people):
        return row
    score = given.probabilities[arm][:, number]
    strata, patients = given.strata, given.patients

    def measures(weights: np.ndarray) -> np.ndarray:
        found, threshold = sensitivity_at(score, label, weights, specificity=how["specificity"])
        area = auroc_within(score, label, strata, weights)
        precision = average_precision(score, label, weights)
        return np.stack([area, precision, found, threshold, brier(score, label, weights)], axis=1)

    samples = resampled(measures, patients, draws=int(how["draws"]), seed=int(how["seed"]))
    without = left_out(measures, patients)

    def smooth(column: int) -> Interval:
        return bootstrap_interval(samples[:, column], min(people), without[:, column])

    slope, intercept = calibration(score, label, patients)
    return replace(
        row,
        auroc=area_interval(delong(score[None], label, patients, strata)),
        auroc_bootstrap=smooth(0),
        auprc=smooth(1),
        sensitivity=bootstrap_interval(samples[:, 2], min(people)),
        threshold=float(samples[0, 3]),
        brier=smooth(4),
        slope=slope,
        intercept=intercept,
    )


def pooled(
    levels: np.ndarray, label: np.ndarray, patients: np.ndarray, order: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Levels by the name under which they are told: each alone where it has ten patients of each class, else pooled.

    The smallest pool is joined with the smaller of its neighbours until all have that many. Neighbours are those of
    ``order`` (ages); levels that it does not name stand in the order of their size. Empty where no two pools are left.
    """
    people = {
        str(level): [set(patients[(levels == level) & (label == value)].tolist()) for value in (1, 0)]
        for level in set(levels.tolist())
    }

    def fewest(pool: list[str]) -> int:
        return min(len(set[str]().union(*(people[level][side] for level in pool))) for side in (0, 1))

    place = {level: number for number, level in enumerate(order)}
    pools = [[level] for level in sorted(people, key=lambda name: (place.get(name, len(place)), fewest([name]), name))]
    while len(pools) > 1 and min(map(fewest, pools)) < FEWEST:
        at = min(range(len(pools)), key=lambda number: fewest(pools[number]))
        near = min((n for n in (at - 1, at + 1) if 0 <= n < len(pools)), key=lambda number: fewest(pools[number]))
        first, second = sorted((at, near))
        pools[first : second + 1] = [pools[first] + pools[second]]
    if len(pools) < 2:
        return {}
    return {_pool_name(pool): pool for pool in (pools if order else sorted(pools, key=_pool_name))}


def _pool_name(levels: list[str]) -> str:
    if len(levels) > MOST_NAMED:
        return f"{len(levels)} others"
    return " or ".join(levels)
