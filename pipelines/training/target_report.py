"""Measures of targets on the test split: every arm on the same bootstrap samples of patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data_schemas.target import FittedTarget, TargetKind
from pipelines.models.estimates import median_level
from pipelines.training.metrics import Interval, interval, patient_weights

KAPPA, MAE, R2, PEARSON = "kappa", "mae", "r2", "pearson"


@dataclass(frozen=True)
class TargetReport:
    """One target on the test split.

    ``measures`` by arm: ``kappa`` (quadratic weights) and ``mae`` (in levels) of an ordinal target; ``mae`` (in its
    unit), ``r2`` and ``pearson`` of a regression. ``covered`` is the share of cases whose value lies within the model's
    interval; NaN where it has none. ``model`` is the arm that is registered.
    """

    target: str
    kind: TargetKind
    unit: str | None
    cases: int
    measures: Mapping[str, Mapping[str, Interval]]
    covered: Interval
    model: str


def report_targets(
    said: Mapping[str, Mapping[str, np.ndarray]],
    values: np.ndarray,
    patients: Sequence[str],
    targets: Sequence[FittedTarget],
    *,
    draws: int,
    seed: int,
    main: str,
) -> tuple[TargetReport, ...]:
    """Measure every arm. ``said`` holds by arm and target what it says; ``values`` [N, T] is NaN where unknown."""
    reports = []
    for number, target in enumerate(targets):
        known = ~np.isnan(values[:, number])
        truth = values[known, number]
        weights = patient_weights([p for p, ok in zip(patients, known, strict=True) if ok], draws=draws, seed=seed)
        measures = {arm: _measures(target, rows[target.name][known], truth, weights) for arm, rows in said.items()}
        reports.append(
            TargetReport(
                target=target.name,
                kind=target.kind,
                unit=target.unit,
                cases=int(known.sum()),
                measures=measures,
                covered=_covered(target, said[main][target.name][known], truth, weights),
                model=main,
            )
        )
    return tuple(reports)


def weighted_kappa(level: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Cohen's kappa with quadratic weights (Cohen 1968) of each row of weights; NaN where all is of one level.

    1 - observed over expected mean squared difference of two independent readers with the same marginals.
    """
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = weights @ (level - truth) ** 2 / total
        moments = [weights @ (values**power) / total for values in (level, truth) for power in (1, 2)]
        expected = moments[1] + moments[3] - 2 * moments[0] * moments[2]
        return 1 - np.where(expected > 1e-12, observed / expected, np.nan)


def mean_absolute_error(value: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of each row of weights; NaN without any case."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return weights @ np.abs(value - truth) / weights.sum(axis=1)


def explained_variance(value: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """R², 1 - squared error over variance around the mean, of each row of weights; NaN where nothing varies."""
    left = (weights * (value - truth) ** 2).sum(axis=1)
    spread = (weights * _centred(truth, weights) ** 2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - np.where(spread > 0, left / spread, np.nan)


def correlation(value: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's r of each row of weights; NaN where one of the two does not vary."""
    one, other = _centred(value, weights), _centred(truth, weights)
    spread = (weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (weights * one * other).sum(axis=1) / np.sqrt(spread), np.nan)


def conformal_margin(residuals: np.ndarray, *, coverage: float) -> float | None:
    """Half the width of a split conformal interval (Lei et al. 2018), from held-out residuals; None of too few.

    The ceil((n + 1) * coverage)-th smallest absolute residual: with residuals of cases that were used for nothing else
    and can change places with the new one, the interval holds the truth in at least that share of cases.
    """
    place = int(np.ceil((len(residuals) + 1) * coverage))
    return float(np.sort(np.abs(residuals))[place - 1]) if place <= len(residuals) else None


def _measures(target: FittedTarget, said: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> dict[str, Interval]:
    if target.kind == "ordinal":
        level = median_level(said).astype(np.float64)
        return {
            KAPPA: interval(weighted_kappa(level, truth, weights)),
            MAE: interval(mean_absolute_error(level, truth, weights)),
        }
    return {
        MAE: interval(mean_absolute_error(said, truth, weights)),
        R2: interval(explained_variance(said, truth, weights)),
        PEARSON: interval(correlation(said, truth, weights)),
    }


def _covered(target: FittedTarget, said: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Interval:
    if target.margin is None:
        return Interval(float("nan"), float("nan"), float("nan"))
    within = (np.abs(said - truth) <= target.margin).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return interval(weights @ within / weights.sum(axis=1))


def _centred(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return values - (weights @ values / weights.sum(axis=1))[:, None]
