"""Measures beside AUROC and AUPRC: sensitivity at a fixed specificity, the Brier score, and calibration.

Each takes ``score`` [N], ``label`` [N] (1 or 0) and ``weights`` [K, N], one row a bootstrap sample, and gives one value
a row; NaN where a sample leaves it undefined.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.training.evaluate.delong import UNDEFINED, Z
from pipelines.training.metrics import Interval, auroc

EDGE = 1e-6
"""Probabilities are held this far from 0 and 1 before their logit is taken."""
MOST_STEPS, STEEPEST = 50, 1e3


def auroc_within(score: np.ndarray, label: np.ndarray, strata: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUROC over the pairs that lie within one stratum [K]: the mean of the strata's AUROCs, weighted by their pairs.

    Scores of different folds come from different models. Pooled, a model that only knows how common the finding was
    in its own training folds scores below 0.5 (Airola et al. 2011, Computational Statistics and Data Analysis 55).
    """
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for stratum in np.unique(strata):
        rows = strata == stratum
        part = weights[:, rows]
        both = part[:, label[rows] == 1].sum(axis=1) * part[:, label[rows] == 0].sum(axis=1)
        if not both.any():
            continue
        wins += np.where(both > 0, np.nan_to_num(auroc(score[rows], label[rows], part)) * both, 0.0)
        pairs += both
    with np.errstate(invalid="ignore", divide="ignore"):
        return wins / pairs


def sensitivity_at(
    score: np.ndarray, label: np.ndarray, weights: np.ndarray, *, specificity: float
) -> tuple[np.ndarray, np.ndarray]:
    """Largest sensitivity whose specificity is at least the one asked for, and its threshold [K] each.

    A case counts as positive where its score is at or above the threshold. Each bootstrap sample chooses its own
    threshold, so the interval holds that choice too. Where even the highest score has too many negatives, the
    threshold is infinite and the sensitivity 0.
    """
    if not len(score):
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.r_[True, np.diff(ranked) != 0])
    found = np.cumsum(np.add.reduceat(weights[:, order] * (label[order] == 1), starts, axis=1), axis=1)
    wrong = np.cumsum(np.add.reduceat(weights[:, order] * (label[order] == 0), starts, axis=1), axis=1)
    positive, negative = found[:, -1], wrong[:, -1]
    # Counts are whole numbers: the slack only undoes the rounding of (1 - specificity).
    levels = (wrong <= (1 - specificity) * negative[:, None] + 1e-9).sum(axis=1)
    rows = np.arange(len(weights))
    with np.errstate(invalid="ignore", divide="ignore"):
        best = np.where(levels > 0, found[rows, levels - 1], 0.0) / positive
    threshold = np.where(levels > 0, ranked[starts][levels - 1], np.inf)
    undefined = (positive <= 0) | (negative <= 0)
    return np.where(undefined, np.nan, best), np.where(undefined, np.nan, threshold)


def brier(score: np.ndarray, label: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean squared difference of probability and label [K] (Brier 1950)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ (score - label) ** 2) / weights.sum(axis=1)


def calibration(
    score: np.ndarray, label: np.ndarray, patients: Sequence[str] | np.ndarray
) -> tuple[Interval, Interval]:
    """Calibration slope and intercept, each with a 95 % interval that takes patients whole.

    The label is regressed on the logit of the probability (Cox 1958). The slope is that of the regression: below 1
    where probabilities are too extreme. The intercept is that of the regression with the slope held at 1 (Van Calster
    et al. 2019, BMC Medicine 17): above 0 where probabilities are too low on the whole. Ideal: 1 and 0. Standard
    errors are cluster-robust (Liang and Zeger 1986). Undefined where there is one class, where the scores do not
    vary, or where a threshold separates the classes (then no finite slope fits).
    """
    level = np.log(np.clip(score, EDGE, 1 - EDGE) / (1 - np.clip(score, EDGE, 1 - EDGE)))
    if not len(label) or label.min() == label.max():
        return UNDEFINED, UNDEFINED
    ones = np.ones((len(level), 1))
    intercept = _regress(ones, level, label, patients)[0]
    if np.ptp(level) < 1e-9 or _separated(level, label):
        return UNDEFINED, intercept
    return _regress(np.column_stack([ones, level]), np.zeros(len(level)), label, patients)[1], intercept


def _regress(
    design: np.ndarray, offset: np.ndarray, label: np.ndarray, patients: Sequence[str] | np.ndarray
) -> list[Interval]:
    """Logistic regression by Newton's method with halved steps; one Wald interval a coefficient."""
    beta = np.zeros(design.shape[1])
    owner = np.unique(np.asarray(patients), return_inverse=True)[1]
    loss = _loss(design, offset, label, beta)
    for _ in range(MOST_STEPS):
        mean = _mean(design, offset, beta)
        slope = design.T @ (label - mean)
        bread = design.T @ (design * (mean * (1 - mean))[:, None])
        try:
            step = np.linalg.solve(bread, slope)
        except np.linalg.LinAlgError:
            return [UNDEFINED] * len(beta)
        size = 1.0
        while (lower := _loss(design, offset, label, beta + size * step)) > loss + 1e-12 and size > 1e-6:
            size /= 2
        beta, loss = beta + size * step, lower
        if np.abs(size * step).max() < 1e-9:
            break
    else:
        return [UNDEFINED] * len(beta)
    if not np.isfinite(beta).all() or np.abs(beta).max() > STEEPEST:
        return [UNDEFINED] * len(beta)
    mean = _mean(design, offset, beta)
    part = design * (label - mean)[:, None]
    clusters = int(owner.max()) + 1
    summed = np.stack([np.bincount(owner, column, minlength=clusters) for column in part.T])
    inverse = np.linalg.inv(design.T @ (design * (mean * (1 - mean))[:, None]))
    robust = inverse @ summed @ summed.T @ inverse * clusters / max(clusters - 1, 1)
    spread = Z * np.sqrt(np.diag(robust))
    return [Interval(float(b), float(b - s), float(b + s)) for b, s in zip(beta, spread, strict=True)]


def _mean(design: np.ndarray, offset: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(design @ beta + offset, -500, 500)))


def _loss(design: np.ndarray, offset: np.ndarray, label: np.ndarray, beta: np.ndarray) -> float:
    level = design @ beta + offset
    return float(np.logaddexp(0, np.where(label == 1, -level, level)).sum())


def _separated(level: np.ndarray, label: np.ndarray) -> bool:
    one, zero = level[label == 1], level[label == 0]
    return bool(one.min() >= zero.max() or one.max() <= zero.min())
