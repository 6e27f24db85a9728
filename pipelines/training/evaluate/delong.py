"""AUROC of several models on the same cases, with their covariance, by DeLong's method: no resampling, patients whole.

The structural components come from midranks (Sun and Xu 2014, IEEE Signal Processing Letters 21), are summed within
patients (Obuchowski 1997, Biometrics 53), and only cases of one stratum are compared with each other: the folds of a
cross-validation come from different models, whose scores do not share a scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.training.metrics import Interval

Z = 1.959963984540054
UNDEFINED = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Areas:
    """``area`` [M] and ``covariance`` [M, M] of some models, and how many patients have a positive, a negative case."""

    area: np.ndarray
    covariance: np.ndarray
    positives: int
    negatives: int


def delong(
    scores: np.ndarray, label: np.ndarray, patients: Sequence[str] | np.ndarray, strata: np.ndarray | None = None
) -> Areas:
    """Areas under the ROC curves (ties count half) and their covariance.

    With one case a patient and one stratum these are the figures of DeLong, DeLong and Clarke-Pearson 1988.

    Parameters
    ----------
    scores
        [M, N], one row a model; finite.
    label
        [N], 1 or 0.
    patients
        [N], whose case it is: cases of one patient depend on each other, and so do repeated scores of one case.
    strata
        [N] integers; pairs are made within a stratum. A stratum of one class has no pair and no say.

    Returns
    -------
    Areas
        NaN throughout where no stratum has both classes; the covariance is NaN where fewer than two patients have a
        case of a class.
    """
    scores = np.atleast_2d(np.asarray(scores, np.float64))
    models, label = len(scores), np.asarray(label)
    strata = np.zeros(len(label), int) if strata is None else np.asarray(strata)
    wins, pairs = np.zeros_like(scores), np.zeros(len(label))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        one, zero = rows[label[rows] == 1], rows[label[rows] == 0]
        if not len(one) or not len(zero):
            continue
        wins[:, one], wins[:, zero] = _wins(scores[:, one], scores[:, zero])
        pairs[one], pairs[zero] = len(zero), len(one)
    owner = np.unique(np.asarray(patients), return_inverse=True)[1] if len(label) else np.zeros(0, int)
    used = {value: owner[(label == value) & (pairs > 0)] for value in (1, 0)}
    count = {value: len(np.unique(rows)) for value, rows in used.items()}
    total = float(pairs[label == 1].sum())
    if not total:
        return Areas(np.full(models, np.nan), np.full((models, models), np.nan), 0, 0)
    area = wins[:, label == 1].sum(axis=1) / total
    share = (wins - area[:, None] * pairs) / total
    up, down = (_by_patient(np.where(label == value, share, 0.0), owner) for value in (1, 0))
    if min(count.values()) < 2:
        return Areas(area, np.full((models, models), np.nan), count[1], count[0])
    everyone = len(np.unique(owner[pairs > 0]))
    covariance = _inflation(count[1]) * up @ up.T + _inflation(count[0]) * down @ down.T
    covariance += _inflation(everyone) * (up @ down.T + down @ up.T)
    return Areas(area, covariance, count[1], count[0])


def area_interval(areas: Areas, model: int = 0) -> Interval:
    """The area of a model and its 95 % interval, made on the logit scale so that it stays within 0 and 1.

    Where all positives stand above all negatives (or below) DeLong's variance is 0, and an interval of no width would
    claim too much: there it is that of Newcombe's method 5 (2006, Statistics in Medicine 25) for as many patients.
    """
    area, variance = float(areas.area[model]), float(areas.covariance[model, model])
    if not math.isfinite(area) or not math.isfinite(variance):
        return UNDEFINED
    if area <= 0.0 or area >= 1.0:
        return newcombe(area, areas.positives, areas.negatives)
    middle = math.log(area / (1 - area))
    half = Z * math.sqrt(max(variance, 0.0)) / (area * (1 - area))
    return Interval(area, _expit(middle - half), _expit(middle + half))


def newcombe(area: float, positives: int, negatives: int) -> Interval:
    """Newcombe's score interval (method 5) of an AUROC from its value and the sizes of the two classes alone."""
    size = (positives + negatives) / 2 - 1

    def outside(theta: float) -> bool:
        spread = 1 + size * (1 - theta) / (2 - theta) + size * theta / (1 + theta)
        return (theta - area) ** 2 > Z**2 * theta * (1 - theta) * spread / (positives * negatives)

    return Interval(area, _border(outside, area, 0.0), _border(outside, area, 1.0))


def paired_difference(areas: Areas, model: int, other: int) -> tuple[Interval, float]:
    """Area of ``model`` less that of ``other`` with its 95 % interval, and the two-sided p-value of no difference.

    Where the two rank every pair alike, the difference is 0 with p = 1. Undefined (NaN) where the areas differ and
    DeLong's variance is 0 all the same (one model is perfect, the other constant).
    """
    difference = float(areas.area[model] - areas.area[other])
    contrast = np.zeros(len(areas.area))
    contrast[model] += 1.0
    contrast[other] -= 1.0
    variance = float(contrast @ areas.covariance @ contrast)
    if not math.isfinite(difference) or not math.isfinite(variance):
        return UNDEFINED, float("nan")
    if variance <= 1e-18:
        same = abs(difference) < 1e-12
        return (Interval(0.0, 0.0, 0.0), 1.0) if same else (UNDEFINED, float("nan"))
    spread = math.sqrt(variance)
    p = math.erfc(abs(difference) / spread / math.sqrt(2))
    return Interval(difference, difference - Z * spread, difference + Z * spread), p


def _wins(one: np.ndarray, zero: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many negatives each positive stands above [M, P], and how many positives stand above each negative [M, Q]."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([one, zero], axis=1), axis=1)
    split = one.shape[1]
    above = ranks[:, :split] - rankdata(one, axis=1)
    below = split - (ranks[:, split:] - rankdata(zero, axis=1))
    return above, below


def _by_patient(share: np.ndarray, owner: np.ndarray) -> np.ndarray:
    patients = int(owner.max()) + 1
    return np.stack([np.bincount(owner, row, minlength=patients) for row in share])


def _inflation(count: int) -> float:
    return count / (count - 1)


def _border(outside: Callable[[float], bool], inside: float, edge: float) -> float:
    near, far = inside, edge
    if near == far or not outside(far):
        return far
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (near, middle) if outside(middle) else (middle, far)
    return (near + far) / 2


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
