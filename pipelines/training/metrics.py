"""Measures of a model and their uncertainty: AUROC and AUPRC with patient-level bootstrap intervals, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LOWER, UPPER = 0.025, 0.975


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; NaN throughout where it is undefined (one class only)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """``0.912 (0.880 to 0.941)``."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def patient_weights(patients: Sequence[str], *, draws: int, seed: int) -> np.ndarray:
    """How often each case is drawn in each bootstrap sample of whole patients [draws + 1, N]; row 0 is all ones."""
    if not len(patients):
        return np.ones((draws + 1, 0))
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    count = int(patient.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    return np.concatenate([np.ones((1, len(patient))), drawn[:, patient]]).astype(np.float64)


def auroc(score: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each row of weights (ties count half); NaN where a class has no weight."""
    order = np.argsort(score, kind="stable")
    level = np.unique(score[order], return_inverse=True)[1]
    starts = np.flatnonzero(np.r_[True, np.diff(level) > 0]) if len(level) else np.array([], int)
    positive = np.add.reduceat(weights[:, order] * (label[order] == 1), starts, axis=1)
    negative = np.add.reduceat(weights[:, order] * (label[order] == 0), starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    with np.errstate(invalid="ignore", divide="ignore"):
        return (positive * (below + negative / 2)).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def average_precision(score: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision (AUPRC by steps) of each row of weights; NaN where there is no positive."""
    order = np.argsort(-score, kind="stable")
    level = np.unique(-score[order], return_inverse=True)[1]
    starts = np.flatnonzero(np.r_[True, np.diff(level) > 0]) if len(level) else np.array([], int)
    positive = np.add.reduceat(weights[:, order] * (label[order] == 1), starts, axis=1)
    total = np.add.reduceat(weights[:, order], starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(np.cumsum(positive, axis=1) / np.cumsum(total, axis=1))
        return (positive * precision).sum(axis=1) / positive.sum(axis=1)


def interval(samples: np.ndarray) -> Interval:
    """Estimate (first sample) and percentile interval (the others) of a bootstrapped measure."""
    drawn = samples[1:][np.isfinite(samples[1:])]
    if not np.isfinite(samples[0]) or not len(drawn):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(drawn, [LOWER, UPPER])
    return Interval(float(samples[0]), float(low), float(high))
