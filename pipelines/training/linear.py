"""Fit the linear reader of a small cohort: penalised scores, and the fusion that inner cross-validation prefers.

A score is a ridge-penalised logistic regression; the penalty is chosen by the log-loss of inner, patient-level folds,
which also give every training case a score that was not fitted on it. On those, late fusion is stacked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# One over the penalty: how much is believed of what the table says, from next to nothing.
STRENGTHS = tuple(float(10.0**power) for power in np.arange(-3.0, 3.5, 0.5))
TOLERANCE = 1e-6
MOST_AXES = 256
LEAST_VARIANCE = 1e-12  # of an axis, as a share of the first one's: below lies rounding
INNER_FOLDS = 5
# Standard deviations beyond which a pooled feature is held, as the reader does.
FARTHEST = 5.0
# Stacked weights are drawn to 1, the weight of independent, calibrated evidence, by so many cases' worth.
STACK_PENALTY = 2.0
LATE, JOINT = "late fusion", "joint score"


@dataclass(frozen=True)
class Vectors:
    """Pooled tokens of one modality: ``values`` [N, D], and ``present`` [N]; absent rows hold anything."""

    values: np.ndarray
    present: np.ndarray

    def take(self, rows: np.ndarray) -> Vectors:
        """Some rows."""
        return Vectors(self.values[rows], self.present[rows])


@dataclass(frozen=True)
class Part:
    """What one modality adds to a logit where it is present: share × (weight · level + offset)."""

    centre: np.ndarray
    spread: np.ndarray
    weight: np.ndarray
    offset: float
    share: float


@dataclass(frozen=True)
class LinearScore:
    """The score of one finding: a fusion's name, its bias, and a part a modality."""

    fusion: str
    bias: float
    parts: Mapping[str, Part]

    def logits(self, vectors: Mapping[str, Vectors]) -> np.ndarray:
        """Logit [N] of every case."""
        total = np.full(len(next(iter(vectors.values())).present), self.bias)
        for name, part in self.parts.items():
            score = level_of(vectors[name].values, part.centre, part.spread) @ part.weight + part.offset
            total += np.where(vectors[name].present, part.share * score, 0.0)
        return total


@dataclass(frozen=True)
class Fitted:
    """The fitted scores of one finding by arm: each modality alone, both fusions; ``chosen`` names an arm of them."""

    arms: Mapping[str, LinearScore]
    chosen: str


def level_of(values: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Standardised values, held within ±5 deviations."""
    return np.clip((values - centre) / spread, -FARTHEST, FARTHEST)


def fit_finding(vectors: Mapping[str, Vectors], label: np.ndarray, patients: Sequence[str], *, seed: int) -> Fitted:
    """Fit every arm for one finding.

    Parameters
    ----------
    vectors
        By modality, of the training cases.
    label
        [N], 1 or 0, NaN where unknown: those cases are left out.
    patients
        The patient of each case; no patient is on both sides of an inner fold.
    """
    known = np.flatnonzero(~np.isnan(label))
    label, given = label[known].astype(int), {name: part.take(known) for name, part in vectors.items()}
    fold = inner_folds(label, [patients[int(number)] for number in known], seed=seed)
    prior = float(np.log((label.sum() + 0.5) / (len(label) - label.sum() + 0.5)))
    if fold is None:
        flat = {name: _flat(part) for name, part in given.items()}
        arms = {name: LinearScore(name, prior, {name: part}) for name, part in flat.items()}
        return Fitted({**arms, LATE: LinearScore(LATE, prior, flat)}, LATE)
    scores, unseen = {}, {}
    for name, part in given.items():
        rows = np.flatnonzero(part.present)
        scores[name], held = _fit_score(part.values[rows], label[rows], fold[rows], prior)
        unseen[name] = np.zeros(len(label))
        unseen[name][rows] = held - prior
    single = {name: LinearScore(name, prior, {name: part}) for name, part in scores.items()}
    bias, shares, late_loss = _stack(unseen, given, label, fold, prior)
    late = LinearScore(LATE, bias, {name: _share(scores[name], shares[name]) for name in scores})
    joint, joint_loss = _fit_joint(given, label, fold, prior)
    arms = {**single, LATE: late, JOINT: joint}
    return Fitted(arms, JOINT if joint_loss < late_loss else LATE)


def inner_folds(label: np.ndarray, patients: Sequence[str], *, seed: int) -> np.ndarray | None:
    """The fold of each case, stratified, whole patients; None where a class has fewer than two patients."""
    keys, place = np.unique(np.asarray(patients), return_inverse=True)
    positive = np.zeros(len(keys), int)
    np.maximum.at(positive, place, label)
    folds = min(INNER_FOLDS, int(positive.sum()), int((1 - positive).sum()))
    if folds < 2:
        return None
    random = np.random.default_rng(seed)
    fold = np.empty(len(keys), int)
    start = 0
    for value in (0, 1):
        rows = random.permutation(np.flatnonzero(positive == value))
        fold[rows] = (start + np.arange(len(rows))) % folds
        start += len(rows)
    return fold[place]


def _flat(part: Vectors) -> Part:
    width = part.values.shape[1]
    return Part(np.zeros(width), np.ones(width), np.zeros(width), 0.0, 1.0)


def _share(part: Part, share: float) -> Part:
    return Part(part.centre, part.spread, part.weight, part.offset, share)


def _statistics(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = values.std(axis=0)
    return values.mean(axis=0), np.where(spread > 1e-6 * np.maximum(np.abs(values).max(axis=0), 1e-6), spread, 1.0)


def _fit_score(values: np.ndarray, label: np.ndarray, fold: np.ndarray, prior: float) -> tuple[Part, np.ndarray]:
    """A modality's part, beyond the prior, and logits [N] of cases that the score was not fitted on."""
    width = values.shape[1]
    if len(np.unique(label)) < 2 or len(np.unique(fold)) < 2:
        return Part(np.zeros(width), np.ones(width), np.zeros(width), 0.0, 1.0), np.full(len(label), prior)
    centre, spread = _statistics(values)
    weight, bias, held, _ = _ridge(level_of(values, centre, spread) / np.sqrt(width), label, fold, prior)
    return Part(centre, spread, weight / np.sqrt(width), bias - prior, 1.0), held


def _fit_joint(
    given: Mapping[str, Vectors], label: np.ndarray, fold: np.ndarray, prior: float
) -> tuple[LinearScore, float]:
    """One score over all vectors: every modality's block has the same total variance; an absent one is its mean."""
    blocks, made = [], {}
    for name, part in given.items():
        seen = part.values[part.present]
        width = part.values.shape[1]
        centre, spread = _statistics(seen) if len(seen) > 1 else (np.zeros(width), np.ones(width))
        level = level_of(np.where(part.present[:, None], part.values, centre), centre, spread)
        blocks.append(level / np.sqrt(width))
        made[name] = (centre, spread, width)
    weight, bias, _, loss = _ridge(np.hstack(blocks), label, fold, prior)
    parts, at = {}, 0
    for name, (centre, spread, width) in made.items():
        parts[name] = Part(centre, spread, weight[at : at + width] / np.sqrt(width), 0.0, 1.0)
        at += width
    return LinearScore(JOINT, bias, parts), loss


def _ridge(
    table: np.ndarray, label: np.ndarray, fold: np.ndarray, prior: float
) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Weight, bias, held-out logits and their mean log-loss at the penalty that inner folds prefer.

    The table is turned onto its principal axes first: of N cases and D features no more than N axes count, a ridge
    penalty is the same on them, and what lies beyond the first 256 is noise to it.
    """
    flat = np.full(len(label), prior)
    axes, turned = _principal(table)
    if not axes.shape[1]:
        return np.zeros(table.shape[1]), prior, flat, _log_loss(flat, label)
    held = np.full((len(STRENGTHS), len(label)), prior)
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        if len(np.unique(label[train])) == 2:
            for row, (weight, bias) in enumerate(_path(turned[train], label[train], STRENGTHS)):
                held[row, test] = turned[test] @ weight + bias
    losses = [_log_loss(row, label) for row in held]
    best = int(np.argmin(losses))
    if losses[best] >= _log_loss(flat, label):
        # Nothing that is fitted is better than the share of positives.
        return np.zeros(table.shape[1]), prior, flat, losses[best]
    weight, bias = list(_path(turned, label, STRENGTHS[: best + 1]))[-1]
    return axes @ weight, bias, held[best], losses[best]


def _principal(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes [D, K], none where nothing varies, and the table on them [N, K]."""
    # By the inner products of the cases, for LAPACK's own decomposition of a wide table has been seen not to converge.
    is_wide = table.shape[1] > table.shape[0]
    square, side = np.linalg.eigh(table @ table.T if is_wide else table.T @ table)
    order = np.argsort(-square, kind="stable")[:MOST_AXES]
    kept = order[square[order] > max(LEAST_VARIANCE * float(square.max()), np.finfo(float).tiny)]
    axes = table.T @ side[:, kept] / np.sqrt(square[kept]) if is_wide else side[:, kept]
    return axes, table @ axes


def _path(table: np.ndarray, label: np.ndarray, strengths: Sequence[float]) -> Iterator[tuple[np.ndarray, float]]:
    """Logistic regressions of growing strength (1 / penalty), each begun where the last one ended."""
    from sklearn.linear_model import LogisticRegression

    # Newton's method: on such tables others take longer, or stop far from the optimum.
    model = LogisticRegression(solver="newton-cholesky", warm_start=True, tol=TOLERANCE)
    for strength in strengths:
        model.set_params(C=strength).fit(table, label)
        yield model.coef_[0].copy(), float(model.intercept_[0])


def _log_loss(logits: np.ndarray, label: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0.0, logits) - label * logits))


def _stack(
    unseen: Mapping[str, np.ndarray],
    given: Mapping[str, Vectors],
    label: np.ndarray,
    fold: np.ndarray,
    prior: float,
) -> tuple[float, dict[str, float], float]:
    """Bias and weights, zero or above, of the modalities' held-out scores; and the stack's own held-out log-loss."""
    names = list(unseen)
    table = np.stack([unseen[name] * given[name].present for name in names], axis=1)
    held = np.empty(len(label))
    for number in np.unique(fold):
        train, test = fold != number, fold == number
        bias, weights = _stacked(table[train], label[train], prior)
        held[test] = table[test] @ weights + bias
    bias, weights = _stacked(table, label, prior)
    return bias, dict(zip(names, weights.tolist(), strict=True)), _log_loss(held, label)


def _stacked(table: np.ndarray, label: np.ndarray, prior: float) -> tuple[float, np.ndarray]:
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
        logits = table @ free[1:] + free[0]
        wrong = expit(logits) - label
        value = np.sum(np.logaddexp(0.0, logits) - label * logits) + STACK_PENALTY / 2 * np.sum((free[1:] - 1) ** 2)
        return float(value), np.concatenate([[wrong.sum()], table.T @ wrong + STACK_PENALTY * (free[1:] - 1)])

    start = np.concatenate([[prior], np.ones(table.shape[1])])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), *[(0.0, None)] * table.shape[1]])
    return float(found.x[0]), found.x[1:]
