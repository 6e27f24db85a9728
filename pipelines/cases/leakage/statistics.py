"""Statistics of the audit: AUROC with an interval for cases that come in patients, and corrected p-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def area_under_roc(score: np.ndarray, label: np.ndarray) -> float:
    """The chance that a positive case scores above a negative one, ties counted half."""
    from scipy.stats import rankdata

    positive = label == 1
    count = int(positive.sum())
    ranks = float(rankdata(score)[positive].sum())
    return (ranks - count * (count + 1) / 2) / (count * (len(label) - count))


def area_with_interval(score: np.ndarray, label: np.ndarray, patients: Sequence[str]) -> tuple[float, float, float]:
    """AUROC and its 95 % interval where cases of one patient depend on each other (Obuchowski 1997, Biometrics 53).

    Without a spread (every positive above every negative, say) the interval is as narrow as the estimate.
    """
    from scipy.stats import rankdata

    area = area_under_roc(score, label)
    positive = label == 1
    m, n = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(score)
    above = (ranks[positive] - rankdata(score[positive])) / n  # placement of each positive among the negatives
    below = 1 - (ranks[~positive] - rankdata(score[~positive])) / m
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    clusters = int(owner.max()) + 1
    up = np.bincount(owner[positive], above - area, minlength=clusters)
    down = np.bincount(owner[~positive], below - area, minlength=clusters)
    ones, zeros = np.bincount(owner[positive], minlength=clusters), np.bincount(owner[~positive], minlength=clusters)
    in_positive, in_negative = max(int((ones > 0).sum()), 2), max(int((zeros > 0).sum()), 2)
    variance = in_positive / (in_positive - 1) * (up**2).sum() / m**2
    variance += in_negative / (in_negative - 1) * (down**2).sum() / n**2
    if clusters > 1:
        variance += 2 * clusters / (clusters - 1) * (up * down).sum() / (m * n)
    spread = 1.96 * float(np.sqrt(max(variance, 0.0)))
    return area, max(area - spread, 0.0), min(area + spread, 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method, in the order given: below alpha, all of them hold at alpha."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for place, number in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[number]))
        adjusted[number] = highest
    return [float(value) for value in adjusted]
